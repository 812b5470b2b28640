"""The pixels of a TIFF: its own tiles or strips, each decoded once, exactly as stored.

OpenSlide interpolates when a level is not exactly 2, 4, 8 ... times smaller than level 0 (up to
41 gray levels of difference on a real SVS); here a level's pixels come as they are.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_crlm_spa.core.slide import diagnosis
from napari_crlm_spa.core.slide.cache import PixelCache
from napari_crlm_spa.core.slide.contract import RgbImage
from napari_crlm_spa.core.slide.tiff_colors import color_of

#: Decoded chunks kept per open TIFF: what four reader threads at 40x have between them, of chunks
#: of 256 pixels, and more where a machine has more of them.
CACHE_BYTES = 16 * min(max(4, os.cpu_count() or 1), 16) * 1024**2
#: Of larger chunks at least those that a part of the level of this size reaches into.
CACHE_WIDTH_PX, CACHE_HEIGHT_PX = 16_384, 512
#: Uncompressed strips are read in bands of about this size, however long the strips are.
BAND_BYTES = 1024**2

#: none, LZW, JPEG, deflate (two numbers), Aperio's JPEG 2000 in RGB, JPEG 2000, WebP, zstd
COMPRESSIONS = frozenset({1, 5, 7, 8, 32946, 33005, 34712, 50001, 50000})


_NO_PIXELS = np.empty((0, 0, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class TiffLevel:
    """One level: its size, the size of its chunks, and how to decode one of them."""

    width_px: int
    height_px: int
    chunk_width_px: int
    chunk_height_px: int
    decode: Callable[[int, int], RgbImage | None]


class TiffPixels:
    """Reads levels of an open TIFF from several threads at once.

    Parameters
    ----------
    path
        The file, for messages.
    file
        The file, open for reading; `close` closes it.
    levels
        Pages of each level, largest first: one page, or three gray pages for red, green, blue.

    Raises
    ------
    DecoderError
        If the pages are stored in a way that is not supported.
    UnreadableSlide
        If the file ends before its pixels do.
    """

    def __init__(
        self, path: Path, file: BinaryIO, levels: Sequence[Sequence[tifffile.TiffPage]]
    ) -> None:
        self._path = path
        self._file = file
        self._lock = Lock()
        pages = [page for level in levels for page in level]
        self._check_complete(pages)
        self.levels = tuple(self._level(level) for level in levels)
        self._cache = PixelCache(max(map(_cache_bytes, self.levels)))

    def read(self, level: int, x_px: int, y_px: int, width_px: int, height_px: int) -> RgbImage:
        """Read pixels of one level; what lies outside of it is white."""
        here = self.levels[level]
        result = np.empty((height_px, width_px, 3), np.uint8)
        left, top = max(x_px, 0), max(y_px, 0)
        right = min(x_px + width_px, here.width_px)
        bottom = min(y_px + height_px, here.height_px)
        if (right - left, bottom - top) != (width_px, height_px):
            result.fill(255)
        if right <= left or bottom <= top:
            return result
        step_x, step_y = here.chunk_width_px, here.chunk_height_px
        for row in range(top // step_y, (bottom - 1) // step_y + 1):
            for col in range(left // step_x, (right - 1) // step_x + 1):
                chunk = self._chunk(level, row, col)
                x0, y0 = max(left, col * step_x), max(top, row * step_y)
                x1, y1 = min(right, (col + 1) * step_x), min(bottom, (row + 1) * step_y)
                part = result[y0 - y_px : y1 - y_px, x0 - x_px : x1 - x_px]
                y0, x0 = y0 - row * step_y, x0 - col * step_x
                stored = (
                    _NO_PIXELS
                    if chunk is None
                    else chunk[y0 : y0 + part.shape[0], x0 : x0 + part.shape[1]]
                )
                if stored.shape != part.shape:
                    part.fill(255)
                part[: stored.shape[0], : stored.shape[1]] = stored
        return result

    def close(self) -> None:
        """Close the file and forget the decoded chunks."""
        self._file.close()
        self.forget()

    def forget(self) -> None:
        """Forget the decoded chunks."""
        self._cache.clear()

    def _chunk(self, level: int, row: int, col: int) -> RgbImage | None:
        return self._cache.get_or_make((level, row, col), lambda: self._decoded(level, row, col))

    def _decoded(self, level: int, row: int, col: int) -> RgbImage | None:
        try:
            return self.levels[level].decode(row, col)
        # Each codec has its own kind of error: whatever it is, these pixels are lost.
        except Exception as error:
            if self._file.closed:
                raise diagnosis.closed(self._path) from error
            place = f"the part in row {row}, column {col} of level {level}"
            raise diagnosis.damaged(self._path, place, error) from error

    def _bytes_at(self, offset: int, count: int) -> bytes:
        data = self._read_at(offset, count)
        if len(data) != count:
            raise OSError(f"{count} bytes expected at {offset}, {len(data)} found")
        return data

    def _read_at(self, offset: int, count: int) -> bytes:
        """Read, several threads at once where the system can: a disk in the network is slow."""
        if sys.platform == "win32":
            with self._lock:
                self._file.seek(offset)
                return self._file.read(count)
        data = os.pread(self._file.fileno(), count, offset)
        if self._file.closed:
            # The number of a file that was closed meanwhile may be another file's.
            raise ValueError("the file was closed")
        return data

    def _check_complete(self, pages: Sequence[tifffile.TiffPage]) -> None:
        needed = max(
            (offset + count)
            for page in pages
            for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False)
        )
        size = self._file.seek(0, 2)
        if needed > size:
            raise diagnosis.cut_off(self._path, needed, size)

    def _level(self, pages: Sequence[tifffile.TiffPage]) -> TiffLevel:
        page = pages[0]
        check_page(page)
        color = color_of(page, len(pages))
        if _is_raw(page) and len(pages) == 1:
            rows = max(1, BAND_BYTES // (page.imagewidth * page.samplesperpixel))
            decode = self._raw_decoder(page, rows, color)
            return TiffLevel(page.imagewidth, page.imagelength, page.imagewidth, rows, decode)
        width = page.tilewidth if page.is_tiled else page.imagewidth
        height = page.tilelength if page.is_tiled else page.rowsperstrip
        decode = self._chunk_decoder(pages, width, height, color)
        return TiffLevel(page.imagewidth, page.imagelength, width, height, decode)

    def _chunk_decoder(
        self,
        pages: Sequence[tifffile.TiffPage],
        width_px: int,
        height_px: int,
        color: Callable[[NDArray[Any]], RgbImage],
    ) -> Callable[[int, int], RgbImage | None]:
        page = pages[0]
        cols = -(-page.imagewidth // width_px)
        rows = -(-page.imagelength // height_px)
        separate = page.planarconfig == 2 and page.samplesperpixel > 1
        # Where each plane's chunks begin: planes follow each other in one page, or are pages.
        planes = [
            (each, plane * rows * cols)
            for each in pages
            for plane in range(page.samplesperpixel if separate else 1)
        ]

        def decode(row: int, col: int) -> RgbImage | None:
            parts = [self._segment(each, first + row * cols + col) for each, first in planes]
            found = [part for part in parts if part is not None]
            if len(found) < len(planes):
                return None
            return color(found[0] if len(found) == 1 else np.concatenate(found, axis=-1))

        return decode

    def _segment(self, page: tifffile.TiffPage, index: int) -> NDArray[Any] | None:
        count = page.databytecounts[index]
        if count == 0:
            return None
        segment, _, _ = page.decode(
            self._bytes_at(page.dataoffsets[index], count),
            index,
            jpegtables=page.jpegtables,
            jpegheader=page.jpegheader,
        )
        return None if segment is None else np.asarray(segment[0])

    def _raw_decoder(
        self, page: tifffile.TiffPage, rows: int, color: Callable[[NDArray[Any]], RgbImage]
    ) -> Callable[[int, int], RgbImage | None]:
        kind = np.dtype(page.dtype).newbyteorder(page.parent.byteorder)
        row_bytes = page.imagewidth * page.samplesperpixel * kind.itemsize

        def decode(row: int, _col: int) -> RgbImage:
            first = row * rows
            count = min(rows, page.imagelength - first)
            data = self._bytes_at(page.dataoffsets[0] + first * row_bytes, count * row_bytes)
            shape = (count, page.imagewidth, page.samplesperpixel)
            return color(np.frombuffer(data, kind).reshape(shape))

        return decode


def _cache_bytes(level: TiffLevel) -> int:
    """Return how much is worth keeping; of a picture in one compressed strip all of it."""
    n_chunks, px = 1, level.chunk_width_px * level.chunk_height_px
    for length_px, part_px, chunk_px in (
        (level.width_px, CACHE_WIDTH_PX, level.chunk_width_px),
        (level.height_px, CACHE_HEIGHT_PX, level.chunk_height_px),
    ):
        # A part begins anywhere in its first chunk.
        n_chunks *= min(-(-length_px // chunk_px), -(-part_px // chunk_px) + 1)
    return max(CACHE_BYTES, n_chunks * px * 3)


def check_page(page: tifffile.TiffPage) -> None:
    """Raise `DecoderError` if a page's pixels are stored in a way that is not supported."""
    if page.compression not in COMPRESSIONS:
        raise diagnosis.DecoderError(f"compression {page.compression!r} is not supported")
    if page.dtype not in (np.uint8, np.uint16):
        raise diagnosis.DecoderError(f"pixels of type {page.dtype} are not supported")
    if page.imagedepth > 1:
        raise diagnosis.DecoderError("volumes are not supported")
    if not page.dataoffsets:
        raise diagnosis.DecoderError("it holds no pixels")


def _is_raw(page: tifffile.TiffPage) -> bool:
    """Whether the rows of a page follow each other in the file, uncompressed."""
    if page.compression != 1 or page.is_tiled or page.planarconfig != 1 or page.fillorder != 1:
        return False
    offsets, counts = page.dataoffsets, page.databytecounts
    ends = [offset + count for offset, count in zip(offsets, counts, strict=True)]
    return bool(list(offsets[1:]) == ends[:-1])
