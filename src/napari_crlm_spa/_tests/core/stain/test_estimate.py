"""Finding hematoxylin and eosin: known answers, and knowing when to give up."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_crlm_spa._tests.core.stain.conftest import OTHER_HE, angle_deg, stained_tile
from napari_crlm_spa.core.stain import (
    REFERENCE,
    StainMatrix,
    StainOptions,
    estimate_slide_matrix,
    estimate_tile,
)
from napari_crlm_spa.core.stain.macenko import (
    extreme_angles,
    look_up,
    moments,
    od_table,
    percentile,
    strongest,
    unmixing,
)
from napari_crlm_spa.errors import StainError

OPTIONS = StainOptions()


@pytest.mark.parametrize("he", [REFERENCE.he, OTHER_HE])
def test_known_stains_are_found(he):
    found = estimate_tile(stained_tile(he=he), OPTIONS)
    assert found.he.shape == (3, 2)
    assert found.he.dtype == np.float64
    assert angle_deg(found.he[:, 0], he[:, 0]) < 2
    assert angle_deg(found.he[:, 1], he[:, 1]) < 2
    np.testing.assert_allclose(np.linalg.norm(found.he, axis=0), 1, atol=1e-6)


def test_twice_the_dye_gives_twice_the_concentration():
    once = estimate_tile(stained_tile(strength=0.5), OPTIONS)
    twice = estimate_tile(stained_tile(strength=1.0), OPTIONS)
    np.testing.assert_allclose(twice.max_c / once.max_c, 2, rtol=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_hematoxylin_comes_first_and_both_point_into_the_data(seed):
    found = estimate_tile(stained_tile(seed), OPTIONS)
    assert found.he[0, 0] > found.he[0, 1]
    assert (found.he > 0).all()
    assert (found.max_c > 0).all()


def test_estimate_does_not_depend_on_where_the_pixels_lie():
    tile = stained_tile()
    turned = estimate_tile(np.rot90(tile).copy(), OPTIONS)
    as_is = estimate_tile(tile, OPTIONS)
    np.testing.assert_allclose(turned.he, as_is.he, atol=1e-5)
    np.testing.assert_allclose(turned.max_c, as_is.max_c, rtol=1e-4)


@pytest.mark.parametrize(
    "tile",
    [
        np.full((64, 64, 3), 255, np.uint8),
        np.full((64, 64, 3), 243, np.uint8),
        np.full((64, 64, 3), (180, 100, 160), np.uint8),
        np.zeros((64, 64, 3), np.uint8),
        np.repeat(np.arange(64 * 64).reshape(64, 64, 1) % 200, 3, axis=2).astype(np.uint8),
    ],
    ids=["white", "glass", "one color", "black", "grays"],
)
def test_estimate_gives_up_where_there_are_no_two_stains(tile):
    assert estimate_tile(tile, OPTIONS) is None


def test_estimate_gives_up_below_the_stained_share():
    tile = stained_tile(glass=0.9)
    assert estimate_tile(tile, StainOptions(stained_min=0.05)) is not None
    assert estimate_tile(tile, StainOptions(stained_min=0.2)) is None


def test_estimate_gives_up_where_both_stains_are_nearly_the_same():
    tile = stained_tile()
    apart = angle_deg(*estimate_tile(tile, OPTIONS).he.T)
    assert estimate_tile(tile, StainOptions(separation_min_deg=apart - 1)) is not None
    assert estimate_tile(tile, StainOptions(separation_min_deg=apart + 1)) is None


@given(
    values=hnp.arrays(np.float32, st.integers(1, 60), elements=st.floats(-9, 9, width=32)),
    percent=st.floats(0, 100),
)
def test_percentiles_are_those_of_numpy(values, percent):
    expected = np.percentile(values.astype(float), percent)
    assert percentile(values, percent) == pytest.approx(expected, abs=1e-5)


def test_optical_density_is_beer_lambert_for_every_gray_level():
    np.testing.assert_allclose(od_table(), -np.log((np.arange(256) + 1) / 240), atol=1e-6)


@pytest.mark.parametrize("od_min", [0.0, 0.15, 0.5, 1.0])
def test_a_pixel_is_stained_where_every_channel_is_dense_enough(od_min):
    pixels = np.random.default_rng(0).integers(0, 256, (5000, 3), dtype=np.uint8)
    od = -np.log((pixels + 1.0) / 240)
    expected = od[(od >= od_min).all(axis=1)]
    density = np.empty((3, 5000), np.float32)
    look_up(pixels, od_table(), density)
    count, sums = moments(density, od_min)
    assert count == len(expected)
    np.testing.assert_allclose(density, od.T, atol=1e-6)
    np.testing.assert_allclose(sums[:3], expected.sum(axis=0), rtol=1e-5)
    products = (expected.T @ expected)[np.triu_indices(3)]
    np.testing.assert_allclose(sums[3:], products, rtol=1e-5)


def by_the_book(tile, options):
    """Macenko's estimate in plain numpy, 64 bits, without any shortcut."""
    od = -np.log((tile.reshape(-1, 3) + 1.0) / 240)
    stained = od[(od >= options.od_min).all(axis=1)]
    plane = np.linalg.eigh(np.cov(stained.T))[1][:, 1:]
    mean = stained.mean(axis=0) @ plane
    along, across = mean / np.linalg.norm(mean), [-mean[1], mean[0]] / np.linalg.norm(mean)
    angles = np.arctan2(stained @ plane @ across, stained @ plane @ along)
    percent = options.angle_percentile
    ends = [
        plane @ (np.cos(angle) * along + np.sin(angle) * across)
        for angle in np.percentile(angles, (percent, 100 - percent))
    ]
    he = np.array(sorted(ends, key=lambda end: -end[0])).T
    return he, np.percentile(np.linalg.pinv(he) @ od.T, 99, axis=1)


