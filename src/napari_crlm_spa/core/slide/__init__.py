"""The only door to slide files: one contract, whichever library decodes."""

from napari_crlm_spa.core.slide.array_slide import ArraySlide
from napari_crlm_spa.core.slide.contract import RESAMPLING, RgbImage, Slide
from napari_crlm_spa.core.slide.formats import DECODER_CHOICES, SLIDE_SUFFIXES, is_slide_name, stem
from napari_crlm_spa.core.slide.info import PixelSize, SlideInfo, SlideLevel
from napari_crlm_spa.core.slide.level_array import LevelArray
from napari_crlm_spa.core.slide.open import open_slide
from napari_crlm_spa.core.slide.pixel_size import MPP_RANGE
from napari_crlm_spa.core.slide.pyramid import SlidePyramid

__all__ = [
    "DECODER_CHOICES",
    "MPP_RANGE",
    "RESAMPLING",
    "SLIDE_SUFFIXES",
    "ArraySlide",
    "LevelArray",
    "PixelSize",
    "RgbImage",
    "Slide",
    "SlideInfo",
    "SlideLevel",
    "SlidePyramid",
    "is_slide_name",
    "open_slide",
    "openslide_version",
    "stem",
]


def openslide_version() -> str:
    """Return the version of the OpenSlide library.

    Raises
    ------
    ImportError, OSError
        If it cannot be loaded.
    """
    from openslide import __library_version__

    return str(__library_version__)
