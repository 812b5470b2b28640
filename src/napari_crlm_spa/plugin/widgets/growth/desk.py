"""What belongs to one session: who measures, the lines on the slide, the tabs, the ribbon, keys."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject

from napari_crlm_spa.plugin.cohort.opener import SlideOpener
from napari_crlm_spa.plugin.growth.keeper import InterfaceKeeper, Measured
from napari_crlm_spa.plugin.growth.on_slide import InterfaceLayers
from napari_crlm_spa.plugin.keys import Keys
from napari_crlm_spa.plugin.session import Session
from napari_crlm_spa.plugin.throttle import Throttle
from napari_crlm_spa.plugin.viewer_link import LINES_MS
from napari_crlm_spa.plugin.viewer_look import camera_of
from napari_crlm_spa.plugin.widgets.covered import Covered
from napari_crlm_spa.plugin.widgets.growth.gallery_box import NEXT_KEY, PREVIOUS_KEY
from napari_crlm_spa.plugin.widgets.growth.measured import MeasuredTab
from napari_crlm_spa.plugin.widgets.growth.ribbon import Ribbon

if TYPE_CHECKING:
    from napari.components import ViewerModel


class GrowthDesk(QObject):
    """Everything about the growth pattern for one session, until `let_go` is called.

    Parameters
    ----------
    viewer, session
        Where slides are shown, and which.
    opener
        Opens other slides in the workspace.
    """

    def __init__(
        self, viewer: ViewerModel, session: Session, opener: SlideOpener, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._session = session
        self.keeper = InterfaceKeeper(session, self)
        self.on_slide = InterfaceLayers(viewer, session)
        self.measured = MeasuredTab(session, self.keeper)
        #: What stands in its place while somebody reads blinded.
        self.measured_cover = Covered(self.measured)
        self.reading = _reading_tab(session, viewer, opener)
        if self.reading is not None:
            self.reading.committed.connect(self.measured.refresh_labels)
        self.ribbon = Ribbon(session)
        self._fit_lines = Throttle(self.on_slide.fit, self, every_ms=LINES_MS)
        self._keys = Keys(viewer)
        self._keys.bind(NEXT_KEY, lambda: self._step(1))
        self._keys.bind(PREVIOUS_KEY, lambda: self._step(-1))
        lines = self.measured.lines
        lines.changed.connect(self._on_lines)
        lines.opacity_changed.connect(self.on_slide.set_opacity)
        self.on_slide.opacity_changed.connect(lines.take_opacity)
        self.keeper.changed.connect(self._on_measured)
        self.ribbon.pointed.connect(self.on_slide.point_at)
        self._ears: list[tuple[Any, Any]] = [
            (session.hovered, self.ribbon.on_hovered),
            (session.view_changed, self._on_view),
            (session.blinded_changed, self._on_blinded),
            (camera_of(viewer).events.zoom, self._on_zoom),
        ]
        for signal, slot in self._ears:
            signal.connect(slot)
        self._on_lines()
        self.on_slide.set_opacity(lines.share)
        self._on_blinded(session.blinded)

    def start(self) -> None:
        """Measure the slide that is open already."""
        self.keeper.start()

    def let_go(self) -> None:
        """Stop what goes on, take the lines away, give the keys back."""
        for signal, slot in self._ears:
            signal.disconnect(slot)
        self._ears.clear()
        self._fit_lines.stop()
        self._keys.let_go()
        self.keeper.detach()
        self.measured.let_go()
        self.ribbon.let_go()
        self.on_slide.opacity_changed.disconnect(self.measured.lines.take_opacity)
        self.on_slide.let_go()
        if self.reading is not None:
            self.reading.let_go()

    def _on_zoom(self, _event: Any = None) -> None:
        self._fit_lines.poke()

    def _step(self, by: int) -> None:
        if not self._session.blinded:
            self.measured.gallery.step(by)

    def _on_blinded(self, blinded: bool) -> None:
        """Take everything away that tells what was measured, or bring it back."""
        self.measured_cover.cover(blinded)
        self.ribbon.covered.cover(blinded)
        self.on_slide.show(None if blinded else self.keeper.measured)

    def _on_measured(self, measured: Measured | None) -> None:
        self.on_slide.show(None if self._session.blinded else measured)
        self.ribbon.show_measured(measured)

    def _on_lines(self) -> None:
        lines = self.measured.lines
        self.on_slide.want(line=lines.line.isChecked(), whiskers=lines.whiskers.isChecked())

    def _on_view(self, _view: object) -> None:
        self.ribbon.use_palette()


def _reading_tab(session: Session, viewer: ViewerModel, opener: SlideOpener) -> Any:
    name = "napari_crlm_spa.plugin.widgets.growth.reading"
    if find_spec(name) is None:
        return None
    from importlib import import_module

    return import_module(name).ReadingTab(session, viewer, opener)
