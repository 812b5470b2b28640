"""Spatial organization features (SOFs): 20 numbers that describe a tissue map.

A pure function of the map: a corrected tile changes the numbers at once, the network is never
asked again. Formulas and sources of each number stand in `FEATURES` (`definitions`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classes import NOT_CLASSIFIED
from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.core.spatial.definitions import FEATURES, column_name
from napari_crlm_spa.core.spatial.distance import distance_tiles
from napari_crlm_spa.core.spatial.interaction import BACKGROUND, DENOMINATORS, Neighborhoods
from napari_crlm_spa.core.spatial.mixture_model import MixtureModel
from napari_crlm_spa.core.spatial.notes import notes, refusal
from napari_crlm_spa.core.spatial.regions import (
    TumorRegionOptions,
    TumorRegions,
    tumor_regions,
)
from napari_crlm_spa.core.spatial.tallies import Tallies, tally
from napari_crlm_spa.core.spatial.zone_fit import fit_zones, fitted_distances
from napari_crlm_spa.core.spatial.zones import (
    TISSUES,
    Zone,
    ZoneOptions,
    measured_distances,
    zone_map,
    zone_masks,
)
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import TooLittleTumor


@dataclass(frozen=True, slots=True, kw_only=True)
class SpatialOptions(Options):
    """How the spatial features are computed."""

    # Frozen, so one default may serve all.
    regions: TumorRegionOptions = option(  # noqa: RUF009
        TumorRegionOptions(), "How tumor regions are found", label="Tumor regions"
    )
    zones: ZoneOptions = option(ZoneOptions(), "How distances are split", label="Zones")  # noqa: RUF009
    interaction_denominator: str = option(
        "tissue",
        "What the 3x3 shares are relative to: classified tissue tiles, 9, or non-tumor tissue",
        choices=DENOMINATORS,
        label="Interaction relative to",
    )
    count_background: bool = option(
        False, "Count background tiles among all tissue tiles", advanced=True
    )
    count_edge: bool = option(
        True, "Count tiles that reach beyond the slide and were padded", advanced=True
    )
    min_tumor_tiles: int = option(
        50,
        "A slide with fewer contiguous tumor tiles gets no risk (the paper's rule)",
        label="Fewest contiguous tumor tiles",
        min=1,
        max=100_000,
        unit="tiles",
        advanced=True,
    )


@dataclass(frozen=True, slots=True, eq=False)
class SpatialFeatures:
    """The SOFs of a slide and everything they rest on.

    Parameters
    ----------
    values
        The 20 SOFs by the paper's column names, in its order. NaN: can't be computed; why stands
        in `notes`.
    border_interaction
        Interaction over the tumor tiles that border on other tissue only, by tissue.
    overall
        Share of every tissue incl. tumor, by class name; they sum to 1.
    counts
        Tiles by class name, as counted (see `SpatialOptions.count_edge`).
    tissue_tiles
        The denominator of all ratios.
    regions
        The tumor regions.
    distance_tiles
        Distance of every tile to them, shape (rows, cols), in tiles; infinite without a region.
    mixture
        The thresholds that were used.
    zone
        Shape (rows, cols), uint8 of `Zone`.
    refusal
        Why this slide gets no risk, in a sentence; None if it may.
    notes
        What a reader should know about the numbers, in sentences.
    tissue_map, options
        What they were computed from (edge tiles removed if they don't count), and how.
    tallies
        The counts behind values and border_interaction.
    """

    values: dict[str, float]
    border_interaction: dict[str, float]
    overall: dict[str, float]
    counts: dict[str, int]
    tissue_tiles: int
    regions: TumorRegions
    distance_tiles: NDArray[np.float64]
    mixture: MixtureModel
    zone: NDArray[np.uint8]
    refusal: str | None
    notes: tuple[str, ...]
    tissue_map: TissueMap = field(repr=False)
    options: SpatialOptions
    tallies: Tallies = field(repr=False)

    @property
    def distance_um(self) -> NDArray[np.float64]:
        """Distance of every tile to the tumor regions in micrometers, shape (rows, cols)."""
        return self.distance_tiles * self.tissue_map.stride_um

    def zone_masks(self) -> dict[str, NDArray[np.uint8]]:
        """Zones by tissue: shape (rows, cols), uint8 of `Zone`, 0 elsewhere."""
        return zone_masks(self.tissue_map, self.zone)

    def interaction_maps(self) -> dict[str, NDArray[np.float32]]:
        """Interaction of each tumor tile by tissue, shape (rows, cols), 0-1, NaN elsewhere."""
        around = Neighborhoods(self.tissue_map, self.options.interaction_denominator)
        return {tissue: around.share_map(tissue) for tissue in TISSUES}

    def require_risk(self) -> None:
        """Insist that the slide may get a risk.

        Raises
        ------
        TooLittleTumor
            If it is refused one; the message is `refusal`.
        """
        if self.refusal is not None:
            raise TooLittleTumor(self.refusal)

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers without the arrays, ready for JSON (NaN becomes None)."""
        return {
            "values": {key: _or_none(value) for key, value in self.values.items()},
            "border_interaction": {k: _or_none(v) for k, v in self.border_interaction.items()},
            "overall": {key: _or_none(value) for key, value in self.overall.items()},
            "counts": dict(self.counts),
            "tissue_tiles": self.tissue_tiles,
            "tumor_regions": [int(size) for size in self.regions.sizes],
            "contiguous_tumor_tiles": self.regions.contiguous_tumor_tiles,
            "refusal": self.refusal,
            "notes": list(self.notes),
            "options": self.options.as_dict(),
        }


def spatial_features(
    tissue_map: TissueMap,
    options: SpatialOptions | None = None,
    mixture: MixtureModel | None = None,
) -> SpatialFeatures:
    """Compute the 20 SOFs of a tissue map.

    Parameters
    ----------
    tissue_map
        The classes on the grid.
    options
        Regions, zones, denominators.
    mixture
        Distance thresholds from a file or from before an edit; fitted to this slide if None.

    Returns
    -------
    SpatialFeatures
        Also for a slide without (enough) tumor; then `refusal` says why it gets no risk.

    Raises
    ------
    ModelError
        If the class scheme has no tumor class.
    """
    options = options or SpatialOptions()
    counted = counted_map(tissue_map, options)
    regions = tumor_regions(counted, options.regions)
    rule = options.zones if mixture is None else replace(options.zones, inside=mixture.inside)
    measured = measured_distances(regions, rule)
    fitted_here = mixture is None
    if mixture is None:
        fit = fitted_distances(counted, regions, rule, distances=measured)
        mixture = fit_zones(fit, rule, options.regions)
    zone = zone_map(counted, regions, mixture, measured)
    distances = measured if rule.inside != "signed" else distance_tiles(regions)
    return features_of(counted, regions, distances, zone, mixture, options, fitted_here=fitted_here)


def features_of(
    counted: TissueMap,
    regions: TumorRegions,
    distances: NDArray[np.float64],
    zone: NDArray[np.uint8],
    mixture: MixtureModel,
    options: SpatialOptions,
    *,
    fitted_here: bool,
    tallies: Tallies | None = None,
) -> SpatialFeatures:
    """Compute the SOFs once regions, distances and zones are there.

    Parameters
    ----------
    counted
        What `counted_map` returns.
    regions, distances, zone
        Its tumor regions, the distance to them (`distance_tiles`), and the zones by `mixture`.
    mixture, options
        The thresholds, and how the features are computed.
    fitted_here
        Whether the thresholds were fitted to this very map.
    tallies
        The map's, if they are there already.
    """
    if tallies is None:
        tallies = tally(counted, zone, options.interaction_denominator)
    around, counts = tallies.neighbors, tallies.counts(counted.scheme.names)
    total, overall = _overall(counts, options)
    values = _values(counted, tallies, overall, total, has_region=len(regions) > 0)
    return SpatialFeatures(
        values=values,
        border_interaction={tissue: around.border_mean(tissue) for tissue in TISSUES},
        overall=overall,
        counts=counts,
        tissue_tiles=total,
        regions=regions,
        distance_tiles=distances,
        mixture=mixture,
        zone=zone,
        refusal=refusal(regions, around.tumor_tiles, options.min_tumor_tiles),
        notes=tuple(
            notes(counts, regions, mixture, values, options.regions, fitted_here=fitted_here)
        ),
        tissue_map=counted,
        options=options,
        tallies=tallies,
    )


def counted_map(tissue_map: TissueMap, options: SpatialOptions) -> TissueMap:
    """Return the map with edge tiles taken out if the options say that they don't count."""
    if options.count_edge or not tissue_map.edge.any():
        return tissue_map
    classes = np.where(tissue_map.edge, np.uint8(NOT_CLASSIFIED), tissue_map.classes)
    return replace(tissue_map, classes=classes)


def _overall(counts: dict[str, int], options: SpatialOptions) -> tuple[int, dict[str, float]]:
    """Count all tissue tiles; give each class's share of it."""
    counted = {
        name: n for name, n in counts.items() if name != BACKGROUND or options.count_background
    }
    total = sum(counted.values())
    return total, {name: n / total if total else float("nan") for name, n in counted.items()}


def _values(
    tissue_map: TissueMap,
    tallies: Tallies,
    overall: dict[str, float],
    total: int,
    *,
    has_region: bool,
) -> dict[str, float]:
    """Gather the SOFs in the paper's order; NaN where a number can't be computed."""
    found = dict.fromkeys(FEATURES, float("nan"))
    for tissue in TISSUES:
        if tissue not in tissue_map.scheme.names:
            continue
        found[column_name("overall", tissue)] = overall[tissue]
        found[column_name("interaction", tissue)] = tallies.neighbors.mean(tissue)
        tiles = tallies.zones[tissue_map.scheme.code(tissue)]
        if total and has_region and tiles[Zone.NONE] == 0:
            near, far = tiles[Zone.INFILTRATING], tiles[Zone.DISTAL]
            found[column_name("infiltrating", tissue)] = float(near / total)
            found[column_name("distal", tissue)] = float(far / total)
    return found


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
