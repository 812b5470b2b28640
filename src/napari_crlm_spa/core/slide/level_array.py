"""One level of a slide, as an array that reads its pixels when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product
from operator import index as as_int
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_crlm_spa.core.slide.cache import PixelCache
from napari_crlm_spa.core.slide.contract import RgbImage

#: Reads tile (row, column) of a level.
TileReader = Callable[[int, int], RgbImage]


class LevelArray:
    """One level, as an array that reads its pixels when they are asked for.

    Knows what napari needs of an array: shape, dtype, ndim, size, chunks, indexing with
    integers and slices, and ``np.asarray``. Safe to read from several threads.
    """

    dtype = np.dtype(np.uint8)
    ndim = 3

    def __init__(
        self,
        shape: tuple[int, int, int],
        tile_px: int,
        read_tile: TileReader,
        cache: PixelCache,
        in_threads: Callable[[list[Callable[[], RgbImage]]], Iterable[RgbImage]],
    ) -> None:
        self.shape = shape
        self.chunks = (min(tile_px, shape[0]), min(tile_px, shape[1]), 3)
        self._tile_px = tile_px
        self._read_tile = read_tile
        self._cache = cache
        self._in_threads = in_threads

    @property
    def size(self) -> int:
        """Number of values."""
        return self.shape[0] * self.shape[1] * 3

    @property
    def nbytes(self) -> int:
        """Bytes if all of it were in memory."""
        return self.size

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"LevelArray{self.shape}"

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("The pixels of a level are read from the file: this makes a copy.")
        pixels = self[:]
        return pixels if dtype is None else pixels.astype(dtype, copy=False)

    def __getitem__(self, key: Any) -> NDArray[np.uint8]:
        selected = [_range(part, n) for part, n in zip(_full_key(key), self.shape, strict=True)]
        ys, xs, channels = (part for part, _ in selected)
        pixels = self.read(ys, xs)
        if channels != range(3):
            pixels = pixels[..., list(channels)]
        # An integer takes its axis away.
        return pixels[tuple(0 if single else slice(None) for _, single in selected)]

    def read(self, ys: range, xs: range, *, keep: bool = True) -> RgbImage:
        """Read rows `ys` and columns `xs`.

        Parameters
        ----------
        ys, xs
            Positions within the level; steps may be larger than 1 or negative.
        keep
            Whether to keep the tiles that were read, and to read in threads. Otherwise they
            are read one after the other in this thread.
        """
        result = np.empty((len(ys), len(xs), 3), np.uint8)
        if not result.size:
            return result
        side = self._tile_px
        parts = list(product(_by_tile(ys, side), _by_tile(xs, side)))
        missing: list[tuple[tuple[int, int], Any]] = []
        for (row, to_y, from_y), (col, to_x, from_x) in parts:
            tile = self._cache.get((id(self), row, col))
            if tile is not None:
                result[to_y, to_x] = tile[from_y, from_x]
            else:
                missing.append(((row, col), (to_y, to_x, from_y, from_x)))
        positions = [position for position, _ in missing]
        for (_, (to_y, to_x, from_y, from_x)), tile in zip(
            missing, self._tiles(positions, keep), strict=True
        ):
            result[to_y, to_x] = tile[from_y, from_x]
        return result

    def _tiles(self, positions: list[tuple[int, int]], keep: bool) -> Iterable[RgbImage]:
        if not positions:
            return []
        if not keep:
            return (self._read_tile(row, col) for row, col in positions)
        return self._in_threads([self._kept(row, col) for row, col in positions])

    def _kept(self, row: int, col: int) -> Callable[[], RgbImage]:
        def read() -> RgbImage:
            tile = self._read_tile(row, col)
            self._cache.put((id(self), row, col), tile)
            return tile

        return read


def _full_key(key: Any) -> tuple[Any, ...]:
    """Spell out an index for three axes."""
    parts = key if isinstance(key, tuple) else (key,)
    at = next((i for i, part in enumerate(parts) if part is Ellipsis), None)
    if at is None:
        at, parts = len(parts), (*parts, Ellipsis)
    fill = (slice(None),) * (4 - len(parts))
    if len(parts) > 4:
        raise IndexError("A level has three axes: row, column, color.")
    return (*parts[:at], *fill, *parts[at + 1 :])


def _range(part: Any, length: int) -> tuple[range, bool]:
    """Turn one axis of an index into positions; tell whether it was a single one."""
    if isinstance(part, slice):
        return range(*part.indices(length)), False
    try:
        position = as_int(part)
    except TypeError:
        raise IndexError("A level is indexed with integers and slices only.") from None
    if not -length <= position < length:
        raise IndexError(f"Position {position} lies outside of {length}.")
    return range(position % length, position % length + 1), True


def _by_tile(positions: range, side: int) -> Iterable[tuple[int, slice, slice]]:
    """Yield (tile, where in the result, where in the tile) for each tile that is touched."""
    start = 0
    while start < len(positions):
        tile = positions[start] // side
        # The last position within the tile: the step may lead up or down.
        edge = (tile + 1) * side - 1 if positions.step > 0 else tile * side
        stop = min(len(positions), start + (edge - positions[start]) // positions.step + 1)
        first = positions[start] - tile * side
        last = positions[stop - 1] - tile * side
        end = last + (1 if positions.step > 0 else -1)
        yield tile, slice(start, stop), slice(first, end if end >= 0 else None, positions.step)
        start = stop
