"""The table of patients, ways to group them, their slides: what needs no window."""

import time
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_crlm_spa._tests.plugin.made_cohort import WEIGHTS, made_cohort, made_patients
from napari_crlm_spa.core.cohort.columns import SOFS
from napari_crlm_spa.core.cohort.neighbors import FeatureSpace, NeighborOptions
from napari_crlm_spa.core.cohort.study.contents import Study, StudyTable
from napari_crlm_spa.core.cohort.study.folder import write_study
from napari_crlm_spa.core.cohort.table import Cohort, write_cohort
from napari_crlm_spa.core.risk import RiskModel, assess_risk, load_risk_model
from napari_crlm_spa.errors import CohortError
from napari_crlm_spa.plugin.cohort.curve_data import (
    follow_up_line,
    group_curves,
    median_lines,
    place_of,
    read_out,
)
from napari_crlm_spa.plugin.cohort.groupings import choices, grouping_of
from napari_crlm_spa.plugin.cohort.neighborhood import look_around
from napari_crlm_spa.plugin.cohort.opened import joined, of_cohort, open_cohort, together
from napari_crlm_spa.plugin.cohort.patient_table import PatientTable
from napari_crlm_spa.plugin.cohort.slides import (
    PatientSlide,
    SlideIndex,
    corrected_since,
    index_slides,
    owners,
    slides_of,
)


def result_of(generator):
    """Run a generator to its end."""
    try:
        while True:
            next(generator)
    except StopIteration as end:
        return end.value


@pytest.fixture
def table():
    return PatientTable(
        pd.DataFrame(
            {
                "patient": ["P10", "P9", "P1", "P2"],
                "os.time": [12.0, 60.04, 3.5, 12.0],
                "os.event": [1.0, 0.0, 1.0, 0.0],
                "Gender": [0.0, 1.0, np.nan, 1.0],
                "CRS_score": [3.0, np.nan, 1.0, 5.0],
                "score": [0.1, -0.2, np.nan, 0.05],
                "hospital": ["North", None, "south", "North"],
            }
        )
    )


def names(table, rows):
    return [table.patient(int(row)) for row in rows]


def test_cells_are_written_for_people(table):
    shown = [table.text(1, name) for name in ("os.time", "os.event", "Gender", "CRS_score")]
    assert shown == ["60.0", "alive", "male", "?"]
    assert table.text(0, "os.event") == "died"
    assert table.text(0, "score") == "0.100"
    assert table.text(1, "hospital") == ""


def test_the_columns_of_a_cohort_are_offered_and_the_main_ones_shown(table):
    assert table.names[:2] == ["patient", "group"]
    assert set(table.first_shown()) == {
        "patient", "group", "os.time", "os.event", "score", "CRS_score",
    }  # fmt: skip
    assert "1 = male" in table.column("Gender").tip


@pytest.mark.parametrize(
    ("column", "descending", "wanted"),
    [
        ("patient", False, ["P1", "P2", "P9", "P10"]),
        ("patient", True, ["P10", "P9", "P2", "P1"]),
        ("os.time", False, ["P1", "P10", "P2", "P9"]),  # equal ones keep their order
        ("os.time", True, ["P9", "P10", "P2", "P1"]),
        ("score", False, ["P9", "P2", "P10", "P1"]),  # a hole is last
        ("score", True, ["P10", "P2", "P9", "P1"]),  # in both directions
        ("hospital", False, ["P10", "P2", "P1", "P9"]),
    ],
)
def test_patients_are_sorted_as_people_do(table, column, descending, wanted):
    rows = table.sorted_by(np.arange(4), column, descending=descending)
    assert names(table, rows) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ["P10", "P9", "P1", "P2"]),
        ("p1", ["P10", "P1"]),
        ("died", ["P10", "P1"]),
        ("north died", ["P10"]),
        ("os.time <= 12", ["P10", "P1", "P2"]),
        ("Months<12 and died", ["P1"]),
        ("score != 0.1", ["P9", "P2"]),  # a hole is neither equal nor unequal
        ("crs >= 3, event = alive", ["P2"]),
        ("hospital = south", ["P1"]),
        ("hospital != north", ["P9", "P1"]),
        ("gender = male", ["P9", "P2"]),
        ("score > 0,04", ["P10", "P2"]),  # a decimal comma
        ("nobody", []),
    ],
)
def test_filters_keep_what_they_say(table, text, wanted):
    assert names(table, np.flatnonzero(table.matching(text))) == wanted


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("heigth > 3", "no column heigth"),
        ("score > high", "give a number"),
        ("hospital < 3", "give"),
    ],
)
def test_a_filter_that_cannot_be_understood_says_why(table, text, problem):
    with pytest.raises(CohortError, match=problem):
        table.matching(text)


