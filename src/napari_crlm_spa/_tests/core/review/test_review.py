"""Corrections, their undoing, and the numbers that follow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa._tests.core.review.made_reviews import (
    MODEL,
    assert_same,
    metastasis,
    metastasis_analysis,
)
from napari_crlm_spa._tests.core.spatial.maps import CODES, fixed_thresholds
from napari_crlm_spa.core.review import Action, Review
from napari_crlm_spa.core.spatial import spatial_features
from napari_crlm_spa.core.tiles import TileState


@pytest.fixture
def analysis(tmp_path):
    return metastasis_analysis(tmp_path)


@pytest.fixture
def review(analysis):
    return Review(analysis, MODEL, "Ada")


def rim():
    """The stroma around the tumor."""
    return np.nonzero(metastasis() == CODES["S"])


def test_a_correction_changes_class_state_counts_and_log(review):
    change = review.correct([0, 0], [1, 2], "STR")
    assert review.tissue_map.classes[0, :4].tolist() == [CODES[k] for k in "HSSH"]
    assert (review.tissue_map.state[0, 1:3] == TileState.EDITED).all()
    assert change.rows.tolist() == [0, 0]
    assert (change.entry.action, change.entry.reader) == (Action.CORRECT, "Ada")
    assert change.entry.corrected_tiles == np.count_nonzero(review.corrected) == 2
    assert review.features.counts["STR"] == review.analysis.features.counts["STR"] + 2


def test_the_prediction_stays_as_it_is(review):
    review.correct(*rim(), "HEP")
    np.testing.assert_array_equal(review.predicted.classes, metastasis())
    assert review.analysis.features.tissue_map.classes[5, 6] == CODES["S"]


def test_the_risk_group_flips_and_flips_back(review):
    assert review.risk.group == "high"
    change = review.correct(*rim(), "HEP")
    assert (change.entry.group_before, change.entry.group_after) == ("high", "low")
    assert change.entry.flipped
    assert (change.entry.score_before, change.entry.score_after) == (1.0 - 0.5, -0.5)
    assert review.group_flipped
    assert review.undo().entry.flipped
    assert not review.group_flipped


def test_tiles_without_a_class_and_beyond_the_grid_stay_out(review):
    assert review.correct([0, -1, 99], [29, 0, 0], "STR") is None
    assert review.log == []


def test_a_tile_named_twice_counts_once(review):
    assert len(review.correct([0, 0, 0], [1, 1, 1], "STR").rows) == 1


def test_the_same_class_again_is_no_step(review):
    review.correct([0], [0], "STR")
    assert review.correct([0], [0], "STR") is None


def test_set_aside_tiles_count_nowhere_and_restore_brings_them_back(review):
    before = review.features.tissue_tiles
    review.set_aside([0, 1], [0, 0])
    assert review.features.tissue_tiles == before - 2
    assert review.touched.sum() == 2
    review.restore([0, 1], [0, 0])
    assert review.features.tissue_tiles == before
    assert not review.touched.any()


def test_accepting_changes_no_number(review):
    values = review.features.values
    review.accept(*rim())
    assert_same(review.features.values, values)
    assert not review.corrected.any()
    assert (review.tissue_map.state[rim()] == TileState.ACCEPTED).all()


def test_a_new_step_forgets_what_was_undone(review):
    review.correct([0], [0], "STR")
    review.undo()
    assert review.can_redo
    review.correct([0], [1], "STR")
    assert not review.can_redo
    assert review.redo() is None


def test_thresholds_stay_while_editing_and_follow_a_refit(review):
    mixture = review.mixture
    review.correct(*rim(), "HEP")
    assert review.mixture is mixture
    review.refit()
    assert review.mixture == spatial_features(review.tissue_map, review.features.options).mixture
    assert review.log[-1].action is Action.REFIT
    assert review.log[-1].mixture == review.mixture


def test_a_dragged_threshold_is_logged_once_with_the_score_before_the_drag(review):
    for near in (2, 3, 4):
        review.set_mixture(fixed_thresholds(near), passing=True)
    assert review.log == []
    review.set_mixture(fixed_thresholds(5))
    (entry,) = review.log
    assert entry.action is Action.THRESHOLDS
    assert entry.mixture == fixed_thresholds(5)
    review.set_mixture(fixed_thresholds(5))
    assert len(review.log) == 1


def test_a_threshold_in_passing_is_logged_before_the_next_step(review):
    review.set_mixture(fixed_thresholds(2), passing=True)
    review.correct([0], [0], "STR")
    assert [entry.action for entry in review.log] == [Action.THRESHOLDS, Action.CORRECT]


TISSUES = ("STR", "TUM", "HEP", "BACK")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["correct", "accept", "set_aside", "restore", "undo", "redo"]),
        st.integers(0, 23),
        st.integers(0, 29),
        st.integers(1, 5),
        st.sampled_from(TISSUES),
    ),
    max_size=12,
)


def do(review, step):
    """Take a step of `STEPS`: a square of tiles."""
    what, row, col, side, tissue = step
    if what in ("undo", "redo"):
        getattr(review, what)()
        return
    tiles = [axis.ravel() for axis in np.mgrid[row : row + side, col : col + side]]
    getattr(review, what)(*tiles, *([tissue] if what == "correct" else []))


@settings(max_examples=50, deadline=None)
@given(STEPS)
def test_whatever_is_done_the_numbers_are_those_of_the_map(tmp_path_factory, steps):
    review = Review(metastasis_analysis(tmp_path_factory.getbasetemp()), MODEL)
    mixture = review.mixture
    for step in steps:
        do(review, step)
        if review.log:
            full = spatial_features(review.tissue_map, review.features.options, mixture)
            assert_same(review.features, full)
    while review.undo():
        pass
    np.testing.assert_array_equal(review.tissue_map.classes, review.predicted.classes)
    np.testing.assert_array_equal(review.tissue_map.state, review.predicted.state)
    while review.redo():
        pass
    again = Review(review.analysis, MODEL)
    for edit in review.steps:
        again.tissue_map.classes[edit.rows, edit.cols] = edit.after
    np.testing.assert_array_equal(again.tissue_map.classes, review.tissue_map.classes)
