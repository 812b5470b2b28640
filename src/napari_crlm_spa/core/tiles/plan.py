"""Lay the grid over a slide and read its tiles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.slide.contract import RgbImage, Slide, SlideInfo
from napari_crlm_spa.core.tiles.grid import TileGrid, TileState
from napari_crlm_spa.core.tiles.options import TilingOptions
from napari_crlm_spa.core.tiles.regions import RegionsOfInterest, tiles_inside
from napari_crlm_spa.core.tiles.tissue import tissue_share
from napari_crlm_spa.errors import NoTissue, ResolutionTooCoarse

WHITE = 255


def plan_tiles(
    slide: Slide, options: TilingOptions, regions: RegionsOfInterest | None = None
) -> TileGrid:
    """Lay a regular grid over a slide and decide which tiles are to be read.

    The grid starts at the slide's top-left corner and is fixed in micrometers, so a region of
    interest never shifts it. Tiles outside the scanned bounds, and tiles without tissue on a
    low-resolution mask, are GLASS; tiles outside the regions are EXCLUDED; all others are
    PENDING and still face the paper's blank rule at full resolution (`blank_fraction`).

    Parameters
    ----------
    slide
        The open slide.
    options
        Size, resolution and thresholds.
    regions
        Where to look, and where not to; None stands for the whole slide.

    Returns
    -------
    TileGrid

    Raises
    ------
    MissingPixelSize
        If nobody knows how large a pixel is.
    ResolutionTooCoarse
        If tiles would have to be enlarged by more than `options.enlarge_max`.
    RegionError
        If the regions lie beside the slide.
    NoTissue
        If no tile is left.
    """
    grid = lay_grid(slide.info, options)
    scanned = _touches_bounds(slide.info, grid)
    kept = np.ones(scanned.shape, np.bool_)
    if regions is not None:
        x_edges_px, y_edges_px = edges_px(slide.info, grid)
        regions.check_overlap(slide.info.bounds_xy0, slide.info.path.name)
        kept = tiles_inside(regions, x_edges_px, y_edges_px, options.region_rule)
    share = tissue_share(slide, grid, scanned & kept, options)
    grid.state[scanned & ~kept] = TileState.EXCLUDED
    grid.state[scanned & kept & (share > options.glass_tissue_max)] = TileState.PENDING
    if not (grid.state == TileState.PENDING).any():
        raise NoTissue(_no_tissue_message(slide.info.path.name, regions))
    return grid


def lay_grid(info: SlideInfo, options: TilingOptions) -> TileGrid:
    """Lay the grid of `plan_tiles` without looking at a pixel: every tile is GLASS yet.

    Raises
    ------
    MissingPixelSize
        If nobody knows how large a pixel is.
    ResolutionTooCoarse
        If tiles would have to be enlarged by more than `options.enlarge_max`.
    """
    _refuse_coarse(info, options)
    return _empty_grid(info, options)


def read_tile(slide: Slide, grid: TileGrid, row: int, col: int) -> RgbImage:
    """Read one tile; what lies outside the scanned bounds is white.

    Returns
    -------
    ndarray of uint8, shape (tile_px, tile_px, 3)

    Raises
    ------
    UnreadableSlide
        If the file is damaged there.
    """
    x_um, y_um = grid.corner_um(row, col)
    tile = slide.read_region_um(x_um, y_um, grid.tile_px, grid.tile_px, grid.mpp)
    if not grid.edge[row, col]:
        return tile
    padded = np.full_like(tile, WHITE)
    left, top, right, bottom = bounds_um(slide.info)
    first_x, last_x = _inside_px(left - x_um, right - x_um, grid)
    first_y, last_y = _inside_px(top - y_um, bottom - y_um, grid)
    padded[first_y:last_y, first_x:last_x] = tile[first_y:last_y, first_x:last_x]
    return padded


def _inside_px(start_um: float, end_um: float, grid: TileGrid) -> tuple[int, int]:
    """Pixels of a tile between two coordinates, relative to its corner."""
    first, last = round(start_um / grid.mpp), round(end_um / grid.mpp)
    return max(0, first), max(0, min(grid.tile_px, last))


def _refuse_coarse(info: SlideInfo, options: TilingOptions) -> None:
    size = info.known_pixel_size()
    if size.mpp <= options.mpp * (1 + options.enlarge_max):
        return
    raise ResolutionTooCoarse(
        f"{info.path.name} has {size.mpp:.3g} µm per pixel (says {size.source}), but tiles of "
        f"{options.mpp:.3g} µm per pixel are needed: enlarging adds no detail. Use a finer scan "
        "(20x or 40x), or pass --mpp if the pixel size is wrong."
    )


def _empty_grid(info: SlideInfo, options: TilingOptions) -> TileGrid:
    """Make a grid that covers level 0; a sliver of less than half a tile pixel gets no tile."""
    size, stride = info.known_pixel_size(), options.stride_um
    rows, cols = (
        max(1, int(np.ceil((length_um - options.mpp / 2) / stride)))
        for length_um in (info.height_px * size.y_um, info.width_px * size.x_um)
    )
    state = np.full((rows, cols), TileState.GLASS, np.uint8)
    grid = TileGrid(state, np.zeros((rows, cols), np.bool_), options.tile_px, options.mpp)
    left, top, right, bottom = bounds_um(info)
    slack = options.mpp / 2
    starts_x, starts_y = np.arange(cols) * stride, np.arange(rows) * stride
    beyond_x = (starts_x < left - slack) | (starts_x + stride > right + slack)
    beyond_y = (starts_y < top - slack) | (starts_y + stride > bottom + slack)
    grid.edge[:] = beyond_y[:, None] | beyond_x[None, :]
    return grid


def _touches_bounds(info: SlideInfo, grid: TileGrid) -> NDArray[np.bool_]:
    """Tiles that share more than half a pixel with the scanned area, shape (rows, cols)."""
    left, top, right, bottom = bounds_um(info)
    slack = grid.mpp / 2
    starts_x = np.arange(grid.cols) * grid.stride_um
    starts_y = np.arange(grid.rows) * grid.stride_um
    inside_x = (starts_x + grid.stride_um > left + slack) & (starts_x < right - slack)
    inside_y = (starts_y + grid.stride_um > top + slack) & (starts_y < bottom - slack)
    return np.asarray(inside_y[:, None] & inside_x[None, :])


def bounds_um(info: SlideInfo) -> tuple[float, float, float, float]:
    """(left, top, right, bottom) of the scanned area in micrometers."""
    size = info.known_pixel_size()
    x0, y0, width, height = info.bounds_xy0
    return (
        x0 * size.x_um,
        y0 * size.y_um,
        (x0 + width) * size.x_um,
        (y0 + height) * size.y_um,
    )


def edges_px(info: SlideInfo, grid: TileGrid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Borders of the columns and of the rows in level-0 pixels."""
    size = info.known_pixel_size()
    columns = np.arange(grid.cols + 1, dtype=np.float64) * (grid.stride_um / size.x_um)
    rows = np.arange(grid.rows + 1, dtype=np.float64) * (grid.stride_um / size.y_um)
    return columns, rows


def _no_tissue_message(name: str, regions: RegionsOfInterest | None) -> str:
    if regions is None:
        return (
            f"{name} shows nothing but glass. If there is tissue, it is very pale: lower the "
            "color limit of blank pixels (blank_color_max)."
        )
    return (
        f"The regions of {regions.source} hold no tissue on {name}. Check that they were drawn "
        "on this slide, or draw them larger."
    )
