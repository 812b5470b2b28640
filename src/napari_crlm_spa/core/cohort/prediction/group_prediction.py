"""Predicted survival of groups: everybody is predicted the Kaplan-Meier curve of a group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.cohort.survival import Floats, Survival, survival_steps


@dataclass(frozen=True, slots=True, eq=False)
class GroupPrediction:
    """Every patient is predicted the Kaplan-Meier curve of a group.

    Parameters
    ----------
    place
        Group of each patient, shape (n,); negative: unknown.
    steps
        Times at which a curve changes, ascending, shape (steps,).
    curves
        Survival after each of them, shape (groups, steps).
    known_until
        Last time at which each curve is known, shape (groups,); infinite where it reaches 0.
    """

    place: NDArray[np.intp]
    steps: Floats
    curves: Floats
    known_until: Floats

    @classmethod
    def of(
        cls,
        groups: Sequence[object],
        survival: Survival,
        *,
        new: Sequence[object] | None = None,
    ) -> GroupPrediction:
        """Take the curves of one cohort as predictions for the same or other patients.

        Parameters
        ----------
        groups
            Label of each patient behind the curves, shape (n,).
        survival
            Their follow-up.
        new
            Labels of the patients to predict; those behind the curves if not given. A label that
            is not among `groups` predicts nothing.
        """
        names = list(dict.fromkeys(groups))
        code = np.array([names.index(label) for label in groups], np.intp)
        every = np.unique(survival.joined().time[survival.event])
        curves, until = np.ones((len(names), len(every))), np.empty(len(names))
        for group in range(len(names)):
            member = survival.take(code == group)
            found = survival_steps(member)
            curves[group] = found.survival_at(every)
            until[group] = np.inf if found.survival[-1] == 0 else member.time.max()
        asked = groups if new is None else new
        place = [names.index(label) if label in names else -1 for label in asked]
        return cls(np.array(place, np.intp), every, curves, until)

    def at(self, times: ArrayLike) -> Floats:
        """Return probabilities of surviving beyond each time, shape (n, times)."""
        asked = np.atleast_1d(np.asarray(times, np.float64))
        column = np.searchsorted(self.steps, asked, side="right")
        values = np.hstack([np.ones((len(self.curves), 1)), self.curves])[:, column]
        values = np.where(asked[None, :] > self.known_until[:, None], np.nan, values)
        return np.where(self.place[:, None] < 0, np.nan, values[self.place])
