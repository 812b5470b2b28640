"""The table of tiles: filter, sort, fly, correct, save."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.errors import ReviewError
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.tile_columns import COLUMNS
from napari_crlm_spa.plugin.tile_csv import write_tile_csv
from napari_crlm_spa.plugin.tile_filter import matching
from napari_crlm_spa.plugin.tile_table import TileTable
from napari_crlm_spa.plugin.widgets.job_bar import JobBar
from napari_crlm_spa.plugin.widgets.message import Message
from napari_crlm_spa.plugin.widgets.tile_filter_row import TileFilterRow
from napari_crlm_spa.plugin.widgets.tile_model import NO_INDICES, TileModel

ROW_PX = 20
TABLE_PX = 170
#: A selection of more ranges than this is not carried over to rows that have moved.
MOST_RANGES = 2000


class TileList(QWidget):
    """Lists the tiles of one table at a time."""

    selection_changed = Signal(int)  # rows

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._sort: tuple[str, bool] | None = None
        self._quiet = False
        self.filters = TileFilterRow()
        self.model = TileModel()
        self.view = _view(self.model)
        self.count = QLabel()
        self.save_button = QPushButton("Save as CSV…")
        self.save_button.setToolTip("Writes the rows that are listed, in the order shown")
        self.job = JobBar()
        self.message = Message()
        below = QHBoxLayout()
        below.addWidget(self.count, 1)
        below.addWidget(self.save_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for part in (self.filters, self.view):
            layout.addWidget(part, int(part is self.view))
        layout.addLayout(below)
        layout.addWidget(self.job)
        layout.addWidget(self.message)
        self.filters.changed.connect(self.list_again)
        self.model.sort_wanted.connect(self._on_sort)
        self.view.selectionModel().currentChanged.connect(self._on_current)
        self.view.selectionModel().selectionChanged.connect(self._on_selection)
        self.view.clicked.connect(self._fly)
        self.save_button.clicked.connect(self._on_save)
        self.job.done.connect(lambda path: self.message.tell(f"Saved as {Path(path).name}."))
        self.job.failed.connect(self.message.show_problem)
        self.job.cancelled.connect(lambda: self.message.tell("Nothing was saved."))
        self.job.busy_changed.connect(lambda _busy: self._count())
        self.show_table(None)

    # -- what is listed -------------------------------------------------------------------

    @property
    def table(self) -> TileTable | None:
        """The tiles."""
        return self.model.table

    def show_table(self, table: TileTable | None) -> None:
        """List the tiles of a table; filter and order stay, and the selection on this slide."""
        if table is None or self.table is None or table.slide is not self.table.slide:
            # The same place on another slide is another tile, which nobody has chosen.
            self.view.selectionModel().clear()
        self._list(table)

    def list_again(self) -> None:
        """Filter and sort anew."""
        self._list(self.table)

    def _list(self, table: TileTable | None) -> None:
        if table is None:
            self.model.show(None, NO_INDICES, CRLM7)
            self._count()
            return
        indices = self._chosen(table)
        if indices is None:  # what was listed stays, with its new values
            earlier = self.model.indices
            known = self.table is not None and len(self.table) == len(table)
            indices = earlier if known else np.arange(len(table))
        marked, place = self.selected(), self.view.verticalScrollBar().value()
        self._quiet = True
        try:
            if self.model.show(table, indices, table.review.predicted.scheme):
                self._select(marked)
                self.view.verticalScrollBar().setValue(place)
        finally:
            self._quiet = False
        self._count()

    def _chosen(self, table: TileTable) -> NDArray[np.intp] | None:
        """Return the tiles that pass, in order; None if the text cannot be understood."""
        problem = ""
        try:
            keep = matching(table, self.filters.text)
            keep &= matching(table, self.filters.typed)
        except ReviewError as error:
            problem = str(error)
        self.filters.show_problem(problem)
        if problem:
            return None
        indices = np.flatnonzero(keep)
        if self._sort is not None and (table.is_known(self._sort[0])):
            indices = table.sorted_by(indices, self._sort[0], descending=self._sort[1])
        return indices

    def _on_sort(self, name: str, descending: bool) -> None:
        self._sort = (name, descending)
        self.list_again()

    def _count(self) -> None:
        listed, total = len(self.model.indices), len(self.table) if self.table else 0
        n_selected = len(self.selected())
        chosen = f" · {n_selected:,} selected" if n_selected else ""
        self.count.setText(f"{listed:,} of {total:,} tiles{chosen}" if total else "")
        self.save_button.setEnabled(listed > 0 and not self.job.busy)
        self.selection_changed.emit(n_selected)

    # -- selection ------------------------------------------------------------------------

    def selected(self) -> NDArray[np.intp]:
        """Return the indices of the selected tiles in the table."""
        ranges = self.view.selectionModel().selection()
        # By range: a list of all cells of 800,000 rows takes seconds.
        rows = [np.arange(each.top(), each.bottom() + 1) for each in ranges]
        if not rows:
            return NO_INDICES
        chosen: NDArray[np.intp] = self.model.indices[np.unique(np.concatenate(rows))]
        return chosen

    def _select(self, tiles: NDArray[np.intp]) -> None:
        """Select tiles wherever they are listed now."""
        rows = np.flatnonzero(np.isin(self.model.indices, tiles))
        if not rows.size:
            return
        runs = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)
        if len(runs) > MOST_RANGES:
            return
        selection = QItemSelection()
        for run in runs:
            last = self.model.index(int(run[-1]), len(COLUMNS) - 1)
            selection.select(self.model.index(int(run[0]), 0), last)
        how = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.view.selectionModel().select(selection, how)

    def _on_selection(self, *_changed: QItemSelection) -> None:
        if not self._quiet:
            self._count()

    def _on_current(self, now: QModelIndex, before: QModelIndex) -> None:
        if not self._quiet and now.isValid() and now.row() != before.row():
            self._fly(now)

    def _fly(self, index: QModelIndex) -> None:
        table = self.table
        if table is None or not index.isValid():
            return
        tile = int(self.model.indices[index.row()])
        self._session.fly_to_tiles(table.slide, int(table.rows[tile]), int(table.cols[tile]))

    # -- saving ---------------------------------------------------------------------------

    def _on_save(self) -> None:
        slide = self._session.current
        path = "" if slide is None else self.choose_file(slide)
        if path:
            self.save_to(Path(path))

    def choose_file(self, slide: OpenSlide) -> str:
        """Ask where to save; nothing if the user thinks better of it."""
        name = f"{slide.stem}-tiles.csv"
        path, _ = QFileDialog.getSaveFileName(self, "Save the tiles", name, "Table (*.csv)")
        return str(path)

    def save_to(self, path: Path) -> None:
        """Write the listed tiles, in the order shown, in the background."""
        if self.table is None:
            return
        self.message.clear()
        # The thread must not see the corrections of the meantime.
        self.job.start(write_tile_csv, path, self.table.compute_all(), self.model.indices)


def _view(model: TileModel) -> QTableView:
    view = QTableView()
    view.setModel(model)
    view.setMinimumHeight(TABLE_PX)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
    view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setWordWrap(False)
    view.setShowGrid(False)
    view.verticalHeader().hide()
    view.verticalHeader().setMinimumSectionSize(ROW_PX)
    view.verticalHeader().setDefaultSectionSize(ROW_PX)
    view.verticalHeader().setSectionResizeMode(view.verticalHeader().ResizeMode.Fixed)
    header = view.horizontalHeader()
    header.setHighlightSections(False)
    header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
    view.setSortingEnabled(True)
    widest = view.fontMetrics().horizontalAdvance("0")
    for section, column in enumerate(COLUMNS):
        view.setColumnWidth(section, widest * column.letters + 8)
    return view
