"""Which tiles the table lists: class, state, marks, and a text."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.quality import QualityMark
from napari_crlm_spa.plugin.throttle import Throttle
from napari_crlm_spa.plugin.tile_columns import COLUMNS
from napari_crlm_spa.plugin.tile_filter import EXAMPLE

#: What a chooser says, and the filter that it stands for.
CLASSES = {
    "All classes": "",
    **{tissue.title: f"class = {tissue.name}" for tissue in CRLM7.classes},
    "Corrected": "class != predicted",
}
STATES = {
    "All states": "",
    "Classified": "classified",
    "Edited": "edited",
    "Accepted": "accepted",
    "Set aside": "set_aside",
}
MARKS = {
    "All marks": "",
    "Any mark": " or ".join(mark.title for mark in QualityMark),
    **{mark.title.capitalize(): mark.title for mark in QualityMark},
}
#: A text is taken when the typing rests for so long.
TYPING_MS = 400
PROBLEM_STYLE = "QLabel {color: #e5534b;}"


class TileFilterRow(QWidget):
    """Three choosers and a line of text; all of them must hold."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.classes, self.states, self.marks = (
            _chooser(words) for words in (CLASSES, STATES, MARKS)
        )
        self.line = QLineEdit()
        self.line.setClearButtonEnabled(True)
        self.line.setPlaceholderText(f"e.g. {EXAMPLE}")
        names = ", ".join(column.name for column in COLUMNS)
        self.line.setToolTip(
            "Compare columns with numbers or words; join with and, or, not and parentheses.\n"
            f"A word alone asks for that class, mark or state: {EXAMPLE}\nColumns: {names}"
        )
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setStyleSheet(PROBLEM_STYLE)
        self.problem.hide()
        row = QHBoxLayout()
        for chooser in (self.classes, self.states, self.marks):
            row.addWidget(chooser, 1)
            chooser.currentIndexChanged.connect(self.changed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(row)
        layout.addWidget(self.line)
        layout.addWidget(self.problem)
        typing = Throttle(self._on_typed, self, TYPING_MS)
        self.line.textChanged.connect(lambda _text: typing.start())
        self.line.returnPressed.connect(self.changed)

    def _on_typed(self) -> None:
        # A method, unlike a signal's emit, is not called when this is gone.
        self.changed.emit()

    @property
    def text(self) -> str:
        """The filter that all choices make together."""
        parts = [
            CLASSES[self.classes.currentText()],
            STATES[self.states.currentText()],
            MARKS[self.marks.currentText()],
        ]
        # A line of its own, so that what is wrong with it is told as it was typed.
        return " and ".join(f"({part})" for part in parts if part)

    @property
    def typed(self) -> str:
        """The text alone."""
        return str(self.line.text())

    def show_problem(self, sentence: str) -> None:
        """Say what is wrong with the text; nothing hides it."""
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))


def _chooser(words: dict[str, str]) -> QComboBox:
    chooser = QComboBox()
    chooser.addItems(list(words))
    chooser.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    chooser.setMinimumContentsLength(6)
    return chooser
