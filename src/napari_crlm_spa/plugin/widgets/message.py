"""A sentence in the panel: what went wrong, or how it ended. Never a dialog."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QToolButton

PROBLEM_STYLE = "QFrame#message {background: #b3261e; border-radius: 4px;} QLabel {color: white;}"
PLAIN_STYLE = ""


class Message(QFrame):
    """Hidden while there is nothing to say."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("message")
        self.label = QLabel()
        self.label.setWordWrap(True)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.copy_button = QToolButton()
        self.copy_button.setText("Copy details")
        self.copy_button.clicked.connect(self._on_copy)
        self._details = ""
        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 4)
        layout.addWidget(self.label, 1)
        layout.addWidget(self.copy_button)
        self.clear()

    @property
    def text(self) -> str:
        """What is shown now."""
        return self.label.text()

    def tell(self, sentence: str) -> None:
        """Say something that is no problem."""
        self._show(sentence, "", PLAIN_STYLE)

    def show_problem(self, sentence: str, details: str = "") -> None:
        """Say what is wrong and, for a fault of the program, keep its details to be copied."""
        self._show(sentence, details, PROBLEM_STYLE)

    def clear(self) -> None:
        """Say nothing."""
        self._show("", "", PLAIN_STYLE)

    def _show(self, sentence: str, details: str, style: str) -> None:
        self._details = details
        self.label.setText(sentence)
        self.setStyleSheet(style)
        self.copy_button.setVisible(bool(details))
        self.setVisible(bool(sentence))

    def _on_copy(self) -> None:
        QApplication.clipboard().setText(self._details)
