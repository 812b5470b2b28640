"""Small figures of the doubt in a risk, drawn by Qt alone: nothing heavy is imported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

Floats = NDArray[np.float64]

HEIGHT_PX = 170
LEFT_PX, RIGHT_PX, TOP_PX, BOTTOM_PX = 44, 10, 20, 34
GROUND, INK, GRAY = QColor("#ffffff"), QColor("#24292f"), QColor("#8c959f")
#: Of the risk groups; blue and vermilion can be told apart by every eye.
LOW, HIGH, PLAIN = QColor("#0072b2"), QColor("#d55e00"), QColor("#6e7781")
BAND = QColor(110, 119, 129, 60)
MOST_BINS, MOST_BARS = 30, 40
FONT_PX = 11


@dataclass(frozen=True, slots=True, eq=False)
class DrawsFigure:
    """Values of draws, and where the slide's own lies.

    Parameters
    ----------
    name
        Of the quantity, for the axis.
    values
        Shape (n,); finite.
    own, cut, low, high
        The slide's value, where low and high part, and the interval; None where unknown.
    cut_is_high
        Whether a value on the cut is beyond it.
    by_group
        Whether values are colored by the side of the cut on which they lie.
    """

    name: str
    values: Floats
    own: float | None = None
    cut: float | None = None
    low: float | None = None
    high: float | None = None
    cut_is_high: bool = True
    by_group: bool = False

    def bars(self) -> list[tuple[float, float, int]]:
        """Return (left, right, draws) of each bar.

        A score has few values, so each has a bar of its own; a feature has bins.
        """
        if not len(self.values):
            return []
        found, counts = np.unique(np.round(self.values, 9), return_counts=True)
        if len(found) <= MOST_BARS and (len(found) < len(self.values) or len(found) == 1):
            gap = np.diff(found).min() if len(found) > 1 else max(abs(float(found[0])), 1.0) / 10
            span = max(float(np.ptp(found)), gap)
            half = min(gap * 0.4, span / 24)
            return [(x - half, x + half, int(n)) for x, n in zip(found, counts, strict=True)]
        counts, edges = np.histogram(self.values, bins=MOST_BINS)
        return [
            (float(a), float(b), int(n))
            for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)
        ]

    def is_beyond(self, value: float) -> bool:
        """Whether a value lies on the high side of the cut."""
        if self.cut is None:
            return False
        return value >= self.cut if self.cut_is_high else value > self.cut


@dataclass(frozen=True, slots=True, eq=False)
class PartsFigure:
    """A quantity of parts of a slide against their area.

    Parameters
    ----------
    name
        Of the quantity, for the axis.
    area_mm2, values
        Of the parts, shape (n,); finite.
    mean_area_mm2, mean, spread
        Of the parts of each size, shape (m,).
    own, cut
        The slide's value, and where low and high part; None where unknown.
    as_share
        Whether the axis goes from 0 to 100 %.
    """

    name: str
    area_mm2: Floats
    values: Floats
    mean_area_mm2: Floats
    mean: Floats
    spread: Floats | None = None
    own: float | None = None
    cut: float | None = None
    as_share: bool = False


class Axes:
    """Turns values into pixels of a figure, and draws its axes."""

    def __init__(
        self, size: QSize, x: tuple[float, float], y: tuple[float, float], *, log_x: bool = False
    ) -> None:
        self.left, self.top = LEFT_PX, TOP_PX
        self.right = max(size.width() - RIGHT_PX, LEFT_PX + 1)
        self.floor = max(size.height() - BOTTOM_PX, TOP_PX + 1)
        self.x, self.y, self.log_x = _wide(x), _wide(y), log_x

    def x_of(self, value: float) -> float:
        """Return where a value lies from left to right."""
        low, high = self.x
        if self.log_x:
            low, high, value = np.log10(low), np.log10(high), np.log10(value)
        return float(self.left + (value - low) / (high - low) * (self.right - self.left))

    def y_of(self, value: float) -> float:
        """Return where a value lies from top to bottom."""
        low, high = self.y
        return float(self.floor - (value - low) / (high - low) * (self.floor - self.top))

    def paint(self, painter: QPainter, x_name: str, y_name: str, *, percent: bool = False) -> None:
        """Draw the floor, ticks, and names."""
        painter.setPen(QPen(INK, 1))
        painter.drawLine(QPointF(self.left, self.floor), QPointF(self.right, self.floor))
        for tick in self._ticks(self.x, log=self.log_x):
            at = self.x_of(tick)
            painter.drawLine(QPointF(at, self.floor), QPointF(at, self.floor + 3))
            box = QRectF(at - 30, self.floor + 3, 60, 14)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, f"{tick:.3g}")
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for tick in self._ticks(self.y):
            box = QRectF(0, self.y_of(tick) - 7, self.left - 5, 14)
            painter.drawText(box, right, f"{tick:.0%}" if percent else f"{tick:.3g}")
        below = QRectF(self.left, self.floor + 16, self.right - self.left, 15)
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, x_name)
        painter.drawText(QRectF(4, 1, 200, 14), Qt.AlignmentFlag.AlignLeft, y_name)

    @staticmethod
    def _ticks(span: tuple[float, float], *, log: bool = False) -> list[float]:
        low, high = span
        if log:
            powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
            ticks = [m * 10.0**p for p in powers for m in (1, 2, 5)]
        else:
            power = 10.0 ** np.floor(np.log10((high - low) / 4))
            step = next(m * power for m in (1, 2, 5, 10) if (high - low) / (m * power) <= 5)
            first = int(np.ceil(low / step))
            ticks = [n * step for n in range(first, int(np.floor(high / step)) + 1)]
        return [float(tick) for tick in ticks if low <= tick <= high]


class Figure(QWidget):
    """A white figure in the panel's width: `DrawsFigure`, `PartsFigure` or nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(HEIGHT_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.content: DrawsFigure | PartsFigure | None = None

    def show_content(self, content: DrawsFigure | PartsFigure | None) -> None:
        """Draw something else."""
        self.content = content
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw everything anew."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = painter.font()
        font.setPixelSize(FONT_PX)
        painter.setFont(font)
        painter.fillRect(self.rect(), GROUND)
        content = self.content
        if content is None or not len(content.values):
            painter.setPen(GRAY)
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "nothing to draw")
        elif isinstance(content, DrawsFigure):
            _paint_draws(painter, self.size(), content)
        else:
            _paint_parts(painter, self.size(), content)
        painter.end()


