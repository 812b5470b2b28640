"""A reader's log as lines of JSON: readable by eye and by any program, runs instead of tiles.

Tiles stand in reading order as ``[row, first column, number of columns]``, their classes and
states beside them as ``[value, number of tiles]``. A class of null is "counted nowhere". Where
that would be too many runs to be read by anybody, they are packed (`packed`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classes import NOT_CLASSIFIED, ClassScheme
from napari_crlm_spa.core.pipeline import Analysis
from napari_crlm_spa.core.review.edits import Action, LogEntry
from napari_crlm_spa.core.review.packed import (
    tiles_of_json,
    tiles_to_json,
    values_of_json,
    values_to_json,
)
from napari_crlm_spa.core.spatial import MixtureModel
from napari_crlm_spa.core.store import to_json
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.core.tissue_map import TissueMap

LOG_VERSION = 2
#: Logs that are read and gone on with; 1 had no packed runs.
READABLE_VERSIONS = (1, LOG_VERSION)
#: The last words of every line, so that a scan of many slides reads only the end of each log.
CORRECTED_TILES = "corrected_tiles"


@dataclass(frozen=True, slots=True, eq=False)
class LoggedStep:
    """A line of the log, read.

    Parameters
    ----------
    action, reader, when
        What was done, by whom, when.
    rows, cols
        The tiles, int32, shape (n,); none for what was not done to tiles, and for undo and redo.
    after
        Their codes afterwards, uint8.
    states_after
        Their states afterwards, uint8 of `TileState`.
    score, group
        (before, after).
    risk_model
        Its name.
    mixture
        The thresholds, if they were changed.
    """

    action: Action
    reader: str
    when: str
    rows: NDArray[np.int32]
    cols: NDArray[np.int32]
    after: NDArray[np.uint8]
    states_after: NDArray[np.uint8]
    score: tuple[float | None, float | None]
    group: tuple[str | None, str | None]
    risk_model: str
    mixture: MixtureModel | None


def identity_of_review(analysis: Analysis) -> str:
    """Say to which run a log belongs: what determined the tiles' classes."""
    return str(analysis.run.get("identity") or hash_of_map(analysis.tissue_map))


def hash_of_map(tissue_map: TissueMap) -> str:
    """Hash the classes of a map."""
    return hashlib.sha256(np.ascontiguousarray(tissue_map.classes).tobytes()).hexdigest()


def header_of(analysis: Analysis, reader: str) -> dict[str, Any]:
    """Return the first line: to which run, map and reader the log belongs."""
    scheme, (rows, cols) = analysis.tissue_map.scheme, analysis.tissue_map.shape
    return {
        "format": LOG_VERSION,
        "identity": identity_of_review(analysis),
        "map_sha256": hash_of_map(analysis.tissue_map),
        "slide": analysis.folder.name,
        "scheme": scheme.name,
        "classes": scheme.names,
        "rows": rows,
        "cols": cols,
        "reader": reader,
    }


def line_of(entry: LogEntry, number: int, of: int | None, scheme: ClassScheme) -> str:
    """Write an entry as one line.

    Parameters
    ----------
    entry
        The entry.
    number
        Its place in the log, from 1.
    of
        For undo and redo: the number of the step in question.
    scheme
        The classes.
    """
    record: dict[str, Any] = {
        "n": number,
        "when": entry.when,
        "reader": entry.reader,
        "action": entry.action.value,
    }
    if of is not None:
        record["of"] = of
    elif entry.mixture is not None:
        record["mixture"] = entry.mixture.model_dump(mode="json")
    else:
        step, names = entry.edit, (None, *scheme.names)
        states = {state.value: state.name.lower() for state in TileState}
        record["tiles"] = tiles_to_json(step.rows, step.cols)
        record["from"] = values_to_json(step.before, dict(enumerate(names)))
        record["to"] = values_to_json(step.after, dict(enumerate(names)))
        record["state"] = values_to_json(step.states_after, states)
    record["score"] = [entry.score_before, entry.score_after]
    record["group"] = [entry.group_before, entry.group_after]
    record["risk_model"] = entry.risk_model
    record[CORRECTED_TILES] = entry.corrected_tiles
    return to_json(record, indent=None) + "\n"


def step_of(record: Mapping[str, Any], tissue_map: TissueMap) -> LoggedStep:
    """Read a line.

    Parameters
    ----------
    record
        The line's JSON.
    tissue_map
        The map that it is about; tells classes and size.

    Raises
    ------
    ValueError, KeyError, TypeError, IndexError
        If it is no line of such a log, or about another map.
    """
    action = Action(record["action"])
    rows, cols = tiles_of_json(record.get("tiles", ()), tissue_map.shape)
    codes = {name: code for code, name in enumerate((None, *tissue_map.scheme.names))}
    codes[None] = NOT_CLASSIFIED
    states = {state.name.lower(): state.value for state in TileState}
    mixture = record.get("mixture")
    before, after = record["score"]
    group_before, group_after = record["group"]
    return LoggedStep(
        action=action,
        reader=str(record["reader"]),
        when=_moment(str(record["when"])),
        rows=rows,
        cols=cols,
        after=values_of_json(record.get("to", ()), codes, len(rows)),
        states_after=values_of_json(record.get("state", ()), states, len(rows)),
        score=(_number(before), _number(after)),
        group=(group_before, group_after),
        risk_model=str(record["risk_model"]),
        mixture=None if mixture is None else MixtureModel.model_validate(mixture),
    )


def _moment(text: str) -> str:
    """Insist on a date and time: a merge asks which of two steps was the later one."""
    datetime.fromisoformat(text)
    return text


def _number(value: object) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no score")
    return float(value)
