"""What the quality marks say, in words, and which tiles they may set aside. No Qt."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classes import NOT_CLASSIFIED
from napari_crlm_spa.core.quality import QualityMark, TileQuality
from napari_crlm_spa.core.review import Review
from napari_crlm_spa.core.risk import RiskAssessment
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.plugin.session import OpenSlide
from napari_crlm_spa.plugin.tables import risk_headline

NOT_CHECKED = "The tiles of this slide were not checked yet."
NO_RISK = "No risk on this slide"
NO_ANALYSIS = "The quality is checked after the analysis."


def markable(review: Review, quality: TileQuality, marks: QualityMark) -> NDArray[np.bool_]:
    """Tiles of some marks that are still counted and that no reader has judged, (rows, cols)."""
    shown = review.tissue_map
    judged = np.isin(shown.state, (TileState.EDITED, TileState.ACCEPTED))
    return quality.has(marks) & ~judged & np.not_equal(shown.classes, NOT_CLASSIFIED)


def found_line(slide: OpenSlide | None) -> str:
    """Say how many tiles are marked, and what the marks cannot show."""
    if slide is None or slide.review is None:
        return NO_ANALYSIS
    quality = slide.quality
    if quality is None:
        return NOT_CHECKED
    told = f"{quality.marked_tiles:,} of {quality.measured_tiles:,} tiles are marked."
    return " ".join([told, *quality.notes])


def after_line(n_tiles: int, before: RiskAssessment | None, now: RiskAssessment | None) -> str:
    """Say how many tiles were set aside and what that did to the risk."""
    told = f"{n_tiles:,} tile{'s were' if n_tiles != 1 else ' was'} set aside."
    earlier, later = (NO_RISK if risk is None else risk_headline(risk) for risk in (before, now))
    change = f"{later}, as before." if earlier == later else f"{earlier} → {later}."
    return f"{told} {change} Research use only."
