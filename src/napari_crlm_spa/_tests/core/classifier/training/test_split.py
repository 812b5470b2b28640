from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_crlm_spa.core.classifier.training.data import LabeledTile
from napari_crlm_spa.core.classifier.training.split import split_tiles
from napari_crlm_spa.errors import TrainingError


def tiles_of(slides):
    """Tiles 448 level-0 pixels apart; `slides` maps a slide to tile counts by label."""
    tiles = []
    for slide, counts in slides.items():
        x0 = 0
        for label, count in counts.items():
            for _ in range(count):
                tiles.append(LabeledTile(Path(f"{x0}"), label, slide, x0, 0, mpp_slide=0.25))
                x0 += 448
    return tiles


counts = st.dictionaries(st.integers(0, 2), st.integers(1, 12), min_size=1)


@given(st.dictionaries(st.sampled_from("abcdefgh"), counts, min_size=1), st.integers(0, 99))
def test_a_slide_is_never_mixed_unless_it_is_cut(slides, seed):
    tiles = tiles_of(slides)
    split = split_tiles(tiles, 0.25, seed)
    train = {tiles[i].slide for i in split.train}
    held = {tiles[i].slide for i in split.validation}
    assert train & held <= set(split.cut)
    assert set(split.held_back).isdisjoint(train)
    assert set(split.train).isdisjoint(split.validation)


@given(st.dictionaries(st.sampled_from("abcdefgh"), counts, min_size=1), st.integers(0, 99))
def test_a_cut_leaves_a_tile_of_room(slides, seed):
    tiles = tiles_of(slides)
    split = split_tiles(tiles, 0.25, seed)
    for name in split.cut:
        left = [tiles[i].x0 for i in split.train if tiles[i].slide == name]
        right = [tiles[i].x0 for i in split.validation if tiles[i].slide == name]
        if left and right:
            assert min(right) - max(left) >= 2 * 448


@given(st.dictionaries(st.sampled_from("abcdefgh"), counts, min_size=3), st.integers(0, 99))
def test_whole_slides_leave_half_of_every_class_to_train_on(slides, seed):
    tiles = tiles_of(slides)
    split = split_tiles(tiles, 0.25, seed)
    whole = [i for i, tile in enumerate(tiles) if tile.slide in split.held_back]
    labels = np.array([tile.label for tile in tiles])
    for label in np.unique(labels):
        held = np.count_nonzero(labels[whole] == label)
        assert held <= 0.5 * np.count_nonzero(labels == label)


def test_the_only_slide_of_a_class_is_cut():
    tiles = tiles_of({"a": {0: 20}, "b": {0: 20}, "c": {1: 40}})
    split = split_tiles(tiles, 0.2, 0)
    assert split.cut == ["c"]
    assert len(split.held_back) == 1
    assert sum(tiles[i].label == 1 for i in split.validation) == 8
    assert split.dropped == 1
    assert "c." in split.describe()


def test_a_slide_that_cannot_be_cut_is_named_and_trained_on_whole():
    tiles = [
        replace(tile, x0=None) if tile.slide == "c" else tile
        for tile in tiles_of({"a": {0: 20}, "b": {0: 20}, "c": {1: 40}})
    ]
    split = split_tiles(tiles, 0.2, 0)
    assert (split.cut, split.uncut) == ([], ["c"])
    assert sum(tiles[i].label == 1 for i in split.train) == 40
    assert "cut" not in split.describe()
    assert "c. They cannot be cut" in split.notes()[0]


def test_slides_can_be_named():
    tiles = tiles_of({"a": {0: 4}, "b": {0: 4}, "c": {0: 4}})
    split = split_tiles(tiles, 0.2, 0, ["b"])
    assert {tiles[i].slide for i in split.validation} == {"b"}
    with pytest.raises(TrainingError, match="no slide 'z' to hold back; the slides are a, b, c"):
        split_tiles(tiles, 0.2, 0, ["z"])


def of_patients(tiles, slides_each):
    """Give every `slides_each` slides in a row to one patient."""
    names = sorted({tile.slide for tile in tiles})
    patient = {name: f"P{i // slides_each}" for i, name in enumerate(names)}
    return [replace(tile, patient=patient[tile.slide]) for tile in tiles]


@given(st.dictionaries(st.sampled_from("abcdefgh"), counts, min_size=4), st.integers(0, 99))
def test_slides_of_a_patient_stay_together(slides, seed):
    tiles = of_patients(tiles_of(slides), 2)
    split = split_tiles(tiles, 0.25, seed)
    train = {tiles[i].patient for i in split.train}
    held = {tiles[i].patient for i in split.validation}
    assert train & held <= set(split.cut)


def test_a_slide_that_is_named_takes_its_patient_along():
    tiles = of_patients(tiles_of({name: {0: 4} for name in "abcdef"}), 2)
    split = split_tiles(tiles, 0.2, 0, ["c"])
    assert {tiles[i].slide for i in split.validation} == {"c", "d"}


def test_a_given_validation_split_is_used():
    tiles = [LabeledTile(Path(s), 0, s, split=s) for s in ("train", "validation")]
    split = split_tiles(tiles, 0.0, 0)
    assert (list(split.train), list(split.validation)) == ([0], [1])


def test_a_share_of_zero_holds_nothing_back():
    split = split_tiles(tiles_of({"a": {0: 4}, "b": {1: 4}}), 0.0, 0)
    assert len(split.validation) == 0
    assert split.describe() == "No tiles held back."


def test_drawn_tiles_are_not_held_back_beside_real_ones():
    real = tiles_of({"a": {0: 9}, "b": {0: 9}, "c": {0: 9}})
    drawn = [LabeledTile(Path(str(i)), 0, f"d{i}", drawn=True) for i in range(30)]
    split = split_tiles([*real, *drawn], 0.3, 0)
    assert len(split.validation) > 0
    assert not any([*real, *drawn][i].drawn for i in split.validation)


def test_the_same_seed_gives_the_same_split():
    tiles = tiles_of({name: {0: 5, 1: 5} for name in "abcdefgh"})
    first, again = split_tiles(tiles, 0.2, 3), split_tiles(tiles, 0.2, 3)
    assert list(first.validation) == list(again.validation)
