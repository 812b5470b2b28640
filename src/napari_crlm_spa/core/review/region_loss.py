"""Which tumor tiles hold a tumor region up, and what their removal does to the zones.

A region is the tumor, grown by a box and shrunk by a smaller one, its holes filled, small islands
dropped. Without one tumor tile it can only shrink. Most removals change nothing; most others
take a few tiles off the rim, which is worked out on the spot: distances change only where those
tiles were the nearest, and zones only where a distance was within a few tiles of its threshold.
That includes holes that open and islands that fall off, up to `MOST_TAKEN` tiles. The rest (more
tiles, the last region, thresholds at a negative signed distance) is computed anew in full.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from napari_crlm_spa.core.review.relabeling import Flags, Floats, Relabeling
from napari_crlm_spa.core.review.tumor_hold import OUTSIDE, Ints, closed_tumor, numbered_holes
from napari_crlm_spa.core.spatial import Zone
from napari_crlm_spa.core.spatial.regions import EIGHT, FOUR

#: Beyond so many tiles that leave the regions at once, computing all anew is quicker.
MOST_TAKEN = 400


class RegionLoss:
    """The zones after the removal of a tumor tile that holds a region up.

    Parameters
    ----------
    counted
        The counts of the map.
    """

    def __init__(self, counted: Relabeling) -> None:
        features = counted.features
        self._counted = counted
        self._regions = features.regions
        self._options = features.options.regions
        tumor = features.tissue_map.classes == counted.tumor_code
        region = self._regions.mask
        self._closed = closed_tumor(tumor, self._options, region)
        self._holes = numbered_holes(self._closed.mask) if self._options.fill_holes else None
        self._boxes = ndimage.find_objects(self._regions.labels)
        limits = np.concatenate([counted.rule.near, counted.rule.far])
        # Signed distances inside matter only to a threshold that lies inside.
        self._simple = not (counted.rule.signed and bool((limits < 0).any()))
        if self._closed.lost and self._simple:
            self._index(region)

    def tiles(self) -> list[int]:
        """Flat positions of the tumor tiles whose removal may change a region."""
        return list(self._closed.lost)

    def zone_counts(self, tile: int) -> NDArray[np.int64] | None:
        """Tiles by class code and zone without one tumor tile; None if only a full run can tell.

        Returns
        -------
        ndarray or None
            Shape (classes + 1, zones), tissue classes only (the others stay as they are).
        """
        taken = self._taken(self._closed.lost[tile]) if self._simple else None
        if taken is None:
            return None
        counts = self._counted.in_zones.copy()
        if len(taken):
            self._move(taken, counts)
        return counts

    def _taken(self, lost: Ints) -> Ints | None:
        """Tiles that leave the regions; None if no region is left, or if they are very many."""
        opened = lost if self._holes is None else self._open(lost)
        if not len(opened):
            return opened
        labels = self._regions.labels
        touched = np.unique(labels.ravel()[opened])
        dropped = [self._dropped(int(label), opened) for label in touched]
        taken = np.concatenate([opened, *dropped])
        none_left = len(taken) == int(self._regions.sizes.sum())
        return None if none_left or len(taken) > MOST_TAKEN else taken

    def _dropped(self, label: int, opened: Ints) -> Ints:
        """Tiles of a region that are islands of less than the least size without those opened."""
        labels, least = self._regions.labels, self._options.min_tiles
        n_cols = labels.shape[1]
        rows, cols = np.divmod(opened, n_cols)
        top, left = max(rows.min() - 2, 0), max(cols.min() - 2, 0)
        window = labels[top : rows.max() + 3, left : cols.max() + 3] == label
        gone = np.zeros(window.shape, np.bool_)
        gone[rows - top, cols - left] = True
        remaining = int(self._regions.sizes[label - 1]) - int((window & gone).sum())
        parts = ndimage.label(window & ~gone, EIGHT)[0]
        rim = ndimage.binary_dilation(gone, EIGHT) & window & ~gone
        # One piece around the gap: the region hangs together by it.
        if remaining >= least and len(np.unique(parts[rim])) == 1:
            return np.empty(0, np.int64)
        box = self._boxes[label - 1]
        left_over = labels[box] == label
        here = labels.ravel()[opened] == label
        left_over[rows[here] - box[0].start, cols[here] - box[1].start] = False
        pieces, n_pieces = ndimage.label(left_over, EIGHT)
        sizes = np.bincount(pieces.ravel(), minlength=n_pieces + 1)
        small = sizes < least
        small[0] = False
        r, c = np.nonzero(small[pieces])
        found: Ints = (r + box[0].start) * n_cols + c + box[1].start
        return found

    def _open(self, lost: Ints) -> Ints:
        """Those of the lost tiles that are not filled again, and the holes that open with them."""
        assert self._holes is not None
        n_rows, n_cols = self._holes.shape
        rows, cols = np.divmod(lost, n_cols)
        top, left = max(rows.min() - 1, 0), max(cols.min() - 1, 0)
        window = np.s_[top : rows.max() + 2, left : cols.max() + 2]
        holes = self._holes[window]
        gone = np.zeros(holes.shape, np.bool_)
        gone[rows - top, cols - left] = True
        parts, n_parts = ndimage.label(gone, FOUR)
        beside_outside = gone & ndimage.binary_dilation(holes == OUTSIDE, FOUR)
        at_border = (rows == 0) | (rows == n_rows - 1) | (cols == 0) | (cols == n_cols - 1)
        beside_outside[rows[at_border] - top, cols[at_border] - left] = True
        links = [
            np.unique(holes[(holes > 0) & ndimage.binary_dilation(parts == part, FOUR)])
            for part in range(1, n_parts + 1)
        ]
        opened = {int(part) for part in np.unique(parts[beside_outside])}
        open_holes: set[int] = set()
        grew = bool(opened)
        while grew:
            open_holes.update(int(hole) for part in opened for hole in links[part - 1])
            more = {p for p in range(1, n_parts + 1) if open_holes.intersection(links[p - 1])}
            grew = not more <= opened
            opened |= more
        freed = lost[np.isin(parts[rows - top, cols - left], list(opened))]
        if not open_holes:
            return freed
        return np.concatenate([freed, np.flatnonzero(np.isin(self._holes, list(open_holes)))])

    # -- distances ------------------------------------------------------------------------

    def _index(self, region: Flags) -> None:
        """Sort the tiles that a shrinking region can move to a farther zone by their nearest."""
        counted = self._counted
        classes, zone = counted.classes, counted.features.zone.ravel()
        nearest = ndimage.distance_transform_edt(
            ~region, return_distances=False, return_indices=True
        )
        flat = np.ravel_multi_index(tuple(nearest), region.shape).ravel()
        near_enough = (zone == Zone.INFILTRATING) | (zone == Zone.ADJACENT)
        movable = np.flatnonzero(near_enough & ~region.ravel() & counted.rule.is_tissue[classes])
        self._movable = movable[np.argsort(flat[movable], kind="stable")]
        self._nearest = flat[self._movable]
        self._limits = np.where(
            zone[self._movable] == Zone.INFILTRATING,
            counted.rule.near[classes[self._movable]],
            counted.rule.far[classes[self._movable]],
        )
        self._distance = counted.features.distance_tiles.ravel()[self._movable]
        rim = region & ~ndimage.binary_erosion(region, FOUR, border_value=1)
        self._rim = np.flatnonzero(rim)
        self._tree = cKDTree(self._places(self._rim)) if len(self._rim) else None

    def _places(self, flat: Ints) -> Floats:
        return np.stack(np.divmod(flat, self._regions.labels.shape[1]), axis=-1).astype(float)

    def _move(self, taken: Ints, counts: NDArray[np.int64]) -> None:
        """Count the tiles that lie in another zone once `taken` has left the regions."""
        counted = self._counted
        exposed = self._exposed(taken)
        depth = _least(self._places(taken), self._places(exposed)).max()
        cells = self._cells(taken)
        close = self._distance[cells] + depth > self._limits[cells] - 1e-6
        affected = np.concatenate([self._movable[cells[close]], taken])
        codes = counted.classes[affected]
        affected, codes = (
            affected[counted.rule.is_tissue[codes]],
            codes[counted.rule.is_tissue[codes]],
        )
        distances = self._distances_without(affected, taken, exposed)
        zones = counted.rule.zones(codes, distances, np.zeros(len(codes), np.bool_))
        np.subtract.at(counts, (codes, counted.features.zone.ravel()[affected]), 1)
        np.add.at(counts, (codes, zones), 1)

    def _exposed(self, taken: Ints) -> Ints:
        """Region tiles beside those that were taken, which form the rim there now."""
        labels = self._regions.labels
        n_rows, n_cols = labels.shape
        rows, cols = np.divmod(taken, n_cols)
        found = []
        for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)):
            r, c = rows + down, cols + right
            usable = (r >= 0) & (r < n_rows) & (c >= 0) & (c < n_cols)
            usable[usable] = labels[r[usable], c[usable]] > 0
            found.append(r[usable] * n_cols + c[usable])
        return np.setdiff1d(np.concatenate(found), taken)

    def _cells(self, taken: Ints) -> Ints:
        """Positions in `_movable` of the tiles whose nearest region tile was taken."""
        first = np.searchsorted(self._nearest, taken, side="left")
        last = np.searchsorted(self._nearest, taken, side="right")
        return np.concatenate([np.arange(a, b) for a, b in zip(first, last, strict=True)])

    def _distances_without(self, tiles: Ints, taken: Ints, exposed: Ints) -> Floats:
        """Distances to the regions that are left, in tiles."""
        places = self._places(tiles)
        found = _least(places, self._places(exposed))
        if self._tree is None or not len(tiles):
            return found
        k = min(len(taken) + 1, len(self._rim))
        near = self._tree.query(places, k=np.arange(1, k + 1))[1]
        sites = self._rim[near]
        squares = ((self._places(sites) - places[:, None]) ** 2).sum(axis=2)
        squares[np.isin(sites, taken)] = np.inf
        elsewhere: Floats = np.sqrt(squares.min(axis=1))
        return np.minimum(found, elsewhere)


def _least(places: Floats, sites: Floats) -> Floats:
    """Distance of each place to the nearest site."""
    squares = ((places[:, None] - sites[None]) ** 2).sum(axis=2)
    found: Floats = np.sqrt(squares.min(axis=1, initial=np.inf))
    return found
