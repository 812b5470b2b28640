"""What is measured on a block of tiles: sharpness, darkness, ink, air."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_crlm_spa.core.slide.contract import RgbImage
from napari_crlm_spa.core.tiles import TilingOptions, blank_fraction

Floats = NDArray[np.float32]

#: Ink and air are seen on pixels so many times coarser than those of the sharpness, darkness on
#: pixels twice as coarse again, where single nuclei no longer make a difference.
COARSER = 4
#: The share of a tile that is at least as dark as its `darkness`.
DARK_SHARE = 0.2
#: Keeps the ratio of energies finite on glass; far below the energy of any tissue.
_LEAST_ENERGY = 1e-6
#: Optical densities of ink, also where it lies over tissue. H&E absorbs green most; green and blue
#: ink absorb more red, black ink absorbs all alike, red ink spares red and absorbs blue nearly like
#: green. Ours: as wide as no labeled tile of real tissue is taken for ink, see
#: docs/methods/quality.md.
_BLUE_LEAST, _BLUE_OVER_GREEN = 0.35, 1.15
_BLACK_LEAST, _BLACK_SPREAD = 0.4, 0.3
_RED_LEAST, _RED_BLUE_OVER_GREEN, _RED_RED_OVER_GREEN = 0.9, 0.7, 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Numbers of tiles, each of shape (rows, cols, ...), float32; nan where not measured.

    Parameters
    ----------
    sharpness
        log10 of the energy of the Laplacian over the energy between Gaussians of 1 and 2 px, both
        of the mean optical density. A blur takes the finest detail first, so the ratio falls;
        faint and strong staining divide out, which is why it can be compared within a class.
    darkness
        Shape (rows, cols, 3): the optical density of red, green and blue that a fifth of the
        tile reaches.
    pen, air
        Share of the tile.
    """

    sharpness: Floats
    darkness: Floats
    pen: Floats
    air: Floats

    @classmethod
    def nothing(cls, rows: int, cols: int) -> Measured:
        """Start with nothing measured."""
        shapes = [(rows, cols), (rows, cols, 3), (rows, cols), (rows, cols)]
        return cls(*(np.full(shape, np.nan, np.float32) for shape in shapes))

    def put(self, rows: slice, cols: slice, part: Measured, wanted: NDArray[np.bool_]) -> None:
        """Enter the wanted tiles of a block in place."""
        for name in ("sharpness", "darkness", "pen", "air"):
            getattr(self, name)[rows, cols][wanted] = getattr(part, name)[wanted]


def measure_block(pixels: RgbImage, rows: int, cols: int, with_sharpness: bool) -> Measured:
    """Measure a block of `rows` x `cols` whole tiles.

    Parameters
    ----------
    pixels
        Shape (rows * side, cols * side, 3), uint8, the side a multiple of twice `COARSER`.
    rows, cols
        Tiles of the block.
    with_sharpness
        False if the slide is too coarse to tell.
    """
    side = pixels.shape[0] // rows
    coarse = _reduced(pixels.astype(np.float32), COARSER)
    density = optical_density(coarse)
    sharpness = _sharpness(pixels, rows, cols) if with_sharpness else np.full((rows, cols), np.nan)
    tiles = _split(np.rint(coarse), rows, cols).reshape(rows * cols, side // COARSER, -1, 3)
    air = blank_fraction(tiles.astype(np.uint8), TilingOptions()).reshape(rows, cols)
    return Measured(
        sharpness=sharpness.astype(np.float32),
        darkness=_darkness(density, rows, cols),
        pen=_tile_mean(is_ink(density).astype(np.float32), rows, cols),
        air=air.astype(np.float32),
    )


def optical_density(pixels: Floats) -> Floats:
    """-log10 of the light that passes; 0 is white, 2.4 black."""
    density: Floats = -np.log10((pixels + 1) / np.float32(256))
    return density


def is_ink(density: Floats) -> NDArray[np.bool_]:
    """Pixels of a pen; `density` has the channels last."""
    red, green, blue = np.moveaxis(density, -1, 0)
    least, most = density.min(axis=-1), density.max(axis=-1)
    bluish = (red >= _BLUE_LEAST) & (red >= _BLUE_OVER_GREEN * green)
    black = (least >= _BLACK_LEAST) & (most - least <= _BLACK_SPREAD * most)
    reddish = (
        (green >= _RED_LEAST)
        & (blue >= _RED_BLUE_OVER_GREEN * green)
        & (red <= _RED_RED_OVER_GREEN * green)
    )
    return np.asarray(bluish | black | reddish)


def _sharpness(pixels: RgbImage, rows: int, cols: int) -> Floats:
    density = optical_density(pixels.astype(np.float32)).mean(axis=-1)
    fine = ndimage.gaussian_filter(density, 1.0, truncate=3.0)
    coarser = ndimage.gaussian_filter(density, 2.0, truncate=3.0)
    finest = _tile_mean(ndimage.laplace(density) ** 2, rows, cols)
    middle = _tile_mean((fine - coarser) ** 2, rows, cols)
    ratio: Floats = np.log10((finest + _LEAST_ENERGY) / (middle + _LEAST_ENERGY))
    return ratio


def _darkness(density: Floats, rows: int, cols: int) -> Floats:
    tiles = _split(_reduced(density, 2), rows, cols).reshape(rows, cols, -1, 3)
    return np.asarray(np.quantile(tiles, 1 - DARK_SHARE, axis=2), np.float32)


def _reduced(picture: Floats, by: int) -> Floats:
    height, width = picture.shape[0] // by, picture.shape[1] // by
    cells = picture.reshape(height, by, width, by, *picture.shape[2:])
    return np.asarray(cells.mean(axis=(1, 3)))


def _split(picture: Floats, rows: int, cols: int) -> Floats:
    """Cut a picture into tiles, shape (rows, cols, height, width, ...)."""
    height, width = picture.shape[0] // rows, picture.shape[1] // cols
    cells = picture.reshape(rows, height, cols, width, *picture.shape[2:])
    return np.ascontiguousarray(cells.swapaxes(1, 2))


def _tile_mean(picture: Floats, rows: int, cols: int) -> Floats:
    cells = picture.reshape(rows, picture.shape[0] // rows, cols, picture.shape[1] // cols)
    return np.asarray(cells.mean(axis=(1, 3)), np.float32)
