"""From folders of analyses and a clinical table to one checked row per patient."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
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
    read_slide,
    readers_of,
)
from napari_crlm_spa.core.cohort.table.assign import (
    Assignment,
    assign_by_name,
    assign_by_tables,
    declare,
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
from napari_crlm_spa.core.cohort.table.patients import RULES, Chosen, choose, risk_model_for
from napari_crlm_spa.core.cohort.table.rows import Notebook
from napari_crlm_spa.core.cohort.table.settings import (
    note_settings,
    note_strange,
    note_uncorrected,
)
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.store import to_json
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

#: Of features.csv, in the table of slides: tells whether they changed since.
FEATURES_SHA256 = "features_sha256"
#: Reasons of slides, for the flow and for slides.csv.
_THEIR_PATIENTS = "their patients were excluded"
_NOT_CHOSEN = "another slide of the patient counts"


@dataclass(slots=True)
class _Build:
    """What the steps of one build share."""

    options: BuildOptions
    flow: Flow
    notebook: Notebook
    clinical: ClinicalTable
    slides: list[AnalyzedSlide]
    assigned: Assignment
    left_out: list[str]
    chosen: dict[str, Chosen] = field(default_factory=dict)
    candidates: dict[str, list[int]] = field(default_factory=dict)

    def drop(self, step: str, why: Mapping[int, str], reason: str) -> None:
        """Leave slides out that are not left out yet."""
        new = {at: text for at, text in why.items() if not self.left_out[at]}
        for at, text in new.items():
            self.left_out[at] = text
        self.flow.drop("slides", step, len(new), reason)

    def usable(self) -> dict[str, list[int]]:
        """Return the slides of each patient that are not left out."""
        found: dict[str, list[int]] = {}
        for at, patient in enumerate(self.assigned.patients):
            if patient and not self.left_out[at]:
                found.setdefault(patient, []).append(at)
        return found


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
    record: dict[str, Any] = {"clinical": table.record}
    assigned = _assign(table, slides, options, notebook, record)
    flow.start("slides", "analyses", len(slides))
    work = _Build(options, flow, notebook, table, slides, assigned, [""] * len(slides))
    _leave_out(work)
    _choose(work, model)
    _note_slides(work)
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
        raise CohortError(
            f"No slide belongs to a patient: {how}. A slide is called {slides[0].slide}, a patient "
            f"{next(iter(patients), '(none)')}. Add a column slide to the clinical table, or give "
            "a table of slides (--slides) or a pattern for their names (--pattern)."
        )
    return found


def _leave_out(work: _Build) -> None:
    slides, assigned = work.slides, work.assigned
    broken = {at: slide.problem for at, slide in enumerate(slides) if slide.problem}
    for at, why in broken.items():
        work.notebook.note(
            "error",
            f"The slide can't be used: {why}.",
            "Analyze it again with the same output folder.",
            patient=assigned.patients[at],
            column=SLIDE,
            value=slides[at].slide,
        )
    work.drop("unreadable analysis", broken, _several(broken.values()))
    _leave_out_copies(work)
    unknown = {at: assigned.why[at] for at in range(len(slides)) if not assigned.patients[at]}
    work.drop("no patient", unknown, _several(unknown.values()))
    why_out = work.clinical.excluded
    excluded = {
        at: f"patient excluded: {why_out[patient]}"
        for at, patient in enumerate(assigned.patients)
        if patient in why_out
    }
    work.drop("patient excluded", excluded, _THEIR_PATIENTS)
    if work.options.reader and work.options.uncorrected == "exclude":
        who = work.options.reader
        plain = {at: f"not corrected by {who}" for at, s in enumerate(slides) if not s.reader}
        work.drop("not corrected", plain, f"{who} has not corrected them")
    refused = {at: slide.refusal for at, slide in enumerate(slides) if slide.refusal}
    work.drop("too little tumor", refused, "the paper's exclusion: too little contiguous tumor")


def _leave_out_copies(work: _Build) -> None:
    """Count a slide that was analyzed twice once; contradicting analyses can't be used."""
    groups: dict[str, list[int]] = {}
    for at, slide in enumerate(work.slides):
        if slide.fingerprint and not work.left_out[at]:
            groups.setdefault(slide.fingerprint, []).append(at)
    out: dict[int, str] = {}
    for group in (group for group in groups.values() if len(group) > 1):
        first = work.slides[group[0]]
        folders = ", ".join(
            f"{work.slides[at].folder.parent.name}/{work.slides[at].folder.name}" for at in group
        )
        owners = {work.assigned.patients[at] for at in group} - {""}
        same = all(_same(first, work.slides[at]) for at in group[1:])
        if same and len(owners) <= 1:
            keep = next((at for at in group if work.assigned.patients[at]), group[0])
            out |= {at: "the same slide was analyzed twice" for at in group if at != keep}
            severity, remedy = "warning", "It is counted once."
        else:
            out |= dict.fromkeys(group, "the same slide was analyzed twice, and they differ")
            severity, remedy = "error", "Name only the right folder; the slide is not used."
        whose = f" for {' and '.join(sorted(owners))}" if len(owners) > 1 else ""
        work.notebook.note(
            "error" if severity == "error" else "warning",
            f"One slide was analyzed several times{whose}: {folders}.",
            remedy,
            patient="; ".join(sorted(owners)),
            column=SLIDE,
            value=first.slide,
        )
    work.drop("analyzed twice", out, _several(out.values()))


