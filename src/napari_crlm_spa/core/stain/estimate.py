"""Find hematoxylin and eosin in pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.stain.matrix import REFERENCE, StainMatrix, StainOptions
from napari_crlm_spa.core.tiles import TilingOptions, blank_fraction

Planes = NDArray[np.float32]

#: Light that passes through bare glass, on the 0-255 scale (Io of the classic ports).
WHITE = 240.0
#: Concentrations above this percentile are outliers (99 in every port of the method).
STRONGEST_PERCENTILE = 99.0
#: A second eigenvalue smaller than this share of the first means one color only.
SINGULAR = 1e-4
#: A stain that transmits more light than glass in a channel by this much is implausible.
NEGATIVE_OD = -0.1
#: The entries of a symmetric 3 x 3 matrix that differ, and where each stands in it.
_PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
_SYMMETRIC = np.array([[0, 1, 2], [1, 3, 4], [2, 4, 5]])


def planes_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return pixels (..., 3) as one plane per channel, shape (3, n): numpy is quicker on those."""
    flat = pixels.reshape(-1, 3)
    planes = np.empty((3, len(flat)), np.uint8)
    for channel, plane in enumerate(planes):
        plane[:] = flat[:, channel]
    return planes


def optical_density(planes: NDArray[np.uint8], out: Planes | None = None) -> Planes:
    """Turn gray levels into optical densities, -ln((I + 1) / 240).

    Parameters
    ----------
    planes
        Gray levels, any shape.
    out
        Where to write; fresh memory costs more than the logarithms.

    Returns
    -------
    ndarray of float32, same shape
    """
    density = np.empty(planes.shape, np.float32) if out is None else out
    density[...] = planes
    density += np.float32(1.0)
    np.log(density, out=density)
    return np.subtract(np.float32(np.log(WHITE)), density, out=density)


def stained_pixels(planes: NDArray[np.uint8], od_min: float) -> NDArray[np.bool_]:
    """Pixels of planes (3, n) with an optical density of at least `od_min` in every channel."""
    dark_levels = np.count_nonzero(optical_density(np.arange(256, dtype=np.uint8)) >= od_min)
    return np.asarray(planes.max(axis=0) < dark_levels)


def estimate_tile(tile: NDArray[np.uint8], options: StainOptions) -> StainMatrix | None:
    """Estimate the stain of one tile.

    Parameters
    ----------
    tile
        Shape (height, width, 3), uint8.
    options
        `od_min`, `angle_percentile` and what counts as a failure.

    Returns
    -------
    StainMatrix or None
        None where the stain cannot be told: too little of it, or one color only.
    """
    return _estimate(planes_of(tile), options)


def estimate_slide_matrix(
    tiles: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], options: StainOptions
) -> StainMatrix:
    """Estimate the stain of a slide from a sample of its tissue tiles.

    Tiles that are more than half blank are left out, as in an analysis. The pixels of the
    others are pooled and treated as one tile. Of more than `options.sample_tiles` tiles a
    seeded sample is taken, and of each `options.sample_px` pixels, so the result depends on
    nothing but tiles and options.

    Parameters
    ----------
    tiles
        Tiles of one slide, each (height, width, 3), uint8.
    options
        Sample size, seed and the options of the estimate.

    Returns
    -------
    StainMatrix
        The stored reference, and `source` says so, where the slide holds too little stain:
        a pale slide must not stop the run.
    """
    rng = np.random.default_rng(options.seed)
    chosen = [i for i, tile in enumerate(tiles) if not _mostly_blank(tile)]
    if len(chosen) > options.sample_tiles:
        chosen = sorted(rng.choice(chosen, options.sample_tiles, replace=False).tolist())
    samples = [_draw_pixels(tiles[i], options.sample_px, rng) for i in chosen]
    found = _estimate(planes_of(np.concatenate(samples)), options) if samples else None
    if found is None:
        return replace(REFERENCE, source="reference: the slide holds too little stain to estimate")
    return replace(found, source=f"estimated from {len(chosen)} tiles")


def _mostly_blank(tile: NDArray[np.uint8]) -> bool:
    rule = TilingOptions()
    return bool(blank_fraction(tile[None], rule)[0] > rule.blank_max)


