"""What each tile of the current slide does to the risk, kept up to date in a thread.

Nothing is computed until somebody asks (`wanted`), since it is of use only while it is shown.
The map is copied for the thread, so a correction never races with it; an answer that a newer
correction has overtaken is dropped.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.throttle import Throttle
from napari_crlm_spa.plugin.worker import PipelineWorker, WorkerRegistry

if TYPE_CHECKING:
    from napari_crlm_spa.core.review.effects import TileEffects
    from napari_crlm_spa.core.spatial import SpatialFeatures

logger = logging.getLogger(__name__)

#: Corrections come in bursts; the effects follow when the hand rests for a moment.
SETTLE_MS = 250


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """Effects, and what they are the effects of."""

    slide: OpenSlide
    features: SpatialFeatures
    effects: TileEffects


class EffectsKeeper(QObject):
    """Computes the tile effects of the session's current slide whenever they are out of date.

    Parameters
    ----------
    session
        Its current slide is kept.
    parent
        The Qt object with which the keeper goes.
    """

    changed = Signal(object)  # OpenSlide: `effects_of` gives something else now
    failed = Signal(str, str)  # sentence, details (empty for what the user can mend)
    busy_changed = Signal(bool)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._wanted = False
        self._extra: tuple[str, ...] = ()
        self._kept: _Kept | None = None
        self._worker: PipelineWorker | None = None
        self._asked: tuple[SpatialFeatures, tuple[str, ...]] | None = None
        self._workers = WorkerRegistry()
        self._throttle = Throttle(self._follow, self, SETTLE_MS)
        self._ears: tuple[tuple[Any, Any], ...] = (
            (session.current_changed, self._on_current),
            (session.review_changed, self._on_slide),
            (session.analysis_changed, self._on_slide),
            (session.map_started, self._on_slide),
            (session.risk_model_changed, self._on_risk_model),
        )
        for signal, slot in self._ears:
            signal.connect(slot)
        # Not a method of the keeper: that is gone by then.
        self.destroyed.connect(self._workers.close)

    # -- asking ---------------------------------------------------------------------------

    @property
    def wanted(self) -> bool:
        """Whether somebody looks at effects; set it, and they are kept up to date."""
        return self._wanted

    @wanted.setter
    def wanted(self, wanted: bool) -> None:
        self._wanted = wanted
        if wanted:
            self._poke()
        else:
            self._throttle.stop()
            self._stop()

    def want_columns(self, columns: Iterable[str]) -> None:
        """Keep effects on these SOFs, too, beside those of the risk model."""
        self._extra = tuple(columns)
        self._poke()

    def effects_of(self, slide: OpenSlide) -> TileEffects | None:
        """Return the latest effects of a slide; None if there are none (yet).

        After a correction they are those from before until `changed` comes; see `stale`.
        """
        kept = self._kept
        return kept.effects if kept is not None and kept.slide is slide else None

    def stale(self, slide: OpenSlide) -> bool:
        """Whether the effects are not, or not yet all, those of the slide as it is now."""
        kept, features = self._kept, slide.features
        if kept is None or kept.slide is not slide or kept.features is not features:
            return features is not None
        missing = set(self._columns()) - set(kept.effects.columns)
        return bool(missing) or bool(kept.effects.pending.any())

    @property
    def busy(self) -> bool:
        """Whether effects are being computed."""
        return self._worker is not None

    # -- following ------------------------------------------------------------------------

    def _columns(self) -> tuple[str, ...]:
        of_model = [feature.column for feature in self._session.risk_model.features]
        return tuple(dict.fromkeys([*of_model, *self._extra]))

    def _poke(self) -> None:
        if self._wanted:
            self._throttle.poke()

    def _on_current(self, _slide: OpenSlide | None) -> None:
        # The effects of a slide are as large as ten maps of it: one slide's are enough.
        self._drop()
        self._poke()

    def _on_slide(self, slide: OpenSlide) -> None:
        if slide is not self._session.current:
            return
        kept = self._kept
        if kept is not None and not _same_grid(slide, kept.effects):
            self._drop()
        self._poke()

    def _on_risk_model(self, _model: object) -> None:
        self._poke()

    def _drop(self) -> None:
        self._stop()
        kept, self._kept = self._kept, None
        if kept is not None:
            self.changed.emit(kept.slide)

    def _stop(self) -> None:
        self._workers.stop()
        self._end()

    def _follow(self) -> None:
        """Start computing if the effects are out of date and nobody is at it."""
        slide = self._session.current
        if not self._wanted or slide is None or slide.features is None:
            self._stop()
            return
        if not self.stale(slide) or self._asked == (slide.features, self._columns()):
            return
        self._start(slide, slide.features)

    def _start(self, slide: OpenSlide, features: SpatialFeatures) -> None:
        from napari_crlm_spa.core.review.effects import tile_effects

        self._workers.stop()
        tissue_map = features.tissue_map
        own_map = replace(tissue_map, classes=tissue_map.classes.copy())
        columns = self._columns()
        worker = self._workers.create(tile_effects, replace(features, tissue_map=own_map), columns)
        was_busy, self._worker = self.busy, worker
        self._asked = (features, columns)
        worker.yielded.connect(lambda report: self._on_yielded(worker, slide, features, report))
        worker.returned.connect(lambda found: self._on_returned(worker, slide, features, found))
        worker.errored.connect(lambda error: self._on_errored(worker, error))
        worker.start()
        if not was_busy:
            self.busy_changed.emit(True)

    def detach(self) -> None:
        """Stop, and hear no more of the session."""
        self._throttle.stop()
        self._workers.close()
        for signal, slot in self._ears:
            signal.disconnect(slot)
        self._ears = ()

    def _hears(self, worker: PipelineWorker) -> bool:
        """Whether a worker is the one under way, and there is still somebody to tell."""
        return worker is self._worker and not self._workers.closed

    def _end(self) -> None:
        self._asked = None
        if self._worker is not None:
            self._worker = None
            self.busy_changed.emit(False)

    # -- answers --------------------------------------------------------------------------

    def _on_yielded(
        self, worker: PipelineWorker, slide: OpenSlide, features: SpatialFeatures, report: Progress
    ) -> None:
        if self._hears(worker) and report.changed is not None:
            self._take(slide, features, report.changed)

    def _on_returned(
        self,
        worker: PipelineWorker,
        slide: OpenSlide,
        features: SpatialFeatures,
        effects: TileEffects | None,
    ) -> None:
        if not self._hears(worker):
            return
        self._end()
        if effects is not None:
            self._take(slide, features, effects)

    def _take(self, slide: OpenSlide, features: SpatialFeatures, effects: TileEffects) -> None:
        if slide is not self._session.current or slide.features is not features:
            return
        self._kept = _Kept(slide, features, effects)
        self.changed.emit(slide)

    def _on_errored(self, worker: PipelineWorker, error: Exception) -> None:
        if not self._hears(worker):
            return
        self._end()
        if isinstance(error, CrlmSpaError):
            self.failed.emit(str(error), "")
            return
        details = "".join(traceback.format_exception(error))
        logger.error("The effects of tiles could not be computed:\n%s", details)
        self.failed.emit(
            f"What each tile does to the risk could not be computed ({type(error).__name__}: "
            f"{error}). Please report this, with the details.",
            details,
        )


def _same_grid(slide: OpenSlide, effects: TileEffects) -> bool:
    features = slide.features
    return features is not None and features.tissue_map.shape == effects.classes.shape
