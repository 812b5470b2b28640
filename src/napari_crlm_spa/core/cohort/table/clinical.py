"""A clinical table as one checked row per patient."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_crlm_spa.core.cohort.columns import (
    EVENT,
    N_SLIDES,
    PATIENT,
    SLIDES,
    TIME,
    TUMOR_TILES,
)
from napari_crlm_spa.core.cohort.table.cells import Sheet, read_sheet
from napari_crlm_spa.core.cohort.table.contents import Flow
from napari_crlm_spa.core.cohort.table.filters import people
from napari_crlm_spa.core.cohort.table.follow_up import follow_up
from napari_crlm_spa.core.cohort.table.headers import Taken, parse_named, take_columns
from napari_crlm_spa.core.cohort.table.options import MONTHS_IN, BuildOptions
from napari_crlm_spa.core.cohort.table.parsing import (
    Reading,
    clinical_columns,
    feature_columns,
    other_columns,
)
from napari_crlm_spa.core.cohort.table.rows import Notebook, SlideEntry, gather
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
    reading = Reading(sheet, taken, rows, options, notebook, {}, [])
    time, event = _follow_up_names(sheet, taken)
    out = dict.fromkeys(rows.patients, "")
    columns: dict[str, Any] = {PATIENT: np.array(rows.patients, object)}
    columns[time], columns[event] = follow_up(reading, out)
    columns |= clinical_columns(reading, out)
    columns |= feature_columns(reading, out)
    columns |= other_columns(reading, {*columns, *_OURS}, features)
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
    needed = {PATIENT: "--columns 'patient=NAME'", TIME: "--time NAME", EVENT: "--event NAME"}
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
    time, event = (taken.headers[ours] if ours in sheet.header else ours for ours in (TIME, EVENT))
    return time, event


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


def _record(reading: Reading) -> dict[str, Any]:
    sheet, headers = reading.sheet, reading.taken.headers
    return {
        "file": sheet.path.name,
        "sha256": sheet.sha256,
        "read_as": sheet.dialect,
        "columns": dict(headers),
        "words": reading.words,
        "decimal_commas": reading.decimal_commas,
    }
