"""Where the tiles of a slide lie, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

#: Tiles are read in strips of so many columns, so that the stored chunks that two rows of tiles
#: share are still in memory when the second row comes, however wide the slide is. 32 tiles of
#: 224 px end where chunks of 256, 512 or 1024 px do.
STRIP_TILES = 32


class TileState(IntEnum):
    """What became of a tile."""

    GLASS = 0  # skipped on the low-resolution tissue mask
    EXCLUDED = 1  # outside the regions of interest, or inside an excluded one
    PENDING = 2  # to be read
    BLANK = 3  # read, and removed by the paper's rule
    CLASSIFIED = 4
    EDITED = 5  # classified, then corrected by a reader
    UNREADABLE = 6  # the file is damaged there
    ACCEPTED = 7  # classified, and confirmed by a reader
    SET_ASIDE = 8  # classified, then left out by a reader


@dataclass(frozen=True, slots=True, eq=False)
class TileGrid:
    """Where the tiles of a slide lie.

    Parameters
    ----------
    state
        Shape (rows, cols), uint8 of `TileState`; PENDING tiles are those to be read.
    edge
        Shape (rows, cols), bool: the tile reaches beyond the slide and is padded white.
    tile_px, mpp
        Size and resolution of a tile.
    origin_um
        (x, y) of the grid's top-left corner in the slide's frame.
    """

    state: NDArray[np.uint8]
    edge: NDArray[np.bool_]
    tile_px: int
    mpp: float
    origin_um: tuple[float, float] = (0.0, 0.0)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.state.shape[0])

    @property
    def cols(self) -> int:
        """Number of columns."""
        return int(self.state.shape[1])

    @property
    def stride_um(self) -> float:
        """Distance of neighboring tiles in micrometers."""
        return self.tile_px * self.mpp

    def pending(self) -> NDArray[np.int32]:
        """(row, col) of the tiles to be read, shape (n, 2), in reading order."""
        return np.argwhere(self.state == TileState.PENDING).astype(np.int32)

    def corner_um(self, row: int, col: int) -> tuple[float, float]:
        """(x, y) of a tile's top-left corner in micrometers."""
        return (
            self.origin_um[0] + col * self.stride_um,
            self.origin_um[1] + row * self.stride_um,
        )

    def batches(self, size: int) -> Iterator[NDArray[np.int32]]:
        """Yield the pending tiles in groups of at most `size`, column strip by column strip.

        Within a strip they come in reading order.
        """
        pending = self.pending()
        pending = pending[np.argsort(pending[:, 1] // STRIP_TILES, kind="stable")]
        for start in range(0, len(pending), size):
            yield pending[start : start + size]


@dataclass(frozen=True, slots=True)
class TileScores:
    """Freshly scored tiles.

    Parameters
    ----------
    rows, cols
        Grid positions, shape (n,).
    states
        `TileState` of each, shape (n,), uint8: classified, blank or unreadable.
    probabilities
        Shape (n, classes), float16; zeros where the tile was not classified.
    strangeness
        How unlike the training tiles, shape (n,), float16: above 1 is unusual; nan where the tile
        was not classified or the model cannot tell.
    stain_fallback
        Which were normalized with the slide's matrix because their own failed, shape (n,).
    """

    rows: NDArray[np.int32]
    cols: NDArray[np.int32]
    states: NDArray[np.uint8]
    probabilities: NDArray[np.float16]
    strangeness: NDArray[np.float16]
    stain_fallback: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.rows)
