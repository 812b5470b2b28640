"""How a step on tiles is made: which tiles may be changed, what they were, what they become."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.classes import NOT_CLASSIFIED
from napari_crlm_spa.core.review.edits import Action, Edit
from napari_crlm_spa.core.tissue_map import TissueMap


def editable(
    predicted: TissueMap, rows: ArrayLike, cols: ArrayLike
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return each tile once, in reading order.

    Tiles that the classifier left out, and those that lie outside of the grid, are dropped.
    """
    n_rows, n_cols = predicted.shape
    r, c = np.asarray(rows, np.int64).ravel(), np.asarray(cols, np.int64).ravel()
    inside = (r >= 0) & (r < n_rows) & (c >= 0) & (c < n_cols)
    wanted = np.zeros(predicted.shape, np.bool_)
    wanted[r[inside], c[inside]] = True
    found = np.nonzero(wanted & (predicted.classes != NOT_CLASSIFIED))
    return found[0].astype(np.int32), found[1].astype(np.int32)


def make_step(
    action: Action,
    tissue_map: TissueMap,
    tiles: tuple[NDArray[np.int32], NDArray[np.int32]],
    after: NDArray[np.uint8],
    states: NDArray[np.uint8],
    reader: str,
) -> Edit:
    """Return what turns tiles of a map into these classes and states; may come out empty."""
    before, states_before = tissue_map.classes[tiles], tissue_map.state[tiles]
    new = (before != after) | (states_before != states)
    return Edit(
        action=action,
        rows=tiles[0][new],
        cols=tiles[1][new],
        before=before[new],
        after=after[new],
        states_before=states_before[new],
        states_after=states[new],
        reader=reader,
        when=now(),
    )


def step_without_tiles(action: Action, reader: str) -> Edit:
    """Return the step of an action that is not about tiles."""
    tiles, codes = np.empty(0, np.int32), np.empty(0, np.uint8)
    return Edit(action, tiles, tiles, codes, codes, codes, codes, reader, now())


def now() -> str:
    """Return date and time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
