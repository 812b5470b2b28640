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


def optical_density(pixels: NDArray[np.uint8]) -> Planes:
    """Turn gray levels into optical densities, -ln((I + 1) / 240).

    Parameters
    ----------
    pixels
        Shape (..., 3), uint8.

    Returns
    -------
    ndarray of float32, shape (3, n)
        One plane per channel: numpy is quicker on those than on interleaved pixels.
    """
    density = np.ascontiguousarray(pixels.reshape(-1, 3).T).astype(np.float32)
    density += 1.0
    np.log(density, out=density)
    np.subtract(np.float32(np.log(WHITE)), density, out=density)
    return density


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
    return estimate_density(optical_density(tile), options)


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
    found = estimate_density(optical_density(np.concatenate(samples)), options) if samples else None
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


def estimate_density(density: Planes, options: StainOptions) -> StainMatrix | None:
    """Estimate the stain from optical densities of shape (3, n); None where it fails."""
    stained = density.min(axis=0) >= options.od_min
    count = int(np.count_nonzero(stained))
    if count < max(3, options.stained_min * density.shape[1]):
        return None
    he = _stain_directions(density, stained, count, options.angle_percentile)
    if he is None or not _plausible(he, options.separation_min_deg):
        return None
    concentration = np.linalg.pinv(he).astype(np.float32) @ density
    max_c = np.array([percentiles(row, STRONGEST_PERCENTILE)[0] for row in concentration])
    return StainMatrix(he, max_c) if max_c.min() > options.od_min else None


def _stain_directions(
    density: Planes, stained: NDArray[np.bool_], count: int, angle_percentile: float
) -> NDArray[np.float64] | None:
    """Hematoxylin and eosin as columns: the extreme directions in the plane of most variance."""
    masked = density * stained
    mean = masked.sum(axis=1, dtype=np.float64) / count
    second_moment = (masked @ density.T).astype(np.float64) / count
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
    axes = plane @ np.array([[along[0], -along[1]], [along[1], along[0]]])
    along_mean, across = axes.T.astype(np.float32) @ density
    angle = np.arctan2(across, along_mean)[stained]
    low, high = percentiles(angle, angle_percentile, 100.0 - angle_percentile)
    ends: NDArray[np.float64] = axes @ np.array(
        [[np.cos(low), np.cos(high)], [np.sin(low), np.sin(high)]]
    )
    return ends if ends[0, 0] > ends[0, 1] else ends[:, ::-1].copy()


def _plausible(he: NDArray[np.float64], separation_min_deg: float) -> bool:
    cosine = float(np.clip(he[:, 0] @ he[:, 1], -1.0, 1.0))
    apart = np.degrees(np.arccos(cosine)) >= separation_min_deg
    return bool(apart and he.min() >= NEGATIVE_OD)


def percentiles(values: NDArray[np.float32], *percents: float) -> list[float]:
    """Percentiles with linear interpolation, as `numpy.percentile` but several times quicker."""
    ranks = [percent / 100.0 * (len(values) - 1) for percent in percents]
    below = [int(rank) for rank in ranks]
    above = [min(low + 1, len(values) - 1) for low in below]
    ordered = np.partition(values, sorted({*below, *above}))
    return [
        float(ordered[low] + (rank - low) * (ordered[high] - ordered[low]))
        for rank, low, high in zip(ranks, below, above, strict=True)
    ]
