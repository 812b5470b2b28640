"""Tumor interaction: what lies around each tumor tile, in its 3x3 neighborhood.

"... relative proportions of non-tumor tissue patches assigned to different tissue types in each
3x3 region", averaged over all tumor tiles (Qi et al. 2023). What the proportions are relative
to isn't said, so the denominator is an option:

``tissue``
    all classified tiles of the 3x3 but background, the tumor tile in the middle included (the
    authors' later code counts so);
``nine``
    always 9;
``non_tumor``
    those that are neither tumor nor background; a tumor tile without such a neighbor counts 0.

Beyond the border of the grid there is no tile.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.spatial.regions import TUMOR
from napari_crlm_spa.core.spatial.zones import TISSUES
from napari_crlm_spa.core.tissue_map import TissueMap

DENOMINATORS = ("tissue", "nine", "non_tumor")
BACKGROUND = "BACK"


class Neighborhoods:
    """Counts in the 3x3 neighborhood of every tumor tile.

    Parameters
    ----------
    tissue_map
        The classes on the grid.
    denominator
        One of `DENOMINATORS`.
    """

    def __init__(self, tissue_map: TissueMap, denominator: str = "tissue") -> None:
        self._map = tissue_map
        self._tumor = tissue_map.mask(TUMOR)
        self._at = np.flatnonzero(self._tumor)
        valid = tissue_map.classes > 0
        if BACKGROUND in tissue_map.scheme.names:
            valid &= ~tissue_map.mask(BACKGROUND)
        tissue = self._around(valid)
        self._non_tumor = tissue - self._around(self._tumor)
        if denominator == "nine":
            self._denominator = np.full(len(self._at), 9.0)
        elif denominator == "non_tumor":
            self._denominator = np.maximum(self._non_tumor, 1).astype(np.float64)
        else:
            self._denominator = tissue.astype(np.float64)

    def __len__(self) -> int:
        return len(self._at)

    @property
    def border_tiles(self) -> int:
        """Tumor tiles with at least one neighbor that is tissue but not tumor."""
        return int(np.count_nonzero(self._non_tumor))

    def shares(self, tissue: str) -> NDArray[np.float64]:
        """Share of a tissue around each tumor tile, shape (tumor tiles,), in reading order."""
        if tissue not in self._map.scheme.names:
            return np.zeros(len(self._at))
        found: NDArray[np.float64] = self._around(self._map.mask(tissue)) / self._denominator
        return found

    def mean(self, tissue: str) -> float:
        """Mean share over all tumor tiles: the paper's feature; NaN without tumor."""
        return float(self.shares(tissue).mean()) if len(self._at) else float("nan")

    def border_mean(self, tissue: str) -> float:
        """Mean share over the tumor tiles that border on other tissue; NaN if there are none.

        Unlike the paper's form it doesn't sink as a tumor grows and its inside outweighs its rim.
        """
        border = self._non_tumor > 0
        return float(self.shares(tissue)[border].mean()) if border.any() else float("nan")

    def share_map(self, tissue: str) -> NDArray[np.float32]:
        """Shares on the grid, shape (rows, cols), float32 of 0-1; NaN where there is no tumor."""
        out = np.full(self._map.classes.size, np.nan, np.float32)
        out[self._at] = self.shares(tissue)
        return out.reshape(self._map.shape)

    def _around(self, mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """Tiles of `mask` in the 3x3 around each tumor tile."""
        padded = np.pad(mask.astype(np.uint8), 1)
        rows = padded[:-2] + padded[1:-1] + padded[2:]
        counts = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
        found: NDArray[np.uint8] = counts.ravel()[self._at]
        return found


def interaction_maps(
    tissue_map: TissueMap, denominator: str = "tissue"
) -> dict[str, NDArray[np.float32]]:
    """Interaction of every tumor tile, by tissue, for heat maps.

    Returns
    -------
    dict
        Tissue to array of shape (rows, cols), float32: 0-1 on tumor tiles, NaN elsewhere.
    """
    around = Neighborhoods(tissue_map, denominator)
    return {tissue: around.share_map(tissue) for tissue in TISSUES}
