"""What the panels share: the open slides, the current one, the run, the results. No Qt.

Panels never speak to each other; they change the session and hear its signals. Answers carry
the run that asked for them: what comes after that run has ended, or after its slide was
closed, is dropped.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.slide import PixelSize, SlideInfo, stem
from napari_crlm_spa.core.tiles import TileGrid, TileScores
from napari_crlm_spa.core.tissue_map import TissueMap

if TYPE_CHECKING:
    from napari_crlm_spa.core.pipeline import Analysis

USER = "entered by hand"


@dataclass(slots=True)
class OpenSlide:
    """A slide in the viewer and what is known of it so far."""

    id: str
    info: SlideInfo
    tissue_map: TissueMap | None = None
    analysis: Analysis | None = None

    @property
    def path(self) -> Path:
        """The slide file."""
        return self.info.path

    @property
    def stem(self) -> str:
        """The slide's name without its suffix."""
        return stem(self.path)

    @property
    def user_mpp(self) -> float | None:
        """The pixel size that the user entered, or None if the file's own is used."""
        size = self.info.pixel_size
        return size.mpp if size is not None and size.source == USER else None


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One analysis under way; compared by identity."""

    slide_id: str
    started_s: float


@dataclass(frozen=True, slots=True)
class RunStatus:
    """How the run stands, in numbers that a progress bar can show."""

    stage: str
    done: int = 0
    total: int = 0
    unit: str = ""
    per_second: float | None = None
    left_s: float | None = None


@dataclass(slots=True)
class Meter:
    """Speed and remaining time of the stage under way."""

    _stage: str = field(default="", init=False)
    _first: tuple[float, int] = field(default=(0.0, 0), init=False)

    def read(self, progress: Progress, now_s: float) -> RunStatus:
        """Take in a report that arrived at `now_s` seconds of any steady clock."""
        if progress.stage != self._stage:
            self._stage, self._first = progress.stage, (now_s, progress.done)
        elapsed, finished = now_s - self._first[0], progress.done - self._first[1]
        status = RunStatus(progress.stage, progress.done, progress.total, progress.unit)
        if elapsed <= 0 or finished <= 0:
            return status
        speed = finished / elapsed
        left = max(progress.total - progress.done, 0) / speed if progress.total else None
        return dataclasses.replace(status, per_second=speed, left_s=left)


class Session:
    """The state of one viewer."""

    slides_changed = Signal()
    current_changed = Signal(object)  # OpenSlide | None
    run_changed = Signal(object)  # Run | None
    status_changed = Signal(object)  # RunStatus
    map_started = Signal(object)  # OpenSlide
    map_changed = Signal(object)  # OpenSlide
    analysis_changed = Signal(object)  # OpenSlide

    def __init__(self) -> None:
        self.slides: dict[str, OpenSlide] = {}
        self.current: OpenSlide | None = None
        self.run: Run | None = None
        self._meter = Meter()

    # -- slides ---------------------------------------------------------------------------

    def add_slide(self, slide_id: str, info: SlideInfo) -> None:
        """Take up a slide that the viewer opened, and look at it."""
        if slide_id not in self.slides:
            self.slides[slide_id] = OpenSlide(slide_id, info)
            self.slides_changed.emit()
        self.select(slide_id)

    def remove_slide(self, slide_id: str) -> None:
        """Forget a slide; its run, if there is one, ends."""
        if self.slides.pop(slide_id, None) is None:
            return
        if self.run is not None and self.run.slide_id == slide_id:
            self.end_run(self.run)
        self.slides_changed.emit()
        if self.current is not None and self.current.id == slide_id:
            self.select(next(reversed(self.slides), None))

    def select(self, slide_id: str | None) -> None:
        """Make a slide the one that the panels show."""
        chosen = None if slide_id is None else self.slides[slide_id]
        if chosen is not self.current:
            self.current = chosen
            self.current_changed.emit(chosen)

    def set_pixel_size(self, slide_id: str, mpp: float) -> None:
        """Enter the pixel size of a slide by hand (µm per pixel of the largest level).

        A map that was made with another one no longer fits and is dropped.
        """
        if self.run is not None and self.run.slide_id == slide_id:
            self.end_run(self.run)
        slide = self.slides[slide_id]
        slide.tissue_map = slide.analysis = None
        slide.info = dataclasses.replace(slide.info, pixel_size=PixelSize(mpp, mpp, USER))
        self.current_changed.emit(self.current)

    # -- the run --------------------------------------------------------------------------

    def begin_run(self, slide_id: str, now_s: float) -> Run:
        """Note that a slide is being analyzed."""
        self.run = Run(slide_id, now_s)
        self._meter = Meter()
        self.run_changed.emit(self.run)
        return self.run

    def end_run(self, run: Run) -> None:
        """Note that a run is over, for whatever reason."""
        if self.run is run:
            self.run = None
            self.run_changed.emit(None)

    def take_progress(self, run: Run, progress: Progress, now_s: float) -> None:
        """Take in a report of `run`; a late one is dropped."""
        slide = self._slide_of(run)
        if slide is None:
            return
        changed = progress.changed
        if isinstance(changed, TileGrid):
            # The pipeline takes models of this scheme only.
            slide.tissue_map, slide.analysis = TissueMap.empty(changed, CRLM7), None
            self.map_started.emit(slide)
        elif isinstance(changed, TileScores) and slide.tissue_map is not None:
            slide.tissue_map.add(changed)
            self.map_changed.emit(slide)
        self.status_changed.emit(self._meter.read(progress, now_s))

    def take_analysis(self, run: Run, analysis: Analysis) -> None:
        """Take in the result of `run`; a late one is dropped."""
        slide = self._slide_of(run)
        self.end_run(run)
        if slide is not None:
            slide.analysis, slide.tissue_map = analysis, analysis.tissue_map
            self.analysis_changed.emit(slide)

    def _slide_of(self, run: Run) -> OpenSlide | None:
        return self.slides.get(run.slide_id) if self.run is run else None
