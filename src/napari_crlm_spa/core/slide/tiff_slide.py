"""TIFF files that OpenSlide refuses: strips, deflate, SubIFD pyramids such as OME-TIFF."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import tifffile

from napari_crlm_spa.core.slide import pixel_size as sizes
from napari_crlm_spa.core.slide.contract import RgbImage, Slide
from napari_crlm_spa.core.slide.diagnosis import DecoderError, cannot_read, closed
from napari_crlm_spa.core.slide.fingerprint import fingerprint
from napari_crlm_spa.core.slide.info import SlideInfo, levels_of
from napari_crlm_spa.core.slide.tiff_pixels import TiffPixels

# tifffile logs what it finds odd; without this, Python prints it beside our own sentence.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

#: Pages whose width-to-height ratio differs by more are no copies of the same picture.
_SAME_ASPECT = 0.02
_ASSOCIATED = ("label", "macro", "thumbnail")
_ICC_PROFILE_TAG = 34675
_RESOLUTION_UNIT = {2: "inch", 3: "centimeter", 4: "millimeter", 5: "micrometer"}


class TiffSlide(Slide):
    """A TIFF read with tifffile's help.

    Parameters
    ----------
    path
        The file.
    mpp
        The user's pixel size, or None.
    """

    def __init__(self, path: Path, mpp: float | None = None) -> None:
        with ExitStack() as stack:
            file = stack.enter_context(path.open("rb"))
            tiff = open_tiff(file)
            levels = pyramid_pages(tiff)
            self._pixels = TiffPixels(path, file, levels)
            self._associated = _associated_pages(tiff)
            self.info = self._describe(path, tiff, levels[0][0], mpp)
            self._file = file
            stack.pop_all()

    def read_level(
        self, level: int, x_px: int, y_px: int, width_px: int, height_px: int
    ) -> RgbImage:
        """Read pixels of one level, see `Slide.read_level`."""
        self._check_open()
        return self._pixels.read(level, x_px, y_px, width_px, height_px)

    def associated_image(self, name: str) -> RgbImage:
        """Return a label, macro or thumbnail image."""
        self._check_open()
        page = self._associated[name]
        pixels = TiffPixels(self.info.path, self._file, [[page]])
        return pixels.read(0, 0, 0, page.imagewidth, page.imagelength)

    def forget_pixels(self) -> None:
        """Give back the memory of decoded pixels."""
        self._pixels.forget()

    def close(self) -> None:
        """Release the file."""
        self._pixels.close()

    def _check_open(self) -> None:
        if self._file.closed:
            raise closed(self.info.path)

    def _describe(
        self, path: Path, tiff: tifffile.TiffFile, page: tifffile.TiffPage, mpp: float | None
    ) -> SlideInfo:
        description = tiff.pages.first.description or ""
        power = sizes.objective_power(description)
        pixel_size, note = sizes.resolve_pixel_size(tiff_file_claims(page, description), mpp)
        levels = levels_of([(level.width_px, level.height_px) for level in self._pixels.levels])
        return SlideInfo(
            path=path,
            vendor=_vendor(tiff),
            decoder="tifffile",
            levels=levels,
            pixel_size=pixel_size,
            pixel_size_note=note,
            bounds_xy0=(0, 0, levels[0].width_px, levels[0].height_px),
            objective_power=power,
            icc_profile=_ICC_PROFILE_TAG in page.tags,
            associated_images=tuple(sorted(self._associated)),
            fingerprint=fingerprint(path),
        )


def open_tiff(file: BinaryIO) -> tifffile.TiffFile:
    """Read a TIFF's directories.

    Raises
    ------
    DecoderError
        If it is no TIFF, or its directories are damaged.
    """
    try:
        tiff = tifffile.TiffFile(file)
        if not tiff.series:
            raise DecoderError("it holds no images")
    except OSError as error:
        raise cannot_read(Path(file.name), error) from error
    # Damaged directories make tifffile fail in many ways; each means that it can't read them.
    except Exception as error:
        raise DecoderError(str(error) or type(error).__name__) from error
    return tiff


def pyramid_pages(tiff: tifffile.TiffFile) -> list[list[tifffile.TiffPage]]:
    """Find the pages of each level of the largest picture, largest first."""
    series = max(tiff.series, key=lambda each: _area(each.levels[0]))
    levels = [_color_pages(level) for level in series.levels]
    if len(levels) == 1 and levels[0][0].is_tiled:
        # Some writers don't mark smaller copies as such: they are pages of the same shape.
        others = [_color_pages(each) for each in tiff.series if each is not series]
        levels += [pages for pages in others if _is_copy(pages[0], levels[0][0])]
    return sorted(levels, key=lambda pages: -pages[0].imagewidth * pages[0].imagelength)


def tiff_file_claims(page: tifffile.TiffPage, description: str) -> list[sizes.PixelSizeClaim]:
    """Collect what a TIFF says about its pixel size, most trusted first."""
    vendor = sizes.description_claims(description)
    is_vendor = bool(vendor) and vendor[0].source.startswith("aperio")
    unit = _RESOLUTION_UNIT.get(int(page.tags.valueof("ResolutionUnit", 2)), "")
    tags = sizes.tiff_claims(
        _ratio(page.tags.valueof("XResolution")),
        _ratio(page.tags.valueof("YResolution")),
        sizes.imagej_unit(description) or unit,
    )
    nominal = sizes.objective_claims(sizes.objective_power(description))
    return [*vendor, *tags, *nominal] if is_vendor else [*tags, *vendor, *nominal]


def _ratio(value: object) -> float | None:
    if isinstance(value, tuple) and len(value) == 2 and value[1]:
        return float(value[0] / value[1])
    return None


def _color_pages(series: tifffile.TiffPageSeries) -> list[tifffile.TiffPage]:
    """One page that holds the colors, or three gray ones (OME-TIFF keeps channels apart)."""
    pages = [page.aspage() for page in series.pages[:3] if page is not None]
    first = pages[0]
    if first.samplesperpixel == 1 and len(pages) == 3 and "C" in series.axes:
        return pages
    return [first]


def _area(series: tifffile.TiffPageSeries) -> int:
    page = series.keyframe
    return int(page.imagewidth * page.imagelength)


def _is_copy(page: tifffile.TiffPage, base: tifffile.TiffPage) -> bool:
    aspect = (page.imagewidth * base.imagelength) / (page.imagelength * base.imagewidth)
    same_kind = page.is_tiled and page.samplesperpixel == base.samplesperpixel
    smaller = page.imagewidth < base.imagewidth
    return bool(same_kind and smaller and abs(aspect - 1) < _SAME_ASPECT)


def _associated_pages(tiff: tifffile.TiffFile) -> dict[str, tifffile.TiffPage]:
    return {
        series.name.lower(): series.pages[0].aspage()
        for series in tiff.series
        if series.name.lower() in _ASSOCIATED
    }


def _vendor(tiff: tifffile.TiffFile) -> str:
    kinds = {"is_svs": "aperio", "is_ome": "OME-TIFF", "is_imagej": "ImageJ", "is_scn": "leica"}
    return next((name for flag, name in kinds.items() if getattr(tiff, flag)), "TIFF")
