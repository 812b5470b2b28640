"""Text of a spreadsheet's cells as numbers: holes, decimal commas, and what is no number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: What people write for "not known", compared in lower case.
HOLES = frozenset(
    {
        *("", "na", "n/a", "n.a.", "n.a", "nan", "null", "#n/a", "#na", "unknown", "unk"),
        *("missing", "not available", "not known", ".", "-", "--", "?", "#null!", "<na>"),
    }
)
_POINT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?$")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+$")


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A column as numbers.

    Parameters
    ----------
    values
        Shape (rows,); NaN for holes and for what is no number.
    holes, bad
        Which cells were empty (or say "unknown"), and which hold something else than a number.
    decimal_comma
        Whether ``12,5`` was read as twelve and a half.
    """

    values: NDArray[np.float64]
    holes: NDArray[np.bool_]
    bad: NDArray[np.bool_]
    decimal_comma: bool


def is_hole(cell: str) -> bool:
    """Tell whether a cell says that a value is not known."""
    return cell.casefold() in HOLES


def to_numbers(cells: Sequence[str], *, semicolons: bool = False) -> Numbers:
    """Read a column of numbers.

    A comma is a decimal comma if no cell of the column has a decimal point and the cells can't
    as well be whole numbers with commas between thousands (``1,234``), which is no question in a
    table separated by `semicolons`; otherwise such cells are no numbers. Infinity is none either.
    """
    holes = np.array([is_hole(cell) for cell in cells], np.bool_)
    known = [cell for cell, hole in zip(cells, holes, strict=True) if not hole]
    commas = [cell for cell in known if _COMMA.match(cell)]
    decimal = (
        bool(commas)
        and not any("." in cell and _POINT.match(cell) for cell in known)
        and (semicolons or not all(_may_be_thousands(cell) for cell in commas))
    )
    values = np.array([_number(cell, decimal) for cell in cells], np.float64)
    return Numbers(values, holes, np.isnan(values) & ~holes, decimal)


def _may_be_thousands(cell: str) -> bool:
    return bool(_THOUSANDS.match(cell)) and not cell.lstrip("+-").startswith("0")


def _number(cell: str, decimal_comma: bool) -> float:
    if decimal_comma and _COMMA.match(cell):
        cell = cell.replace(",", ".")
    if not _POINT.match(cell):
        return np.nan
    value = float(cell)
    return value if np.isfinite(value) else np.nan
