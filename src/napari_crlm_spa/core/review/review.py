"""One reader's review of one analysis: the map under correction, and the numbers that follow it.

The distance thresholds of the mixture stay those of the analysis while tiles are corrected, so
that a number changes because of the edit and not because of a refit; `refit` is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.classes import NOT_CLASSIFIED
from napari_crlm_spa.core.pipeline import Analysis
from napari_crlm_spa.core.review.edits import Action, Edit, LogEntry
from napari_crlm_spa.core.risk import RiskAssessment, RiskModel, assess_risk
from napari_crlm_spa.core.spatial import MixtureModel, SpatialFeatures, spatial_features
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.core.tissue_map import TissueMap


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What one call did: the tiles that are different now, and the line in the log."""

    rows: NDArray[np.int32]
    cols: NDArray[np.int32]
    entry: LogEntry


class Review:
    """A tissue map under correction.

    Parameters
    ----------
    analysis
        What the pipeline returned; its tissue map stays as it is.
    risk_model
        By which the risk follows.
    reader
        Who corrects.

    Attributes
    ----------
    tissue_map
        The corrected map. Its `classes` and `state` are changed in place, so a view of them
        needs only to be refreshed.
    features
        The SOFs of the corrected map under `mixture`.
    risk
        The risk of the corrected map; None where the slide is refused one (`features.refusal`).
    mixture
        The distance thresholds in use.
    log
        Everything that was done, oldest first.
    """

    def __init__(self, analysis: Analysis, risk_model: RiskModel, reader: str = "") -> None:
        self.analysis = analysis
        self.risk_model = risk_model
        self.reader = reader
        predicted = analysis.tissue_map
        self.tissue_map = replace(
            predicted, classes=predicted.classes.copy(), state=predicted.state.copy()
        )
        self.mixture: MixtureModel = analysis.features.mixture
        self.features: SpatialFeatures = analysis.features
        self.risk = self._assess(self.features)
        self.log: list[LogEntry] = []
        self._done: list[Edit] = []
        self._undone: list[Edit] = []

    # -- what is known --------------------------------------------------------------------

    @property
    def predicted(self) -> TissueMap:
        """The map as the classifier made it."""
        return self.analysis.tissue_map

    @property
    def predicted_risk(self) -> RiskAssessment | None:
        """The risk before any correction, by the same risk model."""
        return self._assess(self.analysis.features)

    @property
    def group_flipped(self) -> bool:
        """Whether the corrections moved the slide into another risk group."""
        return _group(self.risk) != _group(self.predicted_risk)

    @property
    def corrected(self) -> NDArray[np.bool_]:
        """Tiles whose class differs from the prediction, shape (rows, cols)."""
        return np.not_equal(self.tissue_map.classes, self.predicted.classes)

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to undo."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone step to do again."""
        return bool(self._undone)

    # -- corrections ----------------------------------------------------------------------

    def correct(self, rows: ArrayLike, cols: ArrayLike, class_name: str) -> Change | None:
        """Give tiles another class; tiles that the classifier left out stay left out.

        Returns
        -------
        Change or None
            None if no tile changes.
        """
        code = self.tissue_map.scheme.code(class_name)
        return self._edit(Action.CORRECT, rows, cols, code, TileState.EDITED)

    def accept(self, rows: ArrayLike, cols: ArrayLike) -> Change | None:
        """Confirm the class that tiles have now."""
        return self._edit(Action.ACCEPT, rows, cols, None, TileState.ACCEPTED)

    def set_aside(self, rows: ArrayLike, cols: ArrayLike) -> Change | None:
        """Leave tiles out of every count."""
        return self._edit(Action.SET_ASIDE, rows, cols, NOT_CLASSIFIED, TileState.SET_ASIDE)

    def restore(self, rows: ArrayLike, cols: ArrayLike) -> Change | None:
        """Go back to the prediction."""
        r, c = self._editable(rows, cols)
        after, states = self.predicted.classes[r, c], self.predicted.state[r, c]
        return self._do(self._step(Action.RESTORE, r, c, after, states))

    def undo(self) -> Change | None:
        """Take the last step back."""
        if not self._done:
            return None
        step = self._done.pop()
        self._undone.append(step)
        return self._put(Action.UNDO, step, step.before, step.states_before)

    def redo(self) -> Change | None:
        """Do the step again that was undone last."""
        if not self._undone:
            return None
        step = self._undone.pop()
        self._done.append(step)
        return self._put(Action.REDO, step, step.after, step.states_after)

    # -- thresholds and risk model --------------------------------------------------------

    def set_mixture(self, mixture: MixtureModel) -> None:
        """Use other distance thresholds."""
        self.mixture = mixture
        self._follow()

    def refit(self) -> None:
        """Fit the distance thresholds to the corrected map."""
        self.features = spatial_features(self.tissue_map, self.analysis.features.options)
        self.mixture = self.features.mixture
        self.risk = self._assess(self.features)

    def set_risk_model(self, risk_model: RiskModel) -> None:
        """Assess the risk by another model."""
        self.risk_model = risk_model
        self.risk = self._assess(self.features)

    # -- inside ---------------------------------------------------------------------------

    def _editable(
        self, rows: ArrayLike, cols: ArrayLike
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return each tile once, without those that were never classified or lie outside."""
        n_rows, n_cols = self.tissue_map.shape
        r, c = np.asarray(rows, np.int64).ravel(), np.asarray(cols, np.int64).ravel()
        inside = (r >= 0) & (r < n_rows) & (c >= 0) & (c < n_cols)
        flat = np.unique(r[inside] * n_cols + c[inside])
        flat = flat[self.predicted.classes.ravel()[flat] != NOT_CLASSIFIED]
        return (flat // n_cols).astype(np.int32), (flat % n_cols).astype(np.int32)

    def _edit(
        self, action: Action, rows: ArrayLike, cols: ArrayLike, code: int | None, state: TileState
    ) -> Change | None:
        r, c = self._editable(rows, cols)
        now = self.tissue_map.classes[r, c]
        after = now if code is None else np.full(len(r), code, np.uint8)
        return self._do(self._step(action, r, c, after, np.full(len(r), state, np.uint8)))

    def _step(
        self,
        action: Action,
        r: NDArray[np.int32],
        c: NDArray[np.int32],
        after: NDArray[np.uint8],
        states: NDArray[np.uint8],
    ) -> Edit:
        before, states_before = self.tissue_map.classes[r, c], self.tissue_map.state[r, c]
        new = (before != after) | (states_before != states)
        return Edit(
            action=action,
            rows=r[new],
            cols=c[new],
            before=before[new],
            after=after[new],
            states_before=states_before[new],
            states_after=states[new],
            reader=self.reader,
            when=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def _do(self, step: Edit) -> Change | None:
        if not len(step):
            return None
        self._done.append(step)
        self._undone.clear()
        return self._put(step.action, step, step.after, step.states_after)

    def _put(
        self, action: Action, step: Edit, codes: NDArray[np.uint8], states: NDArray[np.uint8]
    ) -> Change:
        before = self.risk
        self.tissue_map.classes[step.rows, step.cols] = codes
        self.tissue_map.state[step.rows, step.cols] = states
        self._follow()
        entry = LogEntry(
            action=action,
            edit=step,
            reader=self.reader,
            when=datetime.now(UTC).isoformat(timespec="seconds"),
            score_before=None if before is None else before.score,
            score_after=None if self.risk is None else self.risk.score,
            group_before=_group(before),
            group_after=_group(self.risk),
        )
        self.log.append(entry)
        return Change(step.rows, step.cols, entry)

    def _follow(self) -> None:
        options = self.analysis.features.options
        self.features = spatial_features(self.tissue_map, options, self.mixture)
        self.risk = self._assess(self.features)

    def _assess(self, features: SpatialFeatures) -> RiskAssessment | None:
        return None if features.refusal else assess_risk(features, self.risk_model)


def _group(risk: RiskAssessment | None) -> str | None:
    return None if risk is None else risk.group
