"""What makes drawn tissue look less drawn: bent outlines, uneven dye, cracks, a sharp scanner."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from napari_crlm_spa.core.sample.style import Amounts, ramp
from napari_crlm_spa.core.sample.window import Floats, Window

#: Eosin may be less than none by this share of hematoxylin: a bluer tone, as mucin has.
_BLUER = 0.35


def roughen(amounts: Amounts, window: Window, rng: np.random.Generator) -> Amounts:
    """Bend outlines, vary the dyes at all scales and let the tissue crack.

    Parameters
    ----------
    amounts
        Hematoxylin and eosin of the window.
    window
        Where on the plane.
    rng
        Chooses how much of each.
    """
    hematoxylin, eosin = _bent(amounts, window, rng)
    uneven = _uneven(window, rng)
    hematoxylin = hematoxylin * (1 + 0.7 * uneven)
    eosin = eosin * (1 + uneven)
    blot = rng.uniform(0.0, 0.6)
    # Eosin stains nuclei, too: their color runs from blue to purple.
    eosin = eosin + blot * 0.5 * np.minimum(hematoxylin, 1.0)
    if rng.random() < 0.5:
        crack = _cracks(window, rng) * ramp(hematoxylin, 0.6, 0.3)
        hematoxylin, eosin = hematoxylin * (1 - 0.95 * crack), eosin * (1 - 0.95 * crack)
    if rng.random() < 0.6:
        hematoxylin, eosin = _sharpened(hematoxylin, eosin, window, rng)
    hematoxylin = np.maximum(hematoxylin, 0.0)
    return hematoxylin, np.maximum(eosin, -_BLUER * hematoxylin)


def _bent(amounts: Amounts, window: Window, rng: np.random.Generator) -> Amounts:
    """Move every point a little: ellipses become the irregular outlines of real nuclei."""
    rows, cols = np.mgrid[0 : window.height_px, 0 : window.width_px].astype(np.float32)
    for scale_um, reach_um in ((rng.uniform(1.6, 3.5), 0.55), (rng.uniform(5.0, 9.0), 1.3)):
        reach = rng.uniform(0.2, 1.0) * reach_um / window.mpp
        salt = int(rng.integers(500, 900))
        rows = rows + reach * window.noise(scale_um, salt)
        cols = cols + reach * window.noise(scale_um, salt + 1)
    at = np.stack([rows, cols])
    bent = [ndimage.map_coordinates(part, at, order=1, mode="reflect") for part in amounts]
    return bent[0], bent[1]


def _uneven(window: Window, rng: np.random.Generator) -> Floats:
    """Noise of several scales, the finer the weaker or the stronger, as it comes."""
    total = np.zeros(window.shape, np.float32)
    for number, scale_um in enumerate((0.7, 1.4, 2.8, 6.0, 15.0, 50.0)):
        total += rng.uniform(0.0, 0.14) * window.noise(scale_um, 910 + number)
    return total


def _cracks(window: Window, rng: np.random.Generator) -> Floats:
    """Thin white lines and small lacunae, as cutting and drying leave them."""
    size = rng.uniform(4.0, 14.0)
    ridge = np.abs(window.noise(size, 921) + 0.4 * window.noise(0.4 * size, 922))
    where = ramp(window.noise(rng.uniform(12.0, 40.0), 923), *_from(rng, -0.8, 1.2, 0.5))
    thin = ramp(ridge, rng.uniform(0.08, 0.35), 0.03) * where
    hole = ramp(window.noise(rng.uniform(2.0, 6.0), 924), *_from(rng, 1.3, 2.4, 0.3))
    crack: Floats = np.maximum(thin, hole)
    return crack


def _from(rng: np.random.Generator, low: float, high: float, width: float) -> tuple[float, float]:
    start = float(rng.uniform(low, high))
    return start, start + width


def _sharpened(
    hematoxylin: Floats, eosin: Floats, window: Window, rng: np.random.Generator
) -> Amounts:
    """Overdraw edges as scanners do."""
    sigma = rng.uniform(0.4, 1.0) / window.mpp
    much = rng.uniform(0.2, 1.3)
    parts = (
        part + much * (part - ndimage.gaussian_filter(part, sigma)) for part in (hematoxylin, eosin)
    )
    first, second = parts
    return first, second
