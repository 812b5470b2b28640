"""Where a scan lies on its glass slide, for annotations that count from the slide's center."""

from __future__ import annotations

from pathlib import Path

import openslide
from openslide import OpenSlideError

_KEYS = ("hamamatsu.XOffsetFromSlideCentre", "hamamatsu.YOffsetFromSlideCentre")


def center_offset_nm(path: Path) -> tuple[float, float] | None:
    """Return (x, y) of the scan's center from the slide's center in nanometers, or None.

    Only Hamamatsu's files say it; annotations of NDP.view need it.
    """
    try:
        with openslide.OpenSlide(path) as slide:
            return _offset(slide.properties.get(_KEYS[0]), slide.properties.get(_KEYS[1]))
    except (OpenSlideError, OSError):
        return None


def _offset(x: str | None, y: str | None) -> tuple[float, float] | None:
    try:
        return None if x is None or y is None else (float(x), float(y))
    except ValueError:
        return None
