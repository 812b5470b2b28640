"""How the interface is shown on the slide: line, whiskers, opacity, legend."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.core.spatial.interface import InterfaceCode
from napari_crlm_spa.core.spatial.interface.colors import CODE_COLORS, CODE_TITLES
from napari_crlm_spa.plugin.growth.lines import WHISKER_EVERY_UM
from napari_crlm_spa.plugin.memory import recall, remember

LINE, WHISKERS, OPACITY = "growth_line", "growth_whiskers", "growth_opacity"
ORDER = (InterfaceCode.D, InterfaceCode.N, InterfaceCode.O, InterfaceCode.U)


class LineBox(QWidget):
    """Chooses what of the interface lies over the slide."""

    changed = Signal()
    opacity_changed = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        kept = recall()
        self.line = QCheckBox("Line on the slide")
        self.line.setChecked(bool(kept.get(LINE, True)))
        self.whiskers = QCheckBox("Rim thickness")
        self.whiskers.setToolTip(
            f"Every {WHISKER_EVERY_UM:g} µm a thin line from the interface to the nearest liver, "
            "where a rim lies between"
        )
        self.whiskers.setChecked(bool(kept.get(WHISKERS, True)))
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(10, 100)
        self.opacity.setToolTip("Opacity of the lines")
        kept_opacity = kept.get(OPACITY, 1.0)
        valid = isinstance(kept_opacity, int | float)
        self.opacity.setValue(round(100 * kept_opacity) if valid else 100)
        self.outline = QLabel("The black outline is the tumor region of the features: O hides it.")
        self.outline.setEnabled(False)
        self._lay_out()
        self.line.toggled.connect(self._on_toggled)
        self.whiskers.toggled.connect(self._on_toggled)
        self.opacity.valueChanged.connect(self._on_opacity)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.line)
        row.addWidget(self.whiskers)
        row.addWidget(self.opacity, 1)
        legend = QGridLayout()
        legend.setHorizontalSpacing(14)
        legend.setVerticalSpacing(1)
        for at, code in enumerate(ORDER):
            sign = "╍" if code == InterfaceCode.U else "━"
            label = QLabel(
                f'<span style="color:{CODE_COLORS[code]}; font-weight:900">{sign * 2}</span> '
                f"<b>{code.name}</b> {CODE_TITLES[code]}"
            )
            legend.addWidget(label, at // 2, at % 2)
        legend.setColumnStretch(2, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(row)
        layout.addLayout(legend)
        layout.addWidget(self.outline)

    @property
    def share(self) -> float:
        """The opacity, 0-1."""
        return float(self.opacity.value() / 100)

    def take_opacity(self, opacity: float) -> None:
        """Follow napari's own slider."""
        with QSignalBlocker(self.opacity):
            self.opacity.setValue(round(100 * opacity))
        remember(**{OPACITY: self.share})

    def _on_toggled(self, _on: bool) -> None:
        remember(**{LINE: self.line.isChecked(), WHISKERS: self.whiskers.isChecked()})
        self.changed.emit()

    def _on_opacity(self, _value: int) -> None:
        remember(**{OPACITY: self.share})
        self.opacity_changed.emit(self.share)
