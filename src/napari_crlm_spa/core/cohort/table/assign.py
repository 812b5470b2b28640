"""Which slide is whose."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from napari_crlm_spa.core.cohort.columns import DECLARED, PATIENT, SLIDE
from napari_crlm_spa.core.cohort.table.analyses import AnalyzedSlide
from napari_crlm_spa.core.cohort.table.cells import read_sheet
from napari_crlm_spa.core.cohort.table.headers import plain, take_columns
from napari_crlm_spa.core.cohort.table.numbers import is_hole
from napari_crlm_spa.core.cohort.table.rows import Notebook, SlideEntry
from napari_crlm_spa.core.cohort.table.slide_index import SlideIndex
from napari_crlm_spa.core.slide import stem
from napari_crlm_spa.errors import CohortError

#: What marks a row's slide as the one that counts, and what says that it doesn't.
MARKED = ("1", "yes", "y", "true", "x")
NOT_MARKED = ("0", "no", "n", "false")
#: After so many problems similar names are no longer looked up: something else is wrong then, and
#: with thousands of slides it would take minutes.
HINTED = 100


@dataclass(slots=True)
class Assignment:
    """Patients of slides.

    Parameters
    ----------
    patients
        Patient of each slide, ``""`` if unknown.
    why
        Why a slide has no patient.
    declared
        Positions of the slides that a table declares, by patient.
    noted
        Patients of whom a slide was named that is not among the analyses.
    """

    patients: list[str]
    why: list[str]
    declared: dict[str, list[int]] = field(default_factory=dict)
    noted: set[str] = field(default_factory=set)


def read_mapping(path: object, notebook: Notebook) -> tuple[tuple[SlideEntry, ...], str]:
    """Read a table with columns slide and patient; return its rows and its hash.

    Raises
    ------
    CohortError
        If it can't be read or one of the two columns is missing.
    """
    sheet = read_sheet(str(path))
    taken = take_columns(sheet.header, {}, sheet.path.name).headers
    for column in (SLIDE, PATIENT):
        if column not in taken:
            raise CohortError(
                f"{sheet.path.name} has no column {column}. The table of slides needs slide and "
                f"patient; it has {', '.join(sheet.header)}."
            )
    slides, patients = sheet.column(taken[SLIDE]), sheet.column(taken[PATIENT])
    declared = sheet.column(taken[DECLARED]) if DECLARED in taken else [""] * len(slides)
    found = []
    for slide, patient, said, row in zip(slides, patients, declared, sheet.numbers, strict=True):
        if is_hole(slide) or is_hole(patient):
            notebook.note(
                "error",
                "Slide or patient is missing.",
                "Fill it in; the row is not used.",
                row=row,
                patient=patient,
                value=slide,
            )
            continue
        found.append(SlideEntry(slide, patient, row, "" if is_hole(said) else said))
    return tuple(found), sheet.sha256


def assign_by_tables(
    slides: Sequence[AnalyzedSlide],
    entries: Iterable[SlideEntry],
    patients: Mapping[str, object],
    notebook: Notebook,
) -> Assignment:
    """Assign slides as a table says.

    Parameters
    ----------
    slides
        The analyzed slides.
    entries
        Rows of the table.
    patients
        All patients of the clinical table, also the excluded ones.
    notebook
        For what doesn't fit.
    """
    index = SlideIndex(slides)
    named: dict[int, dict[str, SlideEntry]] = {}
    found = Assignment([""] * len(slides), [""] * len(slides))
    for entry in entries:
        if entry.patient not in patients:
            _unknown_patient(entry.patient, patients, notebook, row=entry.row, slide=entry.slide)
            for at in index.find(entry.slide):
                found.why[at] = f"patient {entry.patient} is not in the clinical table"
            continue
        places = index.find(entry.slide)
        if len(places) != 1:
            _not_one(entry, [slides[at] for at in places], notebook)
            found.noted.add(entry.patient)
            for at in places:
                found.why[at] = "its name is that of other slides too"
            continue
        named.setdefault(places[0], {})[entry.patient] = entry
        if entry.declared.casefold() in MARKED:
            _add(found.declared, entry.patient, places[0])
    for at, owners in named.items():
        if len(owners) == 1:
            found.patients[at] = next(iter(owners))
            continue
        found.why[at] = "named for several patients"
        found.noted |= set(owners)
        for entry in owners.values():
            notebook.note(
                "error",
                f"The slide is named for several patients: {', '.join(owners)}.",
                "Correct the table; the slide is not used.",
                row=entry.row,
                patient=entry.patient,
                column=SLIDE,
                value=entry.slide,
            )
    # Another analysis of a slide that is named needs no row of its own.
    known = {slides[at].fingerprint for at, patient in enumerate(found.patients) if patient} - {""}
    for at, slide in enumerate(slides):
        if not found.patients[at] and not found.why[at]:
            found.why[at] = "no row names it"
            if not slide.problem and not slide.copy and slide.fingerprint not in known:
                notebook.note(
                    "error",
                    "The slide has been analyzed, but no row names it.",
                    "Add it to the table of slides or the clinical table; it is not used.",
                    column=SLIDE,
                    value=slide.slide,
                    row=None,
                )
    return found


def assign_by_name(
    slides: Sequence[AnalyzedSlide],
    pattern: str,
    patients: Mapping[str, object],
    notebook: Notebook,
) -> Assignment:
    """Assign slides by their names: by a pattern, or the name is the patient's.

    Raises
    ------
    CohortError
        If `pattern` is no regular expression.
    """
    try:
        search = re.compile(pattern) if pattern else None
    except re.error as error:
        raise CohortError(
            f"--pattern {pattern!r} is no regular expression: {error}. For patients such as P-12 "
            "at the beginning of the name write ^(P-[0-9]+)."
        ) from error
    exact = {patient.casefold(): patient for patient in patients}
    found = Assignment([""] * len(slides), [""] * len(slides))
    for at, slide in enumerate(slides):
        name = stem(Path(slide.slide))
        if search is None:
            told = name if name.casefold() in exact else slide.folder.name
        else:
            match = search.search(name)
            told = (match[1] if search.groups else match[0]) or "" if match else ""
        patient = told if told in patients else exact.get(told.casefold(), "")
        found.patients[at] = patient
        if patient:
            continue
        if search is not None and not told:
            found.why[at] = "the pattern finds no patient in its name"
            notebook.note(
                "error",
                "The pattern finds no patient in the slide's name.",
                "Change --pattern, or name the slide in a table; it is not used.",
                column=SLIDE,
                value=slide.slide,
            )
        else:
            said = told if search is not None else name
            found.why[at] = f"patient {said} is not in the clinical table"
            _unknown_patient(said, patients, notebook, row=None, slide=slide.slide)
    return found


def declare(
    found: Assignment,
    slides: Sequence[AnalyzedSlide],
    names: Mapping[str, Sequence[tuple[str, int]]],
    notebook: Notebook,
) -> None:
    """Add slides that the column use_slide names (rather than marks) to the declared ones.

    Parameters
    ----------
    found
        Whose slides are whose.
    slides
        All slides.
    names
        What the column says of each patient, and in which row; marks such as yes are skipped.
    notebook
        For names that are none of the patient's slides.
    """
    index = SlideIndex(slides)
    for patient, said in names.items():
        for name, row in said:
            if name.casefold() in (*MARKED, *NOT_MARKED):
                continue
            own = [at for at in index.find(name) if found.patients[at] == patient]
            for at in own:
                _add(found.declared, patient, at)
            if not own:
                notebook.note(
                    "error",
                    "The declared slide is none of the patient's analyzed slides.",
                    "Analyze it, or correct the name.",
                    row=row,
                    patient=patient,
                    column=DECLARED,
                    value=name,
                )


def _add(declared: dict[str, list[int]], patient: str, at: int) -> None:
    chosen = declared.setdefault(patient, [])
    chosen += [] if at in chosen else [at]


def _unknown_patient(
    name: str, patients: Iterable[str], notebook: Notebook, *, row: int | None, slide: str
) -> None:
    near = near_patients(name, patients) if len(notebook.problems) <= HINTED else []
    hint = f"Is {' or '.join(near)} meant? " if near else ""
    notebook.note(
        "error",
        f"The slide's patient {name} is not in the clinical table.",
        f"{hint}Names must be equal letter by letter; the slide is not used.",
        row=row,
        patient=name,
        column=SLIDE,
        value=slide,
    )


def near_patients(name: str, patients: Iterable[str]) -> list[str]:
    """Return patients whose names are alike: other zeros, dashes or capitals, or a typing error."""
    names = list(patients)
    alike = same_names(name, names)
    if not alike:  # P-12 in P-12-HE1, but not P-1
        alike = [each for each in names if begins_with(name, each)]
    return alike[:3] or difflib.get_close_matches(name, names, n=2, cutoff=0.85)


def same_names(name: str, patients: Iterable[str]) -> list[str]:
    """Return patients whose names differ by zeros, dashes or capitals only."""
    wanted = _bare(name)
    return [each for each in patients if _bare(each) == wanted]


def begins_with(name: str, patient: str) -> bool:
    """Tell whether a slide's name begins with a patient's, and something else follows."""
    rest = name.casefold().removeprefix(patient.casefold())
    return bool(patient) and 0 < len(rest) < len(name) and not rest[0].isalnum()


def pattern_hint(slides: Sequence[AnalyzedSlide], patients: Iterable[str]) -> str:
    """Return a pattern that would find the patients that slides' names begin with, or nothing."""
    names = [stem(Path(slide.slide)) for slide in slides]
    for patient in patients:
        if any(begins_with(name, patient) for name in names):
            parts = re.findall(r"[0-9]+|[A-Za-z]+|.", patient)
            shape = "".join(
                "[0-9]+" if part.isdigit() else "[A-Za-z]+" if part.isalpha() and part.isascii()
                else re.escape(part)
                for part in parts
            )  # fmt: skip
            return f" '^({shape})'"
    return ""


def _bare(name: str) -> str:
    return re.sub(r"(?<!\d)0+(?=\d)", "", plain(name))


def _not_one(entry: SlideEntry, found: Sequence[AnalyzedSlide], notebook: Notebook) -> None:
    if found:
        folders = ", ".join(f"{slide.folder.parent.name}/{slide.folder.name}" for slide in found)
        problem = f"{len(found)} analyses may be meant: {folders}."
        remedy = "Write the path of the slide or of the analysis instead, e.g. results/HE1."
    else:
        problem = "The slide has not been analyzed."
        remedy = "Analyze it, or correct its name."
    notebook.note(
        "error",
        problem,
        remedy,
        row=entry.row,
        patient=entry.patient,
        column=SLIDE,
        value=entry.slide,
    )
