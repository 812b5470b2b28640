"""Tiles in the colors that the painted model knows; some are labeled wrongly on purpose."""

import csv

import numpy as np
import pytest
from PIL import Image

from napari_crlm_spa._tests.painted_slide import PALETTE, PX
from napari_crlm_spa.core.classes import CRLM7


def paint_tiles(folder, rows):
    """Write tiles of (slide, class, color's class, how many); return (path, class, slide)."""
    written = []
    for slide, name, color, count in rows:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            rng = np.random.default_rng([len(written)])
            noise = rng.integers(0, 3, (PX, PX, 3), np.uint8)
            path = folder / name / f"{slide}_x{len(written) * 500 + number}_y0.png"
            Image.fromarray(PALETTE[CRLM7.index(color)] + noise).save(path)
            written.append((path.relative_to(folder).as_posix(), name, slide))
    return written


ROWS = [
    *((slide, name, name, 3) for name in CRLM7.names for slide in ("alpha", "beta")),
    ("beta", "STR", "TUM", 2),
    ("gamma", "HEP", "HEP", 4),
    ("gamma", "HEP", "LYM", 1),
]


@pytest.fixture(scope="session")
def palette_tiles(tmp_path_factory):
    """Three slides, 49 tiles, three of which are of another class than labeled."""
    folder = tmp_path_factory.mktemp("palette")
    paint_tiles(folder, ROWS)
    return folder


@pytest.fixture(scope="session")
def mixed_tiles(tmp_path_factory):
    """The same with a manifest: alpha train, beta validation, gamma test."""
    folder = tmp_path_factory.mktemp("mixed")
    split = {"alpha": "train", "beta": "validation", "gamma": "test"}
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "class", "slide", "split"])
        for path, name, slide in paint_tiles(folder, ROWS):
            writer.writerow([path, name, slide, split[slide]])
    return folder
