"""From folders of analyses and a clinical table to one checked row per patient."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_crlm_spa.core.cohort.columns import (
    ANALYSIS_FOLDER,
    CLINICAL,
    N_SLIDES,
    PATIENT,
    READER,
    REFUSAL,
    SLIDE,
    SLIDE_PATH,
    SLIDES,
    SOFS,
    TUMOR_TILES,
)
from napari_crlm_spa.core.cohort.table.analyses import (
    AnalyzedSlide,
    find_analyses,
    mark_copies,
    read_slide,
    readers_of,
)
from napari_crlm_spa.core.cohort.table.assign import (
    Assignment,
    assign_by_name,
    assign_by_tables,
    declare,
    pattern_hint,
    read_mapping,
)
from napari_crlm_spa.core.cohort.table.check import note_holes
from napari_crlm_spa.core.cohort.table.clinical import ClinicalTable, read_clinical
from napari_crlm_spa.core.cohort.table.clinical_risk import add_clinical_risk
from napari_crlm_spa.core.cohort.table.contents import (
    LEFT_OUT,
    USED,
    Cohort,
    Flow,
    sort_problems,
)
from napari_crlm_spa.core.cohort.table.options import BuildOptions
from napari_crlm_spa.core.cohort.table.patients import RULES, risk_model_for
from napari_crlm_spa.core.cohort.table.rows import Notebook
from napari_crlm_spa.core.cohort.table.selecting import (
    Build,
    choose_slides,
    leave_out,
    note_slides,
)
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.store import to_json
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

#: Of features.csv, in the table of slides: tells whether they changed since.
FEATURES_SHA256 = "features_sha256"


def build_cohort(
    analyses: Sequence[Path | str] | Path | str,
    clinical: Path | str,
    options: BuildOptions | None = None,
) -> Generator[Progress, None, Cohort]:
    """Bring slides' features and a clinical table together.

    Parameters
    ----------
    analyses
        Folders of ``crlm-spa analyze``: of slides, or with slides' folders below.
    clinical
        CSV or Excel table with a row per patient (or per slide).
    options
        Columns, units, rules.

    Yields
    ------
    Progress
        Slides read.

    Returns
    -------
    Cohort
        Patients with follow-up and features. It may be empty: then `problems` says why.

    Raises
    ------
    CohortError
        If a table or folder can't be read, a needed column is missing, no slide belongs to any
        patient, or an option contradicts the others.
    """
    options = options or BuildOptions()
    model = risk_model_for(options.patient_rule, options.risk_model)
    flow, notebook = Flow(), Notebook(Path(clinical).name)
    table = read_clinical(clinical, options, flow, notebook)
    places = [analyses] if isinstance(analyses, str | Path) else list(analyses)
    folders = find_analyses(places)
    slides: list[AnalyzedSlide] = []
    yield Progress("Reading analyses", 0, len(folders), "slides")
    for folder in folders:
        slides.append(read_slide(folder, options.reader))
        yield Progress("Reading analyses", len(slides), len(folders), "slides")
    if options.reader and not any(slide.reader for slide in slides):
        raise _no_reader(options.reader, folders)
    repeated = mark_copies(slides)
    record: dict[str, Any] = {"clinical": table.record}
    assigned = _assign(table, slides, options, notebook, record)
    flow.start("slides", "analyses", len(slides))
    work = Build(options, flow, notebook, table, slides, assigned, [""] * len(slides), repeated)
    leave_out(work)
    choose_slides(work, model)
    note_slides(work)
    record |= {
        "options": options.as_dict(),
        "patient_rule": RULES[options.patient_rule],
        "risk_model": None if model is None else model.model_dump(mode="json"),
        "features_from": "analyses",
        "analyses": len(slides),
        "settings": _usual_settings(work),
        "versions": {"napari-crlm-spa": version("napari-crlm-spa")},
    }
    return _cohort(work, record, options.name or Path(clinical).stem)


def _no_reader(reader: str, folders: Sequence[Path]) -> CohortError:
    names = sorted({name for folder in folders for name in readers_of(folder)})
    return CohortError(
        f"{reader} has corrected none of these {len(folders)} slides. "
        + (
            f"Corrections are there by {', '.join(names)}."
            if names
            else "Nobody has corrected any; leave --reader out."
        )
    )


def _assign(
    table: ClinicalTable,
    slides: Sequence[AnalyzedSlide],
    options: BuildOptions,
    notebook: Notebook,
    record: dict[str, Any],
) -> Assignment:
    patients = {**dict.fromkeys(table.patients[PATIENT]), **dict.fromkeys(table.excluded)}
    if options.slides is not None and options.pattern:
        raise CohortError("Name a table of slides or a pattern for their names, not both.")
    if options.slides is not None:
        own = Notebook(Path(options.slides).name)
        entries, digest = read_mapping(options.slides, own)
        record["slides"] = {"file": own.source, "sha256": digest}
        found = assign_by_tables(slides, entries, patients, own)
        notebook.problems += own.problems
        how = f"{own.source} names none of the slides that were analyzed"
    elif table.entries and not options.pattern:
        found = assign_by_tables(slides, table.entries, patients, notebook)
        how = f"{notebook.source} names none of the slides that were analyzed"
    else:
        found = assign_by_name(slides, options.pattern, patients, notebook)
        how = "no slide's name leads to a patient"
    declare(found, slides, table.declared, notebook)
    if not any(found.patients):
        errors = (e for e in notebook.problems if e.severity == "error" and e.column == SLIDE)
        first = next((f" The first problem: {e.value}: {e.problem} {e.remedy}" for e in errors), "")
        way = f"a pattern for their names (--pattern{pattern_hint(slides, patients)})"
        raise CohortError(
            f"No slide belongs to a patient: {how}. A slide is called {slides[0].slide}, a patient "
            f"{next(iter(patients), '(none)')}. Add a column slide to the clinical table, or give "
            f"a table of slides (--slides) or {way}.{first}"
        )
    return found


def _usual_settings(work: Build) -> dict[str, Any]:
    """Return what most slides were analyzed with, for the methods paragraph."""
    used = [slide for slide, why in zip(work.slides, work.left_out, strict=True) if not why]
    if not used:
        return {}
    keys = Counter(json.dumps(s.settings, sort_keys=True, default=str) for s in used)
    found: dict[str, Any] = json.loads(keys.most_common(1)[0][0])
    return found


def _cohort(work: Build, record: dict[str, Any], name: str) -> Cohort:
    table = work.clinical.patients
    kept = table[PATIENT].isin(list(work.chosen)).to_numpy(bool)
    patients = table[kept].reset_index(drop=True)
    patients = patients.rename(
        columns={column: f"{column} (table)" for column in SOFS if column in patients}
    )
    patients = add_clinical_risk(patients, work.clinical.rows, work.notebook)
    order = [work.chosen[each] for each in patients[PATIENT]]
    usable = work.candidates
    own: dict[str, Any] = {
        column: np.array([each.features[column] for each in order], np.float64) for column in SOFS
    }
    own[N_SLIDES] = np.array([len(usable[each]) for each in patients[PATIENT]], np.int64)
    own[SLIDES] = np.array(
        ["; ".join(work.slides[at].slide for at in usable[each]) for each in patients[PATIENT]],
        object,
    )
    own[TUMOR_TILES] = np.array([each.tumor_tiles for each in order], np.float64)
    patients = _join(patients, own, (work.clinical.time, work.clinical.event))
    numbers = {
        column: patients[column].to_numpy(np.float64)
        for column in patients.columns
        if patients[column].dtype.kind == "f"
    }
    if len(patients):
        note_holes(numbers, len(patients), work.notebook)
    return Cohort(
        name=name,
        patients=patients,
        flow=tuple(work.flow.steps),
        problems=sort_problems(work.notebook.problems),
        slides=_slides_frame(work),
        time=work.clinical.time,
        event=work.clinical.event,
        record=json.loads(to_json(record)),
    )


def _join(patients: pd.DataFrame, own: dict[str, Any], follow_up: tuple[str, str]) -> pd.DataFrame:
    """Put the columns in order: patient, follow-up, clinical, features, slides, all others."""
    import pandas as pd

    columns = {str(name): patients[name].to_numpy() for name in patients.columns} | own
    first = [PATIENT, *follow_up, *(name for name in CLINICAL if name in columns), *own]
    names = list(dict.fromkeys([*first, *columns]))
    return pd.DataFrame({name: columns[name] for name in names}, columns=names)


def _slides_frame(work: Build) -> pd.DataFrame:
    import pandas as pd

    def text(values: Sequence[str]) -> Any:
        return np.array([value if value else np.nan for value in values], object)

    slides = work.slides
    columns: dict[str, Any] = {
        PATIENT: text(work.assigned.patients),
        SLIDE: text([slide.slide for slide in slides]),
        SLIDE_PATH: text([slide.slide_path for slide in slides]),
        ANALYSIS_FOLDER: text([str(slide.folder) for slide in slides]),
        READER: text([slide.reader for slide in slides]),
    }
    for name in SOFS:
        columns[name] = np.array([slide.features[name] for slide in slides], np.float64)
    columns[TUMOR_TILES] = np.array([slide.tumor_tiles for slide in slides], np.float64)
    columns[REFUSAL] = text([slide.refusal for slide in slides])
    columns[USED] = np.array([not why for why in work.left_out], np.bool_)
    columns[LEFT_OUT] = text(work.left_out)
    columns[FEATURES_SHA256] = text([slide.sha256 for slide in slides])
    return pd.DataFrame(columns)
