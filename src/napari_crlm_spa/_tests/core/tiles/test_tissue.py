"""The blank rule: what a blank pixel is, and which tiles it removes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from napari_crlm_spa._tests.core.tiles.conftest import ArraySlide
from napari_crlm_spa._tests.real_data import SHARED, real_data
from napari_crlm_spa.core.tiles import TilingOptions, blank_fraction, plan_tiles

PALE_MUCUS = (224, 228, 243)


def tile_of(color, size=8):
    return np.full((1, size, size, 3), color, np.uint8)


@pytest.mark.parametrize(
    ("color", "blank"),
    [
        ((255, 255, 255), True),
        ((243, 243, 243), True),
        ((235, 230, 228), True),
        ((225, 225, 225), True),
        ((224, 224, 224), False),  # a shade too dark for glass
        ((236, 225, 230), False),  # 11 gray levels between its channels: colored
        (PALE_MUCUS, False),
        ((190, 110, 170), False),
        ((20, 20, 20), False),  # ink and anthracotic pigment are gray, yet not blank
    ],
)
def test_blank_is_bright_and_gray(color, blank):
    assert blank_fraction(tile_of(color), TilingOptions())[0] == blank


def test_tile_of_exactly_half_blank_stays():
    tile = tile_of((190, 110, 170))
    tile[0, :4] = 243
    options = TilingOptions()
    assert blank_fraction(tile, options)[0] == options.blank_max
    assert not blank_fraction(tile, options)[0] > options.blank_max
    tile[0, 4, 0] = 243
    assert blank_fraction(tile, options)[0] > options.blank_max


def test_thresholds_are_options():
    tile = tile_of(PALE_MUCUS)
    assert blank_fraction(tile, TilingOptions(blank_color_max=20, blank_brightness=220))[0] == 1
    assert blank_fraction(tile_of(243), TilingOptions(blank_brightness=250))[0] == 0


def test_no_tiles_give_no_fractions():
    assert blank_fraction(np.empty((0, 8, 8, 3), np.uint8), TilingOptions()).shape == (0,)


@given(
    tiles=hnp.arrays(np.uint8, (2, 3, 4, 3), elements=st.integers(200, 255)),
    bright=st.integers(200, 255),
    color=st.integers(0, 60),
)
def test_fraction_equals_a_count_pixel_by_pixel(tiles, bright, color):
    options = TilingOptions(blank_brightness=bright, blank_color_max=color)
    expected = [
        sum(
            min(map(int, pixel)) >= bright and max(map(int, pixel)) - min(map(int, pixel)) <= color
            for pixel in tile.reshape(-1, 3)
        )
        / 12
        for tile in tiles
    ]
    np.testing.assert_allclose(blank_fraction(tiles, options), expected)


def test_pale_mucus_is_not_skipped_as_glass():
    slide = ArraySlide(np.full((448, 448, 3), PALE_MUCUS, np.uint8), downsamples=(1.0, 16.0))
    assert len(plan_tiles(slide, TilingOptions()).pending()) == 4


def labeled_tiles(name, count):
    paths = sorted((SHARED / "tiles" / name).glob("*.jpg"))
    return np.stack([np.asarray(Image.open(p)) for p in paths[:: max(1, len(paths) // count)]])


@real_data
@pytest.mark.parametrize(
    "name", ["DEB", "HEP", "LYM", "MUC", "MUS", "NORM", "STR", "TUM", "TUM_SARCOMA"]
)
def test_no_real_tile_of_a_tissue_is_removed(name):
    blank = blank_fraction(labeled_tiles(name, 60), TilingOptions())
    assert blank.max() <= TilingOptions().blank_max


@real_data
@pytest.mark.parametrize(("name", "at_least"), [("BACK", 1.0), ("ADI", 0.95)])
def test_real_glass_and_almost_all_fat_are_removed(name, at_least):
    blank = blank_fraction(labeled_tiles(name, 60), TilingOptions())
    assert (blank > TilingOptions().blank_max).mean() >= at_least
