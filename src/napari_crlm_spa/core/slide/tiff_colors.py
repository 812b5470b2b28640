"""Samples of a TIFF page, or pixels with transparency, as 8-bit RGB."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_crlm_spa.core.slide.contract import RgbImage
from napari_crlm_spa.core.slide.diagnosis import DecoderError

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _YCBCR = 0, 1, 2, 3, 6


def color_of(page: tifffile.TiffPage, n_pages: int) -> Callable[[NDArray[Any]], RgbImage]:
    """Return the function that turns a page's samples into 8-bit RGB."""
    photometric, samples = int(page.photometric), page.samplesperpixel
    if photometric == _PALETTE and page.colormap is not None:
        palette = np.ascontiguousarray((np.asarray(page.colormap) >> 8).T.astype(np.uint8))
        return lambda part: np.asarray(palette[part[..., 0]], np.uint8)
    if n_pages == 3 and samples == 1:
        return _eight_bit
    if photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO) and samples in (1, 2):
        invert = photometric == _WHITE_IS_ZERO
        return lambda part: _gray(_eight_bit(part), invert)
    is_rgb = photometric == _RGB or (photometric == _YCBCR and page.compression != 1)
    if is_rgb and samples == 3:
        return _eight_bit
    if is_rgb and samples == 4:
        premultiplied = 1 in tuple(int(kind) for kind in page.extrasamples)
        return lambda part: over_white(_eight_bit(part), premultiplied)
    raise DecoderError(f"{samples} samples of photometric kind {photometric} are not supported")


def _eight_bit(part: NDArray[Any]) -> RgbImage:
    return part if part.dtype == np.uint8 else (part >> 8).astype(np.uint8)


def _gray(part: RgbImage, invert: bool) -> RgbImage:
    gray = part[..., :1]
    return np.repeat(255 - gray if invert else gray, 3, axis=-1)


def over_white(part: RgbImage, premultiplied: bool = False) -> RgbImage:
    """Lay RGBA pixels, shape (..., 4), over white; returns shape (..., 3)."""
    color, alpha = part[..., :3], part[..., 3:]
    if alpha.min(initial=255) == 255:
        return np.ascontiguousarray(color)
    opaque = alpha.astype(np.uint16)
    inked = color.astype(np.uint16) if premultiplied else (color * opaque + 127) // 255
    laid: RgbImage = np.minimum(inked + (255 - opaque), 255).astype(np.uint8)
    return laid
