"""Shows the finished analysis of a slide as soon as the slide is opened, without Run."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from qtpy.QtCore import QObject, Signal

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.slide import SlideInfo, stem
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin import engine
from napari_crlm_spa.plugin.session import EARLIER_RUN, OpenSlide, Run, Session
from napari_crlm_spa.plugin.worker import WorkerRegistry

if TYPE_CHECKING:
    from napari_crlm_spa.core.pipeline import Analysis

#: Two pixel sizes that differ by less than this share are the same.
SAME_MPP = 1e-6

Reopen = Callable[[SlideInfo, Path, Any], "Analysis | None"]


class Question(NamedTuple):
    """What is looked for: the analysis in a folder that fits a pixel size.

    Who entered the size counts: who enters the analysis's own by hand, as he is told to, gets to
    see it, also where the file says nearly the same.
    """

    out_dir: Path
    mpp: float | None
    source: str


class Reopener(QObject):
    """Looks into the results folder for the slides of one session.

    Parameters
    ----------
    session
        Whose current slide gets its analysis.
    results_folder
        Asked each time, since the user may choose another one.
    parent
        Owns this.
    """

    told = Signal(str)
    problem = Signal(str)
    ready = Signal(object)  # OpenSlide: it has its analysis, or there is none

    def __init__(
        self, session: Session, results_folder: Callable[[], Path], parent: QObject
    ) -> None:
        super().__init__(parent)
        self.reopen: Reopen = engine.reopen
        self.workers = WorkerRegistry()
        self._session = session
        self._results_folder = results_folder
        self._asked: dict[str, Question] = {}
        session.current_changed.connect(self.look)
        session.slides_changed.connect(self._forget_closed)
        session.run_changed.connect(self._on_run_changed)

    def detach(self) -> None:
        """Stop, and hear no more."""
        self.workers.stop()
        self._session.current_changed.disconnect(self.look)
        self._session.slides_changed.disconnect(self._forget_closed)
        self._session.run_changed.disconnect(self._on_run_changed)

    def look(self, slide: OpenSlide | None) -> None:
        """Look for the finished analysis of a slide that has none yet, once until it changes."""
        if slide is None or self._is_served(slide):
            return
        try:
            out_dir = self._results_folder()
        except CrlmSpaError:
            return
        question = _question(slide, out_dir)
        if self._asked.get(slide.id) == question:
            return
        self._asked[slide.id] = question
        # Most slides are new: that is known without a thread.
        if not any(out_dir.glob(f"{_escaped(stem(slide.path))}*")):
            self.ready.emit(slide)
            return
        worker = self.workers.create(
            _reopening, self.reopen, slide.info, out_dir, self._session.risk_model
        )
        worker.returned.connect(lambda analysis: self._on_returned(slide, question, analysis))
        worker.errored.connect(lambda error: self._on_errored(slide, error))
        worker.start()

    def _is_served(self, slide: OpenSlide) -> bool:
        """Whether the slide has a map, or gets one."""
        run = self._session.run
        return slide.tissue_map is not None or (run is not None and run.slide_id == slide.id)

    def _on_returned(self, slide: OpenSlide, question: Question, analysis: Analysis | None) -> None:
        if self._session.slides.get(slide.id) is not slide or self._is_served(slide):
            return
        if self._asked.get(slide.id) != question:
            return  # The pixel size was changed meanwhile, for which another worker looks.
        if analysis is not None and self._takes(slide, question, analysis):
            self._session.show_analysis(slide, analysis)
        self.ready.emit(slide)

    def _takes(self, slide: OpenSlide, question: Question, analysis: Analysis) -> bool:
        """Whether an analysis is of the pixel size that the slide has."""
        recorded = (analysis.run.get("slide") or {}).get("pixel_size_um")
        if recorded is None:
            return True
        size = slide.info.pixel_size
        mpp = float(recorded[0] * recorded[1]) ** 0.5
        if size is not None and abs(size.mpp - mpp) <= SAME_MPP * mpp:
            return True
        # Who enters what he was told has entered it with four digits.
        if size is None or (slide.user_mpp is not None and f"{size.mpp:.4g}" == f"{mpp:.4g}"):
            # This is the answer to what that asks again.
            self._asked[slide.id] = Question(question.out_dir, mpp, EARLIER_RUN)
            self._session.set_pixel_size(slide.id, mpp, EARLIER_RUN)
            return True
        self.told.emit(
            f"There is an analysis of {slide.path.name} with another pixel size "
            f"({mpp:.4g} instead of {size.mpp:.4g} µm/px). It is not shown: enter {mpp:.4g} to "
            "see it, or run the analysis again."
        )
        return False

    def _on_errored(self, slide: OpenSlide, error: Exception) -> None:
        if self._session.slides.get(slide.id) is slide:
            self.problem.emit(
                str(error)
                if isinstance(error, CrlmSpaError)
                else f"The earlier analysis of {slide.path.name} cannot be shown "
                f"({type(error).__name__}: {error}). Run the analysis again."
            )
            self.ready.emit(slide)

    def _forget_closed(self) -> None:
        """Look again once a closed slide is opened again."""
        for gone in self._asked.keys() - self._session.slides.keys():
            del self._asked[gone]

    def _on_run_changed(self, run: Run | None) -> None:
        """Look again after a run, which may have ended while the slide was closed."""
        if run is not None:
            self._asked.pop(run.slide_id, None)


def _reopening(
    reopen: Reopen, info: SlideInfo, out_dir: Path, risk_model: Any
) -> Generator[Progress, None, Analysis | None]:
    yield Progress("Reading the earlier analysis", 0, 0)
    return reopen(info, out_dir, risk_model)


def _question(slide: OpenSlide, out_dir: Path) -> Question:
    size = slide.info.pixel_size
    return Question(out_dir, None, "") if size is None else Question(out_dir, size.mpp, size.source)


def _escaped(name: str) -> str:
    """Protect what a pattern would take for a wild card."""
    return "".join(f"[{letter}]" if letter in "[]*?" else letter for letter in name)
