"""Agreement on categories beyond chance: two raters (Cohen) or several (Fleiss).

Cohen J, Educ Psychol Meas 1960;20:37 and, weighted, Psychol Bull 1968;70:213; standard error by
Fleiss, Cohen & Everitt, Psychol Bull 1969;72:323. Fleiss JL, Psychol Bull 1971;76:378; standard
error of no agreement by Fleiss, Nee & Landis, Psychol Bull 1979;86:974, for intervals by Gwet,
Psychometrika 2008;73:407 (linearized, any kappa).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from napari_crlm_spa.core.cohort.survival import Floats

NAN = float("nan")
Weights = Literal["none", "linear", "quadratic"]


@dataclass(frozen=True, slots=True)
class Kappa:
    """A kappa.

    Parameters
    ----------
    value
        1: full agreement, 0: as by chance; NaN where it is not defined.
    se, lower, upper
        Large-sample standard error and interval (cut off at -1 and 1); NaN where there is none.
    observed
        Share of pairs of ratings that agree (weighted, if weights were asked for).
    n
        Subjects.
    z
        Of the test against no agreement; Fleiss only.
    reason
        Why something is missing, in a sentence; else empty.
    """

    value: float
    se: float
    lower: float
    upper: float
    observed: float
    n: int
    z: float = NAN
    reason: str = ""


def cohen_kappa(counts: ArrayLike, *, weights: Weights = "none", level: float = 0.95) -> Kappa:
    """Compute Cohen's kappa of two raters.

    Parameters
    ----------
    counts
        Shape (c, c): subjects by category of the first rater (rows) and of the second.
    weights
        ``"none"``; or for ordered categories: how disagreement grows with the distance.
    level
        Of the interval.
    """
    table = np.asarray(counts, np.float64)
    n, c = float(table.sum()), len(table)
    if n == 0:
        return _nothing(0, "No subject was rated by both.")
    p = table / n
    agreeing = _agreement_weights(c, weights)
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    observed = float((agreeing * p).sum())
    expected = float(rows @ agreeing @ columns)
    if 1 - expected < 1e-12:
        why = "Both raters use one category only, so chance alone explains full agreement."
        return Kappa(NAN, NAN, NAN, NAN, observed, round(n), reason=why)
    value = (observed - expected) / (1 - expected)
    by_row, by_column = agreeing @ columns, rows @ agreeing
    pull = agreeing * (1 - expected) - (by_row[:, None] + by_column[None, :]) * (1 - observed)
    spread = float((p * pull**2).sum())
    spread -= (observed * expected - 2 * expected + observed) ** 2
    se = float(np.sqrt(max(spread, 0.0) / n)) / (1 - expected) ** 2
    return _interval(value, se, observed, round(n), level)


def fleiss_kappa(counts: ArrayLike, *, level: float = 0.95) -> Kappa:
    """Compute Fleiss' kappa of several raters, not necessarily the same for each subject.

    Parameters
    ----------
    counts
        Shape (n, c): how many raters put the subject into the category. Subjects with fewer than
        two ratings are left out.
    level
        Of the interval.
    """
    table = np.asarray(counts, np.float64)
    raters = table.sum(axis=1)
    table, raters = table[raters >= 2], raters[raters >= 2]
    n = len(table)
    if not n:
        return _nothing(0, "No subject was rated twice.")
    shares = (table / raters[:, None]).mean(axis=0)
    agreeing = (table * (table - 1)).sum(axis=1) / (raters * (raters - 1))
    observed, expected = float(agreeing.mean()), float((shares**2).sum())
    if 1 - expected < 1e-12:
        why = "All raters use one category only, so chance alone explains full agreement."
        return Kappa(NAN, NAN, NAN, NAN, observed, n, reason=why)
    value = (observed - expected) / (1 - expected)
    z = value / _se_of_chance(shares, n, raters)
    if n < 2:
        why = "One subject gives no interval."
        return Kappa(value, NAN, NAN, NAN, observed, n, z, why)
    # Each subject's pull on kappa: by its own agreement, and by the chance agreement it makes.
    own = (agreeing - expected) / (1 - expected)
    chance = (table @ shares) / raters
    pull = own - 2 * (1 - value) * (chance - expected) / (1 - expected)
    se = float(np.sqrt(((pull - value) ** 2).sum() / (n * (n - 1))))
    return _interval(value, se, observed, n, level, z)


def confusion(a: Sequence[str], b: Sequence[str], categories: Sequence[str]) -> Floats:
    """Count pairs of categories, shape (c, c); a pair with anything else is left out."""
    place = {name: at for at, name in enumerate(categories)}
    table = np.zeros((len(categories), len(categories)))
    for one, other in zip(a, b, strict=True):
        if one in place and other in place:
            table[place[one], place[other]] += 1
    return table


def category_counts(ratings: Sequence[Sequence[str]], categories: Sequence[str]) -> Floats:
    """Count each subject's ratings per category, shape (n, c); anything else is left out."""
    return np.array(
        [[sum(each == name for each in row) for name in categories] for row in ratings], np.float64
    ).reshape(len(ratings), len(categories))


def _agreement_weights(c: int, weights: Weights) -> Floats:
    apart = np.abs(np.subtract.outer(np.arange(c), np.arange(c))) / max(1, c - 1)
    if weights == "linear":
        return np.asarray(1 - apart)
    return np.asarray(1 - apart**2) if weights == "quadratic" else np.eye(c)


def _se_of_chance(shares: Floats, n: int, raters: Floats) -> float:
    """Return the standard error if there is no agreement; raters per subject are averaged."""
    m, rest = float(raters.mean()), 1 - shares
    product = float((shares * rest).sum())
    inner = product**2 - float((shares * rest * (rest - shares)).sum())
    return float(np.sqrt(2 * max(inner, 0.0)) / (product * np.sqrt(n * m * (m - 1))))


def _interval(
    value: float, se: float, observed: float, n: int, level: float, z: float = NAN
) -> Kappa:
    if se <= 1e-12:
        why = (
            "Full agreement has no standard error, hence no interval."
            if value >= 1 - 1e-12
            else "Too few subjects for an interval."
        )
        return Kappa(value, NAN, NAN, NAN, observed, n, z, why)
    half = float(special.ndtri((1 + level) / 2)) * se
    lower, upper = max(-1.0, value - half), min(1.0, value + half)
    return Kappa(value, se, lower, upper, observed, n, z)


def _nothing(n: int, reason: str) -> Kappa:
    return Kappa(NAN, NAN, NAN, NAN, NAN, n, reason=reason)
