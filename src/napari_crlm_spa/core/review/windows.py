"""Which part of a map an edit can have changed, and the part's new regions and distances.

Everything here is exact: a window is chosen so that nothing outside of it can be different.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_crlm_spa.core.spatial import TumorRegionOptions, TumorRegions
from napari_crlm_spa.core.spatial.regions import closed, largest_group, regions_of_tumor

#: Where a window is as large as this part of the map, the whole map costs no more.
LARGEST_SHARE = 0.6
#: How far around a window the nearest tumor is looked for at first, in tiles.
FIRST_MARGIN = 16


@dataclass(frozen=True, slots=True)
class Window:
    """Rows `top` to `bottom` and columns `left` to `right` of a grid; the ends are not in it."""

    top: int
    bottom: int
    left: int
    right: int

    @classmethod
    def around(cls, mask: NDArray[np.bool_]) -> Window | None:
        """Return the smallest window that holds a mask, shape (rows, cols); None for an empty."""
        rows = np.flatnonzero(mask.any(axis=1))
        if not len(rows):
            return None
        top, bottom = int(rows[0]), int(rows[-1]) + 1
        cols = np.flatnonzero(mask[top:bottom].any(axis=0))
        return cls(top, bottom, int(cols[0]), int(cols[-1]) + 1)

    @property
    def at(self) -> tuple[slice, slice]:
        """As an index of an array."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def tiles(self) -> int:
        """How many tiles it has."""
        return (self.bottom - self.top) * (self.right - self.left)

    def grown(self, tiles: int, shape: tuple[int, int]) -> Window:
        """Return a window that is larger on all sides, as far as the grid goes."""
        return Window(
            max(self.top - tiles, 0),
            min(self.bottom + tiles, shape[0]),
            max(self.left - tiles, 0),
            min(self.right + tiles, shape[1]),
        )

    def joined(self, other: Window | None) -> Window:
        """Return the smallest window that holds both."""
        if other is None:
            return self
        return Window(
            min(self.top, other.top),
            max(self.bottom, other.bottom),
            min(self.left, other.left),
            max(self.right, other.right),
        )

    def inside(self, outer: Window) -> tuple[slice, slice]:
        """As an index of an array that holds the tiles of another window."""
        return (
            slice(self.top - outer.top, self.bottom - outer.top),
            slice(self.left - outer.left, self.right - outer.left),
        )

    def squared_distance(self, shape: tuple[int, int]) -> NDArray[np.int64]:
        """Squared distance of every tile of a grid to the nearest tile of the window."""
        rows, cols = np.arange(shape[0]), np.arange(shape[1])
        down = np.maximum(np.maximum(self.top - rows, rows - self.bottom + 1), 0)
        across = np.maximum(np.maximum(self.left - cols, cols - self.right + 1), 0)
        found: NDArray[np.int64] = down[:, None] ** 2 + across[None, :] ** 2
        return found

    def room(self, shape: tuple[int, int]) -> NDArray[np.float64]:
        """Distance of each of its tiles to the nearest tile of the grid outside of it.

        Returns
        -------
        ndarray
            Shape of the window; infinite where the window is the whole grid.
        """
        rows, cols = np.arange(self.top, self.bottom), np.arange(self.left, self.right)
        far = np.inf
        down = np.minimum(
            rows - self.top + 1 if self.top > 0 else far,
            self.bottom - rows if self.bottom < shape[0] else far,
        ) + np.zeros(len(rows))
        across = np.minimum(
            cols - self.left + 1 if self.left > 0 else far,
            self.right - cols if self.right < shape[1] else far,
        ) + np.zeros(len(cols))
        return np.minimum(down[:, None], across[None, :])


def follow_regions(
    before: TumorRegions,
    tumor_before: NDArray[np.bool_],
    tumor: NDArray[np.bool_],
    changed: Window,
    options: TumorRegionOptions,
) -> TumorRegions:
    """Find the tumor regions of a map that was changed within a window.

    Parameters
    ----------
    before
        The regions before; their `labels` are taken over where no region has another outline.
    tumor_before, tumor
        Tumor tiles before and now, shape (rows, cols).
    changed
        Where they may differ.
    options
        How regions are found.

    Returns
    -------
    TumorRegions
        Equal to ``regions_of_tumor(tumor, options)``; `before` itself if no tumor tile changed.
    """
    here, was_here = tumor[changed.at], tumor_before[changed.at]
    differs = here != was_here
    if not differs.any():
        return before
    seen = changed.grown(options.reach, tumor.shape)
    needed = seen.grown(options.reach, tumor.shape)
    masks = (closed(each[needed.at], options) for each in (tumor_before, tumor))
    was, now = (mask[seen.inside(needed)] for mask in masks)
    if not np.array_equal(was, now):
        return regions_of_tumor(tumor, options)
    labels = before.labels[changed.at]
    n = len(before) + 1
    more = np.bincount(labels[here & differs], minlength=n)
    fewer = np.bincount(labels[was_here & differs], minlength=n)
    return replace(
        before,
        tumor_tiles=before.tumor_tiles + (more - fewer)[1:],
        contiguous_tumor_tiles=largest_group(tumor),
    )


def changed_outline(before: TumorRegions, now: TumorRegions) -> Window | None:
    """Return where a tile is in a region and was not, or the reverse; None if nowhere."""
    if now.labels is before.labels:
        return None
    return Window.around((now.labels > 0) != (before.labels > 0))


def follow_distances(
    before: NDArray[np.float64], regions: TumorRegions, changed: Window
) -> tuple[NDArray[np.float64], Window] | None:
    """Compute the distances to tumor regions whose outline changed within a window.

    Parameters
    ----------
    before
        Distances to the regions before, shape (rows, cols), in tiles.
    regions
        The regions now.
    changed
        Where tiles came into or left a region.

    Returns
    -------
    distances, window
        Equal to ``distance_tiles(regions)``, and where they may differ from `before`; None if
        the window is so large that the whole is as quick.

    Notes
    -----
    Only a tile whose nearest region tile was in the window, or that is nearer to the window than
    to any region tile, can have another distance: those with ``before >= distance to window``.
    """
    shape = before.shape[0], before.shape[1]
    if not len(regions) or np.isinf(before[0, 0]):
        return None
    # Half a unit: the squares are whole numbers, but roots are rounded.
    touched = Window.around(before * before + 0.5 >= changed.squared_distance(shape))
    assert touched is not None
    most, margin = LARGEST_SHARE * before.size, FIRST_MARGIN
    while (outer := touched.grown(margin, shape)).tiles <= most:
        outside = regions.labels[outer.at] == 0
        if not outside.all():
            inner = touched.inside(outer)
            found = np.asarray(ndimage.distance_transform_edt(outside), np.float64)[inner]
            # What lies outside of `outer` is not nearer than that.
            if (found <= outer.room(shape)[inner]).all():
                distances = before.copy()
                distances[touched.at] = found
                return distances, touched
        margin *= 2
    return None
