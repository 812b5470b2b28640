"""The nearest tile of a kind, measured to its side and not to its center.

Exact and independent of the map's size: only tiles that lie beside another kind can be nearest to
a point outside, and a search tree holds their centers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import KDTree

from napari_crlm_spa.core.spatial.regions import FOUR

#: The tile with the nearest side is among so many nearest centers.
_CANDIDATES = 5
_HALF_DIAGONAL = 0.71


class NearestTile:
    """Finds the nearest tile of a mask.

    Parameters
    ----------
    mask
        Shape (rows, cols).
    reach
        How far to look, in tiles.
    """

    def __init__(self, mask: NDArray[np.bool_], reach: float) -> None:
        edge = mask & ~ndimage.binary_erosion(mask, FOUR)
        self._centers = np.argwhere(edge).astype(np.float64)
        self._tree = KDTree(self._centers) if len(self._centers) else None
        self._reach = reach

    def __call__(
        self, points: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Find the nearest point of the mask's tiles.

        Parameters
        ----------
        points
            Shape (n, 2), (row, col) in tiles; tile centers lie at whole numbers. None of them deep
            inside the mask.

        Returns
        -------
        gap, nearest
            Distance in tiles, shape (n,), 0 inside a tile and infinite beyond the reach; and the
            nearest point, shape (n, 2), NaN beyond the reach.
        """
        gap = np.full(len(points), np.inf)
        nearest = np.full((len(points), 2), np.nan)
        if self._tree is None or not len(points):
            return gap, nearest
        limit = self._reach + _HALF_DIAGONAL
        _, found = self._tree.query(points, _CANDIDATES, distance_upper_bound=limit)
        for candidate in np.asarray(found).T:
            there = np.flatnonzero(candidate < len(self._centers))
            center = self._centers[candidate[there]]
            closest = np.clip(points[there], center - 0.5, center + 0.5)
            distance = np.hypot(*(points[there] - closest).T)
            better = (distance < gap[there]) & (distance <= self._reach)
            gap[there[better]] = distance[better]
            nearest[there[better]] = closest[better]
        return gap, nearest
