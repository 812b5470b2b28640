"""A slide as lazy arrays, one a level, for napari's multiscale images.

Each array reads square tiles when they are looked at and keeps the recent ones. Where the
file's levels are too far apart, or the coarsest is too large to draw at once, levels are added
that are computed from the next finer one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Self

import numpy as np
from PIL import Image

from napari_crlm_spa.core.slide.cache import PixelCache
from napari_crlm_spa.core.slide.contract import RgbImage, Slide
from napari_crlm_spa.core.slide.level_array import LevelArray, TileReader
from napari_crlm_spa.errors import UnreadableSlide

#: Neighboring levels further apart than this get one in between. Our choice: a screen shows at
#: most the square of it as many pixels as it has.
MAX_JUMP = 4.5
#: The coarsest level's longer side is at most this: it is drawn as a whole. Our choice.
COARSEST_PX = 2048
#: Share of the memory budget for tiles that were computed, since they are dear to make again.
_COMPUTED_SHARE = 0.25
_DAMAGED_GRAY = 160
_THREADS = min(4, os.cpu_count() or 1)


class SlidePyramid:
    """The levels of a slide as lazy arrays that share a cache.

    Parameters
    ----------
    slide
        An open slide; it stays the caller's to close, after `close`.
    tile_px
        Side of the tiles that are read and kept.
    cache_mb
        Memory budget for tiles, in MiB.

    Attributes
    ----------
    levels
        Arrays of shape (height, width, 3), uint8, largest first.
    problem
        Sentence on the first tile that could not be read (drawn gray), else empty.
    """

    def __init__(self, slide: Slide, tile_px: int = 512, cache_mb: int = 256) -> None:
        computed = int(cache_mb * 1024**2 * _COMPUTED_SHARE)
        self._slide = slide
        self._tile_px = tile_px
        self._read_tiles = PixelCache(cache_mb * 1024**2 - computed)
        self._computed_tiles = PixelCache(computed)
        self._pool: ThreadPoolExecutor | None = None
        self._lock = Lock()
        self._closed = False
        self.problem = ""
        self.levels: list[LevelArray] = []
        for i, level in enumerate(slide.info.levels):
            if self.levels and level.width_px >= self.levels[-1].shape[1]:
                continue
            self._bridge(level.width_px)
            self._add_from_file(i, level.width_px, level.height_px)
        while max(self.levels[-1].shape) > COARSEST_PX:
            self._add_reduced(4 if max(self.levels[-1].shape) > 2 * COARSEST_PX else 2)

    def close(self) -> None:
        """Stop the reading threads and forget the tiles."""
        with self._lock:
            self._closed, pool, self._pool = True, self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)
        self._read_tiles.clear()
        self._computed_tiles.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _bridge(self, next_width_px: int) -> None:
        while self.levels and self.levels[-1].shape[1] / next_width_px > MAX_JUMP:
            self._add_reduced(4)

    def _add_from_file(self, index: int, width_px: int, height_px: int) -> None:
        side = self._tile_px

        def read(row: int, col: int) -> RgbImage:
            x, y = col * side, row * side
            width, height = min(side, width_px - x), min(side, height_px - y)
            try:
                return self._slide.read_level(index, x, y, width, height)
            except UnreadableSlide as error:
                # The rest of the slide can still be looked at.
                self.problem = self.problem or str(error)
                return np.full((height, width, 3), _DAMAGED_GRAY, np.uint8)

        self._add(width_px, height_px, read, self._read_tiles)

    def _add_reduced(self, by: int) -> None:
        finer = self.levels[-1]
        height_px, width_px = -(-finer.shape[0] // by), -(-finer.shape[1] // by)
        side = self._tile_px * by

        def reduce(row: int, col: int) -> RgbImage:
            ys = range(row * side, min((row + 1) * side, finer.shape[0]))
            xs = range(col * side, min((col + 1) * side, finer.shape[1]))
            # Not kept: one pass over a huge level would push out what is being looked at.
            return np.asarray(Image.fromarray(finer.read(ys, xs, keep=False)).reduce(by))

        self._add(width_px, height_px, reduce, self._computed_tiles)

    def _add(self, width_px: int, height_px: int, read: TileReader, cache: PixelCache) -> None:
        shape = (height_px, width_px, 3)
        self.levels.append(LevelArray(shape, self._tile_px, read, cache, self._in_threads))

    def _in_threads(self, tasks: list[Callable[[], RgbImage]]) -> Iterable[RgbImage]:
        if len(tasks) == 1 or self._closed:
            return (task() for task in tasks)
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_THREADS, "slide-reader")
            futures = [self._pool.submit(task) for task in tasks]
        return (future.result() for future in futures)
