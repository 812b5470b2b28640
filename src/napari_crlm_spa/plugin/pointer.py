"""Tells the session which tile the pointer is on, about thirty times a second at most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer

from napari_crlm_spa.plugin.hover import tile_at
from napari_crlm_spa.plugin.session import Session, TileAt

if TYPE_CHECKING:
    from napari.components import ViewerModel

EVERY_MS = 33


class Pointer(QObject):
    """Follows the pointer over a viewer's canvas until `let_go` is called."""

    def __init__(self, viewer: ViewerModel, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._session = session
        self._at: TileAt | None = None
        self._moved = False
        self._pause = QTimer(self, singleShot=True, interval=EVERY_MS)
        self._pause.timeout.connect(self._on_pause)
        viewer.mouse_move_callbacks.append(self._on_move)
        viewer.events.mouse_over_canvas.connect(self._on_over_canvas)

    def let_go(self) -> None:
        """Follow the pointer no longer."""
        self._pause.stop()
        if self._on_move in self._viewer.mouse_move_callbacks:
            self._viewer.mouse_move_callbacks.remove(self._on_move)
        self._viewer.events.mouse_over_canvas.disconnect(self._on_over_canvas)
        self._tell(None)

    def _on_move(self, _viewer: Any, _event: Any) -> None:
        # The first move is answered at once, those that follow it closely are gathered.
        if self._pause.isActive():
            self._moved = True
            return
        self._look()
        self._pause.start()

    def _on_pause(self) -> None:
        if self._moved:
            self._look()
            self._pause.start()

    def _on_over_canvas(self, _event: Any) -> None:
        if not self._viewer.mouse_over_canvas:
            self._moved = False
            self._tell(None)

    def _look(self) -> None:
        self._moved = False
        slide = self._session.current
        y_um, x_um = self._viewer.cursor.position[-2:]
        self._tell(None if slide is None else tile_at(slide, x_um, y_um))

    def _tell(self, tile: TileAt | None) -> None:
        if tile != self._at:
            self._at = tile
            self._session.hover(tile)
