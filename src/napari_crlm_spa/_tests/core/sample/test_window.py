import numpy as np
import pytest

from napari_crlm_spa.core.sample.style import Style
from napari_crlm_spa.core.sample.textures import TEXTURES
from napari_crlm_spa.core.sample.window import Window, hash01, noise_at, voronoi


def window(x_um=0.0, y_um=0.0, width_px=128, height_px=96, seed=5):
    return Window(x_um, y_um, width_px, height_px, 0.5, seed)


def test_hash_is_spread_evenly_and_repeats_itself():
    i, j = np.meshgrid(np.arange(-300, 300), np.arange(-300, 300))
    values = hash01(i, j, 7)
    counts, _ = np.histogram(values, bins=20, range=(0, 1))
    assert np.all(np.abs(counts / values.size - 0.05) < 0.002)
    np.testing.assert_array_equal(values, hash01(i, j, 7))
    assert np.corrcoef(values[:, :-1].ravel(), values[:, 1:].ravel())[0, 1] == pytest.approx(
        0, abs=0.01
    )


def test_noise_has_the_promised_mean_and_spread():
    noise = Window(0, 0, 1500, 1500, 0.5, 3).noise(4.0, 1)
    assert noise.mean() == pytest.approx(0, abs=0.03)
    assert noise.std() == pytest.approx(1, abs=0.1)


def test_noise_at_meets_its_neighbors_at_lattice_lines():
    v = np.linspace(0, 9, 50, dtype=np.float32)
    before = noise_at(np.full_like(v, 3 - 1e-4), v, 11)
    after = noise_at(np.full_like(v, 3 + 1e-4), v, 11)
    np.testing.assert_allclose(before, after, atol=1e-3)


def test_interpolation_repeats_a_plane_exactly():
    shown = window(12.3, 4.5)
    plane = shown.coarse(3.0, lambda x, y: 2 * x - y)
    np.testing.assert_allclose(plane, 2 * shown.x - shown.y, atol=1e-3)


def test_voronoi_knows_the_nearest_site():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 300, (2, 400)).astype(np.float32)
    cells = voronoi(x, y, 20.0, 1)
    fine_x, fine_y = np.meshgrid(np.arange(-60, 360, 20.0), np.arange(-60, 360, 20.0))
    # At a site itself the distance to the center is 0: some place near each site says so.
    assert cells.center_um.min() < 3
    assert cells.center_um.max() < 20 * 1.5
    assert np.all(cells.edge_um >= 0)
    assert voronoi(fine_x, fine_y, 20.0, 1).tint.std() > 0.2


@pytest.mark.parametrize("name", TEXTURES)
def test_neighboring_windows_fit_together_without_a_seam(name):
    whole = TEXTURES[name](window(), Style())
    # Nuclei at the border are turned by what lies outside: hence the margin.
    part = TEXTURES[name](Window(20.0, 10.0, 70, 60, 0.5, 5), Style())
    inner = (slice(16, -16), slice(16, -16))
    for dye_whole, dye_part in zip(whole, part, strict=True):
        expected = dye_whole[20:80, 40:110]
        np.testing.assert_allclose(dye_part[inner], expected[inner], atol=2e-3)
