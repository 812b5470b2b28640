"""The score of a final model: coefficients times columns, not centered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from napari_crlm_spa.core.cohort.columns import numbers
from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.errors import RiskError

if TYPE_CHECKING:
    import pandas as pd


def linear_score(frame: pd.DataFrame, coefficients: Mapping[str, float]) -> Floats:
    """Return ``X b`` of each patient.

    R's ``predict(coxph)`` gives the same for 0/1 columns (survival >= 3.1 does not center them).
    Columns are added one after the other, in the order of `coefficients`: patients with equal
    columns get equal scores to the last bit, which a matrix product does not promise, and a
    cut-off on such a score can't separate them.

    Parameters
    ----------
    frame
        One row per patient.
    coefficients
        By column.

    Returns
    -------
    array
        Shape (patients,); NaN where a column with a coefficient other than 0 has a hole.

    Raises
    ------
    CohortError
        If a column is missing or holds text.
    RiskError
        If a coefficient is not a finite number.
    """
    score = np.zeros(len(frame))
    for column, coefficient in coefficients.items():
        if not np.isfinite(coefficient):
            raise RiskError(
                f"The coefficient of {column} is {coefficient}, so there is no score. Leave "
                f"{column} out of the model."
            )
        if coefficient:
            score += coefficient * numbers(frame, column)
    return score
