"""The form that builds a cohort: analyses and a clinical table become one row per patient."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin.cohort.opened import OpenedCohort, of_cohort
from napari_crlm_spa.plugin.form import Form, build_form, read_form
from napari_crlm_spa.plugin.memory import recall, remember
from napari_crlm_spa.plugin.widgets.job_bar import JobBar

ANALYSES, CLINICAL, FOLDER = "cohort_analyses", "cohort_clinical", "cohort_build_folder"
HELP = (
    "Each analyzed slide has a folder of results. Together with a table of patients (CSV or Excel: "
    "patient, slide, follow-up in months, died or not, and what else is known) they become one "
    "checked row per patient. Nothing in your files is changed."
)


class BuildBox(QWidget):
    """Builds a cohort and writes it into a folder."""

    built = Signal(object)  # OpenedCohort
    problem = Signal(str, str)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        kept = recall()
        self.analyses = QLineEdit(str(kept.get(ANALYSES, "")))
        self.clinical = QLineEdit(str(kept.get(CLINICAL, "")))
        self.folder = QLineEdit(str(kept.get(FOLDER, "")))
        self.form: Form | None = None
        self.build_button = QPushButton("Build")
        self.close_button = QPushButton("Close")
        self.job = JobBar()
        self._options = QVBoxLayout()
        self._lay_out()
        self.build_button.clicked.connect(self._on_build)
        self.close_button.clicked.connect(self.closed)
        self.job.done.connect(self.built)
        self.job.failed.connect(self.problem)
        self.job.cancelled.connect(lambda: self.problem.emit("Stopped. Nothing was written.", ""))
        self.job.busy_changed.connect(lambda busy: self.build_button.setEnabled(not busy))

    def _lay_out(self) -> None:
        rows = QGridLayout()
        rows.setVerticalSpacing(4)
        for at, (name, line, choose, tip) in enumerate(
            (
                ("Analyses", self.analyses, self._ask_analyses, "The folder of results"),
                ("Clinical table", self.clinical, self._ask_clinical, "CSV or Excel"),
                ("Write into", self.folder, self._ask_folder, "A folder of its own"),
            )
        ):
            button = QToolButton()
            button.setText("…")
            button.clicked.connect(choose)
            line.setToolTip(tip)
            rows.addWidget(QLabel(name), at, 0)
            rows.addWidget(line, at, 1)
            rows.addWidget(button, at, 2)
        told = QLabel(HELP)
        told.setWordWrap(True)
        inside = QWidget()
        inner = QVBoxLayout(inside)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addLayout(self._options)
        inner.addStretch(1)
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.close_button)
        buttons.addWidget(self.build_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(told)
        layout.addLayout(rows)
        layout.addWidget(area, 1)
        layout.addWidget(self.job)
        layout.addLayout(buttons)

    def prepare(self, results: str) -> None:
        """Show the form; without an earlier choice the workspace's results are the analyses."""
        if self.form is None:
            from napari_crlm_spa.core.cohort.table.options import BuildOptions

            self.form = build_form(BuildOptions)
            self._options.addWidget(self.form)
        if not self.analyses.text().strip():
            self.analyses.setText(results)

    # -- what the user wants --------------------------------------------------------------

    def _ask_analyses(self) -> None:
        self._take(
            self.analyses,
            QFileDialog.getExistingDirectory(self, "Choose the results", self.analyses.text()),
        )

    def _ask_clinical(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self,
            "Choose the clinical table",
            self.clinical.text(),
            "Tables (*.csv *.tsv *.txt *.xlsx *.xlsm)",
        )
        self._take(self.clinical, path)

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Write the cohort into", self.folder.text())
        self._take(self.folder, folder)

    def _take(self, line: QLineEdit, path: str) -> None:
        if path:
            line.setText(path)
        if path and line is self.clinical and not self.folder.text().strip():
            self.folder.setText(str(Path(path).parent / "cohort"))

    def _on_build(self) -> None:
        texts = [line.text().strip() for line in (self.analyses, self.clinical, self.folder)]
        names = ("the folder of analyses", "the clinical table", "a folder to write into")
        for text, name in zip(texts, names, strict=True):
            if not text:
                self.problem.emit(f"Choose {name}.", "")
                return
        assert self.form is not None
        try:
            options = read_form(self.form)
        except CrlmSpaError as error:
            self.problem.emit(str(error), "")
            return
        analyses, clinical, folder = (Path(text).expanduser() for text in texts)
        remember(**{ANALYSES: texts[0], CLINICAL: texts[1], FOLDER: texts[2]})
        self.problem.emit("", "")
        self.job.start(build, analyses, clinical, folder, options)


def build(
    analyses: Path, clinical: Path, folder: Path, options: Any
) -> Generator[Progress, None, OpenedCohort]:
    """Build a cohort, write it, and open what was written.

    Raises
    ------
    CohortError, StoreError
        If a table cannot be used, or the folder not be written.
    """
    from napari_crlm_spa.core.cohort.table import build_cohort, write_cohort

    make: Callable[..., Generator[Progress, None, Any]] = build_cohort
    cohort = yield from make([analyses], clinical, options)
    write_cohort(folder, cohort)
    return of_cohort(cohort, folder)
