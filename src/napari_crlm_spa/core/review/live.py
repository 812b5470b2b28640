"""The features of a map that was changed a little: what did not change is taken over.

The result equals `spatial_features` of the changed map in every field. The tumor regions are
found anew only if tumor tiles changed, distances only if the regions did, zones only on the
tiles that changed as long as distances and thresholds stand.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.spatial import (
    MixtureModel,
    SpatialFeatures,
    TumorRegions,
    distance_tiles,
    fit_zones,
    fitted_distances,
    tumor_regions,
    zone_map,
)
from napari_crlm_spa.core.spatial.features import counted_map, features_of
from napari_crlm_spa.core.spatial.notes import notes
from napari_crlm_spa.core.spatial.regions import TUMOR
from napari_crlm_spa.core.spatial.zones import measured_distances
from napari_crlm_spa.core.tissue_map import TissueMap


def follow(
    before: SpatialFeatures, tissue_map: TissueMap, mixture: MixtureModel | None
) -> SpatialFeatures:
    """Compute the features of a map that resembles one whose features are known.

    Parameters
    ----------
    before
        Features of a map of the same slide that was not changed since; their options are used.
    tissue_map
        The map as it is now. Of its classes and states copies are kept, so the result stays as it
        is when the map is changed in place later.
    mixture
        The distance thresholds; None fits them to the map.

    Returns
    -------
    SpatialFeatures
        Equal to ``spatial_features(tissue_map, before.options, mixture)``. Arrays that did not
        change are shared with `before`; nobody may write to them.
    """
    options = before.options
    now = counted_map(_kept(tissue_map), options)
    if mixture is before.mixture and np.array_equal(now.classes, before.tissue_map.classes):
        told = notes(
            before.counts,
            before.regions,
            mixture,
            before.values,
            options.regions,
            fitted_here=False,
        )
        return replace(before, tissue_map=now, notes=tuple(told))
    regions = _regions(before, now)
    fitted_here = mixture is None
    rule = options.zones if mixture is None else replace(options.zones, inside=mixture.inside)
    same_place = _same_mask(regions, before.regions)
    distances = before.distance_tiles if same_place else distance_tiles(regions)
    signed = rule.inside == "signed"
    if mixture is None:
        measured = measured_distances(regions, rule) if signed else distances
        fit = fitted_distances(now, regions, rule, distances=measured)
        mixture = fit_zones(fit, rule, options.regions)
    if same_place and (mixture is before.mixture or mixture == before.mixture):
        zone = _patched_zone(before, now, regions, mixture)
    else:
        measured = measured_distances(regions, rule) if signed else distances
        zone = zone_map(now, regions, mixture, measured)
    return features_of(now, regions, distances, zone, mixture, options, fitted_here=fitted_here)


def _kept(tissue_map: TissueMap) -> TissueMap:
    return replace(tissue_map, classes=tissue_map.classes.copy(), state=tissue_map.state.copy())


def _regions(before: SpatialFeatures, now: TissueMap) -> TumorRegions:
    """Find the regions; return the earlier ones if no tumor tile changed."""
    if np.array_equal(before.tissue_map.mask(TUMOR), now.mask(TUMOR)):
        return before.regions
    return tumor_regions(now, before.options.regions)


def _same_mask(regions: TumorRegions, others: TumorRegions) -> bool:
    return regions is others or np.array_equal(regions.mask, others.mask)


def _patched_zone(
    before: SpatialFeatures, now: TissueMap, regions: TumorRegions, mixture: MixtureModel
) -> NDArray[np.uint8]:
    """Renew the zones of the tiles that have another class now."""
    changed = before.tissue_map.classes != now.classes
    if not changed.any():
        return before.zone
    measured = before.distance_tiles
    if mixture.inside == "signed":
        measured = measured_distances(regions, replace(before.options.zones, inside=mixture.inside))
    # The zone of a tile needs its class, its distance and whether it lies in a region: a row of
    # the changed tiles is a map that is large enough.
    row = replace(now, classes=now.classes[changed][None])
    inside = replace(regions, labels=regions.labels[changed][None])
    zone = before.zone.copy()
    zone[changed] = zone_map(row, inside, mixture, measured[changed][None])[0]
    return zone
