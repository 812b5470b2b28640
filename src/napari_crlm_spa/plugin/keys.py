"""Keys of the viewer that belong to us while the panel is there. No Qt.

napari asks the active layer for a key before it asks the viewer, and a Labels or Shapes layer has
plans of its own for most letters and digits. So a key is bound to the viewer and to whichever of
our layers is active; on somebody else's layer that layer's own keys win. What was bound before
comes back with `let_go`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from napari_crlm_spa.plugin.layers import kind_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

#: What napari calls: with a layer or the viewer; a generator's second part is for the release.
Handler = Callable[[Any], Any]
_Action = tuple[Callable[[], object], Callable[[], object] | None]
#: What each handler of ours found in its place; it is bound once, so nothing comes round in a ring.
_BELOW: WeakKeyDictionary[Handler, Handler | None] = WeakKeyDictionary()
#: Handlers that were given back while others stood over them.
_GONE: WeakSet[Handler] = WeakSet()


class Keys:
    """Some keys of a viewer, until `let_go` is called.

    Parameters
    ----------
    viewer
        Whose keys.

    Examples
    --------
    >>> keys = Keys(viewer)  # doctest: +SKIP
    >>> keys.bind("1", lambda: correct("BACK"))  # doctest: +SKIP
    >>> keys.bind("B", blink, release=unblink)  # while it is held  # doctest: +SKIP
    >>> keys.let_go()  # doctest: +SKIP
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._actions: dict[str, _Action] = {}
        self._in_viewer: dict[str, Handler] = {}
        self._layer: Layer | None = None
        self._in_layer: dict[str, Handler] = {}
        # Last: in a layer, too, who came last stands over the others.
        viewer.layers.selection.events.active.connect(self._on_active, position="last")
        self._on_active()

    def bind(
        self, key: str, press: Callable[[], object], release: Callable[[], object] | None = None
    ) -> None:
        """Call `press` when a key goes down, and `release` when it comes up again.

        Parameters
        ----------
        key
            As napari spells it, e.g. ``"B"``, ``"1"``, ``"Shift-O"``, ``"Control-Z"``, ``"="``;
            it cannot spell ``"+"``. Letters are the same in both cases.
        press, release
            What to do; a held key presses once.
        """
        self.unbind(key)
        self._actions[key] = press, release
        self._in_viewer[key] = _bind(self._viewer, key, press, release)
        if self._layer is not None:
            self._in_layer[key] = _bind(self._layer, key, press, release)

    def unbind(self, key: str) -> None:
        """Give one key back; one that is not ours stays as it is."""
        if self._actions.pop(key, None) is None:
            return
        _restore(self._viewer, key, self._in_viewer.pop(key))
        if self._layer is not None:
            _restore(self._layer, key, self._in_layer.pop(key))

    def let_go(self) -> None:
        """Give all keys back."""
        self._viewer.layers.selection.events.active.disconnect(self._on_active)
        self._leave_layer()
        for key in list(self._actions):
            self.unbind(key)

    def _on_active(self, _event: Any = None) -> None:
        active = self._viewer.layers.selection.active
        # What stands between a plugin and the viewer wraps a layer anew each time: equal, not same.
        if active == self._layer:
            return
        self._leave_layer()
        if active is not None and kind_of(active.metadata) is not None:
            self._layer = active
            for key, action in self._actions.items():
                self._in_layer[key] = _bind(active, key, *action)

    def _leave_layer(self) -> None:
        for key, handler in self._in_layer.items():
            _restore(self._layer, key, handler)
        self._in_layer.clear()
        self._layer = None


def _on_press(press: Callable[[], object]) -> Handler:
    def handler(_parent: Any) -> None:
        press()

    return handler


def _while_held(press: Callable[[], object], release: Callable[[], object]) -> Handler:
    def handler(_parent: Any) -> Iterator[None]:
        press()
        yield
        release()

    return handler


def _bind(
    owner: Any, key: str, press: Callable[[], object], release: Callable[[], object] | None
) -> Handler:
    """Bind a key of a viewer or a layer with a handler that is bound nowhere else."""
    handler = _on_press(press) if release is None else _while_held(press, release)
    _BELOW[handler] = owner.bind_key(key, handler, overwrite=True)
    return handler


def _restore(owner: Any, key: str, handler: Handler) -> None:
    """Take our handler out; who has bound the key after us keeps it."""
    back = owner.bind_key(key, None)
    if back is handler:
        back = _BELOW[handler]
    else:
        # Whoever stands over us does not bring us back when he lets go.
        _GONE.add(handler)
    while back in _GONE:
        back = _BELOW[back]
    if back is not None:
        owner.bind_key(key, back, overwrite=True)
