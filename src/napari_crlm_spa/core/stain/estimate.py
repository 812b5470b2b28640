"""Find hematoxylin and eosin in pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.stain import macenko
from napari_crlm_spa.core.stain.matrix import REFERENCE, StainMatrix, StainOptions
from napari_crlm_spa.core.tiles import TilingOptions, blank_fraction


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
    return _estimate(pixels, options)


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
    found = _estimate(pixels, options)
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


def limits_of(options: StainOptions) -> tuple[float, float, float, float]:
    """Return what `macenko.estimate` needs of the options, in its order."""
    return (
        options.od_min,
        options.stained_min,
        options.angle_percentile,
        math.radians(options.separation_min_deg),
    )


def _estimate(pixels: NDArray[np.uint8], options: StainOptions) -> StainMatrix | None:
    room = np.empty((5, len(pixels)), np.float32)
    found, he, max_c = macenko.estimate(pixels, macenko.od_table(), *limits_of(options), room)
    return StainMatrix(he, max_c) if found else None
