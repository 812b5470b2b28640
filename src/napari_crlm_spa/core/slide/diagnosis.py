"""Why a slide cannot be opened or read: which failure, which sentence."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from configparser import ConfigParser
from configparser import Error as ConfigError
from pathlib import Path

from napari_crlm_spa.core.slide.formats import SLIDE_SUFFIXES, is_slide_name
from napari_crlm_spa.errors import (
    MissingCompanion,
    NotASlide,
    SlideError,
    UnpyramidedSlide,
    UnreadableSlide,
)

#: A single level with more pixels than this makes zooming out a matter of minutes (napari,
#: QuPath and friends freeze); it has to be converted first. Our choice.
HUGE_PX = 100_000_000

_MAGIC = {
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"II+\x00": "TIFF",
    b"MM\x00+": "TIFF",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
}
_DICOM_MAGIC_AT = 128


class DecoderError(Exception):
    """A reader cannot open a file; the next one is tried. Never reaches the user."""


def check_path(path: Path) -> None:
    """Make sure that there is something readable at `path`.

    Raises
    ------
    SlideError
        If nothing is there, it may not be read, is empty, or lacks its companions.
    """
    try:
        if not path.exists():
            raise UnreadableSlide(f"{path} does not exist. Check the name and the folder.")
        if path.is_dir():
            _check_folder(path)
            return
        if path.stat().st_size == 0:
            raise UnreadableSlide(
                f"{path.name} is empty (0 bytes): the copy or download went wrong. Copy it again."
            )
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise cannot_read(path, error) from error
    _check_companions(path)


def cannot_read(path: Path, error: OSError) -> UnreadableSlide:
    """Return the sentence for a file that the operating system won't hand out."""
    if isinstance(error, PermissionError):
        return UnreadableSlide(
            f"{path.name} may not be read: permission denied. "
            "Ask its owner for read access, or copy it to a folder of your own."
        )
    return UnreadableSlide(
        f"{path.name} cannot be read: {error.strerror or error}. "
        "Check that the disk or network drive is connected."
    )


def dicom_files(folder: Path) -> list[Path]:
    """Return a folder's DICOM files, largest first (that one holds level 0)."""
    files = [file for file in folder.iterdir() if file.is_file()]
    dicom = [file for file in files if file.suffix.lower() == ".dcm" or kind_of(file) == "DICOM"]
    return sorted(dicom, key=lambda file: (-file.stat().st_size, file.name))


def companions(path: Path) -> list[Path]:
    """Return the further files that belong to a slide of several files."""
    suffix = path.suffix.lower()
    if suffix == ".mrxs":
        folder = path.with_suffix("")
        return [file for file in folder.rglob("*") if file.is_file()] if folder.is_dir() else []
    if suffix in (".vms", ".vmu"):
        return [path.parent / name for name in _hamamatsu_images(path)]
    return []


def refused(path: Path, reasons: Mapping[str, str]) -> SlideError:
    """Return the sentence for a file that no reader could open.

    Parameters
    ----------
    path
        The file.
    reasons
        What each reader said.
    """
    said = "; ".join(f"{decoder}: {reason}" for decoder, reason in reasons.items())
    kind = kind_of(path)
    if kind == "TIFF" and (missing := _tiff_cut_off(path)):
        return UnreadableSlide(missing)
    if kind == "DICOM":
        return UnreadableSlide(
            f"{path.name} is a DICOM file, but not a whole-slide image that conforms to the "
            f"standard ({said}). Export the slide again as DICOM WSI, SVS or pyramidal TIFF."
        )
    if kind:
        return UnreadableSlide(
            f"{path.name} is a {kind} file, but it is damaged or of a kind that no reader knows "
            f"({said}). Copy it again, or export it as pyramidal TIFF."
        )
    if is_slide_name(path):
        return NotASlide(
            f"{path.name} is named like a slide, but its content is none. Perhaps the copy or "
            "download went wrong: open it with the scanner's viewer, or fetch it again."
        )
    return NotASlide(
        f"{path.name} is not a slide image. Choose a file that ends in one of "
        f"{' '.join(SLIDE_SUFFIXES)}, or a folder of DICOM files."
    )


