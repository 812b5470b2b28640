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

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.spatial.regions import TUMOR
from napari_crlm_spa.core.spatial.zones import TISSUES
from napari_crlm_spa.core.tissue_map import TissueMap

DENOMINATORS = ("tissue", "nine", "non_tumor")
BACKGROUND = "BACK"
#: No 3x3 neighborhood has more tiles.
MOST_TILES = 9


@dataclass(frozen=True, slots=True, eq=False)
class NeighborTally:
    """Whole numbers from which the mean shares follow, whatever part of a map they were counted in.

    Tallies of parts may be added and subtracted, so a map that was changed in a few places need
    not be counted again.

    Parameters
    ----------
    tumor_tiles
        Tumor tiles.
    border_tiles
        Those with at least one neighbor that is tissue but not tumor.
    neighbors
        Shape (tissues, 10), int64: at [t, d] how many tiles of the t-th of `TISSUES` lie around
        the tumor tiles whose shares are relative to d.
    """

    tumor_tiles: int
    border_tiles: int
    neighbors: NDArray[np.int64]

    def moved(self, before: NeighborTally, now: NeighborTally) -> NeighborTally:
        """Return the tally of a map of which a part had the tally `before` and has `now`."""
        return NeighborTally(
            self.tumor_tiles - before.tumor_tiles + now.tumor_tiles,
            self.border_tiles - before.border_tiles + now.border_tiles,
            self.neighbors - before.neighbors + now.neighbors,
        )

    def mean(self, tissue: str) -> float:
        """Mean share over all tumor tiles: the paper's feature; NaN without tumor."""
        return self._sum(tissue) / self.tumor_tiles if self.tumor_tiles else float("nan")

    def border_mean(self, tissue: str) -> float:
        """Mean share over the tumor tiles that border on other tissue; NaN if there are none.

        Unlike the paper's form it doesn't sink as a tumor grows and its inside outweighs its rim.
        """
        # Around the others there is no such tissue, so they add nothing to the sum.
        return self._sum(tissue) / self.border_tiles if self.border_tiles else float("nan")

    def _sum(self, tissue: str) -> float:
        by_denominator = self.neighbors[TISSUES.index(tissue), 1:]
        return float((by_denominator / np.arange(1, MOST_TILES + 1)).sum())


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
            self._denominator = np.full(len(self._at), MOST_TILES, np.uint8)
        elif denominator == "non_tumor":
            self._denominator = np.maximum(self._non_tumor, 1)
        else:
            self._denominator = tissue

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

    @cached_property
    def tally(self) -> NeighborTally:
        """Count what the means need."""
        neighbors = np.zeros((len(TISSUES), MOST_TILES + 1), np.int64)
        for at, tissue in enumerate(TISSUES):
            if tissue in self._map.scheme.names:
                found = self._around(self._map.mask(tissue))
                # Sums of whole numbers: exact as floats.
                neighbors[at] = np.bincount(self._denominator, found, MOST_TILES + 1)
        return NeighborTally(len(self._at), self.border_tiles, neighbors)

    def mean(self, tissue: str) -> float:
        """Mean share over all tumor tiles: see `NeighborTally.mean`."""
        return self.tally.mean(tissue)

    def border_mean(self, tissue: str) -> float:
        """Mean share over the tumor tiles at a border: see `NeighborTally.border_mean`."""
        return self.tally.border_mean(tissue)

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
