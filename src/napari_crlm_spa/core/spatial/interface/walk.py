"""The outline of a lesion as a closed line with points at even distances.

Marching squares around tiles follow stairs, which are 5 % longer than the line they stand for. So
the mask is smoothed a little (sigma 0.6 tiles, at which strips of one tile's width remain), and
so is the line along itself (0.5 tiles): circles then come out within 1 %.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

MASK_SIGMA_TILES = 0.6
LINE_SIGMA_TILES = 0.5
#: Points for each tile of length.
POINTS_PER_TILE = 4
_MARGIN = 3
_FEWEST_POINTS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """One closed line around a lesion, or around an island inside it.

    Parameters
    ----------
    lesion
        Number of the lesion, from 1.
    inner
        Whether it runs around a hole of the lesion.
    points
        Shape (n, 2), (row, col) in tiles with tile centers at whole numbers. The first isn't
        repeated at the end.
    outward
        Directions out of the lesion, shape (n, 2), of length 1.
    length_tiles
        Its length. The points lie at even distances along it.
    """

    lesion: int
    inner: bool
    points: NDArray[np.float64]
    outward: NDArray[np.float64]
    length_tiles: float


def outlines(labels: NDArray[np.int32]) -> Iterator[Outline]:
    """Walk around every lesion of a label image, shape (rows, cols), outer lines first."""
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is not None:
            corner = np.array([box[0].start, box[1].start]) - _MARGIN
            found = [*_lines(labels[box] == number, number, corner)]
            yield from sorted(found, key=lambda line: -line.length_tiles)


def _lines(mask: NDArray[np.bool_], number: int, corner: NDArray[np.int64]) -> Iterator[Outline]:
    from skimage.measure import find_contours

    padded = np.pad(mask, _MARGIN).astype(np.float32)
    field = ndimage.gaussian_filter(padded, MASK_SIGMA_TILES, mode="constant", truncate=5)
    for line in find_contours(field, 0.5, positive_orientation="high"):
        points = _evenly(line, 1 / POINTS_PER_TILE)
        points = ndimage.gaussian_filter1d(
            points, LINE_SIGMA_TILES * POINTS_PER_TILE, axis=0, mode="wrap"
        )
        length = _length(points)
        if length * POINTS_PER_TILE >= _FEWEST_POINTS:
            points = _evenly(np.vstack([points, points[:1]]), 1 / POINTS_PER_TILE)
            inner = _twice_area(line) > 0
            yield Outline(number, inner, points + corner, _outward(points), length)


def _evenly(closed: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Points at even distances, near `step`, along a line whose last point is its first."""
    arc = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    n_points = max(_FEWEST_POINTS, round(arc[-1] / step))
    at = np.arange(n_points) * (arc[-1] / n_points)
    return np.column_stack([np.interp(at, arc, closed[:, axis]) for axis in (0, 1)])


def _length(points: NDArray[np.float64]) -> float:
    steps = np.diff(points, axis=0, append=points[:1])
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum())


def _outward(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Directions away from the higher side, which all lines have on the same hand."""
    along = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
    away: NDArray[np.float64] = np.column_stack([along[:, 1], -along[:, 0]])
    away /= np.maximum(np.hypot(*away.T), 1e-12)[:, None]
    return away


def _twice_area(closed: NDArray[np.float64]) -> float:
    """Signed area by the order of points: negative around a lesion, positive around a hole."""
    row, col = closed[:-1].T
    next_row, next_col = closed[1:].T
    return float((col * next_row - next_col * row).sum())
