"""How the cohort became as many patients, and what is wrong with which row of its tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.plugin.widgets.tables import ReadOnlyTable

PROBLEMS = ("", "Row", "Patient", "What", "What to do", "Column", "Value", "File")
_FIELDS = ("severity", "row", "patient", "problem", "remedy", "column", "value", "source")
_LETTERS = (9, 5, 9, 32, 32, 14, 10, 14)
FLOW = ("Step", "", "Before", "After", "Excluded")
LIST_PX = 110


class ChecksBox(QWidget):
    """Flow and problems of a cohort."""

    def __init__(self) -> None:
        super().__init__()
        self.flow = ReadOnlyTable(FLOW)
        self.line = QLabel()
        self.line.setWordWrap(True)
        self.problems = _table()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 4, 2, 2)
        layout.setSpacing(4)
        layout.addWidget(self.flow)
        layout.addWidget(self.line)
        layout.addWidget(self.problems, 1)
        self.show_checks((), ())

    def show_checks(self, flow: Sequence[Any], problems: Sequence[Any]) -> None:
        """Show the steps and the problems of a cohort."""
        self.flow.setRowCount(0)
        for at, step in enumerate(flow):
            excluded = step.before - step.after
            self.flow.put(at, 0, step.step, step.reason)
            counts = (step.unit, f"{step.before:,}", f"{step.after:,}", f"{excluded:,}")
            for column, text in enumerate(counts, start=1):
                self.flow.put(at, column, text if text != "0" else "", step.reason)
        self.flow.fit()
        errors = sum(each.severity == "error" for each in problems)
        warnings = len(problems) - errors
        self.line.setText(
            f"Problems that exclude a row: {errors:,}. To be looked at: {warnings:,}. Point at a "
            "cell to read all of it."
            if problems
            else "Nothing was found wrong with the tables."
        )
        self._fill(problems)

    def _fill(self, problems: Sequence[Any]) -> None:
        self.problems.setRowCount(len(problems))
        self.problems.setVisible(bool(problems))
        for at, problem in enumerate(problems):
            for column, name in enumerate(_FIELDS):
                value = getattr(problem, name, "")
                item = QTableWidgetItem("" if value is None else str(value))
                item.setToolTip(item.text())
                self.problems.setItem(at, column, item)


def _table() -> QTableWidget:
    table = QTableWidget(0, len(PROBLEMS))
    table.setHorizontalHeaderLabels(list(PROBLEMS))
    table.setMinimumHeight(LIST_PX)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setTextElideMode(Qt.TextElideMode.ElideRight)
    table.setWordWrap(False)
    table.setShowGrid(False)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(20)
    table.horizontalHeader().setStretchLastSection(True)
    letter = table.fontMetrics().averageCharWidth() + 1
    for column, letters in enumerate(_LETTERS):
        table.setColumnWidth(column, letter * letters)
    return table