@pytest.mark.parametrize("percent", [0.0, 0.1, 1.0, 5.0, 20.0])
@pytest.mark.parametrize("side", [9, 40, 224])
def test_the_estimate_is_that_of_the_book(side, percent):
    options = StainOptions(angle_percentile=percent, separation_min_deg=1.0)
    for seed in range(3):
        pixels = np.random.default_rng(seed).permutation(
            stained_tile(seed, OTHER_HE).reshape(-1, 3)
        )
        tile = np.resize(pixels, (side, side, 3))
        he, max_c = by_the_book(tile, options)
        found = estimate_tile(tile, options)
        np.testing.assert_allclose(found.he, he, atol=2e-4)
        np.testing.assert_allclose(found.max_c, max_c, rtol=2e-3)


def test_colors_all_around_the_mean_are_ordered_by_angle():
    """Where a color lies at a right angle to the mean, slopes are not ordered as angles are."""
    pixels = np.array([[190, 190, 20], [20, 190, 190], [190, 20, 190]], np.uint8)
    pixels = np.repeat(pixels, [50, 30, 20], axis=0)
    density = np.empty((3, len(pixels)), np.float32)
    look_up(pixels, od_table(), density)
    axes = np.array([[1.0, -1.0], [-1.0, -1.0], [0.0, 2.0]]) / np.sqrt([2.0, 6.0])
    x, y = axes.T @ density
    assert (x < 0).any()
    room = np.empty((2, len(pixels)), np.float32)
    found = extreme_angles(density, -1.0, len(pixels), axes, 5.0, room)
    np.testing.assert_allclose(found, np.percentile(np.arctan2(y, x), (5, 95)), atol=1e-6)


@given(
    values=hnp.arrays(np.float32, st.integers(1, 3000), elements=st.floats(0, 4, width=32)),
)
def test_the_strongest_concentration_is_the_percentile_of_all_pixels(values):
    """Also where a pixel in 61 says little of the others."""
    density = np.stack([values, values[::-1], np.zeros_like(values)])
    weights = np.array([0.75, 0.5, 0.25])
    expected = np.percentile(weights @ density.astype(float), 99)
    found = strongest(density, weights, np.empty((2, len(values)), np.float32))
    assert found == pytest.approx(expected, abs=1e-5)


@given(he=hnp.arrays(float, (3, 2), elements=st.floats(0.05, 1)))
def test_unmixing_is_the_pseudo_inverse(he):
    assume(angle_deg(*he.T) > 2)
    np.testing.assert_allclose(unmixing(he), np.linalg.pinv(he), rtol=1e-6, atol=1e-6)


def test_slide_estimate_pools_its_tiles():
    tiles = np.stack([stained_tile(seed, OTHER_HE) for seed in range(4)])
    found = estimate_slide_matrix(tiles, OPTIONS)
    assert angle_deg(found.he[:, 0], OTHER_HE[:, 0]) < 2
    assert found.source == "estimated from 4 tiles"


def test_blank_tiles_do_not_weaken_the_slide_estimate():
    tissue = [stained_tile(seed, OTHER_HE) for seed in range(4)]
    glass = np.full_like(tissue[0], 243)
    found = estimate_slide_matrix([glass, *tissue, glass, glass], OPTIONS)
    alone = estimate_slide_matrix(tissue, OPTIONS)
    np.testing.assert_array_equal(found.max_c, alone.max_c)
    assert found.source == "estimated from 4 tiles"


def test_slide_estimate_is_repeatable_and_its_seed_matters_little():
    tiles = np.stack([stained_tile(seed) for seed in range(12)])
    options = StainOptions(sample_tiles=4, sample_px=500)
    first, again = (estimate_slide_matrix(tiles, options) for _ in range(2))
    np.testing.assert_array_equal(first.he, again.he)
    np.testing.assert_array_equal(first.max_c, again.max_c)
    other = estimate_slide_matrix(tiles, StainOptions(sample_tiles=4, sample_px=500, seed=1))
    assert not np.array_equal(first.he, other.he)
    assert angle_deg(first.he[:, 0], other.he[:, 0]) < 3
    assert first.source == "estimated from 4 tiles"


def test_slide_without_stain_falls_back_to_the_reference_and_says_so():
    for tiles in (np.full((3, 64, 64, 3), 243, np.uint8), np.empty((0, 64, 64, 3), np.uint8)):
        found = estimate_slide_matrix(tiles, OPTIONS)
        np.testing.assert_array_equal(found.he, REFERENCE.he)
        assert found.source.startswith("reference: the slide holds too little stain")


def test_stored_stain_comes_back_unchanged():
    matrix = estimate_tile(stained_tile(), OPTIONS)
    back = StainMatrix.from_dict(matrix.as_dict())
    np.testing.assert_array_equal(back.he, matrix.he)
    np.testing.assert_array_equal(back.max_c, matrix.max_c)
    assert back.source == matrix.source


@pytest.mark.parametrize(
    "stored",
    [{}, {"he": [[1, 2]], "max_c": [1, 1]}, {"he": "x", "max_c": [1, 1]}, {"he": [[1, 2]] * 3}],
)
def test_damaged_stored_stain_is_refused(stored):
    with pytest.raises(StainError, match="damaged"):
        StainMatrix.from_dict(stored)
