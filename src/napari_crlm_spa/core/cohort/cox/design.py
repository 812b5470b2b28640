"""From a table's columns to the numbers of a Cox model: terms, holes, names for sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.columns import label_of
from napari_crlm_spa.core.cohort.survival import Floats, Survival
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

#: Columns, or names of terms with their columns (a factor of three levels has two).
Terms = Sequence[str] | Mapping[str, Sequence[str]]


def terms_of(terms: Terms) -> dict[str, tuple[str, ...]]:
    """Return terms by name; a column by itself is a term of its own name."""
    if isinstance(terms, str):
        return {terms: (terms,)}
    if isinstance(terms, Mapping):
        return {name: tuple(columns) for name, columns in terms.items()}
    return {column: (column,) for column in terms}


def columns_of(terms: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the columns of all terms, in order."""
    return tuple(column for columns in terms.values() for column in columns)


def named(column: str) -> str:
    """Spell a column for a sentence: its label, and its name where that differs."""
    label = label_of(column)
    return column if label == column else f"{label} ({column})"


def numbers(frame: pd.DataFrame, columns: Sequence[str]) -> Floats:
    """Return columns as numbers, shape (n, p); what isn't finite is a hole (NaN).

    Raises
    ------
    CohortError
        If the table lacks a column, or one holds text.
    """
    import pandas as pd

    values = np.empty((len(frame), len(columns)))
    for place, column in enumerate(columns):
        if column not in frame.columns:
            raise CohortError(
                f"The table has no column {column!r}. It has: "
                f"{', '.join(str(each) for each in frame.columns)}."
            )
        try:
            series = pd.to_numeric(frame[column])
        except (TypeError, ValueError) as error:
            raise CohortError(
                f"{named(column)} holds something that is not a number ({error}). Code it as "
                "numbers: 0 and 1 for two groups, one column of 0 and 1 per further group."
            ) from error
        values[:, place] = series.to_numpy(dtype=np.float64, na_value=np.nan)
    values[~np.isfinite(values)] = np.nan
    return values


def complete(values: Floats, survival: Survival) -> NDArray[np.bool_]:
    """Return which patients have all columns, shape (n,).

    Raises
    ------
    CohortError
        If table and follow-up differ in length.
    """
    if len(values) != len(survival):
        raise CohortError(
            f"The table has {len(values)} rows and there are {len(survival)} follow-ups; "
            "a Cox model needs one row per patient."
        )
    return np.asarray(~np.isnan(values).any(axis=1), bool)
