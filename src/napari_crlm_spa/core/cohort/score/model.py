"""From a fitted cohort to the next patient: the risk model that the panel and `risk` load."""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from napari_crlm_spa.core.cohort.cutpoints.dichotomize import Dichotomizer
from napari_crlm_spa.core.cohort.score.cutoff import ScoreCutoff
from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.core.risk.model import RESEARCH_USE_ONLY, RiskFeature, RiskModel
from napari_crlm_spa.core.risk.score import DECIMALS
from napari_crlm_spa.core.spatial.definitions import FEATURES
from napari_crlm_spa.errors import RiskError

if TYPE_CHECKING:
    from napari_crlm_spa.core.cohort.cox.fit import CoxFit

#: Up to this many features, every pattern of 0 and 1 is checked for rounding.
MOST_FEATURES = 14
RULES = {
    "code": "smallest Wald p value, searched as in the authors' code",
    "text": "smallest log-rank p value among percentiles, as in the paper's text",
    "text_values": "smallest log-rank p value among evenly spaced values, as in the paper's text",
    "median": "median",
    "fixed": "given by the user",
}


def risk_model_of(
    fit: CoxFit,
    dichotomizer: Dichotomizer,
    cutoff: ScoreCutoff,
    *,
    name: str,
    title: str = "",
    source: str = "",
) -> RiskModel:
    """Write a final model down so that it scores the next patient.

    Coefficients keep all their digits. `assess_risk` rounds scores to 9 decimals; where a
    cut-off is nearer to a possible score than that, the threshold is rounded too, or moved into
    the gap between the scores, so that nobody changes the group.

    Parameters
    ----------
    fit
        Cox model of dichotomized features.
    dichotomizer
        Where these features are split.
    cutoff
        Of the score.
    name, title
        Of the model.
    source
        Where it comes from; written from cohort, patients and deaths if empty.

    Returns
    -------
    RiskModel
        High risk if score >= threshold.

    Raises
    ------
    RiskError
        If the model has no terms; if a term is not one of the 20 spatial features, or has no
        coefficient or no cut-off; or if no threshold keeps the groups apart.
    """
    coefficients = _coefficients(fit)
    where = f" in {dichotomizer.cohort}" if dichotomizer.cohort else ""
    features = tuple(
        RiskFeature(
            column=column,
            coefficient=coefficient,
            cutoff=_cutoff(dichotomizer, column),
            direction=dichotomizer[column].direction,
            cutoff_source=dichotomizer[column].source + where,
        )
        for column, coefficient in coefficients.items()
    )
    threshold = stable_threshold(list(coefficients.values()), cutoff)
    notes = [RESEARCH_USE_ONLY, f"Threshold: {RULES[cutoff.rule]}; {cutoff.cutoff!r}."]
    if threshold != cutoff.cutoff:
        notes.append(
            f"The threshold was written as {threshold!r} because scores are compared to "
            f"{DECIMALS} decimals; every patient keeps the group."
        )
    return RiskModel(
        name=name,
        title=title,
        features=features,
        threshold=threshold,
        comparison=">=",
        source=source or f"Cox model of {fit.n} patients, {fit.n_events} deaths{where}",
        notes=(*notes, *fit.warnings),
    )


def stable_threshold(coefficients: Sequence[float], cutoff: ScoreCutoff) -> float:
    """Return a threshold that gives the same groups when scores are rounded to 9 decimals.

    Parameters
    ----------
    coefficients
        Of 0/1 features; their sums are the possible scores.
    cutoff
        Of unrounded scores.

    Raises
    ------
    RiskError
        If a low and a high score are equal after rounding.
    """
    scores, rounded = _possible_scores(coefficients, cutoff)
    high = scores >= cutoff.cutoff
    nearest = (rounded[~high].max(initial=-np.inf), rounded[high].min(initial=np.inf))
    for threshold in (cutoff.cutoff, round(cutoff.cutoff, DECIMALS), sum(nearest) / 2):
        if np.isfinite(threshold) and np.array_equal(rounded >= threshold, high):
            return float(threshold)
    raise RiskError(
        f"The score's cut-off {cutoff.cutoff!r} divides scores that are equal to {DECIMALS} "
        "decimals. Choose another cut-off."
    )


def _possible_scores(coefficients: Sequence[float], cutoff: ScoreCutoff) -> tuple[Floats, Floats]:
    """Return all scores that can occur, as `linear_score` and as `assess_risk` compute them.

    With very many features only the neighbors of the cut-off in the cohort.
    """
    if len(coefficients) > MOST_FEATURES:
        scores = [s for s in (cutoff.below, cutoff.above) if np.isfinite(s)]
        return np.array(scores), np.array([round(s, DECIMALS) for s in scores])
    exact, rounded = [], []
    for pattern in itertools.product((0.0, 1.0), repeat=len(coefficients)):
        terms = [b * x for x, b in zip(pattern, coefficients, strict=True)]
        exact.append(functools.reduce(operator.add, terms, 0.0))  # "sum" may compensate
        rounded.append(round(math.fsum(terms), DECIMALS))
    return np.array(exact), np.array(rounded)


def _coefficients(fit: CoxFit) -> dict[str, float]:
    if not len(fit.columns):
        raise RiskError(
            "The final model has no features: there is nothing to make a score of. "
            "Allow larger p values in the selection, or name the features yourself."
        )
    for column, coefficient in zip(fit.columns, fit.coef, strict=True):
        if column not in FEATURES:
            raise RiskError(
                f"The model's term {column} is not one of the 20 spatial features, so a slide "
                "alone can't be scored with it. Fit the final model to spatial features only."
            )
        if not np.isfinite(coefficient):
            raise RiskError(
                f"{column} has no finite coefficient (see the model's warnings). "
                "Leave it out of the model."
            )
    return {c: float(b) for c, b in zip(fit.columns, fit.coef, strict=True)}


def _cutoff(dichotomizer: Dichotomizer, column: str) -> float:
    if column not in dichotomizer.features:
        raise RiskError(
            f"The model's term {column} has no cut-off, so the next patient's value could not be "
            "split. Fit the model to dichotomized features."
        )
    return dichotomizer[column].cutoff
