from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from napari_crlm_spa._tests.core.classifier.training.test_split import of_patients, tiles_of
from napari_crlm_spa.core.classifier.training.data import LabeledTile
from napari_crlm_spa.core.classifier.training.folds import FoldOptions, make_folds
from napari_crlm_spa.errors import TrainingError

NAMES = ("A", "B", "C")
WIDTH = 448  # of a tile of 112 um at 0.25 um/px

counts = st.dictionaries(st.integers(0, 2), st.integers(4, 12), min_size=1)
slides = st.dictionaries(st.sampled_from("abcdefgh"), counts, min_size=3)


def folds_of(tiles, **options):
    names = NAMES[: max(tile.label for tile in tiles) + 1]
    return make_folds(tiles, names, FoldOptions(**options), seed=0)


def possible_folds(tiles, **options):
    try:
        return folds_of(tiles, **options)
    except TrainingError:
        assume(False)


def names_at(tiles, index):
    return {tiles[i].slide for i in index}


@given(slides, st.integers(2, 5), st.booleans())
def test_every_tile_is_judged_exactly_once(drawn, k, strict):
    tiles = tiles_of(drawn)
    folds = possible_folds(tiles, folds=k, strict=strict)
    held = np.concatenate([fold.held_out for fold in folds])
    assert sorted(held) == list(range(len(tiles)))


@given(slides, st.integers(2, 5))
def test_nothing_judged_is_trained_on_and_whole_slides_stay_unseen(drawn, k):
    tiles = tiles_of(drawn)
    for fold in possible_folds(tiles, folds=k):
        assert set(fold.train).isdisjoint(fold.held_out)
        assert names_at(tiles, fold.train).isdisjoint(fold.slides)
        unseen = names_at(tiles, fold.held_out[fold.unseen])
        assert unseen == set(fold.slides)
        assert names_at(tiles, fold.held_out[~fold.unseen]) == set(fold.blocks)


@given(slides, st.integers(2, 5))
def test_beside_a_block_a_tile_of_room_is_left(drawn, k):
    tiles = tiles_of(drawn)
    for fold in possible_folds(tiles, folds=k):
        for name in fold.blocks:
            block = [tiles[i].x0 for i in fold.held_out if tiles[i].slide == name]
            rest = [tiles[i].x0 for i in fold.train if tiles[i].slide == name]
            assert min(abs(x - y) for x in block for y in rest) >= 2 * WIDTH


@given(slides, st.integers(2, 5), st.booleans())
def test_every_fold_learns_every_class(drawn, k, strict):
    tiles = tiles_of(drawn)
    present = {tile.label for tile in tiles}
    for fold in possible_folds(tiles, folds=k, strict=strict):
        assert {tiles[i].label for i in fold.train} >= present


def test_the_only_slide_of_a_class_is_cut_into_equal_blocks_of_the_class():
    tiles = tiles_of({"a": {0: 20}, "b": {0: 20}, "c": {1: 40, 0: 3}})
    folds = folds_of(tiles, folds=4)
    of_class = [sum(tiles[i].label == 1 for i in fold.held_out) for fold in folds]
    assert of_class == [10, 10, 10, 10]
    assert [fold.blocks for fold in folds] == [("c",)] * 4
    assert sorted(fold.slides for fold in folds) == [(), (), ("a",), ("b",)]


def test_of_a_block_in_the_middle_one_tile_is_dropped_on_either_side():
    tiles = tiles_of({"a": {0: 20}, "b": {0: 20}, "c": {1: 40}})
    assert [fold.dropped for fold in folds_of(tiles, folds=4)] == [1, 2, 2, 1]


def test_two_classes_of_one_slide_count_alike_in_the_cuts():
    tiles = tiles_of({"a": {0: 9}, "b": {0: 9}, "c": {1: 10, 2: 100}})
    for fold in folds_of(tiles, folds=4):
        labels = [tiles[i].label for i in fold.train]
        assert labels.count(1) >= 3
        assert labels.count(2) >= 30


