"""What every slide can do, whichever library decodes it.

Frames: ``_xy0`` are pixels of level 0, x first; ``_um`` are micrometers from the slide's
top-left corner (the corner of the first pixel, not its center); level pixels are named so.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
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
#: Reductions closer to 1 than this are not resampled: the pixels are taken as they are.
NATIVE_TOLERANCE = 0.01


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
            raise MissingPixelSize(
                f"{self.path.name} does not say how large a pixel is. "
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
        wanted = mpp / native * (1 + NATIVE_TOLERANCE)
        finer = [i for i, level in enumerate(self.info.levels) if level.downsample <= wanted]
        return max(finer, key=lambda i: self.info.levels[i].downsample, default=0)

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
        """
        size = self.info.known_pixel_size()
        index = self.level_for(mpp)
        level = self.info.levels[index]
        scale_x = mpp / (size.x_um * level.downsample)
        scale_y = mpp / (size.y_um * level.downsample)
        left = x_um / (size.x_um * level.downsample)
        top = y_um / (size.y_um * level.downsample)
        if abs(scale_x - 1) <= NATIVE_TOLERANCE and abs(scale_y - 1) <= NATIVE_TOLERANCE:
            return self.read_level(index, round(left), round(top), width_px, height_px)
        # One more pixel per reduced pixel on each side, so that the filter sees its neighbors.
        margin = int(np.ceil(max(scale_x, scale_y, 1.0))) + 1
        x_px, y_px = int(np.floor(left)) - margin, int(np.floor(top)) - margin
        right, bottom = left + width_px * scale_x, top + height_px * scale_y
        source = self.read_level(
            index,
            x_px,
            y_px,
            int(np.ceil(right)) + margin - x_px,
            int(np.ceil(bottom)) + margin - y_px,
        )
        box = (left - x_px, top - y_px, right - x_px, bottom - y_px)
        picture = Image.fromarray(source).resize((width_px, height_px), RESAMPLING, box=box)
        return np.asarray(picture)

    def thumbnail(self, max_px: int = 1024) -> RgbImage:
        """Return the whole slide, its longer side at most `max_px` pixels.

        Needs no pixel size.
        """
        info = self.info
        factor = max(info.width_px, info.height_px) / max_px
        finer = [i for i, level in enumerate(info.levels) if level.downsample <= max(factor, 1.0)]
        index = max(finer, key=lambda i: info.levels[i].downsample, default=0)
        level = info.levels[index]
        picture = Image.fromarray(self.read_level(index, 0, 0, level.width_px, level.height_px))
        width = min(info.width_px, max(1, round(info.width_px / factor)))
        height = min(info.height_px, max(1, round(info.height_px / factor)))
        return np.asarray(picture.resize((width, height), RESAMPLING))
