"""Slides made of arrays: every pixel, level and pixel size is known, every read is recorded."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_crlm_spa.core.slide.contract import PixelSize, Slide, SlideInfo, SlideLevel

GLASS = (243, 243, 243)
TISSUE = (190, 110, 170)


class ArraySlide(Slide):
    """A pyramid in memory, or (`picture` None) a huge slide of one color."""

    def __init__(self, picture, mpp=0.5, downsamples=(1.0,), bounds=None, size_px=None):
        height, width = picture.shape[:2] if picture is not None else size_px[::-1]
        sizes = [(max(1, int(width / d)), max(1, int(height / d))) for d in downsamples]
        self.pictures = None
        if picture is not None:
            image = Image.fromarray(picture)
            self.pictures = [np.asarray(image.resize(s, Image.Resampling.BOX)) for s in sizes]
        self.reads = []
        self.damaged = lambda level, x, y, width, height: False
        size = None if mpp is None else PixelSize(mpp, mpp, "drawn")
        self.info = SlideInfo(
            path=Path("drawn.svs"),
            vendor="drawn",
            decoder="array",
            levels=tuple(
                SlideLevel(w, h, float(np.sqrt(width / w * height / h))) for w, h in sizes
            ),
            pixel_size=size,
            bounds_xy0=bounds or (0, 0, width, height),
            objective_power=None,
            icc_profile=False,
            associated_images=(),
            fingerprint="drawn",
        )

    def read_level(self, level, x_px, y_px, width_px, height_px):
        from napari_crlm_spa.errors import UnreadableSlide

        self.reads.append((level, x_px, y_px, width_px, height_px))
        if self.damaged(*self.reads[-1]):
            raise UnreadableSlide("drawn.svs is damaged. Copy it again.")
        out = np.full((height_px, width_px, 3), 255, np.uint8)
        if self.pictures is None:
            out[:] = TISSUE
            return out
        source = self.pictures[level]
        x, y = max(x_px, 0), max(y_px, 0)
        part = source[y : max(0, y_px + height_px), x : max(0, x_px + width_px)]
        out[y - y_px : y - y_px + part.shape[0], x - x_px : x - x_px + part.shape[1]] = part
        return out

    def associated_image(self, name):
        raise KeyError(name)

    def close(self):
        pass


def paint(width_um, height_um, mpp, *tissue_um):
    """Glass with rectangles (left, top, right, bottom) of tissue, all in micrometers."""
    picture = np.full((round(height_um / mpp), round(width_um / mpp), 3), GLASS, np.uint8)
    for left, top, right, bottom in tissue_um:
        rows = slice(round(top / mpp), round(bottom / mpp))
        picture[rows, round(left / mpp) : round(right / mpp)] = TISSUE
    return picture


@pytest.fixture
def half_tissue():
    """Six by ten tiles (112 µm); the left five columns are tissue."""
    return ArraySlide(paint(1120, 672, 0.5, (0, 0, 560, 672)), downsamples=(1.0, 4.0, 16.0))
