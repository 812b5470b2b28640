"""One class against the rest: ROC curve and the area under it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score, roc_curve


@dataclass(frozen=True, slots=True, eq=False)
class RocCurve:
    """A ROC curve. All arrays have shape (points,); thresholds fall, the first is infinite."""

    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    area: float


def one_vs_rest(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> RocCurve | None:
    """Return the curve of scores, shape (n,); None where a side has no tiles."""
    if positive.all() or not positive.any():
        return None
    false_rate, true_rate, thresholds = roc_curve(positive, scores)
    return RocCurve(false_rate, true_rate, thresholds, float(roc_auc_score(positive, scores)))


class WeightedArea:
    """Area under the curve of the same scores for many weightings at once.

    Parameters
    ----------
    scores, positive
        Shape (n,).
    groups
        Shape (n,): slide of each tile as an index; tiles of a slide share a weight.
    """

    def __init__(
        self,
        scores: NDArray[np.float64],
        positive: NDArray[np.bool_],
        groups: NDArray[np.int64],
    ) -> None:
        order = np.argsort(scores, kind="stable")
        ranked = scores[order]
        self._starts = np.flatnonzero(np.r_[True, ranked[1:] > ranked[:-1]])
        self._groups = groups[order]
        self._positive = positive[order]

    def areas(self, weights: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the area per row of weights, shape (b, slides); nan where a side weighs 0.

        The probability that a positive tile, drawn by weight, scores above a negative one, ties
        counting half (Mann and Whitney).
        """
        of_tile = weights[:, self._groups].astype(np.float64)
        positive = np.add.reduceat(of_tile * self._positive, self._starts, axis=1)
        negative = np.add.reduceat(of_tile * ~self._positive, self._starts, axis=1)
        below = np.cumsum(negative, axis=1) - negative / 2
        pairs = positive.sum(axis=1) * negative.sum(axis=1)
        concordant = (positive * below).sum(axis=1)
        areas = np.full(len(weights), np.nan)
        np.divide(concordant, pairs, out=areas, where=pairs > 0)
        return areas
