"""Calibration of a Cox model: does survival come out as predicted, beyond the data it was fitted to?

The apparent comparison flatters, because the model was fitted to these patients. The bootstrap
refits it on resamples, compares there and in the original patients, and takes the mean difference
(the optimism) off. As in R's ``rms::calibrate`` the columns are given: what chose them (cut-offs,
stepwise selection) is not repeated, so some optimism remains. Harrell, Lee & Mark, Stat Med
1996;15:361.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.cohort.cox.partial_likelihood import PartialLikelihood
from napari_crlm_spa.core.cohort.prediction.calibration_groups import (
    GroupCalibration,
    calibrate_groups,
    quantile_cuts,
)
from napari_crlm_spa.core.cohort.prediction.covariates import (
    complete_rows,
    covariates_of,
    hazard_at,
    linear_predictor,
    predicted_survival,
)
from napari_crlm_spa.core.cohort.prediction.group_survival import GroupedSurvival
from napari_crlm_spa.core.cohort.prediction.times import PAPER_TIMES_MONTHS, checked_times
from napari_crlm_spa.core.cohort.survival import Floats, Survival
from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.errors import SurvivalDataError

if TYPE_CHECKING:
    import pandas as pd

#: A model of fewer deaths than this is not fitted in a resample. Our choice.
LEAST_EVENTS = 5
#: Share of resamples that may fail before the user is told.
FAILURES_TOLD = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationOptions(Options):
    """How calibration is computed."""

    times: tuple[float, ...] = option(
        PAPER_TIMES_MONTHS, "When predictions are compared with observed survival", unit="months"
    )
    groups: int = option(
        4, "Groups of patients with like predictions", min=1, max=100, label="Groups"
    )
    group_size: int = option(
        0,
        "Patients per group (rms: m); 0: the number of groups decides",
        min=0,
        label="Patients per group",
        advanced=True,
    )
    resamples: int = option(
        1000, "Bootstrap resamples (the paper: 1000); 0: apparent only", min=0, max=100_000
    )
    seed: int = option(1, "Seed of the resamples", min=0, max=2**31 - 1, advanced=True)

    def patients_per_group(self, n: int) -> int:
        """Return rms's m for n patients."""
        return self.group_size or max(1, n // self.groups)


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Calibration of one model at some times.

    Parameters
    ----------
    table
        Table ``calibration``: a row per time and group of at least one patient. ``observed`` is
        the group's Kaplan-Meier estimate, ``corrected`` the same without the optimism.
        ``std_err`` is of log(observed); ``lower95`` and ``upper95`` use it.
    summary
        Table ``calibration_summary``: a row per time with all patients together: observed and
        expected share of deaths and their ratio, slope of the linear predictor in the original
        patients when fitted in resamples (below 1: predictions too extreme).
    note
        For below the table.
    warnings
        Sentences for the user.
    """

    table: pd.DataFrame
    summary: pd.DataFrame
    note: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """Coefficients and predictions for the original patients."""

    coef: Floats
    predictor: Floats
    predicted: Floats


def calibrate(
    frame: pd.DataFrame,
    survival: Survival,
    columns: Sequence[str],
    options: CalibrationOptions | None = None,
    *,
    model: str = "final",
    rows: ArrayLike | None = None,
) -> Generator[Progress, None, Calibration]:
    """Compare predicted with observed survival, corrected for optimism by bootstrap.

    Parameters
    ----------
    frame
        One row per patient.
    survival
        Follow-up of the same patients.
    columns
        Covariates of the model, numbers. Patients with holes in them are left out.
    options
        Times, groups, resamples, seed.
    model
        Its name in the tables.
    rows
        The resamples themselves instead of random ones: positions among the patients without
        holes, shape (resamples, n).

    Yields
    ------
    Progress
        Per resample; closing the generator cancels.

    Raises
    ------
    SurvivalDataError
        If nobody died, the model cannot be fitted, or a column is missing or holds text.
    """
    options = options or CalibrationOptions()
    work = _Calibrator(frame, survival, columns, options)
    for done, resample in enumerate(work.resamples(rows), start=1):
        work.add(resample)
        if done % 20 == 0 or done == work.planned:
            yield Progress("calibrating", done, work.planned, "resamples")
    return Calibration(work.table(model), work.summary(model), work.note(), work.warnings(model))


class _Calibrator:
    """Apparent calibration and the running sums of the optimism."""

    def __init__(
        self,
        frame: pd.DataFrame,
        survival: Survival,
        columns: Sequence[str],
        options: CalibrationOptions,
    ) -> None:
        values = covariates_of(frame, columns)
        if len(values) != len(survival):
            raise SurvivalDataError(
                f"There are {len(values)} rows of covariates for {len(survival)} patients."
            )
        complete = complete_rows(values)
        self.n_missing = int((~complete).sum())
        # Centered: predictions do not change, exponentials of large columns stay finite.
        self._x = values[complete] - values[complete].mean(axis=0) if complete.any() else values
        self._survival = survival.take(complete)
        self._options, self._times = options, checked_times(options.times)
        self.n, self.planned = int(complete.sum()), options.resamples
        self._curves = GroupedSurvival(self._survival)
        fit = self._fitted(None)
        if fit is None:
            raise SurvivalDataError(
                f"The model of {', '.join(columns)} cannot be fitted to {self.n} patients with "
                f"{self._survival.n_events} deaths: a coefficient runs away, or columns depend on "
                "each other. Leave a column out."
            )
        self._fit = fit
        size = options.patients_per_group(self.n)
        self._cuts = [quantile_cuts(fit.predicted[:, k], size) for k in range(len(self._times))]
        self._apparent = [self._compared(k, fit) for k in range(len(self._times))]
        self._optimism = [np.zeros(len(cuts) - 1) for cuts in self._cuts]
        self._used = [np.zeros(len(cuts) - 1, int) for cuts in self._cuts]
        self._slopes: list[float] = []
        self.failed = 0

    def resamples(self, rows: ArrayLike | None) -> Generator[NDArray[np.intp], None, None]:
        """Return the resamples, positions of patients, shape (n,) each."""
        if rows is None:
            for number in range(self.planned):
                draw = np.random.default_rng([self._options.seed, number])
                yield draw.integers(0, self.n, self.n)
            return
        given = np.asarray(rows, np.intp)
        if given.ndim != 2 or given.shape[1] != self.n or given.min() < 0 or given.max() >= self.n:
            raise SurvivalDataError(
                f"The resamples have the shape {given.shape}; each needs {self.n} positions of "
                f"patients, from 0 to {self.n - 1}."
            )
        self.planned = len(given)
        yield from given

    def add(self, rows: NDArray[np.intp]) -> None:
        """Refit on a resample; add what it flatters itself by."""
        fit = self._fitted(rows)
        if fit is None:
            self.failed += 1
            return
        self._slopes.append(_slope(fit.predictor, self._survival))
        weights = np.bincount(rows, minlength=self.n).astype(np.float64)
        for k in range(len(self._times)):
            gain = self._compared(k, fit, weights).index - self._compared(k, fit).index
            known = np.isfinite(gain)
            self._optimism[k][known] += gain[known]
            self._used[k][known] += 1

    def _fitted(self, rows: NDArray[np.intp] | None) -> _Fit | None:
        x = self._x if rows is None else self._x[rows]
        survival = self._survival if rows is None else self._survival.take(rows)
        if survival.n_events < (1 if rows is None else LEAST_EVENTS):
            return None
        likelihood = PartialLikelihood(survival, x)
        top = likelihood.maximize()
        if not top.converged:
            return None
        predictor = linear_predictor(self._x, top.coef)
        hazard = hazard_at(self._times, *likelihood.baseline(top.coef))
        return _Fit(top.coef, predictor, predicted_survival(predictor, hazard))

    def _compared(self, k: int, fit: _Fit, weights: Floats | None = None) -> GroupCalibration:
        return calibrate_groups(
            self._curves, float(self._times[k]), fit.predicted[:, k], self._cuts[k], weights
        )

    def table(self, model: str) -> pd.DataFrame:
        """Return the table ``calibration``."""
        import pandas as pd

        parts = []
        for k, time in enumerate(self._times):
            apparent, used = self._apparent[k], self._used[k]
            optimism = np.full(len(used), np.nan)
            np.divide(self._optimism[k], used, out=optimism, where=used > 0)
            lower, upper = apparent.observed.interval()
            part = pd.DataFrame(
                {
                    "model": model,
                    "time_months": time,
                    "group": 0,
                    "n": apparent.observed.n.astype(int),
                    "predicted": apparent.predicted,
                    "observed": apparent.observed.survival,
                    "std_err": apparent.observed.std_err,
                    "optimism": optimism,
                    "corrected": apparent.observed.survival - optimism,
                    "resamples": used,
                    "lower95": lower,
                    "upper95": upper,
                }
            )
            filled = part[part["n"] > 0]
            parts.append(filled.assign(group=np.arange(1, len(filled) + 1)))
        return pd.concat(parts, ignore_index=True)

    def summary(self, model: str) -> pd.DataFrame:
        """Return the table ``calibration_summary``."""
        import pandas as pd

        rows: list[dict[str, Any]] = []
        for k, time in enumerate(self._times):
            observed = self._curves.overall(float(time))
            expected = 1 - float(self._fit.predicted[:, k].mean())
            deaths = 1 - float(observed.survival[0])
            rows.append(
                {
                    "model": model,
                    "time_months": time,
                    "n": self.n,
                    "n_missing": self.n_missing,
                    "observed_deaths": deaths,
                    "expected_deaths": expected,
                    "observed_expected": deaths / expected if expected > 0 else np.nan,
                    "slope_apparent": 1.0,
                    "slope_corrected": float(np.nanmean(self._slopes)) if self._slopes else np.nan,
                    "resamples": len(self._slopes),
                }
            )
        return pd.DataFrame(rows)

    def note(self) -> str:
        """Return what stands under the table."""
        text = (
            "Predicted: mean of exp(-H0(t) exp(Xb)) with Efron's baseline hazard; observed: "
            "Kaplan-Meier estimate of the group; std_err: of its logarithm. Groups are cut at "
            "quantiles of the predictions, as in R's rms::calibrate (cmethod = KM)."
        )
        if not self.planned:
            return text + " Apparent calibration only: it flatters the model."
        return text + (
            f" Optimism: mean over {self.planned} bootstrap resamples of (resample - original "
            "patients), the model refitted with the same columns. Cut-offs and the choice of the "
            "columns were not repeated in the resamples, so some optimism remains."
        )

    def warnings(self, model: str) -> tuple[str, ...]:
        """Return sentences on what could not be computed."""
        found = []
        if self.failed > FAILURES_TOLD * self.planned:
            found.append(
                f"Calibration of {model}: {self.failed} of {self.planned} resamples could not be "
                "fitted (too few deaths, or a rare column) and were left out. Use fewer columns."
            )
        for k, time in enumerate(self._times):
            apparent = self._apparent[k]
            filled = apparent.observed.n > 0
            if np.isnan(apparent.observed.survival[filled]).any():
                found.append(
                    f"Calibration of {model} at {time:g} months: in a group nobody was followed "
                    "that long, or it is a single patient. Choose an earlier time or fewer groups."
                )
        return tuple(found)


def _slope(predictor: Floats, survival: Survival) -> float:
    """Return the coefficient of a linear predictor in a Cox model of its own; NaN if it has none."""
    if np.ptp(predictor) == 0:
        return float("nan")
    top = PartialLikelihood(survival, predictor).maximize()
    return float(top.coef[0]) if top.converged else float("nan")
