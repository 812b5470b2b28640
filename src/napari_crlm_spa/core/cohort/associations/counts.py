"""Tests of tables of counts, as R's ``chisq.test`` and ``fisher.test``."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.cohort.associations.tests import NAN, TestOutcome
from napari_crlm_spa.core.cohort.survival import Floats

Counts = NDArray[np.int64]
#: Tables whose probability exceeds the observed one's by less than this are as probable (as in R).
AS_PROBABLE = 1 + 1e-7
#: The most 2 x k tables that Fisher's test enumerates.
MOST_TABLES = 5_000_000
#: The chi-square approximation is doubtful if fewer are expected in a cell (Cochran 1954).
FEW_EXPECTED = 5.0


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


def _filled(counts: ArrayLike) -> Floats:
    table: Floats = np.asarray(counts, np.float64)
    return table[np.ix_(table.sum(axis=1) > 0, table.sum(axis=0) > 0)]


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
