"""The keys of a hand: what each does, and Space, which lends the mouse to the view."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from napari_crlm_spa.core.classes import CRLM7, ClassScheme
from napari_crlm_spa.core.review import Action
from napari_crlm_spa.plugin.keys import Keys
from napari_crlm_spa.plugin.tools.deed import Deed
from napari_crlm_spa.plugin.tools.hand import Hand, Tool
from napari_crlm_spa.plugin.viewer_look import camera_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

LOOK_KEY = "Escape"
MOVE_KEY = "Space"
TOOL_KEYS = {Tool.BRUSH: "D", Tool.LASSO: "L", Tool.FILL: "F"}
DEED_KEYS = {Action.ACCEPT: "A", Action.SET_ASIDE: "0", Action.RESTORE: "R"}
SMALLER_KEY, LARGER_KEY = "[", "]"
UNDO_KEYS = ("Z", "Control-Z", "Meta-Z")
REDO_KEYS = ("Y", "Control-Shift-Z", "Meta-Shift-Z")
ACCEPT_VIEW_KEY = "Shift-A"
#: How much one press of a key changes the brush: from one tile to odd, centered sizes.
BRUSH_STEP = 2


def class_keys(scheme: ClassScheme = CRLM7) -> dict[str, str]:
    """Return the digit of each class, in the order of the scheme; more than nine have none."""
    return {name: str(digit) for digit, name in enumerate(scheme.names[:9], start=1)}


class HandKeys:
    """The keys of a hand, from `bind` until `let_go`."""

    def __init__(self, viewer: ViewerModel, hand: Hand) -> None:
        self._viewer = viewer
        self._hand = hand
        self._keys: Keys | None = None
        self._more: dict[str, Callable[[], object]] = {}
        self._lent: Tool | None = None
        self._camera: tuple[object, ...] = ()

    @property
    def bound(self) -> bool:
        """Whether the keys are ours now."""
        return self._keys is not None

    def add(self, key: str, action: Callable[[], object]) -> None:
        """Take one more key with the others; before `bind`."""
        self._more[key] = action

    def bind(self) -> None:
        """Take the keys."""
        if self._keys is not None:
            return
        self._keys = Keys(self._viewer)
        for key, action in (self.actions() | self._more).items():
            self._keys.bind(key, action)
        self._keys.bind(MOVE_KEY, self.begin_moving, self.end_moving)

    def let_go(self) -> None:
        """Give the keys back."""
        if self._keys is not None:
            self._keys.let_go()
            self._keys = None

    def actions(self) -> dict[str, Callable[[], object]]:
        """Return what each key does when it goes down."""
        hand = self._hand
        actions: dict[str, Callable[[], object]] = {
            LOOK_KEY: self.escape,
            SMALLER_KEY: lambda: hand.set_brush(hand.brush_tiles - BRUSH_STEP),
            LARGER_KEY: lambda: hand.set_brush(hand.brush_tiles + BRUSH_STEP),
            ACCEPT_VIEW_KEY: hand.accept_view,
        }
        actions |= {key: _call(hand.take, tool) for tool, key in TOOL_KEYS.items()}
        actions |= {key: _call(hand.choose, Deed(each)) for each, key in DEED_KEYS.items()}
        actions |= {key: _call(hand.choose_class, name) for name, key in class_keys().items()}
        actions |= dict.fromkeys(UNDO_KEYS, hand.undo) | dict.fromkeys(REDO_KEYS, hand.redo)
        return actions

    def escape(self) -> None:
        """Drop the stroke under way, or else the tool."""
        if not self._hand.cancel():
            self._hand.take(Tool.LOOK)

    def begin_moving(self) -> None:
        """Lend the mouse to the view."""
        self._lent = self._hand.tool
        self._camera = self._where()
        self._hand.take(Tool.LOOK)

    def end_moving(self) -> None:
        """Take the tool up again if the view was moved; a tap alone has put it down."""
        lent, self._lent = self._lent, None
        if lent is not None and lent is not Tool.LOOK and self._where() != self._camera:
            self._hand.take(lent)

    def _where(self) -> tuple[object, ...]:
        camera = camera_of(self._viewer)
        return (*camera.center, camera.zoom)


def _call(function: Callable[..., object], argument: object) -> Callable[[], object]:
    return lambda: function(argument)
