"""Reviews of growth patterns as a table: one row per slide, reader and round.

The columns are those of `columns.REVIEW_COLUMNS`. Shares are percent of the interface's length and
add up to 100.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_crlm_spa.core.cohort.columns import PATIENT, SLIDE
from napari_crlm_spa.core.cohort.table import Problem
from napari_crlm_spa.core.cohort.table.cells import Sheet, read_sheet
from napari_crlm_spa.core.cohort.table.headers import plain
from napari_crlm_spa.core.cohort.table.plain_csv import to_csv
from napari_crlm_spa.core.cohort.table.rows import Notebook
from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.hgp.columns import (
    LESION,
    PCT_D,
    PCT_NON_D,
    RATER,
    REVIEW_COLUMNS,
    REVIEW_SPELLINGS,
    REVIEW_TEXT,
    ROUND,
    SHARES,
)
from napari_crlm_spa.core.hgp.review_rows import ReviewOptions, RowReader
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

#: A review that nobody signed.
NOBODY = "reader"


@dataclass(frozen=True, slots=True, eq=False)
class Reviews:
    """Checked reviews.

    Parameters
    ----------
    frame
        `REVIEW_COLUMNS` and ``pct_non_D``; one row per slide, rater and round, RangeIndex. Numbers
        are floats with NaN for holes (``viable`` and ``chemo``: 1 yes, 0 no), text is text, empty
        for holes.
    problems
        What was wrong with rows; those with an error are not in the table.
    """

    frame: pd.DataFrame
    problems: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def raters(self) -> tuple[str, ...]:
        """Who reviewed, in the order of the table."""
        return tuple(dict.fromkeys(self.frame[RATER]))


def read_reviews(
    path: Path | str, options: ReviewOptions | None = None, *, rater: str = ""
) -> Reviews:
    """Read a table of reviews.

    Parameters
    ----------
    path
        CSV or Excel (see `core.cohort.table.cells.read_sheet`), or JSON: a list of rows.
    options
        Limits.
    rater
        Who reviewed rows that name nobody.

    Raises
    ------
    CohortError
        If the file can't be read, has no column for slide or desmoplastic share, or has shares
        from 0 to 1 instead of percent.
    """
    path = Path(path)
    sheet = _json_sheet(path) if path.suffix.lower() == ".json" else read_sheet(path)
    return check_reviews(sheet, options, rater=rater)


def check_reviews(
    sheet: Sheet, options: ReviewOptions | None = None, *, rater: str = ""
) -> Reviews:
    """Check the rows of a table of text; see `read_reviews`."""
    headers = review_headers(sheet.header, sheet.path.name)
    notebook = Notebook(sheet.path.name)
    reader = RowReader(options or ReviewOptions(), notebook)
    cells = {column: sheet.column(header) for column, header in headers.items()}
    reader.decimal_commas(cells, semicolons=sheet.semicolons)
    rows: list[dict[str, Any]] = []
    seen: dict[tuple[Any, ...], int] = {}
    spelled: dict[str, str] = {}
    for at, number in enumerate(sheet.numbers):
        row = reader.row({column: values[at] for column, values in cells.items()}, number)
        if row is None:
            continue
        name = row[RATER] or rater or NOBODY
        # Capitals make no other reader; the first spelling stays.
        row[RATER] = spelled.setdefault(name.casefold(), name)
        key = (row[SLIDE], row[LESION], row[RATER].casefold(), row[ROUND])
        if key in seen:
            notebook.note(
                "error",
                f"{row[RATER]} reviewed this slide in row {seen[key]} already, in the same round.",
                "Number repeated readings in the column round, or remove one; this row is not "
                "used.",
                row=number,
                patient=row[PATIENT],
                column=SLIDE,
                value=row[SLIDE],
            )
            continue
        seen[key] = number
        rows.append(row)
    frame = review_frame(rows)
    _refuse_fractions(frame, notebook.source)
    return Reviews(frame, tuple(notebook.problems))


def _refuse_fractions(frame: pd.DataFrame, source: str) -> None:
    """Refuse 0.6 for 60 % where no other share of the row would show that it can't be percent."""
    alone = frame.loc[frame[list(SHARES[1:])].isna().all(axis=1), PCT_D].dropna()
    if len(alone) and 0 < alone.max() <= 1:
        raise CohortError(
            f"{source} has no {PCT_D} above 1, as if 0.6 or 1 stood for 60 and 100 percent. Write "
            f"percent. If it is percent all the same, fill in {', '.join(SHARES[1:])} too."
        )


