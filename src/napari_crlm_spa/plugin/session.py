"""What the panels share: the open slides, the current one, the run, the results. No Qt.

Panels never speak to each other; they change the session and hear its signals. Answers carry
the run that asked for them: what comes after that run has ended, or after its slide was
closed, is dropped.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.risk import DEFAULT_PRESET, load_risk_model
from napari_crlm_spa.core.slide import PixelSize, SlideInfo, stem
from napari_crlm_spa.core.tiles import TileGrid, TileScores
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.plugin.map_view import MapView

if TYPE_CHECKING:
    from napari_crlm_spa.core.pipeline import Analysis
    from napari_crlm_spa.core.quality import TileQuality
    from napari_crlm_spa.core.review import Review
    from napari_crlm_spa.core.risk import RiskAssessment, RiskModel
    from napari_crlm_spa.core.spatial import SpatialFeatures

USER = "entered by hand"
#: Other sources of a pixel size that the file does not name.
PREFERENCES = "assumed, see the settings"
EARLIER_RUN = "of the earlier analysis"


@dataclass(slots=True)
class OpenSlide:
    """A slide in the viewer and what is known of it so far.

    Parameters
    ----------
    id, info
        The slide.
    tissue_map
        The map that is shown: it fills while a run goes; under review it is the corrected one.
    analysis
        What the pipeline returned, as the classifier saw the slide.
    review
        The corrections, and the numbers that follow from them.
    quality
        Which tiles are blurred, penned, folded or empty; None until that was measured.
    """

    id: str
    info: SlideInfo
    tissue_map: TissueMap | None = None
    analysis: Analysis | None = None
    review: Review | None = None
    quality: TileQuality | None = None

    @property
    def features(self) -> SpatialFeatures | None:
        """The features of the map as it is now."""
        return None if self.review is None else self.review.features

    @property
    def risk(self) -> RiskAssessment | None:
        """The risk of the map as it is now; None also where the slide is refused one."""
        return None if self.review is None else self.review.risk

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
        """The pixel size that was entered or assumed, or None if the file's own is used."""
        size = self.info.pixel_size
        ours = size is not None and size.source in (USER, PREFERENCES, EARLIER_RUN)
        return size.mpp if size is not None and ours else None


@dataclass(frozen=True, slots=True)
class TileAt:
    """A tile of a slide."""

    slide_id: str
    row: int
    col: int


