"""Two readers' work made one, by each rule, on tiles whose fate is known."""

import numpy as np
import pytest

from napari_crlm_spa._tests.core.review.made_reviews import (
    MODEL,
    analysis_of,
    metastasis,
    metastasis_analysis,
)
from napari_crlm_spa._tests.core.spatial.maps import CODES, map_of
from napari_crlm_spa.core.review import Action, Review, merge
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.errors import ReviewError


@pytest.fixture
def target(analysis):
    return Review(analysis, MODEL, "merged")


@pytest.fixture
def analysis(tmp_path):
    return metastasis_analysis(tmp_path)


@pytest.fixture
def readers(analysis, monkeypatch):
    """Row 0, columns 0 to 5: only A, only B, both alike, both otherwise (A later), B set aside
    what A accepted (B later), nobody; the prediction is liver."""
    clock = iter(f"2026-01-01T00:00:{second:02d}.000+00:00" for second in range(60))
    monkeypatch.setattr("napari_crlm_spa.core.review.tile_steps.now", lambda: next(clock))
    a, b = Review(analysis, MODEL, "A"), Review(analysis, MODEL, "B")
    b.correct([0], [3], "LYM")
    a.accept([0], [4])
    a.correct([0, 0, 0], [0, 2, 3], "STR")
    b.correct([0, 0], [1, 2], "STR")
    b.set_aside([0], [4])
    return a, b


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("a", "SSSSHH"), ("b", "SSSL.H"), ("agreed", "HHSHHH"), ("later", "SSSS.H")],
)
def test_every_tile_gets_the_class_that_the_rule_says(target, readers, rule, expected):
    change = merge(target, *readers, rule)
    assert target.tissue_map.classes[0, :6].tolist() == [CODES[letter] for letter in expected]
    np.testing.assert_array_equal(target.tissue_map.classes[1:], metastasis()[1:])
    assert change.entry.action is Action.MERGE
    touched = {"agreed": 1}.get(rule, 5)
    assert target.touched.sum() == touched


def test_states_come_along(target, readers):
    merge(target, *readers, "a")
    assert target.tissue_map.state[0, 4] == TileState.ACCEPTED
    merge(target, *readers, "later")
    assert target.tissue_map.state[0, 4] == TileState.SET_ASIDE


def test_a_merge_is_one_step_that_can_be_undone(target, readers):
    merge(target, *readers, "a")
    assert len(target.log) == 1
    target.undo()
    np.testing.assert_array_equal(target.tissue_map.classes, metastasis())
    assert not target.touched.any()


def test_merging_into_a_readers_own_review_takes_his_work_along(readers):
    a, b = readers
    merge(a, a, b, "b")
    assert a.tissue_map.classes[0, :6].tolist() == [CODES[letter] for letter in "SSSL.H"]
    assert merge(a, a, b, "a") is None


def test_what_was_restored_or_undone_is_nobodys_work(target, analysis):
    a, b = Review(analysis, MODEL, "A"), Review(analysis, MODEL, "B")
    a.correct([0, 0], [0, 1], "STR")
    a.restore([0], [0])
    b.correct([1], [1], "STR")
    b.undo()
    merge(target, a, b, "later")
    assert target.touched.sum() == 1
    assert target.tissue_map.classes[0, 1] == CODES["S"]


def test_other_maps_and_rules_are_refused(target, readers, tmp_path):
    other = Review(analysis_of(map_of(metastasis(20, 20)), tmp_path), MODEL, "C")
    with pytest.raises(ReviewError, match="different maps"):
        merge(target, readers[0], other, "a")
    with pytest.raises(ReviewError, match="another map"):
        merge(other, *readers, "a")
    with pytest.raises(ReviewError, match="agreed"):
        merge(target, *readers, "most")
