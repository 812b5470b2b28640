"""Tiles that overlap: cells of a fine grid, each seen through a whole tile about its center."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.slide.contract import SlideInfo
from napari_crlm_spa.core.tiles.grid import TileGrid
from napari_crlm_spa.core.tiles.plan import bounds_um


@dataclass(frozen=True, slots=True, eq=False)
class OverlappingGrid(TileGrid):
    """A grid whose cells are smaller than its tiles.

    A tile keeps the size that the classifier was trained with; only its center moves by less. So
    what is told apart is moved by less than a tile, but a tile still sees all that lies in it.

    Parameters
    ----------
    state, edge, tile_px, mpp
        As in `TileGrid`; shape (rows, cols) of the cells.
    origin_um
        (x, y) of the first cell's corner; its tile begins half a tile less half a step before.
    step_um
        Distance of neighboring tiles, and side of a cell.
    """

    step_um: float = 0.0

    @property
    def stride_um(self) -> float:
        """Distance of neighboring tiles in micrometers."""
        return self.step_um

    @property
    def tile_um(self) -> float:
        """Side of what a tile sees."""
        return self.tile_px * self.mpp

    def corner_um(self, row: int, col: int) -> tuple[float, float]:
        """(x, y) of a tile's top-left corner in micrometers; may lie outside the slide."""
        before = self.tile_um / 2
        return (
            self.origin_um[0] + (col + 0.5) * self.step_um - before,
            self.origin_um[1] + (row + 0.5) * self.step_um - before,
        )


def overlapping_grid(
    state: NDArray[np.uint8],
    info: SlideInfo,
    *,
    tile_px: int,
    mpp: float,
    step_um: float,
    origin_um: tuple[float, float] = (0.0, 0.0),
) -> OverlappingGrid:
    """Lay overlapping tiles over a slide.

    Parameters
    ----------
    state
        Of each cell, shape (rows, cols), uint8 of `TileState`; PENDING ones are to be read.
    info
        The slide: tiles that reach beyond its scanned area are marked.
    tile_px, mpp
        Size and resolution of a tile.
    step_um
        Side of a cell.
    origin_um
        (x, y) of the first cell's corner.
    """
    grid = OverlappingGrid(state, np.zeros(state.shape, np.bool_), tile_px, mpp, origin_um, step_um)
    left, top, right, bottom = bounds_um(info)
    slack = mpp / 2
    x_um, y_um = grid.corner_um(0, 0)
    starts_x = x_um + np.arange(grid.cols) * step_um
    starts_y = y_um + np.arange(grid.rows) * step_um
    beyond_x = (starts_x < left - slack) | (starts_x + grid.tile_um > right + slack)
    beyond_y = (starts_y < top - slack) | (starts_y + grid.tile_um > bottom + slack)
    grid.edge[:] = beyond_y[:, None] | beyond_x[None, :]
    return grid
