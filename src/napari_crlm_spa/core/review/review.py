"""One reader's review of one analysis: the map under correction, and the numbers that follow it.

The distance thresholds of the mixture stay those of the analysis while tiles are corrected, so
that a number changes because of the edit and not because of a refit; `refit` is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.classes import NOT_CLASSIFIED
from napari_crlm_spa.core.pipeline import Analysis
from napari_crlm_spa.core.review.edits import Action, Edit, LogEntry
from napari_crlm_spa.core.review.live import follow
from napari_crlm_spa.core.review.log_lines import LoggedStep, line_of
from napari_crlm_spa.core.review.tile_steps import (
    editable,
    make_step,
    now,
    step_without_tiles,
)
from napari_crlm_spa.core.risk import RiskAssessment, RiskModel, assess_risk
from napari_crlm_spa.core.spatial import MixtureModel, SpatialFeatures
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.core.tissue_map import TissueMap

Tiles = tuple[NDArray[np.int32], NDArray[np.int32]]
#: What a reader does to tiles leaves one of these states.
TOUCHED = (TileState.EDITED, TileState.ACCEPTED, TileState.SET_ASIDE)


class Keeper(Protocol):
    """Keeps the lines of a log, e.g. in a file."""

    problem: str
    notes: tuple[str, ...]

    def append(self, line: str) -> None:
        """Keep a line; if that fails, say so in `problem`."""


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What one call did: the tiles that are different now, and the line in the log."""

    rows: NDArray[np.int32]
    cols: NDArray[np.int32]
    entry: LogEntry