def test_slides_of_a_class_are_put_into_different_folds():
    tiles = tiles_of({"a": {0: 5}, "b": {0: 5}, "c": {1: 5}, "d": {1: 5}, "e": {2: 5}, "f": {2: 5}})
    for fold in folds_of(tiles, folds=2):
        assert sorted(tiles[i].label for i in fold.held_out) == [0] * 5 + [1] * 5 + [2] * 5


def test_zero_folds_hold_out_one_slide_at_a_time():
    tiles = tiles_of({name: {0: 5, 1: 5} for name in "abcdef"})
    assert sorted(fold.slides for fold in folds_of(tiles, folds=0)) == [(n,) for n in "abcdef"]


def test_strict_holds_out_the_only_slide_where_drawn_tiles_teach_the_class():
    real = tiles_of({"a": {0: 9}, "b": {0: 9}, "c": {1: 9}})
    drawn = [LabeledTile(Path(str(i)), 1, f"d{i}", drawn=True) for i in range(5)]
    folds = folds_of([*real, *drawn], folds=3, strict=True)
    assert all(not fold.blocks for fold in folds)
    assert [fold.drawn_only for fold in folds if fold.slides == ("c",)] == [(1,)]
    assert [fold.drawn_only for fold in folds if fold.slides != ("c",)] == [(), ()]
    for fold in folds:
        assert set(range(len(real), len(real) + 5)) <= set(fold.train)


def test_strict_without_anything_to_learn_a_class_from_is_refused():
    tiles = tiles_of({"a": {0: 9}, "b": {0: 9}, "c": {1: 9}})
    with pytest.raises(TrainingError, match=r"no tiles of B to learn from.*\(c\).*--strict"):
        folds_of(tiles, strict=True)


def test_a_slide_without_coordinates_cannot_be_cut():
    tiles = [LabeledTile(Path(str(i)), 1 if s == "c" else 0, s) for s in "abc" for i in range(4)]
    with pytest.raises(TrainingError, match="c alone carries B, but its tiles do not say where"):
        folds_of(tiles)


def test_a_class_in_one_column_of_its_slide_is_named():
    column = [LabeledTile(Path(str(i)), 1, "c", 0, 500 * i) for i in range(9)]
    tiles = [*tiles_of({"a": {0: 9}, "b": {0: 9}}), *column]
    with pytest.raises(TrainingError, match="no tiles of B to learn from"):
        folds_of(tiles)


def test_an_absent_class_and_a_lone_slide_are_named():
    tiles = tiles_of({"a": {0: 9}, "b": {0: 9}})
    with pytest.raises(TrainingError, match="no tiles of B"):
        make_folds(tiles, NAMES[:2], FoldOptions(), seed=0)
    with pytest.raises(TrainingError, match="at least two folds"):
        folds_of(tiles, folds=1)
    lone = [LabeledTile(Path(str(i)), 0, "a") for i in range(9)]
    with pytest.raises(TrainingError, match="alone carries A"):
        folds_of(lone)
    with pytest.raises(TrainingError, match="All tiles are of one slide"):
        folds_of(lone, strict=True)


@given(slides, st.integers(2, 4))
def test_slides_of_a_patient_are_held_out_together(drawn, k):
    tiles = of_patients(tiles_of(drawn), 2)
    for fold in possible_folds(tiles, folds=k):
        trained = {tiles[i].patient for i in fold.train}
        assert trained.isdisjoint(tiles[i].patient for i in fold.held_out[fold.unseen])
        blocks = {tiles[i].patient for i in fold.held_out[~fold.unseen]}
        assert blocks <= trained


def test_the_same_seed_gives_the_same_folds():
    tiles = tiles_of({name: {0: 5, 1: 3} for name in "abcdefgh"})
    first, again = folds_of(tiles), folds_of(tiles)
    assert [fold.held_out.tolist() for fold in first] == [fold.held_out.tolist() for fold in again]


def test_thousands_of_slides_are_placed():
    tiles = [LabeledTile(Path(str(i)), i % 3, f"s{i}") for i in range(3000)]
    assert [len(fold.held_out) for fold in folds_of(tiles)] == [600] * 5
