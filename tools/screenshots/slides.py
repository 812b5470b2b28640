"""Slides to take pictures of: the drawn sample, the same layout with other cells, and faults."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile
from PIL import Image, ImageDraw, ImageFilter

from napari_crlm_spa._tests.drawn_slides import TiffKind, halved, write_tiff
from napari_crlm_spa.core.sample import SAMPLE_MPP, SAMPLE_SEED, write_sample_slide

SEEDS = {"case-01.tif": SAMPLE_SEED, "case-02.tif": 7}
FAULTY, BROKEN = "case-03.tif", "case-04.svs"
LEVELS = 5
#: Boxes in pixels of the slide (left, top, right, bottom), on the tiles' grid.
BLURRED = (224 * 12, 224 * 9, 224 * 19, 224 * 15)
FOLDED = (224 * 33, 224 * 24, 224 * 35, 224 * 32)
PEN = ((2600, 6300), (3300, 5900), (4300, 6500), (5300, 6100), (6100, 6600))
INK, PEN_PX = (24, 92, 60), 210


def drawn_slides(folder: Path) -> Path:
    """Return a folder with four cases; those that are there are not drawn again."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, seed in SEEDS.items():
        if not (folder / name).exists():
            print("Drawing", name)
            for _ in write_sample_slide(folder / name, seed):
                pass
    if not (folder / FAULTY).exists():
        _write_faulty(folder / FAULTY, folder / "case-02.tif")
    if not (folder / BROKEN).exists():
        (folder / BROKEN).write_text("What a broken download may leave.")
    return folder


def _write_faulty(path: Path, source: Path) -> None:
    """Write a slide with a pen mark, a part out of focus and a fold."""
    picture = Image.fromarray(tifffile.imread(source, key=0))
    picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    blurred = picture.crop(BLURRED).filter(ImageFilter.GaussianBlur(5))
    picture.paste(blurred, BLURRED[:2])
    layer = np.asarray(picture.crop(FOLDED), np.float32)
    folded = (layer * layer[::-1] / 245).clip(0, 255).astype(np.uint8)
    picture.paste(Image.fromarray(folded), FOLDED[:2])
    pen = Image.new("L", picture.size)
    ImageDraw.Draw(pen).line(PEN, fill=190, width=PEN_PX, joint="curve")
    picture.paste(Image.new("RGB", picture.size, INK), mask=pen)
    levels = [np.asarray(picture)]
    while len(levels) < LEVELS:
        levels.append(halved(levels[-1]))
    write_tiff(path, levels, SAMPLE_MPP, TiffKind(tile_px=512, compression="jpeg"))
