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


def nearest_tile(
    points: NDArray[np.float64], mask: NDArray[np.bool_], reach: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find the nearest point of a mask's tiles.

    Parameters
    ----------
    points
        Shape (n, 2), (row, col) in tiles; tile centers lie at whole numbers.
    mask
        Shape (rows, cols).
    reach
        How far to look, in tiles.

    Returns
    -------
    gap, nearest
        Distance in tiles, shape (n,), 0 inside a tile and infinite beyond `reach`; and the nearest
        point, shape (n, 2), NaN beyond `reach`.
    """
    gap = np.full(len(points), np.inf)
    nearest = np.full((len(points), 2), np.nan)
    edge = mask & ~ndimage.binary_erosion(mask, FOUR)
    centers = np.argwhere(edge).astype(np.float64)
    if not len(centers) or not len(points):
        return gap, nearest
    limit = reach + _HALF_DIAGONAL
    _, found = KDTree(centers).query(points, _CANDIDATES, distance_upper_bound=limit)
    for candidate in np.asarray(found).T:
        there = np.flatnonzero(candidate < len(centers))
        center = centers[candidate[there]]
        closest = np.clip(points[there], center - 0.5, center + 0.5)
        distance = np.hypot(*(points[there] - closest).T)
        better = (distance < gap[there]) & (distance <= reach)
        gap[there[better]] = distance[better]
        nearest[there[better]] = closest[better]
    return gap, nearest
