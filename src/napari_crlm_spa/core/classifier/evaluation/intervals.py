"""Intervals by slide: whole slides are drawn anew, since tiles of one slide are alike.

For the figures of a class, the slides that carry it and the others are drawn separately
(stratified), so that the class never vanishes. For figures over all classes, slides are drawn
together and a draw that lacks a class is drawn again. Intervals are percentiles of the figure
over the draws (Efron and Tibshirani, An introduction to the bootstrap, 1993, chapter 13).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

#: Draws times tiles that are held in memory at once: few enough for a processor's cache.
_CHUNK = 500_000
#: A draw that lacks a class is repeated; after so many repeats on average there is no interval.
_ATTEMPTS = 200
#: Share of the draws in which a figure must exist for an interval (our assumption).
_DEFINED_MIN = 0.9


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval.

    Parameters
    ----------
    value
        The figure on the tiles as they are; nan where it does not exist.
    low, high
        The interval; nan where there is none.
    reason
        Why there is no figure or no interval, in words; else empty.
    """

    value: float
    low: float = nan
    high: float = nan
    reason: str = ""

    @property
    def has_interval(self) -> bool:
        """Whether there is an interval."""
        return self.low == self.low


def stratified_draws(
    carries: NDArray[np.bool_], replicates: int, rng: np.random.Generator, width: int
) -> Iterator[NDArray[np.int64]]:
    """Yield how often each slide is drawn, shape (some replicates, slides).

    Parameters
    ----------
    carries
        Shape (slides,): the slide has tiles of the class.
    width
        How large the caller's own arrays are per replicate; they stay within the same memory.
    """
    for count in _chunks(replicates, max(width, len(carries))):
        draws = np.zeros((count, len(carries)), np.int64)
        for stratum in (carries, ~carries):
            size = int(stratum.sum())
            if size:
                draws[:, stratum] = rng.multinomial(size, np.full(size, 1 / size), count)
        yield draws


def complete_draws(
    present: NDArray[np.bool_], replicates: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Yield how often each slide is drawn; every class is in every draw.

    Parameters
    ----------
    present
        Shape (slides, classes): the slide has tiles of the class. Ends early, with fewer than
        `replicates` rows in all, where too many draws lack a class.
    """
    size = len(present)
    even = np.full(size, 1 / size)
    needed = present[:, present.any(axis=0)].astype(np.int64)
    left = _ATTEMPTS * replicates
    for count in _chunks(replicates, size):
        found = 0
        while found < count and left > 0:
            draws = rng.multinomial(size, even, count)
            left -= count
            whole = draws[(draws @ needed > 0).all(axis=1)][: count - found]
            found += len(whole)
            if len(whole):
                yield whole


def interval(
    value: float, replicates: NDArray[np.float64], wanted: int, confidence: float
) -> Estimate:
    """Take the percentile interval of a figure over its replicates (nan: not defined there)."""
    defined = replicates[np.isfinite(replicates)]
    if len(defined) < _DEFINED_MIN * wanted or not len(defined):
        return Estimate(value, reason="too few draws of the slides hold all that is needed")
    tail = 50 * (1 - confidence)
    low, high = np.percentile(defined, [tail, 100 - tail])
    return Estimate(value, float(low), float(high))


def _chunks(total: int, width: int) -> Iterator[int]:
    size = max(1, _CHUNK // max(width, 1))
    while total > 0:
        yield min(size, total)
        total -= size
