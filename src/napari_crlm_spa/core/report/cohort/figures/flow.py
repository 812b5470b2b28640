"""The flow diagram: who was looked at, who was left out and why, who is left."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_crlm_spa.core.report.cohort import numbers
from napari_crlm_spa.core.report.cohort.figures import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINE_IN, _PAD_IN, _GAP_IN = 0.165, 0.12, 0.2
_MAIN_IN, _SIDE_IN, _BETWEEN_IN = 2.3, 3.5, 0.55
_LETTERS = 44


@dataclass(frozen=True, slots=True)
class _Box:
    lines: tuple[str, ...]
    main: bool

    @property
    def height(self) -> float:
        return _LINE_IN * len(self.lines) + _PAD_IN


def draw_flow(flow: pd.DataFrame) -> Figure:
    """Draw the table ``flow``: boxes down the left, exclusions at the right.

    Steps that left nobody out are not drawn; the table has them.
    """
    boxes = _boxes(flow)
    heights = [box.height for box in boxes]
    total = sum(heights) + _GAP_IN * (len(boxes) - 1) + 0.1
    width = _MAIN_IN + _BETWEEN_IN + _SIDE_IN + 0.1
    figure = style.new_figure(width, total)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(total, 0)
    axes.axis("off")
    y, before = 0.05, None
    for box, height in zip(boxes, heights, strict=True):
        if box.main:
            _draw(axes, box, 0.05, y, _MAIN_IN)
            if before is not None:
                _arrow(axes, (0.05 + _MAIN_IN / 2, before), (0.05 + _MAIN_IN / 2, y))
            before = y + height
        else:
            x = 0.05 + _MAIN_IN + _BETWEEN_IN
            _draw(axes, box, x, y, _SIDE_IN)
            _arrow(axes, (0.05 + _MAIN_IN / 2, y + height / 2), (x, y + height / 2))
        y += height + _GAP_IN
    return figure


def _boxes(flow: pd.DataFrame) -> list[_Box]:
    """Return boxes from top to bottom; a change of unit (slides, then patients) begins anew."""
    boxes: list[_Box] = []
    rows = flow.to_dict("records")
    unit: Any = None
    for i, row in enumerate(rows):
        if row["unit"] != unit:
            unit = row["unit"]
            boxes.append(_Box((_count(row["before"], unit),), True))
        if not numbers.known(float(row["excluded"])) or not row["excluded"]:
            continue
        # The same reason in a row (several filters) shares no box: each is counted on its own.
        words = textwrap.wrap(str(row["reason"] or row["step"]), _LETTERS)
        excluded = f"{_count(row['excluded'], unit)} left out"
        boxes.append(_Box((excluded, *words), False))
        following = rows[i + 1] if i + 1 < len(rows) else None
        if following is None or following["unit"] == unit:
            boxes.append(_Box((_count(row["after"], unit),), True))
        else:
            boxes.append(_Box((_count(row["after"], unit), "of"), True))
    last = next((i for i in range(len(boxes) - 1, -1, -1) if boxes[i].main), None)
    if last is not None:
        boxes[last] = _Box((*boxes[last].lines, "analyzed"), True)
    return _joined(boxes)


def _joined(boxes: list[_Box]) -> list[_Box]:
    """Make one box of "366 slides of" and the "345 patients" that follow."""
    out: list[_Box] = []
    for box in boxes:
        if out and out[-1].main and box.main:
            earlier = out.pop().lines
            words = earlier if earlier[-1] == "of" else (*earlier, "of")
            box = _Box((" ".join(words), *box.lines), True)
        out.append(box)
    return out


def _count(number: float, unit: str) -> str:
    return f"{numbers.whole(float(number))} {unit.removesuffix('s') if number == 1 else unit}"


def _draw(axes: Axes, box: _Box, x: float, y: float, width: float) -> None:
    from matplotlib.patches import FancyBboxPatch

    axes.add_patch(
        FancyBboxPatch(
            (x, y), width, box.height, boxstyle="round,pad=0,rounding_size=0.05", linewidth=1,
            edgecolor=style.BLUE if box.main else style.QUIET,
            facecolor="#eef3f7" if box.main else "white",
        )
    )  # fmt: skip
    for i, line in enumerate(box.lines):
        axes.text(
            x + (width / 2 if box.main else 0.1),
            y + _PAD_IN / 2 + _LINE_IN * (i + 0.5),
            line,
            ha="center" if box.main else "left",
            va="center",
            fontsize=style.NORMAL,
            fontweight="bold" if i == 0 else "normal",
            color=style.INK,
            parse_math=False,
        )


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate(
        "", end, start, zorder=0,
        arrowprops={"arrowstyle": "-|>", "color": style.QUIET, "linewidth": 1, "shrinkA": 0,
                    "shrinkB": 0},
    )  # fmt: skip
