"""Tables as CSV that come back exactly: every digit, every hole, text as text."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd


def to_csv(frame: pd.DataFrame) -> str:
    """Write a table so that every number comes back the same; holes are empty cells."""
    import pandas as pd

    plain = pd.DataFrame(
        {name: _cells(frame[name]) for name in frame.columns}, columns=list(frame.columns)
    )
    text = io.StringIO()
    plain.to_csv(text, index=False, lineterminator="\n")
    return text.getvalue()


def _cells(column: pd.Series[Any]) -> list[Any]:
    if column.dtype.kind == "b":
        return [int(value) for value in column]
    if column.dtype.kind == "f":
        return [_number(value) for value in column.tolist()]
    return ["" if is_empty(value) else value for value in column]


def _number(value: float) -> str:
    if np.isnan(value):
        return ""
    whole = value.is_integer() and abs(value) < 1e15 and not (value == 0 and np.signbit(value))
    return str(int(value)) if whole else repr(value)


def from_csv(path: Path, kinds: Mapping[str, str]) -> pd.DataFrame:
    """Read a table that `to_csv` wrote.

    Parameters
    ----------
    path
        The file.
    kinds
        ``"number"``, ``"whole"``, ``"flag"`` or ``"text"`` by column; others are guessed.
    """
    import pandas as pd

    try:
        raw = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise CohortError(
            f"{path} cannot be read ({error}). Build the cohort again: crlm-spa cohort build."
        ) from error
    columns = {}
    for name in raw.columns:
        cells = raw[name].tolist()
        kind = kinds.get(name) or _guess(cells)
        try:
            columns[name] = _column(cells, kind)
        except ValueError as error:
            raise CohortError(
                f"The column {name} of {path} should hold numbers: {error}. Correct the cell, or "
                "build the cohort again."
            ) from error
    return pd.DataFrame(columns, columns=list(raw.columns))


def _guess(cells: list[str]) -> str:
    try:
        numbers = [float(cell) for cell in cells if cell]
    except ValueError:
        return "text"
    return "number" if numbers else "text"


def _column(cells: list[str], kind: str) -> Any:
    if kind == "number":
        return np.array([float(cell) if cell else np.nan for cell in cells], np.float64)
    if kind == "whole":
        return np.array([int(cell) for cell in cells], np.int64)
    if kind == "flag":
        return np.array([bool(int(cell)) for cell in cells], np.bool_)
    return np.array([cell if cell else np.nan for cell in cells], object)


def is_empty(cell: Any) -> bool:
    """Tell whether a cell of text is a hole."""
    return isinstance(cell, float) and np.isnan(cell)


def kinds_of(frame: pd.DataFrame) -> dict[str, str]:
    """Return what each column holds, as `from_csv` wants to know it."""
    names = {"b": "flag", "i": "whole", "u": "whole", "f": "number"}
    return {str(name): names.get(frame[name].dtype.kind, "text") for name in frame.columns}
