"""What is measured of an interface beside its shares: rim, contact, interaction, lesions."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_crlm_spa.core.spatial.interface import Interface
from napari_crlm_spa.plugin.growth.words import LESION_HEADS, lesion_rows, number_rows


class NumbersBox(QWidget):
    """Rows of names and values, and a row for each lesion where there are several."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[tuple[QLabel, QLabel]] = []
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)
        self.lesions = QLabel()
        self.lesions.setTextFormat(Qt.TextFormat.RichText)
        self.lesions.setToolTip(
            "◂ the lesion with the least rim: a patient counts as desmoplastic only if every "
            "lesion is"
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(self._grid)
        layout.addWidget(self.lesions)

    def value(self, name: str) -> str:
        """Return what stands beside a name."""
        return next(value.text() for label, value in self._rows if label.text() == name)

    def show_numbers(self, interface: Interface) -> None:
        """Show the numbers of an interface."""
        rows = number_rows(interface)
        while len(self._rows) < len(rows):
            self._add_row()
        for (label, value), (name, text, told) in zip(self._rows, rows, strict=True):
            label.setText(name)
            value.setText(text)
            for widget in (label, value):
                widget.setToolTip(told)
        several = len(interface.lesions) > 1
        self.lesions.setVisible(several)
        self.lesions.setText(_table(lesion_rows(interface)) if several else "")

    def _add_row(self) -> None:
        label, value = QLabel(), QLabel()
        value.setWordWrap(True)
        value.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        at = len(self._rows)
        self._grid.addWidget(label, at, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(value, at, 1)
        self._rows.append((label, value))


def _table(rows: list[tuple[str, ...]]) -> str:
    def line(cells: tuple[str, ...], tag: str) -> str:
        inner = "".join(f'<{tag} align="right" style="padding:0 6px">{c}</{tag}>' for c in cells)
        return f"<tr>{inner}</tr>"

    return f"<table>{line(LESION_HEADS, 'th')}{''.join(line(row, 'td') for row in rows)}</table>"
