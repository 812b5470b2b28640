"""Buttons that leave the keyboard to the canvas, and buttons in the color of a class."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QPushButton, QSizePolicy, QToolButton

HEIGHT_PX = 26
DARK_TEXT, LIGHT_TEXT = "#111111", "#ffffff"
#: Where a color counts as light (0 to 255, weighted as the eye does; ITU-R BT.601).
LIGHT = 140


def tool_button(text: str, tip: str, *, checkable: bool = False) -> QToolButton:
    """Make a button; a click on it leaves the keys to the canvas."""
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setCheckable(checkable)
    button.setFixedHeight(HEIGHT_PX)
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def push_button(text: str, tip: str) -> QPushButton:
    """Make a button with a command; a click on it leaves the keys to the canvas."""
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def color_button(button: QToolButton, color: str) -> None:
    """Show a class's color; the frame of the one that is chosen is thick."""
    text = DARK_TEXT if is_light(color) else LIGHT_TEXT
    button.setStyleSheet(
        f"QToolButton {{background: {color}; color: {text}; border: 1px solid #808080;"
        " border-radius: 3px; padding: 1px 3px;}"
        f"QToolButton:checked {{border: 3px solid {text}; font-weight: bold;}}"
        "QToolButton:disabled {background: #5a5a5a; color: #9a9a9a;}"
    )


def is_light(color: str) -> bool:
    """Whether dark text is read better on a color."""
    shade = QColor(color)
    return 0.299 * shade.red() + 0.587 * shade.green() + 0.114 * shade.blue() > LIGHT