def _draw_pixels(
    tile: NDArray[np.uint8], count: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    pixels = tile.reshape(-1, 3)
    if len(pixels) <= count:
        return pixels
    return pixels[rng.integers(0, len(pixels), count)]


def _estimate(planes: NDArray[np.uint8], options: StainOptions) -> StainMatrix | None:
    density = optical_density(planes)
    stained = stained_pixels(planes, options.od_min)
    return estimate_density(density, stained, options, np.empty_like(density))


def estimate_density(
    density: Planes, stained: NDArray[np.bool_], options: StainOptions, scratch: Planes
) -> StainMatrix | None:
    """Estimate the stain from optical densities.

    Parameters
    ----------
    density
        Shape (3, n).
    stained
        Shape (n,): what `stained_pixels` says of them.
    options
        `angle_percentile` and what counts as a failure.
    scratch
        Shape (3, n); overwritten.

    Returns
    -------
    StainMatrix or None
        None where it fails.
    """
    count = int(np.count_nonzero(stained))
    if count < max(3, options.stained_min * density.shape[1]):
        return None
    he = _stain_directions(density, stained, count, options.angle_percentile, scratch)
    if he is None or not _plausible(he, options.separation_min_deg):
        return None
    concentration = np.matmul(unmixing(he).astype(np.float32), density, out=scratch[:2])
    max_c = np.array([percentiles(row, STRONGEST_PERCENTILE)[0] for row in concentration])
    return StainMatrix(he, max_c) if max_c.min() > options.od_min else None


def unmixing(he: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pseudo-inverse (2, 3) of two independent columns, from the normal equations."""
    hh, he_cross, ee = he[:, 0] @ he[:, 0], he[:, 0] @ he[:, 1], he[:, 1] @ he[:, 1]
    adjugate = np.array([[ee, -he_cross], [-he_cross, hh]])
    return np.asarray(adjugate @ he.T / (hh * ee - he_cross**2))


def _stain_directions(
    density: Planes,
    stained: NDArray[np.bool_],
    count: int,
    angle_percentile: float,
    scratch: Planes,
) -> NDArray[np.float64] | None:
    """Hematoxylin and eosin as columns: the extreme directions in the plane of most variance."""
    axes = _plane_of_most_variance(np.multiply(density, stained, out=scratch), density, count)
    if axes is None:
        return None
    along_mean, across = np.matmul(axes.T.astype(np.float32), density, out=scratch[:2])
    angle = np.arctan2(across, along_mean, out=scratch[2])
    low, high = percentiles(np.compress(stained, angle), angle_percentile, 100 - angle_percentile)
    ends: NDArray[np.float64] = axes @ np.array(
        [[np.cos(low), np.cos(high)], [np.sin(low), np.sin(high)]]
    )
    return ends if ends[0, 0] > ends[0, 1] else ends[:, ::-1].copy()


def _plane_of_most_variance(
    masked: Planes, density: Planes, count: int
) -> NDArray[np.float64] | None:
    """Axes (3, 2) of the plane, the first along the mean; None if there is one color only.

    `masked` is `density` with zeros for all but `count` pixels.
    """
    mean = masked.sum(axis=1).astype(np.float64) / count
    # Not one matrix product: BLAS is slow on so few rows, and would start threads of its own.
    moments = [np.einsum("i,i->", masked[i], density[j]) for i, j in _PAIRS]
    second_moment = np.array(moments, np.float64)[_SYMMETRIC] / count
    values, vectors = np.linalg.eigh(second_moment - np.outer(mean, mean))
    if not values[1] > SINGULAR * values[2]:
        return None
    # Axes of the plane, turned so that the mean color lies at angle 0: the result then
    # depends neither on the signs of the eigenvectors nor on the jump of arctan2 at 180°.
    plane = vectors[:, 1:]
    along = plane.T @ mean
    norm = np.linalg.norm(along)
    if norm < np.finfo(np.float32).eps:
        return None
    along /= norm
    return np.asarray(plane @ np.array([[along[0], -along[1]], [along[1], along[0]]]))


def _plausible(he: NDArray[np.float64], separation_min_deg: float) -> bool:
    cosine = float(np.clip(he[:, 0] @ he[:, 1], -1.0, 1.0))
    apart = np.degrees(np.arccos(cosine)) >= separation_min_deg
    return bool(apart and he.min() >= NEGATIVE_OD)


def percentiles(values: NDArray[np.float32], *percents: float) -> list[float]:
    """Percentiles with linear interpolation, as `numpy.percentile` but many times quicker."""
    ordered = values.copy()
    return [_at_rank(ordered, percent / 100.0 * (len(values) - 1)) for percent in percents]


def _at_rank(values: NDArray[np.float32], rank: float) -> float:
    """Value at a rank from 0, between two neighbors if it is no whole number; reorders `values`."""
    low = int(rank)
    # One rank at a time: numpy has a vectorized selection for that, and none for two.
    values.partition(low)
    here, beyond = values[low], values[low + 1 :]
    following = beyond.min() if len(beyond) else here
    return float(here + (rank - low) * (following - here))
