"""``crlm-spa readers``: the list, the kappa table, the effect on the risk."""

import csv

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from napari_crlm_spa._tests.cli.test_cli import run  # noqa: F401 - a fixture
from napari_crlm_spa.core.pipeline import analyze_to_end
from napari_crlm_spa.core.review import open_review, set_reviewed
from napari_crlm_spa.core.risk import load_risk_model


@pytest.fixture
def analysis(slide, options, tmp_path):
    return analyze_to_end(slide, tmp_path / "out", options)


@pytest.fixture
def reviews(analysis):
    """Ada corrects a strip of liver, Ben a part of it otherwise."""
    ada, ben = (open_review(analysis, load_risk_model(), name) for name in ("Ada", "Ben"))
    ada.correct(np.full(8, 20), np.arange(30, 38), "STR")
    ben.correct(np.full(6, 20), np.arange(32, 38), "MUC")
    ben.correct([20, 20], [30, 31], "STR")
    return ada, ben


def test_readers_are_listed_with_what_they_did(run, analysis, reviews):  # noqa: F811
    set_reviewed(analysis.folder, "Ben", note="twice")
    code, out, _ = run("readers", analysis.folder)
    assert code == 0
    ada, ben = (line for line in out.splitlines() if "Ada" in line or "Ben" in line)
    assert " 8 " in ada
    assert "no" in ada
    assert "twice" in ben
    assert "The slide is reviewed." in out


def test_a_slide_without_readers_says_so(run, analysis):  # noqa: F811
    code, out, _ = run("readers", analysis.folder)
    assert code == 0
    assert "Nobody has corrected" in out


def test_two_readers_are_compared(run, analysis, reviews, tmp_path):  # noqa: F811
    ada, ben = (review.tissue_map.classes for review in reviews)
    table = tmp_path / "kappa.csv"
    code, out, _ = run("readers", analysis.folder, "--compare", "ada", "Ben", "--csv", table)
    assert code == 0
    both = ada > 0
    expected = cohen_kappa_score(ada[both], ben[both])
    assert f"kappa {expected:.3f}" in out
    assert "8 tiles, 25.0% alike" in out
    assert "research use only" in out.lower()
    assert any("STR" in line and "MUC" in line and " 6 " in line for line in out.splitlines())
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["tiles"] for row in rows] == ["touched"] * 8 + ["all"] * 8
    assert float(rows[8]["kappa"]) == pytest.approx(expected)


def test_an_unknown_reader_is_told_who_there_is(run, analysis, reviews):  # noqa: F811
    code, _, err = run("readers", analysis.folder, "--compare", "Ada", "Cid")
    assert code == 2
    assert "Cid has not corrected" in err
    assert "Ada, Ben" in err


def test_a_table_without_a_comparison_is_refused(run, analysis, tmp_path):  # noqa: F811
    code, _, err = run("readers", analysis.folder, "--csv", tmp_path / "a.csv")
    assert code == 2
    assert "--compare" in err


def test_a_folder_that_is_not_there_is_no_slide_without_readers(run, tmp_path):  # noqa: F811
    code, _, err = run("readers", tmp_path / "absent")
    assert code == 2
    assert "is no folder" in err


def test_two_readers_are_not_compared_if_one_cannot_be_read(run, analysis, reviews):  # noqa: F811
    log = analysis.folder / "readers" / "ben" / "edits.jsonl"
    log.unlink()
    log.mkdir()
    code, out, err = run("readers", analysis.folder, "--compare", "Ada", "ben")
    assert code == 2
    assert "cannot be read" in " ".join(err.split())
    assert "kappa" not in out


def test_no_reader_is_compared_with_the_same(run, analysis, reviews):  # noqa: F811
    code, out, err = run("readers", analysis.folder, "--compare", "Ada", " ADA")
    assert code == 2
    assert "are one reader" in err
    assert "kappa" not in out
