"""Measured interfaces as a table: what ``hgp measure`` writes, one row per slide."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_crlm_spa.core.cohort.columns import PATIENT, SLIDE
from napari_crlm_spa.core.cohort.table import Problem
from napari_crlm_spa.core.cohort.table.cells import Sheet, read_sheet
from napari_crlm_spa.core.cohort.table.headers import plain
from napari_crlm_spa.core.cohort.table.numbers import is_hole, to_numbers
from napari_crlm_spa.core.cohort.table.rows import Notebook
from napari_crlm_spa.core.hgp.columns import (
    ASSESSABLE_FRACTION,
    CHEMO,
    INTERFACE_MM,
    LESION,
    MARKERS,
    MEASURE_NUMBERS,
    PCT_D,
    PCT_N,
    PCT_O,
    PERIMETER_PER_AREA,
    TUMOR_MM2,
    TUMOR_TILES,
)
from napari_crlm_spa.core.hgp.review_rows import yes_or_no
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

_PERCENT = (PCT_D, PCT_N, PCT_O)
_SHARES = (ASSESSABLE_FRACTION,)
_TEXT = (SLIDE, PATIENT, LESION)


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """Measured slides.

    Parameters
    ----------
    frame
        ``slide``, ``patient``, ``lesion`` ("" if the table has none), `MEASURE_NUMBERS` and
        ``chemo`` (1 yes, 0 no; NaN for holes and columns that the table lacks); one row per slide.
    problems
        What was wrong with rows.
    """

    frame: pd.DataFrame
    problems: tuple[Problem, ...] = ()


def read_measures(path: Path | str) -> Measures:
    """Read a table of measured slides (CSV or Excel).

    Raises
    ------
    CohortError
        If it can't be read, names no slides, or measures nothing that can be compared.
    """
    sheet = read_sheet(path)
    notebook = Notebook(sheet.path.name)
    headers = {
        ours: theirs
        for ours in (*_TEXT, CHEMO, *MEASURE_NUMBERS)
        for theirs in sheet.header
        if plain(theirs) == plain(ours)
    }
    if SLIDE not in headers:
        raise CohortError(
            f"{sheet.path.name} has no column {SLIDE}. Name the table that hgp measure wrote; this "
            f"one has {', '.join(sheet.header)}."
        )
    if not {PCT_D, *MARKERS} & set(headers):
        raise CohortError(
            f"{sheet.path.name} has nothing to compare with reviews: none of "
            f"{', '.join((PCT_D, *MARKERS))}. Name the table that hgp measure wrote."
        )
    columns: dict[str, Any] = {}
    for name in _TEXT:
        cells = sheet.column(headers[name]) if name in headers else [""] * len(sheet.rows)
        # Numbers of lesions are those of one slide; 0 is all of it.
        columns[name] = np.array(
            ["" if name == LESION and cell == "0" else cell for cell in cells], object
        )
    for name in MEASURE_NUMBERS:
        columns[name] = _numbers(sheet, headers.get(name), name, notebook)
    with np.errstate(divide="ignore", invalid="ignore"):
        perimeter = columns[INTERFACE_MM] / columns[TUMOR_MM2]
    told = columns[PERIMETER_PER_AREA]
    perimeter = np.where(np.isfinite(perimeter), perimeter, np.nan)
    columns[PERIMETER_PER_AREA] = np.where(np.isnan(told), perimeter, told)
    columns[CHEMO] = _chemo(sheet, headers.get(CHEMO), notebook)
    keep = _one_each(sheet, columns[SLIDE], notebook)
    import pandas as pd

    frame = pd.DataFrame(columns)[keep].reset_index(drop=True)
    return Measures(frame, tuple(notebook.problems))


def _numbers(
    sheet: Sheet, header: str | None, name: str, notebook: Notebook
) -> np.ndarray[Any, np.dtype[np.float64]]:
    if header is None:
        return np.full(len(sheet.rows), np.nan)
    found = to_numbers(sheet.column(header), semicolons=sheet.semicolons)
    values, bad = found.values.copy(), found.bad.copy()
    if name in (*_PERCENT, *_SHARES):
        bad |= (values < 0) | (values > (100.001 if name in _PERCENT else 1.001))
    elif name in (INTERFACE_MM, TUMOR_MM2, TUMOR_TILES):
        bad |= values < 0
    for at in np.flatnonzero(bad):
        notebook.note(
            "warning",
            f"{name} can't be so.",
            "Measure the slide again; the value counts as not known.",
            row=sheet.numbers[at],
            column=header,
            value=sheet.column(header)[at],
        )
    values[bad] = np.nan
    return values


def _chemo(
    sheet: Sheet, header: str | None, notebook: Notebook
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Read what ``hgp measure --patients`` knows of chemotherapy."""
    values = np.full(len(sheet.rows), np.nan)
    if header is None:
        return values
    for at, cell in enumerate(sheet.column(header)):
        told = yes_or_no(cell, CHEMO)
        if told is not None:
            values[at] = float(told)
        elif not is_hole(cell):
            notebook.note(
                "warning",
                f"{CHEMO} should be yes or no.",
                "Correct it; it counts as not known.",
                row=sheet.numbers[at],
                column=header,
                value=cell,
            )
    return values


def _one_each(
    sheet: Sheet, slides: np.ndarray[Any, np.dtype[Any]], notebook: Notebook
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    keep = np.ones(len(slides), bool)
    seen: dict[str, int] = {}
    for at, name in enumerate(slides):
        if name and name not in seen:
            seen[name] = sheet.numbers[at]
            continue
        keep[at] = False
        notebook.note(
            "error",
            f"The slide stands in row {seen[name]} already." if name else "The slide has no name.",
            "Keep the right row; this one is not used.",
            row=sheet.numbers[at],
            column=SLIDE,
            value=name,
        )
    return keep


def patients_of(measures: Measures) -> dict[str, tuple[str, str]]:
    """Return patient and lesion of each slide, "" where the table does not say."""
    frame = measures.frame
    told = zip(frame[SLIDE], frame[PATIENT], frame[LESION], strict=True)
    return {str(slide): (str(patient), str(lesion)) for slide, patient, lesion in told}
