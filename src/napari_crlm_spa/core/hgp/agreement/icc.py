"""Intraclass correlation of single ratings, absolute agreement: ICC(A,1).

McGraw KO, Wong SP, Psychol Methods 1996;1:30 (their case 2, table 4, with the interval of table 7).
The same number as ICC(2,1) of Shrout & Fleiss, Psychol Bull 1979;86:420.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

NAN = float("nan")
#: Relative to the ratings: so little is what adding up leaves of none.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Icc:
    """An intraclass correlation.

    Parameters
    ----------
    value
        1: readers give the same numbers; NaN where it is not defined.
    lower, upper
        Interval; NaN where there is none.
    n, k
        Subjects and raters.
    reason
        Why there is no number or no interval, in a sentence; else empty.
    """

    value: float
    lower: float
    upper: float
    n: int
    k: int
    reason: str = ""


def icc_a1(ratings: ArrayLike, *, level: float = 0.95) -> Icc:
    """Compute ICC(A,1): two-way, absolute agreement, single ratings.

    Parameters
    ----------
    ratings
        Shape (n, k): subjects by raters. Subjects with a hole (NaN) are left out.
    level
        Of the interval.
    """
    table = np.asarray(ratings, np.float64)
    table = table[np.isfinite(table).all(axis=1)]
    n, k = table.shape
    if n < 2 or k < 2:
        why = "An intraclass correlation needs two raters and two subjects that both rated."
        return Icc(NAN, NAN, NAN, n, k, why)
    rows, columns, error = _mean_squares(table)
    if rows + columns + error <= (_ROUNDING * np.abs(table).max()) ** 2:
        return Icc(NAN, NAN, NAN, n, k, "All ratings are the same, so nothing can correlate.")
    value = (rows - error) / (rows + (k - 1) * error + k * (columns - error) / n)
    if value >= 1 - 1e-12:
        return Icc(1.0, 1.0, 1.0, n, k)
    a = k * value / (n * (1 - value))
    b = 1 + k * value * (n - 1) / (n * (1 - value))
    spread = (a * columns) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    if spread == 0:
        return Icc(value, NAN, NAN, n, k, "The ratings vary too little for an interval.")
    df = (a * columns + b * error) ** 2 / spread
    tail = (1 + level) / 2
    # Far from agreement df comes near 0, where the F quantile has no finite value.
    with np.errstate(over="ignore", invalid="ignore"):
        low_f = float(special.fdtri(n - 1, df, tail))
        high_f = float(special.fdtri(df, n - 1, tail))
    within = k * columns + (k * n - k - n) * error
    lower = n * (rows - low_f * error) / (low_f * within + n * rows)
    upper = n * (high_f * rows - error) / (within + n * high_f * rows)
    if not np.isfinite([lower, upper]).all():
        return Icc(value, NAN, NAN, n, k, "The ratings agree too little for an interval.")
    return Icc(float(value), float(lower), float(upper), n, k)


def _mean_squares(table: np.ndarray) -> tuple[float, float, float]:
    """Return mean squares of subjects, raters and what is left."""
    n, k = table.shape
    grand = table.mean()
    by_row, by_column = table.mean(axis=1), table.mean(axis=0)
    rows = k * float(((by_row - grand) ** 2).sum()) / (n - 1)
    columns = n * float(((by_column - grand) ** 2).sum()) / (k - 1)
    left = table - by_row[:, None] - by_column[None, :] + grand
    return rows, columns, float((left**2).sum()) / ((n - 1) * (k - 1))
