"""A figure of a slide for a paper or a talk: region, map, legend, scale bar, at a chosen dpi."""

from napari_crlm_spa.core.report.figure.maps import (
    CodeEntry,
    CodeMap,
    FigureMap,
    HeatMap,
    map_of,
)
from napari_crlm_spa.core.report.figure.options import FIGURE_SUFFIXES, MAP_KINDS, FigureOptions
from napari_crlm_spa.core.report.figure.render import FigureSubject, render_figure

__all__ = [
    "FIGURE_SUFFIXES",
    "MAP_KINDS",
    "CodeEntry",
    "CodeMap",
    "FigureMap",
    "FigureOptions",
    "FigureSubject",
    "HeatMap",
    "map_of",
    "render_figure",
]
