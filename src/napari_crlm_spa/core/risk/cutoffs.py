"""Cut-offs that dichotomize features, fitted to a cohort.

The paper's text describes maximally selected rank statistics, but the standard errors of its
knitted analysis fit only splits in half: ``maxstat`` follows the text, ``median`` the numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.risk.maxstat import maxstat_cutoff
from napari_crlm_spa.core.risk.model import RiskModel
from napari_crlm_spa.errors import RiskError, TableError

if TYPE_CHECKING:
    import pandas as pd

Method = Literal["median", "maxstat"]
METHODS: tuple[Method, Method] = ("median", "maxstat")
#: Fewer slides than this say nothing about where to split.
LEAST_ROWS = 10
#: Column of the tables that says why a slide gets no risk.
REFUSAL = "refusal"


@dataclass(frozen=True, slots=True)
class Cutoff:
    """A fitted cut-off; 1 is ``value > cutoff``.

    Parameters
    ----------
    column, cutoff, method
        What was split, where and how.
    n_low, n_high
        Rows on either side.
    statistic
        The maximally selected statistic; None for the median.
    """

    column: str
    cutoff: float
    method: Method
    n_low: int
    n_high: int
    statistic: float | None = None

    @property
    def source(self) -> str:
        """Where the cut-off comes from, in words."""
        how = "median" if self.method == "median" else "maximally selected log-rank statistic"
        return f"{how} of {self.n_low + self.n_high} slides"


def read_table(path: Path | str) -> pd.DataFrame:
    """Read a CSV table with a header row.

    Raises
    ------
    TableError
        If the file is missing, empty or no table, or its rows are longer than its header.
    """
    # Loaded when a table is read: a panel that only shows a risk opens sooner without it.
    import pandas as pd

    path = Path(path)
    try:
        # pandas before 3 reads numbers to the last bit only if asked to.
        table = pd.read_csv(path, float_precision="round_trip")
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise TableError(
            f"The table {path} cannot be read: {error}. "
            "Give a CSV file (UTF-8, separated by commas) whose first row names the columns."
        ) from error
    # pandas takes a surplus first cell as the row's name: with commas at the lines' ends every
    # number would stand under its neighbor's name.
    if not isinstance(table.index, pd.RangeIndex):
        raise TableError(
            f"The rows of {path} have more cells than its first row has names. Remove commas at "
            "the ends of lines, or name every column."
        )
    return table


def fit_cutoffs(
    table: pd.DataFrame,
    columns: Iterable[str],
    method: Method = "median",
    *,
    time: str = "os.time",
    event: str = "os.event",
    minprop: float = 0.1,
) -> dict[str, Cutoff]:
    """Fit a cut-off to each of some columns of a cohort table.

    Parameters
    ----------
    table
        One row per slide or patient. Rows with a `refusal`, as ``features.csv`` gives one to
        slides with too little tumor, are left out, as in the paper.
    columns
        The features to split.
    method
        ``"median"``: half of the rows on either side (ties go to the low side), needs no
        follow-up. ``"maxstat"``: where the log-rank statistic is largest.
    time, event
        Columns of follow-up and 1 = died, 0 = censored, for ``"maxstat"``. The defaults are the
        names in the authors' table.
    minprop
        Least share of the rows on either side, for ``"maxstat"``.

    Returns
    -------
    dict
        Cut-offs by column.

    Raises
    ------
    TableError
        If a column is missing, holds text or holes, is constant; if there are fewer than 10
        rows; if events are not 0/1 or times negative. The message names column and row.
    RiskError
        If the method is unknown or `minprop` isn't in (0, 0.5).
    """
    columns = list(dict.fromkeys(columns))
    if method not in METHODS:
        raise RiskError(f"There is no method {method!r}; choose one of {', '.join(METHODS)}.")
    if not 0 < minprop < 0.5:
        raise RiskError(f"minprop is {minprop:g}; it must lie between 0 and 0.5.")
    if REFUSAL in table.columns:
        table = table[table[REFUSAL].isna() | (table[REFUSAL] == "")]
    if len(table) < LEAST_ROWS:
        raise TableError(
            f"The table has {len(table)} rows to use; cut-offs need at least {LEAST_ROWS}. "
            "Add slides of the cohort."
        )
    numbers = {column: _varied(table, column) for column in columns}
    if method == "median":
        return {column: _median(column, values) for column, values in numbers.items()}
    times, events = follow_up(table, time, event)
    return {
        column: _maxstat(column, values, times, events, minprop)
        for column, values in numbers.items()
    }


def apply_cutoffs(
    model: RiskModel, cutoffs: Mapping[str, Cutoff | float], source: str = ""
) -> RiskModel:
    """Return a risk model with cut-offs entered.

    Parameters
    ----------
    model
        The model.
    cutoffs
        By column: fitted ones, or the user's own numbers. Columns that the model doesn't have
        are an error; features not named keep what they have.
    source
        Who says so, e.g. the name of the cohort; stands beside every cut-off.

    Raises
    ------
    RiskError
        If a column isn't a feature of the model, or a cut-off isn't a finite number.
    """
    known = {feature.column for feature in model.features}
    for column, found in cutoffs.items():
        if column not in known:
            raise RiskError(
                f"The risk model {model.name} has no feature {column!r}; "
                f"it has {', '.join(sorted(known))}."
            )
        if not np.isfinite(_number(found)):
            raise RiskError(f"The cut-off of {column} is {_number(found)}; give a finite number.")
    features = []
    for feature in model.features:
        if feature.column in cutoffs:
            found = cutoffs[feature.column]
            parts = [found.source] if isinstance(found, Cutoff) else []
            update = {
                "cutoff": _number(found),
                "cutoff_source": ", ".join([*parts, *([source] if source else [])]) or "user",
                "direction": ">" if isinstance(found, Cutoff) else feature.direction,
            }
            features.append(feature.model_copy(update=update))
        else:
            features.append(feature)
    return model.model_copy(update={"features": tuple(features)})


def follow_up(
    table: pd.DataFrame, time: str, event: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Take follow-up times and events out of a table.

    Raises
    ------
    TableError
        If a time is negative or missing, an event not 0/1, or nobody died.
    """
    times, events = numbers_of(table, time), numbers_of(table, event)
    negative = np.flatnonzero(times < 0)
    if len(negative):
        raise TableError(
            f"{time} is {times[negative[0]]:g} in {_row(table, negative[0])}; "
            "a follow-up time can't be negative. Correct or remove the row."
        )
    odd = np.flatnonzero(~np.isin(events, (0.0, 1.0)))
    if len(odd):
        raise TableError(
            f"{event} is {events[odd[0]]:g} in {_row(table, odd[0])}; it must be 1 (died) or 0 "
            f"(censored). {len(odd)} rows are concerned; recode or remove them."
        )
    if not events.any():
        raise TableError(f"{event} is 0 in every row: without deaths nothing can be fitted.")
    return times, events


