"""What lies between cells in many forms: pus, fibrin, smudged matter, mucus; and small guests.

Sizes are micrometers; the numbers were chosen by eye beside real slides (our assumption).
"""

from __future__ import annotations

import numpy as np

from napari_crlm_spa.core.sample.nuclei import stamp
from napari_crlm_spa.core.sample.style import Amounts, ramp
from napari_crlm_spa.core.sample.window import Floats, Window, noise_at


def pus(window: Window, rng: np.random.Generator) -> Amounts:
    """Granular ground with dark, lobed, broken nuclei and holes."""
    spacing = rng.uniform(5.0, 12.0)
    eosin, hematoxylin = granular(window, rng)[::-1]
    cells = window.scatter(spacing, 301)
    cells = cells.where(cells.random(0) < rng.uniform(0.4, 0.95))
    x, y = cells.positions(1.0)
    lobe_um = rng.uniform(0.8, 1.4)
    specks = np.zeros(window.shape, np.float32)
    for lobe in range(3):
        turn = cells.random(4 + lobe) * 2 * np.pi
        radius = lobe_um * (0.5 + 0.8 * cells.random(8 + lobe))
        at_x, at_y = x + 1.2 * lobe_um * np.cos(turn), y + 1.2 * lobe_um * np.sin(turn)
        dark = 0.6 + 0.6 * cells.random(12)
        round_ = radius * (0.7 + 0.3 * cells.random(16 + lobe))
        specks = np.maximum(specks, stamp(window, at_x, at_y, radius, round_, turn, dark))
    return np.maximum(hematoxylin, specks), eosin


def granular(window: Window, rng: np.random.Generator) -> Amounts:
    """Structureless grainy matter, pink to purple, with holes."""
    lumps = window.noise(rng.uniform(4.0, 18.0), 311)
    grains = window.noise(rng.uniform(0.9, 2.0), 312)
    fine = window.noise(0.7, 313)
    drift = window.noise(rng.uniform(25.0, 70.0), 314)
    holes = ramp(window.noise(rng.uniform(2.0, 8.0), 315) - 0.3 * drift, *_hole_limits(rng))
    coarse = rng.uniform(0.02, 0.11)
    eosin = rng.uniform(0.35, 0.85) + coarse * (lumps + grains) + 0.07 * fine + 0.1 * drift
    hematoxylin = rng.uniform(0.02, 0.24) * (1 + 0.3 * lumps + 0.3 * grains + 0.3 * drift)
    full = 1 - 0.9 * holes
    return np.maximum(hematoxylin * full, 0.0), np.maximum(eosin * full, 0.0)


def _hole_limits(rng: np.random.Generator) -> tuple[float, float]:
    low = rng.uniform(0.7, 2.2)
    return low, low + rng.uniform(0.15, 0.5)


def dust(window: Window, rng: np.random.Generator, share: float) -> Floats:
    """Fragments of nuclei, strewn unevenly."""
    specks = window.scatter(rng.uniform(3.5, 6.5), 321)
    x, y = specks.positions(1.0)
    uneven = 1 + 0.8 * noise_at(x / 40, y / 40, window.seed + 322)
    keep = specks.random(0) < share * uneven
    specks = specks.where(keep)
    radius = rng.uniform(0.35, 0.7) + rng.uniform(0.6, 1.6) * specks.random(1) ** 2
    dark = rng.uniform(0.4, 0.8) + 0.5 * specks.random(3)
    angle = specks.random(2) * 3
    return stamp(window, x[keep], y[keep], radius * 1.3, radius, angle, dark, soft_um=0.7)


def fibrin(window: Window, rng: np.random.Generator) -> Amounts:
    """Draw a net of pink to purple threads with empty meshes."""
    size = rng.uniform(4.0, 14.0)
    first, second = window.noise(size, 331), window.noise(0.6 * size, 332)
    width = rng.uniform(0.25, 0.6)
    thread = np.maximum(ramp(np.abs(first), width, 0.0), 0.8 * ramp(np.abs(second), width, 0.05))
    ground = rng.uniform(0.0, 0.3)
    eosin = (ground + rng.uniform(0.3, 0.8) * thread) * (1 + 0.2 * window.noise(1.0, 333))
    hematoxylin = (0.3 * ground + rng.uniform(0.05, 0.6) * thread) * (
        1 + 0.3 * window.noise(1.5, 334)
    )
    return np.maximum(hematoxylin, 0.0), np.maximum(eosin, 0.0)


