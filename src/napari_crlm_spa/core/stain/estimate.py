"""Find hematoxylin and eosin in pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.stain import loops
from napari_crlm_spa.core.stain.matrix import REFERENCE, StainMatrix, StainOptions
from napari_crlm_spa.core.tiles import TilingOptions, blank_fraction

Density = NDArray[np.float32]

#: Light that passes through bare glass, on the 0-255 scale (Io of the classic ports).
WHITE = 240.0
#: Concentrations above this percentile are outliers (99 in every port of the method).
STRONGEST_PERCENTILE = 99.0
#: A second eigenvalue smaller than this share of the first means one color only.
SINGULAR = 1e-4
#: A stain that transmits more light than glass in a channel by this much is implausible.
NEGATIVE_OD = -0.1
#: Where the sums of products rr, rg, rb, gg, gb, bb stand in a symmetric matrix.
_SYMMETRIC = np.array([[0, 1, 2], [1, 3, 4], [2, 4, 5]])
#: Bounds beyond which percentiles are looked for come from every so many pixels, this much
#: (in percent) inside of the percentile: a pass that keeps few values is quicker than sorting.
_SPARSE = 61
_MARGIN_PERCENT = 2.0


def od_table() -> Density:
    """Return the optical density -ln((I + 1) / 240) of every gray level, shape (256,)."""
    return np.log(WHITE / np.arange(1.0, 257.0)).astype(np.float32)


def least_stained_od(od_min: float) -> float:
    """Return the least optical density of a gray level that is at least `od_min`."""
    table = od_table()
    return float(table[table >= od_min].min(initial=np.inf))


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
    pixels = np.ascontiguousarray(tile.reshape(-1, 3))
    return estimate_pixels(pixels, options, room_for(len(pixels)))


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
    pixels = np.concatenate(samples) if samples else np.empty((0, 3), np.uint8)
    found = estimate_pixels(pixels, options, room_for(len(pixels)))
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


def room_for(pixels: int) -> Density:
    """Return memory in which `estimate_pixels` works; fresh memory costs as much as arithmetic."""
    return np.empty((5, pixels), np.float32)


def estimate_pixels(
    pixels: NDArray[np.uint8], options: StainOptions, room: Density
) -> StainMatrix | None:
    """Estimate the stain of pixels.

    Parameters
    ----------
    pixels
        Shape (n, 3), contiguous.
    options
        `od_min`, `angle_percentile` and what counts as a failure.
    room
        From `room_for`; overwritten.

    Returns
    -------
    StainMatrix or None
        None where it fails.
    """
    density, (first, second) = room[:3], room[3:]
    stained_od = least_stained_od(options.od_min)
    loops.look_up(pixels, od_table(), density)
    count, sums = loops.moments(density, stained_od)
    if count < max(3, options.stained_min * len(pixels)):
        return None
    axes = _plane_of_most_variance(sums, count)
    if axes is None:
        return None
    found = (stained_od, count)
    low, high = extreme_angles(density, found, axes, options.angle_percentile, (first, second))
    he = axes @ np.array([[np.cos(low), np.cos(high)], [np.sin(low), np.sin(high)]])
    he = he if he[0, 0] > he[0, 1] else he[:, ::-1].copy()
    if not _plausible(he, options.separation_min_deg):
        return None
    max_c = np.array([_strongest(density, row, first) for row in unmixing(he).astype(np.float32)])
    return StainMatrix(he, max_c) if max_c.min() > options.od_min else None


def unmixing(he: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pseudo-inverse (2, 3) of two independent columns, from the normal equations."""
    hh, he_cross, ee = he[:, 0] @ he[:, 0], he[:, 0] @ he[:, 1], he[:, 1] @ he[:, 1]
    adjugate = np.array([[ee, -he_cross], [-he_cross, hh]])
    return np.asarray(adjugate @ he.T / (hh * ee - he_cross**2))


def extreme_angles(
    density: Density,
    stained: tuple[float, int],
    axes: NDArray[np.float64],
    percent: float,
    room: tuple[Density, Density],
) -> tuple[float, float]:
    """Return a percentile of the angles to the first axis, from both ends.

    Parameters
    ----------
    density
        Shape (3, n).
    stained
        Pixels of at least so much density in every channel count, and so many are there.
    axes
        Shape (3, 2): the plane in which angles are taken.
    percent
        From 0 to 50.
    room
        Two arrays of shape (n,); overwritten.

    Returns
    -------
    float, float
        In radians.
    """
    stained_od, count = stained
    below, above = room
    turned = axes.astype(np.float32)
    sparse = density[:, ::_SPARSE]
    x, y = turned.T @ sparse[:, sparse.min(axis=0) >= stained_od]
    sample = y[x > 0] / x[x > 0]
    if len(sample) and percent + _MARGIN_PERCENT < 50:
        low, high = percentiles(sample, percent + _MARGIN_PERCENT, 100 - percent - _MARGIN_PERCENT)
        n_below, n_above, forward = loops.tangents_beyond(
            density, stained_od, turned, low, high, below, above
        )
        rank = percent / 100.0 * (count - 1)
        # The angle at a rank needs its neighbor, too.
        if forward and min(n_below, n_above) > rank + 1:
            return (
                _at_rank(np.arctan(below[:n_below]), rank),
                -_at_rank(np.arctan(-above[:n_above]), rank),
            )
    x, y = turned.T @ density[:, density.min(axis=0) >= stained_od]
    low, high = percentiles(np.arctan2(y, x), percent, 100 - percent)
    return low, high


def _strongest(density: Density, weights: Density, above: Density) -> float:
    """`STRONGEST_PERCENTILE` of the concentration of one stain."""
    n = density.shape[1]
    bound = percentiles(weights @ density[:, ::_SPARSE], STRONGEST_PERCENTILE - _MARGIN_PERCENT)[0]
    found = loops.concentrations_above(density, weights, bound, above)
    rank = (1 - STRONGEST_PERCENTILE / 100.0) * (n - 1)
    if found > rank + 1:
        return -_at_rank(-above[:found], rank)
    return percentiles(weights @ density, STRONGEST_PERCENTILE)[0]


def _plane_of_most_variance(sums: NDArray[np.float64], count: int) -> NDArray[np.float64] | None:
    """Axes (3, 2) of the plane, the first along the mean; None if there is one color only.

    `sums` are those of `loops.densities`.
    """
    mean = sums[:3] / count
    second_moment = sums[3:][_SYMMETRIC] / count
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
