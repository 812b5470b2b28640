"""The log of the corrections: newest first, a click flies to the tiles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QGroupBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTableView,
    QVBoxLayout,
)

from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.review import LogEntry, Review
from napari_crlm_spa.errors import StoreError
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.tools.log_rows import HEADERS, cells, log_csv, tiles_box, tip
from napari_crlm_spa.plugin.widgets.correct.buttons import push_button
from napari_crlm_spa.plugin.widgets.tables import ROW_PX

FLIP_COLOR = "#e5534b"
SHOWN_ROWS = 7
EMPTY = "No tile was changed yet."
WIDE_COLUMN = HEADERS.index("From → to")
FIRST_NUMBER = HEADERS.index("Tiles")
#: In the order of `HEADERS`; the wide column takes what is left.
WIDTHS_PX = (44, 54, 86, 46, 0, 46, 50)
DISPLAY = Qt.ItemDataRole.DisplayRole


class LogModel(QAbstractTableModel):
    """Reads the log of a review when a row comes into view, however long the log is."""

    def __init__(self) -> None:
        super().__init__()
        self._review: Review | None = None
        self._shown = 0
        # By their place in the log: of a large step it takes a while to say what it did.
        self._cells: dict[int, tuple[str, ...]] = {}

    def follow(self, review: Review | None) -> None:
        """Show a review's log; of the same review only what was added."""
        n_now = 0 if review is None else len(review.log)
        if review is self._review and n_now >= self._shown:
            if n_now > self._shown:
                self.beginInsertRows(QModelIndex(), 0, n_now - self._shown - 1)
                self._shown = n_now
                self.endInsertRows()
            return
        self.beginResetModel()
        self._review, self._shown = review, n_now
        self._cells.clear()
        self.endResetModel()

    def entry(self, row: int) -> LogEntry:
        """Return the entry in a row; row 0 is the newest."""
        assert self._review is not None
        return self._review.log[self._shown - 1 - row]

    def _cells_of(self, row: int) -> tuple[str, ...]:
        assert self._review is not None
        place = self._shown - 1 - row
        if place not in self._cells:
            self._cells[place] = cells(self.entry(row), self._review.tissue_map.scheme)
        return self._cells[place]

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's
        """Return the number of entries."""
        return 0 if parent.isValid() else self._shown

    def columnCount(self, _parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's
        """Return the number of columns."""
        return len(HEADERS)

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = DISPLAY
    ) -> Any:
        """Name a column."""
        if role == DISPLAY and orientation == Qt.Orientation.Horizontal:
            return HEADERS[section]
        return None

    def data(self, index: QModelIndex, role: int = DISPLAY) -> Any:
        """Return what a cell shows."""
        if self._review is None or not index.isValid():
            return None
        entry, scheme = self.entry(index.row()), self._review.tissue_map.scheme
        if role == DISPLAY:
            return self._cells_of(index.row())[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(entry, scheme)
        if role == Qt.ItemDataRole.ForegroundRole and entry.flipped:
            return QColor(FLIP_COLOR)
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() >= FIRST_NUMBER:
            side = Qt.AlignmentFlag.AlignLeft
            if index.column() != WIDE_COLUMN:
                side = Qt.AlignmentFlag.AlignRight
            return side | Qt.AlignmentFlag.AlignVCenter
        return None


class LogBox(QGroupBox):
    """The log of the current slide's review, and a button that saves it."""

    def __init__(self, session: Session) -> None:
        super().__init__("Log")
        self._session = session
        self.model = LogModel()
        self.table = _table(self.model)
        self.message = QLabel(EMPTY)
        self.message.setWordWrap(True)
        self.save_button = push_button("Save as CSV…", "Save every step, oldest first")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.addWidget(self.table)
        row = QHBoxLayout()
        row.addWidget(self.message, 1)
        row.addWidget(self.save_button)
        layout.addLayout(row)
        self.table.clicked.connect(self._on_clicked)
        self.save_button.clicked.connect(self._on_save)

    def show_slide(self, slide: OpenSlide | None) -> None:
        """Show the log of a slide."""
        review = None if slide is None else slide.review
        self.setVisible(review is not None)
        self.model.follow(review)
        has_rows = self.model.rowCount() > 0
        self.table.setVisible(has_rows)
        self.save_button.setEnabled(has_rows)
        self.message.setText("Click a step to see its tiles." if has_rows else EMPTY)
        rows = min(self.model.rowCount(), SHOWN_ROWS)
        header_px = self.table.horizontalHeader().sizeHint().height()
        self.table.setFixedHeight(header_px + ROW_PX * rows + 4)

    def _on_clicked(self, index: QModelIndex) -> None:
        slide, box = self._session.current, tiles_box(self.model.entry(index.row()))
        if slide is not None and box is not None:
            self._session.fly_to_tiles(slide, *box)

    def choose_path(self) -> str:
        """Ask where to save."""
        slide = self._session.current
        name = "log.csv" if slide is None else f"{slide.stem}-log.csv"
        path, _ = QFileDialog.getSaveFileName(self, "Save the log", name, "Table (*.csv)")
        return str(path)

    def _on_save(self) -> None:
        path = self.choose_path()
        if path:
            self.save_to(Path(path))

    def save_to(self, path: Path) -> None:
        """Write the log of the current slide's review."""
        slide = self._session.current
        if slide is None or slide.review is None:
            return
        try:
            write_text(path, log_csv(slide.review.log, slide.review.tissue_map.scheme))
        except StoreError as error:
            self.message.setText(str(error))
        else:
            self.message.setText(f"Saved as {path.name}.")


def _table(model: LogModel) -> QTableView:
    table = QTableView()
    table.setModel(model)
    table.verticalHeader().hide()
    # Not by contents: that would ask for every row of a long log.
    table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    table.verticalHeader().setMinimumSectionSize(ROW_PX)
    table.verticalHeader().setDefaultSectionSize(ROW_PX)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    header = table.horizontalHeader()
    header.setHighlightSections(False)
    header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    for column, width in enumerate(WIDTHS_PX):
        table.setColumnWidth(column, width)
    header.setSectionResizeMode(WIDE_COLUMN, QHeaderView.ResizeMode.Stretch)
    return table
