"""The form that makes review lists of the slides in the queue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.core.hgp.sample import EXTREMES_WARNING, SampleOptions
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin.form import Form, build_form, read_form
from napari_crlm_spa.plugin.growth.reading_sample import ListOrder, make_lists
from napari_crlm_spa.plugin.memory import recall, remember
from napari_crlm_spa.plugin.queue_sources import QueuedSlide
from napari_crlm_spa.plugin.widgets.job_bar import JobBar

LISTS, TABLE = "growth_lists_folder", "growth_scores_table"
HELP = (
    "Each reader gets the slides of the queue in another order, under names that tell nothing. "
    "Some come twice. What the names stand for is in <b>key.csv</b> beside the lists: readers "
    "need not open it."
)


class MakeBox(QWidget):
    """Writes a list per reader."""

    made = Signal(object)  # MadeList
    problem = Signal(str, str)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        kept = recall()
        self.about = QLabel()
        self.raters = QLineEdit()
        self.raters.setPlaceholderText("Anna, Ben")
        self.raters.setToolTip("Readers, separated by commas; at least two for agreement")
        self.folder = QLineEdit(str(kept.get(LISTS, "")))
        self.table = QLineEdit(str(kept.get(TABLE, "")))
        self.table.setPlaceholderText("not needed for all slides")
        self.table.setToolTip(
            "CSV or Excel with a row per slide, as crlm-spa hgp measure writes it; without it the "
            "score is the tumor-hepatocyte interaction of the analyses"
        )
        self.form: Form = build_form(SampleOptions, skip=("show_names",))
        self.warning = QLabel(EXTREMES_WARNING)
        self.warning.setWordWrap(True)
        self.warning.setStyleSheet("color: #f0a020;")
        self.make_button = QPushButton("Write the lists")
        self.close_button = QPushButton("Close")
        self.job = JobBar()
        self._slides: tuple[QueuedSlide, ...] = ()
        self._results: Path | None = None
        self._lay_out()
        self.make_button.clicked.connect(self._on_make)
        self.close_button.clicked.connect(self.closed)
        self.job.done.connect(self.made)
        self.job.failed.connect(self.problem)
        self.job.cancelled.connect(lambda: self.problem.emit("Stopped. Nothing was written.", ""))
        self.job.busy_changed.connect(lambda busy: self.make_button.setEnabled(not busy))
        self.form.editors["how"].widget.currentTextChanged.connect(self._on_how)
        self._on_how()

    def _lay_out(self) -> None:
        told = QLabel(HELP)
        told.setWordWrap(True)
        rows = QGridLayout()
        rows.setVerticalSpacing(4)
        asked = (
            ("Readers", self.raters, None),
            ("Write into", self.folder, self._ask_folder),
            ("Scores", self.table, self._ask_table),
        )
        for at, (name, line, choose) in enumerate(asked):
            rows.addWidget(QLabel(name), at, 0)
            rows.addWidget(line, at, 1)
            if choose is not None:
                button = QToolButton()
                button.setText("…")
                button.clicked.connect(choose)
                rows.addWidget(button, at, 2)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.close_button)
        buttons.addWidget(self.make_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(told)
        layout.addWidget(self.about)
        layout.addLayout(rows)
        for widget in (self.form, self.warning, self.job):
            layout.addWidget(widget)
        layout.addLayout(buttons)
        layout.addStretch(1)

    def prepare(self, slides: Sequence[QueuedSlide], results: Path, reader: str) -> None:
        """Show the form for these slides."""
        self._slides, self._results = tuple(slides), results
        self.about.setText(f"{len(slides):,} slides are in the queue.")
        if not self.raters.text().strip():
            self.raters.setText(reader)

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Write the lists into", self.folder.text())
        if folder:
            self.folder.setText(folder)

    def _ask_table(self) -> None:
        tables = "Tables (*.csv *.tsv *.txt *.xlsx *.xlsm)"
        path, _ = QFileDialog.getOpenFileName(self, "Choose scores", self.table.text(), tables)
        if path:
            self.table.setText(path)

    def _on_how(self, *_: object) -> None:
        how = self.form.editors["how"].get()
        self.warning.setVisible(how == "extremes")
        used = {
            "n_slides": how == "stratified",
            "strata": how == "stratified",
            "score": how != "all",
            "score_parts": how == "stratified",
            "k_extremes": how == "extremes",
        }
        for name, is_used in used.items():
            self.form.editors[name].widget.setEnabled(is_used)
        self.table.setEnabled(how != "all")

    def _on_make(self) -> None:
        folder, table = self.folder.text().strip(), self.table.text().strip()
        raters = tuple(name.strip() for name in self.raters.text().split(",") if name.strip())
        if not folder or not raters or self._results is None:
            missing = "a folder to write into" if not folder else "who reads"
            self.problem.emit(f"Say {missing}.", "")
            return
        try:
            options: SampleOptions = read_form(self.form)
        except CrlmSpaError as error:
            self.problem.emit(str(error), "")
            return
        remember(**{LISTS: folder, TABLE: table})
        self.problem.emit("", "")
        path = Path(table).expanduser() if table and options.how != "all" else None
        order = ListOrder(
            self._slides, self._results, Path(folder).expanduser(), raters, options, path
        )
        self.job.start(make_lists, order)
