"""A reader's log on disk: what comes back, what a crash loses, and what is never lost."""

import errno
import json
import os
import time
import unicodedata

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa._tests.core.review.made_reviews import (
    MODEL,
    analysis_of,
    assert_same,
    metastasis,
    metastasis_analysis,
)
from napari_crlm_spa._tests.core.review.test_review import STEPS, do
from napari_crlm_spa._tests.core.spatial.maps import CODES, fixed_thresholds, map_of
from napari_crlm_spa.core.review import (
    Action,
    ReviewStage,
    display_name,
    list_readers,
    open_review,
    read_reviewed,
    reader_files,
    reader_folder,
    review_state,
    set_reviewed,
    write_corrected,
)
from napari_crlm_spa.core.review.reader_names import folder_name
from napari_crlm_spa.core.store import AnalysisFolder, read_features
from napari_crlm_spa.core.store.names import (
    CORRECTED_TILES_CSV,
    EDITS_JSONL,
    FEATURES_CSV,
    LOCK,
    READERS,
    RISK_JSON,
    TILES_JOURNAL,
)


@pytest.fixture
def analysis(tmp_path):
    return metastasis_analysis(tmp_path, run={"identity": "aa11" * 16})


@pytest.fixture
def review(analysis):
    return open_review(analysis, MODEL, "Ada")


@pytest.fixture
def log(analysis):
    return reader_folder(analysis.folder, "Ada") / EDITS_JSONL


def rim():
    return np.nonzero(metastasis() == CODES["S"])


def assert_equal_reviews(found, expected):
    np.testing.assert_array_equal(found.tissue_map.classes, expected.tissue_map.classes)
    np.testing.assert_array_equal(found.tissue_map.state, expected.tissue_map.state)
    assert found.mixture == expected.mixture
    assert_same(found.features, expected.features)
    assert found.risk == expected.risk
    assert (found.can_undo, found.can_redo) == (expected.can_undo, expected.can_redo)
    assert_same(
        [entry_without_arrays(entry) for entry in found.log],
        [entry_without_arrays(entry) for entry in expected.log],
    )


def entry_without_arrays(entry):
    step = entry.edit
    arrays = (step.rows, step.cols, step.before, step.after, step.states_before, step.states_after)
    plain = [getattr(entry, name) for name in entry.__slots__ if name != "edit"]
    return plain + [array.tolist() for array in arrays]


# -- what comes back ------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(STEPS, st.integers(0, 12))
def test_a_reopened_review_is_the_same_and_goes_on_the_same(tmp_path_factory, steps, refit_at):
    analysis = metastasis_analysis(tmp_path_factory.mktemp("review"))
    review = open_review(analysis, MODEL, "Ada")
    for number, step in enumerate(steps):
        if number == refit_at:
            review.refit()
        do(review, step)
    again = open_review(analysis, MODEL, "Ada")
    assert (again.problem, again.notes) == ("", ())
    assert_equal_reviews(again, review)
    count = len(again.steps)
    for _ in range(count):
        again.undo()
    np.testing.assert_array_equal(again.tissue_map.classes, metastasis())
    for _ in range(count):
        again.redo()
    np.testing.assert_array_equal(again.tissue_map.state, review.tissue_map.state)
    assert_equal_reviews(open_review(analysis, MODEL, "Ada"), again)


def test_thresholds_and_refits_come_back(analysis, review):
    review.correct(*rim(), "HEP")
    review.set_mixture(fixed_thresholds(3))
    again = open_review(analysis, MODEL, "Ada")
    assert again.mixture == fixed_thresholds(3)
    assert_equal_reviews(again, review)
    review.refit()
    assert_equal_reviews(open_review(analysis, MODEL, "Ada"), review)


def test_nothing_is_written_before_the_first_step(analysis, review):
    assert not (analysis.folder / READERS).exists()
    review.correct([0], [0], "STR")
    assert (analysis.folder / READERS).exists()


def test_a_step_is_in_the_file_when_the_call_returns(review, log):
    review.correct([0, 0, 1], [1, 2, 2], "STR")
    header, line = (json.loads(text) for text in log.read_text("utf-8").splitlines())
    assert header["reader"] == "Ada"
    assert header["identity"] == "aa11" * 16
    assert (header["rows"], header["cols"]) == (24, 30)
    assert line["tiles"] == [[0, 1, 2], [1, 2, 1]]
    assert (line["from"], line["to"]) == ([["HEP", 3]], [["STR", 3]])
    assert (line["action"], line["reader"]) == ("correct", "Ada")
    assert line["score"] == [0.5, 0.5]
    assert line["group"] == ["high", "high"]
    assert line["corrected_tiles"] == 3
    review.undo()
    last = json.loads(log.read_text("utf-8").splitlines()[-1])
    assert (last["action"], last["of"]) == ("undo", 1)


