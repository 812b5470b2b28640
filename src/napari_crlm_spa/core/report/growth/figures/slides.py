"""Slides as points: measured against reviewed share, calibration, markers against the review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.core.hgp.columns import CHEMO, PCT_D, PCT_NON_D, RIM_MEDIAN_UM
from napari_crlm_spa.core.hgp.consensus import reviewed
from napari_crlm_spa.core.report.cohort import numbers
from napari_crlm_spa.core.report.cohort.figures import style
from napari_crlm_spa.core.report.growth.rows import number, with_interval
from napari_crlm_spa.core.report.growth.words import MARKERS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CELL_IN = (3.55, 3.35)
#: Marker and color by pretreatment; each alone tells them apart.
_LOOKS: tuple[tuple[str, float | None, str, str], ...] = (
    ("chemotherapy-na\u00efve", 0.0, "o", style.BLUE),
    ("pretreated", 1.0, "^", style.ORANGE),
    ("pretreatment unknown", None, "s", "#6a737c"),
)
#: Area of a slide's mark and of the largest one, in square points.
_MARK, _LARGEST = 13.0, 240.0


def draw_measured(slides: pd.DataFrame, agreement: Mapping[str, Any]) -> Figure:
    """Draw measured against reviewed desmoplastic share, and their difference.

    Parameters
    ----------
    slides
        Table ``slides``.
    agreement
        Row of the table ``agreement`` of all slides; may be empty.
    """
    figure, (scatter, apart) = style.panels(2, 2, _CELL_IN)
    x = slides[PCT_D].to_numpy(float)
    y = slides[reviewed(PCT_D)].to_numpy(float)
    _identity(scatter)
    _line(scatter, agreement)
    _points(scatter, x, y, slides)
    _percents(scatter, "Measured desmoplastic (%)", "Reviewed desmoplastic (%)")
    _legend(scatter, "upper left")
    _said(scatter, [_statistic("ICC", agreement, "icc", 2)], (0.98, 0.03), "right")
    _bland_altman(apart, (x + y) / 2, x - y, slides, agreement)
    return figure


def _bland_altman(
    axes: Axes, middle: Floats, difference: Floats, slides: pd.DataFrame, row: Mapping[str, Any]
) -> None:
    """Draw differences with bias and limits, each with its interval as a band."""
    for name, low, high, dashes in (
        ("bias", "bias_lower", "bias_upper", "-"),
        ("low_limit", "low_lower", "low_upper", (0, (5, 2))),
        ("high_limit", "high_lower", "high_upper", (0, (5, 2))),
    ):
        value, lower, upper = (number(row, each) for each in (name, low, high))
        if not np.isfinite(value):
            continue
        if np.isfinite([lower, upper]).all():
            axes.axhspan(lower, upper, color="#e3e8ed", linewidth=0, zorder=0)
        axes.axhline(value, color=style.INK, linewidth=0.9, linestyle=dashes, zorder=1)
        axes.annotate(numbers.fixed(value, 1), (1.01, value), xycoords=("axes fraction", "data"),
                      va="center", fontsize=style.SMALL, annotation_clip=False)  # fmt: skip
    axes.axhline(0, color=style.FAINT, linewidth=0.9, zorder=0)
    _points(axes, middle, difference, slides)
    known = np.abs(difference[np.isfinite(difference)])
    most = max(10.0, float(known.max(initial=0)), *(
        abs(number(row, each)) for each in ("low_lower", "high_upper")
        if np.isfinite(number(row, each))
    ))  # fmt: skip
    axes.set(xlim=(-3, 103), ylim=(-1.1 * most, 1.1 * most))
    axes.set(xlabel="Mean of measured and reviewed (%)", ylabel="Measured \u2212 reviewed (points)")
    style.tidy(axes)


def draw_calibration(table: pd.DataFrame) -> Figure:
    """Draw the table ``calibration`` of one stratum: reviewed share, and share of strict D."""
    figure, (mean, called) = style.panels(2, 2, _CELL_IN)
    table = table.sort_values("measured_mean")
    x = table["measured_mean"].to_numpy(float)
    _identity(mean)
    _errors(mean, x, *(table[f"reviewed_{each}"].to_numpy(float)
                       for each in ("mean", "lower", "upper")))  # fmt: skip
    _percents(mean, "Measured desmoplastic, mean of the group (%)", "Reviewed desmoplastic (%)")
    _errors(called, x, *(100 * table[f"share_d{each}"].to_numpy(float)
                         for each in ("", "_lower", "_upper")))  # fmt: skip
    _percents(called, "Measured desmoplastic, mean of the group (%)",
              "Slides that readers call D, strict rule (%)")  # fmt: skip
    return figure


def draw_markers(
    slides: pd.DataFrame, markers: Sequence[str], rho: Mapping[str, tuple[float, float, float]]
) -> Figure:
    """Draw each marker against the reviewed non-desmoplastic share.

    Parameters
    ----------
    slides
        Table ``slides``.
    markers
        Its columns.
    rho
        Spearman's rho with its interval, by marker.
    """
    figure, places = style.panels(len(markers), 2, (3.55, 2.9))
    y = slides[reviewed(PCT_NON_D)].to_numpy(float)
    for i, (axes, marker) in enumerate(zip(places, markers, strict=True)):
        x = slides[marker].to_numpy(float)
        _points(axes, x, y, slides)
        unit = " (\u00b5m)" if marker == RIM_MEDIAN_UM else " (%)" if "pct" in marker else ""
        axes.set(xlabel=MARKERS.get(marker, marker) + unit, ylim=(-4, 104))
        axes.set_ylabel("Reviewed non-desmoplastic (%)" if i % 2 == 0 else "")
        value = rho.get(marker)
        if value is not None and np.isfinite(value[0]):
            title = f"\u03c1 = {numbers.interval(*value, 2)}"
            axes.set_title(title, loc="left", fontsize=style.NORMAL, parse_math=False)
        if i == 0:
            _legend(axes, "lower right")
        style.tidy(axes)
    return figure


def _points(axes: Axes, x: Floats, y: Floats, slides: pd.DataFrame) -> None:
    """Draw slides; those at the same place are one larger mark."""
    chemo = (
        slides[CHEMO].to_numpy(float) if CHEMO in slides else np.full(len(slides), np.nan)
    )  # fmt: skip
    known = np.isfinite(x) & np.isfinite(y)
    for label, value, marker, color in _LOOKS:
        mine = known & (np.isnan(chemo) if value is None else chemo == value)
        if not mine.any():
            continue
        places, count = _coinciding(x[mine], y[mine])
        area = _MARK * count
        area = np.minimum(area * min(1.0, _LARGEST / area.max()), _LARGEST)
        axes.scatter(
            places[:, 0], places[:, 1], s=np.maximum(area, _MARK), marker=marker, c=color,
            alpha=0.45, linewidths=0.6, edgecolors=color, label=label, zorder=3, clip_on=False,
        )  # fmt: skip


def _coinciding(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return places, shape (m, 2), and how many points are there (to a thousandth of the range)."""
    pair = np.column_stack([x, y])
    step = np.maximum(np.ptp(pair, axis=0), 1e-12) / 1000
    _, first, count = np.unique(
        np.round(pair / step), axis=0, return_index=True, return_counts=True
    )
    return pair[first], count.astype(np.float64)


