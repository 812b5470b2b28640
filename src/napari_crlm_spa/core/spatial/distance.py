"""The shortest distance of every tile to the tumor regions.

"... the shortest distances from tissue patches to the tumor regions" (Qi et al. 2023, STAR
Methods): Euclidean, between tile centers, to the nearest tile of a region.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_crlm_spa.core.spatial.regions import TumorRegions


def distance_tiles(regions: TumorRegions) -> NDArray[np.float64]:
    """Distance to the nearest tile of a tumor region, in tiles.

    Returns
    -------
    ndarray
        Shape (rows, cols), float64: 0 inside, 1 for the neighbors above, below, left and
        right of a region, infinity everywhere if there is no region.
    """
    if len(regions) == 0:
        return np.full(regions.labels.shape, np.inf)
    return np.asarray(ndimage.distance_transform_edt(regions.labels == 0), dtype=np.float64)


def signed_distance_tiles(regions: TumorRegions) -> NDArray[np.float64]:
    """Like `distance_tiles`, but falling below 0 inside: 0 on the rim, -1 a tile deeper.

    Returns
    -------
    ndarray
        Shape (rows, cols), float64; infinity everywhere if there is no region, minus infinity
        if the region covers the whole grid.
    """
    outside = distance_tiles(regions)
    inside = regions.mask
    if not inside.any():
        return outside
    if inside.all():
        return np.full(inside.shape, -np.inf)
    depth = np.asarray(ndimage.distance_transform_edt(inside), dtype=np.float64)
    return np.where(inside, 1.0 - depth, outside)


def distance_um(regions: TumorRegions, stride_um: float) -> NDArray[np.float64]:
    """Distance to the nearest tile of a tumor region, in micrometers; see `distance_tiles`."""
    return distance_tiles(regions) * stride_um
