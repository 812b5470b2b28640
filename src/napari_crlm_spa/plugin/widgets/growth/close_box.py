"""The button for a closer look at the interface, its progress, and the way back to the map."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_crlm_spa.core.pipeline.front_plan import FrontBandOptions
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin import engine
from napari_crlm_spa.plugin.fold import Fold
from napari_crlm_spa.plugin.form import build_form, read_form
from napari_crlm_spa.plugin.growth.closely import front_source
from napari_crlm_spa.plugin.growth.keeper import InterfaceKeeper, Measured
from napari_crlm_spa.plugin.growth.words import closer_line
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.tools.comparing import still
from napari_crlm_spa.plugin.widgets.job_bar import JobBar
from napari_crlm_spa.plugin.widgets.message import Message

CLOSELY = "Look closely"
CLOSELY_TIP = (
    "Reads the tissue around the interface again, with overlapping tiles: thin capsules that tiles "
    "side by side count as contact are seen. What was looked at before is there at once."
)
BACK, BACK_TIP = "Back to the map", "Measures on the tissue map again; the closer look is kept"
NO_LONGER = "The map was corrected, so the closer look no longer counts. Look closely again."
STOPPED = "Stopped. What was looked at is kept; the next look goes on from there."


class CloseBox(QWidget):
    """Looks closely at the interface of the current slide.

    Parameters
    ----------
    session, keeper
        The slides, and who measures their interface.
    """

    def __init__(self, session: Session, keeper: InterfaceKeeper) -> None:
        super().__init__()
        self._session, self._keeper = session, keeper
        self._measured: Measured | None = None
        self._looking_at: OpenSlide | None = None
        self.button = QPushButton(CLOSELY)
        self.button.setToolTip(CLOSELY_TIP)
        self.back_button = QPushButton(BACK)
        self.back_button.setToolTip(BACK_TIP)
        self.job = JobBar()
        self.line = QLabel()
        self.line.setWordWrap(True)
        self.message = Message()
        self.form = build_form(FrontBandOptions)
        #: To be shown wherever there is room.
        self.fold = Fold("How closely (heuristics)", self.form)
        self._lay_out()
        self._connect()
        self.show_measured(None)

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.button)
        buttons.addWidget(self.back_button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(buttons)
        for widget in (self.job, self.line, self.message):
            layout.addWidget(widget)

    def _connect(self) -> None:
        self.button.clicked.connect(self.look)
        self.back_button.clicked.connect(self._on_back)
        self.job.done.connect(self._on_done)
        self.job.failed.connect(self.message.show_problem)
        self.job.cancelled.connect(lambda: self.message.tell(STOPPED))
        self.job.busy_changed.connect(lambda _busy: self._show_buttons())
        self._ears: list[tuple[Any, Any]] = [
            (self._session.current_changed, self._on_slide),
            (self._session.map_started, self._on_slide),
            (self._session.review_changed, self._on_review),
        ]
        for signal, slot in self._ears:
            signal.connect(slot)

    def let_go(self) -> None:
        """Stop, and hear no more."""
        for signal, slot in self._ears:
            signal.disconnect(slot)
        self._ears.clear()
        self.job.drop()

    def look(self) -> None:
        """Look closely at the current slide's interface, in the background."""
        slide = self._session.current
        if slide is None or slide.review is None:
            return
        self.message.clear()
        try:
            options = read_form(self.form)
        except CrlmSpaError as error:
            self.message.show_problem(str(error))
            return
        self._looking_at = slide
        source = front_source(slide, still(slide.review))
        self.job.start(engine.look_closely, source, options, self._keeper.options)

    def show_measured(self, measured: Measured | None) -> None:
        """Say what the numbers rest on."""
        self._measured = measured
        self.line.setText("" if measured is None else closer_line(measured.front))
        self.line.setVisible(bool(self.line.text()))
        self._show_buttons()

    def _show_buttons(self) -> None:
        measured, busy = self._measured, self.job.busy
        closely = measured is not None and measured.front is not None
        self.button.setEnabled(measured is not None and not busy)
        self.button.setVisible(not closely)
        self.back_button.setVisible(closely)

    def _on_done(self, front: Any) -> None:
        if self._looking_at is self._session.current:
            self._keeper.use_front(front)

    def _on_back(self) -> None:
        self.message.clear()
        self._keeper.use_front(None)

    def _on_slide(self, _slide: object = None) -> None:
        if self._looking_at is not self._session.current:
            self.message.clear()
        self.job.drop()

    def _on_review(self, slide: OpenSlide) -> None:
        """Drop what is no longer of this map: it is found on disk again after an undo."""
        if slide is not self._session.current:
            return
        if self.job.busy or (self._measured is not None and self._measured.front is not None):
            self.job.drop()
            self.message.tell(NO_LONGER)
