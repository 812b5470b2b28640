"""Slow work in a thread: cancels within one report, hides no error, leaves nothing open.

superqt's `GeneratorWorker` returns a RuntimeError instead of raising it (so neither `errored`
nor `finished` is emitted; torch's out-of-memory error is one) and abandons the generator on
`quit`. `PipelineWorker` raises and closes.

Connect a worker's signals to functions or to methods of a `QObject`. PySide6 calls a method of a
plain object even after that object is gone, if the call was under way: that ends the program.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any

from superqt.utils import GeneratorWorker

from napari_crlm_spa.core.progress import Progress


class PipelineWorker(GeneratorWorker):
    """Runs a generator of `Progress` in a thread; its return value is emitted by `returned`.

    The generator is made, run and closed in the thread. `quit` stops it at its next report:
    it is closed there, so its own ``finally`` blocks run, and `aborted` is emitted.
    """

    def work(self) -> Any:
        """Run the generator to its end, or until `quit` was called."""
        generator: Generator[Progress, None, Any] = self._gen
        try:
            while not self.abort_requested:
                try:
                    progress = next(generator)
                except StopIteration as end:
                    return end.value
                self.yielded.emit(progress)
            self.aborted.emit()
            return None
        finally:
            generator.close()


class WorkerRegistry:
    """The workers of one panel, so that none outlives it."""

    def __init__(self) -> None:
        self._workers: set[PipelineWorker] = set()
        #: True once the panel is gone: what workers still say must reach no widget.
        self.closed = False

    def __len__(self) -> int:
        return len(self._workers)

    def create(
        self, work: Callable[..., Generator[Progress, None, Any]], *args: Any
    ) -> PipelineWorker:
        """Make a worker for a generator function; connect its signals, then start it."""
        worker = PipelineWorker(work, *args)
        self._workers.add(worker)
        # Not a bound method of a widget: the registry must hear of the end even if the panel
        # is gone by then.
        known = weakref.ref(worker)
        worker.finished.connect(lambda: self._forget(known()))
        return worker

    def _forget(self, worker: PipelineWorker | None) -> None:
        if worker is not None:
            self._workers.discard(worker)
            _part_from_listeners(worker)

    def stop(self) -> None:
        """Ask all workers to stop at their next report."""
        for worker in list(self._workers):
            worker.quit()

    def close(self) -> None:
        """Stop all workers, since those who listened are gone."""
        self.closed = True
        self.stop()


def _part_from_listeners(worker: PipelineWorker) -> None:
    """Free what heard of a worker that has said all: PySide6 never frees a function it calls.

    Such a function may hold the slide with its maps, or the worker itself.
    """
    for signal in (worker.yielded, worker.returned, worker.errored, worker.aborted):
        # Where nobody listens PyQt6 raises, and PySide6 raises or warns.
        with suppress(TypeError, RuntimeError), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            signal.disconnect()
