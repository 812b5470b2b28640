"""What two readers' disagreement does to the risk."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classes import NOT_CLASSIFIED
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.review.live import follow
from napari_crlm_spa.core.review.review import Review
from napari_crlm_spa.core.risk import RiskAssessment, assess_risk
from napari_crlm_spa.core.spatial import SpatialFeatures
from napari_crlm_spa.errors import ReviewError


@dataclass(frozen=True, slots=True)
class PairEffect:
    """What one kind of disagreement does.

    Parameters
    ----------
    class_a, class_b
        What A says and B says; None: the tile was set aside.
    tiles
        How many tiles that concerns.
    score, group
        A's score and group if these tiles had B's class; None where unknown.
    score_change
        That score less A's; None if one is unknown.
    flips
        Whether the group is another than A's.
    """

    class_a: str | None
    class_b: str | None
    tiles: int
    score: float | None
    group: str | None
    score_change: float | None
    flips: bool


@dataclass(frozen=True, slots=True, eq=False)
class RiskEffect:
    """Risk by either reader, and which disagreements make the difference.

    Parameters
    ----------
    risk_a, risk_b
        The assessments; None for a slide that is refused one.
    feature_change
        B's spatial features less A's, by column; NaN where one is unknown.
    pairs
        Each kind of disagreement on its own, put into A's map under A's thresholds; the largest
        change of the score first. Effects do not add up: the score has steps.
    same_thresholds
        Whether both readers use the same distance thresholds. If not, a part of the difference
        comes from them and from no tile.
    """

    risk_a: RiskAssessment | None
    risk_b: RiskAssessment | None
    feature_change: dict[str, float]
    pairs: tuple[PairEffect, ...]
    same_thresholds: bool


def risk_effect(a: Review, b: Review) -> Generator[Progress, None, RiskEffect]:
    """Find out what the disagreement of two readers does to the risk.

    Parameters
    ----------
    a, b
        Reviews of the same analysis; both are assessed by the risk model of `a`.

    Yields
    ------
    Progress
        One step for each kind of disagreement.

    Returns
    -------
    RiskEffect
        Through ``StopIteration.value``.

    Raises
    ------
    ReviewError
        If the reviews are not of one map.
    """
    if not np.array_equal(a.predicted.classes, b.predicted.classes):
        raise ReviewError(
            f"{a.reader} and {b.reader} corrected different maps. Choose two readers of one "
            "analysis."
        )
    kinds = _kinds(a.tissue_map.classes, b.tissue_map.classes)
    risk_a, risk_b = a.risk, _risk(b.features, a)
    stage = "Comparing the risk"
    pairs = []
    for done, (code_a, code_b) in enumerate(kinds):
        yield Progress(stage, done, len(kinds), "kinds of disagreement")
        pairs.append(_pair(a, b, code_a, code_b))
    yield Progress(stage, len(kinds), len(kinds), "kinds of disagreement")
    values_a, values_b = a.features.values, b.features.values
    return RiskEffect(
        risk_a=risk_a,
        risk_b=risk_b,
        feature_change={key: values_b[key] - values_a[key] for key in values_a},
        pairs=tuple(sorted(pairs, key=lambda pair: -abs(pair.score_change or 0))),
        same_thresholds=a.mixture == b.mixture,
    )


def _kinds(classes_a: NDArray[np.uint8], classes_b: NDArray[np.uint8]) -> list[tuple[int, int]]:
    other = classes_a != classes_b
    found = np.unique(np.stack([classes_a[other], classes_b[other]], axis=1), axis=0)
    return [(int(code_a), int(code_b)) for code_a, code_b in found]


def _pair(a: Review, b: Review, code_a: int, code_b: int) -> PairEffect:
    mine, theirs = a.tissue_map.classes, b.tissue_map.classes
    at = (mine == code_a) & (theirs == code_b)
    changed = replace(a.tissue_map, classes=np.where(at, theirs, mine))
    risk = _risk(follow(a.features, changed, a.mixture), a)
    score, before = _score(risk), _score(a.risk)
    group = None if risk is None else risk.group
    names = (None, *a.tissue_map.scheme.names)
    return PairEffect(
        class_a=names[code_a] if code_a != NOT_CLASSIFIED else None,
        class_b=names[code_b] if code_b != NOT_CLASSIFIED else None,
        tiles=int(np.count_nonzero(at)),
        score=score,
        group=group,
        score_change=None if score is None or before is None else score - before,
        flips=group != (None if a.risk is None else a.risk.group),
    )


def _risk(features: SpatialFeatures, judge: Review) -> RiskAssessment | None:
    return None if features.refusal else assess_risk(features, judge.risk_model)


def _score(risk: RiskAssessment | None) -> float | None:
    return None if risk is None else risk.score
