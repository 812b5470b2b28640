"""Readers, measurement and outcome: everything that a study of growth patterns compares.

The result is a `Study` (kind ``"hgp"``): tables with titles and notes, warnings, facts. It is
written and read as any study (`core.cohort.study.folder`).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_crlm_spa.core.cohort.columns import PATIENT, SLIDE
from napari_crlm_spa.core.cohort.study.contents import Study
from napari_crlm_spa.core.cohort.study.gather import Gathering
from napari_crlm_spa.core.cohort.table import Cohort, flow_frame, problems_frame
from napari_crlm_spa.core.hgp import table_notes as notes
from napari_crlm_spa.core.hgp.agree_options import AgreeOptions
from napari_crlm_spa.core.hgp.association import calibration_table, extreme_groups
from napari_crlm_spa.core.hgp.association.auc import roc_points
from napari_crlm_spa.core.hgp.columns import (
    CHEMO,
    INTERACTION_BORDER,
    INTERACTION_PAPER,
    LABELS,
    PCT_D,
    PCT_N,
)
from napari_crlm_spa.core.hgp.consensus import N_RATERS, Compared, called, compare, reviewed
from napari_crlm_spa.core.hgp.cutoff import HeldOut, held_out_cutoff
from napari_crlm_spa.core.hgp.measures import Measures
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
from napari_crlm_spa.core.hgp.stratum import StratumRows, stratum_rows
from napari_crlm_spa.core.hgp.stratum_values import AUC_MARKERS
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.spatial.interface import RESEARCH_USE_ONLY
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

ALL, NAIVE, PRETREATED = "all", "chemotherapy-naive", "pretreated"
#: A stratum of fewer slides is not tabulated (a heuristic of ours).
FEWEST_SLIDES = 3


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
        yield from _measured(book, compared, options)
    book.table("patients", "Patients", patients, notes.PATIENTS)
    if cohort is not None:
        yield Progress("Survival", 0, 1)
        _outcome(book, patients, cohort, options)
        yield Progress("Survival", 1, 1)
    book.table("slides", "Slides", compared.slides, notes.SLIDES)
    book.table("flow", "What counts", flow_frame(compared.flow))
    problems = (*reviews.problems, *(measures.problems if measures else ()))
    book.table("problems", "Problems of the tables", problems_frame(problems))
    _doubts(book, compared, patients, options)
    return book.study("hgp", name)


def strata(slides: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return all slides, and those of chemotherapy-naive and of pretreated patients."""
    chemo = slides[CHEMO].to_numpy(float)
    parts = {ALL: slides, NAIVE: slides[chemo == 0], PRETREATED: slides[chemo == 1]}
    return {
        name: part.reset_index(drop=True)
        for name, part in parts.items()
        if name == ALL or FEWEST_SLIDES <= len(part) < len(slides)
    }


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


def _measured(
    book: Gathering, compared: Compared, options: AgreeOptions
) -> Generator[Progress, None, None]:
    import pandas as pd

    total = StratumRows()
    extremes, calibration, cutoffs, roc = [], [], [], []
    for name, slides in strata(compared.slides).items():
        rows = yield from stratum_rows(name, slides, options)
        for table in ("association", "agreement", "auc", "rules"):
            getattr(total, table).extend(getattr(rows, table))
        extremes += _extremes(name, slides, options)
        calibration.append(_calibration(name, slides, options))
        cutoffs += _cutoff(name, slides, options)
        roc += _roc(name, slides)
    book.table("association", "Measurements and the review", _frame(total.association), notes.ASSOC)
    book.table("extremes", "Lowest and highest interaction", _frame(extremes), notes.EXTREMES)
    book.table("agreement", "Measured and reviewed share", _frame(total.agreement), notes.AGREEMENT)
    book.table("calibration", "Calibration", pd.concat(calibration), notes.CALIBRATION)
    book.table("auc", "Telling D from non-D", _frame(total.auc), notes.AUC)
    book.table("roc", "ROC curves", _frame(roc), "Of the strict reviewed call.")
    book.table("rules", "Calls by rule", _frame(total.rules), notes.RULES)
    book.table("cutoff", "A cut-off on other patients", _frame(cutoffs), notes.CUTOFF)


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)


