"""Tissues made of cells: liver, tumor, lymphocytes.

Sizes are micrometers; an amount of dye of 1 is a well stained nucleus or red cell. All numbers
were chosen by eye beside real slides (our assumption); nothing is measured with them.
"""

from __future__ import annotations

import numpy as np

from napari_crlm_spa.core.sample.nuclei import stamp
from napari_crlm_spa.core.sample.style import Amounts, Style, ramp, value_at
from napari_crlm_spa.core.sample.window import Floats, Scatter, Window, noise_at, voronoi


def hepatocytes(window: Window, style: Style) -> Amounts:
    """Liver: plates of polygonal pink cells with round nuclei, sinusoids, central veins."""
    spacing, salt = 21.0 * style.size, window.seed + 11
    edge = window.coarse(1.0, lambda x, y: voronoi(x, y, spacing, salt, 0.6).edge_um)
    tint = window.coarse(4.0, lambda x, y: voronoi(x, y, spacing, salt, 0.6).tint)
    vein = window.coarse(4.0, lambda x, y: voronoi(x, y, 820.0, salt + 2, 0.5).center_um)
    granules = window.noise(1.1, 12)
    clear = style.pallor * ramp(window.noise(9.0, 13) + 2 * tint - 1, -0.8, 1.2)
    zone = ramp(vein, 380.0, 60.0)
    eosin = 0.56 + 0.16 * tint + 0.08 * granules + 0.06 * window.noise(4.0, 14) + 0.08 * zone
    eosin = eosin * (1 - 0.75 * clear) + 0.2 * ramp(edge, 1.3, 0.4)
    hematoxylin = 0.07 + 0.05 * ramp(granules, 0.3, 1.6) + 0.03 * tint + 0.03 * (1 - zone)
    slit = _sinusoids(window, style, edge, salt)
    nuclei = np.maximum(_hepatocyte_nuclei(window, spacing, salt, style), _lining(window, slit))
    hole = ramp(vein + 4 * window.noise(20.0, 17), 33.0, 30.0)
    wall = ramp(vein + 4 * window.noise(20.0, 17), 40.0, 36.0) * (1 - hole)
    empty = np.maximum(slit, hole)
    eosin = eosin * (1 - 0.93 * empty) * (1 - wall) + 0.5 * wall
    hematoxylin = hematoxylin * (1 - 0.85 * empty)
    hematoxylin = np.maximum(hematoxylin, nuclei * (1 + 0.12 * granules) * (1 - hole))
    eosin += 0.7 * empty * ramp(window.noise(3.0, 15), 1.3, 1.6)
    return hematoxylin, np.maximum(eosin, 0.02)


def _sinusoids(window: Window, style: Style, edge: Floats, salt: int) -> Floats:
    """Slits between the plates, along the borders of cells."""
    cos, sin = np.float32(np.cos(style.angle)), np.float32(np.sin(style.angle))

    def course(x: Floats, y: Floats) -> Floats:
        along, across = x * cos + y * sin, y * cos - x * sin
        across = across + 12 * noise_at(x / 70, y / 70, salt + 3)
        first = noise_at(along / 75, across / 24, salt + 1)
        second = noise_at(across / 90, along / 38, salt + 4)
        return np.minimum(np.abs(first), np.abs(second) + 0.03).astype(np.float32)

    nearness = window.coarse(1.5, course)
    # Mostly a thin gap at the cells' borders, here and there a wider one.
    thin = ramp(nearness, 0.20, 0.10) * ramp(edge, 1.9, 0.9)
    wide = ramp(nearness, 0.10, 0.04) * ramp(edge, 9.0, 5.0)
    slit: Floats = np.maximum(thin * ramp(window.noise(25.0, 18), -1.0, 1.0), wide)
    return slit


def _hepatocyte_nuclei(window: Window, spacing: float, salt: int, style: Style) -> Floats:
    lattice = window.scatter(spacing, 0)
    sites = Scatter(lattice.cols, lattice.rows, spacing, salt)
    sites = sites.where(sites.random(8) < 0.86)
    x, y = sites.positions(0.6)
    radius = (2.9 + 0.9 * sites.random(9)) * style.size
    strength = 0.55 + 0.3 * sites.random(11)
    nuclei = stamp(window, x, y, radius, radius * 0.93, sites.random(10) * 3, strength, 0.35)
    dot, still = np.full_like(x, 0.8), np.zeros_like(x)
    nucleoli = stamp(window, x + 0.6, y - 0.4, dot, dot, still, np.full_like(x, 0.9))
    return np.maximum(nuclei, nucleoli)


def _lining(window: Window, slit: Floats) -> Floats:
    """Flat cells that line the sinusoids."""
    cells = window.scatter(11.0, 16)
    x, y = cells.positions(1.0)
    inside = value_at(window, slit, x, y) > 0.3
    cells = cells.where(inside)
    long = 2.8 + 1.5 * cells.random(0)
    strength = 0.8 + 0.25 * cells.random(2)
    angle = cells.random(1) * 3
    return stamp(window, x[inside], y[inside], long, long * 0.4, angle, strength)


