"""``crlm-spa cohort`` from slides and a table to a validated score, as a researcher uses it."""

import json
import re

import pandas as pd
import pytest
from typer.testing import CliRunner

from napari_crlm_spa.cli.main import app
from napari_crlm_spa.core.cohort.study.folder import read_study
from napari_crlm_spa.core.cohort.table import read_cohort
from napari_crlm_spa.core.risk import load_risk_model
from napari_crlm_spa.errors import CohortError, StoreError

FEATURES = "Overall_Debris_ratio,Overall_Lymphocyte_ratio,Distal_Hepatocyte_ratio"
#: Quick, and sure to find a model.
QUICK = ("--features", FEATURES, "--cutoffs", "median", "--p-univariate", "1")


def run(*arguments):
    return CliRunner().invoke(app, ["cohort", *map(str, arguments)], env={"COLUMNS": "80"})


def leave_out_page(patch):
    """Leave the page out, which takes most of the time and is judged by tests of its own."""
    patch.setattr(
        "napari_crlm_spa.core.report.cohort.write_cohort_report",
        lambda folder, study: folder / "report.html",
    )


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    """Two simulated hospitals, one of them as slides and a table; a fit and its validation."""
    folder = tmp_path_factory.mktemp("walk")
    drawn = ("--n-patients", 100, "--effect-size", 3)
    done = {
        "first": run("simulate", "-o", folder / "a", "--seed", 1, "--analyses", *drawn),
        "second": run("simulate", "-o", folder / "b", "--seed", 2, *drawn),
        "build": run(
            *("build", folder / "a" / "simulated-analyses", "-o", folder / "built"),
            *("--clinical", folder / "a" / "simulated-clinical.csv", "--name", "hospital A"),
        ),
    }
    with pytest.MonkeyPatch.context() as patch:
        leave_out_page(patch)
        done["fit"] = run("fit", folder / "built", "-o", folder / "study", *QUICK)
    done["validate"] = run("validate", folder / "study", folder / "b", "-o", folder / "second")
    return folder, done


@pytest.fixture
def no_page(monkeypatch):
    leave_out_page(monkeypatch)


def test_five_commands_lead_from_slides_to_a_validated_score(walk):
    folder, done = walk
    assert {name: each.exit_code for name, each in done.items()} == dict.fromkeys(done, 0)
    assert "hospital A: 100 patients" in done["build"].output
    fitted, validated = (read_study(folder / each) for each in ("study", "second"))
    assert validated.facts["score"]["coefficients"] == fitted.facts["score"]["coefficients"]
    assert validated.facts["score"]["cutoff"] == fitted.facts["score"]["cutoff"]


@pytest.mark.usefixtures("no_page")
def test_a_table_says_the_same_as_the_cohort_that_was_built(walk):
    folder, _ = walk
    flat = pd.read_csv(folder / "built" / "cohort.csv")
    flat.to_csv(folder / "plain.csv", index=False, sep=";", decimal=",", encoding="utf-8-sig")
    flat.to_excel(folder / "plain.xlsx", index=False)
    expected = (folder / "study" / "tables" / "coefficients.csv").read_text("utf-8")
    assert run("fit", folder / "plain.csv", "-o", folder / "plain", *QUICK).exit_code == 0
    assert (folder / "plain" / "tables" / "coefficients.csv").read_text("utf-8") == expected
    by_name = [read_cohort(folder / each).patients for each in ("plain.csv", "plain.xlsx")]
    pd.testing.assert_frame_equal(*by_name)


def test_simulated_patients_are_called_so_whatever_their_cohort_is_called(walk):
    folder, done = walk
    assert all("SIMULATED" in done[step].output for step in ("fit", "validate"))
    assert "Simulated patients" in (folder / "second" / "report.html").read_text("utf-8")


def test_a_risk_model_of_simulated_patients_says_so(walk):
    assert "SIMULATED" in load_risk_model(walk[0] / "study" / "risk-model.json").source


def test_a_fit_says_first_that_it_flatters_and_a_validation_does_not(walk):
    folder, done = walk
    assert "chosen in these same patients" in read_study(folder / "study").warnings[0]
    assert "chosen in these same patients" not in done["validate"].output


def test_the_page_of_a_validation_shows_the_formula_and_claims_no_fitted_cut_offs(walk):
    page = (walk[0] / "second" / "report.html").read_text("utf-8")
    assert re.search(r"score = .*\[Debris \(necrosis\), overall &gt; [\d.]+", page)
    methods = page[page.index('id="methods"') :]
    assert "was applied unchanged" in methods
    assert "dichotomized by" not in methods


@pytest.mark.usefixtures("no_page")
def test_a_fitted_risk_model_validates_as_its_study_does(walk):
    folder, _ = walk
    model = folder / "study" / "risk-model.json"
    done = run("validate", model, folder / "b", "-o", folder / "by model")
    assert done.exit_code == 0
    columns = ["patient", "score", "sof_group"]
    ours, study = (
        pd.read_csv(folder / each / "tables" / "patients.csv")[columns]
        for each in ("by model", "second")
    )
    pd.testing.assert_frame_equal(ours, study, rtol=1e-12)
    assert {each.column for each in load_risk_model(model).features} <= set(FEATURES.split(","))


