"""A slide in memory: a plain picture, a drawing in a test, a crop."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.slide.contract import RgbImage, Slide
from napari_crlm_spa.core.slide.diagnosis import closed
from napari_crlm_spa.core.slide.info import PixelSize, SlideInfo, SlideLevel, levels_of
from napari_crlm_spa.errors import SlideError


class ArraySlide(Slide):
    """A slide whose levels are arrays.

    Parameters
    ----------
    levels
        Pixels of each level, largest first, shape (height, width, 3), uint8; one array is a
        slide of one level.
    mpp
        Micrometers per pixel, or None if unknown.
    path
        Name to show.
    downsamples
        Downsample of each level; derived from the sizes by default.
    bounds_xy0
        (x, y, width, height) of the scanned area; the whole slide by default.
    info
        Everything else that is known, if it is; its levels win over `downsamples`.
    """

    def __init__(
        self,
        levels: RgbImage | Sequence[RgbImage],
        mpp: float | None = None,
        *,
        path: Path | str = "memory",
        downsamples: Sequence[float] | None = None,
        bounds_xy0: tuple[int, int, int, int] | None = None,
        associated: dict[str, RgbImage] | None = None,
        info: SlideInfo | None = None,
    ) -> None:
        arrays = [levels] if isinstance(levels, np.ndarray) else list(levels)
        self._arrays: list[RgbImage] | None = [_rgb(array) for array in arrays]
        self._associated = dict(associated or {})
        self.info = info or self._describe(Path(path), arrays, mpp, downsamples, bounds_xy0)

    def read_level(
        self, level: int, x_px: int, y_px: int, width_px: int, height_px: int
    ) -> RgbImage:
        """Read pixels of one level, see `Slide.read_level`."""
        arrays = self._arrays
        if arrays is None:
            raise closed(self.info.path)
        result = np.full((height_px, width_px, 3), 255, np.uint8)
        left, top = max(x_px, 0), max(y_px, 0)
        part = arrays[level][top : max(0, y_px + height_px), left : max(0, x_px + width_px)]
        result[
            top - y_px : top - y_px + part.shape[0], left - x_px : left - x_px + part.shape[1]
        ] = part
        return result

    def associated_image(self, name: str) -> RgbImage:
        """Return a label, macro or thumbnail image."""
        return self._associated[name]

    def close(self) -> None:
        """Let go of the pixels."""
        self._arrays = None

    def _describe(
        self,
        path: Path,
        arrays: Sequence[RgbImage],
        mpp: float | None,
        downsamples: Sequence[float] | None,
        bounds_xy0: tuple[int, int, int, int] | None,
    ) -> SlideInfo:
        shapes = [(array.shape[1], array.shape[0]) for array in arrays]
        levels = levels_of(shapes)
        if downsamples is not None:
            levels = tuple(
                SlideLevel(*shape, downsample)
                for shape, downsample in zip(shapes, downsamples, strict=True)
            )
        return SlideInfo(
            path=path,
            vendor="memory",
            decoder="numpy",
            levels=levels,
            pixel_size=None if mpp is None else PixelSize(mpp, mpp, "user"),
            bounds_xy0=bounds_xy0 or (0, 0, *shapes[0]),
            objective_power=None,
            icc_profile=False,
            associated_images=tuple(sorted(self._associated)),
            fingerprint=hashlib.sha256(np.ascontiguousarray(arrays[0]).tobytes()).hexdigest(),
        )


def _rgb(array: NDArray[np.uint8]) -> RgbImage:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        raise SlideError(
            f"A slide in memory needs 8-bit RGB pixels of shape (height, width, 3), not "
            f"{array.dtype} of shape {array.shape}."
        )
    return array