def not_by(path: Path, decoder: str, reason: str) -> UnreadableSlide:
    """Return the sentence for a file that the reader asked for cannot open."""
    return UnreadableSlide(
        f"{path.name} cannot be read by {decoder}, which was asked for ({reason}). Leave the "
        "decoder at auto (no --decoder): then the quickest one that can read the file is taken."
    )


def damaged(path: Path, place: str, reason: object) -> UnreadableSlide:
    """Return the sentence for a slide that opens but fails on read."""
    return UnreadableSlide(
        f"{path.name} is damaged: {place} cannot be decoded ({reason}). "
        "Copy the file again, or export it anew from the scanner."
    )


def cut_off(path: Path, needed_bytes: int, size_bytes: int) -> UnreadableSlide:
    """Return the sentence for a file that ends before its pixels do."""
    return UnreadableSlide(
        f"{path.name} is cut off: its pixels reach to byte {needed_bytes:,}, but the file ends at "
        f"byte {size_bytes:,}. The copy or download was interrupted: copy it again."
    )


def closed(path: Path) -> UnreadableSlide:
    """Return the sentence for a read after the slide was closed."""
    return UnreadableSlide(f"{path.name} has been closed. Open it again.")


def too_large(path: Path, levels_px: Sequence[tuple[int, int]]) -> UnpyramidedSlide:
    """Return the sentence for a giant whose last, smallest level (width, height) is one, too."""
    width_px, height_px = levels_px[-1]
    size = f"{width_px:,} x {height_px:,} pixels"
    has = f"no copy smaller than {size}" if len(levels_px) > 1 else f"one level, of {size}"
    return UnpyramidedSlide(
        f"{path.name} has {has}: looking at it or masking its tissue would take minutes. Convert "
        f'it once: crlm-spa convert "{path.name}" "{path.stem}-pyramid.tif"'
    )


def kind_of(path: Path) -> str:
    """Return TIFF, PNG, JPEG or DICOM by the file's first bytes, or an empty text."""
    try:
        with path.open("rb") as file:
            head = file.read(_DICOM_MAGIC_AT + 4)
    except OSError:
        return ""
    if head[_DICOM_MAGIC_AT:] == b"DICM":
        return "DICOM"
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), "")


def _check_folder(folder: Path) -> None:
    if (folder / "Slidedat.ini").exists():
        raise NotASlide(
            f"{folder.name} holds the pixels of a MIRAX slide. "
            f"Open {folder.name}.mrxs beside it instead."
        )
    if not dicom_files(folder):
        raise NotASlide(
            f"{folder.name} is a folder without DICOM files. Choose the slide file itself; "
            "only a DICOM slide is opened as a folder."
        )


def _check_companions(path: Path) -> None:
    suffix = path.suffix.lower()
    if suffix == ".mrxs" and not (path.with_suffix("") / "Slidedat.ini").exists():
        raise MissingCompanion(
            f"{path.name} needs the folder {path.stem} beside it (with Slidedat.ini in it), where "
            "its pixels are. Copy that folder to the same place and keep its name."
        )
    if suffix in (".vms", ".vmu"):
        missing = [name for name in _hamamatsu_images(path) if not (path.parent / name).exists()]
        if missing:
            raise MissingCompanion(
                f"{path.name} needs {len(missing)} more file(s) beside it, the first is "
                f"{missing[0]}. Copy them to the same folder and keep their names."
            )


def _hamamatsu_images(path: Path) -> list[str]:
    """Names of the files that a VMS or VMU index points to."""
    index = ConfigParser(interpolation=None, strict=False)
    try:
        index.read_string(path.read_text(encoding="latin-1"))
    except ConfigError:
        return []
    return [
        value
        for section in index.sections()
        for key, value in index.items(section)
        if value and (key.startswith("imagefile") or key in ("mapfile", "optimisationfile"))
    ]


def _tiff_cut_off(path: Path) -> str:
    """Tell whether a TIFF ends before its first directory."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(16)
    order = "<" if head[:1] == b"I" else ">"
    big = head[2:4] in (b"+\x00", b"\x00+")
    if len(head) < (16 if big else 8):
        return f"{path.name} is cut off after {size} bytes. Copy it again."
    at = struct.unpack(f"{order}{'Q' if big else 'I'}", head[8:16] if big else head[4:8])[0]
    return str(cut_off(path, at, size)) if at >= size else ""
