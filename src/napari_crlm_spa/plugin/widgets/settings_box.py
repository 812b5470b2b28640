"""What the analysis is to use: model, device, output folder, and the options behind a fold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin import engine
from napari_crlm_spa.plugin.fold import Fold
from napari_crlm_spa.plugin.form import build_form, read_form
from napari_crlm_spa.plugin.memory import default_output_folder, recall, remember

if TYPE_CHECKING:
    from napari_crlm_spa.core.pipeline import AnalysisOptions

#: The options' height: what they take if there is room, and less on a small screen.
OPTIONS_HEIGHT, OPTIONS_MIN_HEIGHT = 180, 100
#: Fields of the options that other parts of the panel ask for.
ASKED_ELSEWHERE = ("mpp", "model", "risk_model")


class SettingsBox(QGroupBox):
    """Choices that stay from slide to slide."""

    def __init__(self) -> None:
        super().__init__("Analysis")
        kept = recall()
        self.model = QComboBox()
        for name in engine.model_names():
            self.model.addItem(name, name)
        self.choose_model(kept.get("model", ""))
        self.model.setToolTip("The network that tells the tissues apart")
        self.folder = QLineEdit(kept.get("output_folder", str(default_output_folder())))
        self.folder.setToolTip("Each slide gets a folder of its own in here")
        self.model_button = _dots("Use a model of your own")
        self.folder_button = _dots("Choose the folder")
        self.form = build_form(engine.options_class(), skip=ASKED_ELSEWHERE)
        self._device = self.form.sections["classify"].lift("device")
        self._device.set(kept.get("device", self._device.get()))
        self._lay_out()
        self.model_button.clicked.connect(self._on_choose_model)
        self.folder_button.clicked.connect(self._on_choose_folder)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setSpacing(3)
        rows = QFormLayout()
        rows.setVerticalSpacing(3)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.addRow("Model", _beside(self.model, self.model_button))
        rows.addRow("Runs on", self._device.widget)
        rows.addRow("Results in", _beside(self.folder, self.folder_button))
        layout.addLayout(rows)
        scroll = QScrollArea()
        scroll.setWidget(self.form)
        scroll.setWidgetResizable(True)
        scroll.setMinimumHeight(OPTIONS_MIN_HEIGHT)
        scroll.setMaximumHeight(OPTIONS_HEIGHT)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.fold = Fold("More options", scroll)
        layout.addWidget(self.fold)

    def options(self, mpp: float | None, risk_model: str) -> AnalysisOptions:
        """Return the options as they stand.

        Parameters
        ----------
        mpp
            Pixel size that was entered by hand, or None.
        risk_model
            Name or file of the risk model.

        Raises
        ------
        CrlmSpaError
            If a value lies outside its range.
        """
        options: AnalysisOptions = read_form(
            self.form, mpp=mpp, model=self.model.currentData(), risk_model=risk_model
        )
        return options

    def output_folder(self) -> Path:
        """Return the folder for results.

        Raises
        ------
        CrlmSpaError
            If none is named.
        """
        text = self.folder.text().strip()
        if not text:
            raise CrlmSpaError("Choose a folder for the results under Results in.")
        return Path(text).expanduser()

    def keep(self) -> None:
        """Remember the choices for the next start."""
        remember(
            model=self.model.currentData(),
            device=self._device.get(),
            output_folder=self.folder.text(),
        )

    def _on_choose_model(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, "Choose a model folder (card.json and weights.safetensors)"
        )
        self.choose_model(folder)

    def choose_model(self, folder: str) -> None:
        """Use a model folder of one's own; it is added to the list."""
        if not folder:
            return
        at = self.model.findData(folder)
        if at < 0:
            self.model.addItem(Path(folder).name, folder)
            at = self.model.count() - 1
        self.model.setCurrentIndex(at)

    def _on_choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, "Choose a folder for the results", self.folder.text()
        )
        if folder:
            self.folder.setText(folder)


def _dots(tip: str) -> QToolButton:
    button = QToolButton()
    button.setText("…")
    button.setToolTip(tip)
    return button


def _beside(widget: QWidget, button: QToolButton) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(4)
    widget.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    row.addWidget(widget, 1)
    row.addWidget(button)
    return row
