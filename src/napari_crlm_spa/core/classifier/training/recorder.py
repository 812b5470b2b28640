"""Keeping the course of a training where it can be watched: CSV, picture, TensorBoard if asked."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from napari_crlm_spa.core.classifier.training.history import (
    EpochRecord,
    draw_history,
    write_table,
)
from napari_crlm_spa.errors import FolderNotWritable, TrainingError

logger = logging.getLogger(__name__)

#: Folder of TensorBoard's event files inside the model folder.
TENSORBOARD_NAME = "tensorboard"
#: Least time between two drawings, in seconds: the picture takes longer than a very short epoch.
_DRAW_EVERY = 5.0


class Recorder:
    """Writes the history after each epoch; the picture now and then, and when it is closed.

    A file that another program has open is written after a later epoch; closing insists.

    Parameters
    ----------
    folder
        The model folder.
    tensorboard
        Whether to write TensorBoard's event files, too.

    Raises
    ------
    TrainingError
        If TensorBoard is asked for and not installed.
    """

    def __init__(self, folder: Path, *, tensorboard: bool = False) -> None:
        self._folder = folder
        self._drawn_at = time.monotonic()
        self._untold: Sequence[EpochRecord] = ()
        self._undrawn: Sequence[EpochRecord] = ()
        self._tensorboard = tensorboard
        self._writer: Any = None
        if tensorboard:
            require_tensorboard()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            self._writer.close()
        if self._untold:
            write_table(self._folder, self._untold)
        if self._undrawn:
            draw_history(self._folder, self._undrawn)

    def record(self, history: Sequence[EpochRecord]) -> None:
        """Keep the history up to its last epoch."""
        self._untold = self._undrawn = list(history)
        with _patience():
            write_table(self._folder, history)
            self._untold = ()
        if time.monotonic() - self._drawn_at >= _DRAW_EVERY:
            with _patience():
                draw_history(self._folder, history)
                self._undrawn, self._drawn_at = (), time.monotonic()
        if self._tensorboard:
            self._log(history[-1])

    def _log(self, record: EpochRecord) -> None:
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            # A training that goes on hides what a killed epoch had logged.
            self._writer = SummaryWriter(
                str(self._folder / TENSORBOARD_NAME), purge_step=record.epoch
            )
        figures = {
            "loss/training": record.train_loss,
            "loss/validation": record.validation_loss,
            "accuracy/training": record.train_accuracy,
            "accuracy/validation": record.validation_accuracy,
            "accuracy/validation, mean over classes": record.validation_balanced_accuracy,
            "learning rate": record.learning_rate,
            "seconds per epoch": record.seconds,
        }
        for name, value in figures.items():
            if math.isfinite(value):
                self._writer.add_scalar(name, value, record.epoch)
        self._writer.flush()


@contextmanager
def _patience() -> Iterator[None]:
    """Put a file off that Excel or a viewer has open (on Windows): the next epoch writes it all."""
    try:
        yield
    except FolderNotWritable as error:
        logger.warning("%s", error)


def require_tensorboard() -> None:
    """Refuse to start where TensorBoard is asked for and not installed.

    Raises
    ------
    TrainingError
        If it is not installed.
    """
    if find_spec("tensorboard") is None:
        raise TrainingError(
            "TensorBoard is not installed. Install it with "
            'pip install "napari-crlm-spa[tensorboard]", or leave out --tensorboard: history.csv '
            "and curves.png hold the same figures."
        )
