import numpy as np
import pytest

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.sample import Dyes, Style, draw_tile
from napari_crlm_spa.core.sample.textures import TEXTURES
from napari_crlm_spa.core.sample.window import Window
from napari_crlm_spa.errors import CrlmSpaError


def standard(name, number=0, size_px=224):
    rng = np.random.default_rng(number)
    return draw_tile(name, rng, size_px, dyes=Dyes.standard(), style=Style())


def dark_share(tile):
    """Share of pixels as dark as a nucleus."""
    return float((tile[..., 0] < 125).mean())


def test_every_class_of_the_scheme_can_be_drawn():
    assert set(TEXTURES) == set(CRLM7.names)


@pytest.mark.parametrize("name", CRLM7.names)
def test_a_tile_depends_on_its_rng_alone(name):
    first, again = (draw_tile(name, np.random.default_rng(4)) for _ in range(2))
    other = draw_tile(name, np.random.default_rng(5))
    assert first.shape == (224, 224, 3)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_size_and_resolution_can_be_chosen():
    tile = draw_tile("STR", np.random.default_rng(0), size_px=100, mpp=1.0)
    assert tile.shape == (100, 100, 3)


def test_a_tissue_that_nobody_can_draw_is_named():
    with pytest.raises(CrlmSpaError, match="no drawing of 'ADI'"):
        draw_tile("ADI", np.random.default_rng(0))


def test_only_glass_is_white():
    for name in CRLM7.names:
        white = (standard(name).min(axis=2) > 220).mean()
        assert (white > 0.97) == (name == "BACK"), name


def test_lymphocytes_hold_most_nuclei_then_tumor_then_liver_and_stroma():
    shares = {
        name: np.mean([dark_share(standard(name, number)) for number in range(6)])
        for name in CRLM7.names
    }
    assert shares["LYM"] > shares["TUM"] > 2 * max(shares["HEP"], shares["STR"])
    assert shares["MUC"] < 0.02


def test_liver_is_pink_and_mucus_is_bluish():
    liver, mucus = standard("HEP").mean(axis=(0, 1)), standard("MUC").mean(axis=(0, 1))
    assert liver[0] > liver[2] > liver[1]
    assert mucus[2] > mucus[0] > 200


def test_more_dye_makes_darker_pixels_in_the_dye_s_hue():
    amount = np.linspace(0, 1, 64, dtype=np.float32)[None, :].repeat(64, axis=0)
    nothing = np.zeros_like(amount)
    dyes = Dyes((0.88, 1.12, 0.5), (0.16, 0.86, 0.42), (240.0, 240.0, 240.0), 0.0)
    blue = dyes.develop(amount, nothing, 0).astype(int)
    assert np.all(np.diff(blue[0], axis=0) <= 0)
    np.testing.assert_allclose(blue[0, -1], 240 * np.exp([-0.88, -1.12, -0.5]), atol=1)


def test_drawn_nuclei_have_the_stated_size():
    from napari_crlm_spa.core.sample.nuclei import stamp

    one = np.ones(1, np.float32)
    drawn = stamp(Window(0, 0, 80, 80, 0.5, 0), 20 * one, 20 * one, 5 * one, 3 * one, 0 * one, one)
    assert (drawn > 0.5).sum() * 0.25 == pytest.approx(np.pi * 5 * 3, rel=0.05)
    rows, cols = np.nonzero(drawn > 0.5)
    assert np.ptp(cols) == pytest.approx(20, abs=1)
    assert np.ptp(rows) == pytest.approx(12, abs=1)
