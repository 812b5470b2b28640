"""A painted metastasis with a thin capsule, and a classifier that names a tile after most of it."""

import numpy as np

from napari_crlm_spa._tests.painted_slide import PALETTE, PX
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.precision import AS_TRAINED
from napari_crlm_spa.core.classifier.protocol import TilePredictions
from napari_crlm_spa.core.pipeline.front_band import FrontSource
from napari_crlm_spa.core.spatial.interface import InterfaceOptions
from napari_crlm_spa.core.store import load_analysis

MPP = 0.5
#: Side of a tile: a seventh of the real 112 µm, so all lengths here are a seventh of real ones.
TILE_UM = PX * MPP
#: Pixels of one cell of the drawn truth, and its side.
CELL_PX = 4
CELL_UM = CELL_PX * MPP
#: The interface's limits for tiles of that size.
SMALL = InterfaceOptions(
    cleaning="none",
    closing_um=30.0,
    min_tumor_tiles=1,
    min_liver_mm2=0.0,
    fill_liver_mm2=0.0,
    smooth_um=40.0,
    min_interface_mm=0.0,
)


def disc(capsule_um=14.0, tiles=30, radius_um=150.0):
    """Codes at `CELL_UM`: a disc of tumor in liver, a capsule around its right half."""
    side = tiles * PX // CELL_PX
    y, x = (np.mgrid[:side, :side] + 0.5) * CELL_UM - tiles * TILE_UM / 2
    away = np.hypot(x, y) - radius_um
    codes = np.full((side, side), CRLM7.code("HEP"), np.uint8)
    codes[(away < capsule_um) & (x > 0)] = CRLM7.code("STR")
    codes[away < 0] = CRLM7.code("TUM")
    codes[:20, :20] = 0  # a corner of glass
    return codes


def paint_fine(codes, path):
    """Write codes as a PNG, white where there is no tissue."""
    from PIL import Image

    colors = np.concatenate([[[255, 255, 255]], PALETTE]).astype(np.uint8)
    Image.fromarray(colors[codes].repeat(CELL_PX, axis=0).repeat(CELL_PX, axis=1)).save(path)
    return path


class Voter:
    """Says of a tile what most of its pixels are."""

    device = "cpu"
    batch_size = 16
    unsettled = False
    precision = AS_TRAINED

    def __init__(self, card):
        self.card = card
        self.asked = 0

    def predict(self, tiles):
        self.asked += len(tiles)
        return TilePredictions.of(shares(tiles).astype(np.float32))


def shares(tiles):
    """Share of each class in tiles (n, px, px, 3)."""
    far = np.abs(tiles[:, :, :, None].astype(np.int16) - PALETTE.astype(np.int16)).sum(axis=-1)
    nearest = np.where(far.min(axis=-1) < 30, far.argmin(axis=-1), -1).reshape(len(tiles), -1)
    counts = np.stack([(nearest == code).sum(axis=1) for code in range(len(PALETTE))], axis=1)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def source_of(folder, **more):
    """The analysis in a folder as the front band takes it."""
    stored = load_analysis(folder)
    given = {"tissue_map": stored.tissue_map, "place": folder, **more}
    return FrontSource(folder=folder, run=stored.run, **given)


def drive(work):
    """Run slow work to its end; its result and its reports."""
    steps = []
    while True:
        try:
            steps.append(next(work))
        except StopIteration as end:
            return end.value, steps
