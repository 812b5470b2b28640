"""Buttons that leave the keyboard to the canvas, and buttons in the color of a class."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QPushButton, QSizePolicy

HEIGHT_PX = 26
DARK_TEXT, LIGHT_TEXT = "#111111", "#ffffff"
#: Where a color counts as light (0 to 255, weighted as the eye does; ITU-R BT.601).
LIGHT = 140
CHOSEN_STYLE = "QPushButton:checked {border: 2px solid white; font-weight: bold;}"


def push_button(text: str, tip: str) -> QPushButton:
    """Make a button with a command; a click on it leaves the keys to the canvas."""
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def even_button(text: str, tip: str, *, checkable: bool = False) -> QPushButton:
    """Make a button of a row in which all are equally wide, however narrow the panel is."""
    button = push_button(text, tip)
    button.setCheckable(checkable)
    button.setFixedHeight(HEIGHT_PX)
    button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    button.setStyleSheet("QPushButton {padding: 1px; font-size: 12px;}" + CHOSEN_STYLE)
    return button


def color_button(button: QPushButton, color: str) -> None:
    """Show a class's color; the one that is chosen has a thick frame."""
    text = DARK_TEXT if is_light(color) else LIGHT_TEXT
    button.setStyleSheet(
        f"QPushButton {{background: {color}; color: {text}; border: 1px solid #808080;"
        " border-radius: 3px; padding: 1px; font-size: 12px;}"
        f"QPushButton:checked {{border: 3px solid {text}; font-weight: bold;}}"
        "QPushButton:disabled {background: #5a5a5a; color: #9a9a9a;}"
    )


def is_light(color: str) -> bool:
    """Whether dark text is read better on a color."""
    shade = QColor(color)
    return 0.299 * shade.red() + 0.587 * shade.green() + 0.114 * shade.blue() > LIGHT
