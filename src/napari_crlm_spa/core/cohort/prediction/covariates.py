"""Linear predictors and predicted survival, the same to the last bit for the same covariates.

Groups of patients with one risk must not be torn apart by rounding, as a matrix product may do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.errors import SurvivalDataError

if TYPE_CHECKING:
    import pandas as pd


def covariates_of(frame: pd.DataFrame, columns: Sequence[str]) -> Floats:
    """Return columns of numbers, shape (n, p); holes are NaN.

    Raises
    ------
    SurvivalDataError
        If a column is missing or holds text.
    """
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise SurvivalDataError(
            f"The table has no column {', '.join(missing)}, which the model needs. Add it, or "
            "rename the column that holds it."
        )
    values = np.empty((len(frame), len(columns)))
    for place, column in enumerate(columns):
        try:
            values[:, place] = frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError):
            raise SurvivalDataError(
                f"The column {column} holds text; the model needs numbers (0/1 for yes and no)."
            ) from None
    return values


def complete_rows(values: Floats) -> NDArray[np.bool_]:
    """Return which rows have no hole, shape (n,)."""
    return np.asarray(np.isfinite(values).all(axis=1))


def linear_predictor(values: Floats, coef: Floats) -> Floats:
    """Return X b, not centered, shape (n,)."""
    total = np.zeros(len(values))
    for place, coefficient in enumerate(coef):
        total += values[:, place] * coefficient
    return total


def predicted_survival(predictor: Floats, hazard: Floats) -> Floats:
    """Return ``exp(-H0(t) exp(Xb))``, shape (n, times).

    Parameters
    ----------
    predictor
        Shape (n,).
    hazard
        Cumulative hazard at covariates 0 at each time, shape (times,).
    """
    levels, place = np.unique(predictor, return_inverse=True)
    with np.errstate(divide="ignore", over="ignore"):
        survival = np.exp(-np.exp(levels[:, None] + np.log(hazard)[None, :]))
    return np.asarray(survival[place])


def hazard_at(times: Floats, death_times: Floats, hazard: Floats) -> Floats:
    """Return the value of a step function of cumulative hazard at some times, shape (times,)."""
    place = np.searchsorted(death_times, times, side="right")
    return np.concatenate([[0.0], hazard])[place]
