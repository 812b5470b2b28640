"""Cells side by side (epithelium, liver) and spindle cells, with everything adjustable.

Sizes are micrometers; an amount of dye of 1 is a well stained nucleus. The ranges from which
`tissues` draws them were chosen by eye beside real slides (our assumption).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_crlm_spa.core.sample.nuclei import stamp
from napari_crlm_spa.core.sample.style import Amounts, fiber_angle, ramp
from napari_crlm_spa.core.sample.window import Floats, Scatter, Window, noise_at, voronoi


@dataclass(frozen=True, slots=True, kw_only=True)
class Nuclei:
    """How nuclei look.

    Parameters
    ----------
    radius_um, spread
        Mean half axis, and how much it differs from cell to cell (of the logarithm).
    elongation
        Long by short axis.
    disorder
        How far directions differ, radians.
    strength, strength_spread
        Amount of hematoxylin, and how much it differs between cells.
    hollow, nucleolus, chromatin
        Pale middle, dark dot, coarse grain; each 0-1.
    """

    radius_um: float = 3.5
    spread: float = 0.1
    elongation: float = 1.1
    disorder: float = 3.1
    strength: float = 0.8
    strength_spread: float = 0.15
    hollow: float = 0.2
    nucleolus: float = 0.0
    chromatin: float = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Polygonal cells side by side.

    Parameters
    ----------
    spacing_um, jitter
        Width of a cell, and how irregular the cells are (0-1).
    nuclei, filled
        Their look; share of cells with a nucleus in the plane.
    off_center
        How far from the middle a nucleus may lie, as a share of the cell's width.
    eosin, basophilia
        Amounts of dye in the cytoplasm.
    granules, granule_um
        Grain of the cytoplasm.
    clear, clear_um
        How empty the cytoplasm is (0-1), in patches of that size.
    foam, foam_um
        Tiny empty bubbles in the cytoplasm (0-1), and their distance.
    membrane, membrane_um
        Dye along the cells' borders, and its width.
    gaps, gap_um
        Share of the borders that gape (sinusoids, shrinkage), and how wide.
    vacuoles, vacuole_um
        Round holes (fat, lumens) per cell, and their radius.
    """

    spacing_um: float
    jitter: float = 0.7
    nuclei: Nuclei = Nuclei()
    filled: float = 0.9
    off_center: float = 0.2
    eosin: float = 0.5
    basophilia: float = 0.1
    granules: float = 0.08
    granule_um: float = 1.2
    clear: float = 0.0
    clear_um: float = 9.0
    foam: float = 0.0
    foam_um: float = 1.5
    membrane: float = 0.15
    membrane_um: float = 0.8
    gaps: float = 0.0
    gap_um: float = 2.0
    vacuoles: float = 0.0
    vacuole_um: float = 2.0


def draw_sheet(window: Window, sheet: Sheet, salt: int) -> Amounts:
    """Draw polygonal cells; `salt` distinguishes several sheets of one plane."""
    key = window.seed + salt
    cells = window.coarse(
        1.0,
        lambda x, y: np.stack(
            [(c := voronoi(x, y, sheet.spacing_um, key, sheet.jitter)).edge_um, c.tint]
        ),
    )
    edge, tint = cells
    grain = window.noise(sheet.granule_um, salt + 1)
    fine = window.noise(0.8, salt + 2)
    eosin = sheet.eosin * (0.85 + 0.3 * tint) + sheet.granules * (grain + 0.5 * fine)
    eosin = eosin + 0.06 * window.noise(12.0, salt + 3)
    hematoxylin = sheet.basophilia * (0.7 + 0.6 * tint) * (1 + 0.4 * grain)
    empty = sheet.clear * ramp(window.noise(sheet.clear_um, salt + 4) + 1.5 * tint, -0.9, 1.1)
    if sheet.foam:
        bubbles = ramp(window.noise(sheet.foam_um, salt + 8), 0.0, 1.0) * ramp(edge, 0.4, 1.5)
        empty = np.maximum(empty, sheet.foam * bubbles)
    eosin, hematoxylin = eosin * (1 - 0.85 * empty), hematoxylin * (1 - 0.85 * empty)
    line = ramp(edge, sheet.membrane_um, 0.3 * sheet.membrane_um)
    eosin = eosin + sheet.membrane * line
    gap = _gaps(window, sheet, edge, salt)
    nuclei = _sheet_nuclei(window, sheet, key) * (1 - 0.9 * ramp(gap, 0.5, 1.0))
    hole = np.maximum(gap, _vacuoles(window, sheet, salt))
    eosin, hematoxylin = eosin * (1 - 0.95 * hole), hematoxylin * (1 - 0.95 * hole)
    nuclei = nuclei * (1 + sheet.nuclei.chromatin * (fine + 0.5 * grain))
    return np.maximum(hematoxylin, nuclei), np.maximum(eosin * (1 - 0.3 * (nuclei > 0.3)), 0.0)


def _gaps(window: Window, sheet: Sheet, edge: Floats, salt: int) -> Floats:
    if not sheet.gaps:
        return np.zeros(window.shape, np.float32)
    where = ramp(window.noise(22.0, salt + 5), 1.3 - 2.6 * sheet.gaps, 1.6 - 2.6 * sheet.gaps)
    width = sheet.gap_um * (1 + 0.4 * window.noise(9.0, salt + 6))
    opened: Floats = np.clip((width - edge) / 0.7, 0, 1) * where
    return opened


