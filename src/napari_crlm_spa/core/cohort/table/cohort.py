"""Where cohorts come from and go to: a table, a folder, or analyses and a clinical table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from napari_crlm_spa.core.cohort.columns import EVENT, SOFS, TIME
from napari_crlm_spa.core.cohort.table.build import build_cohort
from napari_crlm_spa.core.cohort.table.check import note_holes
from napari_crlm_spa.core.cohort.table.clinical import read_clinical
from napari_crlm_spa.core.cohort.table.clinical_risk import add_clinical_risk
from napari_crlm_spa.core.cohort.table.contents import (
    Cohort,
    Flow,
    FlowStep,
    Problem,
    sort_problems,
)
from napari_crlm_spa.core.cohort.table.folder import (
    COHORT_CSV,
    COHORT_JSON,
    read_folder,
    write_cohort,
)
from napari_crlm_spa.core.cohort.table.options import BuildOptions
from napari_crlm_spa.core.cohort.table.rows import Notebook
from napari_crlm_spa.errors import CohortError

__all__ = ["Cohort", "FlowStep", "Problem", "build_cohort", "read_cohort", "write_cohort"]


def read_cohort(
    path: Path | str,
    *,
    time: str = TIME,
    event: str = EVENT,
    features: Sequence[str] = (),
    options: BuildOptions | None = None,
) -> Cohort:
    """Read a cohort.

    Parameters
    ----------
    path
        A folder that ``crlm-spa cohort build`` wrote, its ``cohort.csv``, or a CSV or Excel table
        with a row per patient, which is checked as `build_cohort` does.
    time, event
        Columns of follow-up and death; the defaults are found under their usual other names too.
    features
        Columns that must be there and hold numbers, beside those that we know.
    options
        How a table is read: units, codes, which column is which. A built folder needs none.

    Raises
    ------
    CohortError
        If it cannot be read, or nobody in it can be used.
    """
    place = Path(path)
    built = place if place.is_dir() else place.parent
    if place.is_dir() or (place.name == COHORT_CSV and (built / COHORT_JSON).is_file()):
        if not (built / COHORT_JSON).is_file():
            raise CohortError(
                f"{built} holds no cohort. Name a folder that crlm-spa cohort build wrote, or a "
                "table with a row per patient."
            )
        cohort = _with_follow_up(read_folder(built), time, event)
    else:
        cohort = _read_table(place, time, event, features, options or BuildOptions())
    missing = [name for name in features if name not in cohort.patients]
    if missing:
        raise CohortError(
            f"{cohort.name} has no column {missing[0]!r}. "
            f"It has {', '.join(cohort.patients.columns)}."
        )
    return cohort


def _with_follow_up(cohort: Cohort, time: str, event: str) -> Cohort:
    """Take other columns of a built cohort as the follow-up, if the user named some."""
    time = cohort.time if time == TIME else time
    event = cohort.event if event == EVENT else event
    for name in (time, event):
        if name not in cohort.patients:
            raise CohortError(
                f"{cohort.name} has no column {name!r}. "
                f"It has {', '.join(cohort.patients.columns)}."
            )
    return replace(cohort, time=time, event=event)


def _read_table(
    path: Path, time: str, event: str, features: Sequence[str], options: BuildOptions
) -> Cohort:
    options = replace(
        options,
        time=options.time or ("" if time == TIME else time),
        event=options.event or ("" if event == EVENT else event),
    )
    flow, notebook = Flow(), Notebook(path.name)
    table = read_clinical(path, options, flow, notebook, features=features, patients_named=False)
    if table.patients.empty:
        found = sort_problems(notebook.problems)
        first = next((each for each in found if each.severity == "error"), None)
        why = f" The first problem: {first.problem} {first.remedy}" if first else ""
        why = why or " It has no row below the header."
        raise CohortError(f"No patient of {path.name} can be used.{why}")
    patients = add_clinical_risk(table.patients, table.rows, notebook)
    numbers = {
        name: patients[name].to_numpy(float)
        for name in patients.columns
        if patients[name].dtype.kind == "f"
    }
    note_holes(numbers, len(patients), notebook)
    return Cohort(
        name=options.name or path.stem,
        patients=patients,
        flow=tuple(flow.steps),
        problems=sort_problems(notebook.problems),
        time=table.time,
        event=table.event,
        record={
            "clinical": table.record,
            "options": options.as_dict(),
            "versions": {"napari-crlm-spa": version("napari-crlm-spa")},
            "features_from": "table" if any(name in patients for name in SOFS) else "",
        },
    )