@dataclass(frozen=True, slots=True)
class FlyTarget:
    """A rectangle on the slide that is to be looked at, in its frame in micrometers."""

    slide_id: str
    center_um: tuple[float, float]
    size_um: tuple[float, float]


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
    review_changed = Signal(object)  # OpenSlide: tiles, thresholds or the risk model are others
    quality_changed = Signal(object)  # OpenSlide: its quality marks are others, or gone
    risk_model_changed = Signal(object)  # RiskModel
    reader_changed = Signal(str)
    view_changed = Signal(object)  # MapView
    hovered = Signal(object)  # TileAt | None
    fly_wanted = Signal(object)  # FlyTarget
    blinded_changed = Signal(bool)

    def __init__(self) -> None:
        self.slides: dict[str, OpenSlide] = {}
        self.current: OpenSlide | None = None
        self.run: Run | None = None
        self.view = MapView()
        self.blinded = False
        self.reader = ""
        self.risk_model_name = DEFAULT_PRESET
        self.risk_model: RiskModel = load_risk_model(DEFAULT_PRESET)
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

    def set_pixel_size(self, slide_id: str, mpp: float, source: str = USER) -> None:
        """Enter the pixel size of a slide by hand (µm per pixel of the largest level).

        A map that was made with another one no longer fits and is dropped.
        """
        if self.run is not None and self.run.slide_id == slide_id:
            self.end_run(self.run)
        slide = self.slides[slide_id]
        slide.tissue_map = slide.analysis = slide.review = slide.quality = None
        slide.info = dataclasses.replace(slide.info, pixel_size=PixelSize(mpp, mpp, source))
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
        """Take in a report of `run`; a late one is dropped.

        The slide need not be open: the queue analyzes slides that nobody looks at.
        """
        if self.run is not run:
            return
        slide = self.slides.get(run.slide_id)
        if slide is not None:
            self._fill(slide, progress.changed)
        self.status_changed.emit(self._meter.read(progress, now_s))

    def _fill(self, slide: OpenSlide, changed: Any) -> None:
        if isinstance(changed, TileGrid):
            # The pipeline takes models of this scheme only.
            slide.tissue_map = TissueMap.empty(changed, CRLM7)
            slide.analysis = slide.review = slide.quality = None
            self.map_started.emit(slide)
        elif isinstance(changed, TileScores) and slide.tissue_map is not None:
            slide.tissue_map.add(changed)
            self.map_changed.emit(slide)

    def take_analysis(self, run: Run, analysis: Analysis) -> None:
        """Take in the result of `run`; a late one is dropped."""
        slide = self._slide_of(run)
        self.end_run(run)
        if slide is not None:
            self.show_analysis(slide, analysis)

    def show_analysis(self, slide: OpenSlide, analysis: Analysis) -> None:
        """Open the reader's review of a finished analysis: what was corrected before is there."""
        from napari_crlm_spa.core.review import open_review

        slide.analysis = analysis
        slide.review = open_review(analysis, self.risk_model, self.reader)
        slide.tissue_map = slide.review.tissue_map
        self.analysis_changed.emit(slide)

    # -- the review -----------------------------------------------------------------------

    def tell_review_changed(self, slide: OpenSlide) -> None:
        """Let everybody know that a slide's review was changed (`slide.review` was called)."""
        self.review_changed.emit(slide)

    def set_quality(self, slide: OpenSlide, quality: TileQuality | None) -> None:
        """Take up the quality marks of an open slide's map; None forgets them."""
        slide.quality = quality
        self.quality_changed.emit(slide)

    def set_risk_model(self, name: str) -> None:
        """Use another risk model for all slides.

        Raises
        ------
        InvalidRiskModel
            If there is no such preset or file; the earlier one stays.
        """
        model = load_risk_model(name)
        self.risk_model, self.risk_model_name = model, name
        for slide in self.slides.values():
            if slide.review is not None:
                slide.review.set_risk_model(model)
        self.risk_model_changed.emit(model)

    def set_reader(self, name: str) -> None:
        """Say who corrects and annotates from now on; every slide shows this reader's review."""
        if name == self.reader:
            return
        self.reader = name
        self.reader_changed.emit(name)
        for slide in list(self.slides.values()):
            if slide.analysis is not None:
                self.show_analysis(slide, slide.analysis)

    # -- looking --------------------------------------------------------------------------

    def set_view(self, **changes: Any) -> None:
        """Look at the maps in another way; takes the fields of `MapView`."""
        view = dataclasses.replace(self.view, **changes)
        if view != self.view:
            self.view = view
            self.view_changed.emit(view)

    def hover(self, tile: TileAt | None) -> None:
        """Say which tile the pointer is on."""
        self.hovered.emit(None if self.blinded else tile)

    def set_blinded(self, blinded: bool) -> None:
        """Hide all that was found out of slides while somebody reads them unbiased.

        Maps, features, risk, and what tells of them hear `blinded_changed` and put themselves away.
        """
        if blinded != self.blinded:
            self.blinded = blinded
            self.hovered.emit(None)
            self.blinded_changed.emit(blinded)

    def fly_to_tiles(
        self, slide: OpenSlide, row: int, col: int, n_rows: int = 1, n_cols: int = 1
    ) -> None:
        """Bring a rectangle of tiles into view; (row, col) is its first."""
        if slide.tissue_map is None:
            return
        stride, (x_um, y_um) = slide.tissue_map.stride_um, slide.tissue_map.origin_um
        center = (x_um + (col + n_cols / 2) * stride, y_um + (row + n_rows / 2) * stride)
        size = (n_cols * stride, n_rows * stride)
        self.select(slide.id)
        self.fly_wanted.emit(FlyTarget(slide.id, center, size))

    def _slide_of(self, run: Run) -> OpenSlide | None:
        return self.slides.get(run.slide_id) if self.run is run else None
