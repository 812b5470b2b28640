"""Risk models, the score of a slide, the clinical risk score and the combined grade."""

from napari_crlm_spa.core.risk.combined import CombinedGrade, combined_grade
from napari_crlm_spa.core.risk.crs import (
    ClinicalFactors,
    ClinicalRiskScore,
    clinical_risk_score,
)
from napari_crlm_spa.core.risk.cutoffs import Cutoff, apply_cutoffs, fit_cutoffs, read_table
from napari_crlm_spa.core.risk.maxstat import MaxStat, logrank_scores, maxstat_cutoff
from napari_crlm_spa.core.risk.model import (
    DEFAULT_PRESET,
    RESEARCH_USE_ONLY,
    RiskFeature,
    RiskModel,
    list_presets,
    load_risk_model,
    save_risk_model,
)
from napari_crlm_spa.core.risk.score import RiskAssessment, RiskRow, assess_risk

__all__ = [
    "DEFAULT_PRESET",
    "RESEARCH_USE_ONLY",
    "ClinicalFactors",
    "ClinicalRiskScore",
    "CombinedGrade",
    "Cutoff",
    "MaxStat",
    "RiskAssessment",
    "RiskFeature",
    "RiskModel",
    "RiskRow",
    "apply_cutoffs",
    "assess_risk",
    "clinical_risk_score",
    "combined_grade",
    "fit_cutoffs",
    "list_presets",
    "load_risk_model",
    "logrank_scores",
    "maxstat_cutoff",
    "read_table",
    "save_risk_model",
]
