"""What is known of a slide without reading its pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_crlm_spa.errors import MissingPixelSize


@dataclass(frozen=True, slots=True)
class PixelSize:
    """How large a level-0 pixel is, and who says so.

    Parameters
    ----------
    x_um, y_um
        Width and height of a pixel in micrometers.
    source
        Where the value came from, in words, e.g. ``"aperio.MPP"`` or ``"user"``.
    """

    x_um: float
    y_um: float
    source: str

    @property
    def mpp(self) -> float:
        """Micrometers per pixel, the geometric mean of both axes."""
        return float(np.sqrt(self.x_um * self.y_um))


@dataclass(frozen=True, slots=True)
class SlideLevel:
    """One level of the pyramid; `downsample` is a float and seldom a round number."""

    width_px: int
    height_px: int
    downsample: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SlideInfo:
    """What is known of a slide without reading its pixels.

    Parameters
    ----------
    path
        The file (or DICOM folder) that was opened.
    vendor
        Scanner vendor or file kind in words.
    decoder
        Who reads the pixels, one of `formats.DECODERS`; it can be insisted on when opening.
    levels
        Largest first; level 0 has downsample 1.
    pixel_size
        None if the file does not say and nobody told.
    pixel_size_note
        What is odd about it (a nonsense value in the file, two that differ), to be shown; empty
        if nothing is.
    bounds_xy0
        (x, y, width, height) of the scanned area in level-0 pixels; the whole level if the
        file names none (MRXS slides do).
    objective_power
        Nominal magnification or None.
    icc_profile
        Whether a color profile is embedded (it is noted, not applied).
    associated_images
        Names of label, macro and thumbnail images.
    fingerprint
        Identifies the content: a hash of size, name-free samples of the file and dimensions.
    """

    path: Path
    vendor: str
    decoder: str
    levels: tuple[SlideLevel, ...]
    pixel_size: PixelSize | None
    bounds_xy0: tuple[int, int, int, int]
    objective_power: float | None
    icc_profile: bool
    associated_images: tuple[str, ...]
    fingerprint: str
    pixel_size_note: str = ""

    @property
    def width_px(self) -> int:
        """Width of level 0."""
        return self.levels[0].width_px

    @property
    def height_px(self) -> int:
        """Height of level 0."""
        return self.levels[0].height_px

    def known_pixel_size(self) -> PixelSize:
        """Return the pixel size.

        Raises
        ------
        MissingPixelSize
            If it is unknown; the message names the way out.
        """
        if self.pixel_size is None:
            reason = self.pixel_size_note or "its header says nothing"
            raise MissingPixelSize(
                f"{self.path.name} does not say how large a pixel is: {reason}. "
                "Enter it in the panel under Pixel size, or pass --mpp (e.g. --mpp 0.5 for a "
                "20x scan, 0.25 for 40x)."
            )
        return self.pixel_size


def levels_of(sizes: Sequence[tuple[int, int]]) -> tuple[SlideLevel, ...]:
    """Derive the downsamples of a pyramid from the sizes of its levels.

    A scanner halves a level of 4443 pixels to 2221 and drops the odd column: the level is 2
    times smaller, not 2.0005 times (seen on real slides, where the content decides). So a whole
    number is taken where it explains both sides; otherwise the ratio of the longer sides.

    Parameters
    ----------
    sizes
        (width, height) in pixels, largest first.
    """
    width, height = sizes[0]
    return tuple(SlideLevel(w, h, _downsample(width, height, w, h)) for w, h in sizes)


def _downsample(width: int, height: int, level_width: int, level_height: int) -> float:
    # The longer side is rounded the least.
    ratio = width / level_width if width >= height else height / level_height
    reach = math.ceil(max(width / level_width, height / level_height))
    explaining = [
        whole
        for whole in range(math.floor(min(width / level_width, height / level_height)), reach + 1)
        if level_width in (width // whole, -(-width // whole))
        and level_height in (height // whole, -(-height // whole))
    ]
    return float(min(explaining, key=lambda whole: abs(whole - ratio))) if explaining else ratio