def _errors(axes: Axes, x: Floats, y: Floats, low: Floats, high: Floats) -> None:
    """Draw groups with intervals, which end where shares do."""
    reach = np.stack([y - np.clip(low, 0, 100), np.clip(high, 0, 100) - y])
    axes.errorbar(
        x, y, np.maximum(np.nan_to_num(reach), 0), color=style.BLUE, marker="o", markersize=4.5,
        linewidth=1, elinewidth=0.9, capsize=2, zorder=3,
    )  # fmt: skip


def _identity(axes: Axes) -> None:
    axes.plot([0, 100], [0, 100], color=style.FAINT, linewidth=1, zorder=0)


def _line(axes: Axes, row: Mapping[str, Any]) -> None:
    """Draw the line of calibration where it is a share."""
    start, slope = (number(row, f"calibration_{each}") for each in ("intercept", "slope"))
    if np.isfinite([start, slope]).all():
        x = np.linspace(0, 100, 201)
        y = start + slope * x
        y[(y < 0) | (y > 100)] = np.nan
        axes.plot(x, y, color=style.INK, linewidth=1.1, linestyle=(0, (5, 2)), zorder=1)


def _percents(axes: Axes, x: str, y: str) -> None:
    axes.set(xlim=(-3, 103), ylim=(-3, 103), xlabel=x, ylabel=y)
    axes.set_aspect("equal")
    style.tidy(axes)


def _statistic(name: str, row: Mapping[str, Any], column: str, digits: int) -> str:
    value = with_interval(row, column, f"{column}_")
    return f"{name} {numbers.interval(*value, digits)}" if np.isfinite(value[0]) else ""


def _said(axes: Axes, lines: Sequence[str], place: tuple[float, float], align: str) -> None:
    axes.text(*place, "\n".join(filter(None, lines)), transform=axes.transAxes, va="bottom",
              ha=align, fontsize=style.SMALL, parse_math=False)  # fmt: skip


def _legend(axes: Axes, where: Any) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        legend = axes.legend(handles, labels, loc=where, frameon=True, framealpha=0.8,
                             edgecolor="none", fontsize=style.SMALL, labelspacing=0.3)  # fmt: skip
        for handle in legend.legend_handles:
            if handle is not None and hasattr(handle, "set_sizes"):
                handle.set_sizes([18.0])
