"""The hazard ratio of two groups by Cox's model, with strata if asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from napari_crlm_spa.core.cohort.cox.partial_likelihood import (
    MOST_STEPS,
    RUNS_AWAY,
    TOLERANCE,
    PartialLikelihood,
    Ties,
)
from napari_crlm_spa.core.cohort.survival import Z95, Floats, Survival
from napari_crlm_spa.errors import SurvivalDataError

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class HazardRatio:
    """How many times the hazard of a second group is that of a first; NaN: no estimate.

    Parameters
    ----------
    coef, se
        Log hazard ratio and its standard error.
    warning
        Why there is no estimate, with the way out; else empty.
    """

    coef: float = NAN
    se: float = NAN
    warning: str = ""

    @property
    def hr(self) -> float:
        """The hazard ratio."""
        return float(np.exp(self.coef))

    @property
    def hr_lower95(self) -> float:
        """Lower limit of Wald's 95 % interval."""
        return float(np.exp(self.coef - Z95 * self.se))

    @property
    def hr_upper95(self) -> float:
        """Upper limit of Wald's 95 % interval."""
        return float(np.exp(self.coef + Z95 * self.se))

    @property
    def p_wald(self) -> float:
        """Two-sided p of the coefficient by Wald's test."""
        return float(2 * special.ndtr(-abs(self.coef / self.se)))


def hazard_ratio(
    survival: Survival,
    second: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    ties: Ties = "efron",
) -> HazardRatio:
    """Fit ``coxph(Surv(time, event) ~ second + strata(strata))`` and return its one coefficient.

    Parameters
    ----------
    survival
        Follow-up of n patients.
    second
        True, or 1, in the second group; shape (n,). No holes.
    strata
        A label per patient; each stratum has a baseline hazard of its own.
    ties
        How tied deaths are handled.
    """
    indicator = np.asarray(second, np.float64)
    if indicator.shape != (len(survival),) or not np.isin(indicator, (0.0, 1.0)).all():
        raise SurvivalDataError("A hazard ratio needs 0 or 1 for each patient, without holes.")
    warning = _one_sided(survival, indicator)
    if warning:
        return HazardRatio(warning=warning)
    if strata is None:
        top = PartialLikelihood(survival, indicator, ties=ties).maximize()
        return _estimated(float(top.coef[0]), float(top.information[0, 0]), top.converged)
    block, joined, parts = np.asarray(strata, object), survival.joined(), []
    for stratum in dict.fromkeys(block):
        inside = np.array([label == stratum for label in block], bool)
        if joined.event[inside].any():
            parts.append(PartialLikelihood(joined.take(inside), indicator[inside], ties=ties))
    return _maximize(parts)


def _maximize(parts: list[PartialLikelihood]) -> HazardRatio:
    """Newton's method with step halving on the sum of the strata's likelihoods."""
    beta = 0.0
    loglik, score, information = _sum(parts, beta)
    for _ in range(MOST_STEPS):
        if information <= 0:
            break
        step = score / information
        trial = beta + step
        value = _sum(parts, trial)
        while value[0] < loglik and abs(step) > TOLERANCE:
            step /= 2
            trial = beta + step
            value = _sum(parts, trial)
        gain = value[0] - loglik
        if gain < 0:  # rounding: no higher point along the step
            break
        beta, (loglik, score, information) = trial, value
        if gain <= TOLERANCE * (abs(loglik) + TOLERANCE):
            break
    return _estimated(beta, information, information > 0 and abs(beta) <= RUNS_AWAY)


def _estimated(coef: float, information: float, exists: bool) -> HazardRatio:
    if exists:
        return HazardRatio(coef, float(information**-0.5))
    return HazardRatio(
        warning="The hazard ratio has no finite estimate: at no time do both groups have deaths "
        "while both are at risk. Join groups, or report the log-rank test alone."
    )


def _sum(parts: list[PartialLikelihood], beta: float) -> tuple[float, float, float]:
    values = [part.at([beta]) for part in parts]
    return (
        sum(value for value, _, _ in values),
        sum(float(score[0]) for _, score, _ in values),
        sum(float(information[0, 0]) for _, _, information in values),
    )


def _one_sided(survival: Survival, indicator: Floats) -> str:
    for group, name in ((indicator == 0, "first"), (indicator == 1, "second")):
        if not group.any():
            return f"The {name} group has no patients, so there is no hazard ratio."
    for group, name in ((indicator == 0, "first"), (indicator == 1, "second")):
        if not survival.event[group].any():
            return (
                f"Nobody died in the {name} group, so the hazard ratio is not finite. "
                "Report the log-rank test, or wait for more follow-up."
            )
    return ""
