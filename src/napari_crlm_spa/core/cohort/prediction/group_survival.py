"""Kaplan-Meier survival of groups at single times: what predictions are held against.

The curves that people look at are in `core.cohort.curves`. Here a bootstrap asks for thousands of
single values of changing groups, so times are sorted once and all groups are summed together.
Kaplan & Meier, J Am Stat Assoc 1958;53:457; Greenwood's variance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.cohort.survival import Z95, Floats, Survival

#: A death this much later than the time of prediction still counts as at it (rms does so, too):
#: months that were computed from days carry rounding errors.
SLACK = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class GroupValues:
    """Survival of groups at one time.

    Parameters
    ----------
    n
        Patients, or the sum of their weights, shape (groups,).
    survival
        Kaplan-Meier estimate, shape (groups,); NaN where the group has too few patients, or
        nobody was followed to the time while somebody was alive at the last follow-up.
    std_err
        Standard error of ``log(survival)`` (Greenwood), shape (groups,).
    """

    n: Floats
    survival: Floats
    std_err: Floats

    def interval(self) -> tuple[Floats, Floats]:
        """Return the 95 % interval on the log scale, as R's ``survfit`` does by default."""
        reach = Z95 * self.std_err
        return self.survival * np.exp(-reach), np.minimum(1.0, self.survival * np.exp(reach))


class GroupedSurvival:
    """Kaplan-Meier values of changing groups and weights of the same patients.

    Times are sorted once; a value then costs a few sums.

    Parameters
    ----------
    survival
        Follow-up of n patients.
    """

    def __init__(self, survival: Survival) -> None:
        survival = survival.joined()
        self._order = np.argsort(survival.time, kind="stable")
        self._time = survival.time[self._order]
        self._event = survival.event[self._order]
        times, self._first = np.unique(self._time, return_index=True)
        self._times = times

    def at(
        self,
        time: float,
        groups: NDArray[np.intp],
        count: int,
        weights: ArrayLike | None = None,
        *,
        least: float = 2,
    ) -> GroupValues:
        """Return survival of each group at a time.

        Parameters
        ----------
        time
            In the unit of the follow-up.
        groups
            Group of each patient, 0 to ``count - 1``, shape (n,).
        count
            Number of groups; they may be empty.
        weights
            How often each patient counts (a bootstrap resample), shape (n,); 1 if not given.
        least
            Groups of fewer patients have no estimate.
        """
        order = self._order
        one_hot = groups[order][:, None] == np.arange(count)
        mass = one_hot * (
            np.ones((len(order), 1))
            if weights is None
            else np.asarray(weights, np.float64)[order][:, None]
        )
        total = mass.sum(axis=0)
        reached = int(np.searchsorted(self._times, time + SLACK, side="right"))
        survival, greenwood = np.ones(count), np.zeros(count)
        if reached:
            gone = np.vstack([np.zeros(count), np.cumsum(mass, axis=0)])[self._first[:reached]]
            at_risk = total - gone
            until = len(order) if reached == len(self._times) else int(self._first[reached])
            deaths = np.add.reduceat(
                (mass * self._event[:, None])[:until], self._first[:reached], axis=0
            )
            with np.errstate(divide="ignore", invalid="ignore"):
                survival = np.where(deaths > 0, 1 - deaths / at_risk, 1.0).prod(axis=0)
                terms = deaths / (at_risk * (at_risk - deaths))
                greenwood = np.where(deaths > 0, terms, 0.0).sum(axis=0)
        last = np.where(mass > 0, self._time[:, None], -np.inf).max(axis=0)
        known = (total >= least) & ~((time > last) & (survival > 0))
        std_err = np.sqrt(np.where(np.isfinite(greenwood), greenwood, np.nan))
        return GroupValues(
            total, np.where(known, survival, np.nan), np.where(known, std_err, np.nan)
        )

    def overall(self, time: float) -> GroupValues:
        """Return survival of all patients at a time, as one group."""
        return self.at(time, np.zeros(len(self._order), np.intp), 1)
