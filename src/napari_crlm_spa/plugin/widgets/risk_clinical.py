"""The clinical risk score: five questions with yes, no or unknown, and the combined grade."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import (
    QComboBox,
    QGridLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.core.risk import combined_grade
from napari_crlm_spa.errors import StoreError
from napari_crlm_spa.plugin.clinical import (
    Answers,
    factor_rules,
    read_answers,
    score_of,
    write_answers,
)
from napari_crlm_spa.plugin.fold import Fold
from napari_crlm_spa.plugin.session import OpenSlide, Session

TITLE = "Clinical risk score"
KEPT = "Kept in your folder of this slide's analysis."
CHOICES = (("unknown", None), ("yes", True), ("no", False))


class ClinicalBox(QWidget):
    """Five factors of the current slide's patient, and what follows with the spatial risk."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.choices = {name: _choice() for name in factor_rules()}
        self.sentence = QLabel()
        self.sentence.setWordWrap(True)
        self.message = QLabel(KEPT)
        self.message.setWordWrap(True)
        self.forget_button = QPushButton("All unknown")
        self.fold = Fold(TITLE, self)
        # As high as the sentences need in this width: their hint knows nothing of it.
        self.fold.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        grid = QGridLayout()
        grid.setSpacing(3)
        for row, (name, rule) in enumerate(factor_rules().items()):
            grid.addWidget(QLabel(rule[:1].upper() + rule[1:]), row, 0)
            grid.addWidget(self.choices[name], row, 1)
            self.choices[name].currentIndexChanged.connect(self._on_answer)
        below = len(self.choices)
        grid.addWidget(self.message, below, 0)
        grid.addWidget(self.forget_button, below, 1)
        grid.setColumnStretch(0, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 4)
        layout.setSpacing(4)
        layout.addLayout(grid)
        layout.addWidget(self.sentence)
        self.forget_button.clicked.connect(self._on_forget)

    @property
    def answers(self) -> Answers:
        """What is known."""
        found = {name: box.currentData() for name, box in self.choices.items()}
        return {name: answer for name, answer in found.items() if answer is not None}

    def show_slide(self, slide: OpenSlide | None) -> None:
        """Show what was entered for a slide by the reader."""
        review = None if slide is None else slide.review
        self.fold.setVisible(review is not None)
        kept: Answers = {}
        if review is not None:
            kept = read_answers(review.analysis.folder, self._session.reader)
        self._show_answers(kept)
        self.message.setText(KEPT)
        self.show_grade(slide)

    def show_grade(self, slide: OpenSlide | None) -> None:
        """Say the clinical score, and the grade with the spatial risk as it is now."""
        risk = None if slide is None else slide.risk
        crs = score_of(self.answers)
        grade = combined_grade(None if risk is None else risk.group, crs.group)
        self.sentence.setText(f"{crs.sentence} {grade.sentence}")
        self.fold.set_title(TITLE)
        if self.answers:
            points = str(crs.lowest) if crs.score is not None else f"{crs.lowest}-{crs.highest}"
            grade_words = "" if grade.grade is None else f", combined grade {grade.grade}"
            self.fold.set_title(f"{TITLE}: {points} of 5{grade_words}")

    def _show_answers(self, answers: Answers) -> None:
        for name, box in self.choices.items():
            with QSignalBlocker(box):
                box.setCurrentIndex(box.findData(answers.get(name)))

    def _on_forget(self) -> None:
        self._show_answers({})
        self._on_answer()

    def _on_answer(self) -> None:
        slide = self._session.current
        if slide is None or slide.analysis is None:
            return
        self.message.setText(KEPT)
        try:
            write_answers(slide.analysis.folder, self._session.reader, self.answers)
        except StoreError as error:
            self.message.setText(f"Not kept: {error}")
        self.show_grade(slide)


def _choice() -> QComboBox:
    box = QComboBox()
    for text, answer in CHOICES:
        box.addItem(text, answer)
    return box
