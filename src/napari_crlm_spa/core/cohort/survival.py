"""Follow-up of patients: how long, and whether it ended with the event."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.errors import SurvivalDataError

Floats = NDArray[np.float64]
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
