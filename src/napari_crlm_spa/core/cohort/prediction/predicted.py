"""Predicted survival of a Cox model that was frozen as plain numbers.

A Cox model predicts ``S(t | x) = exp(-H0(t) exp((x - c) b))`` with the cumulative hazard H0 of a
patient whose covariates are c: 0 where a column holds 0 and 1, else the mean. H0 treats tied deaths
as the model does, as in R's ``survfit(coxph(...))`` (Therneau & Grambsch, Modeling Survival Data,
2000, ch. 10). Nothing is predicted beyond the follow-up behind the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from napari_crlm_spa.core.cohort.columns import matrix
from napari_crlm_spa.core.cohort.cox.concordance import predictor_of
from napari_crlm_spa.core.cohort.cox.design import complete
from napari_crlm_spa.core.cohort.cox.partial_likelihood import PartialLikelihood, Ties
from napari_crlm_spa.core.cohort.survival import Floats, Survival
from napari_crlm_spa.errors import SurvivalDataError

if TYPE_CHECKING:
    import pandas as pd

    from napari_crlm_spa.core.cohort.cox.fit import CoxFit

SCHEMA_VERSION = 1
#: Columns of these values only are not centered (as R's ``coxph(nocenter=)``).
INDICATORS = (-1.0, 0.0, 1.0)


class Predicted(Protocol):
    """Survival of n patients as functions of time."""

    @property
    def steps(self) -> Floats:
        """Times at which a prediction changes, ascending."""

    def at(self, times: ArrayLike) -> Floats:
        """Return probabilities of surviving beyond each time, shape (n, times); NaN: unknown."""


def predicted_survival(predictor: Floats, hazard: Floats) -> Floats:
    """Return ``exp(-H0(t) exp(lp))``; equal predictors give equal numbers to the last bit.

    Parameters
    ----------
    predictor
        Linear predictor, shape (n,).
    hazard
        Cumulative hazard where that is 0, at each time, shape (times,).

    Returns
    -------
    array
        Shape (n, times).
    """
    levels, place = np.unique(predictor, return_inverse=True)
    with np.errstate(divide="ignore", over="ignore"):
        survival = np.exp(-np.exp(levels[:, None] + np.log(hazard)[None, :]))
    return np.asarray(survival[place.reshape(-1)])


def hazard_at(times: ArrayLike, death_times: Floats, hazard: Floats) -> Floats:
    """Return the value of a step function of cumulative hazard at some times, shape of `times`."""
    place = np.searchsorted(death_times, np.asarray(times, np.float64), side="right")
    return np.asarray(np.concatenate([[0.0], hazard])[place])


@dataclass(frozen=True, slots=True, eq=False)
class PredictionModel:
    """A Cox model as plain numbers: enough to predict survival of a second cohort.

    Parameters
    ----------
    name
        For tables.
    columns
        Covariates, in the order of `coef`.
    coef
        Log hazard ratios, shape (p,).
    center
        Covariates of the patient whose hazard is stored, shape (p,): 0 for 0/1 columns, else the
        mean, so that columns of large numbers (years) neither overflow nor lose digits.
    death_times
        Distinct times of death in the cohort behind it, ascending. Months in our tables.
    cumulative_hazard
        At these times, of that patient.
    followed_until
        Longest follow-up behind the model; later predictions are unknown.
    n, n_events
        Patients and deaths behind it.
    cohort
        Whose they were.
    """

    name: str
    columns: tuple[str, ...]
    coef: Floats
    center: Floats
    death_times: Floats
    cumulative_hazard: Floats
    followed_until: float
    n: int
    n_events: int
    cohort: str = ""

    @classmethod
    def of_fit(cls, fit: CoxFit, *, name: str = "final", cohort: str = "") -> PredictionModel:
        """Freeze a fitted model; columns without a coefficient are left out.

        Raises
        ------
        SurvivalDataError
            If no column has a coefficient.
        """
        has = fit.has_coef
        if not has.any():
            raise SurvivalDataError(
                f"No column of the model {name} has a coefficient, so it predicts nothing. Fit a "
                "model with other columns."
            )
        columns = tuple(column for column, used in zip(fit.columns, has, strict=True) if used)
        return cls._of(
            name, columns, fit.coef[has], fit.values[:, has], fit.survival, cohort, fit.ties
        )

    @classmethod
    def of_coefficients(
        cls,
        coefficients: Mapping[str, float],
        frame: pd.DataFrame,
        survival: Survival,
        *,
        name: str,
        cohort: str = "",
    ) -> PredictionModel:
        """Give published coefficients the baseline hazard of a cohort.

        Parameters
        ----------
        coefficients
            Log hazard ratio by column; they stay as they are.
        frame, survival
            The cohort, one row per patient; patients with holes are left out.
        """
        values = matrix(frame, tuple(coefficients))
        rows = complete(values, survival)
        coef = np.array(list(coefficients.values()), np.float64)
        return cls._of(name, tuple(coefficients), coef, values[rows], survival.take(rows), cohort)

    @classmethod
    def _of(
        cls,
        name: str,
        columns: tuple[str, ...],
        coef: Floats,
        values: Floats,
        survival: Survival,
        cohort: str,
        ties: Ties = "efron",
    ) -> PredictionModel:
        center = np.where(np.isin(values, INDICATORS).all(axis=0), 0.0, values.mean(axis=0))
        times, hazard = PartialLikelihood(survival, values - center, ties=ties).baseline(coef)
        last = float(survival.time.max())
        return cls(
            *(name, columns, coef, center, times, hazard, last),
            *(len(survival), survival.n_events, cohort),
        )

    def linear_predictor(self, frame: pd.DataFrame) -> Floats:
        """Return X b, not centered, shape (rows,); NaN where holes are."""
        return predictor_of(matrix(frame, self.columns), self.coef)

    def predict(self, frame: pd.DataFrame) -> CoxPrediction:
        """Return the predictions for patients."""
        return CoxPrediction(
            self, predictor_of(matrix(frame, self.columns) - self.center, self.coef)
        )

    def survival(self, frame: pd.DataFrame, times: ArrayLike) -> Floats:
        """Return probabilities of surviving beyond some times, shape (rows, times)."""
        return self.predict(frame).at(times)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "schema_version": SCHEMA_VERSION,
            "name": self.name,
            "cohort": self.cohort,
            "n": self.n,
            "n_events": self.n_events,
            "coefficients": dict(zip(self.columns, self.coef.tolist(), strict=True)),
            "baseline": {
                "covariates": dict(zip(self.columns, self.center.tolist(), strict=True)),
                "death_times": self.death_times.tolist(),
                "cumulative_hazard": self.cumulative_hazard.tolist(),
                "followed_until": self.followed_until,
            },
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PredictionModel:
        """Read what `as_dict` wrote.

        Raises
        ------
        SurvivalDataError
            If something is missing, of another kind or version, or the hazard falls.
        """
        try:
            version, baseline = values["schema_version"], values["baseline"]
            coefficients: Mapping[str, float] = values["coefficients"]
            model = cls(
                str(values["name"]),
                tuple(coefficients),
                np.array(list(coefficients.values()), np.float64),
                np.array([baseline["covariates"][column] for column in coefficients], np.float64),
                np.array(baseline["death_times"], np.float64),
                np.array(baseline["cumulative_hazard"], np.float64),
                float(baseline["followed_until"]),
                int(values["n"]),
                int(values["n_events"]),
                str(values.get("cohort", "")),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SurvivalDataError(
                f"The stored prediction model is damaged ({error}); fit the cohort again."
            ) from error
        times, hazard = model.death_times, model.cumulative_hazard
        if version != SCHEMA_VERSION:
            raise SurvivalDataError(
                f"The stored prediction model has version {version}, this program reads "
                f"{SCHEMA_VERSION}; fit the cohort again or update the program."
            )
        if (
            times.shape != hazard.shape
            or (np.diff(times) <= 0).any()
            or (np.diff(hazard) < 0).any()
        ):
            raise SurvivalDataError(
                "The stored prediction model has a baseline hazard whose times do not ascend or "
                "that falls; fit the cohort again."
            )
        return model


@dataclass(frozen=True, slots=True, eq=False)
class CoxPrediction:
    """Predictions of a Cox model for n patients.

    Parameters
    ----------
    model
        Its baseline.
    predictor
        ``(x - center) b`` of each patient, shape (n,); NaN predicts nothing.
    """

    model: PredictionModel
    predictor: Floats

    @property
    def steps(self) -> Floats:
        """Times at which predictions change."""
        return self.model.death_times

    def at(self, times: ArrayLike) -> Floats:
        """Return probabilities of surviving beyond each time, shape (n, times)."""
        asked = np.atleast_1d(np.asarray(times, np.float64))
        hazard = hazard_at(asked, self.model.death_times, self.model.cumulative_hazard)
        survival = predicted_survival(self.predictor, hazard)
        return np.where(asked > self.model.followed_until, np.nan, survival)
