"""The legend: each tissue's color, tiles, area and share, and its probability under the pointer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qtpy.QtCore import QModelIndex, QPersistentModelIndex, QRectF, Qt, Signal
from qtpy.QtGui import QBrush, QColor, QPainter, QPalette
from qtpy.QtWidgets import QHeaderView, QStyledItemDelegate, QStyleOptionViewItem, QTableWidgetItem

from napari_crlm_spa.plugin.tables import LegendRow
from napari_crlm_spa.plugin.widgets.tables import FRAME_COLOR, ReadOnlyTable, swatch

SHARE_TIP = "Part of all tissue tiles; background is no tissue"
HERE_TIP = "Probability of each class of the tile under the pointer, as the network gave it"
#: The legend is always there, so its rows are a little lower than those of other tables.
LEGEND_ROW_PX = 19
HERE_COLUMN = 4
HERE_PX = 92
NUMBER_PX = 34
BAR_PX = 7
GROUND_ALPHA = 40
ROLE_PROBABILITY, ROLE_COLOR = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1


class LegendTable(ReadOnlyTable):
    """Rows that can be clicked: once for one class, twice for this class alone."""

    clicked_class = Signal(str)
    double_clicked_class = Signal(str)

    def __init__(self) -> None:
        super().__init__(["Tissue", "Tiles", "mm²", "% of tissue", "Here"], LEGEND_ROW_PX)
        self.horizontalHeaderItem(3).setToolTip(SHARE_TIP)
        self.horizontalHeaderItem(HERE_COLUMN).setToolTip(HERE_TIP)
        header = self.horizontalHeader()
        header.setSectionResizeMode(HERE_COLUMN, QHeaderView.ResizeMode.Fixed)
        header.resizeSection(HERE_COLUMN, HERE_PX)
        self._bars = _Bars(self)
        self.setItemDelegateForColumn(HERE_COLUMN, self._bars)
        self._names: list[str] = []
        self._fitted = -1
        self.cellClicked.connect(lambda row, _column: self._emit(self.clicked_class, row))
        self.cellDoubleClicked.connect(
            lambda row, _column: self._emit(self.double_clicked_class, row)
        )

    def show_rows(
        self, rows: Sequence[LegendRow], hidden: frozenset[str], what_a_click_does: str
    ) -> None:
        """Show the counts; hidden classes are counted, but dim."""
        self._names = [row.name for row in rows]
        while self.rowCount() > len(rows):
            self.removeRow(self.rowCount() - 1)
        for at, row in enumerate(rows):
            tip = f"{row.name} in the paper\n{what_a_click_does}"
            share = "–" if row.share is None else f"{100 * row.share:.1f}"
            texts = (row.title, f"{row.tiles:,}", f"{row.area_mm2:.2f}", share)
            for column, text in enumerate(texts):
                self.tell(at, column, text, SHARE_TIP if column == 3 else tip)
            self._color(at, row.color, hidden=row.name in hidden)
        self._fit_once()

    def _color(self, row: int, color: str, *, hidden: bool) -> None:
        here = self._here(row)
        if here.data(ROLE_COLOR) == (color, hidden):
            return
        here.setData(ROLE_COLOR, (color, hidden))
        self.item(row, 0).setIcon(swatch(color, hollow=hidden))
        dim = self.palette().color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text)
        for column in range(HERE_COLUMN):
            # Without a color of its own a cell follows the theme.
            self.item(row, column).setData(
                Qt.ItemDataRole.ForegroundRole, QBrush(dim) if hidden else None
            )

    def _fit_once(self) -> None:
        if self._fitted != self.rowCount():
            self._fitted = self.rowCount()
            self.fit()

    def show_probabilities(self, probabilities: Mapping[str, float], chosen: str) -> None:
        """Show the probabilities of a tile, by class name; none empties the column.

        Parameters
        ----------
        probabilities
            What the network gave.
        chosen
            The class that the tile has; its name is bold.
        """
        for at, name in enumerate(self._names):
            here = self._here(at)
            value = probabilities.get(name)
            if here.data(ROLE_PROBABILITY) != value:
                here.setData(ROLE_PROBABILITY, value)
                here.setText("" if value is None else f"{value:.2f}")
            title = self.item(at, 0)
            font = title.font()
            if font.bold() != (name == chosen):
                font.setBold(name == chosen)
                title.setFont(font)

    def row_of(self, name: str) -> int:
        """Return the row of a class."""
        return self._names.index(name)

    def _here(self, row: int) -> QTableWidgetItem:
        if self.item(row, HERE_COLUMN) is None:
            self.put(row, HERE_COLUMN, "", HERE_TIP)
        return self.item(row, HERE_COLUMN)

    def _emit(self, signal: Signal, row: int) -> None:
        if row < len(self._names):
            signal.emit(self._names[row])


class _Bars(QStyledItemDelegate):
    """Paints a probability as a number with a bar."""

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        value = index.data(ROLE_PROBABILITY)
        if value is None:
            return
        room = QRectF(option.rect).adjusted(4, 0, -NUMBER_PX - 4, 0)
        top = room.center().y() - BAR_PX / 2
        text = option.palette.text().color()
        ground = QColor(text)
        ground.setAlpha(GROUND_ALPHA)
        painter.fillRect(QRectF(room.left(), top, room.width(), BAR_PX), ground)
        bar = QRectF(room.left(), top, value * room.width(), BAR_PX)
        painter.fillRect(bar, QColor(index.data(ROLE_COLOR)[0]))
        # A dark bar is seen on a dark ground, too.
        painter.setPen(QColor(FRAME_COLOR))
        painter.drawRect(bar)
        painter.setPen(text)
        side = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(option.rect).adjusted(0, 0, -2, 0), side, f"{value:.2f}")
