"""Rows of a table of one stratum, and numbers of a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

#: The stratum of all slides, as `core.hgp.agree` names it.
ALL = "all"


def of_stratum(table: pd.DataFrame | None, stratum: str) -> pd.DataFrame | None:
    """Return the rows of a stratum; None if there is none."""
    if table is None:
        return None
    rows = table[table["stratum"].astype(str) == stratum]
    return rows if len(rows) else None


def number(row: Mapping[str, Any], name: str) -> float:
    """Return a cell as a number; NaN if there is none."""
    value = row.get(name)
    return float(value) if isinstance(value, (int, float, np.number)) else float("nan")


def with_interval(
    row: Mapping[str, Any], name: str, ends: str = "", suffix: str = ""
) -> tuple[float, float, float]:
    """Return a number and its interval, in the columns ``<ends>lower`` and ``<ends>upper``.

    Parameters
    ----------
    ends, suffix
        Before and after ``lower`` and ``upper``.
    """
    columns = (name, f"{ends}lower{suffix}", f"{ends}upper{suffix}")
    value, low, high = (number(row, each) for each in columns)
    return value, low, high