def _vacuoles(window: Window, sheet: Sheet, salt: int) -> Floats:
    if not sheet.vacuoles:
        return np.zeros(window.shape, np.float32)
    holes = window.scatter(max(3.0, 2.2 * sheet.vacuole_um), salt + 7)
    share = sheet.vacuoles * (max(3.0, 2.2 * sheet.vacuole_um) / sheet.spacing_um) ** 2
    holes = holes.where(holes.random(0) < share)
    x, y = holes.positions(0.9)
    radius = sheet.vacuole_um * (0.5 + holes.random(1))
    return stamp(window, x, y, radius, radius * 0.95, holes.random(2) * 3, np.ones_like(x))


def _sheet_nuclei(window: Window, sheet: Sheet, key: int) -> Floats:
    lattice = window.scatter(sheet.spacing_um, 0, margin_um=30.0)
    sites = Scatter(lattice.cols, lattice.rows, sheet.spacing_um, key)
    sites = sites.where(sites.random(8) < sheet.filled)
    x, y = sites.positions(sheet.jitter)
    reach = 2 * sheet.off_center * sheet.spacing_um
    x = x + reach * (sites.random(20) - 0.5)
    y = y + reach * (sites.random(21) - 0.5)
    return stamp_nuclei(window, sites, x, y, sheet.nuclei, sites.random(10) * np.pi)


def stamp_nuclei(
    window: Window, sites: Scatter, x: Floats, y: Floats, look: Nuclei, angle: Floats
) -> Floats:
    """Draw nuclei at sites; each has its own size and strength."""
    normal = (sites.random(12) + sites.random(13) + sites.random(14) - 1.5) * 2
    radius = look.radius_um * np.exp(look.spread * normal)
    stretch = np.sqrt(look.elongation * (0.85 + 0.3 * sites.random(15)))
    long, short = radius * stretch, radius / stretch
    strength = look.strength + look.strength_spread * (sites.random(16) - 0.5) * 2
    strength = np.clip(strength, 0.05, 1.6)
    turned = angle + look.disorder * (sites.random(17) - 0.5)
    body = stamp(window, x, y, long, short, turned, strength, look.hollow, soft_um=0.8)
    if not look.nucleolus:
        return body
    dot = np.maximum(0.5, 0.22 * radius)
    shift = 0.3 * radius * (sites.random(18) - 0.5)
    dark = np.where(sites.random(19) < 0.8, look.nucleolus, 0.0)
    return np.maximum(body, stamp(window, x + shift, y - shift, dot, dot, 0 * dot, dark))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spindle:
    """Elongated cells in fascicles on a fibrous ground.

    Parameters
    ----------
    spacing_um
        Mean distance of nuclei; large is poor in cells.
    nuclei
        Their look.
    angle, wave_um, bend_um
        Direction of the fascicles (radians), how far they wave, over which distance.
    eosin, basophilia
        Dye of the ground.
    fiber_um, contrast
        Width of the fibers and how clearly they show.
    clefts
        Share of empty clefts between them, 0-1.
    """

    spacing_um: float
    nuclei: Nuclei
    angle: float = 0.5
    wave_um: float = 14.0
    bend_um: float = 70.0
    eosin: float = 0.5
    basophilia: float = 0.06
    fiber_um: float = 2.0
    contrast: float = 0.15
    clefts: float = 0.2


def draw_spindle(window: Window, spindle: Spindle, salt: int) -> Amounts:
    """Draw fibers with elongated nuclei along them."""
    cos, sin = np.float32(np.cos(spindle.angle)), np.float32(np.sin(spindle.angle))
    wave = window.noise(spindle.bend_um, salt + 1) * np.float32(spindle.wave_um)
    along = window.x * cos + window.y * sin
    across = window.y * cos - window.x * sin + wave + 1.5 * window.noise(10.0, salt + 2)
    key, width = window.seed + salt, spindle.fiber_um
    coarse = noise_at(along / (22 * width), across / (3.3 * width), key + 1)
    fine = noise_at(along / (12 * width), across / width, key + 2)
    split = coarse - 0.35 * fine + 0.25 * window.noise(20.0, salt + 3)
    cleft = ramp(split, 0.75 - 0.9 * spindle.clefts, 1.0 - 0.9 * spindle.clefts)
    eosin = spindle.eosin + spindle.contrast * (coarse + fine) + 0.05 * window.noise(1.1, salt + 4)
    eosin = (eosin + 0.07 * window.noise(45.0, salt + 5)) * (1 - 0.93 * cleft)
    hematoxylin = spindle.basophilia * (1 + 0.4 * fine) * (1 - 0.9 * cleft)
    cells = window.scatter(spindle.spacing_um, salt + 6)
    cells = cells.where(cells.random(0) < 0.82)
    x, y = cells.positions(1.0)
    angle = fiber_angle(window, wave, spindle.angle, x, y)
    nuclei = stamp_nuclei(window, cells, x, y, spindle.nuclei, angle)
    nuclei = nuclei * (1 + spindle.nuclei.chromatin * window.noise(0.9, salt + 7))
    return np.maximum(hematoxylin, nuclei), np.maximum(eosin, 0.0)
