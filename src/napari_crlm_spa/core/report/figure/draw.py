"""Picture, outline, scale bar and legend on a page."""

from __future__ import annotations

import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from napari_crlm_spa.core.report import words
from napari_crlm_spa.core.report.figure.layout import (
    BAR,
    HEADER,
    NOTE_LETTERS,
    NOTE_LINE,
    ROW,
    Layout,
)
from napari_crlm_spa.core.report.figure.maps import CodeMap, FigureMap, HeatMap
from napari_crlm_spa.core.report.figure.numbers import LegendRow, RegionUm
from napari_crlm_spa.core.report.figure.options import FigureOptions
from napari_crlm_spa.core.report.figure.scales import colormap_of
from napari_crlm_spa.core.slide import RgbImage
from napari_crlm_spa.core.tile_areas import tile_areas
from napari_crlm_spa.core.tissue_map import TissueMap

_INK, _QUIET, _ALARM = "#202020", "#5d6670", "#a02020"
_POINTS = 7.0


def notes_of(shown: FigureMap | None, *, outlined: bool = False) -> list[tuple[str, str]]:
    """Return the small print in lines, each with its color."""
    if shown is None:
        return []
    note = shown.scale.note if isinstance(shown, HeatMap) else f"% of {shown.whole} in the picture."
    note += " Line: border of the tumor regions." if outlined else ""
    lines = [(line, _QUIET) for line in textwrap.wrap(note, NOTE_LETTERS)]
    return lines + [(line, _ALARM) for line in textwrap.wrap(shown.warning, NOTE_LETTERS)]


def draw(
    picture: RgbImage,
    region_um: RegionUm,
    layout: Layout,
    shown: FigureMap | None,
    rows: list[LegendRow],
    options: FigureOptions,
    outline: tuple[TissueMap, NDArray[np.bool_]] | None,
) -> Figure:
    """Compose the figure.

    Parameters
    ----------
    picture
        Pixels of the region, as `draw_pixels` makes them.
    region_um
        The region.
    layout
        Where everything stands.
    shown
        The map, for the legend.
    rows
        The legend's lines of a class-like map.
    options
        What is drawn.
    outline
        Map and mask (rows, cols) whose border is drawn; None for none.
    """
    width, height = layout.size
    figure = Figure(
        figsize=(width / options.dpi, height / options.dpi), dpi=options.dpi, facecolor="white"
    )
    FigureCanvasAgg(figure)
    left, top, across, down = region_um
    axes = _axes(figure, layout, (0, 0, *layout.picture))
    axes.imshow(
        picture,
        extent=(left, left + across, top + down, top),
        interpolation="none",
        aspect="auto",
    )
    axes.set_xlim(left, left + across)
    axes.set_ylim(top + down, top)
    if outline is not None:
        _outline(axes, *outline)
    if options.scale_bar:
        _scale_bar(axes, region_um, layout.picture[0] / options.dpi)
    if layout.legend is not None and shown is not None:
        notes = notes_of(shown, outlined=outline is not None)
        _legend(figure, layout, shown, rows, options, notes)
    return figure


def _axes(figure: Figure, layout: Layout, box_px: tuple[int, int, int, int]) -> Axes:
    (width, height), (left, top, wide, high) = layout.size, box_px
    axes = figure.add_axes((left / width, 1 - (top + high) / height, wide / width, high / height))
    axes.axis("off")
    return axes


def _outline(axes: Axes, tissue_map: TissueMap, mask: NDArray[np.bool_]) -> None:
    """Draw the border of a mask, dark on light so that it shows on any tissue."""
    stride, origin = tissue_map.stride_um, np.array(tissue_map.origin_um)
    rings = [
        np.array(ring) * stride + origin
        for area in tile_areas(mask.astype(np.uint8))
        for ring in area.rings
    ]
    for color, points in (("white", 1.6), ("black", 0.8)):
        axes.add_collection(
            LineCollection(rings, colors=color, linewidths=points, joinstyle="miter")
        )


def _scale_bar(axes: Axes, region_um: RegionUm, width_in: float) -> None:
    left, top, across, down = region_um
    bar_um, per_inch = words.scale_bar_um(across), across / width_in
    margin, thick = 0.08 * per_inch, 0.03 * per_inch
    x, y = left + margin, top + down - margin - thick
    back = Rectangle(
        (x - margin / 2, y - 0.16 * per_inch),
        bar_um + margin,
        0.16 * per_inch + thick + margin / 2,
        facecolor="white",
        alpha=0.75,
        linewidth=0,
    )
    axes.add_patch(back)
    axes.add_patch(Rectangle((x, y), bar_um, thick, facecolor=_INK, linewidth=0))
    axes.text(
        x + bar_um / 2,
        y - 0.02 * per_inch,
        words.length(bar_um),
        ha="center",
        va="bottom",
        fontsize=_POINTS,
        color=_INK,
    )


def _legend(
    figure: Figure,
    layout: Layout,
    shown: FigureMap,
    rows: list[LegendRow],
    options: FigureOptions,
    notes: list[tuple[str, str]],
) -> None:
    assert layout.legend is not None
    axes = _axes(figure, layout, layout.legend)
    width, height = layout.legend[2] / options.dpi, layout.legend[3] / options.dpi
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.text(0, 0.09, shown.title, fontsize=_POINTS + 0.5, weight="bold", color=_INK, va="center")
    column = width / layout.columns
    if isinstance(shown, CodeMap):
        lines = -(-len(rows) // layout.columns)
        for number, row in enumerate(rows):
            x, y = number // max(lines, 1) * column, HEADER + number % max(lines, 1) * ROW
            _entry(axes, row, x, y, column)
        bottom = HEADER + lines * ROW
    else:
        _color_bar(axes, shown, min(column, 2.2) - 0.05, options)
        bottom = HEADER + BAR
    for number, (line, color) in enumerate(notes):
        y = bottom + (number + 0.5) * NOTE_LINE
        axes.text(0, y, line, fontsize=_POINTS - 1, color=color, va="center")


def _entry(axes: Axes, row: LegendRow, x: float, y: float, width: float) -> None:
    swatch = Rectangle((x, y + 0.02), 0.13, 0.15, facecolor=row.color, edgecolor="#808080")
    swatch.set_linewidth(0.4)
    axes.add_patch(swatch)
    axes.text(x + 0.19, y + 0.045, row.title, fontsize=_POINTS, color=_INK, va="center")
    share = "" if row.share is None else f"{words.percent(row.share)} · "
    amount = f"{share}{words.area(row.mm2)}"
    axes.text(x + 0.19, y + 0.155, amount, fontsize=_POINTS - 1, color=_QUIET, va="center")


def _color_bar(axes: Axes, shown: HeatMap, width: float, options: FigureOptions) -> None:
    """Draw the colors as they look on white at the map's opacity."""
    ramp = colormap_of(shown.scale)(np.linspace(0, 1, 256))
    ramp[:, 3] *= options.opacity
    axes.imshow(
        ramp[None], extent=(0, width, HEADER + 0.16, HEADER), aspect="auto", interpolation="none"
    )
    frame = Rectangle((0, HEADER), width, 0.16, fill=False, edgecolor="#808080", linewidth=0.4)
    axes.add_patch(frame)
    y = HEADER + 0.25
    for x, text, side in (
        (0.0, shown.scale.low_text, "left"),
        (width, shown.scale.high_text, "right"),
    ):
        axes.text(x, y, text, fontsize=_POINTS - 1, color=_INK, va="center", ha=side)
