"""Which slide, how large, and how large its pixels are."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from napari_crlm_spa.core.slide import MPP_RANGE, SLIDE_SUFFIXES
from napari_crlm_spa.plugin.form import NumberBox
from napari_crlm_spa.plugin.memory import recall, remember
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.words import pixel_size_line, pixel_size_reason, slide_line

USUAL_MPP = 0.5
MPP_TIP = "Usually 0.5 for a 20x scan and 0.25 for a 40x scan"
MISSING_STYLE = "QLabel {background: #ffd33d; color: #24292f; padding: 2px; border-radius: 3px;}"


class SlideBox(QGroupBox):
    """Chooser of the slide, its size, and a field for a missing pixel size."""

    open_wanted = Signal(str)
    queue_wanted = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__("Slide")
        self._session = session
        self.chooser = QComboBox()
        self.chooser.setMinimumContentsLength(12)
        self.chooser.setToolTip("The slides that are open in napari")
        self.open_button = QPushButton("Open…")
        self.open_button.setToolTip("Open a slide file")
        self.queue_button = QPushButton("Queue")
        self.queue_button.setToolTip("Show the queue of slides at the left, if it was closed")
        self.size_label = QLabel()
        self.pixel_label = QElidingLabel()
        self.change_button = QToolButton()
        self.change_button.setText("Change")
        self.change_button.setToolTip("Enter another pixel size")
        self.mpp_box = NumberBox()
        self.mpp_box.setDecimals(4)
        self.mpp_box.setRange(*MPP_RANGE)
        self.mpp_box.setSingleStep(0.01)
        self.mpp_button = QPushButton("Use")
        self.mpp_button.setToolTip("Use this pixel size; maps made with another one are dropped")
        self._field = QWidget()
        self._lay_out()
        self._connect()
        self._show_slides()
        self._show_current(session.current)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setSpacing(3)
        layout.addLayout(_row((self.chooser, 1), (self.open_button, 0), (self.queue_button, 0)))
        layout.addWidget(self.size_label)
        layout.addLayout(_row((self.pixel_label, 1), (self.change_button, 0)))
        field = _row(
            (QLabel("Pixel size (µm/px)"), 0),
            (self.mpp_box, 1),
            (self.mpp_button, 0),
        )
        field.setContentsMargins(0, 0, 0, 0)
        self._field.setLayout(field)
        self._field.setToolTip(MPP_TIP)
        layout.addWidget(self._field)

    def _connect(self) -> None:
        self.chooser.activated.connect(self._on_chosen)
        self.open_button.clicked.connect(self._on_open)
        self.queue_button.clicked.connect(self.queue_wanted)
        self.change_button.clicked.connect(lambda: self._field.setVisible(True))
        self.mpp_button.clicked.connect(self._on_pixel_size)
        self.mpp_box.lineEdit().returnPressed.connect(self.mpp_button.click)
        self._session.slides_changed.connect(self._show_slides)
        self._session.current_changed.connect(self._show_current)

    def _on_chosen(self) -> None:
        self._session.select(self.chooser.currentData())

    def _on_open(self) -> None:
        path = choose_slide(self)
        if path:
            self.open_wanted.emit(path)

    def _on_pixel_size(self) -> None:
        slide = self._session.current
        if slide is not None:
            self._session.set_pixel_size(slide.id, self.mpp_box.value())

    def _show_slides(self) -> None:
        self.chooser.clear()
        for slide in self._session.slides.values():
            self.chooser.addItem(slide.path.name, slide.id)
        if not self._session.slides:
            self.chooser.setPlaceholderText("Open a slide, or drop one on the window")
            self.chooser.setCurrentIndex(-1)
        self._select(self._session.current)

    def _select(self, slide: OpenSlide | None) -> None:
        if slide is not None:
            self.chooser.setCurrentIndex(self.chooser.findData(slide.id))

    def _show_current(self, slide: OpenSlide | None) -> None:
        self._select(slide)
        known = slide is not None and slide.info.pixel_size is not None
        self.size_label.setText("" if slide is None else slide_line(slide.info))
        told = "" if slide is None else pixel_size_line(slide.info)
        self.pixel_label.setText(told)
        self.pixel_label.setToolTip(told if slide is None else pixel_size_reason(slide.info))
        self.pixel_label.setStyleSheet("" if known or slide is None else MISSING_STYLE)
        self.size_label.setVisible(slide is not None)
        self.pixel_label.setVisible(slide is not None)
        self.change_button.setVisible(known)
        self._field.setVisible(slide is not None and not known)
        size = slide.info.pixel_size if slide is not None else None
        self.mpp_box.setValue(USUAL_MPP if size is None else size.mpp)


def choose_slide(parent: QWidget) -> str:
    """Ask for a slide file; empty if the user thinks better of it."""
    patterns = " ".join(f"*{suffix}" for suffix in SLIDE_SUFFIXES)
    path, _ = QFileDialog.getOpenFileName(
        parent, "Open a slide", recall().get("slide_folder", ""), f"Slides ({patterns});;All (*)"
    )
    if path:
        remember(slide_folder=str(Path(path).parent))
    return path


def _row(*widgets: tuple[QWidget, int]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(4)
    for widget, stretch in widgets:
        row.addWidget(widget, stretch)
    return row
