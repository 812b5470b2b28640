"""The risk of the current slide: every term with its numbers, score and group, or why none."""

from __future__ import annotations

from contextlib import suppress

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QTableWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.core.review import Review
from napari_crlm_spa.core.risk import RESEARCH_USE_ONLY, RiskAssessment, load_risk_model
from napari_crlm_spa.core.sentinel import Sentinel
from napari_crlm_spa.errors import CrlmSpaError, InvalidRiskModel
from napari_crlm_spa.plugin import engine
from napari_crlm_spa.plugin.doubt_results import results_of
from napari_crlm_spa.plugin.memory import recall, remember
from napari_crlm_spa.plugin.risk_models import own_model
from napari_crlm_spa.plugin.risk_words import (
    interval_words,
    map_of,
    predicted_line,
    predicted_value,
)
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.tables import risk_cells, risk_headline
from napari_crlm_spa.plugin.throttle import Throttle
from napari_crlm_spa.plugin.tools.live_words import flip_line
from napari_crlm_spa.plugin.widgets.risk_clinical import ClinicalBox
from napari_crlm_spa.plugin.widgets.tables import ReadOnlyTable

HEADERS = ["Feature", "Value", "Cut-off", "Weight", "Adds"]
VALUE_COLUMN, CUTOFF_COLUMN = 1, 2
CUTOFF_TIP = "Where the feature is split. Double-click a cell to enter your own."
BANNER_STYLE = (
    "QLabel {background: #ffd33d; color: #24292f; font-weight: bold; padding: 4px;"
    " border-radius: 4px;}"
)
WARNING_STYLE = (
    "QLabel {background: #fdf6e4; color: #24292f; border-left: 4px solid #c88a00; padding: 4px;}"
)
HEADLINE_STYLE = "QLabel {font-size: 15px; font-weight: bold;}"
FLIP_STYLE = (
    "QLabel {background: #b3261e; color: white; font-weight: bold; padding: 3px 6px;"
    " border-radius: 4px;}"
)
SHOWN_BY_CLICK = "Click a term to see it on the map."


