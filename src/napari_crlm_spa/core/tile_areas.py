"""Connected tiles of one class as polygons.

The sides at which the class changes are followed around each area. That needs far less memory
than a union of a square for every tile, and gives the same polygons.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from skimage.measure import label

from napari_crlm_spa.core.classes import NOT_CLASSIFIED

Corner = tuple[int, int]
Ring = tuple[Corner, ...]

#: The sides of a tile in clockwise order as seen, each with where it begins: (x, y) from the
#: tile's top-left corner.
_TOP, _RIGHT, _BOTTOM, _LEFT = range(4)
_BEGINS = ((0, 0), (1, 0), (1, 1), (0, 1))
#: The tile outside of each side, and the tile ahead of one who walks along it: (row, col).
_OUTSIDE = ((-1, 0), (0, 1), (1, 0), (0, -1))
_AHEAD = ((0, 1), (1, 0), (0, -1), (-1, 0))


@dataclass(frozen=True, slots=True)
class TileArea:
    """Tiles of one class that hang together by their sides.

    Parameters
    ----------
    code
        The class, as on the grid.
    tiles
        How many.
    first
        (row, col) of the first one in reading order.
    rings
        Outline, then holes; (x, y) of corners in tiles from the grid's top-left corner, closed.
    """

    code: int
    tiles: int
    first: tuple[int, int]
    rings: tuple[Ring, ...]


def tile_areas(classes: NDArray[np.uint8]) -> list[TileArea]:
    """Merge the tiles of each class, shape (rows, cols), 0 = none.

    Returns
    -------
    list of TileArea
        In reading order of their first tiles. Their polygons are valid, do not overlap, and
        cover exactly the tiles.
    """
    areas: NDArray[np.int64] = label(classes, connectivity=1, background=NOT_CLASSIFIED)
    sizes = np.bincount(areas.ravel())[1:].tolist()
    _, firsts = np.unique(areas.ravel(), return_index=True)
    firsts = firsts[areas.ravel()[firsts] > 0]
    codes = classes.ravel()[firsts].tolist()
    rings: list[list[Ring]] = [[] for _ in sizes]
    for number, ring in _rings(classes, areas):
        rings[number - 1].append(ring)
    places = np.column_stack(np.divmod(firsts, classes.shape[1])).tolist()
    return [
        TileArea(code, size, (row, col), tuple(sorted(found, key=_area, reverse=True)))
        for code, size, (row, col), found in zip(codes, sizes, places, rings, strict=True)
    ]


def _rings(classes: NDArray[np.uint8], areas: NDArray[np.int64]) -> Iterator[tuple[int, Ring]]:
    """Yield each closed line around or inside an area, with the area's number."""
    rows, cols, sides, after = _borders(classes)
    numbers = areas[rows, cols].tolist()
    begins = np.array(_BEGINS)[sides]
    x, y = (cols + begins[:, 0]).tolist(), (rows + begins[:, 1]).tolist()
    side, following = sides.tolist(), after.tolist()
    seen = bytearray(len(side))
    for start in range(len(side)):
        if seen[start]:
            continue
        corners: list[Corner] = []
        here = start
        while not seen[here]:
            seen[here] = 1
            there = following[here]
            if side[there] != side[here]:
                corners.append((x[there], y[there]))
            here = there
        for ring in _simple(corners):
            yield numbers[start], ring


def _simple(corners: list[Corner]) -> Iterator[Ring]:
    """Split a line that touches itself at a corner into lines that don't."""
    walked: list[Corner] = []
    places: dict[Corner, int] = {}
    for corner in corners:
        if corner in places:
            begin = places[corner]
            loop = walked[begin:]
            for left in loop[1:]:
                del places[left]
            del walked[begin + 1 :]
            yield (*loop, loop[0])
        else:
            places[corner] = len(walked)
            walked.append(corner)
    yield (*walked, walked[0])


def _borders(
    classes: NDArray[np.uint8],
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """List the sides at which the class changes: row, col, side, and which one comes next.

    Who walks with the area at the right hand turns right if the tile has a side there, else goes
    straight on if the tile ahead has one, else turns left.
    """
    n_rows, n_cols = classes.shape
    padded = np.pad(classes, 1, constant_values=NOT_CLASSIFIED)
    outside = [padded[1 + dy : 1 + dy + n_rows, 1 + dx : 1 + dx + n_cols] for dy, dx in _OUTSIDE]
    border = np.stack([classes != other for other in outside], axis=2)
    border &= (classes != NOT_CLASSIFIED)[..., None]
    rows, cols, sides = np.nonzero(border)
    ahead, out = np.array(_AHEAD), np.array(_OUTSIDE)
    right = (sides + 1) % 4
    turns = border[rows, cols, right]
    far_rows, far_cols = rows + ahead[sides, 0], cols + ahead[sides, 1]
    # Where there is no turn, the tile ahead is of the same class, hence on the grid.
    far_rows, far_cols = np.where(turns, rows, far_rows), np.where(turns, cols, far_cols)
    straight = ~turns & border[far_rows, far_cols, sides]
    left = ~turns & ~straight
    next_rows = far_rows + np.where(left, out[sides, 0], 0)
    next_cols = far_cols + np.where(left, out[sides, 1], 0)
    next_sides = np.where(turns, right, np.where(straight, sides, (sides + 3) % 4))
    ids = (rows * n_cols + cols) * 4 + sides  # ascending, as nonzero lists them
    after = np.searchsorted(ids, (next_rows * n_cols + next_cols) * 4 + next_sides)
    return rows, cols, sides, after


def _area(ring: Ring) -> int:
    """Twice the area: positive for an outline, negative for a hole (clockwise as seen)."""
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(ring))
