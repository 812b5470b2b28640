"""Rows of a clinical table, gathered by patient."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from napari_crlm_spa.core.cohort.columns import DECLARED, PATIENT, SLIDE
from napari_crlm_spa.core.cohort.table.cells import Sheet
from napari_crlm_spa.core.cohort.table.contents import Flow, Problem, Severity
from napari_crlm_spa.core.cohort.table.numbers import is_hole

_BETWEEN_SLIDES = re.compile(r"\s*[;|]\s*")


@dataclass(slots=True)
class Notebook:
    """Collects the problems of one file."""

    source: str
    problems: list[Problem] = field(default_factory=list)

    def note(
        self,
        severity: Severity,
        problem: str,
        remedy: str,
        *,
        row: int | None = None,
        patient: str = "",
        column: str = "",
        value: str = "",
    ) -> None:
        """Add a problem."""
        self.problems.append(
            Problem(severity, row, patient, column, value, problem, remedy, self.source)
        )


@dataclass(frozen=True, slots=True)
class SlideEntry:
    """A slide that a table names: its name, its patient, the row, and what it declares."""

    slide: str
    patient: str
    row: int
    declared: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class PatientRows:
    """Cells of a clinical table, one row per patient.

    Parameters
    ----------
    patients
        Their names, in the order of the table.
    cells
        By header, one cell per patient.
    rows
        Where each patient stands first.
    entries
        The slides that the table names.
    declared
        What the column use_slide says of each patient, and in which row.
    """

    patients: list[str]
    cells: dict[str, list[str]]
    rows: list[int]
    entries: tuple[SlideEntry, ...]
    declared: dict[str, list[tuple[str, int]]]
    _elsewhere: Mapping[tuple[int, str], int]

    def row_of(self, at: int, header: str) -> int:
        """Return the row of a patient's cell."""
        return self._elsewhere.get((at, header), self.rows[at])


def gather(
    sheet: Sheet, headers: Mapping[str, str], flow: Flow, notebook: Notebook
) -> tuple[PatientRows, dict[str, str]]:
    """Bring the rows of each patient together; several rows may name several slides.

    An empty cell takes the value of the patient's other rows. Rows that contradict each other
    exclude their patient.

    Returns
    -------
    PatientRows
        Without the excluded.
    dict
        Excluded patients and why.
    """
    names = _names(sheet, headers, notebook)
    groups: dict[str, list[int]] = {}
    nameless = 0
    for at, name in enumerate(names):
        if name:
            groups.setdefault(name, []).append(at)
        else:
            nameless += 1
    flow.start("patients", "clinical table", len(groups) + nameless)
    flow.drop("patients", "no patient name", nameless, "rows without a name of the patient")
    per_row = {headers[each] for each in (SLIDE, DECLARED) if each in headers}
    shared = [
        (at, name)
        for at, name in enumerate(sheet.header)
        if name not in per_row and name != headers.get(PATIENT)
    ]
    entries, declared = _entries(sheet, headers, names)
    elsewhere: dict[tuple[int, str], int] = {}
    cells: dict[str, list[str]] = {name: [] for _, name in shared}
    found = PatientRows([], cells, [], entries, declared, elsewhere)
    excluded: dict[str, str] = {}
    for name, rows in groups.items():
        merged = _merge(sheet, shared, rows)
        if isinstance(merged, str):
            excluded[name] = "its rows contradict each other"
            _contradiction(sheet, rows, name, merged, notebook)
            continue
        if len(rows) > 1 and SLIDE not in headers:
            _repetition(sheet, rows, name, notebook)
        at = len(found.patients)
        found.patients.append(name)
        found.rows.append(sheet.numbers[rows[0]])
        for (_, header), (cell, row) in zip(shared, merged, strict=True):
            found.cells[header].append(cell)
            if row != rows[0]:
                elsewhere[at, header] = sheet.numbers[row]
    flow.drop(
        "patients", "contradictory rows", len(excluded), "rows of one patient contradict each other"
    )
    return found, excluded


def _names(sheet: Sheet, headers: Mapping[str, str], notebook: Notebook) -> list[str]:
    if PATIENT not in headers:
        notebook.note(
            "warning",
            "No column names the patients, so each row counts as one, named after its number.",
            "Add a column patient, or say which it is: --columns 'patient=...'.",
        )
        return [f"row {number}" for number in sheet.numbers]
    names = ["" if is_hole(cell) else cell for cell in sheet.column(headers[PATIENT])]
    for name, number in zip(names, sheet.numbers, strict=True):
        if not name:
            notebook.note(
                "error",
                "The patient has no name.",
                "Fill it in; the row is not used.",
                row=number,
                column=headers[PATIENT],
            )
    return names


def _merge(
    sheet: Sheet, shared: Sequence[tuple[int, str]], rows: Sequence[int]
) -> list[tuple[str, int]] | str:
    """Return each cell and its row, or the header whose cells differ."""
    merged = []
    for column, header in shared:
        cell, row = sheet.rows[rows[0]][column], rows[0]
        for other in rows[1:]:
            second = sheet.rows[other][column]
            if is_hole(second):
                continue
            if is_hole(cell):
                cell, row = second, other
            elif not _equal(cell, second):
                return header
        merged.append((cell, row))
    return merged


def _equal(a: str, b: str) -> bool:
    if a.casefold() == b.casefold():
        return True
    try:
        return float(a) == float(b)
    except ValueError:
        return False


def _contradiction(
    sheet: Sheet, rows: Sequence[int], name: str, header: str, notebook: Notebook
) -> None:
    values = [sheet.rows[row][sheet.header.index(header)] for row in rows]
    places = " and ".join(str(sheet.numbers[row]) for row in rows)
    for row in rows:
        notebook.note(
            "error",
            f"Rows {places} are of one patient and differ in {header}.",
            "Keep the right one; the patient is not used.",
            row=sheet.numbers[row],
            patient=name,
            column=header,
            value="; ".join(dict.fromkeys(value for value in values if value)),
        )


def _repetition(sheet: Sheet, rows: Sequence[int], name: str, notebook: Notebook) -> None:
    for row in rows[1:]:
        notebook.note(
            "warning",
            f"The patient stands in row {sheet.numbers[rows[0]]} already, with the same values.",
            "Remove the row; it is not counted again.",
            row=sheet.numbers[row],
            patient=name,
        )


def _entries(
    sheet: Sheet, headers: Mapping[str, str], names: Sequence[str]
) -> tuple[tuple[SlideEntry, ...], dict[str, list[tuple[str, int]]]]:
    """Return the slides that rows name (one, or a list in a cell), and which are declared."""
    nothing = [""] * len(names)
    slides = sheet.column(headers[SLIDE]) if SLIDE in headers else nothing
    saying = sheet.column(headers[DECLARED]) if DECLARED in headers else nothing
    found: list[SlideEntry] = []
    declared: dict[str, list[tuple[str, int]]] = {}
    for cell, name, number, said in zip(slides, names, sheet.numbers, saying, strict=True):
        said = "" if is_hole(said) else said
        if name and said:
            declared.setdefault(name, []).append((said, number))
        if name and not is_hole(cell):
            several = [slide for slide in _BETWEEN_SLIDES.split(cell) if slide]
            # A yes beside a list of slides marks none of them.
            mark = said if len(several) == 1 else ""
            found += [SlideEntry(slide, name, number, mark) for slide in several]
    return tuple(found), declared
