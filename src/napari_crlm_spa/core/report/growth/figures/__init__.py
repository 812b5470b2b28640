"""The figures of a growth-pattern study: pure functions from its tables to a matplotlib figure."""

from napari_crlm_spa.core.report.growth.figures.extremes import draw_extremes
from napari_crlm_spa.core.report.growth.figures.forests import (
    draw_added,
    draw_areas,
    draw_association,
    draw_models,
    draw_pairs,
    draw_reliability,
    draw_rules,
    draw_strata,
)
from napari_crlm_spa.core.report.growth.figures.roc import draw_roc
from napari_crlm_spa.core.report.growth.figures.slides import (
    draw_calibration,
    draw_markers,
    draw_measured,
)

__all__ = [
    "draw_added",
    "draw_areas",
    "draw_association",
    "draw_calibration",
    "draw_extremes",
    "draw_markers",
    "draw_measured",
    "draw_models",
    "draw_pairs",
    "draw_reliability",
    "draw_roc",
    "draw_rules",
    "draw_strata",
]