def test_a_large_step_of_noise_comes_back(tmp_path):
    rng = np.random.default_rng(0)
    analysis = analysis_of(map_of(rng.integers(0, 8, (90, 80))), tmp_path)
    review = open_review(analysis, MODEL)
    review.correct(*np.nonzero(rng.random((90, 80)) < 0.5), "MUC")
    again = open_review(analysis, MODEL)
    assert_equal_reviews(again, review)
    again.undo()
    np.testing.assert_array_equal(again.tissue_map.classes, analysis.tissue_map.classes)


# -- crashes, full disks, other windows ------------------------------------------------------


def test_a_line_that_was_cut_off_is_left_out_and_nothing_else(analysis, review, log):
    review.correct([0], [0], "STR")
    review.correct([1], [0], "STR")
    whole = log.read_bytes()
    for cut in (1, 30):
        log.write_bytes(whole[:-cut])
        again = open_review(analysis, MODEL, "Ada")
        assert again.tissue_map.classes[:2, 0].tolist() == [CODES["S"], CODES["H"]]
        assert "cut off" in again.notes[0]
    again.correct([2], [0], "LYM")
    last = open_review(analysis, MODEL, "Ada")
    assert last.notes == ()
    assert last.tissue_map.classes[:3, 0].tolist() == [CODES[k] for k in "SHL"]


def test_a_log_that_is_damaged_in_the_middle_is_kept_whole(analysis, review, log):
    for row in range(3):
        review.correct([row], [0], "STR")
    lines = log.read_bytes().splitlines(keepends=True)
    lines[2] = b"\x00" * 20 + b"\n"
    log.write_bytes(b"".join(lines))
    again = open_review(analysis, MODEL, "Ada")
    assert "Step 2 of 3" in again.notes[0]
    assert again.corrected.sum() == 1
    again.correct([5], [0], "LYM")
    (kept,) = log.parent.glob("edits-damaged-*")
    assert kept.read_bytes() == b"".join(lines)
    last = open_review(analysis, MODEL, "Ada")
    assert (last.notes, last.corrected.sum()) == ((), 2)


def test_a_header_that_was_cut_off_costs_the_first_step_only(analysis, review, log):
    review.correct([0], [0], "STR")
    header = log.read_bytes().splitlines()[0]
    for cut in (0, 20):
        log.write_bytes(header[: len(header) - cut])
        again = open_review(analysis, MODEL, "Ada")
        assert "damaged from its first line" in again.notes[0]
        again.correct([1], [0], "STR")
        assert open_review(analysis, MODEL, "Ada").corrected.sum() == 1


def test_a_whole_line_that_cannot_be_read_is_kept_even_at_the_end(analysis, review, log):
    """A later version may have written it."""
    review.correct([0], [0], "STR")
    whole = log.read_bytes() + b'{"n": 2, "action": "unheard of"}\n'
    log.write_bytes(whole)
    again = open_review(analysis, MODEL, "Ada")
    assert "Step 2 of 2" in again.notes[0]
    again.undo()
    (kept,) = log.parent.glob("edits-damaged-*")
    assert kept.read_bytes() == whole


def test_a_log_that_cannot_be_read_is_not_written_over(analysis, log):
    log.mkdir(parents=True)
    review = open_review(analysis, MODEL, "Ada")
    assert "cannot be read" in review.problem
    review.correct([0], [0], "STR")
    assert "cannot be read" in review.problem
    assert log.is_dir()


@pytest.mark.parametrize(
    "changes",
    [
        {"tiles": [[23, 29, 2]]},
        {"tiles": [[0, 0, 1], [0, 0, 1]]},
        {"tiles": [[-1, 0, 2]]},
        {"to": [["STR", 1]]},
        {"to": [["XXX", 2]]},
        {"action": "erase"},
        {"score": None},
        {"score": ["high", 1]},
        {"tiles": "all"},
    ],
)
def test_a_line_that_makes_no_sense_is_not_applied(analysis, review, log, changes):
    review.correct([0, 0], [0, 1], "STR")
    header, line = log.read_text("utf-8").splitlines()
    log.write_text(f"{header}\n{json.dumps(json.loads(line) | changes)}\n")
    again = open_review(analysis, MODEL, "Ada")
    assert again.notes
    assert not again.corrected.any()


def failing(monkeypatch, error, after=0):
    """Let the disk take some bytes, then fail."""
    real = os.write

    def write(file, data):
        if after:
            real(file, data[:after])
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(reader_files.os, "write", write)


