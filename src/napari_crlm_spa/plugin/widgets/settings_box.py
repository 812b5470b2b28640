"""What the analysis is to use: model, device, output folder, and the options behind a fold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.core.slide import MPP_RANGE
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin import engine
from napari_crlm_spa.plugin.fold import Fold
from napari_crlm_spa.plugin.form import Editor, NumberBox, build_form, read_form
from napari_crlm_spa.plugin.memory import default_output_folder, recall, remember
from napari_crlm_spa.plugin.retrain import kept_models
from napari_crlm_spa.plugin.settings import Preferences

if TYPE_CHECKING:
    from napari_crlm_spa.core.pipeline import AnalysisOptions

#: The options' height: what they take if there is room, and less on a small screen.
OPTIONS_HEIGHT, OPTIONS_MIN_HEIGHT = 180, 100
#: Fields of the options that other parts of the panel ask for.
ASKED_ELSEWHERE = ("mpp", "model", "risk_model")


DEFAULT_MPP_TIP = (
    "Used only for slides whose file does not say how large a pixel is, and marked as assumed "
    "(20x scan 0.5, 40x scan 0.25). 0 asks each time."
)
CACHE_TIP = "For things that can be made again, like small pictures of slides"


class SettingsBox(QGroupBox):
    """Choices that stay from slide to slide.

    Parameters
    ----------
    preferences
        Those of them that napari's Preferences show as well.
    """

    results_changed = Signal()

    def __init__(self, preferences: Preferences | None = None) -> None:
        super().__init__("Analysis")
        kept = recall()
        self.preferences = preferences or Preferences()
        self.model = QComboBox()
        for name in engine.model_names():
            self.model.addItem(name, name)
        for folder in kept_models():
            self.offer_model(str(folder))
        self.choose_model(kept.get("model", ""))
        self.model.setToolTip("The network that tells the tissues apart")
        self.folder = QLineEdit(kept.get("output_folder", str(default_output_folder())))
        self.folder.setToolTip("Each slide gets a folder of its own in here")
        self.model_button = _dots("Use a model of your own")
        self.folder_button = _dots("Choose the folder")
        self.form = build_form(engine.options_class(), skip=ASKED_ELSEWHERE)
        self._device = self.form.sections["classify"].lift("device")
        self.default_mpp = NumberBox()
        self.default_mpp.setDecimals(4)
        self.default_mpp.setRange(0, MPP_RANGE[1])
        self.default_mpp.setSingleStep(0.05)
        self.default_mpp.setSpecialValueText("ask")
        self.default_mpp.setToolTip(DEFAULT_MPP_TIP)
        self.cache = QLineEdit()
        self.cache.setPlaceholderText("the usual place")
        self.cache.setToolTip(CACHE_TIP)
        self._lay_out()
        self._follow_preferences()
        self.folder.editingFinished.connect(self.results_changed)
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
        scroll.setWidget(self._all_options())
        scroll.setWidgetResizable(True)
        scroll.setMinimumHeight(OPTIONS_MIN_HEIGHT)
        scroll.setMaximumHeight(OPTIONS_HEIGHT)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.fold = Fold("More options", scroll)
        layout.addWidget(self.fold)

    def _all_options(self) -> QWidget:
        more = QFormLayout()
        more.setContentsMargins(0, 0, 0, 0)
        more.setVerticalSpacing(3)
        more.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        more.addRow("Pixel size if unknown (µm/px)", self.default_mpp)
        more.addRow("Cache folder", self.cache)
        inner = QWidget()
        layout = QVBoxLayout(inner)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.form)
        layout.addWidget(QLabel("<b>Workplace</b>"))
        layout.addLayout(more)
        return inner

    def _follow_preferences(self) -> None:
        """Keep the boxes and the preferences in step, both ways."""
        batch_size = self.form.sections["classify"].editors["batch_size"]
        self._editors = {
            "device": self._device,
            "batch_size": batch_size,
            "default_mpp": Editor(
                self.default_mpp, self.default_mpp.value, self.default_mpp.setValue
            ),
            "cache_folder": Editor(self.cache, self.cache.text, self.cache.setText),
        }
        for name, editor in self._editors.items():
            editor.set(self.preferences[name])
        self._device.widget.currentTextChanged.connect(lambda: self._tell("device"))
        batch_size.widget.valueChanged.connect(lambda: self._tell("batch_size"))
        self.default_mpp.valueChanged.connect(lambda: self._tell("default_mpp"))
        self.cache.editingFinished.connect(lambda: self._tell("cache_folder"))
        self.preferences.changed.connect(self._on_preference)

    def _tell(self, name: str) -> None:
        self.preferences.set(name, self._editors[name].get())

    def _on_preference(self, name: str, value: object) -> None:
        editor = self._editors.get(name)
        if editor is not None and editor.get() != value:
            editor.set(value)

    def let_go(self) -> None:
        """Hear no more of the preferences."""
        self.preferences.changed.disconnect(self._on_preference)
        self.preferences.let_go()

    @property
    def device(self) -> str:
        """Where the network runs."""
        return str(self._device.get())

    def set_results(self, folder: str) -> None:
        """Use another folder for the results."""
        if folder != self.folder.text():
            self.folder.setText(folder)
            self.results_changed.emit()

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
            output_folder=self.folder.text(),
        )

    def _on_choose_model(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, "Choose a model folder (card.json and weights.safetensors)"
        )
        self.choose_model(folder)

    def choose_model(self, folder: str) -> None:
        """Use a model folder of one's own; it is added to the list."""
        if folder:
            self.model.setCurrentIndex(self.offer_model(folder))

    def offer_model(self, folder: str) -> int:
        """Add a model folder to the list, unless it is there; return its place."""
        at = self.model.findData(folder)
        if at < 0:
            self.model.addItem(Path(folder).name, folder)
            at = self.model.count() - 1
        return at

    def _on_choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, "Choose a folder for the results", self.folder.text()
        )
        if folder:
            self.set_results(folder)


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