@pytest.mark.usefixtures("no_page")
def test_patients_of_the_fit_are_no_validation(walk):
    folder, _ = walk
    done = run("validate", folder / "study", folder / "built", "-o", folder / "same")
    assert "100 of 100 patients" in done.output
    assert "no validation" in read_study(folder / "same").warnings[0]


@pytest.mark.usefixtures("no_page")
def test_a_second_fit_replaces_the_first_and_leaves_other_files(walk):
    folder, _ = walk
    out = folder / "again"
    (out / "tables").mkdir(parents=True)
    (out / "tables" / "mine.csv").write_text("kept", "utf-8")
    assert run("fit", folder / "built", "-o", out, *QUICK).exit_code == 0
    assert (out / "risk-model.json").is_file()
    nothing = ("--features", "TUM_MUC_interaction", "--p-univariate", "0")
    assert run("fit", folder / "built", "-o", out, *nothing).exit_code == 0
    assert not (out / "risk-model.json").exists()
    assert not (out / "tables" / "coefficients.csv").exists()
    assert (out / "tables" / "mine.csv").read_text("utf-8") == "kept"


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--score-rule", "fixed"), "--score-cutoff"),
        (("--score-cutoff", "0.2"), "--score-rule fixed"),
        (("--cutoff-file", "cut.json"), "--cutoffs fixed"),
        (("--adjust-for", "Smoking"), "no column 'Smoking'"),
        (("--adjust-for", "slides"), "it holds text"),
        (("--times-months", "inf"), "months separated by commas"),
        (("--features", "Foo"), "no column 'Foo'"),
    ],
)
def test_choices_that_contradict_are_refused_at_once(walk, flags, says):
    folder, _ = walk
    out = folder / "refused"
    done = run("fit", folder / "built", "-o", out, *flags)
    assert isinstance(done.exception, CohortError)
    assert says in str(done.exception)
    assert "Finding cut-offs" not in done.output
    assert not out.exists()


@pytest.mark.usefixtures("no_page")
def test_given_cut_offs_say_which_features_are_analyzed(walk):
    folder, _ = walk
    file = folder / "cut.json"
    file.write_text(json.dumps({"Overall_Debris_ratio": 0.1, "TUM_STR_interaction": 0.15}), "utf-8")
    done = run("fit", folder / "built", "-o", folder / "given", "--cutoffs", "fixed",
               "--cutoff-file", file)  # fmt: skip
    study = read_study(folder / "given")
    assert done.exit_code == 0
    assert study.facts["features"] == ["Overall_Debris_ratio", "TUM_STR_interaction"]
    assert [text for text in study.warnings if "18 others" in text]


@pytest.mark.usefixtures("no_page")
def test_events_coded_1_and_2_are_never_read_as_died_and_unknown(walk):
    folder, _ = walk
    table = pd.read_csv(folder / "built" / "cohort.csv")
    table.assign(**{"os.event": table["os.event"] + 1}).to_csv(folder / "12.csv", index=False)
    done = run("fit", folder / "12.csv", "-o", folder / "12", *QUICK)
    assert isinstance(done.exception, CohortError)
    assert "--died 2" in str(done.exception)
    assert run("fit", folder / "12.csv", "-o", folder / "12", *QUICK, "--died", 2).exit_code == 0
    ours, right = (read_study(folder / each).facts["events"] for each in ("12", "study"))
    assert ours == right


@pytest.mark.usefixtures("no_page")
def test_rows_that_are_wrong_are_told_and_listed(walk):
    folder, _ = walk
    table = pd.read_csv(folder / "built" / "cohort.csv", dtype=str)
    table.loc[0, "os.time"], table.loc[1, "Age"] = "", "210"
    table.to_csv(folder / "rows.csv", index=False)
    assert run("fit", folder / "rows.csv", "-o", folder / "rows", *QUICK).exit_code == 0
    study = read_study(folder / "rows")
    assert study.facts["n"] == 99
    assert any("1 of 100 patients is not in the analysis" in each for each in study.warnings)
    assert study.tables["problems"].frame["row"].astype(int).tolist() == [2, 3]


def test_a_folder_that_cannot_be_one_is_refused_before_the_work(walk):
    folder, _ = walk
    (folder / "file").write_text("", "utf-8")
    done = run("fit", folder / "built", "-o", folder / "file", *QUICK)
    assert isinstance(done.exception, StoreError)
    assert "Finding cut-offs" not in done.output


def test_ctrl_c_while_the_page_is_drawn_leaves_complete_tables(walk, monkeypatch):
    folder, _ = walk

    def stopped(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("napari_crlm_spa.core.report.cohort.write_cohort_report", stopped)
        done = run("fit", folder / "built", "-o", folder / "stopped", *QUICK)
    assert done.exit_code == 130
    assert "crlm-spa cohort report" in done.output
    assert (
        read_study(folder / "stopped").tables.keys() == read_study(folder / "study").tables.keys()
    )


def test_ctrl_c_in_the_middle_writes_nothing(walk, monkeypatch):
    folder, _ = walk

    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("napari_crlm_spa.core.cohort.study.fit.add_selection", stopped)
    done = run("fit", folder / "built", "-o", folder / "nothing", *QUICK)
    assert done.exit_code == 130
    assert "Nothing was written" in done.output
    assert not (folder / "nothing").exists()


def test_validation_offers_nothing_that_it_does_not_do():
    words = run("validate", "--help").output
    assert "--times-months" in words
    assert "resamples" not in words
    assert "--cv-" not in words
