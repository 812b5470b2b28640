"""The risk score of a slide, with every term that it is made of."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from napari_crlm_spa.core.risk.combined import CombinedGrade, combined_grade
from napari_crlm_spa.core.risk.crs import ClinicalRiskScore
from napari_crlm_spa.core.risk.model import RESEARCH_USE_ONLY, RiskFeature, RiskModel
from napari_crlm_spa.core.spatial.definitions import FEATURES
from napari_crlm_spa.core.spatial.features import SpatialFeatures

#: Scores are shown, and compared with their threshold, to this many decimals.
DECIMALS = 9
#: Beyond this many unknown terms only the range of the score is given.
MOST_PATTERNS = 10


@dataclass(frozen=True, slots=True)
class RiskRow:
    """One term of the score.

    Parameters
    ----------
    column, title
        The feature.
    value
        Its value; None if it can't be computed on this slide.
    cutoff, cutoff_source
        Where it is split, and who says so; None if the model doesn't say.
    split
        0 or 1; None if value or cut-off is missing.
    coefficient, contribution
        The weight, and weight x split; None if that is unknown.
    direction
        In words, what a high value means.
    problem
        What is missing, in words; empty if nothing.
    """

    column: str
    title: str
    value: float | None
    cutoff: float | None
    cutoff_source: str
    split: int | None
    coefficient: float
    contribution: float | None
    direction: str
    problem: str


@dataclass(frozen=True, slots=True)
class RiskAssessment:
    """A slide's score by one risk model.

    Parameters
    ----------
    model
        The risk model.
    rows
        One per feature.
    score
        The sum; None while a term is unknown.
    possible_scores
        All values that the score can have given what is known, ascending; one if all is known,
        only the two ends beyond 10 unknown terms.
    group
        ``"high"``, ``"low"``, or None; then `reason` says why.
    reason
        Why there is no group, or why there is one although a term is unknown.
    formula
        The sum with its numbers.
    clinical, combined
        The clinical risk score and the combined grade, if clinical factors were given.
    disclaimer
        `RESEARCH_USE_ONLY`.
    """

    model: RiskModel
    rows: tuple[RiskRow, ...]
    score: float | None
    possible_scores: tuple[float, ...]
    group: Literal["low", "high"] | None
    reason: str
    formula: str
    clinical: ClinicalRiskScore | None
    combined: CombinedGrade | None
    disclaimer: str = RESEARCH_USE_ONLY

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values, ready for JSON."""
        plain: dict[str, Any] = {
            "disclaimer": self.disclaimer,
            "model": self.model.model_dump(mode="json"),
            "score": self.score,
            "possible_scores": list(self.possible_scores),
            "group": self.group,
            "reason": self.reason,
            "formula": self.formula,
            "rows": [{name: getattr(row, name) for name in row.__slots__} for row in self.rows],
            "clinical": None,
            "combined": None,
        }
        if self.clinical is not None:
            crs = self.clinical
            plain["clinical"] = {
                "score": crs.score,
                "lowest": crs.lowest,
                "highest": crs.highest,
                "group": crs.group,
                "sentence": crs.sentence,
                "factors": [
                    {name: getattr(factor, name) for name in factor.__slots__}
                    for factor in crs.factors
                ],
            }
        if self.combined is not None:
            plain["combined"] = {
                "grade": self.combined.grade,
                "points": self.combined.points,
                "sentence": self.combined.sentence,
            }
        return plain


