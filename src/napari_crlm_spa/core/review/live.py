"""The features of a map that was changed a little: what did not change is taken over.

The result equals `spatial_features` of the changed map in every field. An edit changes a window
of the map; regions, distances, zones and counts are renewed where they can have changed by it,
and taken over elsewhere.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.review.windows import (
    LARGEST_SHARE,
    Window,
    changed_outline,
    follow_distances,
    follow_regions,
)
from napari_crlm_spa.core.spatial import (
    MixtureModel,
    SpatialFeatures,
    TumorRegions,
    distance_tiles,
    fit_zones,
    fitted_distances,
    zone_map,
)
from napari_crlm_spa.core.spatial.features import counted_map, features_of
from napari_crlm_spa.core.spatial.interaction import Neighborhoods, NeighborTally
from napari_crlm_spa.core.spatial.notes import notes
from napari_crlm_spa.core.spatial.regions import TUMOR
from napari_crlm_spa.core.spatial.tallies import Tallies, count_zones
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
    edited = Window.around(before.tissue_map.classes != now.classes)
    if edited is None and mixture is before.mixture:
        return _same_classes(before, now, mixture)
    regions = before.regions
    if edited is not None:
        tumor_before, tumor = before.tissue_map.mask(TUMOR), now.mask(TUMOR)
        regions = follow_regions(regions, tumor_before, tumor, edited, options.regions)
    distances, moved = _distances(before, regions)
    fitted_here = mixture is None
    rule = options.zones if mixture is None else replace(options.zones, inside=mixture.inside)
    signed = rule.inside == "signed"
    measured = measured_distances(regions, rule) if signed else distances
    if mixture is None:
        fit = fitted_distances(now, regions, rule, distances=measured)
        mixture = fit_zones(fit, rule, options.regions)
    everywhere = Window(0, now.shape[0], 0, now.shape[1])
    if mixture is not before.mixture and mixture != before.mixture:
        rezoned: Window | None = everywhere
    elif moved is not None:
        # How deep a tile lies inside may have changed anywhere.
        rezoned = everywhere if signed else moved.joined(edited)
    else:
        rezoned = edited
    zone = _zones(before, now, regions, mixture, measured, rezoned)
    return features_of(
        now,
        regions,
        distances,
        zone,
        mixture,
        options,
        fitted_here=fitted_here,
        tallies=Tallies(_zone_counts(before, now, zone, rezoned), _neighbors(before, now, edited)),
    )


def _same_classes(
    before: SpatialFeatures, now: TissueMap, mixture: MixtureModel
) -> SpatialFeatures:
    told = notes(
        before.counts,
        before.regions,
        mixture,
        before.values,
        before.options.regions,
        fitted_here=False,
    )
    return replace(before, tissue_map=now, notes=tuple(told))


def _kept(tissue_map: TissueMap) -> TissueMap:
    return replace(tissue_map, classes=tissue_map.classes.copy(), state=tissue_map.state.copy())


def _distances(
    before: SpatialFeatures, regions: TumorRegions
) -> tuple[NDArray[np.float64], Window | None]:
    """Return the distances, and where they may be others; the earlier ones and None if nowhere."""
    outline = changed_outline(before.regions, regions)
    if outline is None:
        return before.distance_tiles, None
    found = follow_distances(before.distance_tiles, regions, outline)
    if found is not None:
        return found
    n_rows, n_cols = regions.labels.shape
    return distance_tiles(regions), Window(0, n_rows, 0, n_cols)


def _zones(
    before: SpatialFeatures,
    now: TissueMap,
    regions: TumorRegions,
    mixture: MixtureModel,
    measured: NDArray[np.float64],
    rezoned: Window | None,
) -> NDArray[np.uint8]:
    """Renew the zones within a window.

    The zone of a tile needs its class, its distance and whether it lies in a region, so a part
    of the map is a map that is large enough.
    """
    if rezoned is None:
        return before.zone
    if rezoned.tiles == now.classes.size:
        return zone_map(now, regions, mixture, measured)
    at, zone = rezoned.at, before.zone.copy()
    part = replace(regions, labels=regions.labels[at])
    zone[at] = zone_map(_part(now, rezoned), part, mixture, measured[at])
    return zone


def _zone_counts(
    before: SpatialFeatures, now: TissueMap, zone: NDArray[np.uint8], rezoned: Window | None
) -> NDArray[np.int64]:
    """Count classes and zones anew where they may have changed."""
    counts = before.tallies.zones
    if rezoned is None:
        return counts
    if rezoned.tiles > LARGEST_SHARE * zone.size:
        return count_zones(now, zone)
    was = count_zones(_part(before.tissue_map, rezoned), before.zone[rezoned.at])
    return counts - was + count_zones(_part(now, rezoned), zone[rezoned.at])


def _neighbors(before: SpatialFeatures, now: TissueMap, edited: Window | None) -> NeighborTally:
    """Count anew what lies around tumor tiles where it may have changed."""
    counts, denominator = before.tallies.neighbors, before.options.interaction_denominator
    if edited is None:
        return counts
    # An edit reaches the tumor tiles beside it. Their neighbors are in the part as well, and
    # the tumor tiles on the part's rim, whose neighbors are not, are counted twice alike.
    part = edited.grown(2, now.shape)
    if part.tiles > LARGEST_SHARE * now.classes.size:
        return Neighborhoods(now, denominator).tally
    was, here = (
        Neighborhoods(_part(each, part), denominator).tally for each in (before.tissue_map, now)
    )
    return counts.moved(was, here)


def _part(tissue_map: TissueMap, window: Window) -> TissueMap:
    """Return a map of a window, for what needs no more than the classes."""
    return replace(tissue_map, classes=tissue_map.classes[window.at])
