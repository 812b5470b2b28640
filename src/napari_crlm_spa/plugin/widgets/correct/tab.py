"""The tab in which a map is corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_crlm_spa.plugin.fold import Fold
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.tools.hand import Hand, Tool
from napari_crlm_spa.plugin.tools.hand_keys import HandKeys
from napari_crlm_spa.plugin.when_seen import WhenSeen
from napari_crlm_spa.plugin.widgets.correct.compare_box import CompareBox
from napari_crlm_spa.plugin.widgets.correct.live_box import LiveBox
from napari_crlm_spa.plugin.widgets.correct.log_box import LogBox
from napari_crlm_spa.plugin.widgets.correct.reader_box import REVIEWED_KEY, ReaderBox
from napari_crlm_spa.plugin.widgets.correct.tool_box import ToolBox

if TYPE_CHECKING:
    from napari.components import ViewerModel


class CorrectTab(QWidget):
    """Tools for the tiles, what they do to the risk, and the log.

    The keys are the tab's while it is seen or a tool is in hand; a hidden tab without a tool
    leaves them to others.
    """

    def __init__(self, session: Session, viewer: ViewerModel) -> None:
        super().__init__()
        self._session = session
        self.hand = Hand(viewer, session)
        self.keys = HandKeys(viewer, self.hand)
        self.reader_box = ReaderBox(session)
        self.reason = QLabel()
        self.reason.setWordWrap(True)
        self.told = QLabel()
        self.told.setWordWrap(True)
        self.tool_box = ToolBox(session, self.hand)
        self.live_box = LiveBox(session)
        self.log_box = LogBox(session)
        self.compare_box = CompareBox(session)
        self.compare_fold = Fold("Compare with a second reader", self.compare_box)
        self.keys.add(REVIEWED_KEY, self.reader_box.toggle_mark)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(4)
        for widget in (
            self.reader_box,
            self.reason,
            self.tool_box,
            self.told,
            self.live_box,
            self.log_box,
            self.compare_fold,
        ):
            layout.addWidget(widget)
        layout.addStretch(1)
        # What an edit does is said at once, but not behind another tab.
        self._seen = WhenSeen(self, self._follow, every_ms=0)
        self.hand.changed.connect(self._on_hand)
        self.hand.told.connect(self._tell)
        session.review_changed.connect(self._on_review)
        session.current_changed.connect(self._show)
        session.analysis_changed.connect(self._on_analysis)
        session.map_started.connect(self._on_analysis)
        session.risk_model_changed.connect(self._on_review)
        self.compare_fold.heading.toggled.connect(self._on_compare_fold)
        self._tell("")
        self._show(session.current)

    def let_go(self) -> None:
        """Put the tool down, give the keys back, and listen no more."""
        self.hand.changed.disconnect(self._on_hand)
        self.hand.told.disconnect(self._tell)
        self.hand.let_go()
        self.keys.let_go()
        self.tool_box.let_go()
        self.reader_box.let_go()
        self.compare_box.let_go()
        session = self._session
        session.current_changed.disconnect(self._show)
        session.analysis_changed.disconnect(self._on_analysis)
        session.map_started.disconnect(self._on_analysis)
        session.review_changed.disconnect(self._on_review)
        session.risk_model_changed.disconnect(self._on_review)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Take the keys."""
        super().showEvent(event)
        self._mind_keys()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        """Leave the keys to others, unless a tool is in hand."""
        super().hideEvent(event)
        self._mind_keys()

    def _mind_keys(self) -> None:
        wanted = self.isVisible() or self.hand.tool is not Tool.LOOK
        if wanted and not self.hand.reason:
            self.keys.bind()
        else:
            self.keys.let_go()

    def _on_hand(self) -> None:
        self._show_reason()
        self._mind_keys()

    def _tell(self, sentence: str) -> None:
        self.told.setText(sentence)
        self.told.setVisible(bool(sentence))

    def _on_analysis(self, _what: object) -> None:
        self._show(self._session.current)

    def _show(self, slide: OpenSlide | None) -> None:
        self._show_numbers(slide)
        self.reader_box.show_slide(slide)
        self.compare_box.show_slide(slide)
        self.compare_fold.setVisible(slide is not None and slide.review is not None)

    def _on_review(self, _what: object) -> None:
        self._seen.poke()

    def _follow(self) -> None:
        slide = self._session.current
        self._show_numbers(slide)
        self.reader_box.show_file(slide)
        self.compare_box.note_change()

    def _show_numbers(self, slide: OpenSlide | None) -> None:
        self._tell("")
        self.tool_box.show_hand()
        self.live_box.show_slide(slide)
        self.log_box.show_slide(slide)
        self._on_hand()

    def _on_compare_fold(self, is_open: bool) -> None:
        # Somebody else may have begun on the slide meanwhile.
        if is_open:
            self.compare_box.show_slide(self._session.current)

    def _show_reason(self) -> None:
        self.reason.setText(self.hand.reason)
        self.reason.setVisible(bool(self.hand.reason))
