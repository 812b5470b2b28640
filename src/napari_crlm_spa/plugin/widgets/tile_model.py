"""The tile table for Qt: asks for the few cells that are in view, however many rows there are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from qtpy.QtGui import QIcon

from napari_crlm_spa.core.classes import ClassScheme
from napari_crlm_spa.plugin.tile_columns import COLUMNS
from napari_crlm_spa.plugin.tile_table import TileTable
from napari_crlm_spa.plugin.widgets.tables import swatch

NO_INDICES: NDArray[np.intp] = np.zeros(0, np.intp)
#: Columns that name a tissue and show its color.
_TISSUES = ("class",)
_WORDS = ("class", "predicted", "second", "marks", "state", "zone", "edge")
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class TileModel(QAbstractTableModel):
    """Rows are `indices` of a `TileTable`, in the order in which they are shown."""

    sort_wanted = Signal(str, bool)  # column name, descending

    def __init__(self) -> None:
        super().__init__()
        self.table: TileTable | None = None
        self.indices = NO_INDICES
        self._icons: dict[str, QIcon] = {}

    def show(self, table: TileTable | None, indices: NDArray[np.intp], scheme: ClassScheme) -> bool:
        """Show other tiles, or new values of the same; tell whether the rows are others."""
        self._icons = {tissue.name: swatch(tissue.color) for tissue in scheme.classes}
        same = table is not None and self.table is not None and len(indices) == len(self.indices)
        if same and np.array_equal(indices, self.indices):
            self.table = table
            if len(indices):
                corners = self.index(0, 0), self.index(len(indices) - 1, len(COLUMNS) - 1)
                self.dataChanged.emit(*corners)
            return False
        self.beginResetModel()
        self.table, self.indices = table, indices
        self.endResetModel()
        return True

    # -- Qt -------------------------------------------------------------------------------

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008
        """Count the rows."""
        return 0 if parent.isValid() else len(self.indices)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008
        """Count the columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        if self.table is None or not index.isValid():
            return None
        column = COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self.table.text(int(self.indices[index.row()]), column)
        if role == Qt.ItemDataRole.DecorationRole and column.name in _TISSUES:
            return self._icons.get(self.table.text(int(self.indices[index.row()]), column))
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _LEFT if column.name in _WORDS else _RIGHT
        return None

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return a heading, and what it means as its tooltip."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = COLUMNS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{column.tip}\nIn filters and files: {column.name}"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _LEFT if column.name in _WORDS else _RIGHT
        return None

    def sort(self, section: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Ask for another order (the view calls this when a heading is clicked)."""
        if 0 <= section < len(COLUMNS):
            self.sort_wanted.emit(COLUMNS[section].name, order == Qt.SortOrder.DescendingOrder)
