"""The figures of a cohort: pure functions from tables of a study to a matplotlib figure."""

from napari_crlm_spa.core.report.cohort.figures.curves import (
    CurvesDrawing,
    draw_curves,
    draw_kaplan_meier,
)
from napari_crlm_spa.core.report.cohort.figures.style import Look, as_file, looks_of

__all__ = [
    "CurvesDrawing",
    "Look",
    "as_file",
    "draw_curves",
    "draw_kaplan_meier",
    "looks_of",
]
