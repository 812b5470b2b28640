"""The same statistics with whole-number weights: how often each row was drawn. For the bootstrap.

A row of weight 2 counts as two equal rows, so every result is that of the repeated rows; columns
are sorted only once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from napari_crlm_spa.core.cohort.survival import Floats

NAN = float("nan")
#: What is left of a column that the others explain altogether, relative to it.
_NOTHING_LEFT = 1e-10


class RankedColumns:
    """Rank correlation of the first two columns given the others, under any weights.

    Parameters
    ----------
    columns
        Shape (n, 2 + k). Rows with a hole never count.
    """

    def __init__(self, columns: ArrayLike) -> None:
        values = np.asarray(columns, np.float64)
        self._known = np.isfinite(values).all(axis=1)
        values = values[self._known]
        self._codes = [np.unique(column, return_inverse=True)[1].ravel() for column in values.T]

    def correlation(self, weights: Floats) -> float:
        """Return the correlation; weights have shape (n,). NaN where it is not defined."""
        w = weights[self._known]
        n = float(w.sum())
        if n < len(self._codes) + 1:
            return NAN
        ranks = np.column_stack([middle_ranks(codes, w)[codes] for codes in self._codes])
        ranks -= (w @ ranks) / n
        moments = ranks.T @ (ranks * w[:, None])
        both, size = moments[:2, :2], np.diag(moments)[:2].copy()
        if len(self._codes) > 2:
            across = moments[2:, :2]
            both = both - across.T @ np.linalg.pinv(moments[2:, 2:], hermitian=True) @ across
        left = np.diag(both)
        if (left <= _NOTHING_LEFT * np.maximum(size, 1.0)).any():
            return NAN
        return float(np.clip(both[0, 1] / np.sqrt(left[0] * left[1]), -1.0, 1.0))


class RankedScore:
    """Area under the ROC curve under any weights.

    Parameters
    ----------
    score
        Higher speaks for positive, shape (n,).
    positive
        1 or 0, shape (n,). Rows with a hole in either never count.
    """

    def __init__(self, score: ArrayLike, positive: ArrayLike) -> None:
        values, group = np.asarray(score, np.float64), np.asarray(positive, np.float64)
        self._known = np.isfinite(values) & np.isfinite(group)
        self._codes = np.unique(values[self._known], return_inverse=True)[1].ravel()
        self._positive = group[self._known] > 0.5

    def area(self, weights: Floats) -> float:
        """Return the area; weights have shape (n,). NaN if a group is empty."""
        w = weights[self._known]
        m = float(w[self._positive].sum())
        n = float(w.sum()) - m
        if m <= 0 or n <= 0:
            return NAN
        ranks = middle_ranks(self._codes, w)[self._codes]
        above = float((w * ranks)[self._positive].sum()) - m * (m + 1) / 2
        return above / (m * n)


def middle_ranks(codes: np.ndarray, weights: Floats) -> Floats:
    """Return the mean rank of each level of a column, counted from 1."""
    per_level = np.bincount(codes, weights)
    return np.asarray(np.cumsum(per_level) - (per_level - 1) / 2)
