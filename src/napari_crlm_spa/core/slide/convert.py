"""Turn a giant without smaller levels into a slide that can be looked at.

Writes a tiled JPEG TIFF with levels 2, 4, 8 ... times smaller, which OpenSlide, QuPath and this
package read. Level 0 is read once, band by band; smaller levels wait in a temporary file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Event
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from napari_crlm_spa.core.files import atomic_path
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.slide.contract import RgbImage, Slide
from napari_crlm_spa.core.slide.open import open_slide
from napari_crlm_spa.errors import StoreError

TILE_PX = 512
#: JPEG quality; at 90 H&E shows no difference to the eye. Our choice.
QUALITY = 90
#: The coarsest level's longer side is at most this.
COARSEST_PX = 1024
#: Tiles that wait for the compressor.
_WAITING = 64
_POLL_S = 0.1
_STAGE = "Writing the pyramid"

#: Returns rows y to y + height of a level.
RowReader = Callable[[int, int], RgbImage]


def convert_to_pyramid(
    source: Path | str,
    target: Path | str,
    *,
    mpp: float | None = None,
    decoder: str = "auto",
    quality: int = QUALITY,
) -> Generator[Progress, None, None]:
    """Write a pyramidal TIFF from any image that can be opened.

    Parameters
    ----------
    source
        A slide or picture; giants are welcome.
    target
        The TIFF to write, ``.tif`` or ``.tiff``. It appears when it is complete.
    mpp
        The user's pixel size; otherwise that of the source is carried over, if it has one.
    decoder
        Which library reads the source, see `open_slide`.
    quality
        JPEG quality, 1 to 100.

    Yields
    ------
    Progress
        In tiles. Closing the generator stops the work and leaves nothing behind.

    Raises
    ------
    SlideError
        If the source cannot be read.
    StoreError
        If the target cannot be written.
    """
    source, target = Path(source), Path(target)
    if target.suffix.lower() not in (".tif", ".tiff"):
        raise StoreError(f"{target.name} would be a TIFF: let its name end in .tif.")
    if target.exists() and source.exists() and target.samefile(source):
        raise StoreError(f"{target.name} is the source itself. Choose another name.")
    with (
        open_slide(source, mpp=mpp, decoder=decoder, allow_huge=True) as slide,
        atomic_path(target) as path,
    ):
        sizes = _sizes(slide.info.width_px, slide.info.height_px)
        total = sum(_n_tiles(*size) for size in sizes)
        done = 0
        for tile_count in _write_levels(slide, sizes, path, quality):
            done += tile_count
            yield Progress(_STAGE, done, total, "tiles")


def _write_levels(
    slide: Slide, sizes: list[tuple[int, int]], path: Path, quality: int
) -> Iterator[int]:
    """Write all levels; yields the number of tiles handed over since the last time."""
    rows = _slide_rows(slide)
    # BigTIFF wherever the compressed tiles might pass the 4 GB of a classic one.
    big = slide.info.width_px * slide.info.height_px > 2_000_000_000
    with (
        tempfile.TemporaryDirectory(dir=path.parent, prefix=".pyramid-") as folder,
        tifffile.TiffWriter(path, bigtiff=big) as writer,
    ):
        for level, (width, height) in enumerate(sizes):
            smaller = None
            if level + 1 < len(sizes):
                next_width, next_height = sizes[level + 1]
                name = Path(folder) / f"{level + 1}.raw"
                shape = (next_height, next_width, 3)
                smaller = np.memmap(name, np.uint8, "w+", shape=shape)
            options = _page_options(slide, level, quality)
            yield from _write_page(writer, rows, width, height, smaller, options)
            if smaller is not None:
                rows = _array_rows(smaller)


def _write_page(
    writer: tifffile.TiffWriter,
    rows: RowReader,
    width_px: int,
    height_px: int,
    smaller: RgbImage | None,
    options: dict[str, Any],
) -> Iterator[int]:
    """Feed one level to the writer, which works in a thread of its own."""
    queue: Queue[RgbImage | None] = Queue(_WAITING)
    stop = Event()
    pool = ThreadPoolExecutor(1, "pyramid-writer")
    shape = (height_px, width_px, 3)
    written = pool.submit(writer.write, _taken(queue, stop), shape=shape, dtype=np.uint8, **options)
    try:
        for y in range(0, height_px, TILE_PX):
            band = rows(y, min(TILE_PX, height_px - y))
            if smaller is not None:
                _reduce_into(smaller, band, y)
            for x in range(0, width_px, TILE_PX):
                _put(queue, _full_tile(band[:, x : x + TILE_PX]), written)
            yield -(-width_px // TILE_PX)
        _put(queue, None, written)
        written.result()
    finally:
        stop.set()
        pool.shutdown(wait=True)


def _taken(queue: Queue[RgbImage | None], stop: Event) -> Iterator[RgbImage]:
    while not stop.is_set():
        try:
            tile = queue.get(timeout=_POLL_S)
        except Empty:
            continue
        if tile is None:
            return
        yield tile


def _put(queue: Queue[RgbImage | None], tile: RgbImage | None, written: Future[Any]) -> None:
    """Hand a tile over, unless the writer has failed: then raise what it raised."""
    while True:
        try:
            queue.put(tile, timeout=_POLL_S)
            return
        except Full:
            if written.done():
                written.result()


def _slide_rows(slide: Slide) -> RowReader:
    width = slide.info.width_px
    return lambda y, height: slide.read_level(0, 0, y, width, height)


def _array_rows(array: RgbImage) -> RowReader:
    return lambda y, height: array[y : y + height]


def _reduce_into(smaller: RgbImage, band: RgbImage, y_px: int) -> None:
    """Average 2 x 2 pixels; an odd last row or column is dropped, as scanners do."""
    even = band[: band.shape[0] // 2 * 2, : band.shape[1] // 2 * 2]
    if even.size:
        reduced = np.asarray(Image.fromarray(np.ascontiguousarray(even)).reduce(2))
        smaller[y_px // 2 : y_px // 2 + reduced.shape[0]] = reduced


def _full_tile(part: RgbImage) -> RgbImage:
    """Fill a tile at the edge by repeating its last row and column: JPEG then rings least."""
    missing = ((0, TILE_PX - part.shape[0]), (0, TILE_PX - part.shape[1]), (0, 0))
    return np.ascontiguousarray(np.pad(part, missing, mode="edge"))


def _page_options(slide: Slide, level: int, quality: int) -> dict[str, Any]:
    options: dict[str, Any] = {
        "tile": (TILE_PX, TILE_PX),
        "photometric": "rgb",
        "compression": "jpeg",
        "compressionargs": {"level": quality},
        "subfiletype": 1 if level else 0,
        "metadata": None,
    }
    size = slide.info.pixel_size
    if size is not None:
        per_cm = (10_000 / (size.x_um * 2**level), 10_000 / (size.y_um * 2**level))
        options |= {"resolution": per_cm, "resolutionunit": "CENTIMETER"}
    return options


def _sizes(width_px: int, height_px: int) -> list[tuple[int, int]]:
    sizes = [(width_px, height_px)]
    while max(sizes[-1]) > COARSEST_PX and min(sizes[-1]) > 1:
        sizes.append((sizes[-1][0] // 2, sizes[-1][1] // 2))
    return sizes


def _n_tiles(width_px: int, height_px: int) -> int:
    return -(-width_px // TILE_PX) * -(-height_px // TILE_PX)
