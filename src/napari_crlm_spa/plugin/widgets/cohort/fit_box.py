"""The form that fits a score to the open cohort, and writes a report."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QFrame,
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
from napari_crlm_spa.plugin.cohort.opened import OpenedCohort
from napari_crlm_spa.plugin.form import Form, build_form, read_form
from napari_crlm_spa.plugin.widgets.job_bar import JobBar

if TYPE_CHECKING:
    from napari_crlm_spa.core.cohort.study.fit import FitOptions
    from napari_crlm_spa.core.cohort.table import Cohort

HELP = (
    "Fits a score to the open cohort as the paper did: cut-offs, Cox models, score, groups. Writes "
    "tables, a report and a risk model for the next patient. A score fitted to a cohort flatters "
    "itself there; judge it on another one. Everything that can be chosen stands in "
    "<code>crlm-spa cohort fit --help</code>."
)


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a fit has written: the folder, and the page to look at."""

    folder: Path
    page: Path


class FitBox(QWidget):
    """Fits a cohort in a thread."""

    fitted = Signal(object)  # Fitted
    problem = Signal(str, str)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._cohort: OpenedCohort | None = None
        self.filters: Form | None = None
        self.study: Form | None = None
        self.folder = QLineEdit()
        self.folder_button = QToolButton()
        self.folder_button.setText("…")
        self.fit_button = QPushButton("Fit")
        self.close_button = QPushButton("Close")
        self.job = JobBar()
        self._options = QVBoxLayout()
        self._lay_out()
        self.folder_button.clicked.connect(self._ask_folder)
        self.fit_button.clicked.connect(self._on_fit)
        self.close_button.clicked.connect(self.closed)
        self.job.done.connect(self.fitted)
        self.job.failed.connect(self.problem)
        self.job.cancelled.connect(lambda: self.problem.emit("Stopped. Nothing was written.", ""))
        self.job.busy_changed.connect(lambda busy: self.fit_button.setEnabled(not busy))

    def _lay_out(self) -> None:
        told = QLabel(HELP)
        told.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(QLabel("Write into"))
        row.addWidget(self.folder, 1)
        row.addWidget(self.folder_button)
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
        buttons.addWidget(self.fit_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(told)
        layout.addLayout(row)
        layout.addWidget(area, 1)
        layout.addWidget(self.job)
        layout.addLayout(buttons)

    def prepare(self, cohort: OpenedCohort) -> None:
        """Show the form for a cohort."""
        if self.study is None:
            from napari_crlm_spa.core.cohort.study.options import StudyOptions
            from napari_crlm_spa.core.cohort.table import FilterOptions

            self.filters, self.study = build_form(FilterOptions), build_form(StudyOptions)
            self._options.addWidget(self.filters)
            self._options.addWidget(self.study)
        if self._cohort is None or self._cohort.source != cohort.source:
            source = cohort.source
            self.folder.setText(str(source.parent / f"{source.stem}-study"))
        self._cohort = cohort

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Write the study into", self.folder.text())
        if folder:
            self.folder.setText(folder)

    def _on_fit(self) -> None:
        from napari_crlm_spa.core.cohort.study.fit import FitOptions

        text = self.folder.text().strip()
        if not text:
            self.problem.emit("Choose a folder to write into.", "")
            return
        if self._cohort is None or self._cohort.cohort is None:
            return
        assert self.filters is not None
        assert self.study is not None
        try:
            options = FitOptions(filters=read_form(self.filters), study=read_form(self.study))
        except CrlmSpaError as error:
            self.problem.emit(str(error), "")
            return
        self.problem.emit("", "")
        cohort, folder = self._cohort.cohort, Path(text).expanduser()
        self.job.start(fit, cohort, self._cohort.read_from, folder, options)


def fit(
    cohort: Cohort, source: Path, folder: Path, options: FitOptions
) -> Generator[Progress, None, Fitted]:
    """Fit a cohort, and write tables and report.

    Raises
    ------
    CohortError, SurvivalDataError, StoreError
        If the cohort is too small, or the folder cannot be written.
    """
    from napari_crlm_spa.core.cohort.study.fit import fit_cohort
    from napari_crlm_spa.core.cohort.study.folder import write_study
    from napari_crlm_spa.core.report.cohort import write_cohort_report

    study = (yield from fit_cohort(cohort, options)).of(source)
    yield Progress("Writing the report", 0, 0)
    write_study(folder, study)
    return Fitted(folder, write_cohort_report(folder, study))
