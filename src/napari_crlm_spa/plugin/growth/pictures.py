"""Pictures of a slide that are read in a thread, the newest wish first, and kept up to a limit."""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Generator, Hashable
from contextlib import suppress
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QImage, QPixmap

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.slide import RgbImage, Slide, open_slide
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin.session import OpenSlide
from napari_crlm_spa.plugin.worker import PipelineWorker, WorkerRegistry

logger = logging.getLogger(__name__)

Read = Callable[[Slide, Any], RgbImage]

MOST_BYTES = 64_000_000
#: Wishes beyond this are forgotten, oldest first: whoever scrolls fast sees the end sooner.
MOST_WISHES = 200
_QIMAGE_BYTES = 4


class Pictures(QObject):
    """Pictures of one slide; what is not there yet is read and told by `ready`.

    Parameters
    ----------
    read
        Reads the picture of a key from the open slide, in a thread.
    """

    ready = Signal(object)  # key
    reading = Signal(int)  # wishes that are left

    def __init__(self, read: Read, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.workers = WorkerRegistry()
        self._read = read
        self._source: tuple[Path, float | None] | None = None
        self._pictures: OrderedDict[Hashable, QPixmap | None] = OrderedDict()
        self._bytes = 0
        self._wishes: deque[Hashable] = deque()
        self._worker: PipelineWorker | None = None
        self.stopped = False
        # Not a method of ours: that is gone by then.
        self.destroyed.connect(self.workers.close)

    def look_at(self, slide: OpenSlide | None, read: Read | None = None) -> None:
        """Show pictures of another slide, or other ones of the same: all are read anew."""
        self.stop()
        self.stopped = False
        self._pictures.clear()
        self._bytes = 0
        self._read = read or self._read
        self._source = None if slide is None else (slide.path, slide.user_mpp)

    def get(self, key: Hashable, *, wish: bool = True) -> QPixmap | None:
        """Return a picture; None for now, or for good where the slide cannot be read."""
        if key in self._pictures:
            self._pictures.move_to_end(key)
            return self._pictures[key]
        if wish and not self.stopped and key not in self._wishes:
            self._wishes.append(key)
            while len(self._wishes) > MOST_WISHES:
                with suppress(IndexError):  # the thread was quicker
                    self._wishes.popleft()
            self._start()
        return None

    def known(self, key: Hashable) -> bool:
        """Whether a picture was read, or is known not to be readable."""
        return key in self._pictures

    def only(self, keys: set[Hashable]) -> None:
        """Forget wishes for what is no longer seen."""
        for key in list(self._wishes):
            if key not in keys:
                with suppress(ValueError):
                    self._wishes.remove(key)

    def stop(self) -> None:
        """Read no more, until `look_at` or `go_on`."""
        self._wishes = deque()
        self._worker = None
        self.workers.stop()
        self.stopped = True
        self.reading.emit(0)

    def go_on(self) -> None:
        """Read again what is asked for."""
        self.stopped = False

    def _start(self) -> None:
        if self._worker is not None or self._source is None or not self._wishes:
            return
        worker = self.workers.create(_read_wishes, *self._source, self._wishes, self._read)
        self._worker = worker
        worker.yielded.connect(lambda report: self._on_read(worker, report))
        worker.errored.connect(lambda error: logger.error("No pictures: %s", error))
        worker.finished.connect(lambda: self._on_finished(worker))
        worker.start()

    def _on_read(self, worker: PipelineWorker, report: Progress) -> None:
        if worker is not self._worker or self.workers.closed or report.changed is None:
            return
        key, pixels = report.changed
        pixmap = None if pixels is None else as_pixmap(pixels)
        self._pictures[key] = pixmap
        self._bytes += _size(pixmap)
        while self._bytes > MOST_BYTES and len(self._pictures) > 1:
            self._bytes -= _size(self._pictures.popitem(last=False)[1])
        self.ready.emit(key)
        self.reading.emit(len(self._wishes))

    def _on_finished(self, worker: PipelineWorker) -> None:
        if worker is self._worker and not self.workers.closed:
            self._worker = None
            self.reading.emit(len(self._wishes))
            # A wish that came while the thread was ending.
            self._start()


def _read_wishes(
    path: Path, mpp: float | None, wishes: deque[Hashable], read: Read
) -> Generator[Progress, None, None]:
    """Read pictures until there is no wish left; it may grow meanwhile."""
    try:
        slide = open_slide(path, mpp=mpp)
    except CrlmSpaError:
        slide = None
    n_read = 0
    try:
        while wishes:
            try:
                key = wishes.pop()
            except IndexError:
                return
            n_read += 1
            yield Progress("Reading", n_read, 0, "pieces", (key, _try(slide, read, key)))
    finally:
        if slide is not None:
            slide.close()


def _try(slide: Slide | None, read: Read, key: Hashable) -> RgbImage | None:
    if slide is None:
        return None
    try:
        return read(slide, key)
    except CrlmSpaError:
        return None


def as_pixmap(pixels: RgbImage) -> QPixmap:
    """Turn pixels of shape (height, width, 3) into a picture of Qt."""
    height, width = pixels.shape[:2]
    image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image.copy())


def _size(pixmap: QPixmap | None) -> int:
    return 0 if pixmap is None else int(pixmap.width() * pixmap.height() * _QIMAGE_BYTES)
