"""Log-rank statistics of many splits into two groups at once, for searches and resampling.

`curves.logrank` is the same test with all that is to be said of it: k groups, strata, pairs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erfc

from napari_crlm_spa.core.cohort.survival import Floats, Survival


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
