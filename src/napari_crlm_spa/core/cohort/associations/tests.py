"""Tests of numbers by R's conventions: which is exact, which is corrected, what is reported.

scipy computes; where its defaults differ from those of R's ``wilcox.test``, ``cor.test`` and
``kruskal.test``, R's rule is here. Holes are left out; what can't be tested is NaN with a note.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from napari_crlm_spa.core.cohort.cox.collinearity import FEWEST_FOR_TEST
from napari_crlm_spa.core.cohort.cox.collinearity import pearson as correlation
from napari_crlm_spa.core.cohort.survival import Floats

NAN = float("nan")
#: R's ``wilcox.test`` is exact below so many values (and without ties).
EXACT_BELOW = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class TestOutcome:
    """What a test found; NaN: it doesn't have this, or the data don't allow it.

    Parameters
    ----------
    test
        Its name.
    n
        Patients without holes.
    statistic, df, p
        The test, two-sided.
    estimate, lower, upper
        Of a measure of association (r, odds ratio), with its confidence interval.
    note
        What is doubtful, in a sentence; else empty.
    """

    __test__ = False  # not a test of pytest's

    test: str
    n: int
    statistic: float = NAN
    df: float = NAN
    p: float = NAN
    estimate: float = NAN
    lower: float = NAN
    upper: float = NAN
    note: str = ""


def rank_sum(
    x: ArrayLike, y: ArrayLike, *, correct: bool = True, exact: bool | None = None
) -> TestOutcome:
    """Compare two independent samples, as R's ``wilcox.test(x, y)``.

    The statistic is R's W: pairs in which x is larger, ties a half. Exact if both samples have
    fewer than 50 values and no two are equal; else normal with a correction for ties and, if
    `correct`, for continuity (Mann & Whitney 1947; Hollander & Wolfe 1999).

    Parameters
    ----------
    x, y
        Numbers, any length; NaN is left out.
    correct
        Continuity correction of the normal approximation.
    exact
        Overrules the choice; with ties it stays normal, as in R.
    """
    from scipy.stats import mannwhitneyu

    a, b = _finite(x), _finite(y)
    n, name = len(a) + len(b), "Wilcoxon rank sum"
    if not len(a) or not len(b):
        return TestOutcome(test=name, n=n, note="One of the two groups has no patients.")
    pooled = np.concatenate([a, b])
    tied = len(np.unique(pooled)) < n
    wanted = max(len(a), len(b)) < EXACT_BELOW if exact is None else exact
    if pooled.min() == pooled.max():
        w = len(a) * len(b) / 2
        return TestOutcome(test=name, n=n, statistic=w, note="The values are all the same.")
    if wanted and not tied:
        result = mannwhitneyu(a, b, method="exact")
        return TestOutcome(
            test=f"{name}, exact", n=n, statistic=float(result.statistic), p=float(result.pvalue)
        )
    result = mannwhitneyu(a, b, use_continuity=correct, method="asymptotic")
    return TestOutcome(test=name, n=n, statistic=float(result.statistic), p=float(result.pvalue))


def signed_rank(x: ArrayLike, y: ArrayLike | None = None, *, correct: bool = True) -> TestOutcome:
    """Compare paired samples, as R's ``wilcox.test(x, y, paired = TRUE)``.

    The statistic is R's V, the sum of the ranks of positive differences; scipy's is the smaller
    sum. Differences of 0 are left out; exact if fewer than 50 differences, none 0, no two equal.

    Parameters
    ----------
    x
        Numbers, shape (n,).
    y
        Their partners, shape (n,); without it, x are differences.
    correct
        Continuity correction of the normal approximation.
    """
    from scipy.stats import norm, rankdata

    difference = np.asarray(x, np.float64) - (0.0 if y is None else np.asarray(y, np.float64))
    difference = difference[np.isfinite(difference)]
    nonzero = difference[difference != 0]
    n, name = len(nonzero), "Wilcoxon signed rank"
    if n == 0:
        return TestOutcome(
            test=name, n=len(difference), note="There is no difference other than 0."
        )
    ranks = rankdata(np.abs(nonzero))
    v = float(ranks[nonzero > 0].sum())
    ties = np.unique(ranks, return_counts=True)[1].astype(np.float64)
    if n < EXACT_BELOW and n == len(difference) and len(ties) == n:
        below = _signed_rank_below(n, round(min(v, n * (n + 1) / 2 - v)))
        return TestOutcome(test=f"{name}, exact", n=n, statistic=v, p=min(1.0, 2 * below))
    variance = n * (n + 1) * (2 * n + 1) / 24 - (ties**3 - ties).sum() / 48
    distance = abs(v - n * (n + 1) / 4)
    z = max(distance - 0.5, 0.0) if correct else distance
    p = float(2 * norm.sf(z / np.sqrt(variance)))
    return TestOutcome(test=name, n=len(difference), statistic=v, p=p)


def pearson(x: ArrayLike, y: ArrayLike, *, level: float = 0.95) -> TestOutcome:
    """Correlate two columns, as R's ``cor.test(x, y)``: t test, interval by Fisher's z.

    Parameters
    ----------
    x, y
        Shape (n,); a patient with a hole in either is left out.
    level
        Of the interval, which needs 4 patients.
    """
    a, b = (np.asarray(column, np.float64) for column in (x, y))
    known = np.isfinite(a) & np.isfinite(b)
    n, r, lower, upper, p = correlation(a[known], b[known], level)
    name = "Pearson correlation"
    if np.isnan(r):
        note = (
            "Fewer than 3 patients have both values."
            if n < FEWEST_FOR_TEST
            else "A column is the same in all patients."
        )
        return TestOutcome(test=name, n=n, note=note)
    with np.errstate(divide="ignore"):
        t = float(np.sqrt(n - 2) * r / np.sqrt(np.float64(1 - r * r)))
    return TestOutcome(
        test=name, n=n, statistic=t, df=n - 2, p=p, estimate=r, lower=lower, upper=upper
    )


def kruskal(samples: Sequence[ArrayLike]) -> TestOutcome:
    """Compare independent samples by ranks, as R's ``kruskal.test``; corrected for ties.

    Parameters
    ----------
    samples
        Numbers of each group; NaN and empty groups are left out.
    """
    from scipy.stats import kruskal as kruskal_wallis

    filled = [values for values in map(_finite, samples) if len(values)]
    n, name = sum(map(len, filled)), "Kruskal-Wallis"
    if len(filled) < 2:
        return TestOutcome(test=name, n=n, note="Only one group has patients.")
    if np.ptp(np.concatenate(filled)) == 0:
        return TestOutcome(test=name, n=n, note="The values are all the same.")
    result = kruskal_wallis(*filled)
    df = len(filled) - 1
    return TestOutcome(
        test=name, n=n, statistic=float(result.statistic), df=df, p=float(result.pvalue)
    )


def _finite(values: ArrayLike) -> Floats:
    numbers = np.asarray(values, np.float64)
    return numbers[np.isfinite(numbers)]


def _signed_rank_below(n: int, v: int) -> float:
    """Return P(V <= v): subsets of 1..n with that sum, all of them equally probable."""
    ways = np.zeros(n * (n + 1) // 2 + 1)
    ways[0] = 1.0
    for rank in range(1, n + 1):
        ways[rank:] = ways[rank:] + ways[:-rank]
    return float(ways[: v + 1].sum() / 2.0**n)
