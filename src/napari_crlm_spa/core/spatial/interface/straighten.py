"""The slide's picture along an outline: a straight strip of tissue, read piece by piece."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_crlm_spa.core.slide import RgbImage, Slide
from napari_crlm_spa.core.spatial.interface.unroll import REACH_UM, Unrolled

Floats = NDArray[np.float64]

#: Rows are never farther apart: where columns stand for more, several are averaged.
COARSEST_ROW_UM = 8.0
#: So much of the line is read from the slide at once.
_BLOCK_UM = 1000.0
_MARGIN_PX = 2


def row_step_um(step_um: float) -> float:
    """How far rows lie apart in a strip whose columns stand for `step_um` each."""
    return min(step_um, COARSEST_ROW_UM)


def row_offsets_um(step_um: float, reach_um: float = REACH_UM) -> Floats:
    """Offsets of the strip's rows, the liver's side first, shape (m,)."""
    row_um = row_step_um(step_um)
    n_rows = max(1, round(2 * reach_um / row_um))
    rows = np.arange(n_rows, dtype=np.float64)
    return reach_um - (rows + 0.5) * (2 * reach_um / n_rows)


def read_strip(
    slide: Slide,
    unrolled: Unrolled,
    start_um: float,
    n_columns: int,
    step_um: float,
    reach_um: float = REACH_UM,
) -> RgbImage:
    """Read a piece of the straightened slide.

    Parameters
    ----------
    slide
        The slide.
    unrolled
        The line.
    start_um, n_columns, step_um
        Where the piece begins along the line, and how many columns of which width it has.
    reach_um
        How far it reaches to both sides.

    Returns
    -------
    ndarray
        Shape (rows, n_columns, 3), uint8, the liver's side above; white beside the slide.

    Raises
    ------
    SlideError
        If the file is damaged there, or its pixel size is unknown.
    """
    offsets = row_offsets_um(step_um, reach_um)
    row_um = row_step_um(step_um)
    per_column = max(1, math.ceil(step_um / row_um))
    columns = np.arange(n_columns * per_column, dtype=np.float64)
    arcs = start_um + (columns + 0.5) * (step_um / per_column)
    out = np.empty((len(offsets), n_columns, 3), np.uint8)
    at_once = max(1, int(_BLOCK_UM / step_um))
    for first in range(0, n_columns, at_once):
        last = min(first + at_once, n_columns)
        places = unrolled.places_um(arcs[first * per_column : last * per_column], offsets)
        pixels = _at_places(slide, places, row_um)
        shape = (len(offsets), last - first, per_column, 3)
        out[:, first:last] = np.rint(pixels.reshape(shape).mean(axis=2))
    return out


def read_around(slide: Slide, x_um: float, y_um: float, side_um: float, side_px: int) -> RgbImage:
    """Read a square around a place of the slide, shape (side_px, side_px, 3).

    Raises
    ------
    SlideError
        If the file is damaged there, or its pixel size is unknown.
    """
    corner = (x_um - side_um / 2, y_um - side_um / 2)
    return slide.read_region_um(*corner, side_px, side_px, side_um / side_px)


def _at_places(slide: Slide, places_um: Floats, mpp: float) -> Floats:
    """Colors at places, shape (rows, columns, 3), from the rectangle that holds them all."""
    flat = places_um.reshape(-1, 2)
    low = flat.min(axis=0) - _MARGIN_PX * mpp
    width, height = np.ceil((flat.max(axis=0) - low) / mpp).astype(int) + _MARGIN_PX
    picture = slide.read_region_um(float(low[0]), float(low[1]), int(width), int(height), mpp)
    # A pixel's color is that of its center.
    cols, rows = np.moveaxis((places_um - low) / mpp - 0.5, -1, 0)
    bands = [
        ndimage.map_coordinates(
            picture[..., band].astype(np.float32), (rows, cols), order=1, mode="nearest"
        )
        for band in range(3)
    ]
    return np.stack(bands, axis=-1).astype(np.float64)
