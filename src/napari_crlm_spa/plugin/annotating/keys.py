"""The keys of the Annotate tab: classes, tools, undo. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.plugin.annotating.drawing import CORNERS, LASSO, POLYGON, RECTANGLE, SELECT
from napari_crlm_spa.plugin.keys import Keys

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: G as in polyGon: P is the queue's.
TOOL_KEYS = {LASSO: "L", POLYGON: "G", RECTANGLE: "R", SELECT: "S", CORNERS: "C"}
UNDO_KEYS = ("Z", "Control-Z", "Meta-Z")
REDO_KEYS = ("Y", "Control-Shift-Z", "Meta-Shift-Z")
CLASS_KEYS = {name: str(digit) for digit, name in enumerate(CRLM7.names[:9], start=1)}


class AnnotateKeys:
    """Keys of a viewer from `bind` until `let_go`."""

    def __init__(self, viewer: ViewerModel, actions: Mapping[str, Callable[[], object]]) -> None:
        self._viewer = viewer
        self._actions = dict(actions)
        self._keys: Keys | None = None

    @property
    def bound(self) -> bool:
        """Whether the keys are ours now."""
        return self._keys is not None

    def bind(self) -> None:
        """Take the keys."""
        if self._keys is None:
            self._keys = Keys(self._viewer)
            for key, action in self._actions.items():
                self._keys.bind(key, action)

    def let_go(self) -> None:
        """Give the keys back."""
        if self._keys is not None:
            self._keys.let_go()
            self._keys = None