def _extremes(name: str, slides: pd.DataFrame, options: AgreeOptions) -> list[dict[str, Any]]:
    rows = []
    for marker in (INTERACTION_PAPER, INTERACTION_BORDER, PCT_N):
        if slides[marker].notna().sum() < 2:
            continue
        calls = slides[reviewed(called("strict"))].to_numpy(float)
        found = extreme_groups(
            slides[marker].to_numpy(float), calls, options.k_extremes, level=options.level
        )
        rows.append(
            {
                "stratum": name,
                "marker": marker,
                "label": LABELS[marker],
                "k": found.k,
                "low_d": found.low_d,
                "high_d": found.high_d,
                "odds_ratio": found.odds_ratio,
                "lower": found.lower,
                "upper": found.upper,
                "p": found.p,
                "low_limit": found.low_limit,
                "high_limit": found.high_limit,
                "note": found.reason,
            }
        )
    return rows


def _calibration(name: str, slides: pd.DataFrame, options: AgreeOptions) -> pd.DataFrame:
    table = calibration_table(
        slides[PCT_D],
        slides[reviewed(PCT_D)],
        slides[reviewed(called("strict"))],
        options.calibration_groups,
        level=options.level,
    )
    table.insert(0, "stratum", name)
    return table


def _cutoff(name: str, slides: pd.DataFrame, options: AgreeOptions) -> list[dict[str, Any]]:
    if not slides[PCT_N].notna().any():
        return []
    found: HeldOut = held_out_cutoff(
        slides[PCT_N],
        slides[reviewed(called("strict"))],
        slides[PATIENT],
        options.folds,
        options.seed,
    )
    known = np.isfinite(found.of_fold)
    return [
        {
            "stratum": name,
            "marker": PCT_N,
            "n": found.kappa.n,
            "cutoff": found.cutoff,
            "cutoff_lowest": float(found.of_fold.min()) if known.any() else np.nan,
            "cutoff_highest": float(found.of_fold.max()) if known.any() else np.nan,
            "kappa_held_out": found.kappa.value,
            "kappa_apparent": found.apparent,
            "sensitivity": found.sensitivity.value,
            "sensitivity_lower": found.sensitivity.lower,
            "sensitivity_upper": found.sensitivity.upper,
            "specificity": found.specificity.value,
            "specificity_lower": found.specificity.lower,
            "specificity_upper": found.specificity.upper,
            "note": found.reason or found.kappa.reason,
        }
    ]


def _roc(name: str, slides: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for marker, sign in AUC_MARKERS.items():
        score = sign * slides[marker].to_numpy(float)
        curve = roc_points(score, slides[reviewed(called("strict"))].to_numpy(float))
        if curve is None:
            continue
        for threshold, false, true in zip(
            sign * curve.threshold,
            curve.false_positive_rate,
            curve.true_positive_rate,
            strict=True,
        ):
            rows.append(
                {
                    "stratum": name,
                    "marker": marker,
                    "threshold": threshold,
                    "false_positive_rate": false,
                    "true_positive_rate": true,
                }
            )
    return rows


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


def _doubts(
    book: Gathering, compared: Compared, patients: pd.DataFrame, options: AgreeOptions
) -> None:
    slides, n = compared.slides, len(patients)
    ties = int(slides[reviewed(called("strict"))].isna().sum())
    if ties:
        book.warn(
            f"On {ties} slides as many readers say D as non-D: they have no strict call. Let the "
            f"readers agree and enter it as the reader {options.consensus_rater}."
        )
    single = int((slides[N_RATERS] < 2).sum())
    if single and slides[N_RATERS].max() > 1:
        book.warn(f"{single} of {len(slides)} slides were read by one reader only.")
    few = int((patients[FEW_BLOCKS] == 1).sum())
    if few:
        book.warn(
            f"{few} of {n} patients have a lesion with fewer than {options.min_blocks} blocks: "
            "one block misses other patterns of the lesion more often."
        )
    if len(slides) > n:
        book.warn(
            f"{len(slides)} slides are of {n} patients: intervals draw whole patients; p values "
            "of correlations, Fisher's test and Wilson's intervals take slides as independent."
        )
    treated = int((patients[CHEMO] == 1).sum())
    if treated:
        book.warn(
            f"{treated} of {n} patients were pretreated. Chemotherapy shifts the growth pattern "
            "towards desmoplastic, so look at both strata."
        )
    if patients[CHEMO].isna().any():
        book.warn(
            f"Of {int(patients[CHEMO].isna().sum())} of {n} patients it is not known whether they "
            "were pretreated."
        )
    nameless = int((slides[PATIENT] == slides[SLIDE]).sum())
    if nameless:
        book.warn(
            f"{nameless} slides name no patient and count as one each. Fill in the column patient."
        )
