"""Numbers out of a table of patients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from napari_crlm_spa.core.cohort.survival import Floats, Survival
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd


def matrix(frame: pd.DataFrame, columns: Sequence[str]) -> Floats:
    """Take columns of numbers out of a frame, shape (patients, columns); holes are NaN.

    Raises
    ------
    CohortError
        If one is missing or holds text.
    """
    values = np.empty((len(frame), len(columns)))
    for place, column in enumerate(columns):
        values[:, place] = numbers(frame, column)
    return values


def numbers(frame: pd.DataFrame, column: str) -> Floats:
    """Take a column of numbers out of a frame; holes are NaN.

    Raises
    ------
    CohortError
        If it is missing or holds text.
    """
    if column not in frame.columns:
        raise CohortError(
            f"The table of patients has no column {column!r}. Add it, or leave this feature out."
        )
    try:
        return np.asarray(frame[column].to_numpy(dtype=np.float64, na_value=np.nan))
    except (TypeError, ValueError) as error:
        raise CohortError(
            f"{column} holds something that is not a number ({error}). Correct the column."
        ) from error


def check_rows(frame: pd.DataFrame, survival: Survival) -> None:
    """Raise `CohortError` unless there is follow-up for each row."""
    if len(frame) != len(survival):
        raise CohortError(
            f"The table has {len(frame)} patients and there are follow-up times of "
            f"{len(survival)}; each patient needs one."
        )
