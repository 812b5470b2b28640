"""What stands in the place of results while somebody reads a slide without knowing them."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QStackedWidget, QWidget

BLINDED = (
    "Hidden while a slide is read blinded. It comes back when the reading is committed or ended: "
    "CRLM-SPA growth pattern, tab Read."
)
MARGIN_PX = 12


class Covered(QStackedWidget):
    """Shows its content, or a sentence in its place.

    Parameters
    ----------
    content
        What may not be seen by everybody at all times. Its keys go with it.
    """

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.label = QLabel(BLINDED)
        self.label.setWordWrap(True)
        self.label.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.label.setMargin(MARGIN_PX)
        self.addWidget(content)
        self.addWidget(self.label)

    def cover(self, covered: bool) -> None:
        """Hide the content, or show it again."""
        self.setCurrentIndex(int(covered))
