"""Follow-up and event of each patient, and who has none that can be used."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.columns import EVENT, TIME
from napari_crlm_spa.core.cohort.table import check
from napari_crlm_spa.core.cohort.table.filters import describe_codes
from napari_crlm_spa.core.cohort.table.numbers import is_hole
from napari_crlm_spa.core.cohort.table.options import MONTHS_IN
from napari_crlm_spa.core.cohort.table.parsing import Reading


def follow_up(
    reading: Reading, out: dict[str, str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return follow-up in months and events of all patients; note what is wrong with them.

    Parameters
    ----------
    reading
        The table.
    out
        Why a patient is excluded, by name; filled in here.
    """
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


def _events(reading: Reading, out: dict[str, str]) -> NDArray[np.float64]:
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
        counts = describe_codes(np.array(odd, object))
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
