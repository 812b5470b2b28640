"""Rank correlation, and rank correlation given other columns.

Spearman C, Am J Psychol 1904;15:72. The partial one: ranks of both columns are regressed on the
ranks of the others and what is left is correlated (Conover WJ, Practical nonparametric statistics,
1999, section 5.4); p by Student's t with n - 2 - k degrees of freedom, an approximation that takes
slides as independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from napari_crlm_spa.core.cohort.survival import Floats

NAN = float("nan")
#: What is left of a column that the others explain altogether, relative to it.
_NOTHING_LEFT = 1e-10


@dataclass(frozen=True, slots=True)
class Correlation:
    """A rank correlation.

    Parameters
    ----------
    rho
        NaN where it is not defined.
    p
        Two-sided, of no correlation, as if all rows were independent.
    n
        Rows without holes.
    reason
        Why there is none, in a sentence; else empty.
    """

    rho: float
    p: float
    n: int
    reason: str = ""


def spearman(x: ArrayLike, y: ArrayLike) -> Correlation:
    """Correlate the ranks of two columns, ties by their mean rank.

    Parameters
    ----------
    x, y
        Shape (n,); rows with a hole are left out.
    """
    return partial_spearman(x, y, np.empty((len(np.asarray(x)), 0)))


def partial_spearman(x: ArrayLike, y: ArrayLike, given: ArrayLike) -> Correlation:
    """Correlate the ranks of two columns given k others.

    Parameters
    ----------
    x, y
        Shape (n,).
    given
        Shape (n, k). Rows with a hole anywhere are left out.
    """
    from scipy.special import stdtr

    columns = np.column_stack(
        [np.asarray(x, np.float64), np.asarray(y, np.float64), np.asarray(given, np.float64)]
    )
    columns = columns[np.isfinite(columns).all(axis=1)]
    n, k = len(columns), columns.shape[1] - 2
    if n < k + 3:
        return Correlation(NAN, NAN, n, "Too few slides have all the values.")
    rho = rank_correlation(columns)
    if np.isnan(rho):
        return Correlation(NAN, NAN, n, _why(columns))
    df = n - 2 - k
    if abs(rho) >= 1:
        return Correlation(float(np.sign(rho)), 0.0, n)
    t = rho * np.sqrt(df / (1 - rho * rho))
    return Correlation(rho, float(2 * stdtr(df, -abs(t))), n)


def rank_correlation(columns: Floats) -> float:
    """Return the (partial) rank correlation of the first two of some columns without holes.

    Parameters
    ----------
    columns
        Shape (n, 2 + k).

    Returns
    -------
    float
        NaN where a column is constant, or a sum of the given ones in ranks.
    """
    from scipy.stats import rankdata

    ranks = rankdata(columns, axis=0)
    ranks = ranks - ranks.mean(axis=0)
    both, others = ranks[:, :2], ranks[:, 2:]
    size = np.sqrt((both**2).sum(axis=0))
    if others.shape[1]:
        both = both - others @ np.linalg.lstsq(others, both, rcond=None)[0]
    left = np.sqrt((both**2).sum(axis=0))
    if (left <= _NOTHING_LEFT * np.maximum(size, 1.0)).any():
        return NAN
    return float(np.clip(both[:, 0] @ both[:, 1] / (left[0] * left[1]), -1.0, 1.0))


def _why(columns: Floats) -> str:
    if (np.ptp(columns[:, :2], axis=0) == 0).any():
        return "One of the two is the same on all slides."
    return "What is given explains one of the two altogether."
