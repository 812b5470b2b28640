"""Macenko on the device does what it does in the reader threads.

The device is the CPU, and an NVIDIA GPU where there is one.
"""

import itertools

import numpy as np
import pytest
import torch
from PIL import Image

from napari_crlm_spa._tests.core.stain.conftest import OTHER_HE, stained_tile
from napari_crlm_spa._tests.real_data import SHARED, real_data
from napari_crlm_spa.core.classifier.stain_on_device import (
    DeviceStain,
    _eigenvalues_and_least_vector,
)
from napari_crlm_spa.core.stain import StainNormalizer, StainOptions, estimate_slide_matrix

CPU = torch.device("cpu")
DEVICES = [CPU, *([torch.device("cuda")] if torch.cuda.is_available() else [])]
SLIDE = estimate_slide_matrix([stained_tile(he=OTHER_HE)], StainOptions())
GRAYS = np.repeat(np.arange(96 * 96).reshape(96, 96, 1) % 200, 3, axis=2).astype(np.uint8)


def assert_same(tiles, method, **options):
    """Compare both ways; return which tiles failed."""
    normalizer = StainNormalizer(StainOptions(method=method, **options), SLIDE)
    expected, fallback = normalizer.normalize(tiles)
    for device in DEVICES:
        found, failed = DeviceStain(normalizer, device)(torch.from_numpy(tiles).to(device))
        np.testing.assert_array_equal(failed.cpu().numpy(), fallback)
        off = np.abs(found.cpu().numpy().astype(int) - expected)
        for each in off:
            assert (each <= 1).mean() >= 0.999
        assert (off == 0).mean() >= 0.99
    return fallback


def drawn():
    """Good tiles of two laboratories, a pale one, glass, black, one color, grays."""
    flat = [np.full((96, 96, 3), color, np.uint8) for color in (243, 255, 0, (180, 100, 160))]
    pale = [stained_tile(2, OTHER_HE, glass=0.99)]
    good = [stained_tile(seed, he) for seed, he in enumerate([OTHER_HE] * 3)]
    return np.stack([*good, stained_tile(3, strength=0.5), *pale, *flat, GRAYS])


@pytest.mark.parametrize("method", ["per_slide", "auto"])
def test_the_slides_stain_is_exchanged_as_by_the_readers(method):
    assert not assert_same(drawn(), method).any()


def test_the_tiles_own_stain_is_exchanged_and_the_same_tiles_fail():
    fallback = assert_same(drawn(), "per_tile")
    assert fallback.tolist() == [False] * 4 + [True] * 6


@pytest.mark.parametrize(
    "options",
    [
        {"angle_percentile": 0.0},
        {"angle_percentile": 17.0},
        {"od_min": 0.0},
        {"od_min": 0.6},
        {"stained_min": 0.95},
        {"separation_min_deg": 40.0},
    ],
    ids=str,
)
def test_every_option_means_the_same(options):
    fallback = assert_same(drawn()[:6], "per_tile", **options)
    if "stained_min" in options or "separation_min_deg" in options:
        assert fallback.sum() > assert_same(drawn()[:6], "per_tile").sum()


@pytest.mark.parametrize("channels", [(1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_whichever_stain_absorbs_more_red_is_hematoxylin(channels):
    tiles = drawn()[:3, :, :, channels].copy()
    assert not assert_same(tiles, "per_tile").any()


def test_stain_on_less_than_a_hundredth_of_a_tile_is_too_weak():
    speck = np.full((96, 96, 3), 243, np.uint8)
    speck[:6, :8] = stained_tile(glass=0)[:6, :8]
    assert assert_same(speck[None], "per_tile", stained_min=0.001).all()


def test_grays_with_a_little_noise_are_one_color():
    grays = np.repeat(np.linspace(60, 200, 96 * 96).reshape(96, 96, 1), 3, axis=2)
    grays[::10, :, 0] += 1
    tile = grays.astype(np.uint8)
    assert assert_same(tile[None], "per_tile", separation_min_deg=0.0).all()


def test_more_tiles_than_fit_at_once_stay_in_their_order():
    tiles = np.stack([stained_tile(seed, OTHER_HE, size=24) for seed in range(67)])
    tiles[::5] = 243
    assert assert_same(tiles, "per_tile").sum() == 14


def test_the_tiles_handed_in_stay_as_they_are():
    tiles = torch.from_numpy(drawn())
    before = tiles.clone()
    DeviceStain(StainNormalizer(StainOptions(method="per_tile"), SLIDE), CPU)(tiles)
    assert torch.equal(tiles, before)


def test_the_closed_form_gives_lapacks_eigenvalues_and_vector():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(200, 40, 3)) * rng.uniform(0.01, 1, (200, 1, 3))
    matrices = points.swapaxes(1, 2) @ points
    # Here two of the three rows cannot tell the vector.
    matrices[:6] = [np.diag(order) for order in itertools.permutations((0.1, 2.0, 3.0))]
    values, vectors = np.linalg.eigh(matrices)
    found, vector = _eigenvalues_and_least_vector(torch.from_numpy(matrices))
    np.testing.assert_allclose(found.numpy(), values, atol=1e-13 * values.max())
    along = np.abs((vector.numpy() * vectors[:, :, 0]).sum(axis=1))
    np.testing.assert_allclose(along, 1, atol=1e-9)


@real_data
@pytest.mark.parametrize("method", ["per_slide", "per_tile"])
def test_real_tiles_are_stained_as_by_the_readers(method):
    paths = sorted((SHARED / "tiles").glob("*/*.jpg"))[::37]
    tiles = np.stack([np.asarray(Image.open(path)) for path in paths])
    assert len(tiles) >= 30
    assert_same(tiles, method)
