"""What the corrections did to the slide's numbers, in words. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_crlm_spa.core.review import Action, Review
from napari_crlm_spa.core.risk import RiskAssessment
from napari_crlm_spa.core.tiles import TileState

#: Of the features of the risk model, so many that moved most are shown.
MOST_MOVERS = 3
#: Smaller movements are not shown: the fourth decimal is the last that the tables show.
LEAST_MOVE = 0.00005
ARROW = "→"
FIXED = "Thresholds stay fixed while you edit."
REFITTED = "These are not the analysis's thresholds."
SAME = "A fit to this map gives the same thresholds."


@dataclass(frozen=True, slots=True)
class Mover:
    """A feature of the risk model that the corrections moved.

    Parameters
    ----------
    title
        Its name in words.
    before, after
        Its value as predicted and now.
    crossed
        Whether it is on the other side of its cut-off now.
    """

    title: str
    before: float
    after: float
    crossed: bool


def score_line(review: Review) -> str:
    """Say the score as predicted and now, e.g. ``"Score 0.31 → 0.72"``."""
    before, now = (_score(risk) for risk in (review.predicted_risk, review.risk))
    return f"Score {now}, as predicted" if before == now else f"Score {before} {ARROW} {now}"


def _score(risk: RiskAssessment | None) -> str:
    if risk is None:
        return "none"
    if risk.score is not None:
        return f"{risk.score:.3g}"
    low, high = risk.possible_scores[0], risk.possible_scores[-1]
    return f"{low:.3g} to {high:.3g}"


def group_line(review: Review) -> str:
    """Say the risk group now, or why there is none."""
    if review.risk is None:
        return str(review.features.refusal)
    return (
        "No risk group" if review.risk.group is None else f"{review.risk.group} risk".capitalize()
    )


def flip_line(review: Review) -> str:
    """Say from which group to which the corrections moved the slide; empty if they did not."""
    if not review.group_flipped:
        return ""
    before, now = (_group(risk) for risk in (review.predicted_risk, review.risk))
    return f"Group flipped: {before} {ARROW} {now}"


def _group(risk: RiskAssessment | None) -> str:
    return "none" if risk is None or risk.group is None else risk.group


def counts_line(review: Review) -> str:
    """Say how many tiles were corrected, accepted and set aside."""
    state = review.tissue_map.state
    aside = np.equal(state, TileState.SET_ASIDE)
    corrected = int(np.count_nonzero(review.corrected & ~aside))
    accepted = int(np.count_nonzero(state == TileState.ACCEPTED))
    left_out = int(np.count_nonzero(aside))
    return f"{corrected:,} corrected · {accepted:,} accepted · {left_out:,} set aside"


def thresholds_line(review: Review) -> str:
    """Say whether the distance thresholds are those of the analysis."""
    if not has_own_thresholds(review):
        return REFITTED
    is_fitted = bool(review.log) and review.log[-1].action is Action.REFIT
    return SAME if is_fitted else FIXED


def has_own_thresholds(review: Review) -> bool:
    """Whether the distance thresholds are those of the analysis."""
    return review.mixture == review.analysis.features.mixture


def movers(review: Review) -> list[Mover]:
    """Return the features of the risk model that moved most, the farthest first."""
    before, now = review.predicted_risk, review.risk
    if before is None or now is None:
        return []
    moved = [
        Mover(new.title, old.value, new.value, old.split != new.split)
        for old, new in zip(before.rows, now.rows, strict=True)
        if old.value is not None
        and new.value is not None
        and abs(new.value - old.value) >= LEAST_MOVE
    ]
    moved.sort(key=lambda each: abs(each.after - each.before), reverse=True)
    return moved[:MOST_MOVERS]
