"""The tissue map as a picture: the slide, the map upon it, and the map with its legend."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from napari_crlm_spa.core.files import atomic_path
from napari_crlm_spa.core.report import words
from napari_crlm_spa.core.report.contents import SlideReport, state_rows, tissue_rows
from napari_crlm_spa.core.report.rasters import class_raster, overlay_raster, slide_picture
from napari_crlm_spa.core.risk import RESEARCH_USE_ONLY

OVERLAY_OPACITY = 0.5
_DPI = 130
#: Of 9; with 6 a picture of tissue gets 3 % smaller in 1.6 times the time.
_COMPRESSION = 3
_PANEL_IN, _TALLEST_IN = 4.7, 7.0
_LEGEND_IN, _GAP_IN, _HEAD_IN, _FOOT_IN = 3.3, 0.22, 0.95, 0.42
_ROW_IN = 0.37
_INK, _QUIET = "#202020", "#6a6a6a"


def write_tissue_map_png(path: Path, report: SlideReport) -> None:
    """Write the tissue map beside the slide as a PNG.

    Parameters
    ----------
    path
        The file; it is replaced when the new one is complete.
    report
        Its slide, tissue map, thumbnail and, for the shares, features.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    figure = draw_tissue_map(report)
    with atomic_path(path) as temporary, warnings.catch_warnings():
        # The font may lack a letter of a slide's name; a box is drawn in its place.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        canvas = FigureCanvasAgg(figure)
        canvas.draw()  # type: ignore[no-untyped-call]
        drawn = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
        picture = Image.fromarray(drawn[..., :3].copy())
        picture.save(temporary, "png", dpi=(_DPI, _DPI), compress_level=_COMPRESSION)


