"""Groups of patients with like predictions, and how survival was observed in them.

After Harrell, Regression Modeling Strategies, 2nd ed. 2015, ch. 5, 18 and 20 (``rms::calibrate``
with ``cmethod="KM"``): the predictions' range is cut at quantiles, each group's Kaplan-Meier
estimate is compared with its mean prediction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.cohort.prediction.group_survival import GroupedSurvival, GroupValues
from napari_crlm_spa.core.cohort.score.grids import quantile_type7
from napari_crlm_spa.core.cohort.survival import Floats


def quantile_cuts(predicted: Floats, groups: int) -> Floats:
    """Return where predictions are cut so that groups hold about as many patients each.

    Parameters
    ----------
    predicted
        Probabilities, shape (n,). 0 and 1 are added to them, so that every prediction of a
        resample has a group.
    groups
        How many; fewer if many predictions are equal.

    Returns
    -------
    array
        Quantiles (type 7), each once, shape (groups + 1,).
    """
    steps = np.linspace(0, 1, groups + 1)
    return np.unique(quantile_type7(np.concatenate([[0.0, 1.0], predicted]), steps))


def groups_of(predicted: Floats, cuts: Floats) -> NDArray[np.intp]:
    """Return the interval [a, b) of each prediction (the last one is closed), shape (n,)."""
    place = np.searchsorted(cuts, predicted, side="right") - 1
    return np.clip(place, 0, len(cuts) - 2).astype(np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class GroupCalibration:
    """Prediction and observation of each group at one time.

    Parameters
    ----------
    predicted
        Mean prediction, shape (groups,); NaN for an empty group.
    observed
        Kaplan-Meier values.
    """

    predicted: Floats
    observed: GroupValues

    @property
    def index(self) -> Floats:
        """Observed minus predicted, shape (groups,); NaN where either is unknown."""
        return self.observed.survival - self.predicted


def calibrate_groups(
    curves: GroupedSurvival,
    time: float,
    predicted: Floats,
    cuts: Floats,
    weights: ArrayLike | None = None,
) -> GroupCalibration:
    """Compare predictions with observed survival in groups.

    Parameters
    ----------
    curves
        Follow-up of n patients.
    time
        When.
    predicted
        Survival at that time, shape (n,).
    cuts
        From `quantile_cuts`.
    weights
        How often each patient counts, shape (n,).
    """
    count = len(cuts) - 1
    groups = groups_of(predicted, cuts)
    mass = np.ones(len(predicted)) if weights is None else np.asarray(weights, np.float64)
    total = np.bincount(groups, mass, count)
    mean = np.full(count, np.nan)
    np.divide(np.bincount(groups, mass * predicted, count), total, out=mean, where=total > 0)
    return GroupCalibration(mean, curves.at(time, groups, count, mass))
