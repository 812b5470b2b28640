"""What a clinical value may be, and what it should not be."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.columns import CLINICAL, CRS_SCORE, label_of
from napari_crlm_spa.core.cohort.table.contents import HOLES_REMEDY
from napari_crlm_spa.core.cohort.table.filters import people
from napari_crlm_spa.core.cohort.table.options import MONTHS_IN
from napari_crlm_spa.core.cohort.table.rows import Notebook, PatientRows

Floats = NDArray[np.float64]

#: Least and largest value that we take for possible. Our own limits (those of the clinical risk
#: score's form); what lies outside is listed and counts as unknown.
POSSIBLE: dict[str, tuple[float, float]] = {
    "Age": (0.0, 120.0),
    "Preoperative_CEA": (0.0, 1_000_000.0),
    "Synchronous_liver_metastases": (0.0, 600.0),
    "Number_of_LM": (1.0, 1000.0),
    "Largest_diameter_of_CRLM": (0.0, 50.0),
    CRS_SCORE: (0.0, 5.0),
}
#: Follow-up in months that looks like days: our heuristic. Half of the patients followed for more
#: than twelve years, or one for more than fifty, is no cohort of liver metastases.
MEDIAN_MONTHS, LONGEST_MONTHS = 150.0, 600.0
#: Follow-up of that many patients that never gets beyond this many months looks like years.
YEARS_LOOK_MONTHS, ENOUGH = 15.0, 20
#: A median diameter beyond this looks like millimeters [cm].
MEDIAN_CM = 10.0
#: Words for died and for censored in an event column.
DIED = ("1", "dead", "died", "deceased", "death", "yes", "y", "true", "event", "exitus")
CENSORED = ("0", "alive", "living", "censored", "no", "n", "false", "lost to follow-up")


def to_events(cells: Sequence[str], died: str, censored: str) -> list[float | None]:
    """Read the event column.

    Parameters
    ----------
    cells
        The cells.
    died, censored
        What the user said means died and censored, separated by commas; empty for 1/0 and words.

    Returns
    -------
    list
        1, 0, or None for anything else.
    """
    codes = [_code(cell) for cell in cells]
    ones, zeros = _codes(died) or _codes(",".join(DIED)), _codes(censored)
    if not zeros:
        zeros = _codes(",".join(CENSORED)) - ones
        # Who says that 2 is died means the usual 1 = censored, unless there is a 0 as well.
        zeros |= {"1"} - ones if died and "0" not in codes else set()
    return [1.0 if code in ones else 0.0 if code in zeros else None for code in codes]


def _codes(text: str) -> set[str]:
    return {_code(part) for part in text.split(",") if part.strip()}


def _code(cell: str) -> str:
    """Write a code so that 1, 1.0 and 1.00 are one."""
    said = cell.strip().casefold()
    try:
        number = float(said.replace(",", "."))
    except ValueError:
        return said
    return f"{number:g}"


def follow_up_doubts(months: Floats, unit: str, column: str, notebook: Notebook) -> None:
    """Note follow-up that looks like another unit than `unit`."""
    if not len(months):
        return
    median, longest = float(np.median(months)), float(months.max())
    seen = f"The median of {column} is {median:.4g} months, the longest {longest:.4g}"
    if median > MEDIAN_MONTHS or longest > LONGEST_MONTHS:
        if unit == "months":
            problem, remedy = f"{seen}: this looks like days.", "If so: --time-unit days."
        else:
            problem = f"{seen}: this is too long for follow-up in {unit}."
            remedy = "Check --time-unit."
        notebook.note("warning", problem, remedy, column=column)
    elif longest <= YEARS_LOOK_MONTHS and len(months) >= ENOUGH and unit == "months":
        notebook.note(
            "warning", f"{seen}: this may be years.", "If so: --time-unit years.", column=column
        )
    elif unit == "days" and longest <= LONGEST_MONTHS * MONTHS_IN["days"] and len(months) >= ENOUGH:
        notebook.note(
            "warning",
            f"{seen} if it is in days: this may be months.",
            "If so: --time-unit months.",
            column=column,
        )


def impossible(column: str, values: Floats) -> NDArray[np.bool_]:
    """Tell which values of a clinical column can't be right."""
    low, high = POSSIBLE.get(column, (-np.inf, np.inf))
    bad: NDArray[np.bool_] = (values < low) | (values > high)
    if CLINICAL[column].kind == "count":
        bad |= ~np.isnan(values) & (values != np.floor(values))
    return bad


def impossible_sentence(column: str) -> str:
    """Say what a clinical column's values may be."""
    low, high = POSSIBLE[column]
    variable = CLINICAL[column]
    whole = "a whole number " if variable.kind == "count" else ""
    unit = f" {variable.unit}" if variable.unit else ""
    return f"{variable.label} should be {whole}within {low:g} to {high:,.0f}{unit}."


def column_doubts(column: str, values: Floats, notebook: Notebook) -> None:
    """Note a column that looks as if it held something else."""
    known = values[~np.isnan(values)]
    if column == "Largest_diameter_of_CRLM" and len(known) and np.median(known) > MEDIAN_CM:
        notebook.note(
            "warning",
            f"The median of {column} is {np.median(known):.4g} cm: this looks like millimeters.",
            "If so, divide by 10; the clinical risk score counts diameters over 5 cm.",
            column=column,
        )
    if yes_or_no_interval(column, values):
        notebook.note(
            "warning",
            f"{column} holds 0 and 1 only. It is the disease-free interval in months (0: found "
            "together with the primary), not yes or no; the clinical risk score does without it.",
            "Give the interval in months, or rename the column.",
            column=column,
        )


def yes_or_no_interval(column: str, values: Floats) -> bool:
    """Tell whether the disease-free interval looks like a yes/no column."""
    known = values[~np.isnan(values)]
    return bool(
        column == "Synchronous_liver_metastases"
        and len(known) >= 2
        and set(known.tolist()) == {0.0, 1.0}
    )


def note_holes(frame_columns: dict[str, Floats], n: int, notebook: Notebook) -> None:
    """Note how many patients lack a value, column by column."""
    for column, values in frame_columns.items():
        holes = int(np.isnan(values).sum())
        if holes:
            what = "has no value" if holes == n else f"is unknown for {holes} of {people(n)}"
            notebook.note(
                "warning",
                f"{label_of(column)} {what}.",
                HOLES_REMEDY,
                column=column,
                value=f"{holes} hole{'' if holes == 1 else 's'}",
            )


def bad_cells(
    bad: NDArray[np.bool_],
    rows: PatientRows,
    header: str,
    column: str,
    problem: str,
    exclude: bool,
    notebook: Notebook,
) -> None:
    """Note cells that can't be used, row by row."""
    kept = "The patient is not used." if exclude else "It counts as unknown."
    for at in np.flatnonzero(bad):
        notebook.note(
            "error" if exclude else "warning",
            problem,
            f"Correct it, or leave the cell empty. {kept}",
            row=rows.row_of(int(at), header),
            patient=rows.patients[at],
            column=header if header == column else f"{header} ({column})",
            value=rows.cells[header][at],
        )


def is_word(cell: str) -> bool:
    """Tell whether a cell holds something else than a number."""
    return not re.fullmatch(r"[\d.,+-]+", cell.strip())
