"""Slides through OpenSlide: its description always, its pixels where it must decode them.

For plain tiled TIFFs (generic TIFF, Aperio) the file's own tiles are decoded directly: the
pixels are the same at level 0, exact on all other levels, and come several times quicker.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from threading import Lock

import numpy as np
import openslide
from openslide import OpenSlideCache, OpenSlideError

from napari_crlm_spa.core.slide import diagnosis
from napari_crlm_spa.core.slide import pixel_size as sizes
from napari_crlm_spa.core.slide.contract import RgbImage, Slide
from napari_crlm_spa.core.slide.fingerprint import fingerprint
from napari_crlm_spa.core.slide.info import SlideInfo, levels_of
from napari_crlm_spa.core.slide.tiff_colors import over_white
from napari_crlm_spa.core.slide.tiff_pixels import TiffPixels
from napari_crlm_spa.core.slide.tiff_slide import open_tiff, pyramid_pages

CACHE_BYTES = 64 * 1024**2
#: Vendors whose files are plain tiled TIFFs, one page a level.
_PLAIN_TIFF = ("generic-tiff", "aperio")
#: Vendors with a pixel size of their own, and where it stands in their files.
_SOURCE = {
    "aperio": "aperio.MPP",
    "dicom": "DICOM PixelSpacing",
    "hamamatsu": "Hamamatsu resolution",
    "mirax": "MIRAX Slidedat.ini",
    "philips": "Philips DICOM_PIXEL_SPACING",
    "ventana": "ventana.ScanRes",
}


class OpenSlideSlide(Slide):
    """A slide that OpenSlide knows.

    Parameters
    ----------
    path
        What the user opened.
    mpp
        The user's pixel size, or None.
    file
        The file to hand to OpenSlide, if `path` is a folder.
    direct
        Whether plain TIFF tiles may be decoded directly.

    Raises
    ------
    DecoderError
        If OpenSlide does not know the file.
    """

    def __init__(
        self, path: Path, mpp: float | None = None, *, file: Path | None = None, direct: bool = True
    ) -> None:
        self._file = file or path
        self._cache = OpenSlideCache(CACHE_BYTES)
        self._lock = Lock()
        try:
            self._handle: openslide.OpenSlide | None = self._open()
        except OpenSlideError as error:
            raise diagnosis.DecoderError(_reason(error)) from error
        handle = self._handle
        self.info = _describe(path, self._file, handle, mpp)
        self._downsamples = handle.level_downsamples
        self._tiff = None
        if direct and self.info.vendor in _PLAIN_TIFF:
            self._tiff = _direct_pixels(self._file, self.info)
        if self._tiff is not None:
            self.info = dataclasses.replace(self.info, decoder="tifffile")

    def read_level(
        self, level: int, x_px: int, y_px: int, width_px: int, height_px: int
    ) -> RgbImage:
        """Read pixels of one level, see `Slide.read_level`."""
        handle = self._open_handle()
        if self._tiff is not None:
            return self._tiff.read(level, x_px, y_px, width_px, height_px)
        try:
            return self._read(handle, level, x_px, y_px, width_px, height_px)
        except OpenSlideError:
            # One damaged place spoils the handle for every thread: only a fresh one can tell
            # whether it is this place.
            return self._read_again(handle, level, x_px, y_px, width_px, height_px)

    def associated_image(self, name: str) -> RgbImage:
        """Return a label, macro or thumbnail image."""
        try:
            picture = self._open_handle().associated_images[name]
        except OpenSlideError as error:
            raise diagnosis.damaged(self.info.path, f"its {name} image", _reason(error)) from error
        return over_white(np.asarray(picture))

    def forget_pixels(self) -> None:
        """Give back the memory of decoded pixels; OpenSlide keeps its own."""
        if self._tiff is not None:
            self._tiff.forget()

    def close(self) -> None:
        """Release the file as soon as reads under way in other threads are done."""
        self._handle = None
        if self._tiff is not None:
            self._tiff.close()

    def _open(self) -> openslide.OpenSlide:
        handle = openslide.OpenSlide(self._file)
        handle.set_cache(self._cache)
        return handle

    def _open_handle(self) -> openslide.OpenSlide:
        handle = self._handle
        if handle is None:
            raise diagnosis.closed(self.info.path)
        return handle

    def _read(
        self,
        handle: openslide.OpenSlide,
        level: int,
        x_px: int,
        y_px: int,
        width_px: int,
        height_px: int,
    ) -> RgbImage:
        downsample = self._downsamples[level]
        corner = (round(x_px * downsample), round(y_px * downsample))
        region = handle.read_region(corner, level, (width_px, height_px))
        pixels = over_white(np.asarray(region))
        here = self.info.levels[level]
        # OpenSlide paints a few vendors' padding beyond the level's edge.
        pixels[max(0, here.height_px - y_px) :] = 255
        pixels[:, max(0, here.width_px - x_px) :] = 255
        return pixels

    def _read_again(
        self,
        spoiled: openslide.OpenSlide,
        level: int,
        x_px: int,
        y_px: int,
        width_px: int,
        height_px: int,
    ) -> RgbImage:
        try:
            fresh = self._open()
            with self._lock:
                if self._handle is spoiled:
                    self._handle = self._open()
            return self._read(fresh, level, x_px, y_px, width_px, height_px)
        except OpenSlideError as error:
            place = f"the part at ({x_px}, {y_px}) of level {level}"
            raise diagnosis.damaged(self.info.path, place, _reason(error)) from error


def _describe(path: Path, file: Path, handle: openslide.OpenSlide, mpp: float | None) -> SlideInfo:
    properties = handle.properties
    vendor = properties.get(openslide.PROPERTY_NAME_VENDOR, "unknown")
    power = sizes.number(properties.get(openslide.PROPERTY_NAME_OBJECTIVE_POWER))
    pixel_size, note = sizes.resolve_pixel_size(_claims(properties, vendor, power), mpp)
    levels = levels_of(handle.level_dimensions)
    bounds = [properties.get(f"openslide.bounds-{key}") for key in ("x", "y", "width", "height")]
    whole = (0, 0, levels[0].width_px, levels[0].height_px)
    x, y, width, height = (
        whole[i] if value is None else int(value) for i, value in enumerate(bounds)
    )
    return SlideInfo(
        path=path,
        vendor=vendor,
        decoder="openslide",
        levels=levels,
        pixel_size=pixel_size,
        pixel_size_note=note,
        bounds_xy0=(x, y, width, height),
        objective_power=power,
        icc_profile="openslide.icc-size" in properties,
        associated_images=tuple(sorted(handle.associated_images)),
        fingerprint=_fingerprint(path, file, properties),
    )


def _claims(
    properties: Mapping[str, str], vendor: str, power: float | None
) -> list[sizes.PixelSizeClaim]:
    """Collect what the file says about its pixel size, most trusted first."""
    description = properties.get("tiff.ImageDescription", "")
    tags = sizes.tiff_claims(
        properties.get("tiff.XResolution"),
        properties.get("tiff.YResolution"),
        sizes.imagej_unit(description) or properties.get("tiff.ResolutionUnit", ""),
    )
    header = []
    # For all others OpenSlide takes its value from the resolution tags.
    if vendor in _SOURCE or not tags:
        header = sizes.vendor_claims(
            properties.get(openslide.PROPERTY_NAME_MPP_X),
            properties.get(openslide.PROPERTY_NAME_MPP_Y),
            _SOURCE.get(vendor, f"{vendor} header"),
        )
    described = sizes.description_claims(description) if vendor == "generic-tiff" else []
    return [*header, *tags, *described, *sizes.objective_claims(power)]


def _fingerprint(path: Path, file: Path, properties: Mapping[str, str]) -> str:
    series = properties.get("dicom.SeriesInstanceUID", "")
    if not series:
        return fingerprint(path, diagnosis.companions(path))
    # Any file of a DICOM slide opens it: the largest stands for all.
    largest, *others = diagnosis.dicom_files(file.parent)
    return fingerprint(largest, others, series)


def _direct_pixels(path: Path, info: SlideInfo) -> TiffPixels | None:
    """Return the file's own tiles, or None where OpenSlide must decode."""
    file = path.open("rb")
    try:
        pages = [level[0] for level in pyramid_pages(open_tiff(file))]
        by_size = {(page.imagewidth, page.imagelength): page for page in reversed(pages)}
        levels = [[by_size[level.width_px, level.height_px]] for level in info.levels]
        # OpenSlide knows how to fill tiles that the scanner left out; we would show white.
        if all(page.is_tiled and all(page.databytecounts) for (page,) in levels):
            return TiffPixels(path, file, levels)
    except (diagnosis.DecoderError, KeyError):
        pass
    except BaseException:
        file.close()
        raise
    file.close()
    return None


def _reason(error: OpenSlideError) -> str:
    return str(error).rstrip(".")
