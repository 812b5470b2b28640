"""Groups of tiles from the reader threads, and how they are parted into batches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.errors import UnreadableSlide

#: A stretch without tissue is reported after so many batches of looking, so Cancel is heard there.
MOST_LOOKED_AT = 4


@dataclass(frozen=True, slots=True)
class Prepared:
    """A group of tiles on its way to the network; `tiles` holds those to classify only."""

    at: NDArray[np.int32]
    states: NDArray[np.uint8]
    tiles: NDArray[np.uint8]
    stain_fallback: NDArray[np.bool_]
    problem: UnreadableSlide | None

    def part(self, looked_at: slice, tiles: slice) -> Prepared:
        """Return a stretch of the group."""
        return Prepared(
            self.at[looked_at],
            self.states[looked_at],
            self.tiles[tiles],
            self.stain_fallback[looked_at],
            self.problem,
        )


def is_full(batch: list[Prepared], batch_size: int) -> bool:
    """Tell whether a batch holds enough tiles to classify, or enough that were looked at."""
    to_classify = sum(len(part.tiles) for part in batch)
    looked_at = sum(len(part.states) for part in batch)
    return to_classify >= batch_size or looked_at >= MOST_LOOKED_AT * batch_size


def split(batch: list[Prepared], size: int) -> tuple[list[Prepared], list[Prepared]]:
    """Part a batch after `size` tiles to classify: a network likes to see full batches."""
    over = sum(len(part.tiles) for part in batch) - size
    if over <= 0:
        return batch, []
    *before, last = batch
    kept = len(last.tiles) - over
    if kept <= 0:
        ready, rest = split(before, size)
        return ready, [*rest, last]
    cut = int(np.flatnonzero(last.states == TileState.CLASSIFIED)[kept - 1]) + 1
    return [*before, last.part(slice(cut), slice(kept))], [
        last.part(slice(cut, None), slice(kept, None))
    ]
