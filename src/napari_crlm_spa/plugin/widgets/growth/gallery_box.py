"""The evidence gallery with its choosers, and the walk through it."""

from __future__ import annotations

from dataclasses import replace

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.core.spatial.interface.stretches import Stretch, labels_along
from napari_crlm_spa.plugin.growth.keeper import Measured
from napari_crlm_spa.plugin.growth.reader_lines import DrawnLines
from napari_crlm_spa.plugin.memory import recall, remember
from napari_crlm_spa.plugin.session import FlyTarget, Session
from napari_crlm_spa.plugin.widgets.growth.gallery import ORDERS, SHOWN, StretchGallery, agrees

ORDER, CODES = "growth_order", "growth_codes"
NEXT_KEY, PREVIOUS_KEY = "J", "K"
#: Sides of the frame around a stretch, in tiles.
LEAST_TILES = 4


class GalleryBox(QWidget):
    """Stretches of the interface, one by one."""

    chosen = Signal(object)  # Stretch

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._measured: Measured | None = None
        self._labeled: tuple[Stretch, ...] = ()
        kept = recall()
        self.order = QComboBox()
        self.order.addItems([each.title for each in ORDERS])
        self.order.setCurrentText(str(kept.get(ORDER, ORDERS[0].title)))
        self.codes = QComboBox()
        self.codes.addItems([title for title, _ in SHOWN])
        self.codes.setCurrentText(str(kept.get(CODES, SHOWN[0][0])))
        self.differ = QCheckBox("where a reader differs")
        self.differ.setToolTip("Only stretches along which a reader has drawn something else")
        self.line = QLabel()
        self.back, self.on = QToolButton(), QToolButton()
        self.back.setText("◂")
        self.back.setToolTip(f"The stretch before ({PREVIOUS_KEY})")
        self.on.setText("▸")
        self.on.setToolTip(f"The next stretch ({NEXT_KEY})")
        self.gallery = StretchGallery(session)
        self.gallery.keys = frozenset({NEXT_KEY, PREVIOUS_KEY, "Left", "Right"})
        self._lay_out()
        self.order.activated.connect(self._on_chooser)
        self.codes.activated.connect(self._on_chooser)
        self.differ.toggled.connect(lambda _: self._fill())
        self.back.clicked.connect(lambda: self.step(-1))
        self.on.clicked.connect(lambda: self.step(1))
        self.gallery.chosen.connect(self._on_chosen)
        self.gallery.typed.connect(lambda k: self.step(1 if k in (NEXT_KEY, "Right") else -1))

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.codes)
        top.addWidget(self.order)
        top.addStretch(1)
        below = QHBoxLayout()
        below.addWidget(self.line)
        below.addWidget(self.differ)
        below.addStretch(1)
        below.addWidget(self.back)
        below.addWidget(self.on)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(top)
        layout.addLayout(below)
        layout.addWidget(self.gallery)

    def let_go(self) -> None:
        """Read no more."""
        self.gallery.pictures.stop()

    def show_measured(self, measured: Measured | None, drawn: DrawnLines | None = None) -> None:
        """Show the stretches of another interface, and what a reader has drawn along them."""
        self._measured = measured
        self._labeled = ()
        if measured is not None:
            lines = [] if drawn is None else list(drawn.lines)
            labels = labels_along(measured.interface, measured.stretches, lines)
            self._labeled = tuple(
                replace(each, label=label)
                for each, label in zip(measured.stretches, labels, strict=True)
            )
        has_labels = any(each.label for each in self._labeled)
        self.differ.setVisible(has_labels)
        if not has_labels and self.differ.isChecked():
            self.differ.setChecked(False)
        self._fill()

    def step(self, by: int) -> None:
        """Go to the next stretch or the one before."""
        n_stretches = len(self.gallery.stretches)
        if n_stretches:
            now = self.gallery.position
            self.gallery.go(min(max(now + by, 0), n_stretches - 1) if now >= 0 else 0)

    def _on_chooser(self, _index: int) -> None:
        remember(**{ORDER: self.order.currentText(), CODES: self.codes.currentText()})
        self._fill()

    def _fill(self) -> None:
        codes = SHOWN[self.codes.currentIndex()][1]
        wanted = [each for each in self._labeled if each.code in codes]
        if self.differ.isChecked():
            wanted = [each for each in wanted if not agrees(each)]
        found = ORDERS[self.order.currentIndex()].sort(wanted)
        self.gallery.show_stretches(self._measured, found)
        self.gallery.setVisible(bool(found))
        for button in (self.back, self.on):
            button.setEnabled(bool(found))
        n_found = len(found)
        self.line.setText(f"{n_found} stretch{'es' * (n_found != 1)} of about 0.5 mm")

    def _on_chosen(self, position: int) -> None:
        stretch = self.gallery.stretches[position]
        if self._measured is None:
            return
        slide = self._measured.slide
        self._session.select(slide.id)
        # The frame of a straight stretch would lie on its line.
        least_um = LEAST_TILES * self._measured.tissue_map.stride_um
        width_um, height_um = (max(side, least_um) for side in stretch.box_um)
        self._session.fly_wanted.emit(FlyTarget(slide.id, stretch.center_um, (width_um, height_um)))
        self.line.setText(f"stretch {position + 1} of {len(self.gallery.stretches)}")
        self.chosen.emit(stretch)
