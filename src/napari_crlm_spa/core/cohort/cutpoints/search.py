"""Cut-offs of many features found again and again: in resamples, in parts of a cohort.

Features are sorted once. A resample is then only a number of copies per patient, and all features
are searched together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.cohort.survival import Floats, Survival

Integers = NDArray[np.intp]
SplitMethod = Literal["maxstat", "median"]


class CutoffSearch:
    """Cut-offs of features in any selection of some patients.

    Parameters
    ----------
    values
        Features, shape (n, features); NaN is a hole, and a feature's cut-off is found on the
        patients who have a value.
    survival
        Their follow-up.
    method
        How a cut-off is found.
    minprop
        Least share of the patients on either side, for ``"maxstat"``.
    """

    def __init__(
        self, values: ArrayLike, survival: Survival, method: SplitMethod, minprop: float
    ) -> None:
        numbers = np.asarray(values, np.float64)
        self.features = numbers.shape[1]
        self._method, self._minprop = method, minprop
        known = np.isfinite(numbers)
        patterns, inverse = np.unique(known, axis=1, return_inverse=True)
        self._blocks = [
            _block(numbers, survival, np.flatnonzero(patterns[:, k]), columns)
            for k in range(patterns.shape[1] if self.features else 0)
            if len(columns := np.flatnonzero(inverse.ravel() == k)) and patterns[:, k].any()
        ]

    def cutoffs(self, copies: ArrayLike) -> Floats:
        """Return the cut-off of each feature; high is ``value > cutoff``.

        Parameters
        ----------
        copies
            How often each patient is in the selection (0: not at all), shape (n,).

        Returns
        -------
        array
            Shape (features,); NaN where the selection can't be divided.
        """
        counts = np.asarray(copies, np.float64)
        found = np.full(self.features, np.nan)
        for block in self._blocks:
            chosen = counts[block.rows]
            found[block.columns] = (
                _medians(block, chosen)
                if self._method == "median"
                else _maxstat(block, chosen, self._minprop)
            )
        return found


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Features that have values in the same patients."""

    rows: Integers
    columns: Integers
    #: Values ascending, the patients they belong to, the last of each run of equal values.
    ranked: Floats
    order: Integers
    ends: NDArray[np.bool_]
    #: Patients by follow-up, last of those with the same time, who died.
    by_time: Integers
    last: Integers
    event: Floats


def _block(values: Floats, survival: Survival, rows: Integers, columns: Integers) -> _Block:
    part = values[np.ix_(rows, columns)].T
    order = np.argsort(part, axis=1, kind="stable")
    ranked = np.take_along_axis(part, order, axis=1)
    ends = np.ones(ranked.shape, bool)
    ends[:, :-1] = np.diff(ranked, axis=1) > 0
    time = survival.time[rows]
    by_time = np.argsort(time, kind="stable")
    last = np.searchsorted(time[by_time], time[by_time], side="right") - 1
    event = survival.event[rows][by_time].astype(np.float64)
    return _Block(rows, columns, ranked, order, ends, by_time, last, event)


def _scores(block: _Block, copies: Floats) -> Floats:
    """Return log-rank scores of a selection, as ``core.risk.maxstat.logrank_scores``."""
    ranked = copies[block.by_time]
    at_risk = copies.sum() - np.cumsum(ranked)[block.last] + 1
    hazard = np.cumsum(ranked * block.event / at_risk)
    scores = np.empty(len(copies))
    scores[block.by_time] = block.event - hazard[block.last]
    return scores


def _maxstat(block: _Block, copies: Floats, minprop: float) -> Floats:
    n, scores = copies.sum(), _scores(block, copies)
    weighted = copies * scores
    total = weighted.sum()
    spread = n * (weighted * scores).sum() - total**2
    if n < 2 or np.ptp(scores[copies > 0]) == 0 or spread <= 0:
        return np.full(len(block.columns), np.nan)
    low = np.cumsum(copies[block.order], axis=1)
    sums = np.cumsum(weighted[block.order], axis=1)
    least, most = max(1, np.floor(n * minprop)), min(np.floor(n * (1 - minprop)), n - 1)
    tried = block.ends & (low >= least) & (low <= most)
    variance = np.where(tried, low * (n - low), 1) / (n**2 * (n - 1)) * spread
    statistics = np.where(tried, np.abs(sums - low / n * total) / np.sqrt(variance), -1)
    # Values that no copy has repeat the statistic before them: the first maximum is a real one.
    best = np.argmax(statistics, axis=1)
    return np.where(tried.any(axis=1), block.ranked[np.arange(len(best)), best], np.nan)


def _medians(block: _Block, copies: Floats) -> Floats:
    low = np.cumsum(copies[block.order], axis=1)
    n = copies.sum()
    if n < 1:
        return np.full(len(block.columns), np.nan)
    each = np.arange(len(block.columns))
    middles = [
        block.ranked[each, np.argmax(low >= rank, axis=1)] for rank in ((n + 1) // 2, n // 2 + 1)
    ]
    median = (middles[0] + middles[1]) / 2
    above = (copies[block.order] * (block.ranked > median[:, None])).sum(axis=1)
    return np.where(above > 0, median, np.nan)
