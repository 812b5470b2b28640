"""The report of a slide: the tissue map as a picture, and everything as one HTML page."""

from napari_crlm_spa.core.report.contents import MarkCount, SlideReport, state_rows, tissue_rows
from napari_crlm_spa.core.report.html import render_report, write_report
from napari_crlm_spa.core.report.picture import write_tissue_map_png
from napari_crlm_spa.core.report.review import ReviewSummary

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
