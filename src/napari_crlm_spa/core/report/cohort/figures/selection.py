"""How features hang together, and how the stepwise selection went."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Rectangle

from napari_crlm_spa.core.cohort.columns import label_of
from napari_crlm_spa.core.report.cohort import numbers
from napari_crlm_spa.core.report.cohort.figures import style
from napari_crlm_spa.core.report.words import shortened

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Blue to red through white: told apart by color-blind readers.
CORRELATIONS = "RdBu_r"


def draw_correlation(correlation: pd.DataFrame, limit: float = 0.7) -> Figure:
    """Heat map of the table ``correlation``; pairs above the limit are framed.

    Parameters
    ----------
    limit
        The rule's limit, on r (the paper: 0.7).
    """
    names = list(dict.fromkeys([*correlation["a"], *correlation["b"]]))
    place = {name: i for i, name in enumerate(names)}
    matrix = np.full((len(names), len(names)), np.nan)
    for a, b, r in zip(correlation["a"], correlation["b"], correlation["r"], strict=True):
        matrix[place[a], place[b]] = matrix[place[b], place[a]] = r
    matrix[np.triu_indices(len(names))] = np.nan
    size = min(style.FULL_IN, 2.2 + 0.25 * len(names))
    figure = style.new_figure(size, size * 0.93)
    axes = figure.subplots()
    labels = [label_of(str(name)) for name in names]
    _cells(figure, axes, matrix, labels, labels, 5.6 if len(names) > 12 else style.SMALL)
    for y, x in np.argwhere(np.abs(matrix) > limit):
        if x < y:
            axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, linewidth=1.6))
    return figure


def draw_association_map(table: pd.DataFrame) -> Figure:
    """Heat map of the table ``association_correlations``; frames where p (FDR) < 0.05."""
    rows = list(dict.fromkeys(table["label"].astype(str)))
    cols = list(dict.fromkeys(table["factor_label"].astype(str)))
    matrix, sure = np.full((len(rows), len(cols)), np.nan), []
    for each in table.to_dict("records"):
        y, x = rows.index(str(each["label"])), cols.index(str(each["factor_label"]))
        matrix[y, x] = each["r"]
        if numbers.known(each.get("p_fdr")) and each["p_fdr"] < 0.05:
            sure.append((x, y))
    figure = style.new_figure(min(style.FULL_IN, 3.2 + 0.55 * len(cols)), 1.5 + 0.21 * len(rows))
    axes = figure.subplots()
    _cells(figure, axes, matrix, rows, cols, 6.5)
    for x, y in sure:
        axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, linewidth=1.6))
    return figure


def draw_selection(path: pd.DataFrame) -> Figure:
    """Draw AIC along each direction of the stepwise selection (table ``stepwise_path``)."""
    parts = list(path.groupby("direction", sort=False))

    figure = style.new_figure(style.FULL_IN, sum(0.62 + 0.2 * len(rows) for _, rows in parts) + 0.3)
    ratios = [0.6 + 0.25 * len(rows) for _, rows in parts] or [1.0]
    grid = figure.subplots(max(1, len(parts)), 1, sharex=True, squeeze=False, height_ratios=ratios)
    for axes, (direction, rows) in zip(grid[:, 0], parts, strict=True):
        y = np.arange(len(rows))
        axes.plot(rows["aic"], y, "o-", color=style.BLUE, linewidth=1, markersize=4.5)
        axes.set_yticks(y, _changes(rows), parse_math=False)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        for place, aic in zip(y, rows["aic"], strict=True):
            if numbers.known(aic):
                axes.annotate(f"{aic:.2f}", (1.01, place), xycoords=("axes fraction", "data"),
                              va="center", fontsize=style.SMALL, annotation_clip=False)  # fmt: skip
        title = {"both": "Both directions"}.get(str(direction), str(direction).capitalize())
        axes.set_title(title, loc="left", fontsize=style.NORMAL, fontweight="bold", pad=3)
        style.tidy(axes, grid="x")
        axes.tick_params(axis="y", length=0)
        axes.margins(x=0.05)
    grid[-1, 0].set_xlabel("AIC (lower is better)")
    return figure


def _changes(rows: pd.DataFrame) -> list[str]:
    """Return what happened at each step; the first is the model that it began with."""
    words = [_change(str(each)) for each in rows["change"]]
    if words[0].strip() in ("", "start", "nan"):
        # The table's degrees of freedom are those of the change, as in R; the first has none.
        first = str(rows["change"].iloc[1])[:1] if len(rows) > 1 else ""
        words[0] = {"+": "start: none", "-": "start: all candidates"}.get(first, "start")
    return words


def _change(text: str) -> str:
    """Call columns by their label: "+ Debris (necrosis), overall"."""
    sign, _, column = text.partition(" ")
    if sign in ("+", "-") and column:
        name = label_of(column.removesuffix("_high"))
        return f"{sign} {shortened(name, 44)}".replace("-", "\u2212", 1)
    return shortened(label_of(text), 44)


def _cells(
    figure: Figure, axes: Axes, matrix: np.ndarray, rows: list[str], cols: list[str], size: float
) -> None:
    """Draw shaded cells with their numbers; a feature with itself stays empty."""
    shown = np.ma.masked_invalid(matrix)
    picture = axes.imshow(shown, cmap=CORRELATIONS, vmin=-1, vmax=1, aspect="auto")
    for (y, x), r in np.ndenumerate(matrix):
        if np.isfinite(r):
            axes.text(
                x, y, numbers.fixed(float(r), 2).replace("0.", ".", 1), ha="center", va="center",
                fontsize=size, color="white" if abs(r) > 0.6 else style.INK, in_layout=False,
            )  # fmt: skip
    axes.set_xticks(range(len(cols)), [shortened(c, 32) for c in cols], rotation=45, ha="right",
                    rotation_mode="anchor", parse_math=False)  # fmt: skip
    axes.set_yticks(range(len(rows)), [shortened(r, 32) for r in rows], parse_math=False)
    axes.tick_params(length=0, labelsize=style.SMALL)
    axes.spines[:].set_visible(False)
    half = rows == cols  # the triangle above the diagonal is free
    place = axes.inset_axes((0.9, 0.5, 0.025, 0.42)) if half else None
    bar = figure.colorbar(picture, ax=None if half else axes, cax=place, shrink=0.5, aspect=18)
    bar.set_label("Pearson r", fontsize=style.SMALL)
    bar.ax.tick_params(labelsize=style.SMALL)
    bar.set_ticks([-1, -0.5, 0, 0.5, 1])
    bar.outline.set_visible(False)