class Review:
    """A tissue map under correction.

    In memory only; `open_review` returns one whose log is kept in the analysis folder.

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
        The SOFs of the corrected map under `mixture`. They are replaced, never changed: features
        taken earlier stay those of the earlier map.
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
        self._keeper: Keeper | None = None
        # What the log knows: thresholds that are being dragged are ahead of it.
        self._logged_mixture, self._logged_risk = self.mixture, self.risk

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
    def touched(self) -> NDArray[np.bool_]:
        """Tiles that the reader corrected, confirmed or set aside, shape (rows, cols)."""
        return np.isin(self.tissue_map.state, TOUCHED)

    @property
    def steps(self) -> tuple[Edit, ...]:
        """The steps that stand, oldest first; undone ones are not among them."""
        return tuple(self._done)

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to undo."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone step to do again."""
        return bool(self._undone)

    @property
    def problem(self) -> str:
        """Why the last steps are not on disk, in a sentence; empty if they are."""
        return "" if self._keeper is None else self._keeper.problem

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know about the log that was found, in sentences."""
        return () if self._keeper is None else self._keeper.notes

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
        at = editable(self.predicted, rows, cols)
        after, states = self.predicted.classes[at], self.predicted.state[at]
        return self._do(self._step(Action.RESTORE, at, after, states))

    def take_over(self, classes: NDArray[np.uint8], state: NDArray[np.uint8]) -> Change | None:
        """Take over a whole map, e.g. two readers' merged corrections, as one step.

        Parameters
        ----------
        classes, state
            Shape (rows, cols), codes and `TileState`. Tiles that the classifier left out stay so.
        """
        at = editable(self.predicted, *np.nonzero(self.predicted.classes))
        return self._do(self._step(Action.MERGE, at, classes[at], state[at]))

    def undo(self) -> Change | None:
        """Take the last step back."""
        if not self._done:
            return None
        self._settle()
        step = self._done.pop()
        self._undone.append(step)
        return self._put(Action.UNDO, step, step.before, step.states_before)

    def redo(self) -> Change | None:
        """Do the step again that was undone last."""
        if not self._undone:
            return None
        self._settle()
        step = self._undone.pop()
        self._done.append(step)
        return self._put(Action.REDO, step, step.after, step.states_after)

    # -- thresholds and risk model --------------------------------------------------------

    def set_mixture(self, mixture: MixtureModel, *, passing: bool = False) -> None:
        """Use other distance thresholds.

        Parameters
        ----------
        mixture
            The thresholds.
        passing
            While a threshold is dragged: not logged. The last one is logged by a call without
            it, or before the next step.
        """
        if mixture is not self.mixture:
            self.mixture = mixture
            self._follow()
        if not passing:
            self._settle()

    def refit(self) -> None:
        """Fit the distance thresholds to the corrected map."""
        self._settle()
        self.features = follow(self.features, self.tissue_map, None)
        self.mixture = self.features.mixture
        self.risk = self._assess(self.features)
        self._settle(Action.REFIT)

    def set_risk_model(self, risk_model: RiskModel) -> None:
        """Assess the risk by another model."""
        self._settle()
        self.risk_model = risk_model
        self.risk = self._logged_risk = self._assess(self.features)

    # -- the log that was kept ------------------------------------------------------------

    def replay(self, steps: Iterable[LoggedStep], keeper: Keeper | None = None) -> None:
        """Do again what a log says, then let `keeper` keep what follows.

        The steps are taken on the map that is there: a tile becomes what the reader made of it,
        whatever it was predicted as.
        """
        for logged in steps:
            self._replay(logged)
        if self.log:
            refitted = self.log[-1].action is Action.REFIT
            fitted = follow(self.features, self.tissue_map, None) if refitted else None
            if fitted is not None and fitted.mixture == self.mixture:
                self.features, self.risk = fitted, self._assess(fitted)
            else:
                self._follow()
        self._logged_mixture, self._logged_risk = self.mixture, self.risk
        self._keeper = keeper

    def _replay(self, logged: LoggedStep) -> None:
        action, step = logged.action, step_without_tiles(logged.action, self.reader)
        if logged.mixture is not None:
            self.mixture = logged.mixture
        elif action is Action.UNDO and self._done:
            self._undone.append(step := self._done.pop())
            self._enter(step, step.before, step.states_before)
        elif action is Action.REDO and self._undone:
            self._done.append(step := self._undone.pop())
            self._enter(step, step.after, step.states_after)
        elif action not in (Action.UNDO, Action.REDO):
            self._undone.clear()
            self._done.append(step := self._step_again(logged))
            self._enter(step, step.after, step.states_after)
        self.log.append(
            LogEntry(
                action=action,
                edit=step,
                reader=logged.reader,
                when=logged.when,
                score_before=logged.score[0],
                score_after=logged.score[1],
                group_before=logged.group[0],
                group_after=logged.group[1],
                risk_model=logged.risk_model,
                corrected_tiles=int(np.count_nonzero(self.corrected)),
                mixture=logged.mixture,
            )
        )

    def _step_again(self, logged: LoggedStep) -> Edit:
        known = self.predicted.classes[logged.rows, logged.cols] != NOT_CLASSIFIED
        at = logged.rows[known], logged.cols[known]
        after, states = logged.after[known], logged.states_after[known]
        if logged.action is Action.RESTORE:
            after, states = self.predicted.classes[at], self.predicted.state[at]
        step = self._step(logged.action, at, after, states)
        return replace(step, reader=logged.reader, when=logged.when)

    # -- inside ---------------------------------------------------------------------------

    def _edit(
        self, action: Action, rows: ArrayLike, cols: ArrayLike, code: int | None, state: TileState
    ) -> Change | None:
        at = editable(self.predicted, rows, cols)
        here = self.tissue_map.classes[at]
        after = here if code is None else np.full_like(here, code)
        return self._do(self._step(action, at, after, np.full_like(here, state)))

    def _step(
        self,
        action: Action,
        tiles: Tiles,
        after: NDArray[np.uint8],
        states: NDArray[np.uint8],
    ) -> Edit:
        return make_step(action, self.tissue_map, tiles, after, states, self.reader)

    def _do(self, step: Edit) -> Change | None:
        if not len(step):
            return None
        self._settle()
        self._done.append(step)
        self._undone.clear()
        return self._put(step.action, step, step.after, step.states_after)

    def _put(
        self, action: Action, step: Edit, codes: NDArray[np.uint8], states: NDArray[np.uint8]
    ) -> Change:
        self._enter(step, codes, states)
        self._follow()
        return Change(step.rows, step.cols, self._record(action, step, None))

    def _enter(self, step: Edit, codes: NDArray[np.uint8], states: NDArray[np.uint8]) -> None:
        self.tissue_map.classes[step.rows, step.cols] = codes
        self.tissue_map.state[step.rows, step.cols] = states

    def _settle(self, action: Action = Action.THRESHOLDS) -> None:
        """Log thresholds that the log does not know yet."""
        if action is Action.REFIT or self.mixture != self._logged_mixture:
            self._record(action, step_without_tiles(action, self.reader), self.mixture)

    def _record(self, action: Action, step: Edit, mixture: MixtureModel | None) -> LogEntry:
        before, after = self._logged_risk, self.risk
        entry = LogEntry(
            action=action,
            edit=step,
            reader=self.reader,
            when=now(),
            score_before=None if before is None else before.score,
            score_after=None if after is None else after.score,
            group_before=_group(before),
            group_after=_group(after),
            risk_model=self.risk_model.name,
            corrected_tiles=int(np.count_nonzero(self.corrected)),
            mixture=mixture,
        )
        self.log.append(entry)
        self._logged_mixture, self._logged_risk = self.mixture, after
        if self._keeper is not None:
            of = None
            if action in (Action.UNDO, Action.REDO):
                of = 1 + next(i for i, known in enumerate(self.log) if known.edit is step)
            self._keeper.append(line_of(entry, len(self.log), of, self.tissue_map.scheme))
        return entry

    def _follow(self) -> None:
        self.features = follow(self.features, self.tissue_map, self.mixture)
        self.risk = self._assess(self.features)

    def _assess(self, features: SpatialFeatures) -> RiskAssessment | None:
        return None if features.refusal else assess_risk(features, self.risk_model)


def _group(risk: RiskAssessment | None) -> str | None:
    return None if risk is None else risk.group
