"""Small pictures of tiles, read from the slide in a thread, the newest wish first."""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QImage, QPixmap

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.slide import RgbImage, Slide, open_slide
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin.session import OpenSlide
from napari_crlm_spa.plugin.worker import PipelineWorker, WorkerRegistry

logger = logging.getLogger(__name__)

#: Side of a picture as it is read; it is drawn smaller, so that it is sharp on dense screens.
READ_PX = 160
#: What is seen on each side of a tile, in tiles: a class is hard to tell without surroundings.
AROUND = 0.5
MOST_KEPT = 500
#: Wishes beyond this are forgotten, oldest first: whoever scrolls fast sees the end sooner.
MOST_WISHES = 60

Place = tuple[int, int]


def read_thumbnail(slide: Slide, tissue_map: TissueMap, row: int, col: int) -> RgbImage:
    """Read a tile with half a tile around it.

    Returns
    -------
    ndarray of uint8, shape (READ_PX, READ_PX, 3)

    Raises
    ------
    SlideError
        If the file is damaged there, or its pixel size is unknown.
    """
    stride = tissue_map.stride_um
    x_um = tissue_map.origin_um[0] + (col - AROUND) * stride
    y_um = tissue_map.origin_um[1] + (row - AROUND) * stride
    return slide.read_region_um(x_um, y_um, READ_PX, READ_PX, (1 + 2 * AROUND) * stride / READ_PX)


class Thumbnails(QObject):
    """Pictures of one slide's tiles; what is not there yet is read and told by `ready`."""

    ready = Signal(int, int)  # row, col

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.workers = WorkerRegistry()
        self._key: tuple[Any, ...] | None = None
        self._source: tuple[Path, float | None, TissueMap] | None = None
        self._pictures: OrderedDict[Place, QPixmap | None] = OrderedDict()
        self._wishes: deque[Place] = deque()
        self._worker: PipelineWorker | None = None
        # Not a method of ours: that is gone by then.
        self.destroyed.connect(self.workers.stop)

    def look_at(self, slide: OpenSlide | None) -> None:
        """Show tiles of another slide; of the same one the pictures stay."""
        key = source = None
        if slide is not None and slide.tissue_map is not None:
            tissue_map = slide.tissue_map
            place = (tissue_map.stride_um, tissue_map.origin_um, tissue_map.shape)
            key = (slide.id, slide.path, slide.user_mpp, *place)
            source = (slide.path, slide.user_mpp, tissue_map)
        if key != self._key:
            self.stop()
            self._pictures.clear()
            self._key, self._source = key, source

    def get(self, row: int, col: int) -> QPixmap | None:
        """Return a picture; None for now, or for good where the slide cannot be read."""
        place = (row, col)
        if place in self._pictures:
            self._pictures.move_to_end(place)
            return self._pictures[place]
        if place not in self._wishes:
            self._wishes.append(place)
            if len(self._wishes) > MOST_WISHES:
                self._forget_oldest_wish()
        self._read()
        return None

    def known(self, row: int, col: int) -> bool:
        """Whether a picture was read, or is known not to be readable."""
        return (row, col) in self._pictures

    def stop(self) -> None:
        """Read no more of what was wished so far."""
        self._wishes = deque()
        self._worker = None
        self.workers.stop()

    def _forget_oldest_wish(self) -> None:
        with suppress(IndexError):  # the thread was quicker
            self._wishes.popleft()

    def _read(self) -> None:
        if self._worker is not None or self._source is None or not self._wishes:
            return
        worker = self.workers.create(_read_wishes, *self._source, self._wishes)
        self._worker = worker
        worker.yielded.connect(lambda report: self._on_read(worker, report))
        worker.errored.connect(lambda error: logger.error("No thumbnails: %s", error))
        worker.finished.connect(lambda: self._on_finished(worker))
        worker.start()

    def _on_read(self, worker: PipelineWorker, report: Progress) -> None:
        if worker is not self._worker or report.changed is None:
            return
        place, pixels = report.changed
        self._pictures[place] = None if pixels is None else _pixmap(pixels)
        while len(self._pictures) > MOST_KEPT:
            self._pictures.popitem(last=False)
        self.ready.emit(*place)

    def _on_finished(self, worker: PipelineWorker) -> None:
        if worker is self._worker:
            self._worker = None
            # A wish that came while the thread was ending.
            self._read()


def _read_wishes(
    path: Path, mpp: float | None, tissue_map: TissueMap, wishes: deque[Place]
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
                place = wishes.pop()
            except IndexError:
                return
            n_read += 1
            yield Progress(
                "Reading tiles", n_read, 0, "tiles", (place, _try(slide, tissue_map, place))
            )
    finally:
        if slide is not None:
            slide.close()


def _try(slide: Slide | None, tissue_map: TissueMap, place: Place) -> RgbImage | None:
    if slide is None:
        return None
    try:
        return read_thumbnail(slide, tissue_map, *place)
    except CrlmSpaError:
        return None


def _pixmap(pixels: RgbImage) -> QPixmap:
    height, width = pixels.shape[:2]
    image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image.copy())
