"""A quiet table: shows rows, selects nothing, never larger than its rows."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QRect, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPen, QPixmap
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

ROW_PX = 21
SWATCH_PX = 14
FRAME_COLOR = "#808080"
HOLLOW_PX = 2


class ReadOnlyTable(QTableWidget):
    """A table of texts: the first column takes the room, numbers stand right.

    Parameters
    ----------
    headers
        Of the columns.
    row_px
        Height of a row.
    """

    def __init__(self, headers: Sequence[str], row_px: int = ROW_PX) -> None:
        super().__init__(0, len(headers))
        self._row_px = row_px
        self.setHorizontalHeaderLabels(list(headers))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(row_px)
        self.verticalHeader().setMinimumSectionSize(row_px)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setShowGrid(False)
        self.setAlternatingRowColors(False)
        self.setWordWrap(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        for column in range(len(headers)):
            item = self.horizontalHeaderItem(column)
            item.setTextAlignment(_alignment(column))

    def put(
        self,
        row: int,
        column: int,
        text: str,
        tip: str = "",
        color: str = "",
        *,
        editable: bool = False,
    ) -> None:
        """Show a text in a cell; with a color, a swatch stands before it."""
        while self.rowCount() <= row:
            self.insertRow(self.rowCount())
        item = QTableWidgetItem(text)
        item.setTextAlignment(_alignment(column))
        item.setToolTip(tip)
        if not editable:
            item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)
        if color:
            item.setIcon(swatch(color))
        self.setItem(row, column, item)

    def tell(self, row: int, column: int, text: str, tip: str = "") -> None:
        """Change a cell only if it says something else: every change lays the table out anew."""
        item = self.item(row, column)
        if item is None:
            self.put(row, column, text, tip)
            return
        if item.text() != text:
            item.setText(text)
        if item.toolTip() != tip:
            item.setToolTip(tip)

    def fit(self) -> None:
        """Be exactly as high as the rows need; without rows there is no table."""
        height = self.horizontalHeader().sizeHint().height() + self._row_px * self.rowCount() + 4
        self.setFixedHeight(height)
        self.setVisible(self.rowCount() > 0)

    def text(self, row: int, column: int) -> str:
        """Return what a cell shows."""
        item = self.item(row, column)
        return "" if item is None else item.text()


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter


def swatch(color: str, *, hollow: bool = False) -> QIcon:
    """Return a square in a color; its frame shows even the color of the ground around.

    Parameters
    ----------
    color
        Its color.
    hollow
        Draw only its edge, in the color.
    """
    pixmap = QPixmap(SWATCH_PX, SWATCH_PX)
    pixmap.fill(QColor(0, 0, 0, 0) if hollow else QColor(FRAME_COLOR))
    inside = QRect(1, 1, SWATCH_PX - 2, SWATCH_PX - 2)
    painter = QPainter(pixmap)
    if hollow:
        painter.setPen(QPen(QColor(color), HOLLOW_PX))
        painter.drawRect(inside.adjusted(0, 0, -1, -1))
    else:
        painter.fillRect(inside, QColor(color))
    painter.end()
    return QIcon(pixmap)
