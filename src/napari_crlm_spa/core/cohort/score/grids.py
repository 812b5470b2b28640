"""Cut-offs that a search tries, as R computes them to the last bit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.survival import Floats

#: Significant digits that the authors' code keeps of both ends of its range.
DIGITS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The first cut-off of each distinct split among those that are tried.

    Parameters
    ----------
    cutoffs
        Ascending, shape (splits,); high is ``score >= cutoff``.
    low, high
        Ends of the range.
    tried
        How many cut-offs the search tries in all.
    """

    cutoffs: Floats
    low: float
    high: float
    tried: int


def quantile_type7(values: Floats, probabilities: Floats) -> Floats:
    """Return R's default quantiles, computed in R's order of operations.

    Hyndman & Fan, Am Stat 1996;50:361, definition 7: with h the fractional part of
    ``(n - 1) p``, ``(1 - h) x_lower + h x_upper``. numpy's differ in the last bit, and a quantile
    that is one bit above a patient's score puts the patient on the other side.
    """
    ranked = np.sort(values)
    place = (len(ranked) - 1) * np.asarray(probabilities, np.float64) + 1
    below, above = np.floor(place), np.ceil(place)
    lower, upper = ranked[below.astype(int) - 1], ranked[above.astype(int) - 1]
    share = place - below
    return np.asarray(np.where(lower == upper, lower, (1 - share) * lower + share * upper))


def significant(value: float, digits: int = DIGITS) -> float:
    """Round to significant digits, as R's ``signif``."""
    if value == 0 or not np.isfinite(value):
        return value
    shift = digits - 1 - int(np.floor(np.log10(abs(value))))
    scale = 10.0 ** abs(shift)
    return float(np.rint(value * scale) / scale if shift >= 0 else np.rint(value / scale) * scale)


def code_grid(score: Floats, low: float, high: float, per_unit: float) -> Grid:
    """Return the cut-offs of the authors' code: ``low quantile + i / per_unit``, i = 1, 2, ...

    As many as fit between the two quantiles, both rounded to six significant digits first. Only
    the first one between two neighboring scores is kept: the others give the same groups.
    """
    q_low, q_high = quantile_type7(score, np.array([low, high]))
    span = (significant(float(q_high)) - significant(float(q_low))) / (1 / per_unit)
    tried = max(int(np.floor(span)), 0)
    values = np.unique(score)
    # The first i with q_low + i / per_unit > value; the guess may be off by rounding.
    guess = np.floor((values[:-1] - q_low) * per_unit)
    nearby = np.maximum(guess[:, None] + np.arange(-1, 4), 1)
    passed = np.argmax(q_low + nearby / per_unit > values[:-1, None], axis=1)
    steps = nearby[np.arange(len(guess)), passed]
    first = q_low + steps / per_unit
    kept = (first > values[:-1]) & (first <= values[1:]) & (steps <= tried)
    return Grid(first[kept], float(q_low), float(q_high), tried)


def quantile_grid(score: Floats, low: float, high: float, steps: int) -> Grid:
    """Return quantiles at evenly spaced probabilities: the text, read as percentiles."""
    return _distinct(score, quantile_type7(score, _sequence(low, high, steps)))


def value_grid(score: Floats, low: float, high: float, steps: int) -> Grid:
    """Return evenly spaced values between two quantiles: the text, read as values."""
    q_low, q_high = quantile_type7(score, np.array([low, high]))
    return _distinct(score, _sequence(float(q_low), float(q_high), steps))


def _sequence(start: float, stop: float, steps: int) -> Floats:
    values = start + np.arange(steps + 1) * ((stop - start) / steps)
    values[-1] = stop
    return np.asarray(values)


def _distinct(score: Floats, cutoffs: Floats) -> Grid:
    values = np.unique(score)
    splits: NDArray[np.intp] = np.searchsorted(values, cutoffs)
    first = np.unique(splits, return_index=True)[1]
    divides = (splits[first] > 0) & (splits[first] < len(values))
    return Grid(cutoffs[first[divides]], float(cutoffs[0]), float(cutoffs[-1]), len(cutoffs))
