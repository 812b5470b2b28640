"""From a table's columns to the patients and columns of a Cox model: terms, holes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.survival import Floats, Survival
from napari_crlm_spa.errors import CohortError

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


def check_rows(rows: int, survival: Survival) -> None:
    """Raise `CohortError` unless there is follow-up for each row of a table."""
    if rows != len(survival):
        raise CohortError(
            f"The table has {rows} rows and there are {len(survival)} follow-ups; there must be "
            "one row per patient."
        )


def complete(values: Floats, survival: Survival) -> NDArray[np.bool_]:
    """Return which patients have all columns, shape (n,).

    Raises
    ------
    CohortError
        If table and follow-up differ in length.
    """
    check_rows(len(values), survival)
    return np.asarray(~np.isnan(values).any(axis=1), bool)
