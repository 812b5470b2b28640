"""How well a measurement tells two groups apart: area under the ROC curve.

DeLong, DeLong & Clarke-Pearson, Biometrics 1988;44:837. The interval is normal, cut off at 0 and 1;
it takes slides as independent, so the one by drawing patients stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from napari_crlm_spa.core.cohort.survival import Floats

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Auc:
    """An area under the ROC curve.

    Parameters
    ----------
    value
        Probability that a positive scores above a negative, ties a half; NaN without one of them.
    se, lower, upper
        DeLong's standard error and interval; NaN where there is none.
    positives, negatives
        How many there are.
    reason
        Why something is missing, in a sentence; else empty.
    """

    value: float
    se: float
    lower: float
    upper: float
    positives: int
    negatives: int
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class RocPoints:
    """The curve: what lies at or above each threshold.

    Parameters
    ----------
    threshold
        Descending, after infinity, shape (points,).
    false_positive_rate, true_positive_rate
        Shape (points,), from 0 to 1.
    """

    threshold: Floats
    false_positive_rate: Floats
    true_positive_rate: Floats


def delong(score: ArrayLike, positive: ArrayLike, *, level: float = 0.95) -> Auc:
    """Compute the area and its interval.

    Parameters
    ----------
    score
        Higher speaks for positive, shape (n,).
    positive
        1 or 0, shape (n,). Rows with a hole in either are left out.
    level
        Of the interval.
    """
    values, cases = _both(score, positive)
    m, n = int(cases.sum()), int((~cases).sum())
    if not m or not n:
        return Auc(NAN, NAN, NAN, NAN, m, n, "All slides are in the same group.")
    of_cases, of_controls = _placements(values, cases)
    value = float(of_cases.mean())
    if m < 2 or n < 2:
        why = "An interval needs two slides in each group."
        return Auc(value, NAN, NAN, NAN, m, n, why)
    se = float(np.sqrt(of_cases.var(ddof=1) / m + of_controls.var(ddof=1) / n))
    if se == 0:
        return Auc(value, se, NAN, NAN, m, n, "The groups do not overlap: no interval.")
    half = float(special.ndtri((1 + level) / 2)) * se
    return Auc(value, se, max(0.0, value - half), min(1.0, value + half), m, n)


def roc_points(score: ArrayLike, positive: ArrayLike) -> RocPoints | None:
    """Return the curve; None if a group is empty."""
    values, cases = _both(score, positive)
    if cases.all() or not cases.any():
        return None
    levels, place = np.unique(-values, return_inverse=True)
    true = np.cumsum(np.bincount(place, cases, len(levels)))
    false = np.cumsum(np.bincount(place, ~cases, len(levels)))
    return RocPoints(
        np.concatenate([[np.inf], -levels]),
        np.concatenate([[0.0], false / false[-1]]),
        np.concatenate([[0.0], true / true[-1]]),
    )


def _both(score: ArrayLike, positive: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    values, group = np.asarray(score, np.float64), np.asarray(positive, np.float64)
    known = np.isfinite(values) & np.isfinite(group)
    return values[known], group[known] > 0.5


def _placements(values: Floats, cases: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return the share of controls below each case, and of cases above each control."""
    positive, negative = np.sort(values[cases]), np.sort(values[~cases])

    def below(ranked: Floats, these: Floats) -> Floats:
        left = np.searchsorted(ranked, these, side="left")
        right = np.searchsorted(ranked, these, side="right")
        return np.asarray((left + right) / (2 * len(ranked)))

    return below(negative, values[cases]), 1 - below(positive, values[~cases])
