"""Opens a cohort: a built folder, a table of patients, or a study's folder. No Qt."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_crlm_spa.core.cohort.columns import EVENT, PATIENT, TIME
from napari_crlm_spa.core.cohort.study.contents import SOURCE
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

    from napari_crlm_spa.core.cohort.table import Cohort


@dataclass(frozen=True, slots=True, eq=False)
class OpenedCohort:
    """A cohort as the panel shows it.

    Parameters
    ----------
    name, source
        What it is called, and the file or folder that was opened.
    cohort, read_from
        What was read, and from where; None of a study whose cohort is not known.
    patients
        One row a patient, `survival` in the same order.
    survival
        Follow-up in months.
    slides
        One row a slide; None if the table does not say which slides there are.
    base
        What relative paths of slides start from.
    built
        When the table was written; None of a table that somebody else wrote.
    flow, problems
        How many patients and slides each step has left, and what is wrong with which row.
    cutoffs
        Where the study has split its spatial features.
    model_features
        Spatial features that the study's score is made of.
    study
        The folder of the study whose score and groups are shown.
    note
        What else is to be said about it.
    """

    name: str
    source: Path
    patients: pd.DataFrame
    survival: Survival
    cohort: Cohort | None = None
    read_from: Path = field(default_factory=Path)
    slides: pd.DataFrame | None = None
    base: Path = field(default_factory=Path)
    built: datetime | None = None
    flow: tuple[Any, ...] = ()
    problems: tuple[Any, ...] = ()
    cutoffs: Mapping[str, float] = field(default_factory=dict)
    model_features: tuple[str, ...] = ()
    study: Path | None = None
    note: str = ""

    def __len__(self) -> int:
        return len(self.patients)

    @property
    def report(self) -> Path | None:
        """Where the study's report is, if one was written; None without a study."""
        from napari_crlm_spa.core.cohort.study.folder import REPORT_HTML

        return None if self.study is None else self.study / REPORT_HTML


def open_cohort(path: Path) -> Generator[Progress, None, OpenedCohort]:
    """Read what a path stands for.

    Parameters
    ----------
    path
        A folder that ``cohort build`` or ``cohort fit`` wrote, or a table (CSV, Excel) with one row
        per patient.

    Returns
    -------
    OpenedCohort
        Through ``StopIteration.value``.

    Raises
    ------
    CohortError, SurvivalDataError
        If it is neither, or cannot be used.
    """
    from napari_crlm_spa.core.cohort.study.folder import is_study

    yield Progress("Reading the cohort", 0, 0)
    # The tables of a study are no cohorts of their own: whoever opens one means the study.
    for folder in (path, path.parent, path.parent.parent):
        if is_study(folder):
            return _of_study(folder)
    from napari_crlm_spa.core.cohort.table import read_cohort

    return of_cohort(read_cohort(path), path)


def of_cohort(cohort: Cohort, source: Path) -> OpenedCohort:
    """Show a cohort that was read or built."""
    patients = cohort.patients.reset_index(drop=True)
    survival = cohort.survival
    own = {TIME: survival.time, EVENT: survival.event.astype(np.float64)}
    patients = patients.drop(columns=[cohort.time, cohort.event], errors="ignore")
    after = 1 + list(patients.columns).index(PATIENT)
    for at, (name, values) in enumerate(own.items()):
        patients.insert(after + at, name, values)
    base = source if source.is_dir() else source.parent
    return OpenedCohort(
        cohort.name,
        source,
        patients,
        survival,
        cohort,
        source,
        cohort.slides,
        base,
        _written_at(source),
        cohort.flow,
        cohort.problems,
    )


def _written_at(source: Path) -> datetime | None:
    """Return when a folder was built; a table of somebody else's is of no known time."""
    from napari_crlm_spa.core.cohort.table.folder import COHORT_CSV, COHORT_JSON

    folder = source if source.is_dir() else source.parent
    path = folder / COHORT_JSON
    if not path.is_file() or source not in (folder, path, folder / COHORT_CSV):
        return None
    return datetime.fromtimestamp(path.stat().st_mtime)


def _of_study(folder: Path) -> OpenedCohort:
    from napari_crlm_spa.core.cohort.study.folder import read_study

    study = read_study(folder)
    if "patients" not in study.tables:
        raise CohortError(
            f"The study in {folder.name} has no table of patients. Open the cohort instead."
        )
    patients = study.tables["patients"].frame.reset_index(drop=True)
    patients = patients.assign(**{PATIENT: patients[PATIENT].astype(str)})
    cutoffs, model = {}, study.risk_model
    if "cutpoints" in study.tables:
        table = study.tables["cutpoints"].frame
        values = table["cutoff"].to_numpy(np.float64, na_value=np.nan)
        cutoffs = {str(f): float(v) for f, v in zip(table["feature"], values, strict=True)}
    opened = OpenedCohort(
        study.cohort,
        folder,
        patients,
        Survival.of(patients[TIME], patients[EVENT]),
        base=folder,
        cutoffs={name: value for name, value in cutoffs.items() if np.isfinite(value)},
        model_features=() if model is None else tuple(f.column for f in model.features),
        study=folder,
    )
    source = _source_of(study.facts, folder)
    if source is None:
        note = (
            "The study does not say which cohort it is of, so slides and features are unknown. "
            "Open the cohort first, then the study."
        )
        return dataclasses.replace(opened, note=note)
    from napari_crlm_spa.core.cohort.table import read_cohort

    return joined(of_cohort(read_cohort(source), source), opened)


def _source_of(facts: Mapping[str, Any], folder: Path) -> Path | None:
    source = facts.get(SOURCE)
    if not isinstance(source, str) or not source:
        return None
    return next((each for each in (folder / source, Path(source)) if each.exists()), None)


def joined(cohort: OpenedCohort, study: OpenedCohort) -> OpenedCohort:
    """Show a study's score and groups beside what a cohort says of the same patients.

    The study's patients are shown, with the follow-up that it used.

    Raises
    ------
    CohortError
        If a patient of the study is not in the cohort.
    """
    names = study.patients[PATIENT].astype(str)
    known = cohort.patients.assign(**{PATIENT: cohort.patients[PATIENT].astype(str)})
    absent = sorted(set(names) - set(known[PATIENT]))
    if absent:
        raise CohortError(
            f"{len(absent)} of the {len(names)} patients of the study are not in the cohort "
            f"{cohort.name} (the first is {absent[0]}). Open the cohort that the study is of."
        )
    more = known.drop(columns=[c for c in study.patients.columns if c != PATIENT], errors="ignore")
    patients = study.patients.assign(**{PATIENT: names}).merge(
        more.drop_duplicates(PATIENT), on=PATIENT, how="left", validate="many_to_one"
    )
    return dataclasses.replace(
        study,
        patients=patients,
        cohort=cohort.cohort,
        read_from=cohort.read_from,
        slides=cohort.slides,
        base=cohort.base,
        built=cohort.built,
        flow=cohort.flow,
        problems=cohort.problems,
        note="",
    )


def together(before: OpenedCohort | None, opened: OpenedCohort) -> OpenedCohort:
    """Return what is to be shown after another file was opened.

    A study that does not know its cohort and a cohort that has all of its patients belong
    together, in whichever order they were opened. Otherwise what was opened last is shown alone.
    """
    if before is None:
        return opened
    for cohort, study in ((before, opened), (opened, before)):
        alone = study.study is not None and study.cohort is None
        if alone and cohort.study is None:
            try:
                return joined(cohort, study)
            except CohortError as error:
                note = str(error) if study is opened else ""
                return dataclasses.replace(opened, note=note or opened.note)
    return opened
