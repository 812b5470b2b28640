"""The folder of an evaluation: complete, self-contained, escaped, the same each time."""

import csv
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from napari_crlm_spa._tests.core.classifier.made_predictions import called, drawn
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.evaluation import EvaluationOptions, judge
from napari_crlm_spa.core.classifier.predictions import (
    Predictions,
    read_predictions,
    relative_paths,
)
from napari_crlm_spa.core.report.evaluation import EvaluationSubject, write_evaluation_report
from napari_crlm_spa.core.report.evaluation.gallery import find_tile

QUICK = EvaluationOptions(bootstrap=50, worst=6)
SUBJECT = EvaluationSubject(title="How good?", facts=(("Model", "x"),), notes=("mind this",))

FILES = {
    "evaluation.html", "evaluation.json", "predictions.csv", "classes.csv", "roc.csv", "roc.png",
    "confusion.csv", "confusion_percent.csv", "confusion.png", "reliability.csv",
    "reliability.png", "calibration.csv", "coverage.csv", "coverage.png", "slides.csv",
    "slides.png", "worst_tiles.csv",
}  # fmt: skip


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def tiles(tmp_path_factory):
    """Pictures for the tiles of `drawn`."""
    folder = tmp_path_factory.mktemp("tiles")
    rng = np.random.default_rng(0)
    for path in drawn().paths:
        (folder / path).parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).save(folder / path)
    return folder


@pytest.fixture(scope="module")
def judgement():
    return judge(drawn(), 1.3, QUICK)


