"""Survival of groups of patients, and what adjuvant chemotherapy does in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from napari_crlm_spa.core.cohort.columns import (
    CLINICAL_RISK,
    COMBINED_GRADE,
    CRS_GROUP,
    CRS_SCORE,
    PATIENT,
    SCORE,
    SPATIAL_RISK,
)
from napari_crlm_spa.core.cohort.curves import (
    CurveOptions,
    Grouping,
    adjuvant_benefit,
    adjuvant_groupings,
    combined_grouping,
    crs_grouping,
    curve_tables,
    overall,
    sof_grouping,
)
from napari_crlm_spa.core.cohort.curves.adjuvant import ADJUVANT
from napari_crlm_spa.core.cohort.curves.adjuvant import NOTE as ADJUVANT_NOTE
from napari_crlm_spa.core.cohort.study.gather import Gathering
from napari_crlm_spa.core.cohort.table import Cohort

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class RiskGroups:
    """Groups of every patient; None if they can't be formed.

    Parameters
    ----------
    sof, crs, combined
        By the spatial score, the clinical risk score, and both.
    """

    sof: Grouping | None
    crs: Grouping | None
    combined: Grouping | None

    @property
    def columns(self) -> dict[str, Grouping | None]:
        """By the columns in which tables of patients have them."""
        return {SPATIAL_RISK: self.sof, CLINICAL_RISK: self.crs, COMBINED_GRADE: self.combined}

    @property
    def present(self) -> tuple[Grouping, ...]:
        """Those that there are."""
        return tuple(each for each in self.columns.values() if each is not None)


def risk_groups(frame: pd.DataFrame, score: ArrayLike | None, cutoff: float | None) -> RiskGroups:
    """Form the groups that the cohort's columns and a score allow."""
    sof = None if score is None or cutoff is None else sof_grouping(score, cutoff)
    has_crs = any(
        column in frame.columns and frame[column].notna().any() for column in (CRS_GROUP, CRS_SCORE)
    )
    crs = crs_grouping(frame) if has_crs else None
    combined = None if sof is None or crs is None else combined_grouping(sof, crs)
    return RiskGroups(sof, crs, combined)


def add_curves(book: Gathering, cohort: Cohort, groups: RiskGroups, options: CurveOptions) -> None:
    """Add Kaplan-Meier curves, numbers at risk, medians, log-rank tests; adjuvant treatment."""
    frame, survival = cohort.patients, cohort.survival
    treated = adjuvant_groupings(frame, groups.sof) if groups.sof is not None else ()
    # Groups without anybody, e.g. pretreated patients in a cohort without any, have no curve.
    shown = [each for each in treated if each.known.any()]
    found = curve_tables(survival, (overall(len(survival)), *groups.present, *shown), options)
    book.table("km", "Kaplan-Meier curves", found.km, _KM_NOTE.format(options.interval))
    book.table("risk_table", "Patients at risk", found.risk_table)
    book.table("groups", "Median and 5-year survival", found.groups, _GROUPS_NOTE)
    book.table("logrank", "Log-rank tests", found.logrank, _LOGRANK_NOTE)
    book.table(
        "logrank_pairwise",
        "Log-rank tests of pairs of groups",
        found.logrank_pairwise,
        "p_fdr: Benjamini & Hochberg within the grouping.",
    )
    # Unknown spatial risk is told with the score; of parts of the cohort, the table tells.
    main = {each.title for each in (groups.crs, groups.combined) if each is not None}
    book.warn_all(text for text in found.warnings if text.split(":")[0] in main)
    book.facts["interval"] = options.interval
    book.facts["groupings"] = {
        each.name: {
            "title": each.title,
            "levels": list(each.levels),
            "labels": list(each.labels),
        }
        for each in (overall(0), *groups.present, *shown)
    }
    if groups.sof is not None and ADJUVANT in frame.columns:
        _adjuvant(book, cohort, groups.sof)


def _adjuvant(book: Gathering, cohort: Cohort, sof: Grouping) -> None:
    benefit = adjuvant_benefit(cohort.patients, cohort.survival, sof)
    book.table("adjuvant", "Adjuvant chemotherapy", benefit.benefit, ADJUVANT_NOTE)
    book.table(
        "adjuvant_interaction",
        "Does its benefit differ between risk groups?",
        benefit.interaction,
        "Cox models with an interaction of treatment and spatial risk; lrt and p: "
        "likelihood-ratio test of the interaction.",
    )
    book.warn_all(benefit.warnings, last=True)


def add_patients(
    book: Gathering,
    cohort: Cohort,
    binary: pd.DataFrame,
    score: ArrayLike | None,
    groups: RiskGroups,
) -> None:
    """Add the table ``patients``: follow-up, 0/1 features, score and groups of everybody."""
    table = cohort.patients[[PATIENT, cohort.time, cohort.event]].copy()
    for column in binary.columns:
        table[f"{column}_high"] = binary[column].to_numpy()
    if score is not None:
        table[SCORE] = np.asarray(score, np.float64)
    for name, grouping in groups.columns.items():
        table[name] = "" if grouping is None else grouping.groups
    book.table("patients", "Patients", table, "1: the feature lies above its cut-off.")


_KM_NOTE = "Kaplan-Meier estimate with Greenwood's standard error; 95 % interval on the {} scale."
_GROUPS_NOTE = (
    "Medians by R's rule (the first time with less than half alive, or the middle of an "
    "interval at exactly one half); survival at 60 months where somebody was followed so long."
)
_LOGRANK_NOTE = (
    "Log-rank test (rho = 0); of two groups also the hazard ratio of the second against the first "
    "with its 95 % interval (Cox model, Efron's ties)."
)
