"""Which map a slide shows in a view: its arrays, computed when they are first wanted."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classes import NOT_CLASSIFIED
from napari_crlm_spa.core.map_colors import Scale, contribution_scale
from napari_crlm_spa.core.review.effects import push_kind, push_limits
from napari_crlm_spa.core.spatial import SpatialFeatures, Zone
from napari_crlm_spa.core.spatial.interaction import Neighborhoods
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.plugin.layers.codes import (
    CodeMap,
    noun,
    quality_codes,
    quality_key,
    tissue_codes,
    unsure_tiles,
    zone_codes,
    zone_key,
)
from napari_crlm_spa.plugin.layers.heat import SCALES, HeatMap
from napari_crlm_spa.plugin.map_view import MapKind, MapView
from napari_crlm_spa.plugin.session import OpenSlide

if TYPE_CHECKING:
    from napari_crlm_spa.core.review.effects import TileEffects
    from napari_crlm_spa.core.risk import RiskModel

NOT_YET = "Shown once the analysis has ended."
NO_TUMOR = "No tumor region on this slide, so there is no distance to it."
NO_STRANGENESS = "The model of this slide cannot tell what is unusual."
NO_CONTRIBUTION = "What each tile does to the risk is being computed…"
NO_QUALITY = "The quality of this slide's tiles was not measured yet."


#: They rest on the network's probabilities alone, so they are there while a run goes.
OF_THE_MODEL = (MapKind.TISSUE, MapKind.CONFIDENCE, MapKind.ENTROPY, MapKind.STRANGENESS)


class MapSource:
    """The maps of one slide.

    Parameters
    ----------
    slide
        Which slide; it has a tissue map.
    """

    def __init__(self, slide: OpenSlide) -> None:
        assert slide.tissue_map is not None
        self.slide = slide
        self.tissue_map: TissueMap = slide.tissue_map
        self._probabilities: dict[str, NDArray[np.float32]] = {}
        self._effects: TileEffects | None = None
        self._push: tuple[RiskModel, NDArray[np.float32]] | None = None

    def is_of(self, slide: OpenSlide) -> bool:
        """Whether it still is about what the slide shows."""
        return slide is self.slide and slide.tissue_map is self.tissue_map

    @property
    def confidence(self) -> NDArray[np.float32]:
        """Probability of the likeliest class; see `TissueMap.confidence`."""
        return self._kept("confidence", self.tissue_map.confidence)

    @property
    def entropy(self) -> NDArray[np.float32]:
        """Entropy of the probabilities; see `TissueMap.entropy`."""
        return self._kept("entropy", self.tissue_map.entropy)

    def unsure(self, min_probability: float) -> NDArray[np.bool_] | None:
        """Tiles that are gray under a threshold, shape (rows, cols); None without one."""
        if min_probability <= 0:
            return None
        return unsure_tiles(self.tissue_map, self.confidence, min_probability)

    def unsure_tiles(self, min_probability: float) -> int:
        """Count the tiles that are gray under a threshold."""
        unsure = self.unsure(min_probability)
        return 0 if unsure is None else int(np.count_nonzero(unsure))

    def scale(self, view: MapView) -> Scale | None:
        """Return the scale of a heat map; None for the other maps."""
        if view.kind is MapKind.CONTRIBUTION and self.slide.review is not None:
            model = self.slide.review.risk_model
            return contribution_scale(push_limits(model), push_kind(model).value)
        return SCALES.get(view.kind)

    def key(self, view: MapView) -> tuple[tuple[str, str], ...]:
        """Return (color, name) of what a class-like map shows beside the tissues."""
        features, quality = self.slide.features, self.slide.quality
        if view.kind is MapKind.QUALITY and quality is not None:
            return quality_key(quality)
        if view.kind is not MapKind.ZONES or features is None:
            return ()
        return zone_key(adjacent=bool((features.zone == Zone.ADJACENT).any()))

    def _kept(self, name: str, compute: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
        """Compute once; but every time while a run fills the map."""
        if self.slide.review is None:
            return compute()
        if name not in self._probabilities:
            self._probabilities[name] = compute()
        return self._probabilities[name]

    def problem(self, view: MapView) -> str:
        """Say in a sentence why there is no such map of this slide; nothing if there is one."""
        if view.kind is MapKind.STRANGENESS and self.slide.review is not None:
            return "" if self.knows_strangeness else NO_STRANGENESS
        if view.kind in OF_THE_MODEL:
            return ""
        if view.kind is MapKind.QUALITY:
            return NO_QUALITY if self.slide.quality is None else ""
        features = self.slide.features
        if features is None:
            return NOT_YET
        if view.kind is MapKind.CONTRIBUTION:
            return self._no_push(features)
        if view.kind is MapKind.DISTANCE:
            return "" if len(features.regions) else NO_TUMOR
        here = features.counts.get(view.tissue, 0)
        return "" if here else f"There is no {noun(view.tissue).lower()} on this slide."

    @cached_property
    def knows_strangeness(self) -> bool:
        """Whether the model could tell how strange a tile is."""
        return not np.isnan(self.tissue_map.strangeness).all()

    def shown(self, view: MapView) -> CodeMap | HeatMap | None:
        """Return the map of a view; None if there is none (see `problem`)."""
        if self.problem(view):
            return None
        if view.kind is MapKind.TISSUE:
            scheme = self.tissue_map.scheme.in_palette(view.palette)
            unsure = self.unsure(view.min_probability)
            return tissue_codes(self.tissue_map, scheme, view.hidden, unsure)
        if view.kind in OF_THE_MODEL:
            return self._doubt(view)
        if self.slide.quality is not None and view.kind is MapKind.QUALITY:
            return quality_codes(self.slide.quality)
        features = self.slide.features
        return None if features is None else self._of_features(features, view)

    # -- contribution to the risk ---------------------------------------------------------

    def set_effects(self, effects: TileEffects | None) -> None:
        """Take what each tile does to the risk (`EffectsKeeper.effects_of`)."""
        self._effects, self._push = effects, None

    @property
    def push(self) -> NDArray[np.float32] | None:
        """Contribution of each tile to the risk (`TileEffects.shown_push`); None if not known."""
        review, effects = self.slide.review, self._effects
        if review is None or effects is None or effects.refusal is not None:
            return None
        if self._push is None or self._push[0] is not review.risk_model:
            if any(each.column not in effects.columns for each in review.risk_model.features):
                return None
            pushed = effects.shown_push(review.risk_model).astype(np.float32)
            self._push = (review.risk_model, pushed)
        return self._push[1]

    def push_at(self, row: int, col: int) -> float:
        """Contribution of one tile; nan where not known, or not of the class it has now."""
        push, effects = self.push, self._effects
        if push is None or effects is None:
            return float("nan")
        same = effects.classes[row, col] == self.tissue_map.classes[row, col]
        return float(push[row, col]) if same else float("nan")

    def _no_push(self, features: SpatialFeatures) -> str:
        if features.refusal is not None:
            return f"No tile contributes to a risk that there is not. {features.refusal}"
        return NO_CONTRIBUTION if self.push is None else ""

    # -- inside ---------------------------------------------------------------------------

    def _doubt(self, view: MapView) -> HeatMap:
        if view.kind is MapKind.CONFIDENCE:
            values = self.confidence
        elif view.kind is MapKind.ENTROPY:
            values = self.entropy
        else:
            values = self.tissue_map.strangeness.astype(np.float32)
        # What more digits say, the network does not know.
        return self._heat(view.kind.value, values.round(3), view)

    def _of_features(self, features: SpatialFeatures, view: MapView) -> CodeMap | HeatMap:
        tissue_map = features.tissue_map
        if view.kind is MapKind.ZONES:
            zone = np.where(tissue_map.mask(view.tissue), features.zone, np.uint8(Zone.NONE))
            return zone_codes(zone, view.tissue)
        if view.kind is MapKind.INTERACTION:
            around = Neighborhoods(tissue_map, features.options.interaction_denominator)
            title = f"{noun(view.tissue)}, with tumor"
            return HeatMap(title, around.share_map(view.tissue), SCALES[view.kind])
        if (
            view.kind is MapKind.CONTRIBUTION
            and self._effects is not None
            and self.push is not None
        ):
            # A tile that was corrected since has no contribution yet.
            same = np.equal(self._effects.classes, tissue_map.classes)
            known = np.where(same, self.push, np.float32(np.nan))
            return self._heat(view.kind.value, known, view)
        values = (features.distance_um / 1000).astype(np.float32)
        # Inside of the tumor the slide stays visible, and beside the tissue there is nothing.
        values[features.regions.mask | (tissue_map.classes == NOT_CLASSIFIED)] = np.nan
        return self._heat("Distance to tumor, mm", values, view)

    def _heat(self, title: str, values: NDArray[np.float32], view: MapView) -> HeatMap:
        scale = self.scale(view)
        assert scale is not None
        return HeatMap(title, self._of_shown_classes(values, view), scale)

    def _of_shown_classes(self, values: NDArray[np.float32], view: MapView) -> NDArray[np.float32]:
        """Leave out the tiles of hidden classes."""
        if not view.hidden:
            return values
        scheme = self.tissue_map.scheme
        codes = [scheme.code(name) for name in scheme.names if name in view.hidden]
        is_hidden = np.zeros(256, np.bool_)
        is_hidden[codes] = True
        return np.where(is_hidden[self.tissue_map.classes], np.float32(np.nan), values)


_latest: list[MapSource] = []


def source_of(slide: OpenSlide) -> MapSource | None:
    """Return the maps of a slide, those of the last call if they still hold; None without any."""
    if slide.tissue_map is None:
        return None
    if not _latest or not _latest[0].is_of(slide):
        _latest[:] = [MapSource(slide)]
    return _latest[0]
