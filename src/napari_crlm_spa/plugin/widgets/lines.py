"""A few lines of text that change many times a second."""

from __future__ import annotations

from qtpy.QtCore import QRect, Qt
from qtpy.QtGui import QPainter, QPaintEvent
from qtpy.QtWidgets import QSizePolicy, QWidget


class Lines(QWidget):
    """Text in a fixed number of lines; what is too long ends in dots.

    Unlike a label it asks for no new layout of the window when its text changes.

    Parameters
    ----------
    count
        How many lines there is room for.
    """

    def __init__(self, count: int) -> None:
        super().__init__()
        self._text = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(count * self.fontMetrics().lineSpacing() + 2)

    def text(self) -> str:
        """Return what is shown."""
        return self._text

    def set_text(self, text: str) -> None:
        """Show another text."""
        if text != self._text:
            self._text = text
            self.setAccessibleName(text)
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the lines in the color of the theme."""
        painter = QPainter(self)
        painter.setPen(self.palette().windowText().color())
        metrics, top = self.fontMetrics(), 0
        for line in self._text.split("\n"):
            shown = metrics.elidedText(line, Qt.TextElideMode.ElideRight, self.width())
            room = QRect(0, top, self.width(), metrics.lineSpacing())
            painter.drawText(room, Qt.AlignmentFlag.AlignLeft, shown)
            top += metrics.lineSpacing()
        painter.end()
