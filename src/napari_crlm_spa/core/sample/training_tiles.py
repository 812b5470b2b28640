"""Drawn tiles with known classes, to train with beside real ones."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_crlm_spa.core.files import write_bytes, write_text
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.sample.dyes import Dyes
from napari_crlm_spa.core.sample.varied import FORMS, varied_tissue
from napari_crlm_spa.core.sample.window import Window

TILE_PX = 224
MPP = 0.5
MANIFEST_COLUMNS = (
    "path", "class", "original_label", "slide", "x0", "y0", "mpp_slide", "split", "split_kind",
)  # fmt: skip
_SLIDES = 60
_QUALITY = 87


def write_drawn_tiles(folder: Path, per_class: int, seed: int) -> Iterator[Progress]:
    """Write drawn tiles in the layout of labeled real ones.

    Every tissue is drawn in several forms with random looks (`varied`), so that a classifier
    learns what makes a tissue rather than what one slide looks like. The tiles come from many
    drawn "slides", each with its own stain and scanner; one of them is stained as the sample
    slide. All are in the training split.

    Parameters
    ----------
    folder
        Receives ``<CLASS>/drawn-<seed>-<slide>_x<X0>_y<Y0>.jpg`` and ``manifest.csv``.
    per_class
        Tiles of each class.
    seed
        The same seed writes the same tiles.

    Yields
    ------
    Progress
        After each tile.

    Raises
    ------
    StoreError
        If the folder cannot be written.
    """
    slides = _drawn_slides(seed)
    lines = []
    total = per_class * len(FORMS)
    for class_number, name in enumerate(FORMS):
        for number in range(per_class):
            slide = number % len(slides)
            dyes = slides[slide]
            rng = np.random.default_rng((seed, class_number, number))
            tile = _drawn_tile(name, dyes, rng)
            x0, y0 = (number // len(slides)) * TILE_PX, class_number * TILE_PX
            stem = f"drawn-{seed}-{slide:02d}"
            path = f"{name}/{stem}_x{x0:05d}_y{y0:05d}.jpg"
            write_bytes(folder / path, _jpeg(tile))
            lines.append((path, name, "drawn", stem, x0, y0, MPP, "train", "drawn"))
            yield Progress("Drawing tiles", len(lines), total, "tiles")
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(MANIFEST_COLUMNS)
    writer.writerows(lines)
    write_text(folder / "manifest.csv", table.getvalue())


def _drawn_slides(seed: int) -> list[Dyes]:
    rng = np.random.default_rng(seed)
    return [Dyes.standard(), *(Dyes.random(rng) for _ in range(_SLIDES - 1))]


def _drawn_tile(name: str, dyes: Dyes, rng: np.random.Generator) -> NDArray[np.uint8]:
    x_um, y_um = rng.uniform(0, 20_000, 2)
    window = Window(float(x_um), float(y_um), TILE_PX, TILE_PX, MPP, int(rng.integers(1 << 30)))
    hematoxylin, eosin = varied_tissue(name, window, rng)
    return dyes.develop(hematoxylin, eosin, window.seed)


def _jpeg(tile: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(tile).save(stream, "JPEG", quality=_QUALITY, subsampling=0)
    return stream.getvalue()
