"""The folder of a cohort: the only place that spells the names of its files.

``cohort.csv`` (one row per patient), ``slides.csv`` (one row per slide), ``flow.csv``,
``problems.csv``; ``cohort.json`` is written last and says what the columns are, so that a round
trip is exact. Paths in ``slides.csv`` are relative to the folder where that is possible.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from napari_crlm_spa.core.cohort.columns import ANALYSIS_FOLDER, SLIDE_PATH
from napari_crlm_spa.core.cohort.table.analyses import is_absolute
from napari_crlm_spa.core.cohort.table.contents import (
    PROBLEM_COLUMNS,
    Cohort,
    FlowStep,
    Problem,
    Severity,
    Unit,
    flow_frame,
    problems_frame,
)
from napari_crlm_spa.core.cohort.table.plain_csv import from_csv, is_empty, kinds_of, to_csv
from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.store import to_json
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

COHORT_CSV = "cohort.csv"
SLIDES_CSV = "slides.csv"
FLOW_CSV = "flow.csv"
PROBLEMS_CSV = "problems.csv"
COHORT_JSON = "cohort.json"
#: Changes when older folders can no longer be read.
FORMAT_VERSION = 1
_FLOW_TEXT = ("step", "unit", "reason")
_PATHS = (SLIDE_PATH, ANALYSIS_FOLDER)


def write_cohort(folder: Path | str, cohort: Cohort) -> Path:
    """Write a cohort; `read_cohort` returns the very same.

    Parameters
    ----------
    folder
        The folder; made if absent. Files of an earlier cohort are overwritten.
    cohort
        The cohort.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    FolderNotWritable, DiskFull
        If a file cannot be written.
    """
    place = Path(folder)
    (place / COHORT_JSON).unlink(missing_ok=True)
    write_text(place / COHORT_CSV, to_csv(cohort.patients))
    if cohort.slides is None:
        (place / SLIDES_CSV).unlink(missing_ok=True)
    else:
        write_text(place / SLIDES_CSV, to_csv(_relative(cohort.slides, place)))
    write_text(place / FLOW_CSV, to_csv(flow_frame(cohort.flow)))
    write_text(place / PROBLEMS_CSV, to_csv(problems_frame(cohort.problems)))
    record = {
        "format_version": FORMAT_VERSION,
        "name": cohort.name,
        "time": cohort.time,
        "event": cohort.event,
        "n_patients": len(cohort),
        "patient_columns": kinds_of(cohort.patients),
        "slide_columns": None if cohort.slides is None else kinds_of(cohort.slides),
        "record": dict(cohort.record),
    }
    write_text(place / COHORT_JSON, to_json(record) + "\n")
    return place


def read_folder(folder: Path) -> Cohort:
    """Read what `write_cohort` wrote.

    A table that was changed by hand since is read as it is now: columns that were added are
    numbers if all their cells are, removed rows are a step of the flow.

    Raises
    ------
    CohortError
        If a file is missing or damaged.
    """
    record = _json(folder / COHORT_JSON)
    try:
        patients = from_csv(folder / COHORT_CSV, record["patient_columns"])
        kinds = record["slide_columns"]
        slides = None if kinds is None else _absolute(from_csv(folder / SLIDES_CSV, kinds), folder)
        name, written = str(record["name"]), int(record["n_patients"])
        time, event = str(record["time"]), str(record["event"])
        cohort = Cohort(
            name=name,
            patients=patients,
            flow=_flow(folder / FLOW_CSV),
            problems=_problems(folder / PROBLEMS_CSV),
            slides=slides,
            time=time,
            event=event,
            record=record["record"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise _damaged(folder, f"{COHORT_JSON}: {error}") from error
    for column in (time, event):
        if column not in patients:
            raise CohortError(f"{folder / COHORT_CSV} has no column {column!r} any more.")
    return _changed_by_hand(cohort, written) if len(patients) != written else cohort


def _changed_by_hand(cohort: Cohort, written: int) -> Cohort:
    n = len(cohort)
    said = Problem(
        "warning",
        None,
        "",
        "",
        "",
        f"{COHORT_CSV} has {n} patients; {written} were written.",
        "Somebody changed it by hand; build the cohort again to have it checked.",
        COHORT_CSV,
    )
    step = FlowStep("changed by hand", "patients", max(n, written), n, f"rows of {COHORT_CSV}")
    return replace(cohort, flow=(*cohort.flow, step), problems=(said, *cohort.problems))


def _relative(slides: pd.DataFrame, folder: Path) -> pd.DataFrame:
    base = Path(os.path.abspath(folder))  # noqa: PTH100 - links stay as the user named them
    return slides.assign(
        **{name: [_relative_to(base, path) for path in slides[name]] for name in _PATHS}
    )


def _relative_to(base: Path, path: Any) -> Any:
    if not isinstance(path, str) or not os.path.isabs(path):  # noqa: PTH117
        return path
    try:
        return Path(os.path.relpath(path, base)).as_posix()
    except ValueError:  # another drive on Windows
        return path


def _absolute(slides: pd.DataFrame, folder: Path) -> pd.DataFrame:
    base = os.path.abspath(folder)  # noqa: PTH100
    return slides.assign(
        **{
            name: np.array(
                [
                    os.path.normpath(os.path.join(base, PurePosixPath(path)))  # noqa: PTH118
                    if isinstance(path, str) and not is_absolute(path)
                    else path
                    for path in slides[name]
                ],
                object,
            )
            for name in _PATHS
        }
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(path.parent, f"{path.name}: {error}") from error
    if not isinstance(record, dict) or record.get("format_version") != FORMAT_VERSION:
        raise _damaged(path.parent, f"{path.name} is of another version")
    return record


def _damaged(folder: Path, why: str) -> CohortError:
    return CohortError(
        f"{folder} holds no whole cohort ({why}). Build it again: crlm-spa cohort build."
    )


def _flow(path: Path) -> tuple[FlowStep, ...]:
    frame = from_csv(
        path, {**dict.fromkeys(_FLOW_TEXT, "text"), "before": "whole", "after": "whole"}
    )
    texts = [["" if is_empty(cell) else str(cell) for cell in frame[name]] for name in _FLOW_TEXT]
    counts = [frame[name].tolist() for name in ("before", "after")]
    return tuple(
        FlowStep(step, cast("Unit", unit), before, after, reason)
        for step, unit, reason, before, after in zip(*texts, *counts, strict=True)
    )


def _problems(path: Path) -> tuple[Problem, ...]:
    frame = from_csv(path, dict.fromkeys(PROBLEM_COLUMNS, "text"))
    texts = {
        name: ["" if is_empty(cell) else str(cell) for cell in frame[name]]
        for name in PROBLEM_COLUMNS
    }
    return tuple(
        Problem(cast("Severity", severity), int(row) if row else None, *others)
        for severity, row, *others in zip(*texts.values(), strict=True)
    )