@pytest.mark.parametrize("after", [0, 40])
def test_on_a_full_disk_steps_wait_in_memory_and_are_saved_later(
    analysis, review, log, monkeypatch, after
):
    review.correct([0], [0], "STR")
    before = log.read_bytes()
    with monkeypatch.context() as patch:
        failing(patch, errno.ENOSPC, after)
        review.correct([1], [0], "STR")
        review.correct([2], [0], "STR")
        assert "disk is full" in review.problem
        assert "last 2 steps of Ada" in review.problem
        assert log.read_bytes() == before
        assert review.corrected.sum() == 3
    review.undo()
    assert review.problem == ""
    assert_equal_reviews(open_review(analysis, MODEL, "Ada"), review)


def test_a_folder_that_may_not_be_written_lets_the_reader_work(analysis, review, monkeypatch):
    failing(monkeypatch, errno.EROFS)
    review.correct([0], [0], "STR")
    assert "may not be written" in review.problem
    assert review.can_undo


def test_a_place_where_no_folder_can_be_is_told(analysis):
    (analysis.folder / READERS).write_text("a file")
    review = open_review(analysis, MODEL, "Ada")
    review.correct([0], [0], "STR")
    assert "not saved" in review.problem


def test_two_windows_do_not_write_over_each_other(analysis, review, log):
    review.correct([0], [0], "STR")
    other = open_review(analysis, MODEL, "Ada")
    other.correct([1], [0], "STR")
    kept = log.read_bytes()
    review.correct([2], [0], "STR")
    assert "another window" in review.problem
    assert log.read_bytes() == kept
    assert open_review(analysis, MODEL, "Ada").corrected.sum() == 2


def test_a_window_that_is_writing_is_waited_for_and_then_told(analysis, review, log, monkeypatch):
    monkeypatch.setattr(reader_files, "_WAIT_S", 0.05)
    review.correct([0], [0], "STR")
    with FileLock(log.with_name(LOCK)):
        review.correct([1], [0], "STR")
        assert "is writing" in review.problem
    review.correct([2], [0], "STR")
    assert review.problem == ""
    assert open_review(analysis, MODEL, "Ada").corrected.sum() == 3


# -- other runs -------------------------------------------------------------------------------


def test_a_log_of_another_run_is_kept_aside_and_comes_back_with_its_run(analysis, review, log):
    review.correct([0], [0], "STR")
    other = metastasis_analysis(analysis.folder, run={"identity": "bb22" * 16})
    second = open_review(other, MODEL, "Ada")
    assert not second.corrected.any()
    assert "edits-aa11aa11.jsonl" in second.notes[0]
    assert log.exists()
    second.correct([1, 2], [0, 0], "STR")
    assert second.problem == ""
    assert log.with_name("edits-aa11aa11.jsonl").exists()
    back = open_review(analysis, MODEL, "Ada")
    assert back.corrected.sum() == 1
    assert back.tissue_map.classes[0, 0] == CODES["S"]
    back.correct([5], [0], "LYM")
    assert open_review(analysis, MODEL, "Ada").corrected.sum() == 2
    assert open_review(other, MODEL, "Ada").corrected.sum() == 2


def test_a_header_that_cannot_be_read_is_not_written_over(analysis, review, log):
    review.correct([0], [0], "STR")
    log.write_bytes(b"no JSON\n")
    again = open_review(analysis, MODEL, "Ada")
    assert again.notes
    again.correct([1], [0], "STR")
    assert log.with_name("edits-unknown.jsonl").read_bytes() == b"no JSON\n"
    assert open_review(analysis, MODEL, "Ada").corrected.sum() == 1


def test_corrections_hold_where_the_same_run_came_out_a_little_differently(analysis, review):
    review.correct([0, 0], [0, 1], "STR")
    review.restore([0], [1])
    classes = metastasis()
    classes[0, :2] = CODES["L"]
    classes[0, 5] = 0
    other = analysis_of(map_of(classes), analysis.folder, run=analysis.run)
    again = open_review(other, MODEL, "Ada")
    assert "classified again" in again.notes[0]
    assert again.tissue_map.classes[0, :2].tolist() == [CODES["S"], CODES["L"]]
    while again.undo():
        pass
    np.testing.assert_array_equal(again.tissue_map.classes, classes)


# -- readers ------------------------------------------------------------------------------------


def test_each_reader_has_his_own_corrections(analysis, review):
    review.correct([0], [0], "STR")
    assert not open_review(analysis, MODEL, "Ben").log
    assert open_review(analysis, MODEL, " ADA ").corrected.sum() == 1


def test_nobody_is_a_reader_called_reader(analysis):
    review = open_review(analysis, MODEL, "  ")
    assert review.reader == "reader"
    review.correct([0], [0], "STR")
    assert (analysis.folder / READERS / "reader" / EDITS_JSONL).exists()


