"""PNG and JPEG pictures as slides of one level."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, JpegImagePlugin, PngImagePlugin

from napari_crlm_spa.core.slide import diagnosis
from napari_crlm_spa.core.slide.array_slide import ArraySlide
from napari_crlm_spa.core.slide.contract import RgbImage
from napari_crlm_spa.core.slide.fingerprint import fingerprint
from napari_crlm_spa.core.slide.info import SlideInfo, SlideLevel
from napari_crlm_spa.core.slide.pixel_size import resolve_pixel_size
from napari_crlm_spa.core.slide.tiff_colors import over_white
from napari_crlm_spa.errors import UnpyramidedSlide

#: More than this is refused even when giants are allowed: a picture is decoded as a whole.
MAX_PX = 1_000_000_000
_KINDS = {"PNG": PngImagePlugin.PngImageFile, "JPEG": JpegImagePlugin.JpegImageFile}


def open_picture(path: Path, mpp: float | None = None, *, allow_huge: bool = False) -> ArraySlide:
    """Decode a PNG or JPEG.

    Its dots per inch are those of a printed page, not of a microscope, and are not believed:
    the pixel size is the user's or unknown.

    Raises
    ------
    DecoderError
        If it is neither PNG nor JPEG.
    UnpyramidedSlide
        If it is so large that it would fill the memory.
    UnreadableSlide
        If it is damaged.
    """
    pixel_size, note = resolve_pixel_size([], mpp)
    kind = diagnosis.kind_of(path)
    if kind not in _KINDS:
        raise diagnosis.DecoderError("it is neither PNG nor JPEG")
    try:
        # Not Image.open: its guard against decompression bombs knows no exception; ours is below.
        with _KINDS[kind](path) as picture:
            width, height = picture.size
            _check_size(path, width, height, allow_huge)
            pixels = _to_rgb(picture)
    except (OSError, SyntaxError, ValueError) as error:
        raise diagnosis.damaged(path, "its content", error) from error
    info = SlideInfo(
        path=path,
        vendor=f"{kind} picture",
        decoder="pillow",
        levels=(SlideLevel(width, height, 1.0),),
        pixel_size=pixel_size,
        pixel_size_note=note or f"a {kind} picture knows no micrometers",
        bounds_xy0=(0, 0, width, height),
        objective_power=None,
        icc_profile="icc_profile" in picture.info,
        associated_images=(),
        fingerprint=fingerprint(path),
    )
    return ArraySlide(pixels, info=info)


def _check_size(path: Path, width_px: int, height_px: int, allow_huge: bool) -> None:
    if width_px * height_px > MAX_PX:
        raise UnpyramidedSlide(
            f"{path.name} has {width_px:,} x {height_px:,} pixels: decoding it would take "
            f"{width_px * height_px * 3 / 1e9:.0f} GB of memory. "
            "Export the slide as pyramidal TIFF instead."
        )
    if width_px * height_px > diagnosis.HUGE_PX and not allow_huge:
        raise diagnosis.too_large(path, [(width_px, height_px)])


def _to_rgb(picture: Image.Image) -> RgbImage:
    if picture.mode.startswith("I;16") or picture.mode == "I":
        gray = (np.asarray(picture).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8)
        return np.repeat(gray[..., None], 3, axis=-1)
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        return over_white(np.asarray(picture.convert("RGBA")))
    return np.array(picture.convert("RGB"))
