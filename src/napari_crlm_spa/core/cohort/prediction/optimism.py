"""Resamples of a Cox model's calibration: how much a model flatters itself where it is fitted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.cox.concordance import predictor_of
from napari_crlm_spa.core.cohort.cox.partial_likelihood import PartialLikelihood, Ties
from napari_crlm_spa.core.cohort.prediction.calibration_groups import (
    GroupCalibration,
    calibrate_groups,
    quantile_cuts,
)
from napari_crlm_spa.core.cohort.prediction.group_survival import GroupedSurvival
from napari_crlm_spa.core.cohort.prediction.predicted import hazard_at, predicted_survival
from napari_crlm_spa.core.cohort.survival import Floats, Survival

#: A resample with fewer deaths than this is left out. Our choice.
LEAST_EVENTS = 5


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """A model's linear predictors and predictions for the original patients."""

    predictor: Floats
    predicted: Floats


class Calibrator:
    """Apparent calibration of a model, and the sums that resamples add to know its optimism.

    Parameters
    ----------
    values
        Covariates of n patients without holes, shape (n, p).
    survival
        Their follow-up.
    times
        When predictions are compared with observed survival, shape (times,).
    groups
        Groups of patients with like predictions.
    ties
        How tied deaths are handled.
    """

    def __init__(
        self,
        values: Floats,
        survival: Survival,
        times: Floats,
        groups: int,
        ties: Ties = "efron",
    ) -> None:
        self._ties = ties
        # Centered: predictions do not change, exponentials of large columns stay finite.
        self._x, self._survival, self._times = values - values.mean(axis=0), survival, times
        self.curves = GroupedSurvival(survival)
        fit = self._fitted(None)
        #: Whether the model can be fitted; without that there is nothing else here.
        self.fitted = fit is not None
        if fit is None:
            return
        #: Predicted survival, shape (n, times).
        self.predicted = fit.predicted
        self._cuts = [quantile_cuts(column, groups) for column in fit.predicted.T]
        #: By time.
        self.apparent = [self._compared(k, fit) for k in range(len(times))]
        self._sum = [np.zeros(len(cuts) - 1) for cuts in self._cuts]
        #: By time: of how many resamples each group's optimism is the mean.
        self.used = [np.zeros(len(cuts) - 1, int) for cuts in self._cuts]
        #: Of each resample's linear predictor in the original patients.
        self.slopes: list[float] = []
        self.failed = 0

    def add(self, rows: NDArray[np.intp]) -> None:
        """Refit on a resample (positions, shape (n,)); add what it flatters itself by."""
        fit = self._fitted(rows)
        if fit is None:
            self.failed += 1
            return
        self.slopes.append(_slope(fit.predictor, self._survival))
        weights = np.bincount(rows, minlength=len(self._x)).astype(np.float64)
        for k in range(len(self._times)):
            gain = self._compared(k, fit, weights).index - self._compared(k, fit).index
            known = np.isfinite(gain)
            self._sum[k][known] += gain[known]
            self.used[k][known] += 1

    def optimism(self, k: int) -> Floats:
        """Return the mean of (resample - original) at a time, shape (groups,)."""
        mean = np.full(len(self._sum[k]), np.nan)
        np.divide(self._sum[k], self.used[k], out=mean, where=self.used[k] > 0)
        return mean

    def _fitted(self, rows: NDArray[np.intp] | None) -> _Fit | None:
        x = self._x if rows is None else self._x[rows]
        survival = self._survival if rows is None else self._survival.take(rows)
        if survival.n_events < (1 if rows is None else LEAST_EVENTS):
            return None
        likelihood = PartialLikelihood(survival, x, ties=self._ties)
        top = likelihood.maximize()
        if not top.converged:
            return None
        predictor = predictor_of(self._x, top.coef)
        hazard = hazard_at(self._times, *likelihood.baseline(top.coef))
        return _Fit(predictor, predicted_survival(predictor, hazard))

    def _compared(self, k: int, fit: _Fit, weights: Floats | None = None) -> GroupCalibration:
        return calibrate_groups(
            self.curves, float(self._times[k]), fit.predicted[:, k], self._cuts[k], weights
        )


def _slope(predictor: Floats, survival: Survival) -> float:
    """Return the coefficient of a linear predictor in a Cox model of its own, or NaN."""
    if np.ptp(predictor) == 0:
        return float("nan")
    top = PartialLikelihood(survival, predictor).maximize()
    return float(top.coef[0]) if top.converged else float("nan")
