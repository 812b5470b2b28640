"""Odd names, renamed folders, logs of other runs, lines that no program of ours wrote."""

import json

import pytest
from filelock import FileLock

from napari_crlm_spa._tests.core.review.made_reviews import (
    MODEL,
    analysis_of,
    metastasis,
    metastasis_analysis,
)
from napari_crlm_spa._tests.core.spatial.maps import CODES, map_of
from napari_crlm_spa._tests.core.test_geojson import info
from napari_crlm_spa.core.review import (
    agreement,
    display_name,
    list_readers,
    merged_labels,
    open_review,
    reader_folder,
)
from napari_crlm_spa.core.review.labels import labels_of_analysis
from napari_crlm_spa.core.review.reader_names import folder_name
from napari_crlm_spa.core.store import AnalysisFolder
from napari_crlm_spa.core.store.names import EDITS_JSONL, LOCK
from napari_crlm_spa.errors import ReviewError

RUN, OTHER_RUN = {"identity": "aa11" * 16}, {"identity": "bb22" * 16}


@pytest.fixture
def analysis(tmp_path):
    AnalysisFolder(tmp_path).write_run(RUN)
    return metastasis_analysis(tmp_path, run=RUN)


def log_of(analysis, reader="Ada"):
    return reader_folder(analysis.folder, reader) / EDITS_JSONL


@pytest.mark.parametrize("name", ['=HYPERLINK("x")', "+1", "-2", "@sum", "= = x", "\t=x"])
def test_no_name_of_a_reader_is_a_formula_to_a_spreadsheet(analysis, name):
    review = open_review(analysis, MODEL, name)
    review.correct([0], [0], "STR")
    (reader,) = list_readers(analysis.folder)
    assert reader.name == review.reader
    assert review.reader[0] not in "=+-@\t\r"


def test_a_name_steers_no_terminal():
    assert display_name("\x1b[31mAda\x07") == "[31mAda"
    assert display_name("\x00\x1f") == "reader"


@pytest.mark.parametrize("name", ["COM\u00b9", "lpt\u00b3.x", "CONIN$", "conout$"])
def test_the_lesser_known_devices_of_windows_are_no_folders(name):
    assert folder_name(name).startswith("_")


def test_a_renamed_folder_is_listed_by_the_name_by_which_it_is_found(analysis):
    open_review(analysis, MODEL, "Ada").correct([0], [0], "STR")
    place = reader_folder(analysis.folder, "Ada")
    place.rename(place.with_name("ada of monday"))
    (reader,) = list_readers(analysis.folder)
    assert reader.name == "ada of monday"
    assert open_review(analysis, MODEL, reader.name).corrected.sum() == 1


def test_corrections_of_another_run_do_not_count_as_corrections_of_this_map(analysis):
    open_review(analysis, MODEL, "Ada").correct([0, 0], [0, 1], "STR")
    AnalysisFolder(analysis.folder).write_run(OTHER_RUN)
    (reader,) = list_readers(analysis.folder)
    assert (reader.name, reader.corrected_tiles, reader.edited) == ("Ada", 0, None)
    again = metastasis_analysis(analysis.folder, run=OTHER_RUN)
    open_review(again, MODEL, "Ada").correct([1], [1], "STR")
    assert list_readers(analysis.folder)[0].corrected_tiles == 1
    # Back to the first run: its log was kept, and is taken up again.
    AnalysisFolder(analysis.folder).write_run(RUN)
    assert list_readers(analysis.folder)[0].corrected_tiles == 2
    assert open_review(analysis, MODEL, "Ada").corrected.sum() == 2


def line(**changed):
    plain = {
        "n": 2, "when": "2026-03-02T09:14:05.120+00:00", "reader": "Ada", "action": "correct",
        "tiles": [[5, 5, 1]], "from": [["HEP", 1]], "to": [["STR", 1]], "state": [["edited", 1]],
        "score": [None, None], "group": [None, None], "risk_model": "x", "corrected_tiles": 2,
    }  # fmt: skip
    return json.dumps(plain | changed).encode() + b"\n"


@pytest.mark.parametrize(
    "damaged",
    [
        line(tiles=[[5, 5, 10**30]]),
        line(to=[["STR", 10**16]]),
        line(to=[["STR", float("inf")]]),
        line(when="yesterday"),
        b"[" * 100_000 + b"\n",
    ],
    ids=["a number without end", "a run without end", "infinity", "no date", "brackets"],
)
def test_no_line_of_a_log_keeps_a_slide_from_opening(analysis, damaged):
    open_review(analysis, MODEL, "Ada").correct([0], [0], "STR")
    log = log_of(analysis)
    log.write_bytes(log.read_bytes() + damaged + line())
    again = open_review(analysis, MODEL, "Ada")
    assert again.corrected.sum() == 1
    assert "Step 2 of 3" in again.notes[0]
    merged_labels(again, open_review(analysis, MODEL, "Ben"), "later")
    log.write_bytes(damaged)
    assert open_review(analysis, MODEL, "Ada").corrected.sum() == 0
    assert len(list_readers(analysis.folder)) == 1


def test_a_step_that_waits_for_another_window_is_promised_with_the_next(analysis, monkeypatch):
    review = open_review(analysis, MODEL, "Ada")
    review.correct([0], [0], "STR")
    monkeypatch.setattr("napari_crlm_spa.core.review.reader_files._WAIT_S", 0.01)
    with FileLock(log_of(analysis).with_name(LOCK)):
        review.correct([1], [1], "STR")
    assert "saved with the next step" in review.problem
    # Doing the same again changes nothing, so it cannot be what helps.
    assert review.correct([1], [1], "STR") is None
    assert review.problem
    review.correct([2], [2], "STR")
    assert not review.problem
    assert open_review(analysis, MODEL, "Ada").corrected.sum() == 3


def test_readers_of_two_slides_of_one_size_are_not_compared(tmp_path, analysis):
    classes = metastasis()
    classes[0, 0] = CODES["L"]
    other = analysis_of(map_of(classes), tmp_path / "other")
    with pytest.raises(ReviewError, match="different maps"):
        agreement(open_review(analysis, MODEL, "Ada"), open_review(other, MODEL, "Ben"))


def test_labels_say_when_a_log_is_of_another_run(analysis):
    open_review(analysis, MODEL, "Ada").correct([0], [0], "STR")
    again = metastasis_analysis(analysis.folder, run=OTHER_RUN)
    found = labels_of_analysis(again, info())
    assert found.reviews == ()
    assert "Ada: " in found.areas.notes[0]
    assert "another tissue map" in found.areas.notes[0]


@pytest.mark.parametrize("asked", [(), ("Ada",)], ids=["everybody", "this reader"])
def test_labels_are_not_gathered_around_corrections_that_cannot_be_read(analysis, asked):
    log_of(analysis).mkdir(parents=True)
    open_review(analysis, MODEL, "Ben").accept([0], [0])
    ada, ben = list_readers(analysis.folder)
    assert (ada.name, ada.corrected_tiles) == ("ada", None)
    assert ben.corrected_tiles == 0
    with pytest.raises(ReviewError, match="cannot be read"):
        labels_of_analysis(analysis, info(), asked)
