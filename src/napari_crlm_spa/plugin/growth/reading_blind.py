"""What a blinded reader must not see on the canvas and in napari's list of layers. No Qt.

Our maps put themselves away (`Session.blinded`); here layers of others of us are hidden, and layers
are named as the reader's list names the slide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_crlm_spa.plugin.growth.reading_drawing import KIND
from napari_crlm_spa.plugin.layers import kind_of
from napari_crlm_spa.plugin.session import Session

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

#: What the reader made, and the tissue.
SEEN = frozenset({"slide", "annotations", KIND})


class Blindfold:
    """Hides layers of results and real names while a session is blinded.

    Parameters
    ----------
    viewer, session
        Whose layers; whose blindness is followed until `let_go`.
    """

    def __init__(self, viewer: ViewerModel, session: Session) -> None:
        self._viewer, self._session = viewer, session
        self._masked: list[Layer] = []
        self._hidden: list[Layer] = []
        self._named: dict[Layer, str] = {}
        self._slide_id = self._real = self._shown = ""
        viewer.layers.events.inserted.connect(self._on_inserted)
        session.blinded_changed.connect(self._on_blinded)

    def let_go(self) -> None:
        """Show what was hidden, and listen no more."""
        self._viewer.layers.events.inserted.disconnect(self._on_inserted)
        self._session.blinded_changed.disconnect(self._on_blinded)
        self._take_off()

    def name(self, slide_id: str, real: str, shown: str) -> None:
        """Say how the layers of a slide are called while it is read blinded."""
        self._give_names_back()
        self._slide_id, self._real, self._shown = slide_id, real, shown
        if self._session.blinded:
            self._put_on()

    def _on_blinded(self, blinded: bool) -> None:
        if blinded:
            self._put_on()
        else:
            self._take_off()

    def _on_inserted(self, event: Any) -> None:
        if self._session.blinded:
            self._mask(event.value)

    def _put_on(self) -> None:
        # What the pointer was on stands there until it moves.
        self._viewer.status = ""
        for layer in list(self._viewer.layers):
            self._mask(layer)

    def _mask(self, layer: Layer) -> None:
        kind = kind_of(layer.metadata)
        if kind is None:
            return
        if kind not in SEEN and layer not in self._masked:
            self._masked.append(layer)
            if layer.visible:
                self._hidden.append(layer)
            layer.visible = False
            # Its eye in the list of layers is one click away.
            layer.events.visible.connect(self._on_visible)
        if kind_of(layer.metadata, self._slide_id) is not None and layer not in self._named:
            self._named[layer] = layer.name
            if self._real and self._shown:
                layer.name = layer.name.replace(self._real, self._shown)

    def _on_visible(self, event: Any) -> None:
        if self._session.blinded and event.source.visible:
            event.source.visible = False

    def _take_off(self) -> None:
        for layer in self._masked:
            layer.events.visible.disconnect(self._on_visible)
        for layer in self._hidden:
            if layer in self._viewer.layers:
                layer.visible = True
        self._masked.clear()
        self._hidden.clear()
        self._give_names_back()

    def _give_names_back(self) -> None:
        for layer, name in self._named.items():
            if layer in self._viewer.layers:
                layer.name = name
        self._named.clear()
