"""How well a score predicts: ROC, calibration, decision curves, cross-validation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_crlm_spa.core.report.cohort import numbers
from napari_crlm_spa.core.report.cohort.figures import style
from napari_crlm_spa.core.report.words import shortened

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CELL_IN = (3.5, 3.1)


def years(months: float) -> str:
    """Say a time as people do: 5 years; 42 months where it is no whole year."""
    if months >= 12 and months % 12 == 0:
        return f"{months / 12:.0f} year{'' if months == 12 else 's'}"
    return f"{months:g} months"


def draw_roc(
    curve: pd.DataFrame, auc: pd.DataFrame | None = None, titles: Mapping[str, str] | None = None
) -> Figure:
    """Draw time-dependent ROC curves, one panel a time.

    Parameters
    ----------
    curve, auc
        Tables ``roc_curve`` and ``roc``: areas stand in the legend.
    titles
        What markers are called.
    """
    times = _times(curve)
    figure, places = style.panels(len(times), 2, _CELL_IN)
    markers = list(dict.fromkeys(curve["marker"].astype(str)))
    looks = style.looks_of("", markers)
    for axes, time in zip(places, times, strict=True):
        axes.plot([0, 1], [0, 1], color=style.FAINT, linewidth=0.9, zorder=0)
        for marker in markers:
            rows = curve[(curve["marker"] == marker) & (curve["time_months"] == time)]
            rows = rows.sort_values(["false_positive_rate", "true_positive_rate"])
            if not len(rows):
                continue
            axes.plot(
                np.r_[0, rows["false_positive_rate"], 1], np.r_[0, rows["true_positive_rate"], 1],
                color=looks[marker].color, linestyle=looks[marker].dashes, linewidth=1.5,
                label=shortened((titles or {}).get(marker, marker), 26) + _area(auc, marker, time),
            )  # fmt: skip
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
        axes.set(xlabel="1 \u2212 specificity", ylabel="Sensitivity")
        axes.set_aspect("equal")
        _titled(axes, years(time))
        _legend(axes, "lower right")
        style.tidy(axes)
    return figure


def draw_calibration(table: pd.DataFrame, titles: Mapping[str, str] | None = None) -> Figure:
    """Draw predicted against observed survival, one panel a model and time.

    Parameters
    ----------
    table
        Table ``calibration``: crosses are corrected for optimism by the bootstrap.
    titles
        What models are called.
    """
    parts = list(table.groupby(["model", "time_months"], sort=False))
    figure, places = style.panels(len(parts), 2, _CELL_IN)
    low = np.nanmin([*(table[c].min() for c in ("predicted", "observed")), 0.5])
    start = 100 * max(0.0, np.floor(10 * (float(low) - 0.15)) / 10)
    for axes, ((model, at), rows) in zip(places, parts, strict=True):
        time = float(str(at))
        rows = rows.sort_values("predicted")
        x, y = 100 * rows["predicted"].to_numpy(float), 100 * rows["observed"].to_numpy(float)
        axes.plot([start, 100], [start, 100], color=style.FAINT, linewidth=0.9, zorder=0)
        axes.errorbar(
            x, y, _errors(rows, y), color=style.BLUE, marker="o", markersize=4.5, linewidth=1,
            elinewidth=0.9, capsize=2, label="observed, 95 % CI",
        )  # fmt: skip
        if "corrected" in rows and np.isfinite(rows["corrected"].to_numpy(float)).any():
            axes.plot(x, 100 * rows["corrected"], "x", color=style.ORANGE, markersize=6,
                      markeredgewidth=1.4, label="corrected for optimism")  # fmt: skip
        axes.set(xlim=(start, 101), ylim=(start, 101))
        axes.set(xlabel="Predicted survival (%)", ylabel="Observed survival (%)")
        _titled(axes, f"{(titles or {}).get(str(model), str(model))}, {years(time)}")
        _legend(axes, "upper left")
        style.tidy(axes)
    return figure


def _errors(rows: pd.DataFrame, y: np.ndarray) -> np.ndarray:
    """Return how far intervals reach below and above, in percent, shape (2, groups).

    Without its own interval a group's is that of the logarithm, as rms has it: the standard error
    in the table is that of log S.
    """
    if {"lower95", "upper95"} <= set(rows.columns):
        low, high = (100 * rows[each].to_numpy(float) for each in ("lower95", "upper95"))
    else:
        error = rows["std_err"].to_numpy(float) if "std_err" in rows else np.zeros(len(y))
        low, high = y * np.exp(-1.96 * error), np.minimum(y * np.exp(1.96 * error), 100)
    return np.asarray(np.maximum(np.nan_to_num(np.stack([y - low, high - y])), 0))


def draw_decision(table: pd.DataFrame, titles: Mapping[str, str] | None = None) -> Figure:
    """Draw decision curves, one panel a time (table ``decision``)."""
    times = _times(table)
    figure, places = style.panels(len(times), 2, _CELL_IN)
    models = list(dict.fromkeys(table["model"].astype(str)))
    plain = {"treat_all": ("everybody", "#8a939c", "-"), "treat_none": ("nobody", "#1d2126", "-")}
    own = [model for model in models if model not in plain]
    looks = style.looks_of("", [*own])
    for axes, time in zip(places, times, strict=True):
        top = 0.0
        for model in models:
            rows = table[(table["model"] == model) & (table["time_months"] == time)]
            rows = rows.sort_values("threshold")
            if model in plain:
                label, color, dashes = plain[model]
                label = f"intervene in {label}"
            else:
                color, dashes = _not_black(looks[model].color), looks[model].dashes
                label = (titles or {}).get(model, model)
                top = max(top, float(np.nan_to_num(rows["net_benefit"].max())))
            axes.plot(
                100 * rows["threshold"], rows["net_benefit"], color=color, linestyle=dashes,
                linewidth=0.9 if model in plain else 1.5, label=shortened(label, 32),
            )  # fmt: skip
        top = max(top, 0.05)
        axes.set_ylim(-0.12 * top, 1.2 * top)
        axes.set(xlabel="Risk of death at which one would act (%)", ylabel="Net benefit")
        _titled(axes, years(time))
        _legend(axes, "upper right")
        style.tidy(axes)
    return figure


def draw_brier(table: pd.DataFrame, titles: Mapping[str, str] | None = None) -> Figure:
    """Draw the scaled Brier score over time (table ``brier``), for three times or more."""
    figure = style.new_figure(style.WIDE_IN, 2.7)
    axes = figure.subplots()
    models = list(dict.fromkeys(table["model"].astype(str)))
    looks = style.looks_of("", models)
    for model in models:
        rows = table[table["model"].astype(str) == model].sort_values("time_months")
        axes.plot(rows["time_months"], 100 * rows["scaled"], marker="o", markersize=4,
                  color=looks[model].color, linestyle=looks[model].dashes,
                  label=shortened((titles or {}).get(model, model), 40))  # fmt: skip
    axes.axhline(0, color=style.QUIET, linewidth=0.8)
    axes.set(xlabel="Months after resection", ylabel="Gain over no model (%)")
    _legend(axes, "best")
    style.tidy(axes, grid="y")
    return figure


def draw_nested_cv(folds: pd.DataFrame, summary: pd.DataFrame | None = None) -> Figure:
    """Draw the concordance in held-out folds of each method (``nested_cv``, its summary)."""
    methods = list(dict.fromkeys(folds["method"].astype(str)))
    named = {} if summary is None else dict(zip(summary["method"], summary["label"], strict=True))
    figure = style.new_figure(style.WIDE_IN, 0.75 + 0.42 * len(methods))
    axes = figure.subplots()
    for y, method in enumerate(methods):
        values = folds["concordance"][folds["method"].astype(str) == method].dropna()
        spread = 0.26 * (((np.arange(len(values)) * 0.618034) % 1) - 0.5)  # even, not random
        axes.plot(values, y + spread, "o", color=style.BLUE, alpha=0.35, markersize=3.5,
                  markeredgewidth=0)  # fmt: skip
        row = _row(summary, "method", method)
        mean = float(row.get("concordance", values.mean() if len(values) else np.nan))
        low, high = (float(row.get(each, np.nan)) for each in ("lower95", "upper95"))
        if numbers.known(low) and numbers.known(high):
            axes.plot([low, high], [y, y], color=style.ORANGE, linewidth=1.6)
        axes.plot(mean, y, "D", color=style.ORANGE, markersize=6)
        if numbers.known(mean):
            text = numbers.interval(mean, low, high, 3)
            axes.annotate(text, (1.01, y), xycoords=("axes fraction", "data"), va="center",
                          fontsize=style.SMALL, annotation_clip=False)  # fmt: skip
    axes.axvline(0.5, color=style.QUIET, linewidth=0.9, linestyle=(0, (4, 2)))
    axes.set_yticks(range(len(methods)), [str(named.get(m, m)) for m in methods], parse_math=False)
    axes.set_ylim(len(methods) - 0.5, -0.5)
    axes.set_xlabel("Concordance in patients that were not learned from")
    style.tidy(axes, grid="x")
    axes.tick_params(axis="y", length=0)
    return figure


def _times(table: pd.DataFrame) -> list[float]:
    return sorted({float(t) for t in table["time_months"].dropna()})


def _area(auc: pd.DataFrame | None, marker: str, time: float) -> str:
    if auc is None:
        return ""
    rows = auc[(auc["marker"].astype(str) == marker) & (auc["time_months"] == time)]
    row = rows.to_dict("records")[0] if len(rows) else {}
    value = float(row.get("auc", np.nan))
    return f": {value:.3f}" if numbers.known(value) else ""


def _row(table: pd.DataFrame | None, key: str, value: str) -> dict[Any, Any]:
    if table is None:
        return {}
    rows = table[table[key].astype(str) == value]
    return rows.to_dict("records")[0] if len(rows) else {}


def _not_black(color: str) -> str:
    return style.BLUE if color == "#000000" else color


def _titled(axes: Axes, text: str) -> None:
    axes.set_title(shortened(text, 44), loc="left", fontsize=style.NORMAL, fontweight="bold",
                   parse_math=False)  # fmt: skip


def _legend(axes: Axes, where: Any) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc=where, frameon=False, fontsize=style.SMALL, handlelength=2.6,
                    labelspacing=0.3)  # fmt: skip
