"""The tiles: their quality, and all of them as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_crlm_spa.errors import ReviewError
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.throttle import Throttle
from napari_crlm_spa.plugin.tile_table import TileTable
from napari_crlm_spa.plugin.widgets.tile_actions import TileActions
from napari_crlm_spa.plugin.widgets.tile_list import TileList
from napari_crlm_spa.plugin.widgets.tile_quality import QualityBox

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: Corrections come in bursts; the table follows when they pause.
FOLLOW_MS = 300


class Effects(Protocol):
    """What the table asks of an `EffectsKeeper`."""

    changed: Any

    def effects_of(self, slide: OpenSlide) -> Any:
        """Return the latest effects of a slide's tiles, or None."""


class TilesTab(QWidget):
    """Quality marks above, the table below. It follows the slide only while it is seen."""

    def __init__(self, session: Session, viewer: ViewerModel) -> None:
        super().__init__()
        self._session = session
        self._viewer = viewer
        self._effects: Effects | None = None
        self._outdated = True
        self.quality = QualityBox(session)
        self.list = TileList(session)
        self.actions = TileActions(session, self.list)
        self._throttle = Throttle(self._follow, self, FOLLOW_MS)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(4)
        layout.addWidget(self.quality)
        layout.addWidget(self.actions)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.quality.limits)
        session.current_changed.connect(self._poke)
        for signal in (
            session.map_started,
            session.analysis_changed,
            session.review_changed,
            session.quality_changed,
            session.risk_model_changed,
        ):
            signal.connect(self._poke)

    def use_effects(self, effects: Effects) -> None:
        """Show the contributions that a keeper computes."""
        self._effects = effects
        effects.changed.connect(self._poke)
        self._poke()

    def refresh(self) -> None:
        """List the tiles as they are now."""
        self._throttle.stop()
        self._outdated = False
        slide = self._session.current
        if slide is None or slide.review is None:
            self.list.show_table(None)
            return
        table = TileTable(slide, self._contribution(slide), self.list.table)
        self.list.show_table(table)

    def _contribution(self, slide: OpenSlide) -> NDArray[np.floating] | None:
        found = None if self._effects is None else self._effects.effects_of(slide)
        if found is None:
            return None
        try:
            push: NDArray[np.floating] = found.shown_push(self._session.risk_model)
        except ReviewError:  # this slide gets no risk, so nothing pushes it
            return None
        return push

    def _poke(self, _what: object = None) -> None:
        self._outdated = True
        self._throttle.poke()

    def _follow(self) -> None:
        if self._outdated and self.isVisible():
            self.refresh()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """List what happened meanwhile."""
        super().showEvent(event)
        if self._outdated:
            self.refresh()

    def let_go(self) -> None:
        """Stop what goes on and leave the viewer alone."""
        self._throttle.stop()
        self.quality.let_go()
        self.list.job.drop()