def test_the_group_is_a_column_like_others(table):
    table.use(grouping_of("crs", table.patients))
    assert [table.text(row, "group") for row in range(4)] == ["high", "", "low", "high"]
    assert names(table, table.sorted_by(np.arange(4), "group")) == ["P1", "P10", "P2", "P9"]
    assert names(table, np.flatnonzero(table.matching("group = low"))) == ["P1"]
    table.use(grouping_of("column:Gender", table.patients))
    assert names(table, np.flatnonzero(table.matching("female died"))) == ["P10"]


def test_names_that_are_numbers_are_names():
    table = PatientTable(pd.DataFrame({"patient": [7.0, 12.0], "x": [1, 2]}))
    assert table.patient(1) == "12"
    assert table.row_of("7") == 0


def test_five_thousand_patients_are_sorted_and_filtered_at_once():
    """A bound that only a wrong algorithm exceeds; on an idle machine it is a tenth of it."""
    table = PatientTable(made_patients(5000))
    table.use(grouping_of("sof", table.patients))
    started = time.process_time()
    for name in ("patient", "score", "group", SOFS[0]):
        table.sorted_by(np.arange(5000), name)
    assert time.process_time() - started < 2
    assert 0 < table.matching("high score > 0.2").sum() < 5000


# -- groups ---------------------------------------------------------------------------------


@pytest.fixture
def patients():
    return made_patients(80)


def keys(patients, own=None):
    return [choice.key for choice in choices(patients, own)]


def test_groupings_are_those_that_the_table_allows(patients):
    found = keys(patients)
    assert found[:4] == ["overall", "sof", "crs", "combined"]
    assert {"column:Gender", "column:Pathological_Nstage"} <= set(found)
    assert "column:os.event" not in found
    assert {f"cutoff:{name}" for name in WEIGHTS} == {k for k in found if k.startswith("cutoff")}
    assert {f"median:{name}" for name in SOFS} <= set(found)
    assert keys(patients[["patient", "os.time", "os.event", "Age"]]) == ["overall"]


def test_every_offered_grouping_can_be_made(patients):
    for choice in choices(patients):
        grouping = grouping_of(choice.key, patients)
        assert len(grouping.codes) == len(patients)
        assert grouping.codes.max() < len(grouping.levels) == len(grouping.colors)


def test_groups_of_a_study_are_taken_over_and_combined(patients):
    sof, crs = grouping_of("sof", patients), grouping_of("crs", patients)
    assert [sof.label(row) for row in range(80)] == list(patients["sof_group"])
    assert [crs.label(row) == "high" for row in range(80)] == list(patients["CRS_score"] >= 3)
    combined = grouping_of("combined", patients)
    assert np.array_equal(combined.codes, sof.codes + crs.codes)
    assert combined.is_risk
    assert not grouping_of("column:Gender", patients).is_risk


def test_an_unknown_group_stays_unknown(patients):
    patients.loc[3, "CRS_score"] = np.nan
    patients.loc[5, "sof_group"] = ""
    assert grouping_of("crs", patients).label(3) == ""
    combined = grouping_of("combined", patients)
    assert combined.n_unknown == 2
    assert combined.color(3) == combined.label(5) == ""


def test_the_workspaces_risk_model_groups_as_it_scores_a_slide(patients):
    features = [
        {"column": name, "coefficient": weight, "cutoff": 0.2} for name, weight in WEIGHTS.items()
    ]
    model = RiskModel(name="own", features=features, threshold=-0.1)
    plain = patients[["patient", "os.time", "os.event", *SOFS]]
    assert "model" in keys(plain, model)
    assert "cutoff:TUM_HEP_interaction" in keys(plain, model)
    assert "model" not in keys(plain, load_risk_model())  # which does not say where it splits
    grouping = grouping_of("model", plain, model)
    for row in range(20):
        values = {name: float(plain[name][row]) for name in WEIGHTS}
        assert grouping.label(row) == (assess_risk(values, model).group or "")


def test_a_feature_is_split_at_its_median_with_holes_left_out(patients):
    grouping = grouping_of(f"median:{SOFS[0]}", patients)
    values = patients[SOFS[0]].to_numpy()
    assert np.array_equal(grouping.codes == -1, np.isnan(values))
    assert np.array_equal(grouping.codes == 1, values > np.nanmedian(values))


# -- curves ---------------------------------------------------------------------------------


def test_what_is_read_off_is_the_curve():
    cohort = of_cohort(made_cohort(80), Path("made"))
    data = group_curves(cohort.survival, grouping_of("sof", cohort.patients))
    line = read_out(data, 24.0)[1]
    row = data.curves["high"].at(24.0).iloc[0]
    assert line.startswith(f"high: {row['survival']:.1%}")
    assert f"{int(row['n_risk'])} at risk" in line
    assert "nobody was followed so long" in read_out(data, 500.0)[0]
    assert len(median_lines(data)) == 2


