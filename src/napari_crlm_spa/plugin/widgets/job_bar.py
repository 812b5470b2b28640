"""One piece of slow work of a panel: progress with speed and time left, and Cancel."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Generator
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin.session import Meter
from napari_crlm_spa.plugin.words import progress_text, status_line
from napari_crlm_spa.plugin.worker import PipelineWorker, WorkerRegistry

logger = logging.getLogger(__name__)

Work = Callable[..., Generator[Progress, None, Any]]


class JobBar(QWidget):
    """Runs one generator of `Progress` at a time in a thread; hidden while there is none.

    A job that is started while another goes on takes its place: what the earlier one still
    says is dropped.
    """

    done = Signal(object)  # what the generator returned
    progressed = Signal(object)  # each Progress
    failed = Signal(str, str)  # sentence, details (empty for what the user can mend)
    cancelled = Signal()
    busy_changed = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.bar = QProgressBar()
        self.bar.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.cancel_button = QPushButton("Cancel")
        self.line = QLabel()
        self.workers = WorkerRegistry()
        self._current: PipelineWorker | None = None
        self._meter = Meter()
        row = QHBoxLayout()
        row.addWidget(self.bar, 1)
        row.addWidget(self.cancel_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self.line)
        self.cancel_button.clicked.connect(self.cancel)
        # Not a method of the widget: that is gone by then.
        self.destroyed.connect(self.workers.close)
        self.setVisible(False)

    @property
    def busy(self) -> bool:
        """Whether a job goes on."""
        return self._current is not None

    def start(self, work: Work, *args: Any) -> None:
        """Run ``work(*args)`` in a thread."""
        self.workers.stop()
        worker = self.workers.create(work, *args)
        self._current = worker
        self._meter = Meter()
        worker.yielded.connect(lambda progress: self._on_yielded(worker, progress))
        worker.returned.connect(lambda result: self._on_returned(worker, result))
        worker.errored.connect(lambda error: self._on_errored(worker, error))
        worker.aborted.connect(lambda: self._on_aborted(worker))
        self.bar.setRange(0, 0)
        self.line.setText("Starting…")
        self.cancel_button.setEnabled(True)
        self.setVisible(True)
        self.busy_changed.emit(True)
        worker.start()

    def cancel(self) -> None:
        """Stop at the next report."""
        self.cancel_button.setEnabled(False)
        self.line.setText("Stopping…")
        self.workers.stop()

    def drop(self) -> None:
        """Stop, and hear no more of it (the slide is another one now)."""
        self.workers.stop()
        if self._current is not None:
            self._end()

    def _hears(self, worker: PipelineWorker) -> bool:
        """Whether a worker is the one under way, and there is still a bar to tell it."""
        return worker is self._current and not self.workers.closed

    def _end(self) -> None:
        self._current = None
        self.setVisible(False)
        self.busy_changed.emit(False)

    def _on_yielded(self, worker: PipelineWorker, progress: Progress) -> None:
        if not self._hears(worker):
            return
        status = self._meter.read(progress, time.monotonic())
        self.bar.setRange(0, status.total if status.total > 1 else 0)
        self.bar.setValue(status.done)
        self.bar.setFormat(progress_text(status))
        if self.cancel_button.isEnabled():
            self.line.setText(status_line(status))
        self.progressed.emit(progress)

    def _on_returned(self, worker: PipelineWorker, result: Any) -> None:
        # An aborted worker returns None after it has said so.
        if self._hears(worker) and not worker.abort_requested:
            self._end()
            self.done.emit(result)

    def _on_aborted(self, worker: PipelineWorker) -> None:
        if self._hears(worker):
            self._end()
            self.cancelled.emit()

    def _on_errored(self, worker: PipelineWorker, error: Exception) -> None:
        if not self._hears(worker):
            return
        self._end()
        if isinstance(error, CrlmSpaError):
            self.failed.emit(str(error), "")
            return
        details = "".join(traceback.format_exception(error))
        logger.error("A job failed:\n%s", details)
        self.failed.emit(
            f"Something unexpected went wrong ({type(error).__name__}: {error}). "
            "Please report this, with the details.",
            details,
        )
