"""The score of a final model, its cut-off, and the risk model for the next patient."""

from napari_crlm_spa.core.cohort.score.cutoff import (
    ScoreCutoff,
    ScoreOptions,
    score_cutoff_table,
    search_cutoff,
)
from napari_crlm_spa.core.cohort.score.linear import linear_score
from napari_crlm_spa.core.cohort.score.model import risk_model_of

__all__ = [
    "ScoreCutoff",
    "ScoreOptions",
    "linear_score",
    "risk_model_of",
    "score_cutoff_table",
    "search_cutoff",
]
