"""p values of a maximally selected rank statistic: the search for the cut-off is accounted for.

Four of them, as in R's maxstat: two approximations (Lausen & Schumacher 1992, 1994), the
asymptotic distribution itself (Hothorn & Lausen 2003) and a permutation test.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from napari_crlm_spa.core.cohort.cutpoints.gaussian_chain import exceedance
from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.core.progress import Progress

#: Permutations that are drawn at a time, from one seed.
CHUNK = 200
#: A permuted statistic this close (relatively) to the observed one counts as equal.
SAME = 1e-10


def lau92(statistic: float, minprop: float, maxprop: float | None = None) -> float:
    """Approximate the p value (Lausen & Schumacher, Biometrics 1992;48:73).

    ``4 phi(b)/b + phi(b) (b - 1/b) log(e2 (1 - e1) / ((1 - e2) e1))``; 1 if b < 1.

    Parameters
    ----------
    statistic
        The maximum b.
    minprop, maxprop
        The shares e1 and e2 of patients between which cut-offs were tried; maxprop is
        1 - minprop if not given.
    """
    if statistic < 1:
        return 1.0
    e1, e2 = minprop, 1 - minprop if maxprop is None else maxprop
    if e1 <= 0 or e2 >= 1:
        return 1.0  # the formula's limit: a search up to the edges finds anything
    density = np.exp(-0.5 * statistic**2) / np.sqrt(2 * np.pi)
    odds = np.log(e2 * (1 - e1) / ((1 - e2) * e1))
    p = 4 * density / statistic + density * (statistic - 1 / statistic) * odds
    return float(np.clip(p, 0, 1))


def lau94(statistic: float, group_sizes: ArrayLike, n: int) -> float:
    """Approximate the p value from the cut-offs that were really tried.

    Lausen, Sauerbrei & Schumacher (in: Dirschedl & Ostermann, Computational Statistics,
    Physica 1994, 483): an improved Bonferroni inequality,
    ``2 (1 - Phi(b)) + sum exp(-b^2/2)/pi (t - (b^2/4 - 1) t^3/6)`` with
    ``t_k^2 = 1 - m_k (N - m_(k+1)) / ((N - m_k) m_(k+1))``. The series is made for near cut-offs;
    for far ones and large b it leaves [0, 1] and is clipped (R gives it as it is).

    Parameters
    ----------
    statistic
        The maximum b.
    group_sizes
        Patients below each cut-off, ascending.
    n
        Patients in all.
    """
    return float(np.clip(_lau94(statistic, group_sizes, n), 0, 1))


def _lau94(statistic: float, group_sizes: ArrayLike, n: int) -> float:
    sizes = np.asarray(group_sizes, np.float64)
    low, high = sizes[:-1], sizes[1:]
    t = np.sqrt(n * (high - low) / ((n - low) * high))
    terms = t - (statistic**2 / 4 - 1) * t**3 / 6
    return float(2 * ndtr(-statistic) + np.exp(-0.5 * statistic**2) / np.pi * terms.sum())


def exact_gauss(statistic: float, group_sizes: ArrayLike, n: int) -> float:
    """Return the p value of the asymptotic joint distribution of all statistics.

    R's ``pmethod = "exactGauss"`` samples it (two seeds differ by 1e-3); here it is integrated,
    see `exceedance`.

    Parameters
    ----------
    statistic
        The maximum.
    group_sizes
        Patients below each cut-off, ascending.
    n
        Patients in all.
    """
    return exceedance(statistic, group_sizes, n)


def monte_carlo(
    statistics: ArrayLike,
    group_sizes: Sequence[ArrayLike],
    scores: ArrayLike,
    *,
    resamples: int,
    seed: int,
) -> Generator[Progress, None, Floats]:
    """Permute the follow-up among patients: the p values given this very follow-up.

    ``p = (1 + permutations with a maximum at least as large) / (1 + resamples)``: the observed
    order is one of the possible ones, so p is never 0 and the test never too liberal. (R's
    ``condMC`` leaves both ones out.) Permutations come in chunks with a seed each; more of them
    begin with the same ones.

    Parameters
    ----------
    statistics
        The maximum of each feature, shape (features,).
    group_sizes
        Patients below each cut-off, ascending, for each feature.
    scores
        Log-rank scores of the patients, shape (n,); the features' patients are the same.
    resamples, seed
        How many permutations, and where the random numbers begin.

    Returns
    -------
    array
        p values, shape (features,).
    """
    observed = np.asarray(statistics, np.float64) * (1 - SAME)
    values = np.asarray(scores, np.float64)
    n = len(values)
    m = np.arange(1, n)
    total = values.sum()
    scale = 1 / np.sqrt(m * (n - m) / (n**2 * (n - 1.0)) * (n * (values**2).sum() - total**2))
    columns = [np.asarray(sizes, np.intp) - 1 for sizes in group_sizes]
    reached = np.zeros(len(columns))
    for start in range(0, resamples, CHUNK):
        generator = np.random.default_rng([seed, start // CHUNK])
        rows = np.repeat(values[None], min(CHUNK, resamples - start), axis=0)
        generator.permuted(rows, axis=1, out=rows)
        paths = np.abs(np.cumsum(rows[:, :-1], axis=1) - m / n * total) * scale
        for place, column in enumerate(columns):
            reached[place] += (paths[:, column].max(axis=1) >= observed[place]).sum()
        done = min(start + CHUNK, resamples)
        yield Progress("Permuting follow-up", done, resamples, "permutations")
    return np.asarray((1 + reached) / (1 + resamples))
