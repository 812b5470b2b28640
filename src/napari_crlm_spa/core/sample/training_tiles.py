"""Drawn tiles with known classes, to train with beside real ones."""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_crlm_spa.core.files import write_bytes, write_text
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.sample.dyes import Dyes
from napari_crlm_spa.core.sample.varied import FORMS, varied_tissue
from napari_crlm_spa.core.sample.window import Window
from napari_crlm_spa.errors import StoreError

TILE_PX = 224
MPP = 0.5
MANIFEST_COLUMNS = (
    "path", "class", "original_label", "slide", "x0", "y0", "mpp_slide", "split", "split_kind",
)  # fmt: skip
MANIFEST = "manifest.csv"
_SLIDES = 60
_QUALITY = 87


@dataclass(frozen=True, slots=True)
class _Place:
    """A tile that is to be drawn: its file, class, drawn slide and place on it."""

    path: str
    class_name: str
    class_number: int
    number: int
    slide: int
    row: tuple[str | int | float, ...]


def write_drawn_tiles(folder: Path, per_class: int, seed: int) -> Generator[Progress, None, None]:
    """Write drawn tiles in the layout of labeled real ones.

    Every tissue is drawn in several forms with random looks (`varied`), so that a classifier
    learns what makes a tissue rather than what one slide looks like. The tiles come from many
    drawn "slides", each with its own stain and scanner; one of them is stained as the sample
    slide. All are in the training split. The manifest is written first, so that what an
    interrupted run leaves is never taken for photographs.

    Parameters
    ----------
    folder
        Receives ``<CLASS>/drawn-<seed>-<slide>_x<X0>_y<Y0>.jpg`` and ``manifest.csv``. Drawn
        tiles that are there already are replaced, or named by the manifest no longer.
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
        If the folder cannot be written, or holds tiles that are not drawn.
    """
    _refuse_other_tiles(folder)
    slides = _drawn_slides(seed)
    places = list(_places(per_class, seed))
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(MANIFEST_COLUMNS)
    writer.writerows(place.row for place in places)
    write_text(folder / MANIFEST, table.getvalue())
    for done, place in enumerate(places, start=1):
        rng = np.random.default_rng((seed, place.class_number, place.number))
        tile = _drawn_tile(place.class_name, slides[place.slide], rng)
        write_bytes(folder / place.path, _jpeg(tile))
        yield Progress("Drawing tiles", done, len(places), "tiles")


def _refuse_other_tiles(folder: Path) -> None:
    """Refuse a folder of photographed tiles: the manifest of drawn ones would hide them."""
    try:
        with (folder / MANIFEST).open(newline="", encoding="utf-8-sig") as file:
            others = any(row.get("split_kind") != "drawn" for row in csv.DictReader(file))
    except (FileNotFoundError, NotADirectoryError):
        others = any(not path.name.startswith("drawn-") for path in folder.glob("*/*.*"))
    except (OSError, UnicodeDecodeError, csv.Error):
        others = True
    if others:
        raise StoreError(
            f"{folder} holds other tiles than drawn ones. Choose another folder for these, and "
            "pass both to crlm-spa train."
        )


def _places(per_class: int, seed: int) -> Iterator[_Place]:
    for class_number, name in enumerate(FORMS):
        for number in range(per_class):
            slide = number % _SLIDES
            x0, y0 = (number // _SLIDES) * TILE_PX, class_number * TILE_PX
            stem = f"drawn-{seed}-{slide:02d}"
            path = f"{name}/{stem}_x{x0:05d}_y{y0:05d}.jpg"
            row = (path, name, "drawn", stem, x0, y0, MPP, "train", "drawn")
            yield _Place(path, name, class_number, number, slide, row)


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
