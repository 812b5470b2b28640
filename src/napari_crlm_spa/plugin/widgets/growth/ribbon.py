"""The dock of the ribbon: which line, zoom, what is read off, and Stop while it is being read."""

from __future__ import annotations

import math

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollBar,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.core.classes import ClassScheme
from napari_crlm_spa.core.spatial.interface import InterfaceCode
from napari_crlm_spa.core.spatial.interface.colors import CODE_TITLES
from napari_crlm_spa.plugin.growth.keeper import Measured
from napari_crlm_spa.plugin.growth.strip import Strip, contour_title
from napari_crlm_spa.plugin.session import FlyTarget, Session, TileAt
from napari_crlm_spa.plugin.widgets.covered import Covered
from napari_crlm_spa.plugin.widgets.growth.ribbon_view import ZOOM_STEP, RibbonView

#: Narrower than so much a picture is called squeezed.
TRUE_WITHIN = 1.05
SCROLL_STEPS = 100_000
#: Low, so that the tissue has the room.
BAR_PX = 11
HELP = (
    "Wheel: zoom · drag: move · click: fly there · Shift and drag: read a stretch.\n"
    "Where the line bends, its normals cross; there the picture is pale, since the same tissue is "
    "seen in several places. Lengths along the line are true everywhere."
)
RESEARCH = "Research use only; an estimate"


