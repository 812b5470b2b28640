"""A clinical table as one checked row per patient."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.columns import (
    CLINICAL,
    EVENT,
    N_SLIDES,
    PATIENT,
    SLIDES,
    SOFS,
    TIME,
    TUMOR_TILES,
)
from napari_crlm_spa.core.cohort.table import check
from napari_crlm_spa.core.cohort.table.cells import Sheet, read_sheet
from napari_crlm_spa.core.cohort.table.contents import Flow
from napari_crlm_spa.core.cohort.table.filters import people
from napari_crlm_spa.core.cohort.table.headers import Taken, parse_named, take_columns
from napari_crlm_spa.core.cohort.table.numbers import is_hole, to_numbers
from napari_crlm_spa.core.cohort.table.options import MONTHS_IN, BuildOptions
from napari_crlm_spa.core.cohort.table.rows import Notebook, PatientRows, SlideEntry, gather
from napari_crlm_spa.core.cohort.table.words import to_codes
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

#: Names that our table gives to its own columns.
_OURS = (PATIENT, N_SLIDES, SLIDES, TUMOR_TILES)


@dataclass(frozen=True, slots=True, eq=False)
class ClinicalTable:
    """What a clinical table says.

    Parameters
    ----------
    patients
        One row per patient who can be used; numbers are floats, text is text.
    rows
        Where each of them stands in the table.
    excluded
        The others, and why.
    entries
        Slides that the table names.
    declared
        What the column use_slide says of each patient, and in which row.
    time, event
        Columns of the follow-up.
    record
        File, hash, dialect, which header was taken for which column, words read as codes.
    """

    patients: pd.DataFrame
    rows: Mapping[str, int]
    excluded: Mapping[str, str]
    entries: tuple[SlideEntry, ...]
    declared: Mapping[str, Sequence[tuple[str, int]]]
    time: str
    event: str
    record: dict[str, Any]


@dataclass(slots=True)
class _Reading:
    """What the steps of reading one table share."""

    sheet: Sheet
    taken: Taken
    rows: PatientRows
    options: BuildOptions
    notebook: Notebook
    words: dict[str, dict[str, int]]
    decimal_commas: list[str]

    def cells(self, column: str) -> list[str]:
        return self.rows.cells[self.taken.headers[column]]

    def numbers(self, header: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        found = to_numbers(self.rows.cells[header], semicolons=self.sheet.semicolons)
        if found.decimal_comma:
            self.decimal_commas.append(header)
        return found.values, found.bad


def read_clinical(
    path: Path | str,
    options: BuildOptions,
    flow: Flow,
    notebook: Notebook,
    *,
    features: Sequence[str] = (),
    patients_named: bool = True,
) -> ClinicalTable:
    """Read and check a clinical table.

    Parameters
    ----------
    path
        CSV or Excel.
    options
        Columns, units, codes.
    flow, notebook
        Where exclusions are counted and problems noted.
    features
        Columns that keep their names and must hold numbers.
    patients_named
        Whether the table must name its patients.

    Raises
    ------
    CohortError
        If the table can't be read, or patient, follow-up or event has no column.
    """
    sheet = read_sheet(path, options.sheet)
    taken = _take(sheet, options, features, patients_named)
    for note in taken.notes:
        notebook.note("warning", note, "")
    rows, excluded = gather(sheet, taken.headers, flow, notebook)
    reading = _Reading(sheet, taken, rows, options, notebook, {}, [])
    time, event = _follow_up_names(sheet, taken)
    out = dict.fromkeys(rows.patients, "")
    columns: dict[str, Any] = {PATIENT: np.array(rows.patients, object)}
    columns[time], columns[event] = _follow_up(reading, out)
    columns |= _clinical(reading, out)
    columns |= _features(reading, out)
    columns |= _others(reading, {*columns, *_OURS}, features)
    _count(out, flow)
    excluded |= {name: reason for name, reason in out.items() if reason}
    kept = np.array([not reason for reason in out.values()], np.bool_)
    import pandas as pd

    frame = pd.DataFrame({name: values[kept] for name, values in columns.items()})
    where = dict(zip(rows.patients, rows.rows, strict=True))
    return ClinicalTable(
        patients=frame,
        rows={name: where[name] for name in frame[PATIENT]},
        excluded=excluded,
        entries=rows.entries,
        declared=rows.declared,
        time=time,
        event=event,
        record=_record(reading),
    )


def _take(
    sheet: Sheet, options: BuildOptions, features: Sequence[str], patients_named: bool
) -> Taken:
    named = parse_named(options.columns)
    named |= {
        column: name for column, name in ((TIME, options.time), (EVENT, options.event)) if name
    }
    for name in features:
        if name not in sheet.header:
            raise CohortError(
                f"{sheet.path.name} has no column {name!r}. It has {', '.join(sheet.header)}."
            )
    wanted = [name for name in features if name not in named.values()]
    taken = take_columns(sheet.header, named, sheet.path.name, wanted)
    needed = {PATIENT: "--columns 'patient=...'", TIME: "--time ...", EVENT: "--event ..."}
    for column, flag in needed.items():
        if column not in taken.headers and (patients_named or column != PATIENT):
            words = {
                PATIENT: "names the patients",
                TIME: "is the follow-up",
                EVENT: "says who died",
            }
            raise CohortError(
                f"No column of {sheet.path.name} {words[column]}. Say which does: {flag}. "
                f"It has {', '.join(sheet.header)}."
            )
    said = taken.units.get(TIME, "")
    if said in MONTHS_IN and said != options.time_unit:
        raise CohortError(
            f"The column {taken.headers[TIME]} of {sheet.path.name} is in {said} by its name, not "
            f"in {options.time_unit}. Say --time-unit {said}, or rename it."
        )
    return taken


def _follow_up_names(sheet: Sheet, taken: Taken) -> tuple[str, str]:
    """Call the follow-up as we do, unless the table has another column of that name."""
    return tuple(  # type: ignore[return-value]
        taken.headers[ours] if ours in sheet.header else ours for ours in (TIME, EVENT)
    )


def _follow_up(
    reading: _Reading, out: dict[str, str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows, notebook, options = reading.rows, reading.notebook, reading.options
    header = reading.taken.headers[TIME]
    values, bad = reading.numbers(header)
    months = values * MONTHS_IN[options.time_unit]
    for at, cell in enumerate(rows.cells[header]):
        if bad[at]:
            problem, reason = "The follow-up is no number.", "follow-up is no number"
        elif np.isnan(values[at]):
            problem, reason = "The follow-up is missing.", "follow-up is missing"
        elif values[at] < 0:
            problem, reason = "The follow-up is negative.", "follow-up is negative"
        else:
            continue
        name = rows.patients[at]
        out[name] = out[name] or reason
        notebook.note(
            "error",
            problem,
            f"Give {options.time_unit} from the resection; the patient is not used.",
            row=rows.row_of(at, header),
            patient=name,
            column=header,
            value=cell,
        )
    check.follow_up_doubts(months[values >= 0], options.time_unit, header, notebook)
    return months, _events(reading, out)


def _events(reading: _Reading, out: dict[str, str]) -> NDArray[np.float64]:
    rows, notebook, options = reading.rows, reading.notebook, reading.options
    header = reading.taken.headers[EVENT]
    cells = rows.cells[header]
    events = check.to_events(cells, options.died, options.censored)
    delete = options.event_codes == "delete"
    odd: list[str] = []
    for at, (cell, event) in enumerate(zip(cells, events, strict=True)):
        if event is not None:
            if check.is_word(cell):
                reading.words.setdefault(EVENT, {})[cell] = int(event)
            continue
        name, missing = rows.patients[at], is_hole(cell)
        code = "event is missing" if missing else f"event code {cell}"
        out[name] = out[name] or code
        odd += [] if missing else [cell]
        notebook.note(
            "warning" if delete and not missing else "error",
            "The event is missing." if missing else "The event is neither 1 (died) nor 0.",
            "Deleted, as the authors did."
            if delete and not missing
            else "The patient is not used.",
            row=rows.row_of(at, header),
            patient=name,
            column=header,
            value=cell,
        )
    if odd:
        counts = ", ".join(f"{code} ({people(n)})" for code, n in sorted(Counter(odd).items()))
        notebook.note(
            "warning" if delete else "error",
            f"{header} holds codes other than 0 and 1: {counts}.",
            "They are deleted, as the authors did."
            if delete
            else "Recode them, say what means died (--died 2), or delete these patients as the "
            "authors did (--event-codes delete).",
            column=header,
        )
    return np.array([np.nan if event is None else event for event in events])


def _clinical(reading: _Reading, out: dict[str, str]) -> dict[str, NDArray[Any]]:
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


def _number_column(reading: _Reading, column: str, out: dict[str, str]) -> NDArray[np.float64]:
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
    reading: _Reading, column: str, bad: NDArray[np.bool_], problem: str, out: dict[str, str]
) -> None:
    exclude = reading.options.bad_values == "exclude"
    header = reading.taken.headers[column]
    check.bad_cells(bad, reading.rows, header, column, problem, exclude, reading.notebook)
    if exclude:
        for at in np.flatnonzero(bad):
            name = reading.rows.patients[at]
            out[name] = out[name] or "a clinical value can't be right"


def _features(reading: _Reading, out: dict[str, str]) -> dict[str, NDArray[Any]]:
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


def _others(reading: _Reading, ours: set[str], features: Sequence[str]) -> dict[str, NDArray[Any]]:
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


def _feature_text(reading: _Reading, header: str, bad: NDArray[np.bool_]) -> None:
    problem = "A feature must be a number."
    check.bad_cells(bad, reading.rows, header, header, problem, False, reading.notebook)


def _mostly_numbers(
    reading: _Reading, header: str, bad: NDArray[np.bool_], values: NDArray[np.float64]
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


def _count(out: Mapping[str, str], flow: Flow) -> None:
    counts = Counter(reason for reason in out.values() if reason)
    groups: dict[str, list[str]] = {}
    for reason, n in sorted(counts.items()):
        step = "follow-up" if reason.startswith("follow-up") else ""
        step = step or ("event" if reason.startswith("event") else "impossible values")
        groups.setdefault(step, []).append(f"{reason} ({people(n)})")
    for step in ("follow-up", "event", "impossible values"):
        reasons = groups.get(step, [])
        n = sum(counts[reason.rsplit(" (", 1)[0]] for reason in reasons)
        flow.drop("patients", step, n, "; ".join(reasons))


def _record(reading: _Reading) -> dict[str, Any]:
    sheet, headers = reading.sheet, reading.taken.headers
    return {
        "file": sheet.path.name,
        "sha256": sheet.sha256,
        "read_as": sheet.dialect,
        "columns": dict(headers),
        "words": reading.words,
        "decimal_commas": reading.decimal_commas,
    }
