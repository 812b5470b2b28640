"""Readers, measurement and outcome: everything that a study of growth patterns compares.

The result is a `Study` (kind ``"hgp"``): tables with titles and notes, warnings, facts. It is
written and read as any study (`core.cohort.study.folder`).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from napari_crlm_spa.core.cohort.columns import PATIENT, SLIDE
from napari_crlm_spa.core.cohort.study.contents import Study
from napari_crlm_spa.core.cohort.study.gather import Gathering
from napari_crlm_spa.core.cohort.table import Cohort, flow_frame, problems_frame
from napari_crlm_spa.core.hgp import table_notes as notes
from napari_crlm_spa.core.hgp.agree_options import AgreeOptions
from napari_crlm_spa.core.hgp.columns import CHEMO, PCT_D
from napari_crlm_spa.core.hgp.consensus import N_RATERS, Compared, called, compare, reviewed
from napari_crlm_spa.core.hgp.measured_tables import add_measured
from napari_crlm_spa.core.hgp.measures import Measures
from napari_crlm_spa.core.hgp.one_name import slide_key, with_one_name
from napari_crlm_spa.core.hgp.outcome_tables import outcome_tables
from napari_crlm_spa.core.hgp.patients import FEW_BLOCKS, patient_table
from napari_crlm_spa.core.hgp.readers import (
    BENCHMARKS,
    between_readers,
    rater_pairs,
    raters_table,
    within_readers,
)
from napari_crlm_spa.core.hgp.reviews import Reviews
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.spatial.interface import RESEARCH_USE_ONLY
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd


def agree(
    reviews: Reviews,
    measures: Measures | None = None,
    cohort: Cohort | None = None,
    options: AgreeOptions | None = None,
    *,
    name: str = "Growth pattern",
) -> Generator[Progress, None, Study]:
    """Compare reviews with each other, with measurements and with survival.

    Parameters
    ----------
    reviews
        Of one or more readers.
    measures
        Of the same slides; without them only readers are compared.
    cohort
        Follow-up of the same patients.
    options
        How.
    name
        Of the study.

    Raises
    ------
    CohortError
        If no review can be used.
    """
    options = options or AgreeOptions()
    reviews = with_one_name(reviews)
    book = Gathering()
    compared = compare(reviews.frame, None if measures is None else measures.frame, options)
    if not len(compared.slides):
        raise CohortError(
            "No review can be used: all slides are without viable tumor, not assessable or "
            "without shares. See the problems of the table of reviews."
        )
    patients = patient_table(compared.slides, options)
    _facts(book, compared, patients, options)
    _readers(book, compared, options)
    if measures is not None:
        _unmeasured(book, compared, measures)
        yield from add_measured(book, compared, options)
    book.table("patients", "Patients", patients, notes.PATIENTS)
    if cohort is not None:
        yield Progress("Survival", 0, 1)
        _outcome(book, patients, cohort, options)
        yield Progress("Survival", 1, 1)
    book.table("slides", "Slides", compared.slides, notes.SLIDES)
    book.table("flow", "What counts", flow_frame(compared.flow))
    problems = (*reviews.problems, *(measures.problems if measures else ()))
    book.table("problems", "Problems of the tables", problems_frame(problems))
    if problems:
        book.warn(
            f"The tables have {_count(len(problems), 'problem')}, listed in the table problems; "
            "rows with an error are not used."
        )
    _doubts(book, compared, patients, options)
    return book.study("hgp", name)


def _facts(
    book: Gathering, compared: Compared, patients: pd.DataFrame, options: AgreeOptions
) -> None:
    slides = compared.slides
    book.facts |= {
        "disclaimer": RESEARCH_USE_ONLY,
        "n_slides": len(slides),
        "n_patients": len(patients),
        "n_readings": len(compared.readings),
        "raters": list(dict.fromkeys(compared.readings["rater"])),
        "n_measured": int(slides[PCT_D].notna().sum()),
        "options": options.as_dict(),
        "benchmarks": BENCHMARKS,
    }


def _readers(book: Gathering, compared: Compared, options: AgreeOptions) -> None:
    readings = compared.readings
    book.table("raters", "Readers", raters_table(readings))
    reliability = between_readers(readings, options)
    book.table("reliability", "Agreement between readers", reliability, notes.RELIABILITY)
    book.table("rater_pairs", "Every two readers", rater_pairs(readings, options), notes.PAIRS)
    book.table(
        "within_readers",
        "Readers and their own earlier reading",
        within_readers(readings, options),
        notes.WITHIN,
    )
    if not len(reliability):
        book.warn(
            "One reader only: how far readers agree is not known, and with it not how far an "
            "estimate can agree with them."
        )


def _outcome(
    book: Gathering, patients: pd.DataFrame, cohort: Cohort, options: AgreeOptions
) -> None:
    found = outcome_tables(patients, cohort, options)
    book.table("outcome_models", "Survival", found.models, notes.OUTCOME)
    book.table(
        "outcome_added",
        "What interaction adds to the reviewed growth pattern",
        found.added,
        notes.ADDED,
    )
    book.warn_all(found.warnings)
    if len(found.added):
        first = found.added.iloc[0]
        book.facts |= {"outcome_n": int(first["n"]), "outcome_events": int(first["events"])}


def _unmeasured(book: Gathering, compared: Compared, measures: Measures) -> None:
    known = {slide_key(name) for name in measures.frame[SLIDE]}
    slides = compared.slides[SLIDE]
    missing = sum(slide_key(name) not in known for name in slides)
    if missing == len(slides):
        book.warn(
            f"None of the {_count(len(slides), 'reviewed slide')} is among the "
            f"{_count(len(known), 'slide')} of the table of measures, so no measurement is "
            "compared. Name slides alike in both (suffix and capitals don't count)."
        )
    elif missing:
        book.warn(
            f"{missing} of {len(slides)} reviewed slides are not in the table of measures. "
            "Measure them, or name slides alike in both (suffix and capitals don't count)."
        )


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _doubts(
    book: Gathering, compared: Compared, patients: pd.DataFrame, options: AgreeOptions
) -> None:
    slides, n = compared.slides, len(patients)
    ties = int(slides[reviewed(called("strict"))].isna().sum())
    if ties:
        book.warn(
            f"On {_count(ties, 'slide')} as many readers say D as non-D: no strict call. Let the "
            f"readers agree and enter it as the reader {options.consensus_rater}."
        )
    single = int((slides[N_RATERS] < 2).sum())
    if single and slides[N_RATERS].max() > 1:
        book.warn(f"Of {_count(len(slides), 'slide')} {single} had one reader only.")
    few = int((patients[FEW_BLOCKS] == 1).sum())
    if few:
        book.warn(
            f"Of {_count(n, 'patient')} {few} had a lesion with fewer than {options.min_blocks} "
            "blocks: one block misses other patterns of the lesion more often."
        )
    if len(slides) > n:
        book.warn(
            f"{len(slides)} slides are of {_count(n, 'patient')}: intervals of what was measured "
            "draw whole patients; intervals of readers and of limits, Wilson's intervals and p "
            "values of correlations and Fisher's test take slides as independent."
        )
    treated = int((patients[CHEMO] == 1).sum())
    if treated:
        book.warn(
            f"Of {_count(n, 'patient')} {treated} had been pretreated. Chemotherapy shifts the "
            "growth pattern towards desmoplastic, so look at both strata."
        )
    if patients[CHEMO].isna().any():
        book.warn(
            f"Of {int(patients[CHEMO].isna().sum())} of {_count(n, 'patient')} it is not known "
            "whether they were pretreated."
        )
    nameless = int((slides[PATIENT] == slides[SLIDE]).sum())
    if nameless:
        book.warn(
            f"Of {_count(nameless, 'slide')} no patient is named: each counts as one of its own. "
            "Fill in the column patient."
        )
