"""The sample slide as a file: a pyramid that OpenSlide and this package read as any other."""

from __future__ import annotations

import io
import os
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from napari_crlm_spa.core.files import atomic_path
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.sample.dyes import Dyes
from napari_crlm_spa.core.sample.layout import (
    SAMPLE,
    Layout,
    stray_lymphocytes,
    tissue_weights,
)
from napari_crlm_spa.core.sample.nuclei import stamp
from napari_crlm_spa.core.sample.style import Amounts, Style, value_at
from napari_crlm_spa.core.sample.textures import TEXTURES
from napari_crlm_spa.core.sample.window import Floats, Window
from napari_crlm_spa.core.slide.contract import RgbImage

Corner = tuple[int, int]

SAMPLE_NAME = "sample-liver-metastasis.tif"
SAMPLE_MPP = 0.5
SAMPLE_SEED = 2023
LEVELS = 5
_TILE_PX = 512
# What lies just outside decides how a nucleus at the border is turned.
_MARGIN_PX = 16
_QUALITY = 75


def draw_region(
    x_px: int,
    y_px: int,
    width_px: int,
    height_px: int,
    seed: int = SAMPLE_SEED,
    layout: Layout = SAMPLE,
) -> RgbImage:
    """Draw a part of a drawn slide, by default of the sample slide.

    Parameters
    ----------
    x_px, y_px, width_px, height_px
        The part, in pixels of the slide (0.5 µm).
    seed
        Another seed draws other cells in the same layout.
    layout
        Which tissue lies where.

    Returns
    -------
    ndarray of uint8, shape (height_px, width_px, 3)
    """
    window = Window(
        (x_px - _MARGIN_PX) * SAMPLE_MPP,
        (y_px - _MARGIN_PX) * SAMPLE_MPP,
        width_px + 2 * _MARGIN_PX,
        height_px + 2 * _MARGIN_PX,
        SAMPLE_MPP,
        seed,
    )
    hematoxylin, eosin = _blend(
        window, tissue_weights(window, layout), stray_lymphocytes(window, layout)
    )
    thickness = 1 + 0.05 * window.noise(700.0, 1)
    inner = (slice(_MARGIN_PX, -_MARGIN_PX), slice(_MARGIN_PX, -_MARGIN_PX))
    salt = seed + 31 * x_px + 17 * y_px
    return Dyes.standard().develop(
        (hematoxylin * thickness)[inner], (eosin * thickness)[inner], salt
    )


def _blend(window: Window, weights: dict[str, Floats], density: Floats | None) -> Amounts:
    hematoxylin, eosin = np.zeros(window.shape, np.float32), np.zeros(window.shape, np.float32)
    for name, weight in weights.items():
        blue, pink = TEXTURES[name](window, Style())
        hematoxylin += weight * blue
        eosin += weight * pink
    if density is not None:
        on_tissue = 1 - weights.get("BACK", 0) - weights.get("MUC", 0)
        hematoxylin = np.maximum(hematoxylin, _stray_nuclei(window, density * on_tissue))
    return hematoxylin, eosin


def _stray_nuclei(window: Window, density: Floats) -> Floats:
    cells = window.scatter(8.0, 2)
    x, y = cells.positions(1.0)
    keep = cells.random(0) < value_at(window, density, x, y)
    cells = cells.where(keep)
    radius = 2.6 + 0.6 * cells.random(1)
    strength = 0.9 + 0.35 * cells.random(3)
    return stamp(window, x[keep], y[keep], radius, radius * 0.9, cells.random(2), strength, 0.2)


