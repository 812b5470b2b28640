"""Cells of a clinical table as numbers, codes and text, and what is no such thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.columns import CLINICAL, SOFS
from napari_crlm_spa.core.cohort.table import check
from napari_crlm_spa.core.cohort.table.cells import Sheet
from napari_crlm_spa.core.cohort.table.headers import Taken
from napari_crlm_spa.core.cohort.table.numbers import to_numbers
from napari_crlm_spa.core.cohort.table.options import BuildOptions
from napari_crlm_spa.core.cohort.table.rows import Notebook, PatientRows
from napari_crlm_spa.core.cohort.table.words import to_codes


@dataclass(slots=True)
class Reading:
    """What the steps of reading one table share."""

    sheet: Sheet
    taken: Taken
    rows: PatientRows
    options: BuildOptions
    notebook: Notebook
    words: dict[str, dict[str, int]]
    decimal_commas: list[str]

    def cells(self, column: str) -> list[str]:
        """Return the cells of one of our columns."""
        return self.rows.cells[self.taken.headers[column]]

    def numbers(self, header: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return a column as numbers, and which cells are none."""
        found = to_numbers(self.rows.cells[header], semicolons=self.sheet.semicolons)
        if found.decimal_comma:
            self.decimal_commas.append(header)
        return found.values, found.bad


def clinical_columns(reading: Reading, out: dict[str, str]) -> dict[str, NDArray[Any]]:
    """Read the clinical columns that the table has; `out` takes patients who are excluded."""
    found: dict[str, NDArray[Any]] = {}
    for column, variable in CLINICAL.items():
        if column not in reading.taken.headers:
            continue
        if variable.kind != "binary":
            found[column] = _number_column(reading, column, out)
            continue
        header = reading.taken.headers[column]
        # Who calls it Gender may have taken it, and its codes, from the authors' table.
        coded = to_codes(column, reading.cells(column), authors=header == "Gender")
        low, high = variable.codes
        if coded.shifted:
            reading.notebook.note(
                "warning",
                f"{header} is coded 1 and 2, which does not say which is {low} and which {high}; "
                "it is kept as it is and not used.",
                f"Write 0 = {low}, 1 = {high}, or the words.",
                column=header,
            )
            name = f"{column} (as given)" if header == column else header
            found[name] = reading.numbers(header)[0]
            continue
        if coded.words:
            reading.words[column] = coded.words
        if coded.authors:
            reading.notebook.note(
                "warning",
                f"{header} is coded 1 and 2: read as 1 = {low}, 2 = {high}, the authors' codes.",
                f"If that is wrong, write 0 = {low}, 1 = {high}, or the words.",
                column=header,
            )
        problem = f"{variable.label} should be 0 = {low} or 1 = {high}, or these words."
        _reject(reading, column, coded.bad, problem, out)
        found[column] = coded.values
    return found


def _number_column(reading: Reading, column: str, out: dict[str, str]) -> NDArray[np.float64]:
    values, bad = reading.numbers(reading.taken.headers[column])
    variable = CLINICAL[column]
    unit = f" in {variable.unit}" if variable.unit else ""
    _reject(reading, column, bad, f"{variable.label} should be a number{unit}.", out)
    odd = check.impossible(column, values)
    if odd.any():
        _reject(reading, column, odd, check.impossible_sentence(column), out)
    values = np.where(odd, np.nan, values)
    check.column_doubts(column, values, reading.notebook)
    return values


def _reject(
    reading: Reading, column: str, bad: NDArray[np.bool_], problem: str, out: dict[str, str]
) -> None:
    exclude = reading.options.bad_values == "exclude"
    header = reading.taken.headers[column]
    check.bad_cells(bad, reading.rows, header, column, problem, exclude, reading.notebook)
    if exclude:
        for at in np.flatnonzero(bad):
            name = reading.rows.patients[at]
            out[name] = out[name] or "a clinical value can't be right"


def feature_columns(reading: Reading, out: dict[str, str]) -> dict[str, NDArray[Any]]:
    """Read spatial features that stand in the table itself: shares within 0 to 1."""
    found: dict[str, NDArray[Any]] = {}
    percent = []
    for column in SOFS:
        if column not in reading.taken.headers:
            continue
        header = reading.taken.headers[column]
        values, text = reading.numbers(header)
        outside = (values < 0) | (values > 1)
        percent += [header] if np.nanmax(values, initial=0) > 1 else []
        for bad, problem in (
            (text, "A spatial feature must be a number."),
            (outside, "A spatial feature is a share, within 0 to 1."),
        ):
            check.bad_cells(bad, reading.rows, header, column, problem, True, reading.notebook)
        for at in np.flatnonzero(text | outside):
            name = reading.rows.patients[at]
            out[name] = out[name] or "a spatial feature can't be right"
        found[column] = values
    if len(percent) > 1:
        reading.notebook.note(
            "warning",
            f"{len(percent)} spatial features have values above 1: this looks like percent.",
            "If so, divide them by 100.",
            column=percent[0],
        )
    return found


def other_columns(
    reading: Reading, ours: set[str], features: Sequence[str]
) -> dict[str, NDArray[Any]]:
    """Keep columns that we don't know: numbers if all their cells are, text otherwise."""
    found: dict[str, NDArray[Any]] = {}
    known = set(reading.taken.headers.values()) - set(features)
    for header, cells in reading.rows.cells.items():
        if header in known:
            continue
        name = f"{header} (table)" if header in ours else header
        values, bad = reading.numbers(header)
        codes = any(len(cell) > 1 and cell[0] == "0" and cell.isdigit() for cell in cells)
        numeric = not bad.any() and not codes and not np.isnan(values).all()
        if header in features:
            _feature_text(reading, header, bad)
            found[name] = values
        elif numeric:
            found[name] = values
        else:
            found[name] = np.array([cell if cell else np.nan for cell in cells], object)
            _mostly_numbers(reading, header, bad, values)
    return found


def _feature_text(reading: Reading, header: str, bad: NDArray[np.bool_]) -> None:
    problem = "A feature must be a number."
    check.bad_cells(bad, reading.rows, header, header, problem, False, reading.notebook)


def _mostly_numbers(
    reading: Reading, header: str, bad: NDArray[np.bool_], values: NDArray[np.float64]
) -> None:
    n_bad, n_good = int(bad.sum()), int((~np.isnan(values)).sum())
    if 0 < n_bad <= n_good / 9:
        first = int(np.flatnonzero(bad)[0])
        reading.notebook.note(
            "warning",
            f"{header} holds numbers and text ({n_bad} of {n_bad + n_good} cells), so all of it "
            "is kept as text.",
            "Correct these cells, or leave them empty, if it is a column of numbers.",
            row=reading.rows.row_of(first, header),
            patient=reading.rows.patients[first],
            column=header,
            value=reading.rows.cells[header][first],
        )
