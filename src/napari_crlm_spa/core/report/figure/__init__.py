"""A figure of a slide for a paper or a talk: region, map, legend, scale bar, at a chosen dpi."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_crlm_spa.core.on_demand import names_on_demand
from napari_crlm_spa.core.report.figure.options import FIGURE_SUFFIXES, MAP_KINDS, FigureOptions

if TYPE_CHECKING:
    from napari_crlm_spa.core.report.figure.maps import (
        CodeEntry,
        CodeMap,
        FigureMap,
        HeatMap,
        map_of,
    )
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

# The command line reads the options of a figure; that must not load matplotlib.
__getattr__ = names_on_demand(
    __name__,
    {
        **dict.fromkeys(("CodeEntry", "CodeMap", "FigureMap", "HeatMap", "map_of"), "maps"),
        **dict.fromkeys(("FigureSubject", "render_figure"), "render"),
    },
)