class Ribbon(QWidget):
    """The straightened interface of a session's current slide."""

    pointed = Signal(object)  # ((x, y) inside, (x, y) outside) in µm, or None

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._measured: Measured | None = None
        self.chooser = QComboBox()
        self.chooser.setToolTip("Which line is unrolled")
        self.chooser.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.out_button, self.in_button = _tool("−", "See more"), _tool("+", "See less, larger")
        self.all_button = _tool("All", "See the whole line")
        self.true_button = _tool("1:1", "See shapes as they are: no squeezing along the line")
        self.readout = QLabel()
        self.readout.setToolTip(HELP)
        self.readout.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.reading = QLabel()
        self.stop_button = QPushButton("Stop")
        self.stop_button.setToolTip("Read no more of the slide until the ribbon is moved")
        self.view = RibbonView()
        self.bar = QScrollBar(Qt.Orientation.Horizontal)
        self.bar.setFixedHeight(BAR_PX)
        self.note = QLabel(RESEARCH)
        self.note.setEnabled(False)
        self._lay_out()
        self._connect()
        self._show_reading(0)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(5)
        for widget in (
            self.chooser,
            self.out_button,
            self.in_button,
            self.true_button,
            self.all_button,
        ):
            top.addWidget(widget)
        top.addWidget(self.readout, 1)
        for widget in (self.reading, self.stop_button, self.note):
            top.addWidget(widget)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(4, 2, 4, 2)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.bar)
        self.covered = Covered(content)
        # Or napari would put empty room below it.
        self.covered.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(self.covered)

    def _connect(self) -> None:
        self.chooser.activated.connect(self._on_choose)
        self.in_button.clicked.connect(lambda: self.view.zoom(ZOOM_STEP**2))
        self.out_button.clicked.connect(lambda: self.view.zoom(ZOOM_STEP**-2))
        self.all_button.clicked.connect(self.view.show_all)
        self.true_button.clicked.connect(self.view.show_true)
        self.stop_button.clicked.connect(self._on_stop)
        self.view.fly_wanted.connect(self.fly_to)
        self.view.pointed.connect(self._on_pointed)
        self.view.moved.connect(self._on_moved)
        self.view.pictures.reading.connect(self._show_reading)
        self.bar.valueChanged.connect(self._on_bar)

    def let_go(self) -> None:
        """Read no more."""
        self.view.pictures.stop()

    # -- what is shown --------------------------------------------------------------------

    def show_measured(self, measured: Measured | None) -> None:
        """Show another interface, of the line that was chosen if it is still there."""
        same = (
            measured is not None
            and self._measured is not None
            and measured.slide is self._measured.slide
        )
        wanted = max(0, self.chooser.currentIndex()) if same else 0
        self._measured = measured
        n_contours = 0 if measured is None else len(measured.interface.contours)
        with QSignalBlocker(self.chooser):
            self.chooser.clear()
            for number in range(n_contours):
                assert measured is not None
                self.chooser.addItem(contour_title(measured, number))
            self.chooser.setCurrentIndex(min(wanted, n_contours - 1))
        self.chooser.setEnabled(n_contours > 0)
        self._show_contour(min(wanted, n_contours - 1))

    def use_palette(self, _palette: object = None) -> None:
        """Show the classes in the colors of the session."""
        if self._measured is not None:
            self.view.use_scheme(self._scheme())

    @property
    def number(self) -> int:
        """Index of the contour that is shown; -1 without one."""
        return -1 if self.view.strip is None else self.view.strip.number

    def look_at(self, number: int, start_um: float, length_um: float) -> None:
        """Bring a stretch of a contour into view."""
        if self._measured is None or not 0 <= number < len(self._measured.interface.contours):
            return
        if number != self.number:
            self.chooser.setCurrentIndex(number)
            self._show_contour(number)
        self.view.look_at(start_um, length_um)

    def _on_choose(self, number: int) -> None:
        self._show_contour(number)

    def _show_contour(self, number: int) -> None:
        strip = None
        if self._measured is not None and number >= 0:
            strip = Strip(self._measured, number)
        self.view.show_strip(strip, None if strip is None else self._scheme())

    def _scheme(self) -> ClassScheme:
        assert self._measured is not None
        return self._measured.tissue_map.scheme.in_palette(self._session.view.palette)

    # -- the slide ------------------------------------------------------------------------

    def fly_to(self, arc_um: float, length_um: float = 0.0) -> None:
        """Look at a place on the slide."""
        strip = self.view.strip
        if strip is None:
            return
        slide = strip.measured.slide
        self._session.select(slide.id)
        side = max(length_um, strip.measured.tissue_map.stride_um)
        self._session.fly_wanted.emit(FlyTarget(slide.id, strip.center_um(arc_um), (side, side)))

    def on_hovered(self, tile: TileAt | None) -> None:
        """Mark the place that is nearest to the pointer on the slide."""
        strip = self.view.strip
        if tile is None or strip is None or tile.slide_id != strip.measured.slide.id:
            self.view.mark(None)
            return
        tissue_map = strip.measured.slide.tissue_map  # whose tiles the pointer tells
        if tissue_map is None:
            return
        x0, y0 = tissue_map.origin_um
        stride = tissue_map.stride_um
        found = strip.unrolled.arc_of(
            x0 + (tile.col + 0.5) * stride, y0 + (tile.row + 0.5) * stride
        )
        self.view.mark(None if found is None else found[0])

    def _on_pointed(self, arc_um: float | None) -> None:
        strip = self.view.strip
        place = None if arc_um is None or strip is None else strip.across_um(arc_um)
        self.pointed.emit(place)
        self._show_readout(arc_um)

    # -- words ----------------------------------------------------------------------------

    def _on_moved(self) -> None:
        self._show_readout(None)
        strip = self.view.strip
        with QSignalBlocker(self.bar):
            low, high = self.view.seen_um
            length = 1.0 if strip is None else strip.length_um
            page = min(1.0, max(high - low, 1e-9) / length)
            self.bar.setPageStep(max(1, round(page * SCROLL_STEPS)))
            self.bar.setSingleStep(max(1, round(page * SCROLL_STEPS / 10)))
            self.bar.setRange(0, max(0, round((1 - page) * SCROLL_STEPS)))
            self.bar.setValue(round(low / length * SCROLL_STEPS))

    def _on_bar(self, value: int) -> None:
        if self.view.strip is not None:
            self.view.scroll_to(value / SCROLL_STEPS * self.view.strip.length_um)

    def _show_readout(self, arc_um: float | None) -> None:
        strip = self.view.strip
        if strip is None:
            self.readout.setText("")
        elif arc_um is not None and self.view.chosen is None:
            self.readout.setText(place_words(strip, arc_um))
        else:
            words = "Chosen" if self.view.chosen is not None else "Seen"
            text = f"{words} {range_words(strip, *(self.view.chosen or self.view.seen_um))}"
            if self.view.squeezed > TRUE_WITHIN:
                text += f" · squeezed {self.view.squeezed:.2g} times along the line"
            self.readout.setText(text)

    def _show_reading(self, left: int) -> None:
        is_reading = left > 0
        self.reading.setText(f"reading, {left} pieces left" if is_reading else "")
        self.reading.setVisible(is_reading)
        self.stop_button.setVisible(is_reading)

    def _on_stop(self) -> None:
        self.view.pictures.stop()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Keep the words right."""
        super().resizeEvent(event)
        self._on_moved()


def range_words(strip: Strip, start_um: float, end_um: float) -> str:
    """Say what a part of the line is."""
    share = (end_um - start_um) / strip.length_um
    codes = strip.shares(start_um, end_um)
    judged = " · ".join(f"{code.name} {100 * part:.1f} %" for code, part in _ordered(codes))
    where = f"{start_um / 1000:.2f} – {end_um / 1000:.2f} mm"
    return f"{where}: {share:.1%} of the line · {judged or 'nothing that can be judged'}"


def place_words(strip: Strip, arc_um: float) -> str:
    """Say what a place of the line is."""
    code = strip.code_at(arc_um)
    interaction, rim_um = strip.numbers_at(arc_um)
    words = [
        f"{arc_um / 1000:.2f} mm ({arc_um / strip.length_um:.1%} of the line)",
        f"{code.name}: {CODE_TITLES[code]}",
    ]
    if math.isfinite(rim_um):
        words.append(f"rim {rim_um:.0f} µm")
    if math.isfinite(interaction):
        words.append(f"interaction {interaction:.2f}")
    return " · ".join(words)


def _ordered(codes: dict[InterfaceCode, float]) -> list[tuple[InterfaceCode, float]]:
    order = (InterfaceCode.D, InterfaceCode.N, InterfaceCode.O)
    return [(code, codes[code]) for code in order if code in codes]


def _tool(text: str, told: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(told)
    return button
