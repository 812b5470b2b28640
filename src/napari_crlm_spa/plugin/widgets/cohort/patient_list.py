"""The table of patients: filter, sort, choose columns, walk through with the arrows."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import (
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPoint,
    QSignalBlocker,
    Qt,
    Signal,
)
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.core.cohort.columns import PATIENT
from napari_crlm_spa.errors import CohortError
from napari_crlm_spa.plugin.cohort.patient_table import (
    EXAMPLE,
    GROUP,
    Indices,
    PatientTable,
)
from napari_crlm_spa.plugin.memory import recall, remember
from napari_crlm_spa.plugin.widgets.cohort.patient_model import (
    CHIP_PX,
    NO_ROWS,
    ChipDelegate,
    PatientModel,
)

ROW_PX, TABLE_PX, BESIDE_TEXT_PX = 20, 150, 14
COLUMNS = "cohort_columns"
_WRONG = "QLineEdit {border: 1px solid #e5534b;}"


class PatientList(QWidget):
    """Lists patients; says which one is looked at and whose slide is wanted."""

    current_changed = Signal(int)  # row of the table, -1: nobody
    open_wanted = Signal(int)  # row of the table

    def __init__(self) -> None:
        super().__init__()
        self._sort: tuple[str, bool] | None = None
        self._current = -1
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter (Ctrl+F)")
        self.filter.setToolTip(
            f"Words and comparisons, for instance: {EXAMPLE}. Esc shows all again."
        )
        self.filter.setClearButtonEnabled(True)
        self.columns_button = QPushButton("Columns")
        self.columns_button.setToolTip("Choose what the table shows")
        self.columns_menu = QMenu(self)
        self.columns_button.setMenu(self.columns_menu)
        self.model = PatientModel()
        self.view = _view(self.model)
        self.count = QLabel()
        self.open_button = QPushButton("Open slide")
        self.open_button.setToolTip("Open the patient's slide with its map (Enter, double click)")
        self._lay_out()
        self._connect()
        self.show_table(None)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.filter, 1)
        top.addWidget(self.columns_button)
        below = QHBoxLayout()
        below.addWidget(self.count, 1)
        below.addWidget(self.open_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self.view, 1)
        layout.addLayout(below)

    def _connect(self) -> None:
        self.filter.textChanged.connect(lambda _text: self.list_again())
        self.filter.returnPressed.connect(self._to_first)
        self.model.sort_wanted.connect(self._on_sort)
        self.view.selectionModel().currentChanged.connect(self._on_current)
        self.view.activated.connect(self._on_activated)
        self.open_button.clicked.connect(lambda: self.open_wanted.emit(self._current))
        header = self.view.horizontalHeader()
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._on_header_menu)
        self.filter.installEventFilter(self)
        self.view.installEventFilter(self)

    # -- what is listed -------------------------------------------------------------------

    @property
    def table(self) -> PatientTable | None:
        """The patients."""
        return self.model.table

    @property
    def current(self) -> int:
        """The row of the table that is looked at; -1: nobody."""
        return self._current

    def show_table(self, table: PatientTable | None) -> None:
        """List the patients of a table, in its order."""
        self._sort, self._current = None, -1
        self.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.model.corrected = set()
        with QSignalBlocker(self.filter):
            self.filter.clear()
        self._fill_columns_menu(table)
        self._list(table, self._shown(table))
        self.current_changed.emit(-1)

    def list_again(self) -> None:
        """Filter and sort anew."""
        if self.table is None:
            return
        rows = self._chosen(self.table)
        if rows is not None:
            self._keeping(lambda: self.model.reorder(rows))

    def show_groups(self) -> None:
        """Show the groups that were chosen just now; those who are filtered by them change."""
        self._list(self.table, [column.name for column in self.model.columns])

    def _list(self, table: PatientTable | None, names: list[str]) -> None:
        rows = NO_ROWS if table is None else self._chosen(table)
        if rows is None:
            rows = self.model.rows
        self._keeping(lambda: self.model.show(table, rows, names))
        metrics = self.view.fontMetrics()
        for section, column in enumerate(self.model.columns):
            assert table is not None
            beside = CHIP_PX if column.name == GROUP else 0
            text = metrics.horizontalAdvance(table.longest(column.name))
            self.view.setColumnWidth(section, text + BESIDE_TEXT_PX + beside)

    def _keeping(self, change: Callable[[], None]) -> None:
        """Change what is listed; who is looked at stays so, listed or not."""
        with QSignalBlocker(self.view.selectionModel()):
            change()
            self._point_at(self._current)
        self.view.viewport().update()
        self._count()

    def _chosen(self, table: PatientTable) -> Indices | None:
        """Return the rows that pass, in order; None if the filter cannot be understood."""
        try:
            rows = table.matching(self.filter.text()).nonzero()[0]
        except CohortError as error:
            self.filter.setStyleSheet(_WRONG)
            self.count.setText(str(error))
            return None
        self.filter.setStyleSheet("")
        if self._sort is not None:
            rows = table.sorted_by(rows, self._sort[0], descending=self._sort[1])
        return rows

    def _on_sort(self, name: str, descending: bool) -> None:
        self._sort = (name, descending)
        self.list_again()

    def _count(self) -> None:
        listed, total = len(self.model.rows), 0 if self.table is None else len(self.table)
        shown = f"{total:,} patients" if listed == total else f"{listed:,} of {total:,} patients"
        self.count.setText(shown if total else "")
        self.open_button.setEnabled(self._current >= 0)

    # -- who is looked at -----------------------------------------------------------------

    def look_at(self, row: int) -> None:
        """Look at a patient, who need not be listed."""
        if row == self._current:
            return
        self._current = row
        with QSignalBlocker(self.view.selectionModel()):
            self._point_at(row)
        self.view.viewport().update()
        self._count()
        self.current_changed.emit(row)

    def _point_at(self, row: int) -> None:
        found = (self.model.rows == row).nonzero()[0]
        if not len(found):
            self.view.clearSelection()
            self.view.setCurrentIndex(QModelIndex())
            return
        index = self.model.index(int(found[0]), 0)
        flags = QItemSelectionModel.SelectionFlag
        self.view.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self.view.scrollTo(index)

    def _on_current(self, now: QModelIndex, before: QModelIndex) -> None:
        if now.isValid() and now.row() != before.row():
            self._current = int(self.model.rows[now.row()])
            self._count()
            self.current_changed.emit(self._current)

    def _on_activated(self, index: QModelIndex) -> None:
        if index.isValid():
            self.open_wanted.emit(int(self.model.rows[index.row()]))

    def _to_first(self) -> None:
        """Go from the filter to what it has found."""
        if len(self.model.rows):
            self.view.setFocus()
            if self._current not in self.model.rows:
                self.look_at(int(self.model.rows[0]))

    def find(self) -> None:
        """Go to the filter."""
        self.filter.setFocus()
        self.filter.selectAll()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Show all patients again with Escape; with nothing to widen it is not ours."""
        is_key = event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent)
        if is_key and event.key() == Qt.Key.Key_Escape and self.filter.text():
            self.filter.clear()
            return True
        return False

    # -- columns --------------------------------------------------------------------------

    def _shown(self, table: PatientTable | None) -> list[str]:
        if table is None:
            return []
        kept = recall().get(COLUMNS)
        kept = [name for name in kept if name in table.names] if isinstance(kept, list) else []
        return kept or table.first_shown()

    def _fill_columns_menu(self, table: PatientTable | None) -> None:
        self.columns_menu.clear()
        self.columns_button.setEnabled(table is not None)
        if table is None:
            return
        shown = self._shown(table)
        for name in table.names:
            column = table.column(name)
            action = self.columns_menu.addAction(column.title)
            action.setToolTip(column.tip)
            action.setCheckable(True)
            action.setData(name)
            action.setChecked(name in shown)
            # Without names nobody knows who is meant.
            action.setEnabled(name != PATIENT)
            action.triggered.connect(self._on_columns)

    def _on_columns(self) -> None:
        if self.table is None:
            return
        names = [a.data() for a in self.columns_menu.actions() if a.isChecked()]
        remember(**{COLUMNS: names})
        self._list(self.table, names)

    def _on_header_menu(self, at: QPoint) -> None:
        self.columns_menu.popup(self.view.horizontalHeader().mapToGlobal(at))


def _view(model: PatientModel) -> QTableView:
    view = QTableView()
    view.setModel(model)
    view.setItemDelegate(ChipDelegate(view))
    view.setMinimumHeight(TABLE_PX)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setWordWrap(False)
    view.setShowGrid(False)
    view.setTabKeyNavigation(False)
    rows = view.verticalHeader()
    rows.hide()
    rows.setMinimumSectionSize(ROW_PX)
    rows.setDefaultSectionSize(ROW_PX)
    rows.setSectionResizeMode(rows.ResizeMode.Fixed)
    header = view.horizontalHeader()
    header.setHighlightSections(False)
    header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
    view.setSortingEnabled(True)
    return view
