"""Where picture and legend stand in a figure, in whole pixels."""

from __future__ import annotations

from dataclasses import dataclass

from napari_crlm_spa.core.report.figure.maps import CodeMap, FigureMap
from napari_crlm_spa.core.report.figure.numbers import RegionUm
from napari_crlm_spa.core.report.figure.options import FigureOptions
from napari_crlm_spa.errors import ReviewError

#: In inches, for text of 6 to 7.5 points.
LEGEND_WIDTH, GAP, HEADER, ROW, BAR, NOTE_LINE = 1.62, 0.08, 0.2, 0.27, 0.42, 0.12
#: Narrower figures, and flat regions, have the legend below.
_NARROW_MM, _FLAT = 110.0, 0.35
#: A picture is at most this much taller than the figure is wide.
_TALLEST = 1.4
#: More pixels than that fit neither a page nor the memory of a small machine.
MOST_PX = 400_000_000
#: Letters of the notes in a line of the legend.
NOTE_LETTERS = 36


@dataclass(frozen=True, slots=True)
class Layout:
    """Places in pixels from the top left.

    Parameters
    ----------
    size
        (width, height) of the figure.
    picture
        (width, height); it stands in the top left corner.
    legend
        (left, top, width, height), or None.
    columns
        Of the legend.
    """

    size: tuple[int, int]
    picture: tuple[int, int]
    legend: tuple[int, int, int, int] | None
    columns: int


def lay_out(
    region_um: RegionUm, shown: FigureMap | None, entries: int, notes: int, options: FigureOptions
) -> Layout:
    """Divide the figure.

    Parameters
    ----------
    region_um
        What the picture shows.
    shown
        The map; without one there is no legend.
    entries, notes
        Lines of the legend: classes, and lines of small print.

    Raises
    ------
    ReviewError
        If the figure would be larger than `MOST_PX`.
    """
    dpi, ratio = options.dpi, region_um[3] / region_um[2]
    width = round(options.width_mm / 25.4 * dpi)
    has_legend = options.legend and shown is not None
    beside = has_legend and options.width_mm >= _NARROW_MM and ratio > _FLAT
    legend_width = round(LEGEND_WIDTH * dpi)
    gap = round(GAP * dpi)
    across = width - (legend_width + gap if beside else 0)
    down = round(across * ratio)
    if down > _TALLEST * width:
        down = round(_TALLEST * width)
        across = max(1, round(down / ratio))
    if max(1, down) * width > MOST_PX:
        raise ReviewError(
            f"The figure would have {down * width / 1e6:.0f} million pixels; at most "
            f"{MOST_PX // 10**6} are written. Choose fewer dpi or a smaller width."
        )
    down = max(1, down)
    if not has_legend:
        return Layout((across, down), (across, down), None, 1)
    columns = 1 if beside else max(1, int(width / dpi // LEGEND_WIDTH))
    body = -(-entries // columns) * ROW if isinstance(shown, CodeMap) else BAR
    legend_height = round((HEADER + body + notes * NOTE_LINE + 0.05) * dpi)
    if beside:
        size = (across + gap + legend_width, max(down, legend_height))
        return Layout(size, (across, down), (across + gap, 0, legend_width, legend_height), 1)
    place = (0, down + gap, width, legend_height)
    return Layout((max(across, width), down + gap + legend_height), (across, down), place, columns)
