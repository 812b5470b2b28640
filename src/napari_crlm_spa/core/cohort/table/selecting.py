"""Which slides and patients stay, and why the others don't."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_crlm_spa.core.cohort.columns import PATIENT, SLIDE
from napari_crlm_spa.core.cohort.table.analyses import AnalyzedSlide
from napari_crlm_spa.core.cohort.table.assign import HINTED, Assignment, same_names
from napari_crlm_spa.core.cohort.table.clinical import ClinicalTable
from napari_crlm_spa.core.cohort.table.contents import Flow
from napari_crlm_spa.core.cohort.table.options import BuildOptions
from napari_crlm_spa.core.cohort.table.patients import RULES, Chosen, choose
from napari_crlm_spa.core.cohort.table.rows import Notebook
from napari_crlm_spa.core.cohort.table.settings import (
    note_settings,
    note_strange,
    note_uncorrected,
)

if TYPE_CHECKING:
    from napari_crlm_spa.core.risk import RiskModel

#: Reasons of slides, for the flow and for slides.csv.
_THEIR_PATIENTS = "their patients were excluded"
_NOT_CHOSEN = "another slide of the patient counts"
_REASONS = {
    "no analyzed slide": "none of their slides is among the analyses",
    "no usable slide": "all their slides were left out: too little tumor, or not readable",
}


@dataclass(slots=True)
class Build:
    """What the steps of one build share."""

    options: BuildOptions
    flow: Flow
    notebook: Notebook
    clinical: ClinicalTable
    slides: list[AnalyzedSlide]
    assigned: Assignment
    left_out: list[str]
    repeated: list[list[int]]
    chosen: dict[str, Chosen] = field(default_factory=dict)
    candidates: dict[str, list[int]] = field(default_factory=dict)

    def drop(self, step: str, why: Mapping[int, str], reason: str = "") -> None:
        """Leave slides out that are not left out yet; the reasons are counted if none is given."""
        new = {at: text for at, text in why.items() if not self.left_out[at]}
        for at, text in new.items():
            self.left_out[at] = text
        self.flow.drop("slides", step, len(new), reason or _several(new.values()))

    def usable(self) -> dict[str, list[int]]:
        """Return the slides of each patient that are not left out."""
        found: dict[str, list[int]] = {}
        for at, patient in enumerate(self.assigned.patients):
            if patient and not self.left_out[at]:
                found.setdefault(patient, []).append(at)
        return found


def leave_out(work: Build) -> None:
    """Leave out slides that can't be used, whatever the rule for several slides."""
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
    work.drop("unreadable analysis", broken)
    _leave_out_copies(work)
    unknown = {at: assigned.why[at] for at in range(len(slides)) if not assigned.patients[at]}
    work.drop("no patient", unknown)
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


def _leave_out_copies(work: Build) -> None:
    """Count a slide that was analyzed twice once; contradicting analyses can't be used."""
    out: dict[int, str] = {}
    for every in work.repeated:
        group = [at for at in every if not work.left_out[at]]
        if len(group) < 2:
            continue
        slides = [work.slides[at] for at in group]
        folders = ", ".join(f"{slide.folder.parent.name}/{slide.folder.name}" for slide in slides)
        owners = sorted({work.assigned.patients[at] for at in group} - {""})
        harmless = all(slide.copy for slide in slides[1:]) and len(owners) <= 1
        if harmless:
            keep = next((at for at in group if work.assigned.patients[at]), group[0])
            out |= {at: "the same slide was analyzed twice" for at in group if at != keep}
        else:
            out |= dict.fromkeys(group, "the same slide was analyzed twice, and they differ")
        whose = f" for {' and '.join(owners)}" if len(owners) > 1 else ""
        work.notebook.note(
            "warning" if harmless else "error",
            f"One slide was analyzed several times{whose}: {folders}.",
            "It is counted once."
            if harmless
            else "Name only the right folder; the slide is not used.",
            patient="; ".join(owners),
            column=SLIDE,
            value=slides[0].slide,
        )
    work.drop("analyzed twice", out)


def choose_slides(work: Build, model: RiskModel | None) -> None:
    """Choose which slides count for each patient; patients without one are excluded."""
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


def _no_slide(work: Build, patient: str) -> None:
    work.notebook.note(
        "error",
        "None of the patient's slides is among the analyses.",
        f"{_same_as(work, patient)}Analyze them, or correct the names; the patient is not used.",
        row=work.clinical.rows[patient],
        patient=patient,
    )


def _same_as(work: Build, patient: str) -> str:
    """Ask whether a patient whose name differs by capitals or zeros only is meant."""
    if len(work.notebook.problems) > HINTED:
        return ""
    others = [each for each in work.clinical.patients[PATIENT] if each != patient]
    alike = same_names(patient, others)
    return f"Is it the same patient as {alike[0]}? " if alike else ""


def _rule(options: BuildOptions) -> str:
    return f"{RULES[options.patient_rule]} (rule {options.patient_rule})"


def _several(reasons: Iterable[str]) -> str:
    """Name reasons with their counts."""
    counts = Counter(reasons)
    if len(counts) > 3:
        return f"{sum(counts.values())} slides; slides.csv tells the reason of each"
    return "; ".join(f"{reason} ({n})" for reason, n in counts.items())


def note_slides(work: Build) -> None:
    """Note what is doubtful about the slides that count."""
    used = [work.slides[at] for at, why in enumerate(work.left_out) if not why]
    own = Notebook("run.json")
    note_settings(used, own)
    note_strange(used, own)
    if work.options.reader:
        note_uncorrected(used, work.options.reader, own)
    work.notebook.problems += own.problems
