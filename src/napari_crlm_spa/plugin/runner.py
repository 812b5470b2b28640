"""Starts and stops the analysis of a slide and tells the session how it goes.

One analysis at a time. It ends when it is done, cancelled or failed, when its slide is closed
in the viewer, or when the panel goes; in each case its worker stops at the next report. The
slide need not be open in the viewer.
"""

from __future__ import annotations

import dataclasses
import logging
import time
import traceback
from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.slide import open_slide
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin import engine
from napari_crlm_spa.plugin.layers import slide_id
from napari_crlm_spa.plugin.session import OpenSlide, Run, Session
from napari_crlm_spa.plugin.words import done_line
from napari_crlm_spa.plugin.worker import PipelineWorker, WorkerRegistry

if TYPE_CHECKING:
    from napari_crlm_spa.core.pipeline import AnalysisOptions

logger = logging.getLogger(__name__)

Work = Callable[[Path, Path, Any], Generator[Progress, None, Any]]

STOPPED = "Stopped. Finished tiles are kept: Run goes on from there."


class Outcome(Enum):
    """How a run ended."""

    DONE = auto()
    STOPPED = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of one run.

    Parameters
    ----------
    path, outcome
        Which slide's, and how it ended.
    reason
        Why it failed.
    """

    path: Path
    outcome: Outcome
    reason: str = ""


class Runner(QObject):
    """Runs analyses for one session."""

    busy_changed = Signal(bool)
    started = Signal(object)  # Path
    over = Signal(object)  # Ending; the next analysis may be started
    failed = Signal(str, str)  # sentence, details (empty for what the user can mend)
    ended = Signal(str)  # sentence

    def __init__(self, session: Session, parent: QObject, work: Work = engine.analyze) -> None:
        super().__init__(parent)
        self.work = work
        #: µm per pixel of slides that name none; 0 if it has to be asked.
        self.default_mpp = 0.0
        self._session = session
        self.workers = WorkerRegistry()
        self._course: _Course | None = None
        session.run_changed.connect(self._on_run_changed)

    @property
    def busy(self) -> bool:
        """Whether a worker is still going, be it only to come to its next report."""
        return self._course is not None

    @property
    def path(self) -> Path | None:
        """The slide that is being analyzed."""
        return None if self._course is None else self._course.path

    def start(self, slide: OpenSlide, out_dir: Path, options: AnalysisOptions) -> None:
        """Analyze an open slide in a thread."""
        self.start_file(slide.path, out_dir, options)

    def start_file(self, path: Path, out_dir: Path, options: AnalysisOptions) -> None:
        """Analyze a slide in a thread, whether it is open or not."""
        if self.busy:
            return
        run = self._session.begin_run(slide_id(path), time.monotonic())
        work = with_default_mpp(self.work, self.default_mpp) if self.default_mpp else self.work
        worker = self.workers.create(work, path, out_dir, options)
        self._course = _Course(run, path, worker, self)
        self.busy_changed.emit(True)
        self.started.emit(path)
        worker.start()

    def stop(self) -> None:
        """Ask the worker to stop at its next report."""
        self.workers.stop()

    def detach(self) -> None:
        """Stop, and hear no more."""
        self.stop()
        self._session.run_changed.disconnect(self._on_run_changed)

    def _on_run_changed(self, run: Run | None) -> None:
        if run is None:
            self.stop()

    def _on_finished(self, course: _Course) -> None:
        self._course = None
        course.deleteLater()
        self._session.end_run(course.run)
        self.busy_changed.emit(False)
        self.over.emit(course.ending)

    def _on_errored(self, error: Exception) -> None:
        if isinstance(error, CrlmSpaError):
            self.failed.emit(str(error), "")
            return
        details = "".join(traceback.format_exception(error))
        logger.error("The analysis failed:\n%s", details)
        self.failed.emit(
            f"Something unexpected went wrong ({type(error).__name__}: {error}). Finished tiles "
            "are kept. Please report this, with the details.",
            details,
        )


class _Course(QObject):
    """Receives one worker's signals in the main thread and knows whose run they belong to."""

    def __init__(self, run: Run, path: Path, worker: PipelineWorker, runner: Runner) -> None:
        super().__init__(runner)
        self.run = run
        self.path = path
        self.ending = Ending(path, Outcome.STOPPED)
        self._runner = runner
        worker.yielded.connect(self._on_yielded)
        worker.returned.connect(self._on_returned)
        worker.aborted.connect(self._on_aborted)
        worker.errored.connect(self._on_errored)
        worker.finished.connect(self._on_finished)

    def _on_yielded(self, progress: Progress) -> None:
        self._runner._session.take_progress(self.run, progress, time.monotonic())

    def _on_returned(self, analysis: Any) -> None:
        if self._runner._session.run is self.run:
            self.ending = Ending(self.path, Outcome.DONE)
            self._runner._session.take_analysis(self.run, analysis)
            self._runner.ended.emit(done_line(analysis))

    def _on_aborted(self) -> None:
        self._runner.ended.emit(STOPPED)

    def _on_errored(self, error: Exception) -> None:
        self.ending = Ending(self.path, Outcome.FAILED, str(error) or type(error).__name__)
        self._runner._on_errored(error)

    def _on_finished(self) -> None:
        self._runner._on_finished(self)


def with_default_mpp(work: Work, default_mpp: float) -> Work:
    """Let an analysis assume a pixel size where neither the file nor the user names one."""

    def analyze(path: Path, out_dir: Path, options: Any) -> Generator[Progress, None, Any]:
        if options.mpp is None:
            yield Progress("Opening the slide", 0, 1)
            with open_slide(path) as slide:
                known = slide.info.pixel_size is not None
            if not known:
                options = dataclasses.replace(options, mpp=default_mpp)
        return (yield from work(path, out_dir, options))

    return analyze
