"""Who is at risk, dies and is censored at each time; and the product-limit estimate of it.

Fast (numpy, about 50 microseconds): for bootstraps and weights, where thousands of curves are
needed. `kaplan_meier` is the same estimate with standard errors and intervals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.cohort.survival import Floats, Survival

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Counts at each distinct time of follow-up, ascending; all of shape (times,).

    Parameters
    ----------
    time
        Times at which somebody died or was censored.
    n_risk
        Patients with at least this follow-up; those censored now are still at risk.
    n_event, n_censor
        Deaths and censored patients at this time.
    """

    time: Floats
    n_risk: Counts
    n_event: Counts
    n_censor: Counts

    @property
    def survival(self) -> Floats:
        """The product-limit estimate after each time (Kaplan & Meier 1958)."""
        return np.asarray(np.cumprod((self.n_risk - self.n_event) / self.n_risk))

    @property
    def greenwood(self) -> Floats:
        """Sum of d / (n (n - d)): variance of log S; infinite once S is 0 (Greenwood 1926)."""
        with np.errstate(divide="ignore"):
            return np.asarray(
                np.cumsum(self.n_event / (self.n_risk * (self.n_risk - self.n_event)))
            )

    def survival_at(self, times: ArrayLike, *, before: bool = False) -> Floats:
        """Return S(t), or S just before t; after the last time, its last value.

        Parameters
        ----------
        times
            Any shape, in the unit of `time`.
        before
            Leave out deaths at t itself.
        """
        asked = np.asarray(times, np.float64)
        place = np.searchsorted(self.time, asked, side="left" if before else "right")
        return np.asarray(np.concatenate([[1.0], self.survival])[place])

    def n_risk_at(self, times: ArrayLike) -> Counts:
        """Return how many patients have at least this follow-up."""
        place = np.searchsorted(self.time, np.asarray(times, np.float64), side="left")
        return np.asarray(np.append(self.n_risk, 0)[place])


def survival_steps(survival: Survival) -> Steps:
    """Count deaths and censored patients at each distinct time; equal but for rounding is equal."""
    joined = survival.joined()
    time, place = np.unique(joined.time, return_inverse=True)
    everybody = np.bincount(place, minlength=len(time))
    deaths = np.bincount(place, weights=joined.event, minlength=len(time)).astype(np.int64)
    at_risk = np.cumsum(everybody[::-1])[::-1]
    return Steps(time, at_risk.astype(np.int64), deaths, everybody.astype(np.int64) - deaths)
