"""What single tumor tiles hold up: places of the grown and shrunk tumor, and the risk itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_crlm_spa.core.review.relabeling import Flags
from napari_crlm_spa.core.spatial import TumorRegionOptions
from napari_crlm_spa.core.spatial.regions import EIGHT, FOUR, filled

Ints = NDArray[np.int64]

#: In a map of holes: what is open to the border of the grid.
OUTSIDE = -1


@dataclass(frozen=True, slots=True, eq=False)
class ClosedTumor:
    """The tumor grown and shrunk, and the tiles that it loses without any one tumor tile.

    Parameters
    ----------
    mask
        Grown and shrunk, holes not filled, shape (rows, cols).
    lost
        By flat position of the tumor tile: flat positions in `mask` that go with it.
    """

    mask: Flags
    lost: dict[int, Ints]


def closed_tumor(tumor: Flags, options: TumorRegionOptions, within: Flags) -> ClosedTumor:
    """Find what each tumor tile alone holds up.

    A place is grown tumor thanks to one tile alone if its box holds no other tumor tile; places
    shrink away if such a one lies in their (smaller) box.

    Parameters
    ----------
    tumor
        Shape (rows, cols).
    options
        The boxes.
    within
        Only losses there are of interest (a tumor region), shape (rows, cols).
    """
    n_rows, n_cols = tumor.shape
    count = _box_sum(tumor.astype(np.int64), options.dilate_tiles)
    flat = np.arange(tumor.size, dtype=np.int64).reshape(tumor.shape)
    owner = _box_sum(np.where(tumor, flat, 0), options.dilate_tiles)
    mask = _box_sum((count == 0).astype(np.int64), options.erode_tiles) == 0
    kept = mask & within
    reach = options.erode_tiles // 2
    rows, cols = np.nonzero(count == 1)
    pairs = []
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            r, c = rows + down, cols + right
            usable = (r >= 0) & (r < n_rows) & (c >= 0) & (c < n_cols)
            usable[usable] = kept[r[usable], c[usable]]
            from_tile = owner[rows[usable], cols[usable]]
            pairs.append(from_tile * tumor.size + r[usable] * n_cols + c[usable])
    found = np.unique(np.concatenate(pairs))
    tiles, lost = found // tumor.size, found % tumor.size
    starts = np.flatnonzero(np.diff(tiles, prepend=-1))
    parts = np.split(lost, starts[1:]) if len(starts) else []
    return ClosedTumor(mask, dict(zip(tiles[starts].tolist(), parts, strict=True)))


def numbered_holes(mask: Flags) -> NDArray[np.int32]:
    """Give each hole a number from 1; 0: in the mask; `OUTSIDE`: open to the border."""
    inside = filled(mask)
    holes = np.asarray(ndimage.label(inside & ~mask, FOUR)[0], np.int32)
    holes[~inside] = OUTSIDE
    return holes


def _box_sum(grid: Ints, side: int) -> Ints:
    """Sum over a square box around each place; beyond the border there is nothing."""
    half = side // 2
    for axis in (0, 1):
        width = [(0, 0), (0, 0)]
        width[axis] = (half + 1, half)
        ends = np.cumsum(np.pad(grid, width), axis=axis)
        n = ends.shape[axis]
        upper, lower = np.arange(side, n), np.arange(n - side)
        grid = ends.take(upper, axis=axis) - ends.take(lower, axis=axis)
    return grid


def refused_without(tumor: Flags, least: int) -> Iterator[int]:
    """Yield tumor tiles without which no contiguous group of at least `least` tiles is left.

    Parameters
    ----------
    tumor
        Shape (rows, cols).
    least
        `SpatialOptions.min_tumor_tiles`.

    Yields
    ------
    int
        Flat position of such a tile, or -1 for "still looking".
    """
    labels, n_labels = ndimage.label(tumor, EIGHT)
    sizes = np.bincount(labels.ravel(), minlength=n_labels + 1)[1:]
    large = np.flatnonzero(sizes >= least) + 1
    # A tile has eight neighbors in at most four groups, so its removal leaves a quarter.
    if len(large) != 1 or sizes[large[0] - 1] - 1 >= 4 * least:
        return
    box = ndimage.find_objects(labels)[large[0] - 1]
    group = labels[box] == large[0]
    top, left = box[0].start, box[1].start
    for row, col in np.argwhere(group):
        group[row, col] = False
        flat = (row + top) * tumor.shape[1] + col + left
        yield int(flat) if not _holds(group, least) else -1
        group[row, col] = True


def _holds(group: Flags, least: int) -> bool:
    labels, n_labels = ndimage.label(group, EIGHT)
    return bool(n_labels) and int(np.bincount(labels.ravel())[1:].max()) >= least
