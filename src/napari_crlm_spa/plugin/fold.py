"""A heading that shows and hides what stands below it."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QSizePolicy, QToolButton, QVBoxLayout, QWidget

#: What the heading's arrow and its margins take beside the text.
BESIDE_TEXT_PX = 34


class Fold(QWidget):
    """Closed at first; a click on the heading opens it."""

    opened = Signal(bool)

    def __init__(self, title: str, content: QWidget) -> None:
        super().__init__()
        self._title = title
        self.content = content
        self.heading = QToolButton()
        self.heading.setText(title)
        self.heading.setCheckable(True)
        self.heading.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        # However long it is, it must not keep the panel from being narrowed.
        self.heading.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.heading)
        layout.addWidget(content)
        # A closed fold leaves its room to what stands below.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.heading.toggled.connect(self.set_open)
        self.set_open(False)

    def set_open(self, is_open: bool) -> None:
        """Show or hide the content."""
        self.heading.setChecked(is_open)
        self.heading.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)
        self.content.setVisible(is_open)
        self.updateGeometry()
        self.opened.emit(is_open)

    @property
    def is_open(self) -> bool:
        """Whether the content is shown."""
        return bool(self.heading.isChecked())

    @property
    def title(self) -> str:
        """The heading, all of it."""
        return self._title

    def set_title(self, title: str) -> None:
        """Change the heading; what does not fit is cut and waits as tooltip."""
        self._title = title
        self._fit_title()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Cut the heading anew."""
        super().resizeEvent(event)
        self._fit_title()

    def _fit_title(self) -> None:
        metrics, room = self.heading.fontMetrics(), self.width() - BESIDE_TEXT_PX
        shown = metrics.elidedText(self._title, Qt.TextElideMode.ElideRight, room)
        # Being laid out is no time to change what need not change.
        if shown != self.heading.text():
            self.heading.setText(shown)
            self.heading.setToolTip(self._title if shown != self._title else "")
