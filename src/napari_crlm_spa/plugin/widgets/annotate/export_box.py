"""From areas and corrected tiles to a folder of labeled tiles."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.core.annotations import ExportOptions, ExportResult, SplitOptions
from napari_crlm_spa.core.review.reader_names import display_name
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin.annotating.desk import AnnotationDesk
from napari_crlm_spa.plugin.annotating.files import results_folder
from napari_crlm_spa.plugin.annotating.labels import (
    LabelSource,
    export_labels,
    patient_of,
    remember_patient,
)
from napari_crlm_spa.plugin.fold import Fold
from napari_crlm_spa.plugin.form import build_form, read_form
from napari_crlm_spa.plugin.memory import recall, remember
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.widgets.correct.buttons import push_button
from napari_crlm_spa.plugin.widgets.job_bar import JobBar
from napari_crlm_spa.plugin.widgets.message import Message

KEPT_FOLDER = "tiles_folder"
MINE, EVERYBODY = "mine", "of all readers"
PLAIN_SPLIT = ("validation", "test")
HELP = (
    "A tile is labeled if one class covers it (purity). Slides are added to the folder one by "
    "one; patients are divided into training, validation and test, never tiles."
)
NO_PATIENT = "Name the patient, so that two slides of one patient are never divided"


class ExportBox(QWidget):
    """Exports labeled tiles of the current slide, or of all open ones."""

    exported = Signal(object)  # Path of the folder

    def __init__(self, session: Session, desk: AnnotationDesk) -> None:
        super().__init__()
        self._session = session
        self._desk = desk
        self._patient_slide: OpenSlide | None = None
        self.result: ExportResult | None = None
        self.folder = QLineEdit(str(recall().get(KEPT_FOLDER) or results_folder() / "tiles"))
        self.folder.setToolTip("Receives one folder a class and manifest.csv")
        self.folder_button = QToolButton()
        self.folder_button.setText("…")
        self.patient = QLineEdit()
        self.patient.setPlaceholderText("not named")
        self.patient.setToolTip(NO_PATIENT)
        self.drawn = QCheckBox("drawn areas")
        self.tiles = QCheckBox("corrected and accepted tiles")
        for box in (self.drawn, self.tiles):
            box.setChecked(True)
        self.whose = QComboBox()
        self.whose.addItems([MINE, EVERYBODY])
        self.all_slides = QCheckBox("all open slides")
        self.options = build_form(ExportOptions)
        self.split = build_form(SplitOptions)
        self.purity = self.options.lift("min_purity")
        self._shares = [self.split.lift(name) for name in PLAIN_SPLIT]
        self.more = Fold("More about tiles and split", _column(self.options, self.split))
        self.export_button = push_button("Export labeled tiles", "Write the tiles into the folder")
        self.job = JobBar()
        self.message = Message()
        self.balance = QLabel()
        self.balance.setWordWrap(False)
        self.balance.setStyleSheet("QLabel {font-family: monospace;}")
        self._lay_out()
        self._connect()
        self.show_slide()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(4)
        told = QLabel(HELP)
        told.setWordWrap(True)
        layout.addWidget(told)
        rows = QFormLayout()
        rows.setVerticalSpacing(3)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.addRow("Folder", _beside(self.folder, self.folder_button))
        rows.addRow("Patient", self.patient)
        rows.addRow("Labels from", _beside(self.drawn, self.tiles))
        rows.addRow("Whose", _beside(self.whose, self.all_slides))
        rows.addRow("Purity", self.purity.widget)
        validation, test = (editor.widget for editor in self._shares)
        rows.addRow("Held back", _beside(QLabel("validation"), validation, QLabel("test"), test))
        layout.addLayout(rows)
        for widget in (self.more, self.export_button, self.job, self.message, self.balance):
            layout.addWidget(widget)
        self.balance.setVisible(False)

    def _connect(self) -> None:
        self.folder_button.clicked.connect(lambda: self._use_folder(self.choose_folder()))
        self.patient.editingFinished.connect(self._keep_patient)
        self.export_button.clicked.connect(self._on_export)
        self.job.done.connect(self._on_done)
        self.job.failed.connect(self.message.show_problem)
        self.job.cancelled.connect(
            lambda: self.message.tell("Cancelled. The same export goes on where it stopped.")
        )
        self.job.busy_changed.connect(lambda busy: self.export_button.setDisabled(busy))
        self._session.slides_changed.connect(self._show_count)

    def let_go(self) -> None:
        """Stop what goes on."""
        self._keep_patient()
        self.job.drop()
        self._session.slides_changed.disconnect(self._show_count)

    def choose_folder(self) -> str:
        """Ask for the folder; empty if none was chosen."""
        return QFileDialog.getExistingDirectory(self, "Folder for the tiles", self.folder.text())

    def _use_folder(self, folder: str) -> None:
        if folder:
            self.folder.setText(folder)

    def show_slide(self) -> None:
        """Show whose slide the current one is."""
        slide = self._session.current
        if slide is not self._patient_slide:
            self._keep_patient()
            self._patient_slide = slide
            self.patient.setText("" if slide is None else patient_of(slide))
        analyzed = slide is not None and slide.analysis is not None
        for widget in (self.tiles, self.whose):
            widget.setEnabled(analyzed)
            widget.setToolTip("" if analyzed else "After an analysis")
        self.export_button.setEnabled(slide is not None and not self.job.busy)
        self._show_count()

    def _show_count(self) -> None:
        self.all_slides.setVisible(len(self._session.slides) > 1)

    def _keep_patient(self) -> None:
        slide = self._patient_slide
        if slide is not None and self.patient.text().strip() != patient_of(slide):
            remember_patient(slide, self.patient.text())

    # -- exporting ------------------------------------------------------------------------

    def sources(self) -> list[LabelSource]:
        """Return what is to be exported."""
        current = self._session.current
        if current is None:
            return []
        everywhere = self.all_slides.isVisible() and self.all_slides.isChecked()
        slides = list(self._session.slides.values()) if everywhere else [current]
        return [self._source(slide) for slide in slides]

    def _source(self, slide: OpenSlide) -> LabelSource:
        mine = self.whose.currentText() == MINE
        return LabelSource(
            info=slide.info,
            mpp=slide.user_mpp,
            patient=patient_of(slide),
            areas=self._desk.areas_of(slide),
            analysis=slide.analysis,
            readers=(display_name(self._session.reader),) if mine else (),
            drawn=self.drawn.isChecked(),
            tiles=self.tiles.isChecked(),
        )

    def _on_export(self) -> None:
        self.message.clear()
        self.balance.setVisible(False)
        self._keep_patient()
        self._desk.flush()
        try:
            options, split = read_form(self.options), read_form(self.split)
            folder = self._folder()
        except CrlmSpaError as error:
            self.message.show_problem(str(error))
            return
        remember(**{KEPT_FOLDER: str(folder)})
        self.job.start(export_labels, self.sources(), folder, options, split)

    def _folder(self) -> Path:
        text = self.folder.text().strip()
        if not text:
            raise CrlmSpaError("Choose a folder for the tiles.")
        return Path(text).expanduser()

    def _on_done(self, result: ExportResult) -> None:
        self.result = result
        failed = [f"{path.name}: {error}" for path, error in result.failed]
        text = " ".join([*result.sentences(), *failed])
        if failed:
            self.message.show_problem(text)
        else:
            self.message.tell(text)
        # The warnings are told above already.
        self.balance.setText(result.balance.text().partition("\nWarning: ")[0])
        self.balance.setVisible(True)
        self.exported.emit(result.folder)


def _beside(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(4)
    for widget in widgets:
        row.addWidget(widget, 0 if isinstance(widget, QToolButton | QLabel | QPushButton) else 1)
    return row


def _column(*widgets: QWidget) -> QWidget:
    column = QWidget()
    layout = QVBoxLayout(column)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(2)
    for widget in widgets:
        layout.addWidget(widget)
    return column