def write_sample_slide(
    path: Path, seed: int = SAMPLE_SEED, layout: Layout = SAMPLE
) -> Generator[Progress, None, None]:
    """Draw a slide, by default the sample slide, and write it as a tiled JPEG pyramid (TIFF).

    Parameters
    ----------
    path
        The file; it appears when it is complete.
    seed
        The same seed writes the same pixels.
    layout
        Which tissue lies where, and how large the slide is.

    Yields
    ------
    Progress
        After each drawn block.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    first: list[bytes] = []
    width_px, height_px = _size_px(layout)
    half = np.empty((height_px // 2, width_px // 2, 3), np.uint8)
    corners = [(x, y) for y in range(0, height_px, _TILE_PX) for x in range(0, width_px, _TILE_PX)]
    for done, ((x, y), block) in enumerate(_drawn_blocks(corners, seed, layout), start=1):
        first.append(_jpeg(block))
        height, width = block.shape[:2]
        half[y // 2 : (y + height) // 2, x // 2 : (x + width) // 2] = _halved(block)
        yield Progress("Drawing the sample slide", done, len(corners), "blocks")
    with atomic_path(path) as temporary, tifffile.TiffWriter(temporary) as tiff:
        _write_level(tiff, first, (height_px, width_px), 0)
        picture = half
        for level in range(1, LEVELS):
            tiles = [_jpeg(tile) for tile in _tiles(picture)]
            _write_level(tiff, tiles, picture.shape[:2], level)
            picture = _halved(picture)


def _size_px(layout: Layout) -> tuple[int, int]:
    """(width, height) of a drawn slide."""
    return round(layout.width_um / SAMPLE_MPP), round(layout.height_um / SAMPLE_MPP)


def _drawn_blocks(
    corners: list[Corner], seed: int, layout: Layout
) -> Iterator[tuple[Corner, RgbImage]]:
    """Draw on a few threads, in order, with no more blocks waiting than threads."""
    width_px, height_px = _size_px(layout)

    def draw(corner: Corner) -> RgbImage:
        x, y = corner
        width, height = min(_TILE_PX, width_px - x), min(_TILE_PX, height_px - y)
        return draw_region(x, y, width, height, seed, layout)

    threads = min(4, os.cpu_count() or 1)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="draw-sample")
    try:
        waiting: deque[tuple[Corner, Future[RgbImage]]] = deque()
        for corner in corners:
            waiting.append((corner, pool.submit(draw, corner)))
            if len(waiting) > threads:
                ready, block = waiting.popleft()
                yield ready, block.result()
        while waiting:
            ready, block = waiting.popleft()
            yield ready, block.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _write_level(
    tiff: tifffile.TiffWriter, tiles: list[bytes], shape: tuple[int, ...], level: int
) -> None:
    per_cm = 10_000 / (SAMPLE_MPP * 2**level)
    tiff.write(
        iter(tiles),
        shape=(*shape, 3),
        dtype=np.uint8,
        tile=(_TILE_PX, _TILE_PX),
        photometric="ycbcr",
        compression="jpeg",
        subsampling=(2, 2),
        subfiletype=1 if level else 0,
        resolution=(per_cm, per_cm),
        resolutionunit="CENTIMETER",
        description="Drawn sample of napari-crlm-spa: no patient" if level == 0 else None,
        metadata=None,
        software=False,
    )


def _tiles(picture: RgbImage) -> Iterator[RgbImage]:
    for y in range(0, picture.shape[0], _TILE_PX):
        for x in range(0, picture.shape[1], _TILE_PX):
            yield picture[y : y + _TILE_PX, x : x + _TILE_PX]


def _jpeg(tile: RgbImage) -> bytes:
    """Encode a tile, filled up with white to the full size."""
    full = np.full((_TILE_PX, _TILE_PX, 3), 244, np.uint8)
    full[: tile.shape[0], : tile.shape[1]] = tile
    stream = io.BytesIO()
    Image.fromarray(full).save(stream, "JPEG", quality=_QUALITY, subsampling=2)
    return stream.getvalue()


def _halved(picture: RgbImage) -> RgbImage:
    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    quads = picture[: 2 * height, : 2 * width].reshape(height, 2, width, 2, 3)
    total = quads.sum(axis=(1, 3), dtype=np.uint16)
    halved: RgbImage = ((total + 2) // 4).astype(np.uint8)
    return halved
