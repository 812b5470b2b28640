"""What the Risk tab says beside the numbers: the prediction, the interval. No Qt."""

from __future__ import annotations

from napari_crlm_spa.core.review import Review
from napari_crlm_spa.core.risk import RiskAssessment, RiskModel
from napari_crlm_spa.core.spatial import FEATURES
from napari_crlm_spa.plugin.doubt_results import Question, results_of
from napari_crlm_spa.plugin.doubt_work import SCORE
from napari_crlm_spa.plugin.feature_rows import FAMILY_MAPS
from napari_crlm_spa.plugin.map_view import MapKind
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.tables import SHOWN_FAMILIES, risk_headline

_MAP_OF = dict(zip(SHOWN_FAMILIES, FAMILY_MAPS, strict=True))
OLDER = "(before your last edit)"


def map_of(column: str) -> tuple[MapKind, str]:
    """Return the map that a spatial feature comes from, and its tissue."""
    definition = FEATURES[column]
    return _MAP_OF[definition.family], definition.tissue


def predicted_line(review: Review) -> str:
    """Say the risk as predicted, where the review made it another; else empty."""
    before = review.predicted_risk
    if not review.log or _words(before) == _words(review.risk):
        return ""
    return f"As predicted: {_words(before)}"


def predicted_value(review: Review, column: str, now: str) -> str:
    """Say what a feature was as predicted; empty if it shows as the same number."""
    before = review.analysis.features.values[column]
    return "" if f"{before:.4f}" == now else f"As predicted: {before:.4f}"


def _words(risk: RiskAssessment | None) -> str:
    if risk is None:
        return "no risk"
    headline = risk_headline(risk)
    return headline[:1].lower() + headline[1:]


def interval_words(session: Session, slide: OpenSlide, model: RiskModel) -> str:
    """Say the score's interval if it was computed with this risk model; else empty."""
    answer = results_of(session).get(slide, Question.INTERVAL)
    if answer is None or answer.model != model or answer.result.draws[SCORE].isna().all():
        return ""
    found = answer.result
    row = found.summary().set_index("quantity").loc[SCORE]
    older = "" if answer.is_of(slide, model) else f" {OLDER}"
    return (
        f"If tiles are labeled wrongly: score {row['low']:.3g} to {row['high']:.3g} in "
        f"{found.options.level:.0%} of the draws, {found.share_high:.0%} of the draws high{older}."
    )