@pytest.fixture(scope="module")
def written(judgement, tiles, tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluation")
    subject = EvaluationSubject(title="How good?", notes=("mind this",), folders=(tiles,))
    write_evaluation_report(folder, judgement, subject)
    return folder


def test_every_picture_has_its_table_and_nothing_is_left_over(written):
    assert {path.name for path in written.iterdir()} == FILES | {"worst_tiles.png"}
    for path in written.glob("*.png"):
        assert path.with_suffix(".csv").exists()
        with Image.open(path) as picture:
            assert min(picture.size) > 300


def test_the_page_needs_nothing_but_itself(written):
    text = (written / "evaluation.html").read_text("utf-8")
    sources = re.findall(r'(?:src|href)="([^"]{0,40})', text)
    assert len(sources) == 3 + 6
    assert all(source.startswith("data:image/") for source in sources)
    assert "http" not in text.replace("http-equiv", "")


def test_the_page_is_well_formed(written):
    open_tags = []

    class Checker(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag not in ("meta", "img", "br", "wbr"):
                open_tags.append(tag)

        def handle_endtag(self, tag):
            assert open_tags.pop() == tag

    checker = Checker()
    checker.feed((written / "evaluation.html").read_text("utf-8"))
    assert not open_tags


def test_page_table_and_record_tell_the_same(written, judgement):
    record = json.loads((written / "evaluation.json").read_text("utf-8"))
    page = (written / "evaluation.html").read_text("utf-8")
    assert record["balanced_accuracy"]["value"] == round(judgement.balanced_accuracy.value, 6)
    assert f"<b>{judgement.balanced_accuracy.value:.3f}</b>" in page
    for row, each in zip(table(written / "classes.csv"), judgement.classes, strict=True):
        assert float(row["auc"]) == pytest.approx(each.auc.value, abs=1e-6)
        assert float(row["recall_low"]) == pytest.approx(each.recall.low, abs=1e-6)
        assert f"{each.auc.low:.4f}\u2013{each.auc.high:.4f}" in page
    assert record["confusion"] == judgement.evaluation.confusion.tolist()
    assert [point["tiles"] for point in record["coverage"]][-1] == 240
    assert "mind this" in page
    assert record["notes"][0] == "mind this"
    assert record["options"]["seed"] == 0


def test_every_abbreviation_is_spelled_out(written):
    page = (written / "evaluation.html").read_text("utf-8")
    for tissue in CRLM7.classes:
        assert f"{tissue.name}: {tissue.title.lower()}" in page


def test_percent_by_row_is_a_hundred(written):
    for row in table(written / "confusion_percent.csv"):
        assert sum(float(row[name]) for name in CRLM7.names) == pytest.approx(100, abs=1e-4)


def test_the_predictions_can_be_read_and_judged_again(written, judgement):
    again = judge(read_predictions(written / "predictions.csv"), 1.3, QUICK)
    assert again.classes == judgement.classes
    for one, other in zip(again.calibrations, judgement.calibrations, strict=True):
        assert (one.ece, one.brier, one.cross_entropy) == (
            other.ece,
            other.brier,
            other.cross_entropy,
        )


def test_the_same_judgement_gives_the_same_bytes(written, judgement, tiles, tmp_path):
    subject = EvaluationSubject(title="How good?", notes=("mind this",), folders=(tiles,))
    write_evaluation_report(tmp_path, judgement, subject)
    for path in written.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


def test_the_worst_tiles_are_shown_with_classes_and_path(written, judgement):
    page = (written / "evaluation.html").read_text("utf-8").replace("<wbr>", "")
    rows = table(written / "worst_tiles.csv")
    assert len(rows) == 6
    assert page.count("data:image/jpeg") == 6
    for row in rows:
        assert row["path"] in page
        assert f"{row['class']}, called {row['predicted']}" in page
    assert [float(row["loss"]) for row in rows] == sorted(
        (float(row["loss"]) for row in rows), reverse=True
    )


def test_absent_pictures_leave_a_gap_not_an_error(judgement, tmp_path):
    write_evaluation_report(tmp_path, judgement, SUBJECT)
    assert (tmp_path / "evaluation.html").read_text("utf-8").count("no picture") == 6
    assert {path.name for path in tmp_path.iterdir()} == FILES


def test_a_class_without_tiles_is_a_dash_not_a_zero(tmp_path):
    rows = [("s", "BACK", "BACK", 3), ("t", "TUM", "TUM", 3), ("t", "TUM", "BACK", 1)]
    judgement = judge(called(rows, CRLM7.names), 1.0, QUICK)
    write_evaluation_report(tmp_path, judgement, SUBJECT)
    page = (tmp_path / "evaluation.html").read_text("utf-8")
    row = re.search(r'<tr class="quiet"><td>.{,99}DEB</td>.*?</tr>', page).group()
    assert row.count("\u2013") == 4
    by_name = {row["class"]: row for row in table(tmp_path / "classes.csv")}
    assert by_name["DEB"]["recall"] == ""
    assert by_name["DEB"]["no_interval_because"] == "it has no tiles"
    shares = {row["true"]: row for row in table(tmp_path / "confusion_percent.csv")}
    assert shares["DEB"]["DEB"] == ""


@pytest.mark.parametrize(
    "rows",
    [
        [("s", "TUM", "TUM", 1)],
        [("s", "TUM", "HEP", 1)],
        [("s", "TUM", "TUM", 4), ("s", "HEP", "HEP", 4)],
        [(f"slide-{i}", "TUM", "TUM", 1) for i in range(70)],
    ],
)
def test_hardly_any_tiles_still_make_a_report(tmp_path, rows):
    judgement = judge(called(rows, CRLM7.names), 1.0, QUICK)
    write_evaluation_report(tmp_path, judgement, SUBJECT)
    assert (tmp_path / "evaluation.html").stat().st_size > 10_000


def test_many_slides_are_cut_off_on_the_page_and_all_in_the_table(tmp_path):
    rows = [(f"slide-{i:02}", "TUM", "TUM", 1) for i in range(70)]
    write_evaluation_report(tmp_path, judge(called(rows, CRLM7.names), 1.0, QUICK), SUBJECT)
    page = (tmp_path / "evaluation.html").read_text("utf-8")
    assert "the first 60 of 70, all are in slides.csv" in page
    assert len(table(tmp_path / "slides.csv")) == 70


def test_odd_names_are_escaped(tmp_path):
    made = called([("<b>$x$", "TUM", "HEP", 2), ("_é\u4e00", "HEP", "HEP", 2)], CRLM7.names)
    odd = Predictions(
        made.class_names, tuple(f"<i>{path}" for path in made.paths), made.slides, made.labels,
        made.logits,
    )  # fmt: skip
    subject = EvaluationSubject(title="<script>alert(1)</script>")
    write_evaluation_report(tmp_path, judge(odd, 1.0, QUICK), subject)
    page = (tmp_path / "evaluation.html").read_text("utf-8")
    assert "<script>" not in page
    assert "<b>$x$" not in page
    assert "<i>" not in page


def test_tiles_of_several_folders_are_found(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name / "TUM").mkdir(parents=True)
        (tmp_path / name / "TUM" / f"{name}.png").touch()
    both = (tmp_path / "one", tmp_path / "two")
    assert find_tile("two/TUM/two.png", both) == tmp_path / "two" / "TUM" / "two.png"
    assert find_tile("TUM/one.png", both[:1]) == tmp_path / "one" / "TUM" / "one.png"
    assert find_tile("TUM/two.png", both[:1]) is None


def test_tiles_of_two_folders_of_one_name_are_not_taken_for_each_other(tmp_path):
    both = [tmp_path / side / "tiles" for side in ("left", "right")]
    paths = [folder / "TUM" / "same.png" for folder in both]
    for path in paths:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"")
    names = relative_paths(paths, both)
    assert names == ("tiles/TUM/same.png", "tiles (2)/TUM/same.png")
    assert [find_tile(name, both) for name in names] == paths
