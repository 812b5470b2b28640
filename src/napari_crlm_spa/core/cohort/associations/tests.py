"""Classical tests by R's conventions: which test is exact, which is corrected, what is reported.

scipy computes; where its defaults differ from those of R's ``wilcox.test``, ``chisq.test``,
``fisher.test`` and ``cor.test``, R's rule is here. Holes are left out; what can't be tested is NaN
with a note.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.cohort.cox.collinearity import FEWEST_FOR_TEST
from napari_crlm_spa.core.cohort.cox.collinearity import pearson as correlation
from napari_crlm_spa.core.cohort.survival import Floats

Counts = NDArray[np.int64]
NAN = float("nan")
#: R's ``wilcox.test`` is exact below so many values (and without ties).
EXACT_BELOW = 50
#: Tables whose probability exceeds the observed one's by less than this are as probable (as in R).
AS_PROBABLE = 1 + 1e-7
#: The most 2 x k tables that Fisher's test enumerates.
MOST_TABLES = 5_000_000
#: The chi-square approximation is doubtful if fewer are expected in a cell (Cochran 1954).
FEW_EXPECTED = 5.0


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


def chi_square(counts: ArrayLike, *, correct: bool = True) -> TestOutcome:
    """Test a table of counts, as R's ``chisq.test``: Yates's correction for 2 x 2 only.

    Parameters
    ----------
    counts
        Shape (rows, columns). Rows and columns without patients are left out.
    correct
        Yates's continuity correction.
    """
    from scipy.stats import chi2_contingency

    table = _filled(counts)
    n, name = int(table.sum()), "chi-square"
    if min(table.shape) < 2:
        return TestOutcome(test=name, n=n, note="Only one level has patients.")
    result = chi2_contingency(table, correction=correct)
    few = int(np.count_nonzero(result.expected_freq < FEW_EXPECTED))
    note = (
        f"Fewer than 5 patients are expected in {few} cells: the p value is rough." if few else ""
    )
    return TestOutcome(
        test=name,
        n=n,
        statistic=float(result.statistic),
        df=float(result.dof),
        p=float(result.pvalue),
        note=note,
    )


def fisher(counts: ArrayLike, *, level: float = 0.95) -> TestOutcome:
    """Test a 2 x k table exactly, as R's ``fisher.test`` (Fisher 1935; Freeman & Halton 1951).

    p is the probability, given the margins, of tables that are at most as probable as the observed
    one. For 2 x 2 the estimate is the conditional maximum-likelihood odds ratio with its exact
    interval.

    Parameters
    ----------
    counts
        Shape (2, k) or (k, 2). Rows and columns without patients are left out.
    level
        Of the odds ratio's interval.
    """
    from scipy.stats.contingency import odds_ratio

    table = _filled(counts).astype(np.int64)
    n, name = int(table.sum()), "Fisher"
    if min(table.shape) < 2:
        return TestOutcome(test=name, n=n, note="Only one level has patients.")
    if min(table.shape) > 2:
        return TestOutcome(test=name, n=n, note="Exact for tables of two rows or columns only.")
    if table.shape != (2, 2):
        p = _freeman_halton(table if len(table) == 2 else table.T)
        note = "The table is too large to be exact." if np.isnan(p) else ""
        return TestOutcome(test=name, n=n, p=p, note=note)
    ratio = odds_ratio(table, kind="conditional")
    interval = ratio.confidence_interval(level)
    return TestOutcome(
        test=name,
        n=n,
        p=_fisher_2x2(table),
        estimate=float(ratio.statistic),
        lower=float(interval.low),
        upper=float(interval.high),
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


def _filled(counts: ArrayLike) -> Floats:
    table: Floats = np.asarray(counts, np.float64)
    return table[np.ix_(table.sum(axis=1) > 0, table.sum(axis=0) > 0)]


def _signed_rank_below(n: int, v: int) -> float:
    """Return P(V <= v): subsets of 1..n with that sum, all of them equally probable."""
    ways = np.zeros(n * (n + 1) // 2 + 1)
    ways[0] = 1.0
    for rank in range(1, n + 1):
        ways[rank:] = ways[rank:] + ways[:-rank]
    return float(ways[: v + 1].sum() / 2.0**n)


def _fisher_2x2(table: Counts) -> float:
    from scipy.stats import hypergeom

    (first, _), column, n = table.sum(axis=1), int(table[:, 0].sum()), int(table.sum())
    possible = np.arange(max(0, column + first - n), min(column, first) + 1)
    probability = hypergeom.pmf(possible, n, first, column)
    observed = probability[table[0, 0] - possible[0]]
    return float(min(1.0, probability[probability <= observed * AS_PROBABLE].sum()))


def _freeman_halton(table: Counts) -> float:
    """Return the p value of a 2 x k table, by all tables with its margins; NaN if too many."""
    from scipy.special import gammaln

    columns, first = np.sort(table.sum(axis=0))[::-1], int(table[0].sum())
    if np.prod(columns[1:] + 1.0) > MOST_TABLES:
        return NAN

    def ways(total: int | Counts, chosen: Counts) -> Floats:
        logs = gammaln(total + 1) - gammaln(chosen + 1) - gammaln(total - chosen + 1)
        return np.asarray(logs, np.float64)

    left, log_ways = np.array([first]), np.zeros(1)
    for total in columns[1:]:  # the largest column is what is left over
        chosen = np.arange(total + 1)
        left = np.subtract.outer(left, chosen)
        log_ways = np.add.outer(log_ways, ways(total, chosen))
        possible = left >= 0
        left, log_ways = left[possible], log_ways[possible]
    possible = left <= columns[0]
    log_ways = log_ways[possible] + ways(columns[0], left[possible])
    observed = ways(table.sum(axis=0), table[0]).sum()
    probability = np.exp(log_ways - log_ways.max())
    as_extreme = probability <= np.exp(observed - log_ways.max()) * AS_PROBABLE
    return float(min(1.0, probability[as_extreme].sum() / probability.sum()))
