"""Which files are slides: the one place that spells their suffixes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SlideFormat:
    """A kind of slide file.

    Parameters
    ----------
    name
        In words for the user.
    suffixes
        Lower case, with the dot.
    decoders
        Readers that may open it, best first.
    """

    name: str
    suffixes: tuple[str, ...]
    decoders: tuple[str, ...]


#: OpenSlide describes; tifffile reads what OpenSlide refuses; Pillow reads plain pictures.
SLIDE_FORMATS = (
    SlideFormat("Aperio", (".svs",), ("openslide", "tifffile")),
    SlideFormat("Hamamatsu", (".ndpi", ".vms", ".vmu"), ("openslide",)),
    SlideFormat("3DHISTECH MIRAX", (".mrxs",), ("openslide",)),
    SlideFormat("Leica", (".scn",), ("openslide", "tifffile")),
    SlideFormat("Ventana", (".bif",), ("openslide", "tifffile")),
    SlideFormat("TIFF and OME-TIFF", (".tif", ".tiff"), ("openslide", "tifffile")),
    SlideFormat("DICOM", (".dcm",), ("openslide",)),
    SlideFormat("picture", (".png", ".jpg", ".jpeg"), ("pillow",)),
)

#: Every suffix that `open_slide` knows. A folder of DICOM files is a slide as well.
SLIDE_SUFFIXES = tuple(suffix for kind in SLIDE_FORMATS for suffix in kind.suffixes)

DECODERS = ("openslide", "tifffile", "pillow")

#: What a user may say; ``"auto"`` takes the quickest that can read the file.
DECODER_CHOICES = ("auto", *DECODERS)


def decoders_for(path: Path) -> tuple[str, ...]:
    """Return the readers to try, best first; all of them for an unknown suffix."""
    suffix = path.suffix.lower()
    for kind in SLIDE_FORMATS:
        if suffix in kind.suffixes:
            return kind.decoders
    return DECODERS


def is_slide_name(path: Path) -> bool:
    """Tell by the suffix alone whether a file may be a slide."""
    return path.suffix.lower() in SLIDE_SUFFIXES


def stem(path: Path) -> str:
    """Return the slide's name without its suffix; ``.ome.tif`` counts as one suffix."""
    name = path.name
    for suffix in (".ome.tiff", ".ome.tif", *SLIDE_SUFFIXES):
        # A name of dots only would be a folder's own or its parent's.
        if name.lower().endswith(suffix) and name[: -len(suffix)].strip("."):
            return name[: -len(suffix)]
    return name
