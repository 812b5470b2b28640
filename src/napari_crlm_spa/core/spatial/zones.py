"""Infiltrating, adjacent and distal: where a tile lies, given thresholds of the distance.

How the thresholds are found stands in `zone_fit`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.core.spatial.distance import distance_tiles, signed_distance_tiles
from napari_crlm_spa.core.spatial.mixture_model import MixtureModel
from napari_crlm_spa.core.spatial.regions import TumorRegions
from napari_crlm_spa.core.tissue_map import TissueMap

#: The five non-tumor tissues, in the order of the paper's columns.
TISSUES = ("STR", "DEB", "LYM", "HEP", "MUC")
#: Thresholds are maxima of computed distances: equal ones may differ in the last bits.
SLACK = 1e-9


class Zone(IntEnum):
    """Where a tile lies with respect to the tumor."""

    NONE = 0  # another tissue, or no threshold is known
    INFILTRATING = 1
    ADJACENT = 2  # between the two, with three components only
    DISTAL = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneOptions(Options):
    """How distances become zones."""

    components: int = option(
        2,
        "Groups of the mixture: 2, or 3 with a zone between",
        min=2,
        max=3,
        label="Distance groups",
    )
    variances: str = option(
        "auto",
        "E: equal variances, V: one per group, auto: by BIC",
        choices=("auto", "E", "V"),
        label="Variances of the groups",
        advanced=True,
    )
    inside: str = option(
        "infiltrating",
        "Tiles inside a tumor region (distance 0): infiltrating and left out of the fit; "
        "part of the fit; or with their depth as a negative distance",
        choices=("infiltrating", "fitted", "signed"),
        label="Tiles inside the tumor",
        advanced=True,
    )
    min_fit_tiles: int = option(
        20,
        "Fewer tiles of a tissue are not split",
        min=3,
        max=10_000,
        unit="tiles",
        advanced=True,
        label="Fewest tiles to split",
    )


def measured_distances(regions: TumorRegions, options: ZoneOptions) -> NDArray[np.float64]:
    """Distances in tiles on which the zones rest, shape (rows, cols): signed or not."""
    return signed_distance_tiles(regions) if options.inside == "signed" else distance_tiles(regions)


def zone_map(
    tissue_map: TissueMap,
    regions: TumorRegions,
    model: MixtureModel,
    distances: NDArray[np.float64] | None = None,
) -> NDArray[np.uint8]:
    """Give every tile of the five tissues its zone.

    Parameters
    ----------
    tissue_map, regions
        The map and its tumor regions.
    model
        The thresholds; for another tile size they are converted by way of micrometers.
    distances
        `measured_distances` with the model's rule for the inside, if there already.

    Returns
    -------
    ndarray
        Shape (rows, cols), uint8 of `Zone`.
    """
    if distances is None:
        distances = measured_distances(regions, ZoneOptions(inside=model.inside))
    n_codes = len(tissue_map.scheme) + 1
    near, far = np.full(n_codes, np.nan), np.full(n_codes, np.nan)
    for tissue in TISSUES:
        if tissue in tissue_map.scheme.names:
            code = tissue_map.scheme.code(tissue)
            near[code], far[code] = model.limits(tissue, tissue_map.stride_um)
    near, far = near + SLACK * np.abs(near), far + SLACK * np.abs(far)
    classes = tissue_map.classes
    zone = np.full(classes.shape, Zone.DISTAL, np.uint8)
    zone[distances <= far[classes]] = Zone.ADJACENT
    zone[distances <= near[classes]] = Zone.INFILTRATING
    zone[np.isnan(near)[classes] | np.isposinf(distances)] = Zone.NONE
    if model.inside != "signed":
        zone[regions.mask] = Zone.INFILTRATING
    tissues = [tissue_map.scheme.code(t) for t in TISSUES if t in tissue_map.scheme.names]
    of_interest = np.zeros(n_codes, dtype=bool)
    of_interest[tissues] = True
    zone[~of_interest[classes]] = Zone.NONE
    return zone


def zone_masks(tissue_map: TissueMap, zone: NDArray[np.uint8]) -> dict[str, NDArray[np.uint8]]:
    """Split `zone_map` by tissue: arrays of shape (rows, cols), uint8 of `Zone`, 0 elsewhere."""
    return {
        tissue: np.where(tissue_map.mask(tissue), zone, np.uint8(0))
        for tissue in TISSUES
        if tissue in tissue_map.scheme.names
    }
