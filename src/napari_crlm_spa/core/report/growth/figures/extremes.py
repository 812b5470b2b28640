"""The paper's bars: how many slides are D among those of lowest and of highest score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_crlm_spa.core.report.cohort import numbers
from napari_crlm_spa.core.report.cohort.figures import style
from napari_crlm_spa.core.report.growth.words import MARKERS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_D, _NON_D = style.BLUE, "#f0d9c6"


def draw_extremes(table: pd.DataFrame) -> Figure:
    """Draw rows of the table ``extremes`` of one stratum: two bars a marker, Fisher's p."""
    rows = table.to_dict("records")
    figure = style.new_figure(style.FULL_IN, 0.85 + 0.72 * len(rows))
    axes = figure.subplots()
    ticks: list[float] = []
    names: list[str] = []
    for i, row in enumerate(rows):
        name = MARKERS.get(str(row["marker"]), str(row["marker"]))
        for side, words in ((0, "lowest"), (1, "highest")):
            y = 2.6 * i + side
            ticks.append(y)
            count = row[f"{'low' if side == 0 else 'high'}_d"]
            names.append(f"{name}, {numbers.whole(row['k'])} {words}")
            _bar(axes, y, float(count), float(row["k"]))
        p = float(row["p"]) if numbers.known(row["p"]) else float("nan")
        if numbers.known(p):
            axes.annotate(numbers.p_equation(p), (1.02, 2.6 * i + 0.5),
                          xycoords=("axes fraction", "data"), va="center",
                          fontsize=style.NORMAL, annotation_clip=False)  # fmt: skip
    axes.set_yticks(ticks, names, parse_math=False)
    axes.set(xlim=(0, 100), ylim=(2.6 * (len(rows) - 1) + 1.7, -0.7))
    axes.set_xlabel("Slides (%)")
    _legend(axes)
    style.tidy(axes)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    return figure


def _bar(axes: Axes, y: float, count: float, k: float) -> None:
    """Draw a bar of 100 % with counts in it."""
    if not (k > 0 and numbers.known(count)):
        return
    share = 100 * count / k
    axes.barh(y, share, color=_D, height=0.82)
    axes.barh(y, 100 - share, left=share, color=_NON_D, height=0.82, hatch="///",
              edgecolor=style.ORANGE, linewidth=0.6)  # fmt: skip
    common: dict[str, Any] = {"va": "center_baseline", "ha": "center", "fontsize": style.NORMAL}
    if count:
        axes.text(share / 2, y, numbers.whole(count), color="white", **common)
    if count < k:
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
        axes.text((share + 100) / 2, y, numbers.whole(k - count), color=style.INK, bbox=box,
                  **common)  # fmt: skip


def _legend(axes: Axes) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(facecolor=_D, label="D (strict rule, reviewed)"),
        Patch(facecolor=_NON_D, hatch="///", edgecolor=style.ORANGE, label="non-D"),
    ]
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False,
                fontsize=style.SMALL)  # fmt: skip
