"""``crlm-spa hgp``: from a table of measured slides over readers' lists to a compared study."""

import pandas as pd
import pytest
from typer.testing import CliRunner

from napari_crlm_spa._tests.core.hgp.made_study import (
    made_cohort,
    made_reviews,
    made_truth,
    measured_frame,
)
from napari_crlm_spa.cli.hgp import app
from napari_crlm_spa.core.cohort.study.folder import read_study
from napari_crlm_spa.core.spatial.interface import RESEARCH_USE_ONLY
from napari_crlm_spa.errors import CohortError


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def truth():
    return made_truth(24)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, truth):
    folder = tmp_path_factory.mktemp("hgp")
    measured_frame(truth).to_csv(folder / "interfaces.csv", index=False)
    made_cohort(truth).patients.to_csv(folder / "cohort.csv", index=False)
    return folder


def test_a_study_goes_from_lists_to_agreement(folder, truth):
    """The readers fill in what they see; the key brings the names back."""
    lists = folder / "lists"
    drawn = run("sample", folder / "interfaces.csv", "-o", lists, "--raters", "Ada,Ben")
    assert drawn.exit_code == 0, drawn.output
    assert "of them twice" in drawn.output
    key = pd.read_csv(lists / "key.csv", dtype=str).set_index("review_id")
    seen = made_reviews(truth).frame.drop_duplicates(["slide", "rater"])
    seen = seen.set_index(["slide", "rater"])
    filled = []
    for rater in ("Ada", "Ben"):
        path = lists / f"review-list-{rater}.csv"
        rows = pd.read_csv(path, dtype=str, keep_default_na=False)
        names = [key.loc[name, "slide"].removesuffix(".svs") for name in rows["review_id"]]
        for column in ("pct_D", "pct_R", "pct_P", "chemo"):
            rows[column] = [seen.loc[(name, rater), column] for name in names]
        rows.to_csv(path, index=False)
        filled.append(path)
    reviews = folder / "reviews.csv"
    found = run("import", *filled, "--key", lists / "key.csv", "-o", reviews)
    assert found.exit_code == 0, found.output
    assert f"{len(key)} reviews of {len(truth)} slides by Ada, Ben" in found.output
    study = folder / "study"
    done = run(
        *("agree", reviews, folder / "interfaces.csv", "-o", study),
        *("--cohort", folder / "cohort.csv", "--resamples", 20),
    )
    assert done.exit_code == 0, done.output
    assert RESEARCH_USE_ONLY.split(";")[0] in done.output
    assert "Survival:" in done.output
    tables = read_study(study).tables
    [icc] = tables["reliability"].frame.query("what == 'pct_D'").to_dict("records")
    assert icc["n"] == len(truth)
    assert icc["value"] > 0.95
    assert tables["within_readers"].frame["n"].tolist() == [round(0.15 * len(truth))] * 2
    assert tables["slides"].frame["pct_D"].notna().all()


def test_the_papers_sample_says_what_it_does(folder):
    drawn = run(
        *("sample", folder / "interfaces.csv", "-o", folder / "extremes"),
        *("--how", "extremes", "--k-extremes", 5, "--repeats-pct", 0),
    )
    assert drawn.exit_code == 0, drawn.output
    assert "inflate" in drawn.output
    assert len(pd.read_csv(folder / "extremes" / "key.csv")) == 10


def test_wrong_rows_are_listed(folder, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("slide,pct_D,pct_R\ns1,60,60\ns2,100,0\n")
    found = run("import", path, "-o", tmp_path / "out.csv")
    assert found.exit_code == 0, found.output
    assert "1 error," in found.output
    assert "120" in found.output
    assert "1 review of 1 slide by" in found.output


def test_readers_can_be_compared_without_any_measurement(folder, truth, tmp_path):
    path = tmp_path / "reviews.csv"
    made_reviews(truth).frame.drop(columns="pct_non_D").to_csv(path, index=False)
    done = run("agree", path, "-o", tmp_path / "study")
    assert done.exit_code == 0, done.output
    assert "ICC(A,1)" in done.output
    assert "association" not in read_study(tmp_path / "study").tables


def test_what_is_not_known_is_said_in_words(tmp_path):
    path = tmp_path / "same.csv"
    rows = "".join(f"s{at},{rater},33.3\n" for at in range(4) for rater in ("Ada", "Ben"))
    path.write_text(f"slide,rater,pct_D\n{rows}")
    done = run("agree", path, "-o", tmp_path / "study")
    assert done.exit_code == 0, done.output
    assert "nan" not in done.output
    assert "ICC(A,1) of pct_D not known, 4 slides. All ratings are the same" in done.output


def test_a_list_that_nobody_filled_in_writes_nothing(tmp_path):
    path = tmp_path / "empty.csv"
    path.write_text("slide,rater,pct_D\n")
    found = run("import", path, "-o", tmp_path / "out.csv")
    assert isinstance(found.exception, CohortError)
    assert "No review could be used" in str(found.exception)
    assert not (tmp_path / "out.csv").exists()
