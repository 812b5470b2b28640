"""Follow-up of patients: how long, whether it ended with the event, who is at risk when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.errors import SurvivalDataError

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
#: Half of the width of a normal 95 % interval, in standard errors.
Z95 = 1.959963984540054
#: Times closer than this are the same time: the square root of a double's precision, as in R.
NEAR = float(np.sqrt(np.finfo(np.float64).eps))


@dataclass(frozen=True, slots=True, eq=False)
class Survival:
    """Right-censored follow-up of n patients.

    Parameters
    ----------
    time
        Follow-up, shape (n,). Months in our tables; the statistics work in any unit.
    event
        True: died (the event happened at `time`); False: censored. Shape (n,).
    """

    time: Floats
    event: NDArray[np.bool_]

    @classmethod
    def of(cls, time: ArrayLike, event: ArrayLike) -> Survival:
        """Check follow-up and return it.

        Raises
        ------
        SurvivalDataError
            If lengths differ, a time is missing, infinite or negative, or an event is not 0/1.
        """
        times = np.asarray(time, np.float64)
        events = np.asarray(event, np.float64)
        if times.ndim != 1 or times.shape != events.shape:
            raise SurvivalDataError(
                f"There are {times.size} times and {events.size} events; "
                "each patient needs one of both."
            )
        bad = np.flatnonzero(~np.isfinite(times) | (times < 0))
        if len(bad):
            raise SurvivalDataError(
                f"The follow-up time in place {bad[0] + 1} is {times[bad[0]]:g} ({len(bad)} such "
                "patients); it must be 0 or more. Correct or remove them."
            )
        odd = np.flatnonzero(~np.isin(events, (0.0, 1.0)))
        if len(odd):
            raise SurvivalDataError(
                f"The event in place {odd[0] + 1} is {events[odd[0]]:g} ({len(odd)} such patients);"
                " it must be 1 (died) or 0 (censored). Recode or remove them."
            )
        return cls(times, events.astype(bool))

    def __len__(self) -> int:
        return len(self.time)

    @property
    def n_events(self) -> int:
        """How many patients had the event."""
        return int(np.count_nonzero(self.event))

    def take(self, which: ArrayLike) -> Survival:
        """Return the patients at some positions, or where a mask is true."""
        index = np.asarray(which)
        return Survival(self.time[index], self.event[index])

    def reversed(self) -> Survival:
        """Return censoring as the event: for follow-up by the reverse Kaplan-Meier method."""
        return Survival(self.time, ~self.event)

    def joined(self) -> Survival:
        """Return the same follow-up with times that differ by rounding alone made equal.

        Months computed from days give 12.1 in one patient and 12.100000000000001 in another. As R's
        ``survfit``, ``survdiff`` and ``coxph`` do (survival, vignette "Round off error and tied
        times"): neighbors that differ by at most 1.5e-8, absolutely or relative to the mean of the
        distinct times, are one time, the earliest of them.
        """
        distinct = np.unique(self.time)
        if len(distinct) < 2:
            return self
        gaps = np.diff(distinct)
        apart = np.minimum(gaps, gaps / distinct.mean()) > NEAR
        if apart.all():
            return self
        first = distinct[np.concatenate([[True], apart])]
        return Survival(first[np.searchsorted(first, self.time, side="right") - 1], self.event)


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
    """Count deaths and censored patients at each distinct time; equal but for rounding is equal.

    Fast (about 50 microseconds): for bootstraps, weights and tests, where thousands of curves are
    needed. `curves.kaplan_meier` is the same estimate with standard errors and intervals.
    """
    joined = survival.joined()
    time, place = np.unique(joined.time, return_inverse=True)
    everybody = np.bincount(place, minlength=len(time))
    deaths = np.bincount(place, weights=joined.event, minlength=len(time)).astype(np.int64)
    at_risk = np.cumsum(everybody[::-1])[::-1]
    return Steps(time, at_risk.astype(np.int64), deaths, everybody.astype(np.int64) - deaths)
