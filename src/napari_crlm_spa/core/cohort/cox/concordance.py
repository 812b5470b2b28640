"""Harrell's concordance of a predictor with survival, and its standard error.

Harrell, Lee and Mark, Stat Med 1996;15:361, with the rules of R's ``survival::concordance``: a
pair counts if it is known who died first. Two deaths at one time don't count; a death and a
censoring at one time do (the censored one lived on). Equal predictors are half an agreement.
The standard error is the infinitesimal jackknife: how the concordance changes with the weight of
each patient (Therneau and Watson, Mayo Clinic technical report 85, 2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from napari_crlm_spa.core.cohort.survival import Floats, Survival

#: Pairs that are compared at once: a few megabytes.
PAIRS_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Concordance:
    """How often the patient with the higher predictor died first.

    Parameters
    ----------
    value
        0.5 is chance; NaN if no pair can be compared.
    std_err
        Infinitesimal jackknife.
    pairs
        How many pairs could be compared.
    """

    value: float
    std_err: float
    pairs: int


def concordance(survival: Survival, predictor: ArrayLike) -> Concordance:
    """Compute the concordance of a predictor of risk (higher: dies earlier).

    Parameters
    ----------
    survival
        Follow-up of n patients.
    predictor
        Shape (n,), e.g. `CoxFit.linear_predictor`. No holes.
    """
    survival = survival.joined()
    time, event = survival.time, survival.event
    # Ranks of small integers compare faster than doubles, and are equal where these are.
    rank = np.unique(np.asarray(predictor, np.float64), return_inverse=True)[1].reshape(-1)
    rank = rank.astype(np.int32)
    agreed, pairs = np.zeros(len(survival)), np.zeros(len(survival))
    deaths = np.flatnonzero(event)
    step = max(1, PAIRS_AT_ONCE // max(1, len(survival)))
    for start in range(0, len(deaths), step):
        died = deaths[start : start + step, None]
        later = (time > time[died]) | ((time == time[died]) & ~event)
        # 2 for an agreement, 1 for equal predictors: integers, so sums are exact.
        points = np.where(later, np.sign(rank[died] - rank) + np.int32(1), np.int32(0))
        agreed[died[:, 0]] += points.sum(axis=1) / 2
        agreed += points.sum(axis=0) / 2
        pairs[died[:, 0]] += later.sum(axis=1)
        pairs += later.sum(axis=0)
    total = pairs.sum() / 2
    if total == 0:
        return Concordance(float("nan"), float("nan"), 0)
    value = agreed.sum() / 2 / total
    influence = (agreed - value * pairs) / total
    return Concordance(float(value), float(np.sqrt((influence**2).sum())), int(total))


def predictor_of(values: Floats, coef: ArrayLike) -> Floats:
    """Return X b, added column by column: patients with equal columns have equal predictors.

    A matrix product may round rows differently, and ties of the predictor would be lost.

    Parameters
    ----------
    values, coef
        Shapes (n, p) and (p,). Columns with a coefficient of NaN are left out.
    """
    total = np.zeros(len(values))
    for column, value in zip(values.T, np.asarray(coef, np.float64), strict=True):
        if np.isfinite(value):
            total += column * value
    return total
