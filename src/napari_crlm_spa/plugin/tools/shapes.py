"""Which tiles a stroke, a lasso or a rectangle covers. Pure geometry.

Positions are (row, col) in *tiles*, counted from the grid's top-left corner: tile (r, c) reaches
from r to r + 1 and from c to c + 1, and its center is at (r + 0.5, c + 0.5). A result is a
boolean mask within a window of the grid, so that a small stroke on a large map stays cheap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

#: (row, col) in tiles, fractions included.
Position = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Some tiles: a mask that lies on the grid with its first tile at (row, col).

    Parameters
    ----------
    row, col
        Where the mask begins.
    mask
        Shape (n_rows, n_cols), bool.
    """

    row: int
    col: int
    mask: NDArray[np.bool_]

    @property
    def window(self) -> tuple[slice, slice]:
        """The part of the grid that the mask covers."""
        n_rows, n_cols = self.mask.shape
        return slice(self.row, self.row + n_rows), slice(self.col, self.col + n_cols)

    def tiles(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows and columns of the tiles, in reading order."""
        rows, cols = np.nonzero(self.mask)
        return rows + self.row, cols + self.col


NOTHING = Patch(0, 0, np.zeros((0, 0), np.bool_))


def tile_at(position: Position, shape: tuple[int, int]) -> tuple[int, int] | None:
    """Return the tile under a position, None outside of the grid."""
    row, col = floor(position[0]), floor(position[1])
    return (row, col) if 0 <= row < shape[0] and 0 <= col < shape[1] else None


def brushed(start: Position, end: Position, size: int, shape: tuple[int, int]) -> Patch:
    """Tiles under a round brush that moves in a straight line.

    Parameters
    ----------
    start, end
        The brush's center; the same for a click.
    size
        Its diameter in tiles. A tile is taken if its center lies under the brush, and always
        if the pointer is on it, so that the smallest brush takes single tiles.
    shape
        Of the grid.

    Notes
    -----
    The brush is at least one tile wide wherever it passes, so no fast movement leaves a gap:
    in every row or column that it crosses, some center lies within half a tile of its way.
    """
    reach = size / 2
    low = np.minimum(start, end) - reach
    high = np.maximum(start, end) + reach
    window = _window(low, high, shape)
    if window is None:
        return NOTHING
    (first_row, last_row), (first_col, last_col) = window
    rows = np.arange(first_row, last_row)[:, None] + 0.5
    cols = np.arange(first_col, last_col)[None, :] + 0.5
    mask = _squared_distance(rows, cols, start, end) <= reach**2
    for position in (start, end):
        tile = tile_at(position, shape)
        if tile is not None:
            mask[tile[0] - first_row, tile[1] - first_col] = True
    return Patch(first_row, first_col, mask)


def _squared_distance(
    rows: NDArray[np.floating], cols: NDArray[np.floating], start: Position, end: Position
) -> NDArray[np.floating]:
    """Squared distance of points to the line from `start` to `end`."""
    d_row, d_col = end[0] - start[0], end[1] - start[1]
    length2 = d_row**2 + d_col**2
    if length2 == 0:
        return np.asarray((rows - start[0]) ** 2 + (cols - start[1]) ** 2)
    along = ((rows - start[0]) * d_row + (cols - start[1]) * d_col) / length2
    along = np.clip(along, 0, 1)
    return np.asarray(
        (rows - start[0] - along * d_row) ** 2 + (cols - start[1] - along * d_col) ** 2
    )


def lassoed(outline: Sequence[Position], shape: tuple[int, int]) -> Patch:
    """Tiles whose center lies inside a freehand outline.

    Parameters
    ----------
    outline
        Its corners; the last is joined to the first. An outline that crosses itself encloses
        all that it runs around (nonzero winding number), so a careless loop leaves no hole.
    shape
        Of the grid.
    """
    corners = np.asarray(outline, np.float64).reshape(-1, 2)
    if len(corners) < 3:
        return NOTHING
    window = _window(corners.min(axis=0), corners.max(axis=0), shape)
    if window is None:
        return NOTHING
    (first_row, last_row), (first_col, last_col) = window
    # Centers become whole numbers of the window.
    points = corners - (first_row + 0.5, first_col + 0.5)
    winding = _crossings(points, last_row - first_row, last_col - first_col)
    mask = np.cumsum(winding, axis=1)[:, :-1] != 0
    return Patch(first_row, first_col, mask)


def _crossings(points: NDArray[np.float64], n_rows: int, n_cols: int) -> NDArray[np.int32]:
    """Count, with its sense, where an outline crosses the lines through the rows' centers.

    Returns
    -------
    ndarray of int32, shape (n_rows, n_cols + 1)
        At the first center to the right of the crossing; summed along a row they are the
        winding numbers of the centers.
    """
    crossings = np.zeros((n_rows, n_cols + 1), np.int32)
    following = np.roll(points, -1, axis=0)
    lower = np.minimum(points[:, 0], following[:, 0])
    upper = np.maximum(points[:, 0], following[:, 0])
    first = np.clip(np.ceil(lower), 0, n_rows).astype(np.intp)
    last = np.clip(np.ceil(upper), 0, n_rows).astype(np.intp)
    counts = last - first
    edge = np.repeat(np.arange(len(points)), counts)
    if not len(edge):
        return crossings
    offset = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = first[edge] + offset
    begin, end = points[edge], following[edge]
    part = (rows - begin[:, 0]) / (end[:, 0] - begin[:, 0])
    at = begin[:, 1] + part * (end[:, 1] - begin[:, 1])
    cols = np.clip(np.ceil(at), 0, n_cols).astype(np.intp)
    sense = np.where(end[:, 0] > begin[:, 0], 1, -1).astype(np.int32)
    np.add.at(crossings, (rows, cols), sense)
    return crossings


def in_rectangle(low: Position, high: Position, shape: tuple[int, int]) -> Patch:
    """Tiles whose center lies in a rectangle, e.g. in what the window shows."""
    first_row, last_row = (_center_beyond(edge, shape[0]) for edge in (low[0], high[0]))
    first_col, last_col = (_center_beyond(edge, shape[1]) for edge in (low[1], high[1]))
    n_rows, n_cols = max(last_row - first_row, 0), max(last_col - first_col, 0)
    return Patch(first_row, first_col, np.ones((n_rows, n_cols), np.bool_))


def _center_beyond(edge: float, n: int) -> int:
    return min(max(ceil(edge - 0.5), 0), n)


def _window(
    low: NDArray[np.float64], high: NDArray[np.float64], shape: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Rows and columns of the grid that a box touches; None outside of the grid."""
    spans = []
    for start, end, n in zip(low, high, shape, strict=True):
        first, last = max(floor(start), 0), min(floor(end) + 1, n)
        if first >= last:
            return None
        spans.append((first, last))
    return spans[0], spans[1]