def _paint_draws(painter: QPainter, size: QSize, figure: DrawsFigure) -> None:
    bars = figure.bars()
    ends = [x for left, right, _ in bars for x in (left, right)]
    known = [x for x in (figure.own, figure.cut, figure.low, figure.high) if x is not None]
    axes = Axes(size, _span([*ends, *known]), (0.0, max(n for *_, n in bars) * 1.08))
    painter.setPen(Qt.PenStyle.NoPen)
    if figure.low is not None and figure.high is not None:
        x0, x1 = axes.x_of(figure.low), axes.x_of(figure.high)
        # An interval of one value is seen, too.
        x0, x1 = (x0 - 2, x1 + 2) if x1 - x0 < 4 else (x0, x1)
        painter.fillRect(QRectF(x0, axes.top, x1 - x0, axes.floor - axes.top), BAND)
    for left, right, n in bars:
        beyond = figure.is_beyond((left + right) / 2)
        painter.setBrush((HIGH if beyond else LOW) if figure.by_group else PLAIN)
        x0, x1 = axes.x_of(left), axes.x_of(right)
        y = axes.y_of(n)
        painter.drawRect(QRectF(x0, y, max(x1 - x0 - 0.5, 2.0), axes.floor - y))
    if figure.cut is not None:
        _line(painter, axes, figure.cut, QPen(INK, 1, Qt.PenStyle.DashLine))
    if figure.own is not None:
        _needle(painter, axes, figure.own)
    axes.paint(painter, figure.name, "draws")


