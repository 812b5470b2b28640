"""Two groups of patients compared: log-rank statistics of many splits at once, and Cox's model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erfc, ndtri

from napari_crlm_spa.core.cohort.cox.partial_likelihood import PartialLikelihood
from napari_crlm_spa.core.cohort.survival import Floats, Survival

#: 97.5 % point of the normal distribution.
Z975 = float(ndtri(0.975))


@dataclass(frozen=True, slots=True)
class TwoGroups:
    """Cox's model of one group against the other.

    Parameters
    ----------
    coef, se
        Log hazard ratio of the high group and its standard error.
    hr, hr_lower95, hr_upper95
        Hazard ratio and its Wald interval.
    z, p
        Wald statistic and its p value.
    """

    coef: float
    se: float
    hr: float
    hr_lower95: float
    hr_upper95: float
    z: float
    p: float


UNKNOWN = TwoGroups(*[float("nan")] * 7)


def logrank_chisq(survival: Survival, high: ArrayLike) -> Floats:
    """Return log-rank chi-square statistics with one degree of freedom, as R's ``survdiff``.

    Parameters
    ----------
    survival
        Follow-up of n patients.
    high
        Who is in the second group, shape (n,) or (splits, n).

    Returns
    -------
    array
        Shape () or (splits,); NaN where a group is empty.
    """
    survival = survival.joined()
    order = np.argsort(survival.time, kind="stable")
    time, event = survival.time[order], survival.event[order]
    member = np.asarray(high, np.float64)[..., order]
    deaths, count = np.unique(time[event], return_counts=True)
    start = np.searchsorted(time, deaths)
    at_risk = len(time) - start
    high_at_risk = np.cumsum(member[..., ::-1], axis=-1)[..., ::-1][..., start]
    share = high_at_risk / at_risk
    expected = (count * share).sum(axis=-1)
    observed = member[..., event].sum(axis=-1)
    ties = np.where(at_risk > 1, (at_risk - count) / np.maximum(at_risk - 1, 1), 0)
    variance = (count * share * (1 - share) * ties).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(variance > 0, (observed - expected) ** 2 / variance, np.nan))


def chisq1_p(chisq: ArrayLike) -> Floats:
    """Return p values of chi-square statistics with one degree of freedom."""
    return np.asarray(erfc(np.sqrt(np.asarray(chisq, np.float64) / 2)))


def cox_two_groups(survival: Survival, high: ArrayLike) -> TwoGroups:
    """Fit Cox's model (Efron's ties) to one binary group.

    Returns
    -------
    TwoGroups
        All NaN if the groups separate: one is empty or without deaths, or the hazard ratio runs
        to zero or infinity.
    """
    member = np.asarray(high, bool)
    dead_high = int(np.count_nonzero(survival.event & member))
    if dead_high in (0, survival.n_events) or member.all():
        return UNKNOWN
    found = PartialLikelihood(survival, member.astype(np.float64)).maximize()
    if not found.converged:
        return UNKNOWN
    coef, se = float(found.coef[0]), float(found.information[0, 0] ** -0.5)
    z = coef / se
    return TwoGroups(
        coef=coef,
        se=se,
        hr=float(np.exp(coef)),
        hr_lower95=float(np.exp(coef - Z975 * se)),
        hr_upper95=float(np.exp(coef + Z975 * se)),
        z=z,
        p=float(chisq1_p(z**2)),
    )