def review_headers(header: Sequence[str], source: str) -> dict[str, str]:
    """Return which header of a table is which of our columns.

    Raises
    ------
    CohortError
        If slide or desmoplastic share has no column, or several may be meant.
    """
    found: dict[str, str] = {}
    for column in REVIEW_COLUMNS:
        exact = [each for each in header if plain(each) == plain(column)]
        spellings = {plain(each) for each in REVIEW_SPELLINGS[column]}
        alike = exact or [each for each in header if plain(each) in spellings]
        if len(alike) > 1:
            raise CohortError(
                f"{source} has several columns that may be {column}: {', '.join(alike)}. Rename "
                "the others."
            )
        if alike:
            found[column] = alike[0]
    missing = [column for column in (SLIDE, PCT_D) if column not in found]
    if missing:
        raise CohortError(
            f"{source} has no column {' and no column '.join(missing)}. A table of reviews has "
            f"{', '.join(REVIEW_COLUMNS)}; this one has {', '.join(header)}."
        )
    return found


def review_frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Make the table of checked rows."""
    import pandas as pd

    columns = {
        column: np.array([row[column] for row in rows], object if column in REVIEW_TEXT else float)
        for column in REVIEW_COLUMNS
    }
    columns[PCT_NON_D] = 100 - columns[PCT_D]
    return pd.DataFrame(columns)


def write_reviews(path: Path | str, reviews: Reviews | pd.DataFrame) -> None:
    """Write reviews as CSV, atomically; `read_reviews` returns the same rows.

    Raises
    ------
    StoreError
        If the file can't be written.
    """
    frame = reviews.frame if isinstance(reviews, Reviews) else reviews
    write_text(Path(path), to_csv(frame[list(REVIEW_COLUMNS)]))


def joined_reviews(parts: Sequence[Reviews]) -> Reviews:
    """Join reviews of several files; the first of two equal readings stays, and a problem says so.

    Rounds are kept; nothing is renumbered.
    """
    notebook = Notebook("all reviews")
    seen: dict[tuple[Any, ...], None] = {}
    spelled: dict[str, str] = {}
    rows: list[dict[str, Any]] = []
    for part in parts:
        for row in part.frame.to_dict("records"):
            row[RATER] = spelled.setdefault(str(row[RATER]).casefold(), str(row[RATER]))
            key = (row[SLIDE], row[LESION], str(row[RATER]).casefold(), row[ROUND])
            if key in seen:
                notebook.note(
                    "warning",
                    f"{row[RATER]} reviewed this slide in two of the files, in the same round.",
                    "The first is used; number the second in the column round if it is another "
                    "reading.",
                    patient=str(row[PATIENT]),
                    column=SLIDE,
                    value=str(row[SLIDE]),
                )
                continue
            seen[key] = None
            rows.append({str(name): value for name, value in row.items()})
    problems = [problem for part in parts for problem in part.problems]
    return Reviews(review_frame(rows), (*problems, *notebook.problems))


def _json_sheet(path: Path) -> Sheet:
    try:
        found = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise CohortError(
            f"{path.name} cannot be read as JSON ({error}). Name a table of reviews: CSV, Excel, "
            "or a JSON list of rows."
        ) from error
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise CohortError(
            f"{path.name} holds no list of reviews. Name a table of reviews: CSV, Excel, or a "
            "JSON list of rows."
        )
    header = tuple(dict.fromkeys(str(name) for row in found for name in row))
    cells = tuple(tuple(_cell(row.get(name)) for name in header) for row in found)
    return Sheet(path, header, cells, tuple(range(2, len(cells) + 2)), "", "JSON")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return " ".join(str(value).split())
