"""How each tissue looks under hematoxylin and eosin: amounts of both dyes on a window.

Sizes are micrometers, amounts of dye are such that 1 is a well stained nucleus or red cell.
They were chosen by eye beside real slides; nothing is measured with them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.sample.dyes import Dyes
from napari_crlm_spa.core.sample.nuclei import stamp
from napari_crlm_spa.core.sample.window import Floats, Window, noise_at, voronoi
from napari_crlm_spa.errors import CrlmSpaError

Amounts = tuple[Floats, Floats]


@dataclass(frozen=True, slots=True)
class Style:
    """How one patient's tissue differs from another's.

    Parameters
    ----------
    size
        Size of cells and glands, about 1.
    density
        How many nuclei there are, about 1.
    pallor
        How clear the cytoplasm is, 0-1.
    angle
        Direction in which fibers and plates run, in radians.
    """

    size: float = 1.0
    density: float = 1.0
    pallor: float = 0.3
    angle: float = 0.6

    @classmethod
    def random(cls, rng: np.random.Generator) -> Style:
        """Draw another patient."""
        return cls(
            size=float(rng.uniform(0.82, 1.2)),
            density=float(rng.uniform(0.75, 1.25)),
            pallor=float(rng.beta(1.2, 1.8)),
            angle=float(rng.uniform(0, np.pi)),
        )


def _ramp(value: Floats, low: float, high: float) -> Floats:
    """0 below `low`, 1 above `high`, straight between (also with low > high)."""
    return np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)


def _along(window: Window, style: Style, wave_um: float, scale_um: float) -> Amounts:
    """Coordinates along and across wavy fibers."""
    cos, sin = np.float32(np.cos(style.angle)), np.float32(np.sin(style.angle))
    along = window.x * cos + window.y * sin
    across = window.y * cos - window.x * sin + window.noise(scale_um, 90) * np.float32(wave_um)
    return along, across


def hepatocytes(window: Window, style: Style) -> Amounts:
    """Liver: plates of polygonal pink cells with round nuclei, and sinusoids between them."""
    spacing = 21.0 * style.size
    salt = window.seed + 11
    edge = window.coarse(1.0, lambda x, y: voronoi(x, y, spacing, salt, 0.6).edge_um)
    tint = window.coarse(4.0, lambda x, y: voronoi(x, y, spacing, salt, 0.6).tint)
    along, across = _along(window, style, 9.0, 60.0)
    plates = noise_at(along / 55, across / 26, salt + 1)
    slit = _ramp(np.abs(plates), 0.10, 0.03) * _ramp(edge, 7.0, 3.0)
    granules = window.noise(1.1, 12)
    clear = style.pallor * _ramp(window.noise(9.0, 13) + 2 * tint - 1, -0.8, 1.2)
    eosin = 0.62 + 0.16 * tint + 0.07 * granules + 0.05 * window.noise(4.0, 14)
    eosin = eosin * (1 - 0.75 * clear) + 0.22 * _ramp(edge, 1.3, 0.4)
    hematoxylin = 0.07 + 0.05 * _ramp(granules, 0.3, 1.6) + 0.03 * tint
    eosin, hematoxylin = eosin * (1 - 0.93 * slit), hematoxylin * (1 - 0.8 * slit)
    nuclei = _round_nuclei(window, spacing, salt, style)
    lining = _lining_cells(window, slit)
    hematoxylin = np.maximum(hematoxylin, np.maximum(nuclei, lining))
    red_cells = window.noise(3.0, 15)
    eosin += 0.7 * slit * _ramp(red_cells, 1.3, 1.6)
    return hematoxylin + 0.08 * granules * nuclei, np.maximum(eosin, 0.02)


def _round_nuclei(window: Window, spacing: float, salt: int, style: Style) -> Floats:
    sites = window.scatter(spacing, 0)
    sites = type(sites)(sites.cols, sites.rows, sites.spacing_um, salt)
    keep = sites.random(8) < 0.86
    sites = sites.where(keep)
    x, y = sites.positions(0.6)
    radius = (3.1 + 0.8 * sites.random(9)) * style.size
    nuclei = stamp(
        window,
        x,
        y,
        radius,
        radius * 0.95,
        sites.random(10) * 3,
        0.62 + 0.3 * sites.random(11),
        0.35,
    )
    nucleoli = stamp(
        window,
        x + 0.6,
        y - 0.4,
        *[np.full_like(x, 0.8)] * 2,
        np.zeros_like(x),
        np.full_like(x, 0.95),
    )
    return np.maximum(nuclei, nucleoli)


def _lining_cells(window: Window, slit: Floats) -> Floats:
    cells = window.scatter(13.0, 16)
    x, y = cells.positions(1.0)
    inside = _value_at(window, slit, x, y) > 0.4
    cells = cells.where(inside)
    long = 3.2 + 1.5 * cells.random(0)
    return stamp(
        window,
        x[inside],
        y[inside],
        long,
        long * 0.35,
        cells.random(1) * 3,
        0.8 + 0.2 * cells.random(2),
    )


def _value_at(window: Window, picture: Floats, x: Floats, y: Floats) -> Floats:
    """Values of a picture at places of the plane; 0 outside the window."""
    col = np.floor((x - window.x_um) / window.mpp).astype(np.int64)
    row = np.floor((y - window.y_um) / window.mpp).astype(np.int64)
    inside = (col >= 0) & (col < window.width_px) & (row >= 0) & (row < window.height_px)
    values = picture[np.clip(row, 0, window.height_px - 1), np.clip(col, 0, window.width_px - 1)]
    return np.where(inside, values, 0).astype(np.float32, copy=False)


def tumor(window: Window, style: Style) -> Amounts:
    """Adenocarcinoma: glands of crowded long nuclei about a lumen, little stroma between."""
    spacing, salt = 92.0 * style.size, window.seed + 21
    wall_um = 20.0 * style.size

    def edge_of(x: Floats, y: Floats) -> Floats:
        return voronoi(x, y, spacing, salt).edge_um

    wobble = 2.5 * window.noise(18.0, 22)
    edge = window.coarse(2.0, edge_of) + wobble
    epithelium = _ramp(edge, 3.0, 4.5)
    lumen = _ramp(edge, wall_um + 6, wall_um + 7.5) * epithelium
    debris = _ramp(window.noise(7.0, 23) + 0.6 * window.noise(1.5, 24), 0.3, 3.0)
    granules = window.noise(1.2, 25)
    strands = window.noise(3.0, 26)
    eosin = 0.42 + 0.06 * granules + 0.1 * style.pallor
    hematoxylin = 0.27 + 0.06 * granules - 0.10 * style.pallor
    eosin = eosin * (1 - lumen) + lumen * (0.03 + 0.5 * debris)
    hematoxylin = hematoxylin * (1 - lumen) + lumen * (0.02 + 0.25 * debris)
    stroma_eosin = 0.36 + 0.15 * strands
    eosin = eosin * epithelium + stroma_eosin * (1 - epithelium)
    hematoxylin = hematoxylin * epithelium + 0.10 * (1 - epithelium)
    nuclei = _gland_nuclei(window, style, spacing, salt, wall_um)
    chromatin = 1 + 0.14 * granules
    return np.maximum(hematoxylin, nuclei * chromatin), np.maximum(eosin, 0.01)


def _gland_nuclei(
    window: Window, style: Style, spacing: float, salt: int, wall_um: float
) -> Floats:
    cells = window.scatter(5.4 * style.size / style.density**0.5, 27)
    x, y = cells.positions(0.9)
    place = voronoi(x, y, spacing, salt)
    # Crowded at the base of the wall, fewer toward the lumen; spindle cells in the septa.
    base = (place.edge_um > 4.5) & (place.edge_um < 0.62 * wall_um)
    top = (place.edge_um < wall_um + 4) & (cells.random(0) < 0.25)
    septum = (place.edge_um < 3) & (cells.random(0) < 0.35)
    keep = base | ((place.edge_um > 4.5) & top) | septum
    cells, septum = cells.where(keep), septum[keep]
    size = style.size * (0.85 + 0.4 * cells.random(1))
    long = np.where(septum, 5.0, 4.6) * size
    short = np.where(septum, 1.2, 2.3) * size
    turn = np.where(septum, np.pi / 2, 0) + (cells.random(2) - 0.5) * 0.7
    return stamp(
        window,
        x[keep],
        y[keep],
        long.astype(np.float32),
        short.astype(np.float32),
        place.normal[keep] + turn.astype(np.float32),
        0.85 + 0.4 * cells.random(3),
        hollow=0.25,
    )


def stroma(window: Window, style: Style) -> Amounts:
    """Fibrous tissue: wavy pink fibers, clefts, few spindle nuclei."""
    along, across = _along(window, style, 16.0, 70.0)
    across = across + 2.0 * window.noise(14.0, 31)
    salt = window.seed + 32
    coarse = noise_at(along / 60, across / 6.5, salt)
    fine = noise_at(along / 28, across / 1.9, salt + 1)
    cleft = _ramp(coarse - 0.25 * fine + 0.25 * window.noise(25.0, 33), 0.55, 0.85)
    eosin = 0.52 + 0.14 * coarse + 0.15 * fine + 0.08 * window.noise(40.0, 34)
    eosin = eosin * (1 - 0.25 * style.pallor) * (1 - 0.9 * cleft)
    hematoxylin = (0.06 + 0.03 * fine + 0.04 * window.noise(90.0, 36)) * (1 - 0.8 * cleft)
    nuclei = _spindle_nuclei(window, style)
    return np.maximum(hematoxylin, nuclei), np.maximum(eosin, 0.02)


def _spindle_nuclei(window: Window, style: Style) -> Floats:
    cells = window.scatter(19.0 / style.density**0.5, 35)
    x, y = cells.positions(1.0)
    step = np.float32(2.0)
    wave = window.noise(70.0, 90) * np.float32(16.0)
    slope_x = np.gradient(wave, window.mpp, axis=1)
    slope_y = np.gradient(wave, window.mpp, axis=0)
    cos, sin = np.float32(np.cos(style.angle)), np.float32(np.sin(style.angle))
    # The fiber runs where "across" stays the same: at right angles to its gradient.
    across_x = _value_at(window, slope_x, x, y) - sin
    across_y = _value_at(window, slope_y, x, y) + cos
    angle = np.arctan2(-across_x, across_y) + (cells.random(0) - 0.5) * 0.4
    plump = cells.random(1) < 0.2
    long = np.where(plump, 3.6, 5.5) * (0.7 + 0.6 * cells.random(2))
    short = np.where(plump, 2.4, 1.3 / step * 2) * (0.8 + 0.4 * cells.random(3))
    return stamp(
        window,
        x,
        y,
        long.astype(np.float32),
        short.astype(np.float32),
        angle.astype(np.float32),
        0.65 + 0.35 * cells.random(4),
    )


def lymphocytes(window: Window, style: Style) -> Amounts:
    """Lymphoid tissue: small round dark nuclei, shoulder to shoulder, hardly any cytoplasm."""
    cells = window.scatter(6.7 * style.size**0.5 / style.density**0.5, 41)
    x, y = cells.positions(0.75)
    loose = window.noise(45.0, 42)
    keep = cells.random(0) < 0.97 - 0.25 * _ramp(_value_at(window, loose, x, y), 0.8, 2.0)
    cells = cells.where(keep)
    large = cells.random(1) < 0.08
    radius = np.where(large, 4.4, 2.9 + 0.5 * cells.random(2)).astype(np.float32)
    strength = np.where(large, 0.6, 0.95 + 0.3 * cells.random(3)).astype(np.float32)
    nuclei = stamp(
        window, x[keep], y[keep], radius, radius * (0.85 + 0.15 * cells.random(4)),
        cells.random(5) * 3, strength, 0.2,
    )  # fmt: skip
    granules = window.noise(1.1, 43)
    gap = _ramp(window.noise(6.0, 44) + 0.5 * loose, 1.0, 1.7)
    eosin = (0.34 + 0.08 * granules + 0.1 * window.noise(12.0, 45)) * (1 - 0.8 * gap)
    hematoxylin = (0.17 + 0.05 * granules) * (1 - 0.8 * gap)
    nuclei = nuclei * (1 + 0.16 * granules)
    return np.maximum(hematoxylin, nuclei), np.maximum(eosin, 0.02)


def mucus(window: Window, style: Style) -> Amounts:
    """Mucus: pale gray-blue pools with faint strands and a few shed cells."""
    along, across = _along(window, style, 30.0, 80.0)
    salt = window.seed + 51
    wave = 6.0 * window.noise(20.0, 52)
    sheet = noise_at(along / 90, (across + wave) / 16, salt)
    thread = noise_at(along / 45, (across + 1.6 * wave) / 9, salt + 1)
    net = window.noise(9.0, 53)
    strand = np.maximum(_ramp(np.abs(sheet), 0.09, 0.0), 0.6 * _ramp(np.abs(thread), 0.10, 0.0))
    strand = np.maximum(strand, 0.35 * _ramp(np.abs(net), 0.14, 0.0))
    hematoxylin = 0.06 + 0.04 * style.pallor + 0.015 * window.noise(35.0, 54) + 0.10 * strand
    eosin = 0.015 + 0.03 * style.pallor + 0.04 * strand
    cells = window.scatter(34.0, 55)
    cells = cells.where(cells.random(0) < 0.3 * style.density)
    x, y = cells.positions(1.0)
    radius = 0.8 + 2.4 * cells.random(1) ** 2
    shed = stamp(
        window, x, y, radius * 1.3, radius, cells.random(2) * 3, 0.5 + 0.4 * cells.random(3)
    )
    return np.maximum(hematoxylin, shed), np.maximum(eosin + 0.15 * (shed > 0.2), 0)


def debris(window: Window, style: Style) -> Amounts:
    """Necrosis: pink-purple granular matter, ghosts of cells, dust of broken nuclei."""
    lumps, grains = window.noise(5.0, 61), window.noise(1.3, 62)
    drift = window.noise(50.0, 63)
    holes = _ramp(window.noise(3.2, 64) - 0.25 * drift, 1.25, 1.7)
    eosin = 0.66 + 0.13 * lumps + 0.15 * grains + 0.08 * drift - 0.15 * style.pallor
    hematoxylin = 0.15 + 0.05 * drift + 0.08 * _ramp(lumps, -0.5, 1.5) + 0.07 * grains
    eosin, hematoxylin = eosin * (1 - 0.75 * holes), hematoxylin * (1 - 0.75 * holes)
    dust = window.scatter(5.2, 65)
    x, y = dust.positions(1.0)
    share = 0.3 * style.density * (1 + 0.6 * np.sin(x / 37) * np.sin(y / 29))
    keep = dust.random(0) < share
    dust = dust.where(keep)
    radius = (0.5 + 1.4 * dust.random(1) ** 2).astype(np.float32)
    specks = stamp(
        window, x[keep], y[keep], radius * 1.25, radius, dust.random(2) * 3,
        0.55 + 0.5 * dust.random(3), soft_um=0.8,
    )  # fmt: skip
    return np.maximum(np.maximum(hematoxylin, specks), 0.01), np.maximum(eosin, 0.02)


def glass(window: Window, style: Style) -> Amounts:
    """Empty glass: next to nothing, now and then a speck of dust."""
    shade = 0.006 + 0.003 * window.noise(60.0, 71)
    specks = window.scatter(60.0, 72)
    specks = specks.where(specks.random(0) < 0.1 * style.density)
    x, y = specks.positions(1.0)
    radius = 0.6 + 1.2 * specks.random(1)
    dust = stamp(window, x, y, radius, radius * 0.7, specks.random(2) * 3, 0.15 * specks.random(3))
    return np.maximum(shade + dust, 0), np.maximum(shade, 0)


TEXTURES: dict[str, Callable[[Window, Style], Amounts]] = {
    "BACK": glass,
    "DEB": debris,
    "HEP": hepatocytes,
    "LYM": lymphocytes,
    "MUC": mucus,
    "STR": stroma,
    "TUM": tumor,
}


def texture(class_name: str) -> Callable[[Window, Style], Amounts]:
    """The drawing of one tissue.

    Raises
    ------
    CrlmSpaError
        If no drawing exists for the class.
    """
    try:
        return TEXTURES[class_name]
    except KeyError:
        raise CrlmSpaError(
            f"There is no drawing of {class_name!r}; there are drawings of {', '.join(TEXTURES)}."
        ) from None


def draw_tile(
    class_name: str,
    rng: np.random.Generator,
    size_px: int = 224,
    mpp: float = 0.5,
    *,
    dyes: Dyes | None = None,
    style: Style | None = None,
) -> NDArray[np.uint8]:
    """Draw a tile of one tissue.

    Parameters
    ----------
    class_name
        One of the seven classes of CRLM-SPA.
    rng
        Chooses the place, and the stain and style where these are not given.
    size_px, mpp
        Size and resolution of the tile.
    dyes, style
        Stain and patient; drawn at random if None.

    Returns
    -------
    ndarray of uint8, shape (size_px, size_px, 3)

    Raises
    ------
    CrlmSpaError
        If no drawing exists for the class.
    """
    draw = texture(class_name)
    dyes = dyes or Dyes.random(rng)
    style = style or Style.random(rng)
    x_um, y_um = rng.uniform(0, 20_000, 2)
    seed = int(rng.integers(1 << 30))
    window = Window(float(x_um), float(y_um), size_px, size_px, mpp, seed)
    hematoxylin, eosin = draw(window, style)
    return dyes.develop(hematoxylin, eosin, seed)