def _paint_parts(painter: QPainter, size: QSize, figure: PartsFigure) -> None:
    known = [x for x in (figure.own, figure.cut) if x is not None]
    y = (0.0, 1.05) if figure.as_share else _span([*figure.values, *known])
    areas = [*figure.area_mm2, *figure.mean_area_mm2]
    axes = Axes(size, (min(areas) * 0.9, max(areas) * 1.1), y, log_x=True)
    painter.setPen(Qt.PenStyle.NoPen)
    order = np.argsort(figure.mean_area_mm2)
    if figure.spread is not None:
        spread = np.nan_to_num(figure.spread)
        _band(painter, axes, figure.mean_area_mm2[order], figure.mean[order], spread[order])
    dot = QColor(PLAIN)
    dot.setAlpha(130)
    painter.setBrush(dot)
    if not figure.as_share:
        for area, value in zip(figure.area_mm2, figure.values, strict=True):
            painter.drawEllipse(QPointF(axes.x_of(area), axes.y_of(value)), 2.2, 2.2)
    painter.setPen(QPen(LOW, 2))
    points = [
        QPointF(axes.x_of(a), axes.y_of(m))
        for a, m in zip(figure.mean_area_mm2[order], figure.mean[order], strict=True)
        if np.isfinite(m)
    ]
    painter.drawPolyline(QPolygonF(points))
    painter.setBrush(LOW)
    for point in points:
        painter.drawEllipse(point, 2.5, 2.5)
    for value, pen in (
        (figure.cut, QPen(INK, 1, Qt.PenStyle.DashLine)),
        (figure.own, QPen(INK, 1.6)),
    ):
        if value is not None:
            painter.setPen(pen)
            at = axes.y_of(value)
            painter.drawLine(QPointF(axes.left, at), QPointF(axes.right, at))
    axes.paint(painter, "mm² of tissue in a part", figure.name, percent=figure.as_share)


def _band(painter: QPainter, axes: Axes, x: Floats, mean: Floats, spread: Floats) -> None:
    known = np.isfinite(mean)
    x, low, high = x[known], (mean - spread)[known], (mean + spread)[known]
    above = [QPointF(axes.x_of(a), axes.y_of(b)) for a, b in zip(x, high, strict=True)]
    below = [QPointF(axes.x_of(a), axes.y_of(b)) for a, b in zip(x, low, strict=True)]
    painter.setBrush(BAND)
    painter.setClipRect(QRectF(axes.left, axes.top, axes.right - axes.left, axes.floor - axes.top))
    painter.drawPolygon(QPolygonF([*above, *reversed(below)]))
    painter.setClipping(False)


def _line(painter: QPainter, axes: Axes, value: float, pen: QPen) -> None:
    painter.setPen(pen)
    x = axes.x_of(value)
    painter.drawLine(QPointF(x, axes.top), QPointF(x, axes.floor))


def _needle(painter: QPainter, axes: Axes, value: float) -> None:
    """Mark the slide's own value."""
    _line(painter, axes, value, QPen(INK, 2.2))
    x = axes.x_of(value)
    painter.setBrush(INK)
    tip = [QPointF(x - 5, axes.top - 6), QPointF(x + 5, axes.top - 6), QPointF(x, axes.top + 3)]
    painter.drawPolygon(QPolygonF(tip))
    left = x + 70 > axes.right
    box = QRectF(x - 78 if left else x + 8, axes.top - 13, 70, 13)
    side = Qt.AlignmentFlag.AlignRight if left else Qt.AlignmentFlag.AlignLeft
    painter.drawText(box, side | Qt.AlignmentFlag.AlignVCenter, "this slide")


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = float(min(values)), float(max(values))
    margin = 0.04 * (high - low)
    return low - margin, high + margin


def _wide(span: tuple[float, float]) -> tuple[float, float]:
    low, high = span
    return (low, high) if high > low else (low - 0.5, low + 0.5)
