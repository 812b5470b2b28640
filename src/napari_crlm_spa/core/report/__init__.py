"""The report of a slide: the tissue map as a picture, and everything as one HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_crlm_spa.core.on_demand import names_on_demand
from napari_crlm_spa.core.report.contents import MarkCount, SlideReport, state_rows, tissue_rows
from napari_crlm_spa.core.report.review import ReviewSummary

if TYPE_CHECKING:
    from napari_crlm_spa.core.report.html import render_report, write_report
    from napari_crlm_spa.core.report.picture import write_tissue_map_png

__all__ = [
    "MarkCount",
    "ReviewSummary",
    "SlideReport",
    "render_report",
    "state_rows",
    "tissue_rows",
    "write_report",
    "write_tissue_map_png",
]

# Whoever wants options or contents of a report need not wait for matplotlib.
__getattr__ = names_on_demand(
    __name__,
    {"render_report": "html", "write_report": "html", "write_tissue_map_png": "picture"},
)
