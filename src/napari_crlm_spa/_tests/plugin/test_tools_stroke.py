"""Strokes and deeds without a viewer: what they touch, show and leave behind."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_crlm_spa._tests.plugin.conftest import known_classes, make_analysis
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.review import Action, Review
from napari_crlm_spa.core.risk import load_risk_model
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.plugin.tools.deed import Deed, changeable
from napari_crlm_spa.plugin.tools.fill import filled_of
from napari_crlm_spa.plugin.tools.log_rows import cells, tiles_box
from napari_crlm_spa.plugin.tools.shapes import Patch, brushed, lassoed
from napari_crlm_spa.plugin.tools.stroke import Stroke

SHAPE = known_classes().shape
CORRECT_LYM = Deed(Action.CORRECT, "LYM")
DEEDS = [
    CORRECT_LYM,
    Deed(Action.ACCEPT),
    Deed(Action.SET_ASIDE),
    Deed(Action.RESTORE),
]


def review_of_known_map(folder):
    return Review(make_analysis(folder), load_risk_model("paper_eq1"), "Ada")


@pytest.fixture
def review(tmp_path):
    return review_of_known_map(tmp_path)


@pytest.fixture(scope="module")
def one_review(tmp_path_factory):
    return review_of_known_map(tmp_path_factory.mktemp("review"))


def everything():
    return Patch(0, 0, np.ones(SHAPE, np.bool_))


@pytest.mark.parametrize("deed", DEEDS)
@given(
    marks=st.lists(
        st.tuples(st.sampled_from(DEEDS), st.integers(0, 19), st.integers(0, 23)), max_size=8
    ),
    hidden=st.sets(st.sampled_from(CRLM7.names)),
)
def test_a_deed_changes_exactly_the_tiles_that_it_says_it_would(one_review, deed, marks, hidden):
    review = one_review
    for before, row, col in marks:
        before.do(review, [row], [col])
    free = changeable(review, deed, frozenset(hidden))
    shown = review.tissue_map
    hidden_codes = [CRLM7.code(name) for name in hidden]
    assert not np.isin(shown.classes[free], hidden_codes).any()
    classes, state = shown.classes.copy(), shown.state.copy()
    deed.do(review, *np.nonzero(free))
    assert np.array_equal((shown.classes != classes) | (shown.state != state), free)
    while review.undo():
        pass
    assert np.array_equal(shown.classes, known_classes())


def test_what_a_stroke_shows_is_put_back_before_it_becomes_a_step(review):
    stroke = Stroke(review, CORRECT_LYM, review.tissue_map.classes)
    stroke.add(brushed((2.5, 2.5), (2.5, 6.5), 3, SHAPE))
    shown = review.tissue_map.classes.copy()
    change = stroke.finish()
    assert np.array_equal(review.tissue_map.classes, shown)
    assert np.array_equal(change.entry.edit.before, known_classes()[change.rows, change.cols])
    review.undo()
    assert np.array_equal(review.tissue_map.classes, known_classes())


def test_a_dropped_stroke_leaves_nothing(review):
    refreshed = []
    stroke = Stroke(
        review, CORRECT_LYM, review.tissue_map.classes, refresh=lambda: refreshed.append(1)
    )
    stroke.add(everything())
    assert len(stroke) == np.count_nonzero(known_classes()) - 1
    stroke.cancel()
    assert len(refreshed) == 2
    assert np.array_equal(review.tissue_map.classes, known_classes())
    assert review.log == []


def test_a_lasso_that_grows_smaller_gives_tiles_back(review):
    stroke = Stroke(review, CORRECT_LYM, review.tissue_map.classes)
    stroke.replace(lassoed([(0, 0), (0, 9), (9, 9), (9, 0)], SHAPE))
    stroke.replace(lassoed([(0, 0), (0, 2), (2, 2), (2, 0)], SHAPE))
    assert len(stroke) == 4
    change = stroke.finish()
    assert sorted(zip(change.rows.tolist(), change.cols.tolist(), strict=True)) == [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
    ]


def test_a_stroke_paints_another_array_than_the_maps_own(review):
    shown = review.tissue_map.classes + np.uint8(7)
    before = shown.copy()
    stroke = Stroke(review, CORRECT_LYM, shown)
    stroke.add(brushed((2.5, 2.5), (2.5, 2.5), 1, SHAPE))
    assert shown[2, 2] == CRLM7.code("LYM")
    stroke.finish()
    assert np.array_equal(shown, before)
    assert review.tissue_map.classes[2, 2] == CRLM7.code("LYM")


def test_restored_tiles_are_shown_as_predicted_while_the_stroke_goes_on(review):
    review.correct([2], [2], "LYM")
    review.set_aside([12], [12])
    stroke = Stroke(review, Deed(Action.RESTORE), review.tissue_map.classes)
    stroke.add(everything())
    assert np.array_equal(review.tissue_map.classes, known_classes())
    assert len(stroke) == 2
    stroke.finish()
    assert not review.corrected.any()


def test_a_tile_that_was_set_aside_can_be_filled_and_glass_cannot(review):
    review.set_aside([10, 11], [21, 21])
    rows, cols = filled_of(review, (10, 21)).tiles()
    assert (rows.tolist(), cols.tolist()) == ([10, 11], [21, 21])
    assert not filled_of(review, (10, 22)).mask.any()


def test_an_accepted_tile_that_is_corrected_counts_as_corrected(review):
    review.accept([12], [12])
    review.correct([12], [12], "LYM")
    assert review.tissue_map.state[12, 12] == TileState.EDITED
    assert not changeable(review, Deed(Action.ACCEPT), frozenset())[12, 12]


def test_a_line_of_the_log_says_from_which_classes_to_which(review):
    review.correct([5, 5, 4], [6, 7, 4], "MUC")
    review.correct([1, 3, 5, 8], [1, 4, 7, 8], "TUM")
    review.refit()
    scheme = review.tissue_map.scheme
    first, second, refit = (cells(entry, scheme) for entry in review.log)
    assert first[1:5] == ("Ada", "correct", "3", "3 classes → MUC")
    assert second[3:5] == ("4", "4 classes → TUM")
    assert refit[2:5] == ("refit", "", "")
    assert tiles_box(review.log[0]) == (4, 4, 2, 4)
    assert tiles_box(review.log[2]) is None
