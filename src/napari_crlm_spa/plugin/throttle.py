"""Doing something costly at most a few times a second, however often it is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable

from qtpy.QtCore import QObject, QTimer

REFRESH_MS = 200


class Throttle(QTimer):
    """Calls `action` once, a short while after the first of many pokes.

    Parameters
    ----------
    action
        What is costly.
    parent
        Owns this.
    every_ms
        How long to wait.
    at_once
        Don't wait if the last time was so long ago: for what a user is waiting for.
    """

    def __init__(
        self,
        action: Callable[[], None],
        parent: QObject,
        every_ms: int = REFRESH_MS,
        *,
        at_once: bool = False,
    ) -> None:
        super().__init__(parent)
        self._action, self._every_ms, self._at_once = action, every_ms, at_once
        self._last_s = float("-inf")
        self.setSingleShot(True)
        self.setInterval(every_ms)
        self.timeout.connect(self._act)

    def poke(self) -> None:
        """Ask for the action."""
        if self.isActive():
            return
        left_ms = self._last_s * 1000 + self._every_ms - time.monotonic() * 1000
        if self._at_once and left_ms <= 0:
            self._act()
        else:
            self.start()

    def _act(self) -> None:
        self._action()
        self._last_s = time.monotonic()
