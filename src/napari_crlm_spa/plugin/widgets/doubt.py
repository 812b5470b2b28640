"""How firm the risk is: four questions about the slide as it is corrected now."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import QLabel, QScrollArea, QVBoxLayout, QWidget

from napari_crlm_spa.core.risk import RESEARCH_USE_ONLY
from napari_crlm_spa.plugin.doubt_results import results_of
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.throttle import Throttle
from napari_crlm_spa.plugin.thumbnails import Thumbnails
from napari_crlm_spa.plugin.widgets.doubt_box import DoubtBox
from napari_crlm_spa.plugin.widgets.doubt_figures import AdequacyBox, IntervalBox
from napari_crlm_spa.plugin.widgets.doubt_tiles import FlipBox, QueueBox, TilesBox
from napari_crlm_spa.plugin.widgets.doubt_walk import TileWalk

if TYPE_CHECKING:
    from napari.components import ViewerModel

BANNER_STYLE = (
    "QLabel {background: #ffd33d; color: #24292f; font-weight: bold; padding: 2px;"
    " border-radius: 4px;}"
)
#: Until an answer has been laid out, sentences broken into lines and all.
LAYOUT_MS = 50


class DoubtTab(QWidget):
    """What would flip the group, what to look at, how far the score could lie off, enough tissue.

    Answers stay with their slide while it is open; what was edited since is said beside them.
    """

    keys_wanted = Signal()  # about to take the keys: a tool in hand is better put down first

    def __init__(self, session: Session, viewer: ViewerModel) -> None:
        super().__init__()
        self._session = session
        self._slide = session.current
        self.banner = QLabel("Research use only")
        self.banner.setToolTip(RESEARCH_USE_ONLY)
        self.banner.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.banner.setStyleSheet(BANNER_STYLE)
        self.thumbnails = Thumbnails(self)
        self.flip = FlipBox(session, viewer, self.thumbnails)
        self.queue = QueueBox(session, viewer, self.thumbnails)
        self.interval = IntervalBox(session)
        self.adequacy = AdequacyBox(session)
        self.boxes: tuple[DoubtBox, ...] = (self.flip, self.queue, self.interval, self.adequacy)
        self.walks: tuple[TileWalk, ...] = (self.flip.walk, self.queue.walk)
        self._walked: TileWalk | None = None
        self._newest: DoubtBox | None = None
        # Not before the answer has been laid out.
        self._bring_up = QTimer(self, singleShot=True, interval=LAYOUT_MS)
        self._bring_up.timeout.connect(self._show_newest)
        self.results = results_of(session)
        self._throttle = Throttle(self._show_state, self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(4)
        layout.addWidget(self.banner)
        for box in self.boxes:
            layout.addWidget(box.fold)
        layout.addStretch(1)
        self.flip.fold.set_open(True)
        self._connect()
        self._show()

    def _connect(self) -> None:
        for box in self.boxes:
            box.job.done.connect(lambda _result, box=box: self._on_answer(box))
        for walk in self.walks:
            walk.begun.connect(lambda walk=walk: self._walk(walk))
        self._ears: list[tuple[Any, Callable[..., None]]] = [
            (self._session.current_changed, self._on_current),
            (self._session.slides_changed, self._on_slides),
            (self._session.review_changed, self._on_review),
            (self._session.risk_model_changed, self._on_review),
            (self.results.changed, self._on_results),
        ]
        for signal, slot in self._ears:
            signal.connect(slot)

    def let_go(self) -> None:
        """Stop what goes on and leave the viewer alone."""
        self._throttle.stop()
        self._bring_up.stop()
        self.thumbnails.stop()
        for box in self.boxes:
            box.drop_job()
        for walk in self.walks:
            walk.let_go()
        for signal, slot in self._ears:
            signal.disconnect(slot)
        self._ears.clear()

    # -- what is heard --------------------------------------------------------------------

    def _on_current(self, slide: OpenSlide | None) -> None:
        if slide is not self._slide:
            self._slide = slide
            for box in self.boxes:
                box.drop_job()
        self._show()

    def _on_slides(self) -> None:
        self.results.keep_only(set(self._session.slides))

    def _on_review(self, _changed: object) -> None:
        # A dragged threshold changes the review many times a second.
        self._throttle.poke()

    def _on_answer(self, box: DoubtBox) -> None:
        self._newest = box
        self._bring_up.start()
        if isinstance(box, TilesBox):
            # Keys alone are enough from here on: the first one goes to the first tile.
            self._walk(box.walk)

    def _on_results(self, slide: OpenSlide) -> None:
        if slide is not self._session.current:
            return
        if slide.review is None:
            # Another map is being made: what is asked of the earlier one is of no use.
            for box in self.boxes:
                box.drop_job()
        self._show()

    def _show_newest(self) -> None:
        """Scroll so far that the answer that has just come is seen."""
        area = self.parentWidget()
        while area is not None and not isinstance(area, QScrollArea):
            area = area.parentWidget()
        if area is not None and self._newest is not None and self._newest.fold.is_open:
            area.ensureWidgetVisible(self._newest.answer, 0, 4)
            self._newest = None

    def _show(self) -> None:
        for box in self.boxes:
            box.show_slide()
        self._mind_keys()

    def _show_state(self) -> None:
        for box in self.boxes:
            box.show_state()

    # -- keys -----------------------------------------------------------------------------

    def _walk(self, walk: TileWalk) -> None:
        """Give the keys to the walk that is under way."""
        for other in self.walks:
            if other is not walk:
                other.let_keys_go()
        self._walked = walk
        self._mind_keys()

    def _mind_keys(self) -> None:
        walk = self._walked
        if walk is not None and walk.tiles and self.isVisible():
            self.keys_wanted.emit()
            walk.take_keys()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Take the keys again."""
        super().showEvent(event)
        self._mind_keys()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        """Leave the keys to others."""
        super().hideEvent(event)
        for walk in self.walks:
            walk.let_keys_go()
