"""Many survival curves side by side, small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_crlm_spa.core.report.cohort.figures import style
from napari_crlm_spa.core.report.cohort.figures.curves import draw_curves
from napari_crlm_spa.core.report.words import shortened

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

_COLS, _CELL_IN, _STEP_MONTHS = 3, (2.4, 2.45), 24


@dataclass(frozen=True, slots=True)
class CurvePanel:
    """One of several small plots of curves.

    Parameters
    ----------
    grouping
        Its rows of the table ``km``.
    title, note
        Stand above it.
    """

    grouping: str
    title: str
    note: str = ""


def draw_curve_panels(
    km: pd.DataFrame, panels: Sequence[CurvePanel], names: Mapping[str, str]
) -> Figure:
    """Draw survival curves of several groupings on equal axes, three in a row.

    Parameters
    ----------
    km
        Table ``km``.
    panels
        What is drawn, in order; all have the same groups.
    names
        What the legend calls the groups.
    """
    figure, places = style.panels(len(panels), _COLS, _CELL_IN)
    groupings = [panel.grouping for panel in panels]
    latest = float(km["time_months"][km["grouping"].isin(groupings)].max())
    end = max(_STEP_MONTHS, -(-latest // _STEP_MONTHS) * _STEP_MONTHS)
    lines: dict[str, Line2D] = {}
    for i, (axes, panel) in enumerate(zip(places, panels, strict=True)):
        drawing = draw_curves(
            axes, km, grouping=panel.grouping, until_months=end, step_months=_STEP_MONTHS,
            ylabel="Overall survival (%)" if i % _COLS == 0 else "", legend=False,
        )  # fmt: skip
        lines = {**drawing.lines, **lines}
        axes.set_title(panel.note, loc="left", fontsize=6.8, pad=3, parse_math=False)
        axes.annotate(
            shortened(panel.title, 40), (0, 1), (0, 12 + 9.5 * panel.note.count("\n")),
            xycoords="axes fraction", textcoords="offset points", fontsize=style.SMALL,
            fontweight="bold", va="bottom", parse_math=False,
        )  # fmt: skip
        if i + _COLS < len(panels):
            axes.set_xlabel("")
    figure.legend(
        lines.values(), [names.get(group, group) for group in lines], loc="outside upper left",
        ncols=len(lines), frameon=False, fontsize=style.NORMAL, handlelength=3,
    )  # fmt: skip
    return figure
