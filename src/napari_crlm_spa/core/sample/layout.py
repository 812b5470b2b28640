"""The sample slide's truth: which tissue lies where, drawn in micrometers.

A small liver metastasis: liver on the right, a tumor nodule on the left, a rim of stroma about
it, necrosis and mucus in it and beyond, lymphocytes at the border and in a portal field, a small
satellite of tumor, glass around. Every spatial feature can be computed from it. Borders are
organic and follow no tile grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.sample.window import Floats, Window, noise_at
from napari_crlm_spa.core.tiles import TileGrid

WIDTH_UM, HEIGHT_UM = 4928.0, 4032.0
#: Resolution at which `sample_truth` states the truth.
TRUTH_MPP = 4.0
#: Width of the soft border between two tissues.
BLUR_UM = 4.0
_SALT = 2023

Distance = Callable[[Floats, Floats], Floats]


@dataclass(frozen=True, slots=True)
class Blob:
    """A roundish area with an uneven border.

    Parameters
    ----------
    x_um, y_um
        Center.
    half_width_um, half_height_um
        Half axes.
    uneven_um
        How far the border wanders.
    """

    x_um: float
    y_um: float
    half_width_um: float
    half_height_um: float
    uneven_um: float = 40.0

    def distance_um(self, x: Floats, y: Floats) -> Floats:
        """Distance to the border, roughly: negative inside."""
        right = (x - self.x_um) / self.half_width_um
        down = (y - self.y_um) / self.half_height_um
        inner = min(self.half_width_um, self.half_height_um)
        distance = (np.hypot(right, down) - 1) * inner
        reach = 3 * self.uneven_um + 60
        salt = _SALT + int(self.x_um)
        coarse = noise_at(x / reach, y / reach, salt)
        lobes = noise_at(x / (0.4 * reach + 30), y / (0.4 * reach + 30), salt + 1)
        fine = noise_at(x / 45, y / 45, salt + 2)
        uneven = self.uneven_um * (coarse + 0.45 * lobes) + np.float32(8) * fine
        return (distance + uneven).astype(np.float32)


_SECTION = Blob(2464, 2016, 2230, 1790, 90)
_NODULE = Blob(1830, 2010, 1150, 1090, 170)
_SATELLITE = Blob(3560, 3010, 220, 180, 50)
_RIM_UM = 270.0
_PORTAL = (Blob(3640, 960, 340, 240, 70), Blob(4120, 2260, 190, 260, 70))
_NECROSIS = (
    Blob(1490, 1790, 500, 410, 130),
    Blob(2350, 2500, 240, 270, 70),
    Blob(3040, 2470, 260, 290, 50),
    Blob(4110, 1570, 400, 370, 60),
)
_MUCUS = (
    Blob(1860, 3040, 580, 270, 80),
    Blob(1130, 2480, 200, 270, 60),
    Blob(3240, 3400, 310, 215, 50),
)
_LYMPH = (
    Blob(3170, 1560, 190, 360, 70),
    Blob(2650, 3260, 330, 190, 70),
    Blob(2420, 800, 330, 170, 60),
    Blob(3620, 960, 190, 135, 40),
)


def _section(x: Floats, y: Floats) -> Floats:
    """Border of the cut piece, which is rather a rounded rectangle than an ellipse."""
    right = np.abs(x - _SECTION.x_um) / _SECTION.half_width_um
    down = np.abs(y - _SECTION.y_um) / _SECTION.half_height_um
    distance = ((right**3 + down**3) ** (1 / 3) - 1) * _SECTION.half_height_um
    coarse, fine = noise_at(x / 600, y / 600, _SALT), noise_at(x / 60, y / 60, _SALT + 5)
    border: Floats = distance + _SECTION.uneven_um * coarse + np.float32(8) * fine
    return border


def _any_of(*blobs: Blob) -> Distance:
    def distance(x: Floats, y: Floats) -> Floats:
        nearest: Floats = np.minimum.reduce([blob.distance_um(x, y) for blob in blobs])
        return nearest

    return distance


def _fibrous(x: Floats, y: Floats) -> Floats:
    """Stroma: the rim about the nodule, its thickness uneven, and the portal fields."""
    thickness = _RIM_UM + 90 * noise_at(x / 500, y / 500, _SALT + 9)
    rim = _NODULE.distance_um(x, y) - thickness
    return np.minimum(rim, _any_of(*_PORTAL)(x, y))


def _outside(x: Floats, y: Floats) -> Floats:
    return -_section(x, y)


@dataclass(frozen=True, slots=True)
class Layout:
    """Which tissue lies where on a drawn slide.

    Parameters
    ----------
    width_um, height_um
        Size of the slide.
    layers
        Classes with the distance to their borders in micrometers, negative inside; painted one upon
        the other. Liver is what remains.
    lymph
        Distance to the nearest aggregate of lymphocytes, around which single ones are strewn; None
        without any.
    """

    width_um: float
    height_um: float
    layers: tuple[tuple[str, Distance], ...]
    lymph: Distance | None = None

    def truth(self) -> NDArray[np.uint8]:
        """Class codes at `TRUTH_MPP`, shape (rows, cols); glass is BACK."""
        x_axis = (np.arange(round(self.width_um / TRUTH_MPP)) + 0.5) * TRUTH_MPP
        y_axis = (np.arange(round(self.height_um / TRUTH_MPP)) + 0.5) * TRUTH_MPP
        x, y = np.meshgrid(x_axis.astype(np.float32), y_axis.astype(np.float32))
        codes = np.full(x.shape, CRLM7.code("HEP"), np.uint8)
        for name, distance in self.layers:
            codes[distance(x, y) < 0] = CRLM7.code(name)
        return codes


SAMPLE = Layout(
    WIDTH_UM,
    HEIGHT_UM,
    (
        ("STR", _fibrous),
        ("TUM", _any_of(_NODULE, _SATELLITE)),
        ("DEB", _any_of(*_NECROSIS)),
        ("MUC", _any_of(*_MUCUS)),
        ("LYM", _any_of(*_LYMPH)),
        ("BACK", _outside),
    ),
    _any_of(*_LYMPH),
)


def tissue_weights(window: Window, layout: Layout = SAMPLE) -> dict[str, Floats]:
    """How much of each tissue lies at each pixel of a part of a drawn slide.

    Parameters
    ----------
    window
        The part, in micrometers from the slide's top-left corner.
    layout
        The slide.

    Returns
    -------
    dict
        Class name -> weights of the window's shape, which add up to 1 and change softly over
        `BLUR_UM` at a border; classes that are absent there are left out.
    """
    weights: dict[str, Floats] = {"HEP": np.ones(window.shape, np.float32)}
    for name, distance in layout.layers:
        # Borders are smooth enough to be evaluated at every eighth pixel.
        cover = np.clip(0.5 - window.coarse(TRUTH_MPP, distance) / BLUR_UM, 0, 1)
        if cover.any():
            weights = {below: weight * (1 - cover) for below, weight in weights.items()}
            weights[name] = cover
    return {name: weight for name, weight in weights.items() if weight.any()}


def stray_lymphocytes(window: Window, layout: Layout = SAMPLE) -> Floats | None:
    """Density (0-1) of single lymphocytes around their aggregates; None if none are near."""
    if layout.lymph is None:
        return None
    distance = window.coarse(2 * TRUTH_MPP, layout.lymph)
    if distance.min() > 120 or distance.max() < 0:
        return None
    return np.where(distance > 0, 0.6 * np.exp(-np.maximum(distance, 0) / 30), 0)


@lru_cache(maxsize=1)
def sample_truth() -> NDArray[np.uint8]:
    """Class codes of the sample slide at `TRUTH_MPP`; glass is BACK.

    Returns
    -------
    ndarray of uint8, shape (1008, 1232); not to be written to
    """
    codes = SAMPLE.truth()
    codes.flags.writeable = False
    return codes


def truth_on_grid(grid: TileGrid) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """State the truth of each tile of the sample slide.

    Parameters
    ----------
    grid
        A grid over the sample slide, of any origin and tile size.

    Returns
    -------
    codes : ndarray of uint8, shape (rows, cols)
        The class that covers most of the tile; beyond the slide there is glass (BACK).
    pure : ndarray of bool, shape (rows, cols)
        The tile lies wholly in one tissue.
    """
    truth = sample_truth()
    glass = CRLM7.code("BACK")
    codes = np.full((grid.rows, grid.cols), glass, np.uint8)
    pure = np.zeros((grid.rows, grid.cols), bool)
    for row in range(grid.rows):
        for col in range(grid.cols):
            x_um, y_um = grid.corner_um(row, col)
            top, bottom = _cells(y_um, grid.stride_um, truth.shape[0])
            left, right = _cells(x_um, grid.stride_um, truth.shape[1])
            inside = truth[top:bottom, left:right]
            if inside.size:
                counts = np.bincount(inside.ravel())
                codes[row, col] = counts.argmax()
                pure[row, col] = counts.max() == inside.size
    return codes, pure


def _cells(start_um: float, length_um: float, limit: int) -> tuple[int, int]:
    """Truth cells that a stretch touches."""
    first = int(np.floor(start_um / TRUTH_MPP + 1e-6))
    last = int(np.ceil((start_um + length_um) / TRUTH_MPP - 1e-6))
    return max(first, 0), min(max(last, 0), limit)