class RiskTab(QWidget):
    """Chooser of the risk model and the slide's assessment by it."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.banner = QLabel("Research use only")
        self.banner.setToolTip(RESEARCH_USE_ONLY)
        self.banner.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.banner.setStyleSheet(BANNER_STYLE)
        self.model = QComboBox()
        self.model.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.model.setToolTip("The equation that turns features into a score")
        self.model_button = QToolButton()
        self.model_button.setText("…")
        self.model_button.setToolTip("Use a risk model from a file")
        self.sentinel = QLabel()
        self.sentinel.setWordWrap(True)
        self.sentinel.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.table = ReadOnlyTable(HEADERS)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked)
        self.table.horizontalHeaderItem(CUTOFF_COLUMN).setToolTip(CUTOFF_TIP)
        self.headline = QLabel()
        self.headline.setStyleSheet(HEADLINE_STYLE)
        self.headline.setWordWrap(True)
        self.flip = QLabel()
        self.flip.setStyleSheet(FLIP_STYLE)
        self.predicted = QLabel()
        self.interval = QLabel()
        self.hint = QLabel(SHOWN_BY_CLICK)
        for label in (self.predicted, self.interval):
            label.setWordWrap(True)
        self.clinical = ClinicalBox(session)
        self.reason = QLabel()
        self.reason.setWordWrap(True)
        self.source = QLabel()
        self.source.setWordWrap(True)
        self._fill_models()
        self._use_model()
        self._lay_out()
        self.model.currentIndexChanged.connect(self._on_model_changed)
        self.model_button.clicked.connect(self._on_choose_model)
        self.table.itemChanged.connect(self._on_cell_edited)
        self.table.cellClicked.connect(self._on_cell)
        self._throttle = Throttle(self._follow, self)
        session.current_changed.connect(self._on_current)
        session.analysis_changed.connect(self._on_analysis_changed)
        session.map_started.connect(self._on_analysis_changed)
        session.review_changed.connect(self._on_review)
        session.risk_model_changed.connect(self._on_review)
        results_of(session).changed.connect(self._on_review)
        self._on_current(session.current)

    @property
    def model_name(self) -> str:
        """Name or file of the chosen risk model."""
        return str(self.model.currentData())

    def _fill_models(self) -> None:
        for name, title in engine.risk_models().items():
            self.model.addItem(title, name)
        self.choose(recall().get("risk_model", engine.default_risk_model()))

    def _lay_out(self) -> None:
        chooser = QHBoxLayout()
        chooser.addWidget(QLabel("Risk model"))
        chooser.addWidget(self.model, 1)
        chooser.addWidget(self.model_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(4)
        layout.addWidget(self.banner)
        for widget in (
            *(self.headline, self.flip, self.predicted, self.interval, self.sentinel),
            *(self.table, self.hint, self.reason),
        ):
            layout.addWidget(widget)
        layout.addLayout(chooser)
        layout.addWidget(self.source)
        layout.addWidget(self.clinical.fold)
        layout.addStretch(1)

    def choose(self, name: str) -> None:
        """Use a preset, or a model file, which is added to the list."""
        if self.model.findData(name) < 0:
            self.model.addItem(engine.risk_model_title(name), name)
        self.model.setCurrentIndex(self.model.findData(name))

    def _on_choose_model(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Choose a risk model", "", "Model (*.json)")
        if path:
            self.choose(path)

    def _on_model_changed(self) -> None:
        remember(risk_model=self.model_name)
        self._use_model()
        self._show(self._session.current)

    def _use_model(self) -> None:
        """Let the session assess by the chosen model; one that cannot be read is told below."""
        with suppress(InvalidRiskModel):
            self._session.set_risk_model(self.model_name)

    def _on_current(self, slide: OpenSlide | None) -> None:
        self._show(slide)
        self.clinical.show_slide(slide)

    def _on_analysis_changed(self, _slide: OpenSlide) -> None:
        self._on_current(self._session.current)

    def _on_review(self, _changed: object) -> None:
        # A dragged threshold or a brush changes the numbers many times a second.
        self._throttle.poke()

    def _follow(self) -> None:
        if self.isVisible():
            self._show(self._session.current)
            self.clinical.show_grade(self._session.current)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Show what happened meanwhile."""
        super().showEvent(event)
        self._throttle.poke()

    def _on_cell(self, row: int, column: int) -> None:
        """Show the map that a term comes from; a cut-off is there to be edited."""
        slide = self._session.current
        if column == CUTOFF_COLUMN or slide is None or slide.risk is None:
            return
        kind, tissue = map_of(slide.risk.rows[row].column)
        self._session.set_view(kind=kind, tissue=tissue)

    def _on_cell_edited(self, item: QTableWidgetItem) -> None:
        """Take an entered cut-off into a model file of the user's own, and use that."""
        try:
            path = own_model(self.model_name, item.row(), item.text())
        except CrlmSpaError as error:
            self._show(self._session.current)
            self._say("", str(error))
            return
        if self.model_name == str(path):
            self._on_model_changed()
        self.choose(str(path))

    def _show(self, slide: OpenSlide | None) -> None:
        # What the program writes into cells is no edit.
        with QSignalBlocker(self.table):
            self._fill(slide)

    def _fill(self, slide: OpenSlide | None) -> None:
        self.table.setRowCount(0)
        analysis = None if slide is None else slide.analysis
        self._show_review(slide)
        self._show_sentinel(None if analysis is None else analysis.sentinel)
        try:
            model = load_risk_model(self.model_name)
            self.source.setText(model.source)
            self.source.setVisible(bool(model.source))
            self.source.setToolTip("\n".join(model.notes))
            if slide is None or slide.review is None:
                self._say("", "Run the analysis to see the features and the risk.")
            elif slide.review.risk is None:
                self._say("No risk", str(slide.review.features.refusal))
            else:
                self._show_assessment(slide.review, slide.review.risk)
        except CrlmSpaError as error:
            self._say("No risk", str(error))
        self.table.fit()

    def _show_sentinel(self, sentinel: Sentinel | None) -> None:
        """Say whether the slide looks unlike the training slides, where the risk is read."""
        self.sentinel.setVisible(sentinel is not None)
        if sentinel is not None:
            self.sentinel.setText(sentinel.sentence)
            self.sentinel.setStyleSheet(WARNING_STYLE if sentinel.warns else "")

    def _show_review(self, slide: OpenSlide | None) -> None:
        """Say what the risk was as predicted, and how far the score could lie off."""
        review = None if slide is None else slide.review
        words = {self.flip: "", self.predicted: "", self.interval: ""}
        if slide is not None and review is not None:
            words[self.flip] = flip_line(review)
            words[self.predicted] = predicted_line(review)
            words[self.interval] = interval_words(self._session, slide, review.risk_model)
        for label, text in words.items():
            label.setText(text)
            label.setVisible(bool(text))
        self.hint.setVisible(review is not None and review.risk is not None)

    def _show_assessment(self, review: Review, assessment: RiskAssessment) -> None:
        self._say(risk_headline(assessment), assessment.reason)
        self.headline.setToolTip(assessment.formula)
        for row, term in enumerate(assessment.rows):
            for column, (text, tip) in enumerate(risk_cells(term)):
                was = predicted_value(review, term.column, text) if column == VALUE_COLUMN else ""
                tip = "\n".join(filter(None, (was, tip)))
                self.table.put(row, column, text, tip, editable=column == CUTOFF_COLUMN)

    def _say(self, headline: str, reason: str) -> None:
        self.headline.setText(headline)
        self.headline.setVisible(bool(headline))
        self.reason.setText(reason)
        self.reason.setVisible(bool(reason))
