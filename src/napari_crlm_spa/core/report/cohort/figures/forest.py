"""Forest plots: numbers with intervals on a scale, words at left, numbers at right."""

from __future__ import annotations

import math
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
_TICK_WORDS = {1 / 16: "1/16", 1 / 8: "1/8"}


@dataclass(frozen=True, slots=True)
class Scale:
    """The horizontal axis of a forest plot.

    Parameters
    ----------
    least, most
        Intervals that reach beyond end in an arrow.
    always
        What the axis reaches over in any case: its lower and upper end.
    ticks
        Where ticks may stand on a scale of ratios; `coarse` ones if there are more than six.
    neutral
        What says nothing: 1 of a ratio, 0 of a difference or a correlation.
    log
        Whether it is a scale of ratios.
    """

    least: float
    most: float
    always: tuple[float, float]
    ticks: tuple[float, ...] = ()
    coarse: tuple[float, ...] = ()
    neutral: float = 0.0
    log: bool = False

    def limits(self, ends: Sequence[float]) -> tuple[float, float]:
        """Return both ends of the axis for numbers that are to be seen on it."""
        low, high = (f(ends, default=a) for f, a in zip((min, max), self.always, strict=True))
        if self.log:
            low, high = low / 1.08, high * 1.08
        low = min(self.always[0], max(self.least, low))
        high = max(self.always[1], min(self.most, high))
        # A mark at the end of a scale that goes no further, such as a kappa of 1, is seen whole.
        edge = 0.0 if self.log else 0.03 * (high - low)
        return low - edge, high + edge

    def ticks_within(self, left: float, right: float) -> list[float]:
        """Return the ticks of an axis with these ends, six at most."""
        if not self.log:
            steps = (base * 10.0**power for power in (-2, -1, 0, 1) for base in (1, 2, 2.5, 5))
            step = next(each for each in steps if (right - left) / each < 6)
            first, last = math.ceil(left / step), math.floor(right / step)
            return [round(i * step, 3) for i in range(first, last + 1)]
        ticks = [t for t in self.ticks if left <= t <= right]
        return [t for t in ticks if t in self.coarse] if len(ticks) > 6 else ticks


RATIO = Scale(
    least=1 / 16, most=16, always=(0.5, 2.0), neutral=1.0, log=True,
    ticks=(1 / 16, 1 / 8, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 16),
    coarse=(1 / 16, 0.25, 0.5, 1, 2, 4, 8, 16),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ForestRow:
    """A row of a forest plot; a heading has no numbers.

    Parameters
    ----------
    label
        Stands at left.
    value, low, high
        A number and its interval; NaN if there is none.
    left, right
        Further cells between label and plot, and right of the plot.
    outer
        Ends of a second, thinner line: limits of agreement.
    """

    label: str
    value: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    left: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    heading: bool = False
    outer: tuple[float, float] = (float("nan"), float("nan"))


def draw_forest(
    rows: Sequence[ForestRow],
    *,
    left_heads: Sequence[str],
    right_heads: Sequence[str],
    axis: str = "Hazard ratio (log scale)",
    scale: Scale = RATIO,
) -> Figure:
    """Draw a forest plot.

    Parameters
    ----------
    rows
        From top to bottom.
    left_heads, right_heads
        Heads of the columns at left (the label's first) and at right of the plot.
    axis, scale
        Name of the horizontal axis, and what it is.
    """
    labels = [
        shortened(r.label, 100) if r.heading or not r.label else f" {shortened(r.label, 44)}"
        for r in rows
    ]
    left = [[lab, *r.left] for lab, r in zip(labels, rows, strict=True)]
    right = [list(r.right) for r in rows]
    # A heading may reach into the plot, where its row is empty.
    of_rows = [line for line, r in zip(left, rows, strict=True) if not r.heading]
    left_in = _widths([list(left_heads), *of_rows])
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
    _plot(axes, rows, axis, scale)
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


def _plot(axes: Axes, rows: Sequence[ForestRow], axis: str, scale: Scale) -> None:
    ends = [
        end
        for row in rows
        for end in (row.value, row.low, row.high, *row.outer)
        if np.isfinite(end) and (end > 0 or not scale.log)
    ]
    left, right = scale.limits(ends)
    if scale.log:
        axes.set_xscale("log")
    axes.set_xlim(left, right)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    for y, row in enumerate(rows):
        if y % 2 and not row.heading:
            axes.axhspan(y - 0.5, y + 0.5, color="#f5f6f8", linewidth=0, zorder=0)
        if numbers.known(row.value) and (row.value > 0 or not scale.log):
            _mark(axes, y, row, (left, right), scale.neutral)
    axes.axvline(scale.neutral, color=style.QUIET, linewidth=0.9, zorder=1)
    ticks = scale.ticks_within(left, right)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    words = (_TICK_WORDS.get(t, f"{t:g}".replace("-", "\u2212")) for t in ticks)
    axes.set_xticklabels(list(words))
    axes.set_yticks([])
    style.tidy(axes)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(axis)


def _mark(axes: Axes, y: int, row: ForestRow, ends: tuple[float, float], neutral: float) -> None:
    left, right = ends
    sure = numbers.known(row.low) and (row.low > neutral or row.high < neutral)
    color = style.BLUE if sure else style.QUIET
    if all(map(numbers.known, row.outer)):
        axes.plot(
            np.clip(row.outer, left, right), [y, y], "|-", color=style.QUIET, linewidth=0.7,
            markersize=6, markeredgewidth=0.9, zorder=2,
        )  # fmt: skip
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
    if left <= row.value <= right:
        axes.plot(
            [row.value], [y], "s", markersize=5.2, markeredgecolor=color, markeredgewidth=1.1,
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
                own: dict[str, Any] = {}
                if row.heading:  # may lie on the plot's neutral line
                    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
                    own = {"fontweight": "bold", "bbox": box}
                axes.text(where / width, y, line[i], color=style.INK, **own, **common)
        x += wide + _GAP_IN