@given(st.text(max_size=80), st.text(max_size=80))
def test_every_name_is_a_safe_folder_of_its_own(one, other):
    name = folder_name(one)
    assert name
    assert not set(name) & set('<>:"/\\|?*\0')
    assert name not in (".", "..")
    assert name[0] not in ". "
    assert name[-1] not in ". "
    assert len(name.encode()) <= 80
    assert folder_name(one.upper().lower()) == folder_name(one.lower())
    if name == folder_name(other):
        shown = (display_name(text).casefold() for text in (one, other))
        assert len({unicodedata.normalize("NFC", text) for text in shown}) == 1


@pytest.mark.parametrize("name", ["CON", "nul.txt", "COM1", "a/b", "..", "a:b", "Dr. ", "Å", "李"])
def test_odd_names_keep_their_log(analysis, name):
    open_review(analysis, MODEL, name).correct([0], [0], "STR")
    assert open_review(analysis, MODEL, name).corrected.sum() == 1
    assert [reader.name for reader in list_readers(analysis.folder)] == [name.strip()]


def test_windows_devices_are_no_folders():
    assert folder_name("con").split(".")[0] not in ("con",)
    assert folder_name("a/b") != folder_name("a_b")


# -- how far a slide is -------------------------------------------------------------------------


def test_a_slide_goes_from_new_to_reviewed_and_back(tmp_path):
    folder = tmp_path / "slide"
    assert review_state(folder).stage is ReviewStage.NEW
    folder.mkdir()
    (folder / TILES_JOURNAL).write_text("{}")
    assert review_state(folder).stage is ReviewStage.BEGUN
    AnalysisFolder(folder).write_run({"identity": "aa11" * 16})
    assert review_state(folder).stage is ReviewStage.DONE
    analysis = metastasis_analysis(folder, run={"identity": "aa11" * 16})
    open_review(analysis, MODEL, "Ada").correct([0, 0], [0, 1], "STR")
    state = review_state(folder)
    assert (state.stage, state.corrected_tiles) == (ReviewStage.DONE, 2)
    set_reviewed(folder, "Ada", note="poor focus at the left")
    state = review_state(folder)
    assert state.stage is ReviewStage.REVIEWED
    assert state.readers[0].mark.note == "poor focus at the left"
    AnalysisFolder(folder).write_run({"identity": "bb22" * 16})
    assert review_state(folder).stage is ReviewStage.DONE
    AnalysisFolder(folder).write_run({"identity": "aa11" * 16})
    set_reviewed(folder, "Ada", reviewed=False)
    assert review_state(folder).stage is ReviewStage.DONE
    assert not read_reviewed(folder, "ada").reviewed


def test_the_count_of_corrected_tiles_follows_the_last_line(analysis, review):
    review.correct([0, 0], [0, 1], "STR")
    review.correct([1], [0], "STR")
    review.undo()
    (reader,) = list_readers(analysis.folder)
    assert (reader.name, reader.corrected_tiles) == ("Ada", 2)
    assert abs(reader.edited - time.time()) < 3600


def test_damaged_marks_count_as_none(analysis):
    set_reviewed(analysis.folder, "Ada")
    path = reader_folder(analysis.folder, "Ada") / "review.json"
    for text in ("", "[]", "{", '{"reviewed": "yes"}'):
        path.write_text(text)
        mark = read_reviewed(analysis.folder, "Ada")
        assert mark is None or not mark.reviewed


# -- corrected results --------------------------------------------------------------------------


def test_corrected_results_stand_beside_the_predictions(analysis, review):
    review.correct(*rim(), "HEP")
    review.set_aside([0], [0])
    folder = write_corrected(review)
    assert folder == reader_folder(analysis.folder, "Ada")
    values = read_features(folder)
    for column, value in review.features.values.items():
        assert values[column] == pytest.approx(value, abs=1e-12, nan_ok=True)
    risk = json.loads((folder / RISK_JSON).read_text("utf-8"))
    assert (risk["group"], risk["review"]["predicted_group"]) == ("low", "high")
    assert risk["review"]["group_flipped"]
    assert risk["review"]["corrected_tiles"] == len(rim()[0]) + 1
    assert "research use only" in risk["disclaimer"].lower()
    rows = (folder / CORRECTED_TILES_CSV).read_text("utf-8").splitlines()
    assert rows[0] == "row,col,x_um,y_um,predicted,corrected,state"
    assert rows[1] == "0,0,0.0,0.0,HEP,,set_aside"
    assert rows[2] == "5,6,672.0,560.0,STR,HEP,edited"
    assert len(rows) == 2 + len(rim()[0])
    assert not (analysis.folder / FEATURES_CSV).exists()


def test_the_log_says_by_which_action_thresholds_were_changed(review, log):
    review.set_mixture(fixed_thresholds(3))
    review.refit()
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()[1:]]
    assert [line["action"] for line in lines] == [Action.THRESHOLDS, Action.REFIT]
    assert lines[0]["mixture"]["tissues"]["STR"]["near_tiles"] == 3
