"""The patients for Qt: asks for the few cells that are in view, and draws groups as chips."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import QAbstractTableModel, QModelIndex, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFont, QPainter, QPen
from qtpy.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from napari_crlm_spa.plugin.cohort.patient_table import GROUP, Column, Indices, PatientTable

NO_ROWS: Indices = np.zeros(0, np.intp)
#: Patients whose slides were corrected after the table was made.
CORRECTED = " ✎"
CORRECTED_TIP = "Corrected after the cohort was built: the numbers here are the earlier ones."
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
CHIP_PX, CHIP_MARGIN_PX = 15, 4
_FRAME = QColor("#808080")
#: Above this lightness black letters are read best.
_LIGHT = 140


class PatientModel(QAbstractTableModel):
    """Rows are `rows` of a `PatientTable`, in the order in which they are shown."""

    CHIP = Qt.ItemDataRole.UserRole + 1
    sort_wanted = Signal(str, bool)  # column, descending

    def __init__(self) -> None:
        super().__init__()
        self.table: PatientTable | None = None
        self.rows = NO_ROWS
        self.columns: list[Column] = []
        self.corrected: set[int] = set()

    def show(self, table: PatientTable | None, rows: Indices, names: list[str]) -> None:
        """Show other patients or columns."""
        self.beginResetModel()
        self.table, self.rows = table, rows
        self.columns = [] if table is None else [table.column(name) for name in names]
        self.endResetModel()

    def reorder(self, rows: Indices) -> None:
        """Show the same columns of other rows."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def mark_corrected(self, rows: set[int]) -> None:
        """Mark patients whose slides were corrected after the table was made."""
        if rows != self.corrected:
            self.corrected = rows
            if len(self.rows):
                end = self.index(len(self.rows) - 1, 0)
                self.dataChanged.emit(self.index(0, 0), end)

    # -- Qt -------------------------------------------------------------------------------

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008
        """Count the rows."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008
        """Count the columns."""
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        if self.table is None or not index.isValid():
            return None
        row, column = int(self.rows[index.row()]), self.columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            mark = CORRECTED if index.column() == 0 and row in self.corrected else ""
            return self.table.text(row, column.name) + mark
        if role == Qt.ItemDataRole.ToolTipRole and row in self.corrected:
            return CORRECTED_TIP
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _LEFT if column.is_text else _RIGHT
        if role == self.CHIP and column.name == GROUP and self.table.grouping is not None:
            return self.table.grouping.color(row)
        return None

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return a heading, and what it means as its tooltip."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{column.tip}\nIn filters and files: {column.name}"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _LEFT if column.is_text else _RIGHT
        return None

    def sort(self, section: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Ask for another order (the view calls this when a heading is clicked)."""
        if 0 <= section < len(self.columns):
            self.sort_wanted.emit(self.columns[section].name, order == Qt.SortOrder.DescendingOrder)


class ChipDelegate(QStyledItemDelegate):
    """Draws a group as a chip in the color of its curve."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw a cell."""
        color = index.data(PatientModel.CHIP)
        if not color:
            super().paint(painter, option, index)
            return
        plain = QStyleOptionViewItem(option)
        self.initStyleOption(plain, index)
        text, plain.text = plain.text, ""
        widget: QWidget | None = option.widget
        if widget is not None:
            control = QStyle.ControlElement.CE_ItemViewItem
            widget.style().drawControl(control, plain, painter, widget)
        _paint_chip(painter, QRectF(option.rect), text, QColor(color), plain.font)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:  # noqa: N802
        """Leave room for the chip's ends."""
        size = super().sizeHint(option, index)
        return QSize(size.width() + 2 * CHIP_MARGIN_PX, size.height())


def _paint_chip(painter: QPainter, cell: QRectF, text: str, color: QColor, font: QFont) -> None:
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(font)
    metrics = painter.fontMetrics()
    room = cell.width() - 2 * CHIP_MARGIN_PX
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(room - 12))
    width = min(metrics.horizontalAdvance(shown) + 14.0, room)
    top = cell.center().y() - CHIP_PX / 2
    chip = QRectF(cell.left() + CHIP_MARGIN_PX, top, width, CHIP_PX)
    painter.setPen(QPen(_FRAME, 1))
    painter.setBrush(color)
    painter.drawRoundedRect(chip, CHIP_PX / 2, CHIP_PX / 2)
    light = 0.299 * color.red() + 0.587 * color.green() + 0.114 * color.blue() > _LIGHT
    painter.setPen(QColor("#000000" if light else "#ffffff"))
    painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, shown)
    painter.restore()
