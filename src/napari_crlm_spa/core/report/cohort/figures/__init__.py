"""The figures of a cohort: pure functions from tables of a study to a matplotlib figure."""

from napari_crlm_spa.core.report.cohort.figures.curves import (
    CurvesDrawing,
    draw_curves,
    draw_kaplan_meier,
)
from napari_crlm_spa.core.report.cohort.figures.cutpoints import (
    draw_cutpoints,
    draw_optimism,
    draw_score,
)
from napari_crlm_spa.core.report.cohort.figures.flow import draw_flow
from napari_crlm_spa.core.report.cohort.figures.forest import (
    ForestRow,
    draw_adjuvant,
    draw_coefficients,
    draw_forest,
    draw_univariate,
)
from napari_crlm_spa.core.report.cohort.figures.hazards import draw_schoenfeld
from napari_crlm_spa.core.report.cohort.figures.panels import CurvePanel, draw_curve_panels
from napari_crlm_spa.core.report.cohort.figures.prediction import (
    draw_brier,
    draw_calibration,
    draw_decision,
    draw_nested_cv,
    draw_roc,
)
from napari_crlm_spa.core.report.cohort.figures.selection import (
    draw_association_map,
    draw_correlation,
    draw_selection,
)
from napari_crlm_spa.core.report.cohort.figures.style import Look, as_file, looks_of

__all__ = [
    "CurvePanel",
    "CurvesDrawing",
    "ForestRow",
    "Look",
    "as_file",
    "draw_adjuvant",
    "draw_association_map",
    "draw_brier",
    "draw_calibration",
    "draw_coefficients",
    "draw_correlation",
    "draw_curve_panels",
    "draw_curves",
    "draw_cutpoints",
    "draw_decision",
    "draw_flow",
    "draw_forest",
    "draw_kaplan_meier",
    "draw_nested_cv",
    "draw_optimism",
    "draw_roc",
    "draw_schoenfeld",
    "draw_score",
    "draw_selection",
    "draw_univariate",
    "looks_of",
]
