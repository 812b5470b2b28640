"""Maximally selected rank statistics: where a marker splits survival best.

Written from Lausen & Schumacher (Biometrics 1992;48:73) and Hothorn & Lausen (Comput Stat Data
Anal 2003;43:121), checked against R's maxstat and survminer's ``surv_cutpoint``, whose choices
(log-rank scores, at least 10 % of the patients on either side) the paper follows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class MaxStat:
    """The best split of a marker.

    Parameters
    ----------
    cutoff
        The largest value of the low group: high is ``value > cutoff``.
    statistic
        The standardized two-sample log-rank statistic at the cut-off, its sign dropped.
    candidates, statistics
        All cut-offs that were tried, ascending, and their statistics, shape (candidates,).
    n_low, n_high
        Patients on either side.
    """

    cutoff: float
    statistic: float
    candidates: Floats
    statistics: Floats
    n_low: int
    n_high: int


def _cumulative(values: Floats) -> Floats:
    """Add up as R does, in extended precision where there is any.

    Two cut-offs of a small cohort often have the same statistic but for its last bit, and the one
    that R takes depends on that bit.
    """
    return np.asarray(np.cumsum(values.astype(np.longdouble)), np.float64)


def logrank_scores(time: ArrayLike, event: ArrayLike) -> Floats:
    """Log-rank scores of patients; they sum to nearly 0.

    ``a_i = d_i - sum over t_j <= t_i of d_j / (N - R_j + 1)``, where R_j counts the times up to
    t_j, ties included.

    Parameters
    ----------
    time
        Follow-up, shape (n,).
    event
        1 = died, 0 = censored, shape (n,).
    """
    times, events = np.asarray(time, np.float64), np.asarray(event, np.float64)
    order = np.argsort(times, kind="stable")
    ranked = times[order]
    last = np.searchsorted(ranked, ranked, side="right")
    hazard = _cumulative(events[order] / (len(times) - last + 1))
    scores = np.empty(len(times))
    scores[order] = events[order] - hazard[last - 1]
    return scores


def maxstat_cutoff(
    values: ArrayLike, time: ArrayLike, event: ArrayLike, minprop: float = 0.1
) -> MaxStat | None:
    """Find the cut-off of a marker with the largest log-rank statistic.

    Parameters
    ----------
    values
        The marker, shape (n,).
    time, event
        Follow-up and 1 = died, 0 = censored, shape (n,).
    minprop
        Least share of the patients on either side.

    Returns
    -------
    MaxStat or None
        None if no split leaves that share on both sides, or nobody died.
    """
    marker = np.asarray(values, np.float64)
    order = np.argsort(marker, kind="stable")
    ranked, scores = marker[order], logrank_scores(time, event)[order]
    n = len(ranked)
    low = np.flatnonzero(np.diff(ranked)) + 1
    least, most = max(1, int(np.floor(n * minprop))), int(np.floor(n * (1 - minprop)))
    low = low[(low >= least) & (low <= most)]
    sums = _cumulative(scores)
    total = sums[-1]
    spread = n * _cumulative(scores**2)[-1] - total**2
    if not len(low) or np.ptp(scores) == 0 or spread <= 0:
        return None
    variance = low * (n - low) / (n**2 * (n - 1)) * spread
    statistics = np.abs((sums[low - 1] - low / n * total) / np.sqrt(variance))
    best = int(np.argmax(statistics))
    return MaxStat(
        cutoff=float(ranked[low[best] - 1]),
        statistic=float(statistics[best]),
        candidates=ranked[low - 1],
        statistics=statistics,
        n_low=int(low[best]),
        n_high=int(n - low[best]),
    )