def assess_risk(
    features: SpatialFeatures | Mapping[str, float],
    model: RiskModel,
    crs: ClinicalRiskScore | None = None,
) -> RiskAssessment:
    """Compute the score and, if everything it needs is known, the risk group.

    Parameters
    ----------
    features
        A slide's features, or just values by column name (as in ``features.csv``).
    model
        The risk model. Without cut-offs there is no group, but the rows and the possible scores.
    crs
        The clinical risk score, for the combined grade.

    Raises
    ------
    TooLittleTumor
        If `features` are of a slide that is refused a risk.
    """
    if isinstance(features, SpatialFeatures):
        features.require_risk()
        values: Mapping[str, float] = features.values
    else:
        values = features
    rows = tuple(_row(feature, values.get(feature.column)) for feature in model.features)
    scores = _possible_scores(rows)
    group, reason = _group(model, rows, scores)
    return RiskAssessment(
        model=model,
        rows=rows,
        score=scores[0] if all(row.contribution is not None for row in rows) else None,
        possible_scores=scores,
        group=group,
        reason=reason,
        formula=formula_text(model, rows, scores),
        clinical=crs,
        combined=None if crs is None else combined_grade(group, crs.group),
    )


def _row(feature: RiskFeature, value: float | None) -> RiskRow:
    known = value is not None and not math.isnan(value)
    split = feature.split(float(value)) if known and value is not None else None
    problems = []
    if not known:
        problems.append("the feature could not be computed on this slide")
    if feature.cutoff is None:
        problems.append("the model does not say where to split it")
    return RiskRow(
        column=feature.column,
        title=FEATURES[feature.column].title,
        value=float(value) if known and value is not None else None,
        cutoff=feature.cutoff,
        cutoff_source=feature.cutoff_source,
        split=split,
        coefficient=feature.coefficient,
        contribution=None if split is None else feature.coefficient * split,
        direction=f"a high value {'raises' if feature.coefficient > 0 else 'lowers'} the risk",
        problem="; ".join(problems),
    )


def _possible_scores(rows: tuple[RiskRow, ...]) -> tuple[float, ...]:
    known = [row.contribution for row in rows if row.contribution is not None]
    unknown = [row.coefficient for row in rows if row.contribution is None]
    if len(unknown) > MOST_PATTERNS:
        extremes = [[min(c, 0.0) for c in unknown], [max(c, 0.0) for c in unknown]]
    else:
        extremes = [list(terms) for terms in itertools.product(*((0.0, float(c)) for c in unknown))]
    totals = {round(math.fsum(known + terms), DECIMALS) + 0.0 for terms in extremes}
    return tuple(sorted(totals))


def _group(
    model: RiskModel, rows: tuple[RiskRow, ...], scores: tuple[float, ...]
) -> tuple[Literal["low", "high"] | None, str]:
    missing = model.missing_cutoffs
    if missing:
        return None, (
            f"No risk group: the model {model.name} does not say where to split "
            f"{', '.join(missing)}. Take the cut-offs from a cohort "
            "(crlm-spa risk fit-cutoffs features.csv -o model.json) or enter your own."
        )
    unknown = [row.column for row in rows if row.contribution is None]
    groups = {model.is_high(score) for score in scores}
    if len(groups) > 1:
        return None, (
            f"No risk group: {', '.join(unknown)} could not be computed on this slide, and the "
            f"score can be anything from {scores[0]:g} to {scores[-1]:g}."
        )
    reason = (
        f"{', '.join(unknown)} could not be computed, but the group is the same either way."
        if unknown
        else ""
    )
    return ("high" if groups == {True} else "low"), reason


def formula_text(model: RiskModel, rows: tuple[RiskRow, ...], scores: tuple[float, ...]) -> str:
    """Write the sum with its numbers, e.g. ``0.31 x 1 - 0.41 x 0 = 0.31``."""
    terms = []
    for position, row in enumerate(rows):
        factor = "?" if row.split is None else str(row.split)
        sign = "-" if row.coefficient < 0 else ("+" if position else "")
        lead = f"{sign} " if position else sign
        terms.append(f"{lead}{abs(row.coefficient):g} x {factor} ({row.column})")
    total = f"{scores[0]:g}" if len(scores) == 1 else f"{scores[0]:g} to {scores[-1]:g}"
    return (
        f"score = {' '.join(terms)} = {total}; "
        f"high risk if score {model.comparison} {model.threshold:g}"
    )
