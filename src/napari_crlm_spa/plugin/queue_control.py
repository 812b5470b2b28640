"""Moves through the queue, and analyzes its new slides one after the other.

It stands between the queue, the session, the runner and the viewer, and shows nothing itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.errors import CrlmSpaError, StoreError
from napari_crlm_spa.plugin.layers import kind_of, slide_id
from napari_crlm_spa.plugin.queue import Notebook, ReadState, SlideQueue, SlideState, scan
from napari_crlm_spa.plugin.queue_sources import Found, QueuedSlide, gather
from napari_crlm_spa.plugin.runner import Ending, Outcome, Runner
from napari_crlm_spa.plugin.session import PREFERENCES, USER, OpenSlide, Session
from napari_crlm_spa.plugin.viewer_look import remove_layers
from napari_crlm_spa.plugin.worker import PipelineWorker, WorkerRegistry

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_crlm_spa.core.pipeline import AnalysisOptions

RESCAN_MS = 300


@dataclass(frozen=True, slots=True)
class Batch:
    """How far "Run all new" has come.

    Parameters
    ----------
    at, total
        Which slide is being analyzed, counted from 1, and how many there are.
    name
        That slide's.
    done, failed
        How many were and how many could not be analyzed so far.
    """

    at: int
    total: int
    name: str
    done: int = 0
    failed: int = 0

    @property
    def text(self) -> str:
        """The state in words."""
        return f"Slide {self.at} of {self.total} ({self.name})"

    def after(self, outcome: Outcome) -> Batch:
        """Return the state after a slide has ended so."""
        done = self.done + (outcome is Outcome.DONE)
        failed = self.failed + (outcome is Outcome.FAILED)
        return dataclasses.replace(self, done=done, failed=failed)


@dataclass(frozen=True, slots=True)
class Workplace:
    """What the control asks of the panel, each time it needs it.

    Parameters
    ----------
    results_folder
        Where analyses are; raises `CrlmSpaError` if none is named.
    options
        Options of an analysis for a pixel size entered by hand (or None).
    default_mpp
        Pixel size of slides that name none; 0 if it has to be asked.
    open_slide
        Opens a slide in the viewer; raises `SlideError`.
    """

    results_folder: Callable[[], Path]
    options: Callable[[float | None], AnalysisOptions]
    default_mpp: Callable[[], float]
    open_slide: Callable[[Path], Any]


class QueueControl(QObject):
    """What the queue's buttons and keys do."""

    told = Signal(str)
    problem = Signal(str)
    batch_changed = Signal(object)  # Batch | None
    loaded = Signal()

    def __init__(
        self,
        queue: SlideQueue,
        session: Session,
        runner: Runner,
        viewer: ViewerModel,
        place: Workplace,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.queue = queue
        self.batch: Batch | None = None
        self.workers = WorkerRegistry()
        self._session, self._runner, self._viewer, self._place = session, runner, viewer, place
        self._waiting: list[QueuedSlide] = []
        self._opened: set[str] = set()
        self._unreadable: dict[Path, str] = {}
        self._scanner: PipelineWorker | None = None
        self._gatherer: PipelineWorker | None = None
        self._stop_wanted = False
        # The reader marks and edits in bursts; files are written a moment later.
        self._rescan_current = QTimer(self, singleShot=True, interval=RESCAN_MS)
        self._rescan_current.timeout.connect(self._read_current)
        runner.over.connect(self._on_over)
        runner.started.connect(self._on_started)
        session.current_changed.connect(self._on_current_changed)
        session.review_changed.connect(self._on_review_changed)
        session.analysis_changed.connect(self._on_review_changed)
        session.reader_changed.connect(self._on_reader_changed)

    def detach(self) -> None:
        """Stop, and hear no more."""
        self._waiting.clear()
        self._stop_wanted = True
        self.workers.stop()
        self._rescan_current.stop()
        self._runner.over.disconnect(self._on_over)
        self._runner.started.disconnect(self._on_started)
        self._session.current_changed.disconnect(self._on_current_changed)
        self._session.review_changed.disconnect(self._on_review_changed)
        self._session.analysis_changed.disconnect(self._on_review_changed)
        self._session.reader_changed.disconnect(self._on_reader_changed)

    # -- filling --------------------------------------------------------------------------

    def load(
        self, paths: Sequence[str | Path], *, add: bool = False, then: Path | None = None
    ) -> None:
        """Find the slides that paths stand for, in a thread, and queue them.

        Parameters
        ----------
        paths
            Folders, tables, slides.
        add
            Add them to those that are there.
        then
            Look at this one afterwards; without it the first one is opened if none is open.
        """
        if self._gatherer is not None:
            self._gatherer.quit()
        worker = self.workers.create(gather, list(paths))
        self._gatherer = worker
        worker.yielded.connect(self._on_found_some)
        worker.returned.connect(lambda found: self._on_found(worker, found, add, then))
        worker.errored.connect(self._on_not_found)
        self.told.emit("Looking for slides…")
        worker.start()

    def _on_found_some(self, progress: Progress) -> None:
        if progress.done:
            self.told.emit(f"Looking for slides: {progress.done:,} so far")

    def _on_found(
        self, worker: PipelineWorker, found: Found | None, add: bool, then: Path | None
    ) -> None:
        if worker is not self._gatherer or found is None:
            return
        self._gatherer = None
        self.told.emit("")
        if found.slides:
            self.take(found.slides, add=add)
            if then is not None:
                self.open(then)
            elif self._session.current is None:
                self.go(1)
        # Last, since what is said goes when another slide is looked at.
        if found.problems:
            self.problem.emit(_left_out(found))
        elif not found.slides:
            self.problem.emit("There are no slides. Choose a folder that holds some.")
        self.loaded.emit()

    def _on_not_found(self, error: Exception) -> None:
        self._gatherer = None
        self.told.emit("")
        self.problem.emit(str(error))
        self.loaded.emit()

    def take(self, slides: Sequence[QueuedSlide], *, add: bool = False) -> None:
        """Queue slides that are known already."""
        if add:
            self.queue.add(slides)
        else:
            self.queue.load(slides)
        self._on_current_changed(self._session.current)
        self.rescan()

    # -- what the results folder says -----------------------------------------------------

    def rescan(self) -> None:
        """Read in a thread how all slides stand."""
        if self._scanner is not None:
            self._scanner.quit()
        if not len(self.queue):
            return
        try:
            out_dir = self._place.results_folder()
        except CrlmSpaError:
            return
        paths = [entry.path for entry in self.queue.entries]
        worker = self.workers.create(scan, out_dir, paths, self._session.reader)
        self._scanner = worker
        worker.yielded.connect(lambda progress: self._on_scanned(worker, progress))
        worker.start()

    def _on_scanned(self, worker: PipelineWorker, progress: Progress) -> None:
        if worker is self._scanner:
            for read in progress.changed:
                self._take_state(read)

    def _take_state(self, read: ReadState) -> None:
        if read.path == self._runner.path:
            return
        if read.state is SlideState.NEW and read.path in self._unreadable:
            # The results folder knows nothing of a slide that could not even be opened.
            read = dataclasses.replace(
                read, state=SlideState.FAILED, reason=self._unreadable[read.path]
            )
        self.queue.set_state(read.path, read.state, read.reason, read.detail)
        self.queue.set_note(read.path, read.note)

    def _on_review_changed(self, slide: OpenSlide) -> None:
        if slide is self._session.current:
            self._rescan_current.start()

    def _on_reader_changed(self, _reader: str) -> None:
        """Another reader has reviewed other slides."""
        self.rescan()

    def _read_current(self) -> None:
        slide = self._session.current
        if slide is not None:
            self._read_one(slide.path)

    def _read_one(self, path: Path) -> None:
        """Read how one slide stands."""
        entry = self.queue.entry(self._in_queue(path))
        if entry is None:
            return
        try:
            out_dir = self._place.results_folder()
        except CrlmSpaError:
            return
        for progress in scan(out_dir, [entry.path], self._session.reader):
            self._take_state(progress.changed[0])

    def _in_queue(self, path: Path) -> Path:
        """Return a slide's path as the queue spells it."""
        return path if path in self.queue else path.absolute()

    def write_note(self, path: Path, note: str) -> None:
        """Keep what the reader wrote down about a slide."""
        self.queue.set_note(path, note)
        self._write_down(path, note=note)

    def _write_down(self, path: Path, **texts: str) -> None:
        try:
            Notebook(self._place.results_folder()).write(path, **texts)
        except StoreError as error:
            self.problem.emit(str(error))
        except CrlmSpaError:
            pass

    # -- looking --------------------------------------------------------------------------

    def go(self, by: int, wanted: SlideState | None = None) -> None:
        """Look at the next slide (1) or the one before (-1)."""
        path = self.queue.step(by, wanted)
        if path is not None:
            self.open(path)
        elif len(self.queue):
            kind = "" if wanted is None else f" {wanted}"
            self.told.emit(f"This is the {'last' if by > 0 else 'first'}{kind} slide.")

    def open(self, path: Path) -> None:
        """Look at a slide of the queue, and close the one that the queue opened before."""
        entry = self.queue.entry(path)
        if entry is None:
            return
        self.queue.set_current(path)
        slide = slide_id(path)
        if slide in self._session.slides:
            self._session.select(slide)
        else:
            try:
                self._place.open_slide(path)
            except CrlmSpaError as error:
                self._unreadable[path] = str(error)
                self.queue.set_state(path, SlideState.FAILED, str(error))
                self.problem.emit(str(error))
                return
            self._unreadable.pop(path, None)
            self._opened.add(slide)
            self._set_pixel_size(slide, entry.slide)
        self._tidy()

    def _set_pixel_size(self, slide: str, queued: QueuedSlide) -> None:
        opened = self._session.slides.get(slide)
        if opened is None:
            return
        size, default = opened.info.pixel_size, self._place.default_mpp()
        if queued.mpp is not None and (size is None or size.mpp != queued.mpp):
            self._session.set_pixel_size(slide, queued.mpp, USER)
        elif size is None and default and self._is_new(queued.path):
            self._session.set_pixel_size(slide, default, PREFERENCES)

    def _is_new(self, path: Path) -> bool:
        """Whether no analysis is there whose own pixel size would count."""
        entry = self.queue.entry(path)
        return entry is None or entry.state in (SlideState.NEW, SlideState.FAILED)

    def _tidy(self) -> None:
        """Close slides that the queue opened and nobody looks at, to free their memory."""
        current, run = self._session.current, self._session.run
        going: list[Layer] = []
        for slide in list(self._opened):
            if slide not in self._session.slides:
                self._opened.discard(slide)
            elif current is None or slide != current.id:
                if run is not None and run.slide_id == slide:
                    continue
                self._opened.discard(slide)
                going += [
                    layer
                    for layer in self._viewer.layers
                    if kind_of(layer.metadata, slide) == "slide"
                ]
        # Their maps follow by themselves, and whoever keeps something can save it.
        remove_layers(self._viewer, going)

    def _on_current_changed(self, slide: OpenSlide | None) -> None:
        if slide is not None:
            path = self._in_queue(slide.path)
            self.queue.set_current(path if path in self.queue else None)

    # -- analyzing ------------------------------------------------------------------------

    def run_all(self) -> None:
        """Analyze all new slides, or those that failed if none is new."""
        slides = self.queue.in_state(SlideState.NEW) or self.queue.in_state(SlideState.FAILED)
        if self._runner.busy or not slides:
            return
        self._stop_wanted = False
        self._waiting = [entry.slide for entry in slides]
        self._set_batch(Batch(0, len(slides), ""))
        self._run_next()

    def cancel(self) -> None:
        """Stop the run and all that wait; finished slides are kept."""
        self._stop_wanted = True
        self._waiting.clear()
        self._runner.stop()

    def _set_batch(self, batch: Batch | None) -> None:
        self.batch = batch
        self.batch_changed.emit(batch)

    def _run_next(self) -> None:
        assert self.batch is not None
        slide = self._waiting.pop(0)
        try:
            out_dir = self._place.results_folder()
            options = self._place.options(self._mpp_of(slide))
        except CrlmSpaError as error:
            self._waiting.clear()
            self._set_batch(None)
            self.problem.emit(str(error))
            return
        batch = dataclasses.replace(self.batch, at=self.batch.at + 1, name=slide.path.name)
        self._set_batch(batch)
        self._runner.start_file(slide.path, out_dir, options)

    def _mpp_of(self, slide: QueuedSlide) -> float | None:
        opened = self._session.slides.get(slide_id(slide.path))
        if opened is not None and opened.user_mpp is not None:
            return opened.user_mpp
        return slide.mpp

    def _on_started(self, path: Path) -> None:
        self._unreadable.pop(self._in_queue(path), None)
        self.queue.set_state(self._in_queue(path), SlideState.RUNNING)

    def _on_over(self, ending: Ending) -> None:
        path = self._in_queue(ending.path)
        if ending.outcome is Outcome.FAILED:
            self.queue.set_state(path, SlideState.FAILED, ending.reason)
        else:
            done = ending.outcome is Outcome.DONE
            self.queue.set_state(path, SlideState.DONE if done else SlideState.NEW)
        if path in self.queue and ending.outcome is not Outcome.STOPPED:
            self._write_down(path, failed=ending.reason)
        if ending.outcome is not Outcome.FAILED:
            self._read_one(path)
        self._tidy()
        if self.batch is not None:
            self._go_on(self.batch.after(ending.outcome))

    def _go_on(self, batch: Batch) -> None:
        self._set_batch(batch)
        if self._waiting and not self._stop_wanted:
            self._run_next()
            return
        self._set_batch(None)
        stopped = "Stopped. Finished tiles are kept. " if self._stop_wanted else ""
        failed = f" {batch.failed} failed: point at them to read why." if batch.failed else ""
        self.told.emit(f"{stopped}{batch.done} of {batch.total} slides are analyzed.{failed}")


def _left_out(found: Found) -> str:
    """Say what was left out, the first few by name."""
    told, more = found.problems[:3], len(found.problems) - 3
    rest = f" And {more:,} more." if more > 0 else ""
    return f"Left out: {' '.join(told)}{rest}"
