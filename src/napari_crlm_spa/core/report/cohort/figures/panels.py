"""Many survival curves side by side, small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_crlm_spa.core.report.cohort.figures import style
from napari_crlm_spa.core.report.cohort.figures.curves import draw_curves
from napari_crlm_spa.core.report.words import shortened

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_COLS, _CELL_IN, _STEP_MONTHS = 3, (2.4, 2.25), 24


@dataclass(frozen=True, slots=True)
class CurvePanel:
    """One of several small plots of curves.

    Parameters
    ----------
    grouping
        Its rows of the table ``km``.
    title, note
        Above it, and in its lower left corner.
    labels
        What the legend calls the groups.
    """

    grouping: str
    title: str
    note: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


def draw_curve_panels(km: pd.DataFrame, panels: Sequence[CurvePanel]) -> Figure:
    """Draw survival curves of several groupings on the same axes, three in a row."""
    figure, places = style.panels(len(panels), _COLS, _CELL_IN)
    groupings = [panel.grouping for panel in panels]
    latest = float(km["time_months"][km["grouping"].isin(groupings)].max())
    end = max(_STEP_MONTHS, -(-latest // _STEP_MONTHS) * _STEP_MONTHS)
    for i, (axes, panel) in enumerate(zip(places, panels, strict=True)):
        draw_curves(
            axes, km, grouping=panel.grouping, until_months=end, step_months=_STEP_MONTHS,
            ylabel="Overall survival (%)" if i % _COLS == 0 else "",
        )  # fmt: skip
        lines = {line.get_label(): line for line in axes.get_lines()}
        shown = {k: v for k, v in lines.items() if not k.startswith("_")}
        if axes.get_legend() is not None:
            axes.get_legend().remove()
        words = [panel.labels.get(name, name) for name in shown]
        axes.legend(
            shown.values(), words, loc="lower left", bbox_to_anchor=(-0.02, 0.1), frameon=False,
            fontsize=6.5, handlelength=2.4, labelspacing=0.2, borderpad=0.1,
        )  # fmt: skip
        axes.text(0.02, 0.03, panel.note.replace("\n", ", "), transform=axes.transAxes, size=6.5)
        axes.set_title(shortened(panel.title, 38), loc="left", fontsize=style.SMALL, pad=3,
                       fontweight="bold", parse_math=False)  # fmt: skip
        if i + _COLS < len(panels):
            axes.set_xlabel("")
    return figure
