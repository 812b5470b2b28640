"""Survival of groups: Kaplan-Meier curves, log-rank tests, follow-up, benefit of treatment."""

from napari_crlm_spa.core.cohort.cox.hazard_ratio import HazardRatio, hazard_ratio
from napari_crlm_spa.core.cohort.curves.adjuvant import (
    AdjuvantBenefit,
    adjuvant_benefit,
    adjuvant_groupings,
)
from napari_crlm_spa.core.cohort.curves.follow_up import follow_up_table
from napari_crlm_spa.core.cohort.curves.grouped import CurveOptions, CurveTables, curve_tables
from napari_crlm_spa.core.cohort.curves.groupings import (
    Grouping,
    combined_grouping,
    crs_grouping,
    overall,
    sof_grouping,
    two_level_grouping,
)
from napari_crlm_spa.core.cohort.curves.kaplan_meier import KaplanMeier, Quantile, kaplan_meier
from napari_crlm_spa.core.cohort.curves.logrank import LogRank, logrank, pairwise_logrank
from napari_crlm_spa.core.cohort.survival import Steps, survival_steps

__all__ = [
    "AdjuvantBenefit",
    "CurveOptions",
    "CurveTables",
    "Grouping",
    "HazardRatio",
    "KaplanMeier",
    "LogRank",
    "Quantile",
    "Steps",
    "adjuvant_benefit",
    "adjuvant_groupings",
    "combined_grouping",
    "crs_grouping",
    "curve_tables",
    "follow_up_table",
    "hazard_ratio",
    "kaplan_meier",
    "logrank",
    "overall",
    "pairwise_logrank",
    "sof_grouping",
    "survival_steps",
    "two_level_grouping",
]
