"""The neighbors of the patient that is looked at: a list, their curve beside the cohort's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QModelIndex, QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.core.cohort.columns import label_of
from napari_crlm_spa.core.cohort.neighbors import FeatureSpace, NeighborOptions
from napari_crlm_spa.core.risk import RESEARCH_USE_ONLY, RiskModel
from napari_crlm_spa.errors import CohortError
from napari_crlm_spa.plugin.cohort.neighborhood import (
    ALL_FEATURES,
    CHOSEN,
    CLAIM,
    MODEL_FEATURES,
    Neighbors,
    known_features,
    look_around,
    model_features,
)
from napari_crlm_spa.plugin.cohort.patient_table import PatientTable
from napari_crlm_spa.plugin.form import build_form, read_form
from napari_crlm_spa.plugin.memory import recall, remember
from napari_crlm_spa.plugin.when_seen import WhenSeen

if TYPE_CHECKING:
    from napari_crlm_spa.plugin.cohort.opened import OpenedCohort
    from napari_crlm_spa.plugin.widgets.cohort.curve_canvas import CurveCanvas

COLUMNS = ("Patient", "Distance", "Group", "Months", "Event")
ROW_PX, LIST_PX = 20, 90
K, SCALING, FEATURES = "cohort_neighbors", "cohort_scaling", "cohort_features"
NOBODY = "Choose a patient in the table to see who is most alike."


class NeighborsBox(QWidget):
    """Who is most alike, by their spatial features."""

    current_wanted = Signal(int)  # row of the table: to be looked at
    open_wanted = Signal(int)  # row of the table: its slide is to be opened

    def __init__(self) -> None:
        super().__init__()
        self.cohort: OpenedCohort | None = None
        self.table: PatientTable | None = None
        self.shown: Neighbors | None = None
        self.canvas: CurveCanvas | None = None
        self._own: RiskModel | None = None
        self._row = -1
        self._space: tuple[tuple[tuple[str, ...], str], FeatureSpace] | None = None
        self._refresh = WhenSeen(self, self._update, every_ms=0)
        self._make()
        self._lay_out()
        self._connect()
        self.show_cohort(None, None, None)

    def _make(self) -> None:
        self._form = build_form(NeighborOptions)
        self._form.hide()
        k, scaling = self._form.lift("k").widget, self._form.lift("scaling").widget
        assert isinstance(k, QSpinBox)
        assert isinstance(scaling, QComboBox)
        self.k, self.scaling = k, scaling
        self.k.setPrefix("nearest ")
        self.features = QComboBox()
        self.features.setToolTip("Which spatial features are compared")
        self.features.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.features.setMinimumContentsLength(10)
        self.choose_button = QPushButton("Choose")
        self.choose_button.setToolTip("Compare these features only")
        self.menu = QMenu(self)
        self.choose_button.setMenu(self.menu)
        self.claim = QLabel()
        self.line = QLabel()
        self.note = QLabel()
        self.disclaimer = QLabel(f"<small>{RESEARCH_USE_ONLY}</small>")
        for label in (self.claim, self.line, self.note, self.disclaimer):
            label.setWordWrap(True)
        self.list = _list()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(6)
        for widget in (self.k, self.scaling):
            top.addWidget(widget)
        top.addWidget(self.features, 1)
        top.addWidget(self.choose_button)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(2, 4, 2, 2)
        self._layout.setSpacing(3)
        self._layout.addLayout(top)
        self._layout.addWidget(self.claim)
        self._layout.addWidget(self.line)
        self._layout.addWidget(self.list, 2)
        self._layout.addWidget(self.note)
        self._layout.addWidget(self.disclaimer)

    def _connect(self) -> None:
        kept = recall()
        if isinstance(kept.get(K), int):
            self.k.setValue(kept[K])
        if isinstance(kept.get(SCALING), str):
            self.scaling.setCurrentText(kept[SCALING])
        self.k.valueChanged.connect(self._on_options)
        self.scaling.currentTextChanged.connect(self._on_options)
        self.features.activated.connect(self._on_options)
        self.list.clicked.connect(self._on_chosen)
        self.list.activated.connect(self._on_chosen)
        self.list.doubleClicked.connect(self._on_double_clicked)

    # -- what is shown --------------------------------------------------------------------

    def show_cohort(
        self, cohort: OpenedCohort | None, table: PatientTable | None, own: RiskModel | None
    ) -> None:
        """Look for neighbors in another cohort."""
        self.cohort, self.table, self._own = cohort, table, own
        self._row, self._space = -1, None
        self._fill_features()
        self._refresh.poke()

    def use_risk_model(self, own: RiskModel | None) -> None:
        """Compare the features of another risk model, if it is they that are compared."""
        self._own = own
        self._fill_features()
        self._refresh.poke()

    def look_at(self, row: int) -> None:
        """Look for the neighbors of another patient; -1: nobody's."""
        if row != self._row:
            self._row = row
            self._refresh.poke()

    def show_groups(self) -> None:
        """Say the groups that were chosen just now."""
        self._refresh.poke()

    def _fill_features(self) -> None:
        cohort = self.cohort
        known = () if cohort is None else known_features(cohort)
        of_model = () if cohort is None else model_features(cohort, self._own)
        wanted = self.features.currentData() or recall().get(FEATURES) or ALL_FEATURES
        with QSignalBlocker(self.features):
            self.features.clear()
            self.features.addItem(f"All {len(known)} features", ALL_FEATURES)
            if of_model:
                self.features.addItem(f"The score's {len(of_model)}", MODEL_FEATURES)
            self.features.addItem("Chosen features", CHOSEN)
            self.features.setCurrentIndex(max(self.features.findData(wanted), 0))
        checked = {action.data() for action in self.menu.actions() if action.isChecked()}
        self.menu.clear()
        for name in known:
            action = self.menu.addAction(label_of(name))
            action.setData(name)
            action.setCheckable(True)
            action.setChecked(name in checked or not checked)
            action.triggered.connect(self._on_options)
        self._show_choosing()

    def _show_choosing(self) -> None:
        self.choose_button.setVisible(self.features.currentData() == CHOSEN)
        for widget in (self.k, self.scaling, self.features, self.choose_button):
            widget.setEnabled(self.cohort is not None)

    def _on_options(self) -> None:
        remember(
            **{
                K: self.k.value(),
                SCALING: self.scaling.currentText(),
                FEATURES: self.features.currentData(),
            }
        )
        self._show_choosing()
        self._refresh.poke()

    def _compared(self) -> tuple[str, ...]:
        assert self.cohort is not None
        which = self.features.currentData()
        if which == MODEL_FEATURES:
            return model_features(self.cohort, self._own)
        if which == CHOSEN:
            return tuple(a.data() for a in self.menu.actions() if a.isChecked())
        return known_features(self.cohort)

    def _update(self) -> None:
        options: NeighborOptions = read_form(self._form)
        self.claim.setText(f"<small>{CLAIM.format(scaling=options.scaling)}</small>")
        self.shown, problem = None, NOBODY
        if self.cohort is not None and self._row >= 0:
            try:
                space = self._space_of(self._compared(), options.scaling)
                self.shown = look_around(self.cohort, space, self._row, options)
            except CohortError as error:
                problem = str(error)
        self.line.setText(problem if self.shown is None else f"<b>{self.shown.line}</b>")
        self.note.setText("" if self.shown is None else self.shown.note)
        self.note.setVisible(bool(self.note.text()))
        self._fill_list()
        self._draw()

    def _space_of(self, features: tuple[str, ...], scaling: str) -> FeatureSpace:
        assert self.cohort is not None
        if not features and known_features(self.cohort):
            raise CohortError("No feature is chosen. Choose at least one.")
        key = (features, scaling)
        if self._space is None or self._space[0] != key:
            self._space = (key, FeatureSpace(self.cohort.patients, features, scaling))
        return self._space[1]

    def _fill_list(self) -> None:
        found, table = self.shown, self.table
        with QSignalBlocker(self.list):
            self.list.setRowCount(0 if found is None else len(found.found))
            if found is None or table is None:
                return
            pairs = zip(found.found.rows, found.found.distances, strict=True)
            for at, (row, distance) in enumerate(pairs):
                cells = (
                    table.patient(int(row)),
                    f"{distance:.2f}",
                    table.text(int(row), "group"),
                    table.text(int(row), "os.time"),
                    table.text(int(row), "os.event"),
                )
                for column, text in enumerate(cells):
                    item = QTableWidgetItem(text)
                    item.setData(Qt.ItemDataRole.UserRole, int(row))
                    if column in (1, 3):
                        item.setTextAlignment(
                            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                        )
                    self.list.setItem(at, column, item)
            self.list.clearSelection()
            self.list.setCurrentItem(None)

    def _draw(self) -> None:
        if self.shown is None:
            if self.canvas is not None:
                self.canvas.hide()
            return
        if self.canvas is None:
            from napari_crlm_spa.plugin.widgets.cohort.curve_canvas import CurveCanvas

            self.canvas = CurveCanvas(lambda _months: None)
            self._layout.insertWidget(4, self.canvas, 3)
        self.canvas.show()
        self.canvas.show_curves(self.shown.curves, intervals=True, risk=False, note="")

    # -- what the user wants --------------------------------------------------------------

    def _on_chosen(self, index: QModelIndex) -> None:
        self.open_wanted.emit(int(index.data(Qt.ItemDataRole.UserRole)))

    def _on_double_clicked(self, index: QModelIndex) -> None:
        self.current_wanted.emit(int(index.data(Qt.ItemDataRole.UserRole)))


def _list() -> QTableWidget:
    table = QTableWidget(0, len(COLUMNS))
    table.setHorizontalHeaderLabels(list(COLUMNS))
    table.setToolTip(
        "Click: open the neighbor's slide. Double click: look for the neighbor's own neighbors"
    )
    table.setMinimumHeight(LIST_PX)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.verticalHeader().hide()
    table.verticalHeader().setMinimumSectionSize(ROW_PX)
    table.verticalHeader().setDefaultSectionSize(ROW_PX)
    table.horizontalHeader().setHighlightSections(False)
    table.horizontalHeader().setStretchLastSection(True)
    letter = table.fontMetrics().averageCharWidth()
    for column, letters in enumerate((11, 9, 11, 8, 7)):
        table.setColumnWidth(column, letter * letters + 10)
    return table
