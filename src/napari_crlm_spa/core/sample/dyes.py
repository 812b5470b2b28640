"""Hematoxylin and eosin: from the amount of dye to the color that a scanner sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.sample.window import Floats, hash01

# Typical absorption of both dyes in red, green and blue (optical density, natural logarithm).
# Our own choice by eye, beside real slides; laboratories differ and so do the drawn slides.
_HEMATOXYLIN = (0.88, 1.12, 0.50)
_EOSIN = (0.16, 0.86, 0.42)


@dataclass(frozen=True, slots=True)
class Dyes:
    """The stain and scanner of one slide.

    Parameters
    ----------
    hematoxylin, eosin
        Absorption of a unit of dye in red, green and blue.
    white
        Gray values of empty glass.
    noise
        Standard deviation of the scanner's noise in gray levels.
    """

    hematoxylin: tuple[float, float, float]
    eosin: tuple[float, float, float]
    white: tuple[float, float, float]
    noise: float

    @classmethod
    def standard(cls) -> Dyes:
        """Stain as in the sample slide."""
        return cls(_HEMATOXYLIN, _EOSIN, (244.0, 243.0, 244.0), 1.3)

    @classmethod
    def random(cls, rng: np.random.Generator) -> Dyes:
        """Another laboratory: hue, strength, glass and noise vary."""
        strength = rng.uniform(0.8, 1.25)
        return cls(
            _shifted(rng, _HEMATOXYLIN, strength * rng.uniform(0.8, 1.2)),
            _shifted(rng, _EOSIN, strength * rng.uniform(0.75, 1.25)),
            tuple(rng.uniform(236, 250) + rng.normal(0, 1.5, 3)),
            rng.uniform(0.8, 2.5),
        )

    def develop(self, hematoxylin: Floats, eosin: Floats, salt: int) -> NDArray[np.uint8]:
        """Turn amounts of dye, shape (h, w), into a picture, uint8 (h, w, 3)."""
        height, width = hematoxylin.shape
        picture = np.empty((height, width, 3), np.uint8)
        grain = _grain(height, width, salt) * np.float32(self.noise)
        for channel in range(3):
            density = hematoxylin * np.float32(self.hematoxylin[channel])
            density += eosin * np.float32(self.eosin[channel])
            gray = np.exp(-density)
            gray *= np.float32(self.white[channel])
            gray += np.roll(grain, 17 * channel, axis=0)
            picture[..., channel] = np.clip(gray + 0.5, 0, 255)
        return picture


def _shifted(
    rng: np.random.Generator, dye: tuple[float, float, float], strength: float
) -> tuple[float, float, float]:
    red, green, blue = np.array(dye) * rng.uniform(0.85, 1.15, 3) * strength
    return float(red), float(green), float(blue)


def _grain(height: int, width: int, salt: int) -> Floats:
    """Roughly normal noise of standard deviation 1."""
    rows = np.arange(height, dtype=np.int64)[:, None]
    cols = np.arange(width, dtype=np.int64)[None, :]
    value = hash01(cols, rows, salt)
    # The low half of the digits of one uniform number serves as a second one.
    second = (value * 4096) % 1
    grain: Floats = (value + second - 1) * np.float32(2.45)
    return grain
