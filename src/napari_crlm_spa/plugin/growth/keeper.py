"""Measures the interface of the current slide, and again after every correction, in a thread."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.spatial.interface import (
    Interface,
    InterfaceOptions,
    measure_interface,
)
from napari_crlm_spa.core.spatial.interface.stretches import (
    Stretch,
    border_interaction,
    cut_stretches,
)
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.throttle import Throttle
from napari_crlm_spa.plugin.tools.comparing import still
from napari_crlm_spa.plugin.worker import PipelineWorker, WorkerRegistry

if TYPE_CHECKING:
    from napari_crlm_spa.core.store.front_file import FrontBand

logger = logging.getLogger(__name__)

#: At most as often while tiles are corrected.
EVERY_MS = 400


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """The interface of a slide and what is looked at along it.

    Parameters
    ----------
    slide
        Whose it is.
    tissue_map
        The map that it was measured on; it doesn't change any more.
    interface
        The interface.
    interaction
        Border-only interaction along each contour, shape (n,); of the coarse map.
    stretches
        The contours in pieces.
    front
        The closer look that it was measured on; None for the map itself.
    """

    slide: OpenSlide
    tissue_map: TissueMap
    interface: Interface
    interaction: list[NDArray[np.float64]]
    stretches: tuple[Stretch, ...]
    front: FrontBand | None = None


class InterfaceKeeper(QObject):
    """Keeps the interface of a session's current slide up to date until `detach` is called.

    Parameters
    ----------
    session
        Whose current slide is measured.
    """

    changed = Signal(object)  # Measured | None
    problem = Signal(str)
    busy_changed = Signal(bool)

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self.options = InterfaceOptions()
        self.measured: Measured | None = None
        self._front: FrontBand | None = None
        self.workers = WorkerRegistry()
        self._worker: PipelineWorker | None = None
        self._outdated = False
        self._soon = Throttle(self._measure, self, every_ms=EVERY_MS)
        self._ears: list[tuple[Any, Callable[..., None]]] = [
            (session.current_changed, self._on_slide),
            (session.map_started, self._on_slide),
            (session.analysis_changed, self._on_analysis),
            (session.review_changed, self._on_review),
        ]
        for signal, slot in self._ears:
            signal.connect(slot)
        # Not a method of ours: that is gone by then.
        self.destroyed.connect(self.workers.close)

    def detach(self) -> None:
        """Measure no more."""
        for signal, slot in self._ears:
            signal.disconnect(slot)
        self._ears.clear()
        self._soon.stop()
        self._worker = None
        self.workers.stop()

    @property
    def busy(self) -> bool:
        """Whether something is being measured, or will be in a moment."""
        return self._worker is not None or bool(self._soon.isActive())

    def start(self) -> None:
        """Measure the slide that is open already."""
        self._on_slide()

    def set_options(self, options: InterfaceOptions) -> None:
        """Measure in another way."""
        if options != self.options:
            self.options = options
            self._front = None
            self._measure()

    def use_front(self, front: FrontBand | None) -> None:
        """Measure the current slide on a closer look, until its map changes; None: on the map."""
        if front is not self._front:
            self._front = front
            self._measure()

    def _on_slide(self, _slide: object = None) -> None:
        self._front = None
        current = self._session.current
        if self.measured is not None and self.measured.slide is not current:
            self._set(None)
        self._measure()

    def _on_analysis(self, slide: OpenSlide) -> None:
        if slide is self._session.current:
            self._front = None
            self._measure()

    def _on_review(self, slide: OpenSlide) -> None:
        if slide is self._session.current:
            self._front = None
            self._soon.poke()

    def _measure(self) -> None:
        slide = self._session.current
        self._soon.stop()
        if slide is None or slide.review is None:
            self._worker = None
            self._set(None)
            return
        if self._worker is not None:
            self._outdated = True
            return
        self._outdated = False
        worker = self.workers.create(
            _measuring, slide, still(slide.review).tissue_map, self.options, self._front
        )
        self._worker = worker
        worker.returned.connect(lambda found: self._on_measured(worker, found))
        worker.errored.connect(lambda error: self._on_error(worker, error))
        self.busy_changed.emit(True)
        worker.start()

    def _on_measured(self, worker: PipelineWorker, found: Measured | None) -> None:
        if not self._ends(worker):
            return
        if found is not None and found.slide is self._session.current:
            self._set(found)

    def _on_error(self, worker: PipelineWorker, error: Exception) -> None:
        if not self._ends(worker):
            return
        self._set(None)
        if not isinstance(error, CrlmSpaError):
            logger.error("The interface could not be measured", exc_info=error)
        self.problem.emit(f"The interface could not be measured: {error}")

    def _ends(self, worker: PipelineWorker) -> bool:
        """Take note that a worker is done; tell whether it is still the one that counts."""
        if worker is not self._worker or self.workers.closed:
            return False
        self._worker = None
        self.busy_changed.emit(False)
        if self._outdated:
            self._soon.poke()
        return True

    def _set(self, measured: Measured | None) -> None:
        if measured is not self.measured:
            self.measured = measured
            self.changed.emit(measured)


def _measuring(
    slide: OpenSlide, tissue_map: TissueMap, options: InterfaceOptions, front: FrontBand | None
) -> Generator[Progress, None, Measured]:
    yield Progress("Measuring the interface", 0, 1)
    return measure(slide, tissue_map, options, front)


def measure(
    slide: OpenSlide,
    tissue_map: TissueMap,
    options: InterfaceOptions,
    front: FrontBand | None = None,
) -> Measured:
    """Measure a map's interface, or that of a closer look at it, and cut it into stretches."""
    if front is None:
        seen, interface = tissue_map, measure_interface(tissue_map, options)
    else:
        from napari_crlm_spa.core.pipeline.interface import with_coarse_interaction

        seen = front.tissue_map
        interface = with_coarse_interaction(measure_interface(seen, options), tissue_map, options)
    curves = border_interaction(interface.contours, tissue_map, options.interaction_denominator)
    return Measured(slide, seen, interface, curves, cut_stretches(interface, curves), front)
