"""Reads the pictures of the slides that the queue shows, in a thread, the newest wish first."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QImage, QPixmap

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.plugin.slide_pictures import slide_picture
from napari_crlm_spa.plugin.worker import WorkerRegistry

#: Wishes beyond this are forgotten, oldest first: whoever scrolls fast sees the end sooner.
MAX_WISHES = 40


class PictureLoader(QObject):
    """Pictures by path; what is not there yet is fetched and told by `ready`."""

    ready = Signal(object)  # Path

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.workers = WorkerRegistry()
        self._pictures: dict[Path, QPixmap | None] = {}
        self._wishes: list[Path] = []
        self._reading = False
        self._stopped = False

    def get(self, path: Path) -> QPixmap | None:
        """Return a picture, or None for now, or for good if the slide has none."""
        if path in self._pictures:
            return self._pictures[path]
        if path in self._wishes:
            self._wishes.remove(path)
        self._wishes.append(path)
        del self._wishes[:-MAX_WISHES]
        self._read()
        return None

    def stop(self) -> None:
        """Read no more."""
        self._stopped = True
        self._wishes.clear()
        self.workers.stop()

    def _read(self) -> None:
        if self._reading or self._stopped or not self._wishes:
            return
        self._reading = True
        worker = self.workers.create(_read_wishes, self._wishes)
        worker.yielded.connect(self._on_read)
        worker.finished.connect(self._on_finished)
        worker.start()

    def _on_read(self, progress: Progress) -> None:
        path, pixels = progress.changed
        if path in self._wishes:
            self._wishes.remove(path)
        self._pictures[path] = None if pixels is None else _pixmap(pixels)
        self.ready.emit(path)

    def _on_finished(self) -> None:
        self._reading = False
        # A wish that came while the thread was ending.
        self._wishes = [path for path in self._wishes if path not in self._pictures]
        self._read()


def _read_wishes(wishes: list[Path]) -> Generator[Progress, None, None]:
    """Read pictures until there is no wish left; the list may grow meanwhile."""
    read = 0
    while wishes:
        try:
            path = wishes.pop()
        except IndexError:
            return
        read += 1
        yield Progress("Reading pictures", read, 0, changed=(path, slide_picture(path)))


def _pixmap(pixels: Any) -> QPixmap:
    height, width = pixels.shape[:2]
    data = pixels.tobytes()
    image = QImage(data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image.copy())
