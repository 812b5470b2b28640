"""What relabeling one tile does to the SOFs, in closed form, the tumor regions staying as they are.

Exact wherever the new label leaves the tumor regions unchanged: always if neither class is tumor,
and for most tumor tiles, since the regions are closed by boxes larger than a tile. Which tumor
tiles change a region, and what that does, stands in `region_loss`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.classes import NOT_CLASSIFIED, ClassScheme
from napari_crlm_spa.core.spatial import (
    FEATURES,
    TISSUES,
    MixtureModel,
    SpatialFeatures,
    Zone,
)
from napari_crlm_spa.core.spatial.distance import signed_distance_tiles
from napari_crlm_spa.core.spatial.interaction import BACKGROUND
from napari_crlm_spa.core.spatial.regions import TUMOR
from napari_crlm_spa.core.spatial.zones import SLACK

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Codes = NDArray[np.uint8]


class ZoneRule:
    """The zone of a tile by its class and its distance, as `core.spatial.zone_map` gives it.

    Attributes
    ----------
    near, far
        Thresholds in tiles by class code, shape (classes + 1,); NaN where none is known.
    """

    def __init__(self, mixture: MixtureModel, scheme: ClassScheme, stride_um: float) -> None:
        n_codes = len(scheme) + 1
        near, far = np.full(n_codes, np.nan), np.full(n_codes, np.nan)
        self.is_tissue = np.zeros(n_codes, np.bool_)
        for tissue in TISSUES:
            if tissue in scheme.names:
                code = scheme.code(tissue)
                near[code], far[code] = mixture.limits(tissue, stride_um)
                self.is_tissue[code] = True
        self.near: Floats = near + SLACK * np.abs(near)
        self.far: Floats = far + SLACK * np.abs(far)
        self.signed = mixture.inside == "signed"

    def zones(self, codes: Codes, distances: Floats, inside: Flags) -> Codes:
        """Zones of tiles of any classes, arrays of shape (n,); `inside`: in a tumor region."""
        near, far = self.near[codes], self.far[codes]
        zone = np.full(codes.shape, Zone.DISTAL, np.uint8)
        zone[distances <= far] = Zone.ADJACENT
        zone[distances <= near] = Zone.INFILTRATING
        zone[np.isnan(near) | np.isposinf(distances)] = Zone.NONE
        if not self.signed:
            zone[inside] = Zone.INFILTRATING
        zone[~self.is_tissue[codes]] = Zone.NONE
        return zone


class Relabeling:
    """Counts of a map, from which follows what any one tile's new label does to the SOFs.

    Parameters
    ----------
    features
        The SOFs of the map as it is. Its tissue map must not be changed meanwhile.
    columns
        The SOFs that are asked for.
    """

    def __init__(self, features: SpatialFeatures, columns: Sequence[str]) -> None:
        tissue_map = features.tissue_map
        self.features = features
        self.columns = tuple(columns)
        self.scheme = tissue_map.scheme
        self.classes: Codes = tissue_map.classes.ravel()
        self.shape = tissue_map.shape
        self.rule = ZoneRule(features.mixture, self.scheme, tissue_map.stride_um)
        n_codes = len(self.scheme) + 1
        self.counts = np.bincount(self.classes, minlength=n_codes)
        self._valid = np.ones(n_codes, np.bool_)
        self._valid[NOT_CLASSIFIED] = False
        self.in_total = self._valid.copy()
        if BACKGROUND in self.scheme.names:
            self._valid[self.scheme.code(BACKGROUND)] = False
            self.in_total[self.scheme.code(BACKGROUND)] = features.options.count_background
        self.tumor_code = self.scheme.code(TUMOR)
        pairs = self.classes.astype(np.uint16) * len(Zone) + features.zone.ravel()
        tiles = np.bincount(pairs, minlength=n_codes * len(Zone))
        #: Tiles by class code and zone, shape (classes + 1, zones).
        self.in_zones = tiles.reshape(n_codes, len(Zone))
        self._grids: dict[tuple[str, int], Floats] = {}

    @property
    def before(self) -> Floats:
        """The SOFs of the map as it is, shape (columns,)."""
        return np.array([self.features.values[column] for column in self.columns])

    @property
    def background(self) -> int:
        """The code of a tile that is taken out: background, or none without such a class."""
        return self.scheme.code(BACKGROUND) if BACKGROUND in self.scheme.names else NOT_CLASSIFIED

    def values(self, at: NDArray[np.intp], to: ArrayLike) -> Floats:
        """SOFs of the map in which one tile has another class, each tile on its own.

        Parameters
        ----------
        at
            Flat positions of the tiles, shape (n,).
        to
            Their new class codes, shape (n,) or one for all.

        Returns
        -------
        ndarray
            Shape (n, columns); NaN where a SOF could not be computed then.
        """
        new = np.broadcast_to(np.asarray(to, np.uint8), at.shape)
        old = self.classes[at]
        total = self.features.tissue_tiles - self.in_total[old].astype(np.int64)
        total += self.in_total[new]
        out = np.full((len(at), len(self.columns)), np.nan)
        zones: tuple[Codes, Codes] | None = None
        for position, column in enumerate(self.columns):
            definition = FEATURES[column]
            if definition.tissue not in self.scheme.names:
                continue
            code = self.scheme.code(definition.tissue)
            if definition.family == "interaction":
                out[:, position] = self._interaction(definition.tissue, at, old, new)
            elif definition.family == "overall":
                tiles = self.counts[code] - (old == code) + (new == code)
                out[:, position] = share(tiles, total)
            else:
                if zones is None:
                    zones = self.features.zone.ravel()[at], self._zones_as(at, new)
                out[:, position] = self._in_zone(definition.family, code, (old, new), zones, total)
        return out

    def _zones_as(self, at: NDArray[np.intp], codes: Codes) -> Codes:
        inside = self.features.regions.mask.ravel()[at]
        return self.rule.zones(codes, self.measured.ravel()[at], inside)

    @cached_property
    def measured(self) -> Floats:
        """The distances on which the zones rest, in tiles, shape (rows, cols)."""
        if self.rule.signed:
            return signed_distance_tiles(self.features.regions)
        return self.features.distance_tiles

    def _in_zone(
        self,
        family: str,
        code: int,
        classes: tuple[Codes, Codes],
        zones: tuple[Codes, Codes],
        total: NDArray[np.int64],
    ) -> Floats:
        was, becomes = classes[0] == code, classes[1] == code

        def tiles(zone: Zone) -> NDArray[np.int64]:
            left, joined = was & (zones[0] == zone), becomes & (zones[1] == zone)
            found: NDArray[np.int64] = self.in_zones[code, zone] - left + joined
            return found

        zone = Zone.INFILTRATING if family == "infiltrating" else Zone.DISTAL
        found = share(tiles(zone), total)
        known = len(self.features.regions) > 0
        return np.where(known & (tiles(Zone.NONE) == 0), found, np.nan)

    # -- interaction ----------------------------------------------------------------------

    def _interaction(self, tissue: str, at: NDArray[np.intp], old: Codes, new: Codes) -> Floats:
        """Mean share of a tissue around the tumor tiles, after each relabeling."""
        code, tumor = self.scheme.code(tissue), self.tumor_code
        step = self._denominator_step(old, new)
        joins = (new == code).astype(np.float64) - (old == code)
        change = np.zeros(len(at))
        for one in np.unique(step):
            here = step == one
            there = at[here]
            change[here] = self._grid(tissue, int(one)).ravel()[there]
            moved = joins[here] != 0
            if moved.any():
                part = change[here]
                part[moved] += joins[here][moved] * self._grid("", int(one)).ravel()[there[moved]]
                change[here] = part
        leaves, enters = (old == tumor) & (new != tumor), (new == tumor) & (old != tumor)
        if leaves.any() or enters.any():
            own = self._own_share(tissue)
            change[leaves] -= own[at[leaves]]
            change[enters] += own[at[enters]]
        n_before = int(self.counts[tumor])
        n_after = n_before - leaves.astype(np.int64) + enters
        mean = self.features.values[f"TUM_{tissue}_interaction"] if n_before else 0.0
        with np.errstate(invalid="ignore", divide="ignore"):
            kept = mean + change / n_before if n_before else np.full(len(at), np.nan)
            moved_mean = (mean * n_before + change) / n_after
        return np.where(n_after == 0, np.nan, np.where(n_after == n_before, kept, moved_mean))

    def _denominator_step(self, old: Codes, new: Codes) -> NDArray[np.int64]:
        """By how much a relabeled neighbor changes the denominator of a tumor tile."""
        counted = self._valid.copy()
        if self.features.options.interaction_denominator == "nine":
            counted[:] = False
        elif self.features.options.interaction_denominator == "non_tumor":
            counted[self.tumor_code] = False
        return counted[new].astype(np.int64) - counted[old]

    @cached_property
    def _counted_around(self) -> NDArray[np.int64]:
        """Neighbors that the denominator counts, the tile in the middle left out."""
        counted = self._valid.copy()
        if self.features.options.interaction_denominator == "non_tumor":
            counted[self.tumor_code] = False
        return _around(counted[self.classes].reshape(self.shape).astype(np.int64))

    def _denominators(self, step: int) -> Floats:
        """Denominators of tumor tiles, had they `step` counted neighbors more."""
        kind = self.features.options.interaction_denominator
        if kind == "nine":
            return np.full(self.shape, 9.0)
        own = 1 if kind == "tissue" else 0
        return np.maximum(self._counted_around + own + step, 1).astype(np.float64)

    def _tissue_around(self, tissue: str) -> NDArray[np.int64]:
        mask = np.equal(self.classes, self.scheme.code(tissue)).reshape(self.shape)
        return _around(mask.astype(np.int64))

    def _grid(self, tissue: str, step: int) -> Floats:
        """Sum over each tile's tumor neighbors, shape (rows, cols).

        With a tissue: of the change of its share if the denominator changes by `step`; without
        one: of 1 / the changed denominator, which is what one more tile of a tissue adds.
        """
        if (tissue, step) not in self._grids:
            tumor = (self.classes == self.tumor_code).reshape(self.shape)
            weight = 1 / self._denominators(step)
            if tissue and step == 0:
                found = np.zeros(self.shape)
            elif tissue:
                weight -= 1 / self._denominators(0)
                found = _around(np.where(tumor, self._tissue_around(tissue) * weight, 0.0))
            else:
                found = _around(np.where(tumor, weight, 0.0))
            self._grids[tissue, step] = found
        return self._grids[tissue, step]

    def _own_share(self, tissue: str) -> Floats:
        """Share of a tissue around each tile if that is, or were, tumor; flat."""
        found: Floats = (self._tissue_around(tissue) / self._denominators(0)).ravel()
        return found


def share(tiles: NDArray[np.int64], total: NDArray[np.int64]) -> Floats:
    """Tiles over all tissue tiles; NaN without tissue."""
    out = np.full(np.broadcast(tiles, total).shape, np.nan)
    np.divide(tiles, total, out=out, where=total > 0)
    return out


def _around(grid: NDArray[Any]) -> NDArray[Any]:
    """Sum of the 8 neighbors; beyond the border there is nothing.

    Added up one by one, so that zeros sum to exactly 0.
    """
    n_rows, n_cols = grid.shape
    padded = np.pad(grid, 1)
    out = np.zeros_like(grid)
    for i in range(3):
        for j in range(3):
            if (i, j) != (1, 1):
                out += padded[i : i + n_rows, j : j + n_cols]
    return out
