"""Loads PyTorch while a slide without results is looked at: Run then has its first tile sooner."""

from __future__ import annotations

import logging
from functools import cache
from threading import Thread

from qtpy.QtCore import QObject, QTimer

from napari_crlm_spa.plugin import engine
from napari_crlm_spa.plugin.session import OpenSlide, Session

logger = logging.getLogger(__name__)

#: After the slide's first picture has been painted, and its reader has begun to look.
AFTER_MS = 1500


class WarmUp(QObject):
    """Waits for a slide that has no results, which is likely to be analyzed; until `stop`.

    Parameters
    ----------
    session
        Whose current slide counts.
    """

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._soon = QTimer(self, singleShot=True, interval=AFTER_MS)
        self._soon.timeout.connect(self._on_time)

    def expect_run(self, _slide: OpenSlide) -> None:
        """Begin soon, if the current slide has no results then."""
        self._soon.start()

    def stop(self) -> None:
        """Begin no more."""
        self._soon.stop()

    def _on_time(self) -> None:
        slide = self._session.current
        if slide is not None and slide.analysis is None:
            load_in_background()


@cache
def load_in_background() -> Thread:
    """Load PyTorch in a thread, once."""
    # Not a daemon: the program does not end in the middle of it.
    thread = Thread(target=_load, name="crlm-spa-torch", daemon=False)
    thread.start()
    return thread


def _load() -> None:
    try:
        engine.load_torch()
    # Nobody has asked for it yet: whatever is wrong, Run says it.
    except Exception:
        logger.info("PyTorch could not be loaded ahead of Run.", exc_info=True)
