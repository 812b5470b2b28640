"""Blank or tissue: the paper's rule on tiles, and the mask that spares reading glass."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.compiled import compiled
from napari_crlm_spa.core.slide.contract import Slide
from napari_crlm_spa.core.tiles.grid import TileGrid
from napari_crlm_spa.core.tiles.options import TilingOptions
from napari_crlm_spa.errors import UnreadableSlide

#: Longest side of what is decoded at once for the mask, so memory stays near 50 MB.
BLOCK_PX = 4096


def blank_fraction(tiles: NDArray[np.uint8], options: TilingOptions) -> NDArray[np.float64]:
    """Share of every tile that is blank.

    A pixel is blank where it is bright (darkest channel >= `blank_brightness`) and gray
    (channels differ by at most `blank_color_max`). The paper states the rule for tiles, more
    than half blank is removed, but not what makes a pixel blank: the two numbers are ours,
    measured on labeled tiles so that pale mucus stays (docs/methods/tiles-and-stain.md).

    Parameters
    ----------
    tiles
        Shape (n, height, width, 3), uint8.
    options
        The two thresholds.

    Returns
    -------
    ndarray of float, shape (n,)
        Compare with `options.blank_max`: a tile of exactly half blank stays.
    """
    pixels = tiles.shape[1] * tiles.shape[2]
    counts = np.empty(len(tiles), np.int64)
    given = np.ascontiguousarray(tiles).reshape(len(tiles), pixels * 3)
    _count_blank(given, *_limits(options), np.empty(pixels, np.bool_), counts)
    return np.asarray(counts / pixels)


def _blank(pixels: NDArray[np.uint8], options: TilingOptions) -> NDArray[np.bool_]:
    """Blank pixels, flat, in the order of `pixels`."""
    blank = np.empty(pixels.size // 3, np.bool_)
    _find_blank(np.ascontiguousarray(pixels).reshape(-1), *_limits(options), blank)
    return blank


def _limits(options: TilingOptions) -> tuple[np.uint8, np.uint8]:
    return np.uint8(options.blank_brightness), np.uint8(options.blank_color_max)


@compiled
def _find_blank(
    gray_levels: NDArray[np.uint8],
    brightness: np.uint8,
    color_max: np.uint8,
    blank: NDArray[np.bool_],
) -> None:
    # All in 8 bits, so that the machine compares 32 at a time.
    for i in range(len(blank)):
        red, green, blue = gray_levels[3 * i], gray_levels[3 * i + 1], gray_levels[3 * i + 2]
        darkest, brightest = min(red, min(green, blue)), max(red, max(green, blue))
        blank[i] = (darkest >= brightness) & (np.uint8(brightest - darkest) <= color_max)


@compiled
def _count_blank(
    tiles: NDArray[np.uint8],
    brightness: np.uint8,
    color_max: np.uint8,
    blank: NDArray[np.bool_],
    counts: NDArray[np.int64],
) -> None:
    for tile in range(len(tiles)):
        _find_blank(tiles[tile], brightness, color_max, blank)
        found = np.uint32(0)
        for i in range(len(blank)):
            found += np.uint32(1) if blank[i] else np.uint32(0)
        counts[tile] = found


def tissue_share(
    slide: Slide, grid: TileGrid, wanted: NDArray[np.bool_], options: TilingOptions
) -> NDArray[np.float64]:
    """Share of tissue in every wanted tile, on a low-resolution mask read in blocks.

    Parameters
    ----------
    slide
        The open slide.
    grid
        Gives size and place of the tiles.
    wanted
        Shape (rows, cols); blocks without a wanted tile are not read.
    options
        `mask_mpp` and what makes a pixel blank.

    Returns
    -------
    ndarray of float, shape (rows, cols)
        1 where the mask is damaged, so that the tile itself is tried; 0 where not wanted.

    Raises
    ------
    UnreadableSlide
        If no block at all can be read.
    """
    cells = max(1, round(grid.stride_um / options.mask_mpp))
    side = _block_tiles(slide, grid.stride_um, grid.stride_um / cells)
    share = np.zeros(wanted.shape)
    blocks = [
        (slice(top, top + side), slice(left, left + side))
        for top in range(0, grid.rows, side)
        for left in range(0, grid.cols, side)
        if wanted[top : top + side, left : left + side].any()
    ]
    damage: list[UnreadableSlide] = []
    for block in blocks:
        try:
            share[block] = _block_share(slide, grid, block, cells, options)
        except UnreadableSlide as error:
            share[block] = 1.0
            damage.append(error)
    if damage and len(damage) == len(blocks):
        raise damage[0]
    if slide.level_for(grid.stride_um / cells) != slide.level_for(grid.mpp):
        # The tiles need that memory, and none of these pixels.
        slide.forget_pixels()
    return np.where(wanted, share, 0.0)


def _block_tiles(slide: Slide, stride_um: float, mask_mpp: float) -> int:
    """Side of a block in tiles, such that its source pixels fit into `BLOCK_PX`."""
    downsample = slide.info.levels[slide.level_for(mask_mpp)].downsample
    tile_source_px = stride_um / (slide.info.known_pixel_size().mpp * downsample)
    return max(1, int(BLOCK_PX / tile_source_px))


def _block_share(
    slide: Slide,
    grid: TileGrid,
    block: tuple[slice, slice],
    cells: int,
    options: TilingOptions,
) -> NDArray[np.float64]:
    rows = min(block[0].stop, grid.rows) - block[0].start
    cols = min(block[1].stop, grid.cols) - block[1].start
    x_um, y_um = grid.corner_um(block[0].start, block[1].start)
    picture = slide.read_region_um(x_um, y_um, cols * cells, rows * cells, grid.stride_um / cells)
    tissue = ~_blank(picture, options).reshape(rows, cells, cols, cells)
    return np.asarray(tissue.mean(axis=(1, 3)))
