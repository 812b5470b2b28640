"""The lens's figure: a histogram, the mixture's curves, and lines that can be dragged."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from qtpy.QtWidgets import QWidget

from napari_crlm_spa.core.review.lens import LensData
from napari_crlm_spa.core.spatial import Zone
from napari_crlm_spa.plugin.layers import ZONE_COLORS

HEIGHT_PX = 170
LEFT_PX, RIGHT_PX, TOP_PX, BOTTOM_PX = 40, 8, 16, 32
#: How near to a line the pointer takes hold of it.
GRIP_PX = 7
TICKS = 5
GROUND, INK = QColor("#ffffff"), QColor("#24292f")
CURVE_COLORS = (ZONE_COLORS[Zone.INFILTRATING], ZONE_COLORS[Zone.DISTAL], "#7f7f7f")


def tick_step(span: float, ticks: int = TICKS) -> float:
    """Return the step of 1, 2 or 5 times a power of ten that gives at most `ticks` steps."""
    if span <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(span / ticks))
    return float(next(m * power for m in (1, 2, 5, 10) if span / (m * power) <= ticks))


class LensPlot(QWidget):
    """Distances of one tissue in millimeters; the near line moves with the mouse.

    White like the slide's ground, so that the zones have the colors that they have there.
    """

    dragged = Signal(float)  # µm, while the button is down
    dropped = Signal(float)  # µm

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(HEIGHT_PX)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._data: LensData | None = None
        self._holds = False

    def show_data(self, data: LensData | None) -> None:
        """Draw other distances."""
        self._data = data
        if data is None or data.near_um is None:
            self._holds = False
        self.update()

    @property
    def is_dragging(self) -> bool:
        """Whether the line is in the user's hand."""
        return self._holds

    # -- geometry -------------------------------------------------------------------------

    def x_of(self, um: float) -> float:
        """Return where a distance lies, in pixels of the widget."""
        low, high = self._range_um()
        return LEFT_PX + (um - low) / (high - low) * (self.width() - LEFT_PX - RIGHT_PX)

    def um_at(self, x_px: float) -> float:
        """Return the distance at a pixel, within what is drawn."""
        low, high = self._range_um()
        share = (x_px - LEFT_PX) / max(1, self.width() - LEFT_PX - RIGHT_PX)
        return float(min(max(low + share * (high - low), low), high))

    def _range_um(self) -> tuple[float, float]:
        if self._data is None:
            return 0.0, 1.0
        return float(self._data.edges_um[0]), float(self._data.edges_um[-1])

    # -- painting -------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw everything anew; it is a few hundred bars at most."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), GROUND)
        if self._data is not None and len(self._data.counts):
            self._paint_bars(painter, self._data)
            self._paint_curves(painter, self._data)
            self._paint_axes(painter, self._data)
            self._paint_lines(painter, self._data)
        painter.end()

    def _top(self, data: LensData) -> float:
        highest = float(data.counts.max(initial=1))
        return max(highest, float(data.curves.max(initial=0.0)), 1.0) * 1.05

    def _y_of(self, tiles: float, top: float) -> float:
        room = self.height() - TOP_PX - BOTTOM_PX
        return self.height() - BOTTOM_PX - tiles / top * room

    def _paint_bars(self, painter: QPainter, data: LensData) -> None:
        top, floor = self._top(data), self.height() - BOTTOM_PX
        painter.setPen(Qt.PenStyle.NoPen)
        for count, left, right in zip(
            data.counts, data.edges_um[:-1], data.edges_um[1:], strict=True
        ):
            x0, y = self.x_of(left), self._y_of(float(count), top)
            width = max(1.0, self.x_of(right) - x0 - 0.5)
            painter.setBrush(QColor(self._zone_color(data, (left + right) / 2)))
            painter.drawRect(QRectF(x0, y, width, floor - y))

    def _zone_color(self, data: LensData, um: float) -> str:
        if data.near_um is None or data.far_um is None:
            return "#b0b0b0"
        if um <= data.near_um:
            return ZONE_COLORS[Zone.INFILTRATING]
        return ZONE_COLORS[Zone.ADJACENT if um <= data.far_um else Zone.DISTAL]

    def _paint_curves(self, painter: QPainter, data: LensData) -> None:
        top = self._top(data)
        for curve, _color in zip(data.curves, CURVE_COLORS, strict=False):
            points = QPolygonF(
                [
                    QPointF(self.x_of(um), self._y_of(tiles, top))
                    for um, tiles in zip(data.curve_um, curve, strict=True)
                ]
            )
            painter.setPen(QPen(INK, 1.4, Qt.PenStyle.SolidLine))
            painter.drawPolyline(points)

    def _paint_axes(self, painter: QPainter, data: LensData) -> None:
        floor, (low, high), top = self.height() - BOTTOM_PX, self._range_um(), self._top(data)
        painter.setPen(QPen(INK, 1))
        painter.drawLine(LEFT_PX, floor, self.width() - RIGHT_PX, floor)
        step = tick_step(high - low)
        for tick in np.arange(np.ceil(low / step) * step, high, step):
            x = self.x_of(float(tick))
            painter.drawLine(QPointF(x, floor), QPointF(x, floor + 3))
            around = QRectF(x - 30, floor + 3, 60, 13)
            painter.drawText(around, Qt.AlignmentFlag.AlignCenter, f"{tick / 1000:g}")
        for tick in np.arange(tick_step(top, 3), top, tick_step(top, 3)):
            around = QRectF(0, self._y_of(float(tick), top) - 7, LEFT_PX - 5, 14)
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(around, right, f"{tick:g}")
        below = QRectF(LEFT_PX, floor + 15, self.width() - LEFT_PX - RIGHT_PX, 15)
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, "mm from the tumor region")
        painter.drawText(QRectF(2, 0, 60, 14), Qt.AlignmentFlag.AlignLeft, "tiles")

    def _paint_lines(self, painter: QPainter, data: LensData) -> None:
        floor = self.height() - BOTTOM_PX
        if data.far_um is not None and data.far_um != data.near_um:
            painter.setPen(QPen(INK, 1, Qt.PenStyle.DashLine))
            painter.drawLine(
                QPointF(self.x_of(data.far_um), TOP_PX), QPointF(self.x_of(data.far_um), floor)
            )
        if data.near_um is None:
            return
        x = self.x_of(data.near_um)
        painter.setPen(QPen(INK, 2.4))
        painter.drawLine(QPointF(x, TOP_PX), QPointF(x, floor))
        painter.setBrush(INK)
        painter.drawEllipse(QPointF(x, TOP_PX), 4, 4)
        text, width = f"{data.near_um / 1000:.2f} mm", 70
        left = x + 7 if x + 7 + width < self.width() else x - 7 - width
        side = Qt.AlignmentFlag.AlignLeft if left > x else Qt.AlignmentFlag.AlignRight
        painter.drawText(QRectF(left, 0, width, 14), side, text)

    # -- the mouse ------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Take hold of the line, wherever the button goes down: the line comes there."""
        if event.button() == Qt.MouseButton.LeftButton and self._can_drag():
            self._holds = True
            self.dragged.emit(self.um_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Drag the line, or show that it can be."""
        x = event.position().x()
        if self._holds:
            self.dragged.emit(self.um_at(x))
            return
        data = self._data
        near = data is not None and data.near_um is not None and self._can_drag()
        over = near and abs(self.x_of(data.near_um) - x) <= GRIP_PX  # type: ignore[union-attr,arg-type]
        self.setCursor(Qt.CursorShape.SplitHCursor if over else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Let the line go."""
        if self._holds:
            self._holds = False
            self.dropped.emit(self.um_at(event.position().x()))

    def _can_drag(self) -> bool:
        return self._data is not None and self._data.n_tiles > 0

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Let go of the line if the figure is disabled under the hand."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.EnabledChange and not self.isEnabled():
            self._holds = False
