"""Kaplan-Meier curves with the number of patients at risk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from napari_crlm_spa.core.report.cohort.figures import style
from napari_crlm_spa.core.report.cohort.numbers import known

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.lines import Line2D

#: The paper's steps of the time axis.
STEP_MONTHS = 12


@dataclass(frozen=True, slots=True, eq=False)
class CurvesDrawing:
    """What was drawn, for those who add to it (a cursor, a mark).

    Parameters
    ----------
    curves
        Axes of the curves: months and percent.
    risk
        Axes of the number at risk, if they were drawn.
    lines
        The curve of each group.
    """

    curves: Axes
    risk: Axes | None
    lines: Mapping[str, Line2D]


def draw_curves(
    place: Figure | SubFigure | Axes,
    km: pd.DataFrame,
    risk_table: pd.DataFrame | None = None,
    *,
    grouping: str | None = None,
    labels: Mapping[str, str] | None = None,
    looks: Mapping[str, style.Look] | None = None,
    intervals: bool = True,
    note: str = "",
    title: str = "",
    until_months: float | None = None,
    step_months: float = STEP_MONTHS,
    ylabel: str = "Overall survival (%)",
    legend: bool = True,
) -> CurvesDrawing:
    """Draw survival curves as steps, with bands, ticks at censorings and the number at risk.

    Parameters
    ----------
    place
        A figure (is filled; a constrained layout suits), or axes (curves only).
    km
        Table ``km``: group, time_months, n_censor, survival, lower95, upper95, one row a time, the
        first at time 0.
    risk_table
        Table ``risk_table``: group, time_months, n_risk. Without it, or within axes, none is drawn.
    grouping
        Takes the rows of this grouping only; all rows if None.
    labels
        What the legend calls a group; its name by default.
    looks
        Colors and line styles; `style.looks_of` by default.
    intervals
        Whether bands (pointwise 95 % intervals) are drawn.
    note
        Stands in the lower left corner, e.g. the log-rank p.
    until_months
        End of the axis; the longest follow-up by default.
    step_months
        Distance of the axis' ticks.
    legend
        Whether the groups are named above the curves.

    Returns
    -------
    CurvesDrawing
        Axes and lines.
    """
    km, risk_table = _of(km, grouping), _of(risk_table, grouping)
    groups = _groups(km)
    looks = looks or style.looks_of(grouping or "", groups)
    labels = labels or {}
    end = _end(km, risk_table, until_months, step_months)
    axes, below = _places(place, risk_table, groups)
    lines = {}
    for group in groups:
        rows = km[km["group"].astype(str) == group].sort_values("time_months", kind="stable")
        lines[group] = _curve(axes, rows, looks[group], labels.get(group, group), intervals)
    _dress(axes, end, step_months, ylabel)
    if legend and (len(groups) > 1 or labels):
        _legend(axes, title)
    elif title:
        axes.set_title(title, loc="left", fontsize=style.NORMAL, fontweight="bold", pad=4)
    if note:
        axes.text(0.02, 0.04, note, transform=axes.transAxes, size=style.NORMAL, va="bottom")
    if below is not None and risk_table is not None:
        _numbers(below, risk_table, groups, looks, labels, end, step_months)
    axes.set_xlabel("Months after resection")
    axes.tick_params(labelbottom=True)  # axes that share their x hide those of the upper one
    return CurvesDrawing(axes, below, lines)


def draw_kaplan_meier(
    km: pd.DataFrame, risk_table: pd.DataFrame | None = None, **choices: Any
) -> Figure:
    """Return a figure of `draw_curves`; the same arguments."""
    rows = len(_groups(_of(km, choices.get("grouping"))))
    has_risk = risk_table is not None and len(risk_table) > 0
    figure = style.new_figure(style.WIDE_IN, 3.5 + (0.35 + 0.2 * rows if has_risk else 0))
    draw_curves(figure, km, risk_table, **choices)
    return figure


def _of(table: Any, grouping: str | None) -> Any:
    if table is None or grouping is None or "grouping" not in table:
        return table
    return table[table["grouping"] == grouping]


def _groups(km: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(km["group"].astype(str)))


def _end(
    km: pd.DataFrame, risk_table: pd.DataFrame | None, until: float | None, step: float
) -> float:
    if until is not None:
        return until
    latest = km["time_months"].max() if len(km) else step
    latest = latest if known(latest) else step
    return float(max(step, step * np.ceil(latest / step)))


def _places(
    place: Figure | SubFigure | Axes, risk_table: pd.DataFrame | None, groups: Sequence[str]
) -> tuple[Axes, Axes | None]:
    if isinstance(place, Axes):
        return place, None
    if risk_table is None or not len(risk_table):
        return place.subplots(), None
    ratios = (3.1, 0.18 * (len(groups) + 0.4))
    upper, lower = place.subplots(2, 1, sharex=True, height_ratios=ratios)
    return upper, lower


def _curve(axes: Axes, rows: pd.DataFrame, look: style.Look, label: str, band: bool) -> Line2D:
    time, share = rows["time_months"].to_numpy(float), 100 * rows["survival"].to_numpy(float)
    (line,) = axes.step(
        time, share, where="post", color=look.color, linestyle=look.dashes, linewidth=1.6,
        label=label, solid_capstyle="butt",
    )  # fmt: skip
    if band and {"lower95", "upper95"} <= set(rows.columns):
        low, high = (100 * rows[each].to_numpy(float) for each in ("lower95", "upper95"))
        axes.fill_between(time, low, high, step="post", color=look.color, alpha=0.13, linewidth=0)
    if "n_censor" in rows:
        gone = rows["n_censor"].to_numpy(float) > 0
        axes.plot(
            time[gone], share[gone], linestyle="", marker="|", markersize=4.5,
            markeredgewidth=0.8, color=look.color, alpha=0.75,
        )  # fmt: skip
    return line


def _dress(axes: Axes, end: float, step: float, ylabel: str) -> None:
    style.tidy(axes, grid="y")
    axes.set_xlim(-0.012 * end, end * 1.012)
    axes.set_xticks(_ticks(end, step))
    axes.set_ylim(0, 102)
    axes.set_yticks(range(0, 101, 20))
    axes.set_ylabel(ylabel)


def _ticks(end: float, step: float) -> np.ndarray:
    every = step
    while end / every > 12:
        every *= 2
    return np.arange(0, end + step / 1e6, every)


def _legend(axes: Axes, title: str) -> None:
    axes.legend(
        title=title or None, alignment="left", loc="lower left", bbox_to_anchor=(-0.01, 1.0),
        frameon=False, fontsize=style.NORMAL, handlelength=3, borderpad=0.2, labelspacing=0.25,
        title_fontproperties={"size": style.NORMAL, "weight": "bold"},
    )  # fmt: skip


def _numbers(
    axes: Axes,
    table: pd.DataFrame,
    groups: Sequence[str],
    looks: Mapping[str, style.Look],
    labels: Mapping[str, str],
    end: float,
    step: float,
) -> None:
    shown = set(np.round(_ticks(end, step), 6))
    for row in table.to_dict("records"):
        group, time, count = str(row["group"]), float(row["time_months"]), row["n_risk"]
        if group in looks and round(time, 6) in shown and known(count):
            axes.text(time, groups.index(group), f"{count:.0f}", ha="center", va="center",
                      size=style.SMALL, color=style.INK)  # fmt: skip
    axes.set_ylim(len(groups) - 0.5, -0.5)
    names = [labels.get(group, group).split(" (")[0] for group in groups]
    axes.set_yticks(range(len(groups)), names, parse_math=False)
    for tick, group in zip(axes.get_yticklabels(), groups, strict=True):
        tick.set_color(style.as_ink(looks[group].color))
        tick.set_fontweight("bold")
    axes.tick_params(labelsize=style.SMALL, length=0, pad=14)
    axes.spines[:].set_visible(False)
    axes.set_xticks(_ticks(end, step))
    axes.tick_params(axis="x", labelbottom=False)
    axes.set_title("Number at risk", loc="left", fontsize=style.SMALL, color=style.QUIET, pad=3)