def _same(a: AnalyzedSlide, b: AnalyzedSlide) -> bool:
    return (a.tumor_tiles == b.tumor_tiles) and all(
        a.features[name] == b.features[name]
        or (math.isnan(a.features[name]) and math.isnan(b.features[name]))
        for name in SOFS
    )


def _choose(work: _Build, model: Any) -> None:
    usable, why = work.usable(), {}
    work.candidates = usable
    with_slides = {patient for patient in work.assigned.patients if patient}
    not_chosen: dict[int, str] = {}
    for patient in work.clinical.patients[PATIENT]:
        if patient not in usable:
            why[patient] = "no usable slide" if patient in with_slides else "no analyzed slide"
            if patient not in with_slides and patient not in work.assigned.noted:
                _no_slide(work, patient)
            continue
        found = choose(
            patient,
            usable[patient],
            work.slides,
            work.options.patient_rule,
            work.assigned.declared,
            model,
            work.notebook,
        )
        if isinstance(found, str):
            why[patient] = found
            not_chosen |= dict.fromkeys(usable[patient], f"patient excluded: {found}")
            continue
        work.chosen[patient] = found
        not_chosen |= {at: _NOT_CHOSEN for at in usable[patient] if at not in found.slides}
    for reason, n in sorted(Counter(why.values()).items()):
        work.flow.drop("patients", reason, n, _REASONS.get(reason, reason))
    rule = {at for at, text in not_chosen.items() if text == _NOT_CHOSEN}
    work.drop(
        "patient excluded",
        {at: text for at, text in not_chosen.items() if at not in rule},
        _THEIR_PATIENTS,
    )
    work.drop("one slide per patient", dict.fromkeys(rule, _NOT_CHOSEN), _rule(work.options))


_REASONS = {
    "no analyzed slide": "none of their slides is among the analyses",
    "no usable slide": "all their slides were left out: too little tumor, or not readable",
}


def _rule(options: BuildOptions) -> str:
    return f"{RULES[options.patient_rule]} (rule {options.patient_rule})"


def _no_slide(work: _Build, patient: str) -> None:
    work.notebook.note(
        "error",
        "None of the patient's slides is among the analyses.",
        "Analyze them, or correct the names; the patient is not used.",
        row=work.clinical.rows[patient],
        patient=patient,
    )


def _several(reasons: Any) -> str:
    """Name reasons with their counts."""
    counts = Counter(reasons)
    if len(counts) > 3:
        return f"{sum(counts.values())} slides; slides.csv tells the reason of each"
    return "; ".join(f"{reason} ({n})" for reason, n in counts.items())


def _note_slides(work: _Build) -> None:
    used = [work.slides[at] for at, why in enumerate(work.left_out) if not why]
    own = Notebook("run.json")
    note_settings(used, own)
    note_strange(used, own)
    if work.options.reader:
        note_uncorrected(used, work.options.reader, own)
    work.notebook.problems += own.problems


def _usual_settings(work: _Build) -> dict[str, Any]:
    """Return what most slides were analyzed with, for the methods paragraph."""
    used = [slide for slide, why in zip(work.slides, work.left_out, strict=True) if not why]
    if not used:
        return {}
    keys = Counter(json.dumps(s.settings, sort_keys=True, default=str) for s in used)
    found: dict[str, Any] = json.loads(keys.most_common(1)[0][0])
    return found


def _cohort(work: _Build, record: dict[str, Any], name: str) -> Cohort:
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


def _slides_frame(work: _Build) -> pd.DataFrame:
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
