"""The door to all slides: `open_slide` finds the reader and turns failures into sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from napari_crlm_spa.core.slide import diagnosis
from napari_crlm_spa.core.slide.contract import Slide
from napari_crlm_spa.core.slide.diagnosis import DecoderError
from napari_crlm_spa.core.slide.formats import DECODER_CHOICES, decoders_for
from napari_crlm_spa.errors import SlideError, UnreadableSlide

#: Side of the pixels read to prove that a slide can be decoded.
_PROBE_PX = 64


def open_slide(
    path: Path | str,
    *,
    mpp: float | None = None,
    decoder: str = "auto",
    allow_huge: bool = False,
) -> Slide:
    """Open a slide with the quickest library that reads it.

    Parameters
    ----------
    path
        A slide file of any kind in `SLIDE_SUFFIXES`, or a folder of DICOM files.
    mpp
        The user's pixel size in micrometers; it wins over what the file says.
    decoder
        ``"auto"``, or one of ``openslide``, ``tifffile``, ``pillow`` to insist on it. The pixels
        are the same. Plain tiled TIFFs and SVS are described by OpenSlide and decoded by tifffile,
        chunk by chunk, several times quicker; ``SlideInfo.decoder`` says who reads the pixels.
    allow_huge
        Open even a giant without smaller levels (more than 100 million pixels).

    Returns
    -------
    Slide
        Open; close it when done. Its pixel size may be unknown, see
        `SlideInfo.known_pixel_size`.

    Raises
    ------
    NotASlide
        If no reader knows the content, or it is a folder without a slide.
    UnreadableSlide
        If the file is absent, empty, cut off, damaged or may not be read, or if the `decoder`
        that was asked for does not know it.
    SlideError
        If there is no such `decoder`.
    MissingCompanion
        If files that belong to the slide are not beside it.
    UnpyramidedSlide
        If it is a giant without smaller levels.
    MissingPixelSize
        If `mpp` is given and cannot be.
    """
    path = Path(path)
    diagnosis.check_path(path)
    slide = _first_that_opens(path, mpp, decoder, allow_huge)
    try:
        _check_pyramid(slide, allow_huge)
        _check_pixels(slide)
    except BaseException:
        slide.close()
        raise
    return slide


def _first_that_opens(path: Path, mpp: float | None, decoder: str, allow_huge: bool) -> Slide:
    if decoder not in DECODER_CHOICES:
        raise SlideError(
            f"There is no decoder {decoder!r}. Choose one of {', '.join(DECODER_CHOICES)}."
        )
    reasons: dict[str, str] = {}
    for name, attempt in _attempts(path, mpp, decoder, allow_huge):
        try:
            return attempt()
        except DecoderError as refusal:
            reasons.setdefault(name, str(refusal))
        except OSError as error:
            raise diagnosis.cannot_read(path, error) from error
    if decoder != "auto" and _opens(path, mpp, allow_huge):
        raise diagnosis.not_by(path, decoder, reasons[decoder])
    file = path if path.is_file() else diagnosis.dicom_files(path)[0]
    raise diagnosis.refused(file, reasons)


def _opens(path: Path, mpp: float | None, allow_huge: bool) -> bool:
    """Tell whether any reader knows the file."""
    try:
        _first_that_opens(path, mpp, "auto", allow_huge).close()
    except SlideError:
        return False
    return True


def _attempts(
    path: Path, mpp: float | None, decoder: str, allow_huge: bool
) -> Iterator[tuple[str, Callable[[], Slide]]]:
    """Yield the readers to try, each with its name; libraries are imported when needed."""
    if path.is_dir():
        if decoder not in ("auto", "openslide"):
            yield decoder, _knows_no_folders
            return
        for file in diagnosis.dicom_files(path):
            yield "openslide", partial(_openslide, path, mpp, file)
        return
    names = decoders_for(path) if decoder == "auto" else (decoder,)
    for name in names:
        if name == "openslide":
            # An OME-TIFF's smaller levels lie where OpenSlide doesn't look: others go first.
            shallow = decoder != "auto" or "tifffile" not in names
            yield name, partial(_openslide, path, mpp, path, decoder == "auto", shallow)
        elif name == "tifffile":
            yield name, partial(_tifffile, path, mpp)
        else:
            yield name, partial(_pillow, path, mpp, allow_huge)
    if decoder == "auto" and "openslide" in names:
        yield "openslide", partial(_openslide, path, mpp, path)


def _knows_no_folders() -> Slide:
    raise DecoderError("it knows no folders of DICOM files")


def _openslide(
    path: Path, mpp: float | None, file: Path, direct: bool = True, shallow: bool = True
) -> Slide:
    from napari_crlm_spa.core.slide.openslide_slide import OpenSlideSlide

    slide = OpenSlideSlide(path, mpp, file=file, direct=direct)
    if not shallow and slide.info.vendor == "generic-tiff" and len(slide.info.levels) == 1:
        slide.close()
        raise DecoderError("it sees one level only")
    return slide


def _tifffile(path: Path, mpp: float | None) -> Slide:
    from napari_crlm_spa.core.slide.tiff_slide import TiffSlide

    return TiffSlide(path, mpp)


def _pillow(path: Path, mpp: float | None, allow_huge: bool) -> Slide:
    from napari_crlm_spa.core.slide.picture import open_picture

    return open_picture(path, mpp, allow_huge=allow_huge)


def _check_pyramid(slide: Slide, allow_huge: bool) -> None:
    info = slide.info
    coarsest = info.levels[-1]
    if coarsest.width_px * coarsest.height_px > diagnosis.HUGE_PX and not allow_huge:
        sizes_px = [(level.width_px, level.height_px) for level in info.levels]
        raise diagnosis.too_large(info.path, sizes_px)


def _check_pixels(slide: Slide) -> None:
    """Read a few places: a slide none of which can be decoded is better refused at once."""
    problem: UnreadableSlide | None = None
    last = len(slide.info.levels) - 1
    for level, share in ((last, 0.5), (0, 0.5), (0, 0.25), (0, 0.75)):
        here = slide.info.levels[level]
        x, y = int(here.width_px * share), int(here.height_px * share)
        try:
            slide.read_level(level, x, y, _PROBE_PX, _PROBE_PX)
        except UnreadableSlide as error:
            problem = error
        else:
            return
    if problem is not None:
        raise problem
