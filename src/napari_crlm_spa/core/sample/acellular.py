"""Tissues made of what lies between cells: stroma, mucus, necrosis; and bare glass.

Sizes are micrometers; an amount of dye of 1 is a well stained nucleus or red cell. All numbers
were chosen by eye beside real slides (our assumption); nothing is measured with them.
"""

from __future__ import annotations

import numpy as np

from napari_crlm_spa.core.sample.nuclei import stamp
from napari_crlm_spa.core.sample.style import Amounts, Style, along_and_across, fiber_angle, ramp
from napari_crlm_spa.core.sample.window import Floats, Window, noise_at


def stroma(window: Window, style: Style) -> Amounts:
    """Fibrous tissue: wavy pink fibers, clefts, few spindle nuclei."""
    along, across, wave = along_and_across(window, style, 16.0, 70.0)
    across = across + 2.0 * window.noise(14.0, 31)
    salt = window.seed + 32
    coarse = noise_at(along / 60, across / 6.5, salt)
    fine = noise_at(along / 28, across / 1.9, salt + 1)
    cleft = ramp(coarse - 0.25 * fine + 0.25 * window.noise(25.0, 33), 0.55, 0.85)
    eosin = 0.52 + 0.14 * coarse + 0.15 * fine + 0.08 * window.noise(40.0, 34)
    eosin += 0.05 * window.noise(1.2, 37)
    eosin = eosin * (1 - 0.25 * style.pallor) * (1 - 0.9 * cleft)
    hematoxylin = 0.06 + 0.03 * fine + 0.04 * window.noise(90.0, 36)
    hematoxylin *= 1 - 0.8 * cleft
    nuclei = _spindle_nuclei(window, style, wave)
    return np.maximum(hematoxylin, nuclei), np.maximum(eosin, 0.02)


def _spindle_nuclei(window: Window, style: Style, wave: Floats) -> Floats:
    cells = window.scatter(19.0 / style.density**0.5, 35)
    cells = cells.where(cells.random(5) < 0.8)
    x, y = cells.positions(1.0)
    angle = fiber_angle(window, wave, style.angle, x, y) + (cells.random(0) - 0.5) * 0.5
    plump = cells.random(1) < 0.2
    long = np.where(plump, 3.3, 5.5) * (0.6 + 0.7 * cells.random(2))
    short = np.where(plump, 2.1, 1.2) * (0.75 + 0.5 * cells.random(3))
    return stamp(window, x, y, long, short, angle, 0.6 + 0.4 * cells.random(4), 0.15)


def mucus(window: Window, style: Style) -> Amounts:
    """Mucus: pale gray-blue pools with faint strands and a few shed cells."""
    along, across, _ = along_and_across(window, style, 30.0, 80.0)
    salt = window.seed + 51
    wave = 6.0 * window.noise(20.0, 52)
    sheet = noise_at(along / 90, (across + wave) / 16, salt)
    thread = noise_at(along / 45, (across + 1.6 * wave) / 9, salt + 1)
    strand = np.maximum(ramp(np.abs(sheet), 0.09, 0.0), 0.6 * ramp(np.abs(thread), 0.10, 0.0))
    strand = np.maximum(strand, 0.35 * ramp(np.abs(window.noise(9.0, 53)), 0.14, 0.0))
    hematoxylin = 0.06 + 0.04 * style.pallor + 0.015 * window.noise(35.0, 54) + 0.10 * strand
    eosin = 0.015 + 0.03 * style.pallor + 0.04 * strand
    cells = window.scatter(30.0, 55)
    cells = cells.where(cells.random(0) < 0.3 * style.density)
    x, y = cells.positions(1.0)
    radius = 0.8 + 2.4 * cells.random(1) ** 2
    strength = 0.5 + 0.4 * cells.random(3)
    shed = stamp(window, x, y, radius * 1.3, radius, cells.random(2) * 3, strength, 0.2)
    return np.maximum(hematoxylin, shed), np.maximum(eosin + 0.15 * (shed > 0.2), 0)


def debris(window: Window, style: Style) -> Amounts:
    """Necrosis: pink-purple granular matter, ghosts of cells, dust of broken nuclei."""
    lumps, grains = window.noise(5.0, 61), window.noise(1.3, 62)
    drift = window.noise(50.0, 63)
    holes = ramp(window.noise(3.2, 64) - 0.25 * drift, 1.25, 1.7)
    eosin = 0.66 + 0.13 * lumps + 0.15 * grains + 0.08 * drift - 0.15 * style.pallor
    hematoxylin = 0.15 + 0.05 * drift + 0.08 * ramp(lumps, -0.5, 1.5) + 0.07 * grains
    eosin, hematoxylin = eosin * (1 - 0.75 * holes), hematoxylin * (1 - 0.75 * holes)
    dust = window.scatter(5.2, 65)
    x, y = dust.positions(1.0)
    share = 0.3 * style.density * (1 + 0.6 * np.sin(x / 37) * np.sin(y / 29))
    keep = dust.random(0) < share
    dust = dust.where(keep)
    radius = 0.5 + 1.4 * dust.random(1) ** 2
    strength = 0.55 + 0.5 * dust.random(3)
    angle = dust.random(2) * 3
    specks = stamp(window, x[keep], y[keep], radius * 1.25, radius, angle, strength, soft_um=0.8)
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
