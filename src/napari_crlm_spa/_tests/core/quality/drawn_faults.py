"""A drawn slide of six tissues, a block of each, with faults at known tiles."""

import numpy as np
from scipy import ndimage

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.quality import mark_quality
from napari_crlm_spa.core.sample import Dyes, Style, draw_tile
from napari_crlm_spa.core.slide import ArraySlide
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.core.tissue_map import TissueMap

TISSUES = ("DEB", "HEP", "LYM", "MUC", "STR", "TUM")
#: Each tissue is a block of so many rows of tiles across the slide, drawn without seams.
ROWS_EACH, COLS = 6, 6
TILE_PX, MPP = 224, 0.5
SHAPE = (len(TISSUES) * ROWS_EACH, COLS)


def drawn_tiles(seed=5):
    """Tiles of one patient and stain, shape (rows, cols, 224, 224, 3), and their class codes."""
    rng = np.random.default_rng(seed)
    dyes, style = Dyes.standard(), Style()
    blocks = [draw_tile(name, rng, COLS * TILE_PX, MPP, dyes=dyes, style=style) for name in TISSUES]
    codes = np.repeat([CRLM7.code(name) for name in TISSUES], ROWS_EACH * COLS)
    return cut(np.concatenate(blocks)), codes.astype(np.uint8).reshape(SHAPE)


def cut(picture):
    """Cut a slide into its tiles."""
    rows, cols = picture.shape[0] // TILE_PX, picture.shape[1] // TILE_PX
    tiles = picture.reshape(rows, TILE_PX, cols, TILE_PX, 3).swapaxes(1, 2)
    return np.ascontiguousarray(tiles)


def joined(tiles):
    """Put tiles together to the slide, shape (height, width, 3)."""
    rows, cols = tiles.shape[:2]
    return tiles.swapaxes(1, 2).reshape(rows * TILE_PX, cols * TILE_PX, 3)


def blurred(picture, sigma_um):
    """A picture out of focus, as by a Gaussian."""
    sigma = sigma_um / MPP
    return ndimage.gaussian_filter(picture, (sigma, sigma, 0), mode="nearest")


def blurred_left(tiles, n_cols, sigma_um):
    """Tiles whose first columns are out of focus."""
    sharp = joined(tiles).copy()
    sharp[:, : n_cols * TILE_PX] = blurred(sharp[:, : n_cols * TILE_PX], sigma_um)
    return cut(sharp)


def folded(tile, other):
    """Two layers of tissue: the light passes both."""
    return (tile.astype(np.float32) * other.astype(np.float32) / 245).clip(0, 255).astype(np.uint8)


def as_map(codes, probabilities=None):
    """A tissue map of known classes."""
    shares = np.zeros((*codes.shape, len(CRLM7)), np.float16)
    rows, cols = np.nonzero(codes)
    shares[rows, cols, codes[rows, cols] - 1] = 1
    return TissueMap(
        classes=codes,
        probabilities=shares if probabilities is None else probabilities,
        strangeness=np.full(codes.shape, np.nan, np.float16),
        state=np.where(codes > 0, TileState.CLASSIFIED, TileState.GLASS).astype(np.uint8),
        edge=np.zeros(codes.shape, np.bool_),
        stride_um=TILE_PX * MPP,
        origin_um=(0.0, 0.0),
        scheme=CRLM7,
    )


def marks_of(tiles, codes, options=None, mpp=MPP):
    """Quality of a slide made of these tiles."""
    with ArraySlide(joined(tiles), mpp=mpp) as slide:
        return to_end(mark_quality(slide, as_map(codes), options))


def to_end(work):
    """Drive a generator to its end and return its result."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value
