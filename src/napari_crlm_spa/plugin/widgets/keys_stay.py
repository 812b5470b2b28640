"""The keyboard belongs to the canvas, whatever was clicked last in the panel.

A reader clicks a slide in the queue and presses N, or a tile in a table and presses 6: the viewer
has to hear that. Qt would give the key to the list, which looks for an entry that begins so. And
who scrolls through a tab must not change what lies under the pointer.
"""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QScrollArea,
    QScrollBar,
    QWidget,
)

_WITH_COMMAND = (
    Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.MetaModifier
)
_LEAVE = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape)


class KeysStay(QObject):
    """Leaves the keys to the canvas while parts of the panel are used with the mouse.

    Buttons, choosers and sliders are reached with Tab, not by a click. Lists keep the arrow keys
    and leave letters and digits to the viewer. Fields for text and numbers keep all keys until
    Return or Escape. A chooser, a number or a slider in a tab does not turn with the wheel.

    Parameters
    ----------
    roots
        What is watched, with everything that is in it now.
    parent
        Owns this.
    """

    def __init__(self, roots: tuple[QWidget, ...], parent: QObject) -> None:
        super().__init__(parent)
        self._left: QWidget | None = None
        self._leaving = QTimer(self, singleShot=True, interval=0)
        self._leaving.timeout.connect(self._leave)
        for root in roots:
            for widget in root.findChildren(QWidget):
                self._take(widget)

    def _take(self, widget: QWidget) -> None:
        if isinstance(widget, QScrollBar):
            return
        if isinstance(widget, QAbstractButton | QComboBox | QAbstractSlider):
            is_clicked = widget.focusPolicy() & Qt.FocusPolicy.ClickFocus
            if is_clicked and not (isinstance(widget, QComboBox) and widget.isEditable()):
                widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        elif isinstance(widget, QAbstractSpinBox):
            if widget.focusPolicy() == Qt.FocusPolicy.WheelFocus:
                widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        elif not isinstance(widget, QAbstractItemView | QLineEdit):
            return
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Pass on what belongs to the viewer or to the scroll area around."""
        if not isinstance(watched, QWidget) or event is None:
            return False
        if event.type() == QEvent.Type.KeyPress:
            return self._on_key(watched, event)
        if event.type() == QEvent.Type.Wheel and _turns(watched):
            event.ignore()
            return True
        return False

    def _on_key(self, widget: QWidget, event: QEvent) -> bool:
        assert isinstance(event, QKeyEvent)
        if isinstance(widget, QAbstractItemView | QComboBox):
            opens = isinstance(widget, QComboBox) and event.key() == Qt.Key.Key_Space
            if _is_letter(event) and not opens and not _is_open(widget):
                event.ignore()
                return True
        elif isinstance(widget, QLineEdit | QAbstractSpinBox) and event.key() in _LEAVE:
            # When the field has taken in what was typed.
            self._left = widget
            self._leaving.start()
        return False

    def _leave(self) -> None:
        field, self._left = self._left, None
        window = None if field is None else field.window()
        if field is not None and window is not None and field.hasFocus():
            window.setFocus(Qt.FocusReason.OtherFocusReason)


def _is_letter(event: QKeyEvent) -> bool:
    text, command = event.text(), event.modifiers() & _WITH_COMMAND
    return bool(text) and text.isprintable() and not command


def _is_open(widget: QWidget) -> bool:
    """Whether this is the list of a chooser, which is searched by letters."""
    return bool(widget.window().windowFlags() & Qt.WindowType.Popup == Qt.WindowType.Popup)


def _turns(widget: QWidget) -> bool:
    """Whether the wheel would change a value while the reader scrolls."""
    if widget.hasFocus() or isinstance(widget, QAbstractItemView):
        return False
    if isinstance(widget, QComboBox | QAbstractSpinBox):
        return True
    return isinstance(widget, QAbstractSlider) and _scrolls(widget)


def _scrolls(widget: QWidget) -> bool:
    around: QWidget | None = widget.parentWidget()
    while around is not None and not isinstance(around, QScrollArea):
        around = around.parentWidget()
    return around is not None
