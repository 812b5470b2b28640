"""What every slide can do, whichever library decodes it.

Frames: ``_xy0`` are pixels of level 0, x first; ``_um`` are micrometers from the slide's
top-left corner (the corner of the first pixel, not its center); level pixels are named so.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_crlm_spa.errors import MissingPixelSize

RgbImage = NDArray[np.uint8]

#: The one antialiasing filter: a triangle, widened by the reduction. Torch's
#: ``interpolate(mode="bilinear", antialias=True)`` is the same filter, so a GPU can repeat it.
RESAMPLING = Image.Resampling.BILINEAR
#: A level may be coarser than what is asked for by this share (a 40x scan of 0.2525 µm/px has
#: a level of 0.505, good enough for 0.5). Our choice.
LEVEL_TOLERANCE = 0.01
#: Pixels are taken as they are, not resampled, as long as that displaces none by more than this
#: (in pixels, from the region's center outward): 224 px at 0.499 instead of 0.5 µm/px are.
NATIVE_DRIFT_PX = 0.5
#: Levels of more pixels than this are reduced band by band, to spare memory.
_BAND_PX = 16_000_000


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
        Library that reads the pixels, e.g. ``"openslide"``.
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


class Slide(ABC):
    """An open slide. Safe to read from several threads at once; close it when done."""

    info: SlideInfo

    @abstractmethod
    def read_level(
        self, level: int, x_px: int, y_px: int, width_px: int, height_px: int
    ) -> RgbImage:
        """Read pixels of one level; what lies outside the level is white.

        Parameters
        ----------
        level
            0 is the largest.
        x_px, y_px
            Top-left corner in pixels *of that level*; may be negative.
        width_px, height_px
            Size in pixels of that level.

        Returns
        -------
        ndarray of uint8, shape (height_px, width_px, 3)

        Raises
        ------
        UnreadableSlide
            If the file is damaged there.
        """

    @abstractmethod
    def associated_image(self, name: str) -> RgbImage:
        """Return a label, macro or thumbnail image, shape (height, width, 3)."""

    @abstractmethod
    def close(self) -> None:
        """Release the file; further reads fail."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def level_for(self, mpp: float) -> int:
        """Return the coarsest level that is at least as fine as `mpp` (0 if none is)."""
        native = self.info.known_pixel_size().mpp
        return self._coarsest(mpp / native * (1 + LEVEL_TOLERANCE))

    def read_region_um(
        self, x_um: float, y_um: float, width_px: int, height_px: int, mpp: float
    ) -> RgbImage:
        """Read a region at any resolution, from the nearest finer level.

        Parameters
        ----------
        x_um, y_um
            Top-left corner in micrometers from the slide's top-left corner.
        width_px, height_px
            Size of the result.
        mpp
            Resolution of the result in micrometers per pixel.

        Returns
        -------
        ndarray of uint8, shape (height_px, width_px, 3)
            What lies outside the slide is white.

        Raises
        ------
        MissingPixelSize
            If the pixel size is unknown.
        UnreadableSlide
            If the file is damaged there.
        """
        size = self.info.known_pixel_size()
        index = self.level_for(mpp)
        downsample = self.info.levels[index].downsample
        # The region in pixels of that level: corner, and level pixels per pixel of the result.
        left, top = x_um / (size.x_um * downsample), y_um / (size.y_um * downsample)
        scale_x, scale_y = mpp / (size.x_um * downsample), mpp / (size.y_um * downsample)
        drift_x, drift_y = (scale_x - 1) * width_px / 2, (scale_y - 1) * height_px / 2
        if max(abs(drift_x), abs(drift_y)) <= NATIVE_DRIFT_PX:
            x_px, y_px = round(left + drift_x), round(top + drift_y)
            return self.read_level(index, x_px, y_px, width_px, height_px)
        right, bottom = left + width_px * scale_x, top + height_px * scale_y
        # The filter reaches one reduced pixel beyond the region: neighbors then fit seamlessly.
        margin = math.ceil(max(scale_x, scale_y, 1.0)) + 1
        x_px, y_px = math.floor(left) - margin, math.floor(top) - margin
        source = self.read_level(
            index,
            x_px,
            y_px,
            math.ceil(right) + margin - x_px,
            math.ceil(bottom) + margin - y_px,
        )
        box = (left - x_px, top - y_px, right - x_px, bottom - y_px)
        picture = Image.fromarray(source).resize((width_px, height_px), RESAMPLING, box=box)
        return np.array(picture)

    def thumbnail(self, max_px: int = 1024) -> RgbImage:
        """Return the whole slide, its longer side at most `max_px` pixels.

        Needs no pixel size.
        """
        info = self.info
        factor = max(1.0, max(info.width_px, info.height_px) / max_px)
        index = self._coarsest(factor)
        width = max(1, round(info.width_px / factor))
        height = max(1, round(info.height_px / factor))
        picture = Image.fromarray(self._whole_level(index, width, height))
        return np.array(picture.resize((width, height), RESAMPLING))

    def _coarsest(self, downsample: float) -> int:
        levels = self.info.levels
        finer = [i for i, level in enumerate(levels) if level.downsample <= downsample]
        return max(finer, key=lambda i: levels[i].downsample, default=0)

    def _whole_level(self, index: int, width_px: int, height_px: int) -> RgbImage:
        """Return a level, reduced by a whole number if it is large, but not below that size."""
        level = self.info.levels[index]
        if level.width_px * level.height_px <= _BAND_PX:
            return self.read_level(index, 0, 0, level.width_px, level.height_px)
        by = max(1, min(level.width_px // width_px, level.height_px // height_px))
        rows = max(1, _BAND_PX // level.width_px // by) * by
        bands = [
            self.read_level(index, 0, y, level.width_px, min(rows, level.height_px - y))
            for y in range(0, level.height_px, rows)
        ]
        return np.concatenate([np.asarray(Image.fromarray(band).reduce(by)) for band in bands])


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
