"""Where features and the score are split, how clear that is, and how much it flatters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_crlm_spa.core.report.cohort import numbers
from napari_crlm_spa.core.report.cohort.figures import style
from napari_crlm_spa.core.report.words import shortened

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLS, _CELL_IN = 4, (1.8, 1.45)


def draw_cutpoints(
    cutpoints: pd.DataFrame,
    paths: pd.DataFrame | None = None,
    resampled: pd.DataFrame | None = None,
) -> Figure:
    """Draw, for each feature, the log-rank statistic of every possible split and the chosen one.

    Parameters
    ----------
    cutpoints, paths, resampled
        Tables ``cutpoints``, ``cutpoint_paths`` and ``cutpoint_bootstrap``: the bars are the
        cut-offs that resamples of the patients would have chosen.
    """
    rows = cutpoints.to_dict("records")
    figure, places = style.panels(len(rows), _COLS, _CELL_IN)
    for i, (axes, row) in enumerate(zip(places, rows, strict=True)):
        path = _of(paths, row["feature"])
        draws = _of(resampled, row["feature"])
        if draws is not None:
            _bars(axes, draws["cutoff"].dropna().to_numpy(float))
        if path is not None:
            axes.plot(path["cutoff"], path["statistic"], color=style.BLUE, linewidth=1)
            axes.set_ylim(bottom=0)
        if numbers.known(row["cutoff"]):
            axes.axvline(row["cutoff"], color=style.ORANGE, linewidth=1.1, linestyle=(0, (4, 2)))
        style.tidy(axes)
        axes.tick_params(labelsize=6.5)
        axes.locator_params(axis="both", nbins=4)
        axes.set_title(
            shortened(str(row.get("label", row["feature"])), 30), loc="left", pad=3,
            fontsize=style.SMALL, parse_math=False,
        )  # fmt: skip
        if path is None:
            axes.set_yticks([])
        elif i % _COLS == 0:
            axes.set_ylabel("|log-rank z|", fontsize=style.SMALL)
    figure.supxlabel("Share of tiles at which the feature is split", fontsize=style.NORMAL)
    return figure


def draw_optimism(optimism: pd.DataFrame) -> Figure:
    """Draw hazard ratios of splits in the patients they were found in, and in held-out ones.

    Parameters
    ----------
    optimism
        Table ``cutpoint_optimism``. Ratios below 1 are turned round, so that further right is
        always a larger effect; left of 1 the effect points the other way in held-out patients.
    """
    rows = optimism.to_dict("records")
    figure = style.new_figure(style.WIDE_IN, 0.95 + 0.2 * len(rows))
    axes = figure.subplots()
    for y, row in enumerate(rows):
        apparent, honest = float(row["hr_apparent"]), float(row["hr_cross_validated"])
        if numbers.known(apparent) and 0 < apparent < 1:
            apparent, honest = 1 / apparent, 1 / honest if honest else np.nan
        axes.plot([honest, apparent], [y, y], color=style.FAINT, linewidth=1.5, zorder=1)
        first, label = y == 0, "the patients it was found in"
        axes.plot(apparent, y, "o", color=style.BLUE, markersize=5, mfc="white",
                  label=label if first else None)  # fmt: skip
        axes.plot(honest, y, "o", color=style.BLUE, markersize=5,
                  label="held-out patients" if first else None)  # fmt: skip
    axes.axvline(1, color=style.QUIET, linewidth=0.9, zorder=0)
    axes.set_yticks(range(len(rows)), [shortened(str(r["label"]), 40) for r in rows],
                    parse_math=False)  # fmt: skip
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel("Hazard ratio of the split, larger side of 1")
    style.tidy(axes, grid="x")
    axes.tick_params(axis="y", length=0)
    if rows:
        figure.legend(loc="outside upper left", ncols=2, frameon=False, fontsize=style.SMALL)
    return figure


def draw_score(
    patients: pd.DataFrame, cutoffs: pd.DataFrame | None = None, path: pd.DataFrame | None = None
) -> Figure:
    """Draw how the score is distributed, where it is split, and p at every possible split.

    Parameters
    ----------
    patients, cutoffs, path
        Tables ``patients``, ``score_cutoff`` and ``score_cutoff_path``.
    """
    has_path = path is not None and len(path) > 0
    figure = style.new_figure(style.WIDE_IN, 4.2 if has_path else 2.6)
    places = figure.subplots(2 if has_path else 1, 1, sharex=True, squeeze=False)[:, 0]
    _histogram(places[0], patients)
    if has_path and path is not None:
        for _, some in path.groupby("rule", sort=False):
            kept = some[some["p"] > 0].sort_values("cutoff")
            places[1].plot(kept["cutoff"], kept["p"], ".-", color=style.BLUE, linewidth=0.9,
                           markersize=4)  # fmt: skip
        places[1].set_yscale("log")
        places[1].set_ylabel("p of low against high")
        style.tidy(places[1], grid="y")
    places[-1].set_xlabel("Spatial score")
    for used in _used(cutoffs):
        for axes in places:
            axes.axvline(used, color=style.ORANGE, linewidth=1.2, linestyle=(0, (4, 2)))
    return figure


def _histogram(axes: Axes, patients: pd.DataFrame) -> None:
    score = patients["score"].to_numpy(float)
    groups = patients["sof_group"].astype(str).to_numpy() if "sof_group" in patients else None
    names = [n for n in ("low", "high") if groups is not None and (groups == n).any()]
    looks = style.looks_of("sof", names or ["all"])
    for name in names or ["all"]:
        some = score[np.isfinite(score) & (groups == name if names else True)]
        heights, places, width = _bars_of(some, score[np.isfinite(score)])
        axes.bar(
            places, heights, width, color=looks[name].color,
            label=f"{name} risk" if names else None,
        )  # fmt: skip
    axes.set_ylabel("Patients")
    style.tidy(axes, grid="y")
    if names:
        axes.legend(frameon=False, fontsize=style.SMALL, loc="best")


def _bars_of(some: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return heights, places and width of bars: one for each value if there are few."""
    values = np.unique(np.round(score, 9))
    span = float(np.ptp(values)) if len(values) else 0.0
    if not span:
        return np.array([len(some)]), values[:1] if len(values) else np.zeros(1), 0.1
    if len(values) > 40:
        heights, edges = np.histogram(some, np.linspace(values[0], values[-1], 31))
        return heights, (edges[1:] + edges[:-1]) / 2, span / 30
    nearest = float(np.diff(values).min())
    places, heights = np.unique(np.round(some, 9), return_counts=True)
    return heights, places, max(min(span / 50, 0.9 * nearest), span / 150)


def _bars(axes: Axes, draws: np.ndarray) -> None:
    if not len(draws):
        return
    behind = axes.twinx()
    counts, edges = np.histogram(draws, bins=24)
    behind.stairs(counts, edges, fill=True, color="#f0c9a8", linewidth=0)
    behind.set_axis_off()
    axes.set_zorder(behind.get_zorder() + 1)
    axes.patch.set_visible(False)


def _of(table: pd.DataFrame | None, feature: str) -> pd.DataFrame | None:
    if table is None:
        return None
    rows = table[table["feature"] == feature]
    return rows if len(rows) else None


def _used(cutoffs: pd.DataFrame | None) -> list[float]:
    if cutoffs is None or "used" not in cutoffs:
        return []
    used = cutoffs[cutoffs["used"].astype(str).str.casefold() == "true"]
    return [float(each) for each in used["cutoff"] if numbers.known(each)]
