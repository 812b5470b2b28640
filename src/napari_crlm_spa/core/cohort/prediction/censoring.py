"""The probability of not being censored yet: the weights of ROC curves and Brier scores.

Graf et al., Stat Med 1999;18:2529; Uno et al., J Am Stat Assoc 2007;102:527.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from napari_crlm_spa.core.cohort.survival import Floats, Survival


@dataclass(frozen=True, slots=True, eq=False)
class CensoringCurve:
    """The probability G of not being censored yet: reverse Kaplan-Meier.

    Of those who die and those who are censored at one time, the deaths leave the risk set first.

    Parameters
    ----------
    times
        Distinct times of follow-up, ascending.
    values
        G just after each, same shape.
    """

    times: Floats
    values: Floats

    @classmethod
    def of(cls, survival: Survival) -> CensoringCurve:
        """Estimate it."""
        times, place = np.unique(survival.time, return_inverse=True)
        deaths = np.bincount(place, survival.event, len(times))
        censored = np.bincount(place, ~survival.event, len(times))
        at_risk = np.cumsum((deaths + censored)[::-1])[::-1] - deaths
        factor = np.ones(len(times))
        np.divide(at_risk - censored, at_risk, out=factor, where=at_risk > 0)
        return cls(times, np.asarray(np.cumprod(factor), np.float64))

    def at(self, times: ArrayLike) -> Floats:
        """Return G(t), shape of `times`."""
        return self._value(times, "right")

    def before(self, times: ArrayLike) -> Floats:
        """Return G just before each time, shape of `times`."""
        return self._value(times, "left")

    def _value(self, times: ArrayLike, side: Literal["left", "right"]) -> Floats:
        place = np.searchsorted(self.times, np.asarray(times, np.float64), side=side)
        return np.concatenate([[1.0], self.values])[place]
