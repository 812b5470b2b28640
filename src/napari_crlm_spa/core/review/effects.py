"""What each tile does to the SOFs and to the risk: exact leave-one-out.

Every tile in turn is relabeled as background while the distance thresholds, the cut-offs and
all other tiles stay as they are. Tiles without any effect on a tumor region are computed in
closed form; the few tumor tiles that hold a region up one by one (`region_loss`). Both give what
`spatial_features` gives on the relabeled map.

Leave-one-out values are of one tile at a time. They do not sum to a SOF or to the score, and must
never be added up over an area.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classes import NOT_CLASSIFIED
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.review.effect_maps import (
    PushKind,
    TileEffects,
    push_kind,
    push_limits,
)
from napari_crlm_spa.core.review.region_loss import RegionLoss
from napari_crlm_spa.core.review.relabeling import Floats, Relabeling, share
from napari_crlm_spa.core.review.tumor_hold import refused_without
from napari_crlm_spa.core.spatial import FEATURES, SpatialFeatures, Zone, spatial_features
from napari_crlm_spa.errors import ReviewError

__all__ = ["PushKind", "TileEffects", "push_kind", "push_limits", "tile_effects"]

STAGE = "Weighing tiles"
#: Quickly computed tiles between two reports.
REPORT_EVERY = 64


def tile_effects(
    features: SpatialFeatures, columns: Sequence[str] | None = None
) -> Generator[Progress, None, TileEffects]:
    """Compute the SOFs without each tile in turn.

    Closed form for all tiles but the tumor tiles that hold a region up. The first report carries
    the effects so far (`changed`: a `TileEffects` whose `pending` names the rest); then those
    follow one by one. Closing the generator cancels.

    Parameters
    ----------
    features
        The SOFs of the map as it is. Its map must not be changed while this goes on.
    columns
        Which SOFs; all 20 if None. A risk model's: ``[f.column for f in model.features]``.

    Yields
    ------
    Progress
        In tumor tiles.

    Returns
    -------
    TileEffects

    Raises
    ------
    ReviewError
        If there is no such SOF.
    """
    wanted = tuple(FEATURES if columns is None else columns)
    for column in wanted:
        if column not in FEATURES:
            raise ReviewError(f"There is no spatial feature {column!r}.")
    yield Progress(STAGE, 0, 0, "tiles")
    counted = Relabeling(features, wanted)
    loss = RegionLoss(counted)
    tiles = loss.tiles()
    effects, fixed = _in_closed_form(counted, tiles)
    yield Progress(STAGE, 0, len(tiles), "tiles", effects)
    without, refused = effects.without.copy(), effects.refused.copy()
    for n_done, (tile, values) in enumerate(zip(tiles, fixed, strict=True), start=1):
        row, col = divmod(tile, counted.shape[1])
        in_zones = loss.zone_counts(tile)
        quick = in_zones is not None
        if in_zones is not None:
            without[row, col] = _with_zones(counted, values, in_zones)
        else:
            found = features_without(counted, row, col)
            without[row, col] = [found.values[column] for column in wanted]
            refused[row, col] = found.refusal is not None
        if not quick or n_done % REPORT_EVERY == 0:
            yield Progress(STAGE, n_done, len(tiles), "tiles")
    tumor = np.equal(features.tissue_map.classes, counted.tumor_code)
    for n_done, tile in enumerate(refused_without(tumor, features.options.min_tumor_tiles)):
        if tile >= 0:
            refused.flat[tile] = True
        if n_done % REPORT_EVERY == 0:
            yield Progress(STAGE, len(tiles), len(tiles), "tiles")
    return replace(
        effects, without=without, refused=refused, pending=np.zeros(refused.shape, np.bool_)
    )


def _in_closed_form(counted: Relabeling, tiles: list[int]) -> tuple[TileEffects, Floats]:
    """Compute all tiles, those that hold a region up (`tiles`) as if they did not.

    Returns
    -------
    TileEffects, ndarray
        Without those tiles, and those tiles' values, shape (tiles, columns).
    """
    features = counted.features
    classes = features.tissue_map.classes
    at = np.flatnonzero(classes != NOT_CLASSIFIED)
    without = np.full((classes.size, len(counted.columns)), np.nan)
    without[at] = counted.values(at, counted.background)
    fixed = without[tiles]
    without[tiles] = np.nan
    pending = np.zeros(classes.shape, np.bool_)
    pending.flat[tiles] = True
    effects = TileEffects(
        columns=counted.columns,
        before=counted.before,
        without=without.reshape(*classes.shape, -1),
        refused=np.zeros(classes.shape, np.bool_),
        pending=pending,
        classes=classes.copy(),
        tissue_tiles=features.tissue_tiles,
        refusal=features.refusal,
        scheme=counted.scheme,
    )
    return effects, fixed


def _with_zones(counted: Relabeling, values: Floats, in_zones: NDArray[np.int64]) -> Floats:
    """Put the ratios of other zone counts into one tumor tile's values."""
    total = np.array([counted.features.tissue_tiles - int(counted.in_total[counted.tumor_code])])
    total += counted.in_total[counted.background]
    out = values.copy()
    for position, column in enumerate(counted.columns):
        definition = FEATURES[column]
        zones = {"infiltrating": Zone.INFILTRATING, "distal": Zone.DISTAL}
        zone = zones.get(definition.family)
        if zone is None or definition.tissue not in counted.scheme.names:
            continue
        tiles = in_zones[counted.scheme.code(definition.tissue)]
        ratio = share(tiles[zone : zone + 1], total)[0]
        out[position] = ratio if tiles[Zone.NONE] == 0 else np.nan
    return out


def features_without(counted: Relabeling, row: int, col: int) -> SpatialFeatures:
    """Compute all features of the map without one tile, in full."""
    tissue_map = counted.features.tissue_map
    classes = tissue_map.classes.copy()
    classes[row, col] = counted.background
    edited = replace(tissue_map, classes=classes)
    return spatial_features(edited, counted.features.options, counted.features.mixture)