def draw_tissue_map(report: SlideReport) -> Figure:
    """Draw the three panels (axes 0-2) and the legend (axis 3)."""
    rows, cols = report.tissue_map.shape
    legend_rows = len(tissue_rows(report)) + len(state_rows(report.tissue_map)) + 2
    aspect = rows / cols
    width = min(_PANEL_IN, _TALLEST_IN / aspect)
    height = max(width * aspect, legend_rows * _ROW_IN)
    total = (3 * (width + _GAP_IN) + 2 * _GAP_IN + _LEGEND_IN, height + _HEAD_IN + _FOOT_IN)
    figure = Figure(figsize=total, dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    size_px = (max(1, round(width * _DPI)), max(1, round(width * aspect * _DPI)))
    for number, (title, picture) in enumerate(_pictures(report, size_px).items()):
        left = _GAP_IN + number * (width + _GAP_IN)
        bottom = _FOOT_IN + height - width * aspect
        # At their size on the page: matplotlib would resample in floating point.
        at_px = (round(left * _DPI), round(bottom * _DPI))
        figure.figimage(np.asarray(picture), *at_px, origin="upper", zorder=-1)
        axes = _panel(figure, (left, bottom, width, width * aspect), title)
        axes.set_facecolor("none")
        axes.set_xlim(0, cols)
        axes.set_ylim(rows, 0)
        _scale_bar(axes, cols, rows, report.tissue_map.stride_um)
    _legend(figure, report, (3 * (width + _GAP_IN) + _GAP_IN, _FOOT_IN, _LEGEND_IN, height))
    _words_around(figure, report)
    return figure


def _pictures(report: SlideReport, size_px: tuple[int, int]) -> dict[str, Image.Image]:
    """Slide, map upon it, and map, by their titles; all of one size (width, height)."""
    slide = Image.fromarray(slide_picture(report)).resize(
        size_px, Image.Resampling.LANCZOS, reducing_gap=2.0
    )
    tissue, overlay = (
        Image.fromarray(raster(report.tissue_map)).resize(size_px, Image.Resampling.NEAREST)
        for raster in (class_raster, overlay_raster)
    )
    opacity = overlay.getchannel("A").point(lambda alpha: alpha * OVERLAY_OPACITY)
    upon = Image.composite(overlay.convert("RGB"), slide, opacity)
    return {"Slide": slide, "Tissue map on the slide": upon, "Tissue map": tissue}


def _panel(figure: Figure, box_in: tuple[float, float, float, float], title: str) -> Axes:
    width, height = figure.get_size_inches()
    left, bottom, wide, high = box_in
    axes = figure.add_axes((left / width, bottom / height, wide / width, high / height))
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color("#c8c8c8")
    axes.set_title(title, fontsize=10, color=_QUIET, loc="left", pad=4)
    return axes


def _scale_bar(axes: Axes, cols: int, rows: int, stride_um: float) -> None:
    bar_um = words.scale_bar_um(cols * stride_um)
    bar, margin, thick = bar_um / stride_um, 0.025 * cols, 0.008 * max(rows, cols)
    left, top = margin, rows - margin - thick
    axes.add_patch(
        Rectangle((left, top), bar, thick, facecolor=_INK, edgecolor="white", linewidth=0.6)
    )
    axes.text(
        left + bar / 2,
        top - 0.3 * thick,
        words.length(bar_um),
        ha="center",
        va="bottom",
        fontsize=8,
        color=_INK,
        bbox={"facecolor": "white", "alpha": 0.7, "pad": 1, "linewidth": 0},
    )


def _legend(figure: Figure, report: SlideReport, box_in: tuple[float, float, float, float]) -> None:
    axes = _panel(figure, box_in, "")
    axes.axis("off")
    high = box_in[3] / _ROW_IN
    axes.set_xlim(0, 10)
    axes.set_ylim(high, 0)
    axes.text(1.1, 0.35, "Tissue", fontsize=9, color=_QUIET, va="center")
    axes.text(9.9, 0.35, "% of tissue", fontsize=9, color=_QUIET, va="center", ha="right")
    entries = [
        (
            row.color,
            row.title,
            f"{row.name}: {words.count(row.tiles)} tiles, {words.area(row.mm2)}",
            words.percent(row.share),
        )
        for row in tissue_rows(report)
    ]
    entries += [
        (row.color, row.title, f"{words.count(row.tiles)} tiles, {words.area(row.mm2)}", "")
        for row in state_rows(report.tissue_map)
    ]
    for place, (color, title, amount, share) in enumerate(entries, start=1):
        y = place + 0.25
        patch = Rectangle((0, y - 0.3), 0.75, 0.6, facecolor=color, edgecolor="#9a9a9a")
        patch.set_linewidth(0.6)
        axes.add_patch(patch)
        axes.text(1.1, y - 0.18, title, fontsize=9.5, color=_INK, va="center")
        axes.text(1.1, y + 0.22, amount, fontsize=7.5, color=_QUIET, va="center")
        axes.text(9.9, y, share, fontsize=10, color=_INK, va="center", ha="right")


def _words_around(figure: Figure, report: SlideReport) -> None:
    width, height = figure.get_size_inches()
    left = _GAP_IN / width
    figure.text(
        left,
        1 - 0.24 / height,
        words.shortened(report.name),
        fontsize=13,
        weight="bold",
        color=_INK,
        va="center",
        parse_math=False,
    )
    rows, cols = report.tissue_map.shape
    size = report.info.known_pixel_size()
    facts = [
        f"{cols} x {rows} tiles of {words.length(report.tissue_map.stride_um)}",
        f"pixel size {size.mpp:.4g} µm ({size.source})",
    ]
    if report.card is not None:
        facts.append(f"classifier {report.card.name}, version {report.card.version}")
    figure.text(
        left,
        1 - 0.50 / height,
        words.shortened(" · ".join(facts), 180),
        fontsize=8.5,
        color=_QUIET,
        va="center",
        parse_math=False,
    )
    figure.text(
        left,
        0.2 / height,
        RESEARCH_USE_ONLY,
        fontsize=9,
        color="#a02020",
        va="center",
        weight="bold",
    )