def tumor(window: Window, style: Style) -> Amounts:
    """Adenocarcinoma: glands of crowded long nuclei about a lumen, little stroma between."""
    wall_um = 22.0 * style.size
    depth, tint = window.coarse(2.0, lambda x, y: np.stack(_glands(window, style, x, y)[:2]))
    depth = depth + 1.6 * window.noise(11.0, 22)
    epithelium = ramp(depth, 2.5, 4.0)
    # One gland in four is solid; the others' lumens differ in width.
    lumen = ramp(depth - 30 * ramp(tint, 0.28, 0.22) - 7 * (1 - tint), wall_um + 1, wall_um + 2.5)
    shed = ramp(window.noise(7.0, 23) + 0.6 * window.noise(1.5, 24), 0.5, 3.0)
    granules, strands = window.noise(1.2, 25), window.noise(3.0, 26)
    eosin = 0.42 + 0.06 * granules + 0.1 * style.pallor
    hematoxylin = 0.27 + 0.06 * granules - 0.10 * style.pallor
    eosin = eosin * (1 - lumen) + lumen * (0.03 + 0.5 * shed)
    hematoxylin = hematoxylin * (1 - lumen) + lumen * (0.02 + 0.25 * shed)
    eosin = eosin * epithelium + (0.36 + 0.15 * strands) * (1 - epithelium)
    hematoxylin = hematoxylin * epithelium + 0.08 * (1 - epithelium)
    nuclei = _gland_nuclei(window, style, wall_um) * (1 + 0.14 * granules)
    return np.maximum(hematoxylin, nuclei), np.maximum(eosin, 0.01)


def _glands(window: Window, style: Style, x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """Depth below the gland's surface, a random number of the gland, direction outward."""
    salt, spacing = window.seed + 21, 88.0 * style.size
    bent_x = x + 16 * noise_at(x / 95, y / 95, salt + 1)
    bent_y = y + 16 * noise_at(x / 95, y / 95, salt + 2)
    cells = voronoi(bent_x.astype(np.float32), bent_y.astype(np.float32), spacing, salt, 0.9)
    # Round off the polygon's corners; stroma fills them.
    half = spacing / 2
    depth = cells.edge_um + 0.19 * half - 0.23 * half * (cells.center_um / half) ** 2
    septum = 3 * noise_at(x / 150, y / 150, salt + 3)
    return (depth - septum).astype(np.float32), cells.tint, cells.normal


def _gland_nuclei(window: Window, style: Style, wall_um: float) -> Floats:
    cells = window.scatter(5.3 * style.size / style.density**0.5, 27)
    x, y = cells.positions(0.9)
    depth, tint, outward = _glands(window, style, x, y)
    # Crowded at the base of the wall, fewer toward the lumen; spindle cells in the septa.
    solid = (tint < 0.25) & (depth > 5) & (cells.random(0) < 0.75)
    base = (depth > 5.5) & (depth < 0.66 * wall_um)
    top = (depth > 5.5) & (depth < wall_um) & (cells.random(0) < 0.3)
    septum = (depth < 2) & (cells.random(0) < 0.17)
    keep = solid | base | top | septum
    cells, septum = cells.where(keep), septum[keep]
    size = style.size * (0.85 + 0.4 * cells.random(1))
    long = np.where(septum, 5.0, 3.6 + 1.3 * cells.random(4)) * size
    short = np.where(septum, 1.2, 2.2 + 0.5 * cells.random(5)) * size
    turn = np.where(septum, np.pi / 2, 0) + (cells.random(2) - 0.5) * 0.9
    strength = 0.75 + 0.4 * cells.random(3)
    return stamp(window, x[keep], y[keep], long, short, outward[keep] + turn, strength, 0.3)


def lymphocytes(window: Window, style: Style) -> Amounts:
    """Lymphoid tissue: small round dark nuclei, shoulder to shoulder, hardly any cytoplasm."""
    cells = window.scatter(6.7 * style.size**0.5 / style.density**0.5, 41)
    x, y = cells.positions(0.75)
    loose = window.noise(45.0, 42)
    cells_here = 0.97 - 0.25 * ramp(value_at(window, loose, x, y), 0.8, 2.0)
    keep = cells.random(0) < cells_here
    cells = cells.where(keep)
    large = cells.random(1) < 0.08
    radius = np.where(large, 4.2, 2.7 + 0.6 * cells.random(2))
    strength = np.where(large, 0.55, 0.9 + 0.35 * cells.random(3))
    short = radius * (0.8 + 0.2 * cells.random(4))
    nuclei = stamp(window, x[keep], y[keep], radius, short, cells.random(5) * 3, strength, 0.2)
    granules = window.noise(1.1, 43)
    gap = ramp(window.noise(6.0, 44) + 0.5 * loose, 1.0, 1.7)
    eosin = (0.34 + 0.08 * granules + 0.1 * window.noise(12.0, 45)) * (1 - 0.8 * gap)
    hematoxylin = (0.17 + 0.05 * granules) * (1 - 0.8 * gap)
    return np.maximum(hematoxylin, nuclei * (1 + 0.16 * granules)), np.maximum(eosin, 0.02)