def test_a_patient_stands_on_the_curve_of_its_group():
    cohort = of_cohort(made_cohort(80), Path("made"))
    data = group_curves(cohort.survival, grouping_of("sof", cohort.patients))
    place = place_of(data, 5)
    assert place.level == cohort.patients["sof_group"][5]
    assert place.months == cohort.survival.time[5]
    assert place.died == cohort.survival.event[5]
    assert place.survival == data.curves[place.level].at(place.months)["survival"].iloc[0]


def test_a_patient_without_a_group_stands_nowhere(patients):
    patients.loc[5, "sof_group"] = ""
    cohort = of_cohort(Cohort("x", patients), Path("made"))
    data = group_curves(cohort.survival, grouping_of("sof", cohort.patients))
    assert place_of(data, 5) is None
    assert place_of(data, -1) is None
    assert any("unknown" in sentence for sentence in data.tables.warnings)


def test_groups_in_which_nobody_is_or_nobody_died_are_told():
    patients = made_patients(30)
    patients["sof_group"] = "high"
    patients["os.event"] = 0.0
    cohort = of_cohort(Cohort("x", patients), Path("made"))
    data = group_curves(cohort.survival, grouping_of("sof", cohort.patients))
    assert "nobody" in median_lines(data)[0]
    assert "median not reached" in median_lines(data)[1]
    assert len(read_out(data, 5.0)) == 1
    assert "0 died" in follow_up_line(cohort.survival)


def test_the_neighborhood_is_told_with_what_it_is():
    cohort = of_cohort(made_cohort(80), Path("made"))
    space = FeatureSpace(cohort.patients, tuple(WEIGHTS))
    row = int(space.rows[0])
    shown = look_around(cohort, space, row, NeighborOptions(k=12))
    deaths = int(cohort.survival.event[shown.found.rows].sum())
    assert shown.line.startswith(
        f"12 neighbors of {cohort.patients['patient'][row]}: {deaths} died"
    )
    assert shown.curves.curves["neighbors"].n == 12
    assert shown.curves.curves["whole cohort"].n == 80


# -- opening --------------------------------------------------------------------------------


def test_a_built_folder_opens_with_all_that_is_known(tmp_path):
    write_cohort(tmp_path / "cohort", made_cohort(12))
    for path in (tmp_path / "cohort", tmp_path / "cohort" / "cohort.csv"):
        opened = result_of(open_cohort(path))
        assert len(opened) == 12
        assert opened.built is not None
        assert len(opened.flow) == len(opened.problems) == 2


def test_a_table_of_somebody_else_opens(tmp_path):
    path = tmp_path / "mine.csv"
    made_patients(12)[["patient", "os.time", "os.event", "Age", *SOFS]].to_csv(path, index=False)
    opened = result_of(open_cohort(path))
    assert len(opened) == 12
    assert opened.built is None
    assert opened.survival.n_events == int(made_patients(12)["os.event"].sum())


def write_made_study(folder, patients, facts=None):
    shown = ["patient", "os.time", "os.event", "score", "sof_group"]
    cutpoints = pd.DataFrame({"feature": list(WEIGHTS), "cutoff": [0.1, 0.2, np.nan, 0.3]})
    tables = {
        "patients": StudyTable("patients", "Patients", patients[shown]),
        "cutpoints": StudyTable("cutpoints", "Cut-offs", cutpoints),
    }
    write_study(folder, Study("fit", "Made up", tables, facts=facts or {}))


def test_a_study_opens_with_its_groups_and_says_that_slides_are_unknown(tmp_path):
    patients = made_patients(20)
    write_made_study(tmp_path / "study", patients)
    for path in (tmp_path / "study", tmp_path / "study" / "tables" / "patients.csv"):
        opened = result_of(open_cohort(path))
        assert list(opened.patients["sof_group"]) == list(patients["sof_group"])
        assert opened.cutoffs["Overall_Debris_ratio"] == 0.1
        assert "Distal_Hepatocyte_ratio" not in opened.cutoffs
        assert "slides and features are unknown" in opened.note


def test_a_study_is_joined_with_its_cohort(tmp_path):
    cohort = of_cohort(made_cohort(20), tmp_path)
    few = made_patients(20).iloc[[7, 3, 12]].assign(**{"os.time": [1.0, 2.0, 3.0]})
    write_made_study(tmp_path / "study", few)
    shown = joined(cohort, result_of(open_cohort(tmp_path / "study")))
    assert list(shown.patients["patient"]) == ["P008", "P004", "P013"]
    assert list(shown.survival.time) == [1.0, 2.0, 3.0]  # the study's
    assert shown.patients[SOFS[0]].tolist()[1] == cohort.patients[SOFS[0]][3]
    assert shown.note == ""


