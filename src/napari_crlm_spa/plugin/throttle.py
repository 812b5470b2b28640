"""Doing something costly at most a few times a second, however often it is asked for."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QObject, QTimer

REFRESH_MS = 200


class Throttle(QTimer):
    """Calls `action` once, a short while after the first of many pokes."""

    def __init__(
        self, action: Callable[[], None], parent: QObject, every_ms: int = REFRESH_MS
    ) -> None:
        super().__init__(parent)
        self.setSingleShot(True)
        self.setInterval(every_ms)
        self.timeout.connect(action)

    def poke(self) -> None:
        """Ask for the action."""
        if not self.isActive():
            self.start()
