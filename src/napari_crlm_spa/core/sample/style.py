"""How one patient's tissue differs from another's, and small tools for drawing it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_crlm_spa.core.sample.window import Floats, Window

#: Amounts of hematoxylin and eosin, each of the window's shape.
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


def ramp(value: Floats, low: float, high: float) -> Floats:
    """0 up to `low`, 1 from `high` on, straight between (also with low > high)."""
    share: Floats = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    return share


def along_and_across(
    window: Window, style: Style, wave_um: float, scale_um: float
) -> tuple[Floats, Floats, Floats]:
    """Coordinates along and across wavy fibers, and the wave that bends them."""
    cos, sin = np.float32(np.cos(style.angle)), np.float32(np.sin(style.angle))
    wave = window.noise(scale_um, 90) * np.float32(wave_um)
    return window.x * cos + window.y * sin, window.y * cos - window.x * sin + wave, wave


def value_at(window: Window, picture: Floats, x: Floats, y: Floats) -> Floats:
    """Values of a picture at places of the plane; beyond the window those of its border."""
    col = np.floor((x - window.x_um) / window.mpp).astype(np.int64)
    row = np.floor((y - window.y_um) / window.mpp).astype(np.int64)
    col = np.clip(col, 0, window.width_px - 1)
    row = np.clip(row, 0, window.height_px - 1)
    values: Floats = picture[row, col]
    return values


def fiber_angle(window: Window, wave: Floats, angle: float, x: Floats, y: Floats) -> Floats:
    """Direction in which wavy fibers run at places of the plane, in radians.

    A fiber runs where "across" stays the same: at right angles to its gradient.
    """
    slope_y, slope_x = (np.asarray(part) for part in np.gradient(wave, window.mpp))
    across_x = value_at(window, slope_x, x, y) - np.sin(angle)
    across_y = value_at(window, slope_y, x, y) + np.cos(angle)
    direction: Floats = np.arctan2(-across_x, across_y)
    return direction
