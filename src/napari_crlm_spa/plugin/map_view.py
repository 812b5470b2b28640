"""Which map is shown over the slide, and how: the state of the map chooser. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from napari_crlm_spa.core.classes import STANDARD_PALETTE
from napari_crlm_spa.core.map_colors import HEAT_OPACITY, MAP_OPACITY


class MapKind(StrEnum):
    """What a map over the slide can show; the value is what the chooser says."""

    TISSUE = "Tissue"
    CONFIDENCE = "Confidence"
    ENTROPY = "Entropy"
    STRANGENESS = "Strangeness"
    ZONES = "Infiltrating and distal"
    INTERACTION = "Next to tumor"
    DISTANCE = "Distance to tumor"
    CONTRIBUTION = "Contribution to the risk"
    QUALITY = "Quality marks"

    @property
    def by_tissue(self) -> bool:
        """Whether the map is of one tissue, which has to be chosen."""
        return self in (MapKind.ZONES, MapKind.INTERACTION)

    @property
    def is_heat(self) -> bool:
        """Whether the map shows numbers on a scale, not classes."""
        return self not in (MapKind.TISSUE, MapKind.ZONES, MapKind.QUALITY)

    @property
    def of_all_classes(self) -> bool:
        """Whether the map has a value for tiles of every class, so that some may be hidden."""
        return not self.by_tissue and self is not MapKind.QUALITY


@dataclass(frozen=True, slots=True, kw_only=True)
class MapView:
    """How the maps of all slides are looked at.

    Parameters
    ----------
    kind, tissue
        Which map; the tissue matters where `MapKind.by_tissue`.
    hidden
        Names of classes whose tiles are not shown, where `MapKind.of_all_classes`.
    opacity, heat_opacity
        Of class-like maps and of heat maps, 0 to 1. Heat maps are clear where there is nothing to
        see, so they may be stronger.
    min_probability
        Tiles whose likeliest class has a lower probability are gray in the tissue map.
    palette
        One of `PALETTES`.
    outline
        Whether the tumor region's border is shown.
    blink
        True while the raw tissue is to be seen.
    """

    kind: MapKind = MapKind.TISSUE
    tissue: str = "HEP"
    hidden: frozenset[str] = frozenset()
    opacity: float = MAP_OPACITY
    heat_opacity: float = HEAT_OPACITY
    min_probability: float = 0.0
    palette: str = STANDARD_PALETTE
    outline: bool = True
    blink: bool = False

    @property
    def shown_opacity(self) -> float:
        """Opacity of the map that is shown."""
        return self.heat_opacity if self.kind.is_heat else self.opacity

    def opacity_change(self, opacity: float) -> dict[str, float]:
        """Return what `Session.set_view` takes to make the shown map as opaque as that."""
        name = "heat_opacity" if self.kind.is_heat else "opacity"
        return {name: min(max(opacity, 0.0), 1.0)}
