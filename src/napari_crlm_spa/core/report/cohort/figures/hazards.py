"""Schoenfeld residuals: whether the effect of a term changes over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_crlm_spa.core.cohort.columns import label_of
from napari_crlm_spa.core.report.cohort import numbers
from napari_crlm_spa.core.report.cohort.figures import style
from napari_crlm_spa.core.report.words import shortened

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Up to so many terms stand in two columns, more in three.
_FEW = 4
_CELL_IN, _SMALL_IN = (3.5, 2.35), (2.37, 1.9)
_MONTHS = (1, 3, 6, 12, 24, 36, 48, 60, 84, 120, 180)


def draw_schoenfeld(
    residuals: pd.DataFrame,
    smooth: pd.DataFrame | None = None,
    coefficients: pd.DataFrame | None = None,
    tests: pd.DataFrame | None = None,
) -> Figure:
    """Draw scaled Schoenfeld residuals over (transformed) time, one panel a term.

    Parameters
    ----------
    residuals, smooth
        Rows of one model of the tables ``schoenfeld`` and ``schoenfeld_smooth``. The horizontal
        axis is the transformed time of the test, labeled in months.
    coefficients, tests
        Rows of the same model of ``coefficients`` (the dashed line: what the model assumes) and
        ``ph_test`` (p in the corner).
    """
    columns = list(dict.fromkeys(residuals["column"]))
    many = len(columns) > _FEW
    figure, places = style.panels(len(columns), 3 if many else 2, _SMALL_IN if many else _CELL_IN)
    labels = _lookup(coefficients, "column", "label")
    for axes, column in zip(places, columns, strict=True):
        rows = residuals[residuals["column"] == column].sort_values("time_months", kind="stable")
        rows = rows[np.isfinite(rows["residual"].to_numpy(float))]
        scale = _Scale(rows)
        axes.plot(scale(rows["time_months"]), rows["residual"], ".", color=style.FAINT,
                  markersize=3)  # fmt: skip
        if smooth is not None:
            _smooth(axes, smooth[smooth["column"] == column], scale)
        coef = _lookup(coefficients, "column", "coef").get(_plain(column))
        axes.axhline(0, color=style.QUIET, linewidth=0.8)
        if coef is not None and numbers.known(coef):
            axes.axhline(coef, color=style.ORANGE, linewidth=1.1, linestyle=(0, (4, 2)))
        _limits(axes, rows["residual"].to_numpy(float))
        scale.label(axes)
        style.tidy(axes)
        name = labels.get(_plain(column), label_of(str(_plain(column))))
        name = shortened(str(name), 34 if many else 46)
        axes.set_title(name, loc="left", fontsize=style.NORMAL, pad=4, parse_math=False)
        p = _lookup(tests, "term", "p").get(_plain(column))
        if p is not None and numbers.known(p):
            axes.text(0.98, 0.96, numbers.p_equation(p), transform=axes.transAxes, ha="right",
                      va="top", fontsize=style.SMALL)  # fmt: skip
    figure.supxlabel("Months after resection (spaced as in the test)", fontsize=style.NORMAL)
    figure.supylabel("Log hazard ratio at that time", fontsize=style.NORMAL)
    return figure


class _Scale:
    """The transformed time of the test, by which months are placed."""

    def __init__(self, rows: pd.DataFrame) -> None:
        months = rows["time_months"].to_numpy(float)
        places = rows["transformed_time"].to_numpy(float) if "transformed_time" in rows else months
        good = np.isfinite(months) & np.isfinite(places)
        self._months, first = np.unique(months[good], return_index=True)
        self._places = places[good][first]

    def __call__(self, months: object) -> np.ndarray:
        wanted = np.asarray(months, float)
        if len(self._months) < 2:
            return wanted
        return np.asarray(np.interp(wanted, self._months, self._places))

    def label(self, axes: Axes) -> None:
        """Put ticks at round months, as far apart as letters need."""
        if len(self._months) < 2:
            return
        ticks: list[float] = []
        span = np.ptp(self._places) or 1.0
        for month in _MONTHS:
            inside = self._months[0] <= month <= self._months[-1]
            if inside and (not ticks or abs(self(month) - self(ticks[-1])) > 0.08 * span):
                ticks.append(month)
        axes.set_xticks([float(self(t)) for t in ticks], [f"{t:g}" for t in ticks])


def _smooth(axes: Axes, rows: pd.DataFrame, scale: _Scale) -> None:
    if not len(rows):
        return
    x = scale(rows["time_months"])
    if "transformed_time" in rows:
        x = rows["transformed_time"].to_numpy(float)
    low, high = (rows[each].to_numpy(float) for each in ("lower95", "upper95"))
    axes.fill_between(x, low, high, color=style.BLUE, alpha=0.15, linewidth=0)
    axes.plot(x, rows["beta"], color=style.BLUE, linewidth=1.5)


def _limits(axes: Axes, values: np.ndarray) -> None:
    """Show the middle 98 % of the points: a few far ones would flatten the curve."""
    if len(values) > 4:
        low, high = np.quantile(values, (0.01, 0.99))
        if high > low:
            axes.set_ylim(low - 0.1 * (high - low), high + 0.1 * (high - low))


def _plain(column: object) -> str:
    return str(column).removesuffix("_high")


def _lookup(table: pd.DataFrame | None, key: str, value: str) -> dict[str, Any]:
    if table is None or not {key, value} <= set(table.columns):
        return {}
    return {_plain(k): v for k, v in zip(table[key], table[value], strict=True)}