def numbers_of(table: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Take a column of finite numbers out of a table, shape (rows,).

    Raises
    ------
    TableError
        If it is missing, or holds text or holes.
    """
    import pandas as pd

    if column not in table.columns:
        raise TableError(
            f"The table has no column {column!r}. It has {', '.join(map(str, table.columns))}."
        )
    raw = table[column]
    numbers = pd.to_numeric(raw, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    bad = np.flatnonzero(~np.isfinite(numbers))
    if len(bad):
        value = raw.iloc[bad[0]]
        what = "is empty" if pd.isna(value) else f"holds {str(value)!r}, which is not a number,"
        more = f" ({len(bad)} rows are concerned)" if len(bad) > 1 else ""
        raise TableError(
            f"{column} {what} in {_row(table, bad[0])}{more}. Fill it in or remove the row."
        )
    return numbers


def _varied(table: pd.DataFrame, column: str) -> NDArray[np.float64]:
    values = numbers_of(table, column)
    if np.ptp(values) == 0:
        raise TableError(
            f"{column} is {values[0]:g} in every row, so it can't be split. "
            "Leave it out, or add slides that differ."
        )
    return values


def _row(table: pd.DataFrame, position: int) -> str:
    """Name a row as a spreadsheet does: the header is row 1."""
    first = str(table.columns[0])
    label = table.index[position]
    number = int(label) if isinstance(label, int | np.integer) else position
    return f"row {number + 2} ({first} {table.iloc[position, 0]!s})"


def _number(found: Cutoff | float) -> float:
    return found.cutoff if isinstance(found, Cutoff) else float(found)


def _median(column: str, values: NDArray[np.float64]) -> Cutoff:
    cutoff = float(np.median(values))
    high = int((values > cutoff).sum())
    if high == 0:
        raise TableError(
            f"More than half of the rows share the largest value of {column}, so the median does "
            "not split it. Use another method, or enter a cut-off."
        )
    return Cutoff(column, cutoff, "median", len(values) - high, high)


def _maxstat(
    column: str,
    values: NDArray[np.float64],
    times: NDArray[np.float64],
    events: NDArray[np.float64],
    minprop: float,
) -> Cutoff:
    found = maxstat_cutoff(values, times, events, minprop)
    if found is None:
        raise TableError(
            f"{column} has no split with at least {minprop:.0%} of the rows on either side: too "
            "many equal values. Use a smaller least share, or leave it out."
        )
    return Cutoff(column, found.cutoff, "maxstat", found.n_low, found.n_high, found.statistic)
