"""Keys for looking at the map: blink, next map, opacity, outline. No Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_crlm_spa.plugin.keys import Keys
from napari_crlm_spa.plugin.map_view import MapKind
from napari_crlm_spa.plugin.session import Session

if TYPE_CHECKING:
    from napari.components import ViewerModel

BLINK, NEXT, PREVIOUS, OUTLINE = "B", "M", "Shift-M", "O"
#: The first is told to users; Page Up and Page Down lie alike on every keyboard.
MORE, LESS = ("=", "PageUp"), ("-", "PageDown")
OPACITY_STEP = 0.1
#: What a user is told, key and effect.
TOLD = (
    (f"{BLINK} (hold)", "see the tissue without the map"),
    (f"{NEXT}, {PREVIOUS}", "next map, previous map"),
    (f"{' or '.join(LESS)}, {' or '.join(MORE)}", "less, more opacity"),
    (OUTLINE, "outline of the tumor on or off"),
)


class MapKeys:
    """The keys of the map, until `let_go` is called."""

    def __init__(self, viewer: ViewerModel, session: Session) -> None:
        self._session = session
        self._keys = keys = Keys(viewer)
        keys.bind(
            BLINK, lambda: session.set_view(blink=True), lambda: session.set_view(blink=False)
        )
        keys.bind(NEXT, lambda: self._step(1))
        keys.bind(PREVIOUS, lambda: self._step(-1))
        keys.bind(OUTLINE, lambda: session.set_view(outline=not session.view.outline))
        for key in MORE:
            keys.bind(key, lambda: self._fade(OPACITY_STEP))
        for key in LESS:
            keys.bind(key, lambda: self._fade(-OPACITY_STEP))

    def let_go(self) -> None:
        """Give the keys back; a map that is hidden by a held key comes back."""
        self._keys.let_go()
        self._session.set_view(blink=False)

    def _step(self, step: int) -> None:
        kinds = list(MapKind)
        at = kinds.index(self._session.view.kind)
        self._session.set_view(kind=kinds[(at + step) % len(kinds)])

    def _fade(self, step: float) -> None:
        view = self._session.view
        self._session.set_view(**view.opacity_change(round(view.shown_opacity + step, 2)))
