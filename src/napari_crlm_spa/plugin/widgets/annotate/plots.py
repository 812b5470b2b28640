"""The loss of a training as it goes on, and two confusion matrices side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

if TYPE_CHECKING:
    from napari_crlm_spa.core.classifier.metrics import Evaluation

CURVE_HEIGHT_PX, CELL_MAX_PX, NAME_PX = 130, 30, 32
TRAIN_COLOR, HELD_COLOR, BEST_COLOR = "#e69f00", "#56b4e9", "#ffffff"
GROUND, TEXT, AXIS = "#1e2127", "#d8d8d8", "#6a6f78"
MARGIN_PX = 34
#: Of a matrix: its title and the names of the columns.
TOP_PX = 30


class Epoch(Protocol):
    """What is drawn of an epoch."""

    @property
    def epoch(self) -> int:
        """Its number, from 1."""

    @property
    def train_loss(self) -> float:
        """On the tiles that are learned from."""

    @property
    def validation_loss(self) -> float:
        """On those held back; nan where there are none."""

    @property
    def best(self) -> bool:
        """Whether it was better than all before."""


class LossCurve(QWidget):
    """Loss by epoch, on the training's tiles and on the held-back ones."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[Epoch] = []
        self.setFixedHeight(CURVE_HEIGHT_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def clear(self) -> None:
        """Forget the last training."""
        self.epochs = []
        self.update()

    def add(self, epoch: Epoch) -> None:
        """Take one more epoch in."""
        self.epochs.append(epoch)
        self.update()

    def show_all(self, epochs: Sequence[Epoch]) -> None:
        """Show a whole training."""
        self.epochs = list(epochs)
        self.update()

    @property
    def top(self) -> float:
        """The highest loss that is shown."""
        values = [v for e in self.epochs for v in (e.train_loss, e.validation_loss)]
        return max((v for v in values if math.isfinite(v)), default=1.0) or 1.0

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw axes, curves and their names."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(GROUND))
        field = QRectF(MARGIN_PX, 20, self.width() - MARGIN_PX - 10, self.height() - 38)
        painter.setPen(QColor(AXIS))
        painter.drawLine(field.bottomLeft(), field.bottomRight())
        painter.drawLine(field.bottomLeft(), field.topLeft())
        self._write(painter, field)
        for name, color in (("train_loss", TRAIN_COLOR), ("validation_loss", HELD_COLOR)):
            points = [(e.epoch, getattr(e, name)) for e in self.epochs]
            self._draw(painter, field, [p for p in points if math.isfinite(p[1])], color)
        self._mark_best(painter, field)
        painter.end()

    def _place(self, field: QRectF, epoch: float, loss: float) -> QPointF:
        last = max(len(self.epochs), 2)
        x = field.left() + (epoch - 1) / (last - 1) * field.width()
        return QPointF(x, field.bottom() - loss / self.top * field.height())

    def _draw(
        self, painter: QPainter, field: QRectF, points: list[tuple[int, float]], color: str
    ) -> None:
        painter.setPen(QPen(QColor(color), 2))
        places = [self._place(field, *point) for point in points]
        if len(places) == 1:
            painter.drawEllipse(places[0], 2.0, 2.0)
        painter.drawPolyline(QPolygonF(places))

    def _mark_best(self, painter: QPainter, field: QRectF) -> None:
        best = [e for e in self.epochs if e.best and math.isfinite(e.validation_loss)]
        if best:
            painter.setPen(QPen(QColor(BEST_COLOR), 1))
            painter.drawEllipse(self._place(field, best[-1].epoch, best[-1].validation_loss), 4, 4)

    def _write(self, painter: QPainter, field: QRectF) -> None:
        painter.setPen(QColor(TEXT))
        painter.drawText(QPointF(4, field.top() + 5), f"{self.top:.2f}")
        painter.drawText(QPointF(18, field.bottom()), "0")
        painter.drawText(
            QRectF(field.left(), field.bottom() + 1, field.width(), 17),
            Qt.AlignmentFlag.AlignRight,
            f"epoch {len(self.epochs)}",
        )
        x = field.left()
        held = any(math.isfinite(e.validation_loss) for e in self.epochs)
        for text, color in [("loss: training", TRAIN_COLOR)] + [("held back", HELD_COLOR)] * held:
            painter.setPen(QColor(color))
            painter.drawText(QPointF(x, 14), text)
            x += painter.fontMetrics().horizontalAdvance(text) + 16
        if held:
            painter.setPen(QColor(BEST_COLOR))
            painter.drawText(QPointF(x, 14), "○ best")


class Confusions(QWidget):
    """Tiles by true class (row) and predicted class (column), before and after."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[tuple[str, Evaluation]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            "Rows: what tiles are. Columns: what the model says. Shade: share of the row."
        )

    def show_tables(self, tables: Sequence[tuple[str, Evaluation]]) -> None:
        """Show tables side by side, each with its title; none hides the widget."""
        self.tables = list(tables)
        self.setVisible(bool(tables))
        self._fit()
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Be as high as the cells need."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        height = round(self._cell() * self._rows() + TOP_PX + 4) if self.tables else 0
        if height != self.height():
            self.setFixedHeight(height)

    def _rows(self) -> int:
        return len(self._kept())

    def _kept(self) -> list[int]:
        """Classes that some tile has or is taken for."""
        if not self.tables:
            return []
        sums = [(t.confusion + t.confusion.T).sum(axis=0) for _, t in self.tables]
        return [i for i, totals in enumerate(zip(*sums, strict=True)) if any(totals)]

    def _cell(self) -> float:
        room = self.width() / max(len(self.tables), 1) - NAME_PX - 8
        return min(room / max(self._rows(), 1), CELL_MAX_PX)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the tables."""
        painter = QPainter(self)
        font = painter.font()
        font.setPixelSize(10)
        painter.setFont(font)
        for number, (title, table) in enumerate(self.tables):
            left = number * self.width() / len(self.tables)
            self._draw(painter, left, title, table)
        painter.end()

    def _draw(self, painter: QPainter, left: float, title: str, table: Evaluation) -> None:
        cell, kept = self._cell(), self._kept()
        names = [table.class_names[i] for i in kept]
        painter.setPen(QColor(TEXT))
        painter.drawText(QPointF(left + NAME_PX, 11), title)
        top = float(TOP_PX)
        for row, i in enumerate(kept):
            total = int(table.confusion[i].sum())
            painter.setPen(QColor(TEXT))
            y = top + row * cell
            painter.drawText(
                QRectF(left, y, NAME_PX - 3, cell),
                Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                names[row],
            )
            x = left + NAME_PX + row * cell
            painter.drawText(QRectF(x, 14, cell, 15), Qt.AlignmentFlag.AlignCenter, names[row][:4])
            for column, j in enumerate(kept):
                box = QRectF(left + NAME_PX + column * cell, y, cell - 1, cell - 1)
                self._draw_cell(painter, box, int(table.confusion[i, j]), total, right=i == j)

    def _draw_cell(
        self, painter: QPainter, box: QRectF, count: int, total: int, *, right: bool
    ) -> None:
        color = QColor("#3b8f5a" if right else "#c0392b")
        color.setAlphaF(0.12 if not count else 0.25 + 0.75 * count / total)
        painter.fillRect(box, QColor(GROUND))
        painter.fillRect(box, color if count else QColor("#2b2f36"))
        if count:
            painter.setPen(QColor("white"))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(count))
