"""What belongs to the map that is shown: a threshold, a scale, colors of zones, or a reason."""

from __future__ import annotations

from qtpy.QtCore import QRectF, QSignalBlocker, Qt, Signal
from qtpy.QtGui import QBrush, QColor, QLinearGradient, QPainter, QPaintEvent
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QSlider,
    QStackedWidget,
    QWidget,
)

from napari_crlm_spa.plugin.form import NumberBox
from napari_crlm_spa.plugin.layers.heat import Scale
from napari_crlm_spa.plugin.widgets.tables import FRAME_COLOR

HEIGHT_PX = 26
GRADIENT_PX = 13
STEPS = 100
UNSURE_TIP = (
    "Tiles whose likeliest class has a lower probability are gray. They are counted as before; "
    "what a reader has corrected or accepted is sure."
)


class MapKey(QStackedWidget):
    """One line below the map chooser."""

    threshold_changed = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(HEIGHT_PX)
        self.threshold = Threshold()
        self.threshold.changed.connect(self.threshold_changed)
        self.gradient = Gradient()
        self.swatches = QLabel()
        self.sentence = QLabel()
        self.sentence.setWordWrap(False)
        for widget in (self.threshold, self.gradient, self.swatches, self.sentence):
            self.addWidget(widget)

    def show_threshold(self, value: float, unsure_tiles: int) -> None:
        """Show the threshold below which tiles are gray."""
        self.threshold.show_value(value, unsure_tiles)
        self.setCurrentWidget(self.threshold)

    def show_scale(self, scale: Scale) -> None:
        """Show the scale of a heat map."""
        self.gradient.show_scale(scale)
        self.setCurrentWidget(self.gradient)

    def show_colors(self, key: tuple[tuple[str, str], ...]) -> None:
        """Show colors with their names."""
        self.swatches.setText("&nbsp;&nbsp;&nbsp;".join(_square(*each) for each in key))
        self.setCurrentWidget(self.swatches)

    def show_sentence(self, sentence: str) -> None:
        """Say why there is no map."""
        self.sentence.setText(sentence)
        self.sentence.setToolTip(sentence)
        self.setCurrentWidget(self.sentence)


def _square(color: str, name: str) -> str:
    return f'<span style="color:{color}">\N{BLACK SQUARE}</span> {name}'


class Threshold(QWidget):
    """A probability: slider, number, and how many tiles lie below."""

    changed = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, STEPS)
        self.slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.box = NumberBox()
        self.box.setRange(0.0, 1.0)
        self.box.setDecimals(2)
        self.box.setSingleStep(0.05)
        # Digits are taken when they are complete.
        self.box.setKeyboardTracking(False)
        self.count = QLabel()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        label = QLabel("Gray below")
        for widget, stretch in ((label, 0), (self.slider, 1), (self.box, 0), (self.count, 0)):
            widget.setToolTip(UNSURE_TIP)
            layout.addWidget(widget, stretch)
        self.slider.valueChanged.connect(lambda step: self.changed.emit(step / STEPS))
        self.box.valueChanged.connect(self.changed)

    def show_value(self, value: float, unsure_tiles: int) -> None:
        """Show a threshold that was set, and what it does."""
        blockers = QSignalBlocker(self.slider), QSignalBlocker(self.box)
        self.slider.setValue(round(STEPS * value))
        self.box.setValue(value)
        self.count.setText(f"{unsure_tiles:,} unsure" if value > 0 else "")
        del blockers


class Gradient(QWidget):
    """A scale as a strip of its colors between its ends."""

    def __init__(self) -> None:
        super().__init__()
        self.low, self.high, self.warning, self.strip = QLabel(), QLabel(), QLabel(), _Strip()
        self.warning.setStyleSheet("font-weight: bold")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.low)
        layout.addWidget(self.strip, 1)
        layout.addWidget(self.high)
        layout.addWidget(self.warning)

    def show_scale(self, scale: Scale) -> None:
        """Show a scale."""
        self.low.setText(scale.low_text)
        self.high.setText(scale.high_text)
        self.warning.setText(scale.warning)
        self.warning.setVisible(bool(scale.warning))
        self.setToolTip(f"{scale.note}\nThe same scale on every slide.")
        self.strip.show_scale(scale)


class _Strip(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(GRADIENT_PX)
        self._scale: Scale | None = None

    def show_scale(self, scale: Scale) -> None:
        self._scale = scale
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        if self._scale is None:
            return
        painter = QPainter(self)
        inside = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        # On white, as clear colors lie on a bright slide.
        painter.fillRect(inside, QColor("white"))
        gradient = QLinearGradient(inside.topLeft(), inside.topRight())
        for place, color in self._scale.stops:
            gradient.setColorAt(place, QColor.fromRgbF(*color))
        painter.fillRect(inside, QBrush(gradient))
        painter.setPen(QColor(FRAME_COLOR))
        painter.drawRect(inside)
        painter.end()
