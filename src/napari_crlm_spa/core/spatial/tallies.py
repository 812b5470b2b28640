"""Counts of a map from which its features follow: whole numbers, to be counted by parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classes import NOT_CLASSIFIED
from napari_crlm_spa.core.spatial.interaction import Neighborhoods, NeighborTally
from napari_crlm_spa.core.spatial.zones import Zone
from napari_crlm_spa.core.tissue_map import TissueMap


@dataclass(frozen=True, slots=True, eq=False)
class Tallies:
    """What is counted in a map.

    Parameters
    ----------
    zones
        Shape (classes + 1, zones), int64: tiles by grid code and `Zone`.
    neighbors
        What lies around the tumor tiles.
    """

    zones: NDArray[np.int64]
    neighbors: NeighborTally

    def counts(self, names: Sequence[str]) -> dict[str, int]:
        """Tiles per class name; classes without tiles count 0."""
        by_code = np.delete(self.zones.sum(axis=1), NOT_CLASSIFIED).tolist()
        return dict(zip(names, by_code, strict=True))


def tally(tissue_map: TissueMap, zone: NDArray[np.uint8], denominator: str) -> Tallies:
    """Count a map.

    Parameters
    ----------
    tissue_map, zone
        The map and the zones of its tiles, shape (rows, cols).
    denominator
        One of `DENOMINATORS`.
    """
    around = Neighborhoods(tissue_map, denominator)
    return Tallies(count_zones(tissue_map, zone), around.tally)


def count_zones(tissue_map: TissueMap, zone: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Count the tiles of each grid code in each zone: see `Tallies.zones`."""
    n_codes, n_zones = len(tissue_map.scheme) + 1, len(Zone)
    pairs = tissue_map.classes.astype(np.uint16) * n_zones + zone
    found = np.bincount(pairs.ravel(), minlength=n_codes * n_zones)
    return found.astype(np.int64).reshape(n_codes, n_zones)
