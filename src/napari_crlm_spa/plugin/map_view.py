"""Which map is shown over the slide, and how: the state of the map chooser. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from napari_crlm_spa.core.classes import STANDARD_PALETTE


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


@dataclass(frozen=True, slots=True, kw_only=True)
class MapView:
    """How the maps of all slides are looked at.

    Parameters
    ----------
    kind, tissue
        Which map; the tissue matters where `MapKind.by_tissue`.
    hidden
        Names of classes that the tissue map does not show.
    opacity
        Of the map, 0 to 1.
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
    opacity: float = 0.55
    min_probability: float = 0.0
    palette: str = STANDARD_PALETTE
    outline: bool = True
    blink: bool = False
