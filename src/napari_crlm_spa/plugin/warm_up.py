"""Gets ready for Run while a slide without results is looked at: the first tile then comes sooner.

PyTorch is loaded, then the model, then the slide's tissue is found.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin.session import OpenSlide, Run, Session
from napari_crlm_spa.plugin.worker import WorkerRegistry

if TYPE_CHECKING:
    from napari_crlm_spa.core.pipeline import AnalysisOptions

logger = logging.getLogger(__name__)

#: After the slide's first picture has been painted, and its reader has begun to look.
AFTER_MS = 1500

GetReady = Callable[[Path, Any], Generator[Progress, None, None]]


class WarmUp(QObject):
    """Waits for a slide that has no results, which is likely to be analyzed; until `stop`.

    Parameters
    ----------
    session
        Whose current slide counts.
    options_of
        Returns the options with which Run would analyze a slide.
    get_ready
        What is done in a thread, see `Ahead.get_ready`.
    parent
        Owns this.
    """

    def __init__(
        self,
        session: Session,
        options_of: Callable[[OpenSlide], AnalysisOptions],
        get_ready: GetReady,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.workers = WorkerRegistry()
        self._session = session
        self._options_of = options_of
        self._get_ready = get_ready
        self._soon = QTimer(self, singleShot=True, interval=AFTER_MS)
        self._soon.timeout.connect(self._on_time)
        session.run_changed.connect(self._on_run_changed)

    @property
    def busy(self) -> bool:
        """Whether something is being made ready, or soon will be."""
        return self._soon.isActive() or bool(self.workers)

    def expect_run(self, _slide: OpenSlide) -> None:
        """Begin soon, if the current slide has no results then."""
        if self._session.run is None:
            self._soon.start()

    def stop(self) -> None:
        """Begin no more, and stop what goes on at its next report."""
        self._soon.stop()
        self.workers.stop()

    def detach(self) -> None:
        """Stop, and hear no more."""
        self.stop()
        self._session.run_changed.disconnect(self._on_run_changed)

    def _on_run_changed(self, run: Run | None) -> None:
        """Leave the processors to a run."""
        if run is not None:
            self.stop()

    def _on_time(self) -> None:
        slide = self._session.current
        if slide is None or slide.analysis is not None:
            return
        self.workers.stop()
        try:
            options = self._options_of(slide)
        except CrlmSpaError:
            return  # Run says it
        worker = self.workers.create(self._get_ready, slide.path, options)
        worker.errored.connect(_on_errored)
        worker.start()


def _on_errored(error: Exception) -> None:
    # Nobody has asked for it yet: whatever is wrong, Run says it.
    logger.info("What Run needs could not be made ready ahead of it.", exc_info=error)
