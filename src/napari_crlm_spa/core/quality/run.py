"""Measuring all tiles of a slide: blocks of tiles, a few threads, bounded memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classes import NOT_CLASSIFIED
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.quality.judge import judge_tiles
from napari_crlm_spa.core.quality.marks import TileQuality
from napari_crlm_spa.core.quality.options import QualityOptions
from napari_crlm_spa.core.quality.pixels import COARSER, Measured, measure_block
from napari_crlm_spa.core.slide.contract import Slide
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import UnreadableSlide

#: Side of a block in tiles: about 10 MB of pixels each.
BLOCK_TILES = 8
#: A slide may be coarser than what sharpness is measured at by this share. Our choice.
_COARSER_BY = 0.2
STAGE = "Checking quality"


@dataclass(frozen=True, slots=True)
class _Block:
    rows: slice
    cols: slice

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows.stop - self.rows.start, self.cols.stop - self.cols.start


def mark_quality(
    slide: Slide, tissue_map: TissueMap, options: QualityOptions | None = None
) -> Generator[Progress, None, TileQuality]:
    """Mark blurred, penned, folded and empty tiles of a classified slide.

    Parameters
    ----------
    slide
        The open slide.
    tissue_map
        As the classifier made it: tiles are compared with others of their predicted class.
    options
        The limits.

    Yields
    ------
    Progress
        After each block of tiles.

    Returns
    -------
    TileQuality
        Through ``StopIteration.value``. Tiles that cannot be read are not measured.

    Raises
    ------
    MissingPixelSize
        If the pixel size is unknown.
    """
    options = options or QualityOptions()
    native = slide.info.known_pixel_size().mpp
    with_sharpness = native <= options.mpp * (1 + _COARSER_BY)
    wanted = np.asarray(tissue_map.classes != NOT_CLASSIFIED)
    found = Measured.nothing(*tissue_map.shape)
    total, done = int(np.count_nonzero(wanted)), 0
    yield Progress(STAGE, 0, total, "tiles")

    def measure(block: _Block) -> Measured:
        return _measure(slide, tissue_map, block, options.mpp, with_sharpness)

    for block, part in _in_order(_blocks(wanted), measure, options.threads):
        here = wanted[block.rows, block.cols]
        found.put(block.rows, block.cols, part, here)
        done += int(np.count_nonzero(here))
        yield Progress(STAGE, done, total, "tiles")
    return judge_tiles(found, tissue_map, options)


def _blocks(wanted: NDArray[np.bool_]) -> list[_Block]:
    """Blocks with a wanted tile, each cut to the rows and columns that hold one."""
    blocks = []
    for top in range(0, wanted.shape[0], BLOCK_TILES):
        for left in range(0, wanted.shape[1], BLOCK_TILES):
            inside = wanted[top : top + BLOCK_TILES, left : left + BLOCK_TILES]
            rows, cols = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
            if rows.size:
                blocks.append(
                    _Block(
                        slice(top + int(rows[0]), top + int(rows[-1]) + 1),
                        slice(left + int(cols[0]), left + int(cols[-1]) + 1),
                    )
                )
    return blocks


def _in_order(
    blocks: list[_Block], measure: Callable[[_Block], Measured], threads: int
) -> Iterator[tuple[_Block, Measured]]:
    """Measure on a few threads; no more blocks wait than threads work."""
    threads = min(threads, os.cpu_count() or 1)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="quality")
    try:
        waiting: deque[tuple[_Block, Future[Measured]]] = deque()
        for block in blocks:
            waiting.append((block, pool.submit(measure, block)))
            if len(waiting) > threads:
                ready, part = waiting.popleft()
                yield ready, part.result()
        while waiting:
            ready, part = waiting.popleft()
            yield ready, part.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _measure(
    slide: Slide, tissue_map: TissueMap, block: _Block, mpp: float, with_sharpness: bool
) -> Measured:
    rows, cols = block.shape
    # Whole coarse pixels in a tile.
    cells = max(1, round(tissue_map.stride_um / mpp / (2 * COARSER))) * 2 * COARSER
    x_um = tissue_map.origin_um[0] + block.cols.start * tissue_map.stride_um
    y_um = tissue_map.origin_um[1] + block.rows.start * tissue_map.stride_um
    try:
        pixels = slide.read_region_um(
            x_um, y_um, cols * cells, rows * cells, tissue_map.stride_um / cells
        )
    except UnreadableSlide:
        return _measure_singly(slide, tissue_map, block, mpp, with_sharpness)
    return measure_block(pixels, rows, cols, with_sharpness)


def _measure_singly(
    slide: Slide, tissue_map: TissueMap, block: _Block, mpp: float, with_sharpness: bool
) -> Measured:
    """Save the tiles around a damaged one."""
    found = Measured.nothing(*block.shape)
    if block.shape == (1, 1):
        return found
    one = np.ones((1, 1), np.bool_)
    for row in range(block.shape[0]):
        for col in range(block.shape[1]):
            top, left = block.rows.start + row, block.cols.start + col
            single = _Block(slice(top, top + 1), slice(left, left + 1))
            part = _measure(slide, tissue_map, single, mpp, with_sharpness)
            found.put(slice(row, row + 1), slice(col, col + 1), part, one)
    return found
