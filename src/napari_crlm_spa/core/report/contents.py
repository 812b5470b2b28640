"""What a report of a slide tells, before it becomes a picture or a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from napari_crlm_spa.core.classes import STANDARD_PALETTE
from napari_crlm_spa.core.classifier.card import ModelCard
from napari_crlm_spa.core.report.review import ReviewSummary
from napari_crlm_spa.core.risk import RiskAssessment
from napari_crlm_spa.core.sentinel import Sentinel
from napari_crlm_spa.core.slide.contract import RgbImage, SlideInfo
from napari_crlm_spa.core.spatial import SpatialFeatures
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.core.tissue_map import TissueMap

BACKGROUND = "BACK"
#: Tiles without a class, in words and in quiet colors. Glass is white as under the microscope.
STATE_TITLES: Mapping[TileState, str] = {
    TileState.GLASS: "Glass",
    TileState.EXCLUDED: "Outside the regions of interest",
    TileState.PENDING: "Not yet classified",
    TileState.BLANK: "Blank (mostly glass)",
    TileState.UNREADABLE: "Unreadable (damaged file)",
}
STATE_COLORS: Mapping[TileState, str] = {
    TileState.GLASS: "#ffffff",
    TileState.EXCLUDED: "#eef1f8",
    TileState.PENDING: "#fbfbfb",
    TileState.BLANK: "#f3eee3",
    TileState.UNREADABLE: "#f9c9d4",
}


@dataclass(frozen=True, slots=True)
class MarkCount:
    """How many tiles have a mark of quality, and what the mark says in a sentence."""

    title: str
    tiles: int
    meaning: str = ""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SlideReport:
    """Everything that the report of a slide shows.

    Parameters
    ----------
    info
        The slide; its pixel size must be known.
    tissue_map
        The classes.
    thumbnail
        The whole slide, uint8 of shape (height, width, 3).
    features
        The spatial features; without them the report ends after the tissue map.
    risk
        The risk; None if the slide is refused one or no risk model was asked for.
    sentinel
        Whether the slide looks unlike the training slides; None leaves the section out.
    card
        The classifier's card.
    run
        The record of the run (``run.json``); unknown or missing entries do no harm.
    review
        What a reader changed, if `tissue_map`, `features` and `risk` are the corrected ones.
    marks
        How many tiles have which mark of quality; None if nobody looked.
    """

    info: SlideInfo
    tissue_map: TissueMap
    thumbnail: RgbImage
    features: SpatialFeatures | None = None
    risk: RiskAssessment | None = None
    sentinel: Sentinel | None = None
    card: ModelCard | None = None
    run: Mapping[str, Any] = field(default_factory=dict)
    review: ReviewSummary | None = None
    marks: Sequence[MarkCount] | None = None

    def in_palette(self, palette: str = STANDARD_PALETTE) -> SlideReport:
        """Return the same report in the colors of one of `core.classes.PALETTES`."""
        shown = self.tissue_map
        return replace(self, tissue_map=replace(shown, scheme=shown.scheme.in_palette(palette)))

    @property
    def name(self) -> str:
        """The slide's file name, free of line breaks and other control characters."""
        return "".join(char if char.isprintable() else " " for char in self.info.path.name)


@dataclass(frozen=True, slots=True)
class TissueRow:
    """One class in the legend.

    Parameters
    ----------
    name, title, color
        As in the class scheme.
    tiles, mm2
        How much of it there is.
    share
        Of all tissue tiles (the features' denominator); None for background, which is not
        counted as tissue, and where there is no tissue at all.
    """

    name: str
    title: str
    color: str
    tiles: int
    mm2: float
    share: float | None


def tissue_rows(report: SlideReport) -> tuple[TissueRow, ...]:
    """List the classes as in their scheme, background last."""
    shown, features = report.tissue_map, report.features
    counts = shown.counts() if features is None else features.counts
    total = sum(count for name, count in counts.items() if name != BACKGROUND)
    shares: Mapping[str, float] = (
        {name: count / total for name, count in counts.items() if total and name != BACKGROUND}
        if features is None
        else {name: share for name, share in features.overall.items() if not np.isnan(share)}
    )
    classes = sorted(shown.scheme.classes, key=lambda tissue: tissue.name == BACKGROUND)
    return tuple(
        TissueRow(
            name=tissue.name,
            title=tissue.title,
            color=tissue.color,
            tiles=counts[tissue.name],
            mm2=shown.area_mm2(counts[tissue.name]),
            share=shares.get(tissue.name),
        )
        for tissue in classes
    )


@dataclass(frozen=True, slots=True)
class StateRow:
    """Tiles without a class."""

    title: str
    color: str
    tiles: int
    mm2: float


def state_rows(tissue_map: TissueMap) -> tuple[StateRow, ...]:
    """List the tiles without a class by reason; reasons that don't occur are left out."""
    counted = np.bincount(tissue_map.state.ravel(), minlength=len(TileState))
    return tuple(
        StateRow(
            title, STATE_COLORS[state], int(counted[state]), tissue_map.area_mm2(counted[state])
        )
        for state, title in STATE_TITLES.items()
        if counted[state]
    )
