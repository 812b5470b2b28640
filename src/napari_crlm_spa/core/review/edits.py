"""What a reader did to a tissue map: which tiles, from which class to which, when, by whom."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.spatial import MixtureModel


class Action(StrEnum):
    """What was done to some tiles."""

    CORRECT = "correct"  # another class
    ACCEPT = "accept"  # the class is confirmed
    SET_ASIDE = "set aside"  # counted nowhere any more
    RESTORE = "restore"  # back to the prediction
    MERGE = "merge"  # taken over from another reader
    UNDO = "undo"
    REDO = "redo"
    THRESHOLDS = "thresholds"  # other distance thresholds, chosen by hand
    REFIT = "refit"  # distance thresholds fitted to the corrected map


@dataclass(frozen=True, slots=True, eq=False)
class Edit:
    """One step of a reader.

    Parameters
    ----------
    action
        What was done.
    rows, cols
        The tiles, int32, shape (n,) each, every tile once.
    before, after
        Their grid codes, uint8, shape (n,): 0 = counted nowhere.
    states_before, states_after
        Their states, uint8 of `TileState`, shape (n,).
    reader
        Who did it.
    when
        Date and time in UTC, ISO 8601.
    """

    action: Action
    rows: NDArray[np.int32]
    cols: NDArray[np.int32]
    before: NDArray[np.uint8]
    after: NDArray[np.uint8]
    states_before: NDArray[np.uint8]
    states_after: NDArray[np.uint8]
    reader: str
    when: str

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True, eq=False)
class LogEntry:
    """A line of the log: a step, or its undoing, and what it changed.

    Parameters
    ----------
    action
        What was done; UNDO and REDO name the step in `edit`.
    edit
        The step itself. What an undo did is its reverse. Without tiles for THRESHOLDS and REFIT.
    reader, when
        Who did it, and when (UTC, ISO 8601).
    score_before, score_after
        The risk score; None where it is not known.
    group_before, group_after
        The risk group; None where there is none.
    risk_model
        By whose rules score and group are.
    corrected_tiles
        Tiles whose class differs from the prediction afterwards.
    mixture
        The thresholds that were chosen or fitted; None for what was done to tiles.
    """

    action: Action
    edit: Edit
    reader: str
    when: str
    score_before: float | None
    score_after: float | None
    group_before: str | None
    group_after: str | None
    risk_model: str = ""
    corrected_tiles: int = 0
    mixture: MixtureModel | None = None

    @property
    def flipped(self) -> bool:
        """Whether the risk group changed."""
        return self.group_before != self.group_after