def pool(window: Window, rng: np.random.Generator) -> Amounts:
    """Mucus: pale, bluish to pinkish, with threads of varied number and course."""
    angle = rng.uniform(0, np.pi)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    wave = rng.uniform(8.0, 40.0) * window.noise(rng.uniform(40.0, 110.0), 341)
    along = window.x * cos + window.y * sin
    across = window.y * cos - window.x * sin + wave + 5 * window.noise(18.0, 342)
    key = window.seed + 343
    strand: Floats = np.zeros(window.shape, np.float32)
    for number in range(int(rng.integers(1, 5))):
        length, width = rng.uniform(25.0, 110.0), rng.uniform(5.0, 22.0)
        sheet = noise_at(along / length, across / width, key + number)
        line = ramp(np.abs(sheet), rng.uniform(0.05, 0.2), 0.0)
        strand = np.maximum(strand, rng.uniform(0.2, 1.0) * line)
    foam = rng.uniform(0.0, 0.6) * ramp(
        np.abs(window.noise(rng.uniform(5.0, 16.0), 351)), 0.25, 0.0
    )
    strand = np.maximum(strand, np.maximum(foam, _net(window, rng))) * (
        0.6 + 0.4 * ramp(window.noise(45.0, 352), -1.0, 1.0)
    )
    blue, pink = rng.uniform(0.02, 0.14), rng.uniform(0.0, 0.08)
    cloud = 1 + 0.3 * window.noise(35.0, 353) + 0.08 * window.noise(1.2, 354)
    hematoxylin = blue * cloud + rng.uniform(0.05, 0.25) * strand
    hematoxylin = np.maximum(hematoxylin, 0.0)
    # Mucin takes a bluer tone of hematoxylin than nuclei: less than no eosin.
    eosin = pink * cloud + rng.uniform(0.0, 0.12) * strand - rng.uniform(0.0, 0.35) * hematoxylin
    return hematoxylin, eosin


def _net(window: Window, rng: np.random.Generator) -> Floats:
    """Draw a fine net of threads, pulled in one direction."""
    much = rng.choice([0.0, rng.uniform(0.2, 0.9)])
    if not much:
        return np.zeros(window.shape, np.float32)
    angle, pull = rng.uniform(0, np.pi), rng.uniform(1.0, 5.0)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    bend = rng.uniform(0.0, 12.0) * window.noise(30.0, 356)
    along = (window.x * cos + window.y * sin) / pull
    across = window.y * cos - window.x * sin + bend
    net = np.zeros(window.shape, np.float32)
    for number, size in enumerate(rng.uniform(2.5, 14.0, 3)):
        ridge = np.abs(noise_at(along / size, across / size, window.seed + 357 + number))
        net = np.maximum(net, ramp(ridge, 0.16, 0.0))
    fine: Floats = much * net
    return fine


def red_cells(window: Window, where: Floats, rng: np.random.Generator) -> Floats:
    """Red blood cells in places where `where` is above a half: an amount of eosin."""
    cells = window.scatter(rng.uniform(4.5, 6.5), 361)
    x, y = cells.positions(0.9)
    col = np.clip(((x - window.x_um) / window.mpp).astype(int), 0, window.width_px - 1)
    row = np.clip(((y - window.y_um) / window.mpp).astype(int), 0, window.height_px - 1)
    keep = where[row, col] > 0.5
    cells = cells.where(keep)
    radius = 2.6 + 0.8 * cells.random(1)
    short = radius * (0.75 + 0.25 * cells.random(3))
    strength = 0.7 + 0.4 * cells.random(4)
    return stamp(window, x[keep], y[keep], radius, short, cells.random(2) * 3, strength, 0.15)


def round_cells(
    window: Window,
    rng: np.random.Generator,
    spacing_um: float,
    share: float,
    radius_um: float = 2.6,
) -> Floats:
    """Small dark round nuclei (lymphocytes, plasma cells) strewn in patches."""
    cells = window.scatter(spacing_um, 371)
    x, y = cells.positions(1.0)
    keep = cells.random(0) < share * (1 + noise_at(x / 35, y / 35, window.seed + 372))
    cells = cells.where(keep)
    radius = radius_um * rng.uniform(0.85, 1.15) * (0.85 + 0.3 * cells.random(1))
    short = radius * (0.8 + 0.2 * cells.random(3))
    dark = 0.8 + 0.4 * cells.random(4)
    return stamp(window, x[keep], y[keep], radius, short, cells.random(2) * 3, dark, 0.15)
