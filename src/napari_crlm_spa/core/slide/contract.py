"""What every slide can do, whichever library decodes it.

Frames: ``_xy0`` are pixels of level 0, x first; ``_um`` are micrometers from the slide's
top-left corner (the corner of the first pixel, not its center); level pixels are named so.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_crlm_spa.core.slide.halving import halved
from napari_crlm_spa.core.slide.info import PixelSize, SlideInfo, SlideLevel

__all__ = ["RESAMPLING", "PixelSize", "RgbImage", "Slide", "SlideInfo", "SlideLevel"]

RgbImage = NDArray[np.uint8]

#: The one antialiasing filter: a triangle, widened by the reduction. Torch's
#: ``interpolate(mode="bilinear", antialias=True)`` is the same filter, so a GPU can repeat it.
RESAMPLING = Image.Resampling.BILINEAR
#: A level may be coarser than what is asked for by this share (a 40x scan of 0.2525 µm/px has
#: a level of 0.505, good enough for 0.5). Our choice.
LEVEL_TOLERANCE = 0.01
#: Pixels are taken as they are, or reduced by exactly 2, as long as that displaces none by more
#: than this (in pixels of the result, from the region's center outward): 224 px at 0.499 or
#: 0.2495 instead of 0.5 µm/px are.
NATIVE_DRIFT_PX = 0.5
#: A level that is smaller than the thumbnail asked for by no more than this factor is taken for
#: it: the next finer one often has sixteen times as many pixels. Our choice.
THUMBNAIL_SLACK = 1.25
#: Levels of more pixels than this are reduced in bands of about as many, to spare memory.
_BAND_PX = 4_000_000
#: Bands are a multiple of this high: most files store pixels in squares of this side, which then
#: are decoded once. Only where a band would have more pixels than `_MOST_BAND_PX` it is lower.
_BAND_ROWS, _MOST_BAND_PX = 256, 32_000_000


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

    def forget_pixels(self) -> None:  # noqa: B027 - most readers keep none
        """Give back the memory of decoded pixels; they are decoded again when wanted."""

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
        for whole in (1, 2):
            drift_x, drift_y = (scale_x - whole) * width_px / 2, (scale_y - whole) * height_px / 2
            if max(abs(drift_x), abs(drift_y)) <= NATIVE_DRIFT_PX * whole:
                corner = round(left + drift_x), round(top + drift_y)
                return self._read_whole(index, whole, *corner, width_px, height_px)
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

    def _read_whole(
        self, level: int, whole: int, x_px: int, y_px: int, width_px: int, height_px: int
    ) -> RgbImage:
        """Read a region at a level's own resolution (`whole` is 1), or at half of it (2)."""
        if whole == 1:
            return self.read_level(level, x_px, y_px, width_px, height_px)
        return halved(
            self.read_level(level, x_px - 1, y_px - 1, 2 * width_px + 2, 2 * height_px + 2)
        )

    def thumbnail(self, max_px: int = 1024) -> RgbImage:
        """Return the whole slide, its longer side at most `max_px` pixels.

        It is up to `THUMBNAIL_SLACK` times smaller where the file has such a level. Needs no pixel
        size.
        """
        info = self.info
        factor = max(1.0, max(info.width_px, info.height_px) / max_px)
        index = self._coarsest(factor * THUMBNAIL_SLACK)
        level = info.levels[index]
        width = min(level.width_px, max(1, round(info.width_px / factor)))
        height = min(level.height_px, max(1, round(info.height_px / factor)))
        picture = self._whole_level(index, width, height)
        if picture.shape[:2] == (height, width):
            return picture
        return np.array(Image.fromarray(picture).resize((width, height), RESAMPLING))

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
        rows = max(1, _BAND_PX // level.width_px // _BAND_ROWS) * _BAND_ROWS
        rows = min(rows, max(1, _MOST_BAND_PX // level.width_px))
        bands, rest = [], np.empty((0, level.width_px, 3), np.uint8)
        for y in range(0, level.height_px, rows):
            count = min(rows, level.height_px - y)
            band = self.read_level(index, 0, y, level.width_px, count)
            if len(rest):
                band = np.concatenate([rest, band])
            # A band is as wide as the slide: nobody asks for it again.
            self.forget_pixels()
            whole = len(band) if y + count == level.height_px else len(band) // by * by
            band, rest = band[:whole], band[whole:].copy()
            if whole:
                bands.append(np.asarray(Image.fromarray(band).reduce(by)))
        return np.concatenate(bands)
