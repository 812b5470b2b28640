"""Small pictures of slides, kept on disk so that each slide is read once. No Qt."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from napari_crlm_spa.core.files import atomic_path
from napari_crlm_spa.core.slide import RgbImage, open_slide
from napari_crlm_spa.errors import SlideError, StoreError
from napari_crlm_spa.plugin.memory import cache_folder

PICTURE_PX = 96


def slide_picture(path: Path) -> RgbImage | None:
    """Return a slide's picture, its longer side `PICTURE_PX`; None if the slide cannot be read.

    It is made from the coarsest level that is large enough, and kept in the cache folder until
    the slide file changes.
    """
    try:
        file = _file_of(path)
    except OSError:
        return None
    try:
        with Image.open(file) as picture:
            return np.asarray(picture.convert("RGB"))
    except OSError:
        pass
    try:
        with open_slide(path) as slide:
            pixels = slide.thumbnail(PICTURE_PX)
    except SlideError:
        return None
    _keep(pixels, file)
    return pixels


def _keep(pixels: RgbImage, file: Path) -> None:
    try:
        with atomic_path(file) as temporary:
            Image.fromarray(pixels).save(temporary)
    except StoreError:
        pass  # read again next time


def _file_of(path: Path) -> Path:
    status = path.stat()
    key = f"{path};{status.st_size};{status.st_mtime_ns};{PICTURE_PX}"
    return (
        cache_folder() / "slide-pictures" / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.png"
    )