def test_study_and_cohort_come_together_in_either_order(tmp_path):
    cohort = of_cohort(made_cohort(20), tmp_path)
    write_made_study(tmp_path / "study", made_patients(20))
    study = result_of(open_cohort(tmp_path / "study"))
    for before, opened in ((cohort, study), (study, cohort)):
        shown = together(before, opened)
        assert shown.study == tmp_path / "study"
        assert SOFS[0] in shown.patients
    assert together(None, study) is study
    other = of_cohort(made_cohort(5), tmp_path)
    assert "not in the cohort" in together(other, study).note
    assert together(study, other) is not study
    assert together(study, other).study is None


def test_a_study_that_names_its_cohort_needs_no_help(tmp_path):
    write_cohort(tmp_path / "cohort", made_cohort(20))
    write_made_study(tmp_path / "study", made_patients(20), {"source": str(tmp_path / "cohort")})
    shown = result_of(open_cohort(tmp_path / "study"))
    assert SOFS[0] in shown.patients
    assert len(shown.problems) == 2
    assert shown.note == ""


def test_a_study_of_other_patients_is_not_joined(tmp_path):
    cohort = of_cohort(made_cohort(5), tmp_path)
    write_made_study(tmp_path / "study", made_patients(9))
    with pytest.raises(CohortError, match=r"4 of the 9 patients .* P006"):
        joined(cohort, result_of(open_cohort(tmp_path / "study")))


# -- slides ---------------------------------------------------------------------------------


def test_slides_of_a_patient_are_those_of_the_table(tmp_path):
    made = made_cohort(4, slides=[(tmp_path / "a.svs", tmp_path), (tmp_path / "b.svs", tmp_path)])
    twice = made.slides.assign(patient="P001", left_out=["smaller", ""])
    cohort = of_cohort(Cohort("x", made.patients, slides=twice), tmp_path)
    assert [slide.name for slide in slides_of(cohort, 0)] == ["b", "a"]  # who speaks first
    assert slides_of(cohort, 1) == []


def test_a_slide_tells_whose_it_is(tmp_path):
    made = made_cohort(4, slides=[(tmp_path / "A.svs", tmp_path), (tmp_path / "b.svs", tmp_path)])
    assert owners(of_cohort(made, tmp_path)) == {"a": 0, "b": 1}
    strange = made.slides.assign(patient="P099")
    assert owners(of_cohort(Cohort("x", made.patients, slides=strange), tmp_path)) == {}
    plain = made_patients(2).assign(slides=["a.svs; c", np.nan])
    assert owners(of_cohort(Cohort("x", plain), tmp_path)) == {"a": 0, "c": 0}


def test_names_in_a_plain_table_are_slides_too(tmp_path):
    frame = made_patients(2).assign(slides=["a.svs; sub/b.svs", np.nan])
    cohort = of_cohort(Cohort("x", frame), tmp_path)
    assert [slide.path for slide in slides_of(cohort, 0)] == [
        tmp_path / "a.svs", tmp_path / "sub" / "b.svs",
    ]  # fmt: skip
    assert slides_of(cohort, 1) == []


def test_moved_slides_are_found_by_their_names(tmp_path):
    moved = tmp_path / "new" / "deep"
    moved.mkdir(parents=True)
    (moved / "Case-1.SVS").touch()
    (moved / "result").mkdir()
    (moved / "result" / "run.json").touch()
    (moved / "result" / "Case-2.svs").touch()
    index = result_of(index_slides([tmp_path / "new"]))
    assert index.find(PatientSlide("case-1", tmp_path / "old" / "case-1.svs")).name == "Case-1.SVS"
    assert index.find(PatientSlide("case-1")) == moved / "Case-1.SVS"
    assert index.find(PatientSlide("case-2")) is None  # within results
    assert SlideIndex().find(PatientSlide("case-1")) is None


def test_a_slide_where_the_table_says_needs_no_search(tmp_path):
    (tmp_path / "a.svs").touch()
    found = SlideIndex().find(PatientSlide("a", tmp_path / "a.svs"))
    assert found == tmp_path / "a.svs"


def test_corrections_after_the_build_are_noticed(tmp_path):
    edits = tmp_path / "readers" / "anna" / "edits.jsonl"
    edits.parent.mkdir(parents=True)
    edits.touch()
    slides = [PatientSlide("a", None, tmp_path), PatientSlide("b")]
    now = datetime.now()
    assert corrected_since(slides, now - timedelta(hours=1)) == ["a"]
    assert corrected_since(slides, now + timedelta(hours=1)) == []
    assert corrected_since(slides, None) == []
