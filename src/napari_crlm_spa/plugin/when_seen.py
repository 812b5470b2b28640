"""Bringing a part of the panel up to date: soon while it is seen, else not before it is shown.

A correction changes what six tabs say, and one of them is in front. The others wait.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QWidget

from napari_crlm_spa.plugin.throttle import REFRESH_MS


class WhenSeen(QObject):
    """Calls `action` after one or many pokes, if `widget` is seen; otherwise once it is shown.

    Parameters
    ----------
    widget
        What is brought up to date. In a window that is hidden as a whole nothing waits: whoever
        asks a part of it is answered rightly.
    action
        Brings it up to date.
    every_ms
        At most as often. The first poke after a pause is followed as soon as the event loop is
        free; with 0 every poke is followed at once.
    """

    def __init__(
        self, widget: QWidget, action: Callable[[], None], every_ms: int = REFRESH_MS
    ) -> None:
        super().__init__(widget)
        self._widget = widget
        self._action = action
        self._every_s = every_ms / 1000
        self._last_s = -self._every_s
        self._outdated = False
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._follow)
        widget.installEventFilter(self)

    @property
    def outdated(self) -> bool:
        """Whether there is something that the widget does not show yet."""
        return self._outdated

    def poke(self) -> None:
        """Say that something is different now."""
        self._outdated = True
        if self._timer.isActive() or not self._seen:
            return
        if self._every_s == 0:
            self._follow()
            return
        wait_s = self._last_s + self._every_s - monotonic()
        self._timer.start(max(0, round(1000 * wait_s)))

    def at_once(self) -> None:
        """Say that something else is to be shown: without delay if the widget is seen."""
        self._outdated = True
        if self._seen:
            self._follow()

    def stop(self) -> None:
        """Forget what was poked."""
        self._timer.stop()
        self._outdated = False

    @property
    def _seen(self) -> bool:
        return self._widget.isVisible() or not self._widget.window().isVisible()

    def _follow(self) -> None:
        if self._outdated and self._seen:
            self._timer.stop()
            self._outdated = False
            self._action()
            self._last_s = monotonic()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Bring the widget up to date when it is shown."""
        if event.type() == QEvent.Type.Show:
            self._follow()
        return False
