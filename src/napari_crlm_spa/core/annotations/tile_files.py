"""Reading the labeled tiles of one slide and writing them as images, in threads."""

from __future__ import annotations

import hashlib
import io
from collections import Counter, deque
from collections.abc import Container, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from napari_crlm_spa.core.annotations.class_names import known_name
from napari_crlm_spa.core.annotations.options import ExportOptions
from napari_crlm_spa.core.annotations.tile_plan import BLANK, UNREADABLE, LabeledPlan, PlannedTile
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.files import write_bytes
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.slide import RgbImage, Slide
from napari_crlm_spa.core.tiles import TileGrid, blank_fraction, read_tile
from napari_crlm_spa.errors import UnreadableSlide

#: What classes of glass and blank ground are called, in this package's schemes.
_BACKGROUND = "BACK"
#: On tissue the strongest compression takes twice the time and gives files 5 % larger (measured).
_PNG_LEVEL = 1


@dataclass(frozen=True, slots=True)
class WrittenTile:
    """A tile on disk: what was planned, its path from the folder, the SHA-256 of the file."""

    tile: PlannedTile
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class _Work:
    slide: Slide
    grid: TileGrid
    folder: Path
    finished: Container[str]
    options: ExportOptions


def write_tiles(
    slide: Slide,
    plan: LabeledPlan,
    paths: Sequence[str],
    folder: Path,
    options: ExportOptions,
    *,
    finished: Container[str] = (),
    stage: str = "Writing tiles",
) -> Generator[Progress, None, tuple[list[WrittenTile], dict[str, int]]]:
    """Write the planned tiles of a slide as images.

    The pixels are those that the pipeline reads, before any change of the stain. Only as many
    tiles are held in memory as there are threads.

    Parameters
    ----------
    slide
        Open.
    plan
        Which tiles.
    paths
        Of each tile, from the folder.
    folder
        Of the export.
    options
        Image format, the blank rule, threads.
    finished
        Paths that an interrupted export wrote already: taken as they are.
    stage
        What `Progress` calls it.

    Returns
    -------
    list of WrittenTile, dict of int
        What was written, in the plan's order, and how many tiles were left out, by reason.

    Raises
    ------
    UnreadableSlide
        If not one tile could be read.
    DiskFull, FolderNotWritable
        As they come.
    """
    work = _Work(slide, plan.grid, folder, finished, options)
    written: list[WrittenTile] = []
    left_out: Counter[str] = Counter()
    problem: UnreadableSlide | None = None
    pool = ThreadPoolExecutor(options.reader_threads, thread_name_prefix="tile-writer")
    waiting: deque[tuple[PlannedTile, str, Future[str]]] = deque()
    planned = iter(zip(plan.tiles, paths, strict=True))

    def refill() -> None:
        while len(waiting) < 4 * options.reader_threads:
            following = next(planned, None)
            if following is None:
                return
            waiting.append((*following, pool.submit(_write_one, work, *following)))

    try:
        refill()
        for done in range(1, len(plan) + 1):
            tile, path, future = waiting.popleft()
            try:
                digest = future.result()
            except UnreadableSlide as error:
                left_out[UNREADABLE] += 1
                problem = error
            else:
                if digest:
                    written.append(WrittenTile(tile, path, digest))
                else:
                    left_out[BLANK] += 1
            refill()
            yield Progress(stage, done, len(plan), "tiles")
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    if problem is not None and left_out[UNREADABLE] == len(plan):
        raise problem
    return written, dict(left_out)


def _write_one(work: _Work, tile: PlannedTile, inside: str) -> str:
    """Write one tile and return its SHA-256; "" if it is blank."""
    path = work.folder / inside
    if inside in work.finished:
        try:
            return hashlib.sha256(path.read_bytes()).hexdigest()
        except FileNotFoundError:
            pass  # it was not reached, or is blank
    pixels = read_tile(work.slide, work.grid, tile.row, tile.col)
    if _is_blank(pixels, tile.class_name, work.options):
        return ""
    data = encoded(pixels, work.options)
    write_bytes(path, data)
    return hashlib.sha256(data).hexdigest()


def _is_blank(pixels: RgbImage, class_name: str, options: ExportOptions) -> bool:
    is_background = known_name(class_name, CRLM7) == _BACKGROUND
    if options.blank == "keep" or (options.blank == "background" and is_background):
        return False
    tiling = options.tiling
    return bool(blank_fraction(pixels[None], tiling)[0] > tiling.blank_max)


def encoded(pixels: RgbImage, options: ExportOptions) -> bytes:
    """Return the bytes of an image file."""
    stream = io.BytesIO()
    if options.image == "png":
        Image.fromarray(pixels).save(stream, "PNG", compress_level=_PNG_LEVEL)
    else:
        quality = options.jpeg_quality
        Image.fromarray(pixels).save(stream, "JPEG", quality=quality, subsampling=0)
    return stream.getvalue()
