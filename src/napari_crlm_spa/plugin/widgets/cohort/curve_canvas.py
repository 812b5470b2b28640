"""Survival curves to look at and to read off, drawn by matplotlib on a white ground.

Imported only when curves are shown: matplotlib takes its time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from qtpy.QtCore import QSize
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QSizePolicy

from napari_crlm_spa.core.report.cohort.figures import style
from napari_crlm_spa.core.report.cohort.figures.curves import CurvesDrawing, draw_curves
from napari_crlm_spa.plugin.cohort.curve_data import GroupCurves, Place, place_of

if TYPE_CHECKING:
    from matplotlib.backend_bases import Event

#: Below this height the number at risk would leave nothing of the curves.
LEAST_RISK_PX, LEAST_PX = 200, 140
_CURSOR: dict[str, Any] = {"color": style.QUIET, "linewidth": 0.8, "linestyle": (0, (3, 2))}
_SOLID, _LONG, _SHORT = "-", (0, (6, 2)), (0, (2, 1.4))
_MARK_PX = 8


class CurveCanvas(FigureCanvasQTAgg):
    """One figure of survival curves.

    Parameters
    ----------
    on_hover
        Called with the months under the pointer, or None when it has left the curves.
    """

    def __init__(self, on_hover: Callable[[float | None], None]) -> None:
        super().__init__(Figure(layout="constrained", facecolor="white"))  # type: ignore[no-untyped-call]
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(LEAST_PX)
        self.drawing: CurvesDrawing | None = None
        self._on_hover = on_hover
        self._content: tuple[GroupCurves, bool, bool, str] | None = None
        self._has_risk = False
        self._cursor: Any = None
        self._marks: list[Any] = []
        self._marked: Place | None = None
        self._below: Any = None
        self.mpl_connect("draw_event", self._on_drawn)
        self.mpl_connect("motion_notify_event", self._on_motion)
        self.mpl_connect("axes_leave_event", self._on_leave)
        self.mpl_connect("figure_leave_event", self._on_leave)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return how small it may become."""
        return QSize(200, LEAST_PX)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for no more than that: the panel gives what it has."""
        return QSize(400, 260)

    def show_curves(
        self, data: GroupCurves | None, *, intervals: bool, risk: bool, note: str
    ) -> None:
        """Draw other curves."""
        self._content = None if data is None else (data, intervals, risk, note)
        self._marked = None
        self._draw()

    def mark(self, row: int) -> None:
        """Mark a patient on its curve; -1 marks nobody."""
        data = None if self._content is None else self._content[0]
        self._marked = None if data is None or row < 0 else place_of(data, row)
        self._draw_mark()
        self._draw_over()

    def _on_drawn(self, _event: Event) -> None:
        """Keep the curves, over which cursor and mark are drawn again and again."""
        self._below = self.copy_from_bbox(self.figure.bbox)  # type: ignore[no-untyped-call]
        self._paint_over()

    def _draw_over(self) -> None:
        """Draw cursor and mark anew, and nothing else: laying out all takes a fifth of a second."""
        if self._below is None or self.drawing is None:
            self.draw_idle()  # type: ignore[no-untyped-call]
            return
        self.restore_region(self._below)  # type: ignore[no-untyped-call]
        self._paint_over()
        self.update()

    def _paint_over(self) -> None:
        if self.drawing is not None and self._cursor is not None:
            for artist in (self._cursor, *self._marks):
                self.drawing.curves.draw_artist(artist)

    def _draw(self) -> None:
        self.figure.clear()
        self.drawing, self._cursor, self._marks, self._below = None, None, [], None
        if self._content is not None:
            self._has_risk = self._content[2] and self.height() >= LEAST_RISK_PX
            self.drawing = draw(self.figure, *self._content[:2], self._has_risk, self._content[3])
            self._cursor = self.drawing.curves.axvline(0, visible=False, animated=True, **_CURSOR)
            self._draw_mark()
        self.draw_idle()  # type: ignore[no-untyped-call]

    def _draw_mark(self) -> None:
        for mark in self._marks:
            mark.remove()
        self._marks = []
        place = self._marked
        if self.drawing is None or place is None:
            return
        axes, share = self.drawing.curves, 100 * place.survival
        face = self.drawing.lines[place.level].get_color() if place.died else "white"
        (dot,) = axes.plot(
            [place.months], [share], marker="o", markersize=_MARK_PX, markeredgecolor="#c8570c",
            markerfacecolor=face, markeredgewidth=2, zorder=10, clip_on=False,
            animated=True,
        )  # fmt: skip
        self._marks = [dot]

    # -- reading --------------------------------------------------------------------------

    def _on_motion(self, event: Event) -> None:
        axes = None if self.drawing is None else self.drawing.curves
        months = getattr(event, "xdata", None)
        if axes is None or getattr(event, "inaxes", None) is not axes or months is None:
            self._on_leave(event)
            return
        self.point_at(max(float(months), 0.0))

    def point_at(self, months: float | None) -> None:
        """Show the cursor at a time, and have it read."""
        if self._cursor is None:
            return
        if months is not None:
            self._cursor.set_xdata([months, months])
        self._cursor.set_visible(months is not None)
        self._on_hover(months)
        self._draw_over()

    def _on_leave(self, _event: Event) -> None:
        if self._cursor is not None and self._cursor.get_visible():
            self.point_at(None)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Leave out the number at risk where there is no room for it."""
        super().resizeEvent(event)  # type: ignore[no-untyped-call]
        if self._content is None:
            return
        if (self._content[2] and self.height() >= LEAST_RISK_PX) != self._has_risk:
            self._draw()


def draw(
    figure: Figure, data: GroupCurves, intervals: bool, risk: bool, note: str
) -> CurvesDrawing:
    """Draw curves into a figure, in the colors of the groups."""
    dashes = {1: (_SOLID,), 2: (_LONG, _SOLID), 3: (_LONG, _SHORT, _SOLID)}
    levels = data.grouping.levels
    looks = {
        level: style.Look(color, dash)
        for level, color, dash in zip(
            levels, data.grouping.colors, dashes[len(levels)], strict=True
        )
    }
    shown = [level for level in levels if data.curves[level].n]
    km, table = data.tables.km, data.tables.risk_table
    return draw_curves(
        figure,
        km[km["group"].isin(shown)],
        table[table["group"].isin(shown)] if risk else None,
        labels=data.labels(),
        looks=looks,
        intervals=intervals,
        note=note,
        ylabel="Survival (%)",
    )


def as_svg(data: GroupCurves, *, intervals: bool, risk: bool, note: str) -> bytes:
    """Return the figure as a file, as large as an article prints it."""
    figure = style.new_figure(style.WIDE_IN, 4.2)
    with mpl.rc_context():
        draw(figure, data, intervals, risk, note)
    return style.as_file(figure, "svg")
