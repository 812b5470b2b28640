"""Forest plots: hazard ratios with intervals on a log scale, words at left, numbers at right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.textpath import TextPath
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

from napari_crlm_spa.core.report.cohort import numbers
from napari_crlm_spa.core.report.cohort.figures import style
from napari_crlm_spa.core.report.words import shortened

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW_IN, _GAP_IN, _EDGE_IN, _HEAD_IN, _FOOT_IN = 0.205, 0.17, 0.08, 0.3, 0.52
#: Intervals that reach beyond these hazard ratios end in an arrow.
_LEAST, _MOST = 1 / 16, 16
_TICKS = (1 / 16, 1 / 8, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 16)
_TICK_WORDS = {1 / 16: "1/16", 1 / 8: "1/8"}


@dataclass(frozen=True, slots=True)
class ForestRow:
    """A row of a forest plot; a heading has no numbers.

    Parameters
    ----------
    label
        Stands at left.
    hr, low, high
        Hazard ratio and its 95 % interval; NaN if there is none.
    left, right
        Further cells between label and plot, and right of the plot.
    """

    label: str
    hr: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    left: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    heading: bool = False


def draw_forest(
    rows: Sequence[ForestRow],
    *,
    left_heads: Sequence[str],
    right_heads: Sequence[str],
    axis: str = "Hazard ratio (log scale)",
) -> Figure:
    """Draw a forest plot.

    Parameters
    ----------
    rows
        From top to bottom.
    left_heads, right_heads
        Heads of the columns at left (the label's first) and at right of the plot.
    axis
        Name of the horizontal axis.
    """
    labels = [("" if r.heading or r.label == "" else " ") + shortened(r.label, 44) for r in rows]
    left = [[lab, *r.left] for lab, r in zip(labels, rows, strict=True)]
    right = [list(r.right) for r in rows]
    left_in = _widths([list(left_heads), *left])
    right_in = _widths([list(right_heads), *right])
    spent = sum(left_in) + sum(right_in) + _GAP_IN * (len(left_in) + len(right_in)) + 2 * _EDGE_IN
    width = max(style.FULL_IN, spent + 1.9)
    height = _HEAD_IN + _ROW_IN * len(rows) + _FOOT_IN
    figure = style.new_figure(width, height)
    figure.set_layout_engine("none")
    start = _EDGE_IN + sum(left_in) + _GAP_IN * len(left_in)
    axes = figure.add_axes(
        (start / width, _FOOT_IN / height, (width - spent) / width, _ROW_IN * len(rows) / height)
    )
    _plot(axes, rows, axis)
    _columns(axes, width, _EDGE_IN, left_in, left_heads, left, rows, "left")
    _columns(axes, width, start + width - spent + _GAP_IN, right_in, right_heads, right, rows,
             "right")  # fmt: skip
    return figure


def draw_univariate(table: pd.DataFrame) -> Figure:
    """Forest plot of the table ``univariate``: spatial features, then clinical factors."""
    rows: list[ForestRow] = []
    for kind, heading in (("sof", "Spatial organization features"), ("clinical", "Clinical")):
        some = table[table["kind"] == kind] if "kind" in table else table
        if len(some):
            rows.append(ForestRow(heading, heading=True))
            rows += [_row(each, ("p_lrt", "p_fdr"), counts=True) for each in _dicts(some)]
    return draw_forest(
        rows,
        left_heads=("", "Deaths/n"),
        right_heads=("HR (95 % CI)", "p (LRT)", "p (FDR)"),
    )


def draw_coefficients(table: pd.DataFrame, models: pd.DataFrame | None = None) -> Figure:
    """Forest plot of rows of the table ``coefficients`` (of one model, or of several)."""
    rows: list[ForestRow] = []
    titles = _titles(models)
    several = table["model"].nunique() > 1
    for model, some in table.groupby("model", sort=False):
        if several:
            rows.append(ForestRow(titles.get(str(model), str(model)), heading=True))
        rows += [_row(each, ("p_wald",)) for each in _dicts(some)]
    return draw_forest(rows, left_heads=("",), right_heads=("HR (95 % CI)", "p (Wald)"))


def draw_adjuvant(table: pd.DataFrame) -> Figure:
    """Forest plot of the table ``adjuvant``: chemotherapy against none, inside risk groups."""
    words = {"all": "All patients", "no": "Not pretreated", "yes": "Pretreated"}
    groups = {"all": "both risk groups", "low": "low risk", "high": "high risk"}
    rows: list[ForestRow] = []
    for pretreated, some in table.groupby("pretreated", sort=False):
        rows.append(ForestRow(words.get(str(pretreated), str(pretreated)), heading=True))
        for each in _dicts(some):
            cells = tuple(
                f"{numbers.whole(each.get(f'events_{arm}', np.nan))}/"
                f"{numbers.whole(each.get(f'n_{arm}', np.nan))}"
                for arm in ("with", "without")
            )
            each["label"] = groups.get(str(each["sof_group"]), str(each["sof_group"]))
            rows.append(_row(each, ("p",), left=cells))
    return draw_forest(
        rows,
        left_heads=("", "Chemo", "None"),
        right_heads=("HR (95 % CI)", "p (log-rank)"),
        axis="Hazard ratio, adjuvant chemotherapy against none (log scale)",
    )


def _row(
    each: dict[str, Any],
    p_columns: Iterable[str],
    *,
    counts: bool = False,
    left: tuple[str, ...] = (),
) -> ForestRow:
    hr, low, high = (float(each.get(k, np.nan)) for k in ("hr", "hr_lower95", "hr_upper95"))
    if counts:
        left = (
            f"{numbers.whole(each.get('events', np.nan))}/{numbers.whole(each.get('n', np.nan))}",
        )
    cells = [numbers.p_value(float(each.get(p, np.nan))) for p in p_columns]
    return ForestRow(
        str(each["label"]), hr, low, high, left, (numbers.ratio(hr, low, high), *cells)
    )


def _dicts(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def _titles(models: pd.DataFrame | None) -> dict[str, str]:
    if models is None or not {"model", "label"} <= set(models.columns):
        return {}
    return dict(zip(models["model"].astype(str), models["label"].astype(str), strict=True))


def _widths(lines: Sequence[Sequence[str]]) -> list[float]:
    """Return the width of each column in inches, measured with the letters of the figure."""
    columns = max(map(len, lines))
    return [max(_width(line[i]) for line in lines if i < len(line)) for i in range(columns)]


@cache
def _width(text: str) -> float:
    if not text.strip():
        return 0.0
    return (
        float(TextPath((0, 0), text, size=style.NORMAL, usetex=False).get_extents().x1) / 72 + 0.04
    )


def _plot(axes: Axes, rows: Sequence[ForestRow], axis: str) -> None:
    ends = [e for r in rows for e in (r.hr, r.low, r.high) if numbers.known(e) and 0 < e < np.inf]
    left = min(0.5, max(_LEAST, min(ends, default=0.5) / 1.08))
    right = max(2.0, min(_MOST, max(ends, default=2.0) * 1.08))
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    for y, row in enumerate(rows):
        if y % 2 and not row.heading:
            axes.axhspan(y - 0.5, y + 0.5, color="#f5f6f8", linewidth=0, zorder=0)
        if numbers.known(row.hr) and row.hr > 0:
            _mark(axes, y, row, left, right)
    axes.axvline(1, color=style.QUIET, linewidth=0.9, zorder=1)
    ticks = _ticks(left, right)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xticklabels([_TICK_WORDS.get(t, f"{t:g}") for t in ticks])
    axes.set_yticks([])
    style.tidy(axes)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(axis)


def _ticks(left: float, right: float) -> list[float]:
    """Return at most six ticks, 1 among them."""
    ticks = [t for t in _TICKS if left <= t <= right]
    if len(ticks) > 6:
        ticks = [t for t in ticks if t in (1 / 16, 0.25, 0.5, 1, 2, 4, 8, 16)]
    return ticks


def _mark(axes: Axes, y: int, row: ForestRow, left: float, right: float) -> None:
    sure = numbers.known(row.low) and (row.low > 1 or row.high < 1)
    color = style.BLUE if sure else style.QUIET
    if numbers.known(row.low) and numbers.known(row.high):
        axes.plot(
            [max(row.low, left), min(row.high, right)], [y, y], color=color, linewidth=1.3,
            zorder=2, solid_capstyle="butt",
        )  # fmt: skip
        for beyond, end, arrow in (
            (row.low < left, left, "<"), (row.high > right, right, ">"),
        ):  # fmt: skip
            if beyond:
                axes.plot([end], [y], arrow, color=color, markersize=4.5, clip_on=False, zorder=3)
    if left <= row.hr <= right:
        axes.plot(
            [row.hr], [y], "s", markersize=5.2, markeredgecolor=color, markeredgewidth=1.1,
            markerfacecolor=color if sure else "white", zorder=4,
        )  # fmt: skip


def _columns(
    axes: Axes,
    width: float,
    start_in: float,
    widths_in: Sequence[float],
    heads: Sequence[str],
    lines: Sequence[Sequence[str]],
    rows: Sequence[ForestRow],
    side: str,
) -> None:
    """Write columns of text beside the plot; the first at left is flush left, others right."""
    place = axes.figure.transFigure, axes.transData
    from matplotlib.transforms import blended_transform_factory

    transform = blended_transform_factory(*place)
    x = start_in
    for i, wide in enumerate(widths_in):
        flush = side == "left" and i == 0
        where, align = (x, "left") if flush else (x + wide, "right")
        common: dict[str, Any] = {
            "transform": transform, "va": "center_baseline", "ha": align, "fontsize": style.NORMAL,
            "parse_math": False, "clip_on": False,
        }  # fmt: skip
        if heads[i]:
            axes.text(where / width, -1.05, heads[i], color=style.QUIET, **common)
        for y, (line, row) in enumerate(zip(lines, rows, strict=True)):
            if i < len(line) and line[i]:
                weight = "bold" if row.heading else "normal"
                axes.text(where / width, y, line[i], color=style.INK, fontweight=weight, **common)
        x += wide + _GAP_IN
