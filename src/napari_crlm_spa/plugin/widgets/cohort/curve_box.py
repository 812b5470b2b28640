"""Curves beside the table: which groups, what they are, and what is read off under the pointer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtGui import QStandardItemModel
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.core.files import write_bytes
from napari_crlm_spa.core.risk import RESEARCH_USE_ONLY, RiskModel
from napari_crlm_spa.errors import StoreError
from napari_crlm_spa.plugin.cohort.curve_data import (
    GroupCurves,
    group_curves,
    median_lines,
    read_out,
    test_line,
    write_curves,
)
from napari_crlm_spa.plugin.cohort.groupings import ALL, SOF, Choice, Grouping, choices, grouping_of
from napari_crlm_spa.plugin.memory import recall, remember
from napari_crlm_spa.plugin.when_seen import WhenSeen

if TYPE_CHECKING:
    from napari_crlm_spa.plugin.cohort.opened import OpenedCohort
    from napari_crlm_spa.plugin.widgets.cohort.curve_canvas import CurveCanvas

GROUPING, INTERVALS, RISK = "cohort_grouping", "cohort_intervals", "cohort_at_risk"


class CurveBox(QWidget):
    """Kaplan-Meier curves of one grouping at a time."""

    grouping_changed = Signal(object)  # Grouping
    told = Signal(str)
    problem = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.cohort: OpenedCohort | None = None
        self.data: GroupCurves | None = None
        self.canvas: CurveCanvas | None = None
        self._own: RiskModel | None = None
        self._row = -1
        self._refresh = WhenSeen(self, self._draw, every_ms=0)
        self._make()
        self._lay_out()
        self._connect()
        self.show_cohort(None, None)

    def _make(self) -> None:
        kept = recall()
        self.chooser = QComboBox()
        self.chooser.setToolTip("How patients are parted into groups")
        self.chooser.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.chooser.setMinimumContentsLength(14)
        self.chooser.setMaxVisibleItems(25)
        self.intervals = QCheckBox("95 % CI")
        self.intervals.setToolTip("Pointwise 95 % intervals (log scale, as R's default)")
        self.intervals.setChecked(bool(kept.get(INTERVALS, True)))
        self.risk = QCheckBox("At risk")
        self.risk.setToolTip("Number of patients at risk below the curves, where there is room")
        self.risk.setChecked(bool(kept.get(RISK, True)))
        self.save_button = QPushButton("Save")
        menu = QMenu(self)
        menu.addAction("Figure (SVG)…", self._on_figure)
        menu.addAction("Table (CSV)…", self._on_table)
        self.save_button.setMenu(menu)
        self.reading = QLabel()
        self.reading.setWordWrap(True)
        self.reading.setTextFormat(Qt.TextFormat.PlainText)
        self.reading.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.reading.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.disclaimer = QLabel(f"<small>{RESEARCH_USE_ONLY}</small>")
        self.disclaimer.setWordWrap(True)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(6)
        top.addWidget(self.chooser, 1)
        for widget in (self.intervals, self.risk, self.save_button):
            top.addWidget(widget)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(2, 4, 2, 2)
        self._layout.setSpacing(4)
        self._layout.addLayout(top)
        self._layout.addWidget(self.reading)
        self._layout.addWidget(self.disclaimer)

    def _connect(self) -> None:
        self.chooser.activated.connect(lambda _at: self._on_chosen())
        self.intervals.toggled.connect(self._on_look)
        self.risk.toggled.connect(self._on_look)

    # -- what is shown --------------------------------------------------------------------

    def show_cohort(self, cohort: OpenedCohort | None, own: RiskModel | None) -> None:
        """Show the curves of a cohort.

        Parameters
        ----------
        cohort
            None shows nothing.
        own
            The workspace's risk model.
        """
        self.cohort, self._own, self._row = cohort, own, -1
        wanted = recall().get(GROUPING)
        self._fill(str(wanted) if isinstance(wanted, str) else SOF)
        self._take_grouping()

    def use_risk_model(self, own: RiskModel | None) -> None:
        """Group by another risk model, if it is what patients are grouped by."""
        self._own = own
        key = self.chooser.currentData()
        self._fill(str(key))
        self._take_grouping()

    def choose(self, key: str) -> None:
        """Part the patients in another way."""
        at = self.chooser.findData(key)
        if at >= 0:
            self.chooser.setCurrentIndex(at)
            self._on_chosen()

    def look_at(self, row: int) -> None:
        """Mark a patient on its curve; -1: nobody."""
        self._row = row
        if self.canvas is not None and not self._refresh.outdated:
            self.canvas.mark(row)

    def _fill(self, key: str) -> None:
        with QSignalBlocker(self.chooser):
            self.chooser.clear()
            found = [] if self.cohort is None else choices(self.cohort.patients, self._own)
            section = ""
            for choice in found:
                if choice.section != section:
                    self._add_heading(choice)
                section = choice.section
                self.chooser.addItem(choice.title, choice.key)
            at = self.chooser.findData(key)
            self.chooser.setCurrentIndex(max(at, 0) if found else -1)

    def _add_heading(self, choice: Choice) -> None:
        self.chooser.addItem(choice.section)
        model = self.chooser.model()
        assert isinstance(model, QStandardItemModel)
        item = model.item(self.chooser.count() - 1)
        item.setEnabled(False)
        font = item.font()
        font.setBold(True)
        item.setFont(font)

    def _on_chosen(self) -> None:
        remember(**{GROUPING: self.chooser.currentData()})
        self._take_grouping()

    def _on_look(self) -> None:
        remember(**{INTERVALS: self.intervals.isChecked(), RISK: self.risk.isChecked()})
        self._refresh.poke()

    def _take_grouping(self) -> None:
        cohort, key = self.cohort, self.chooser.currentData()
        grouping: Grouping | None = None
        if cohort is not None:
            cutoffs: Mapping[str, float] = cohort.cutoffs
            grouping = grouping_of(str(key or ALL), cohort.patients, self._own, cutoffs)
        self.data = None
        self._grouping = grouping
        self.disclaimer.setVisible(grouping is not None and grouping.is_risk)
        for widget in (self.chooser, self.intervals, self.risk, self.save_button):
            widget.setEnabled(grouping is not None)
        self.grouping_changed.emit(grouping)
        self._refresh.poke()

    _grouping: Grouping | None = None

    def _draw(self) -> None:
        if self.cohort is None or self._grouping is None or not len(self.cohort):
            if self.canvas is not None:
                self.canvas.show_curves(None, intervals=False, risk=False, note="")
            self._read(None)
            return
        if self.data is None:
            self.data = group_curves(self.cohort.survival, self._grouping)
        if self.canvas is None:
            from napari_crlm_spa.plugin.widgets.cohort.curve_canvas import CurveCanvas

            self.canvas = CurveCanvas(self._read)
            self._layout.insertWidget(1, self.canvas, 1)
        self.canvas.show_curves(
            self.data,
            intervals=self.intervals.isChecked(),
            risk=self.risk.isChecked(),
            note=test_line(self.data),
        )
        self.canvas.mark(self._row)
        self._read(None)

    def _read(self, months: float | None) -> None:
        """Say what the curves are at a time; without one, the medians."""
        if self.data is None:
            self.reading.setText("")
            return
        grouping = self.data.grouping
        if months is not None:
            lines = [f"At {months:.1f} months", *read_out(self.data, months)]
        else:
            lines = [*median_lines(self.data), *self.data.tables.warnings]
            lines += [grouping.note] if grouping.note else []
        # Always of the same height: the curves must not jump under the pointer.
        self.reading.setMinimumHeight(self.reading.fontMetrics().lineSpacing() * 4)
        self.reading.setText("\n".join(lines))

    # -- saving ---------------------------------------------------------------------------

    def _on_figure(self) -> None:
        path = self._ask("Save the figure", "svg", "Figure (*.svg)")
        if path:
            self.save_figure(Path(path))

    def _on_table(self) -> None:
        path = self._ask("Save the curves", "csv", "Table (*.csv)")
        if path:
            self.save_table(Path(path))

    def _ask(self, title: str, suffix: str, kinds: str) -> str:
        name = "survival" if self.cohort is None else f"{self.cohort.name}-survival"
        path, _ = QFileDialog.getSaveFileName(self, title, f"{name}.{suffix}", kinds)
        return str(path)

    def save_figure(self, path: Path) -> None:
        """Save the curves as they are shown, as a figure of an article."""
        from napari_crlm_spa.plugin.widgets.cohort.curve_canvas import as_svg

        if self.data is None:
            return
        picture = as_svg(
            self.data,
            intervals=self.intervals.isChecked(),
            risk=self.risk.isChecked(),
            note=test_line(self.data),
        )
        self._save(path, lambda: write_bytes(path, picture))

    def save_table(self, path: Path) -> None:
        """Save the steps of the curves, with intervals and patients at risk."""
        data = self.data
        if data is not None:
            self._save(path, lambda: write_curves(path, data))

    def _save(self, path: Path, write: Callable[[], object]) -> None:
        try:
            write()
        except StoreError as error:
            self.problem.emit(str(error))
        else:
            self.told.emit(f"Saved as {path.name}.")
