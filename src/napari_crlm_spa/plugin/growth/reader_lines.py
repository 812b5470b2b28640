"""The lines that readers have drawn along a slide's interface, read from beside its analysis."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.hgp.line_files import PixelFrame, read_line_geojson
from napari_crlm_spa.core.hgp.lines import PatternLine
from napari_crlm_spa.core.review.reader_names import reader_folder
from napari_crlm_spa.core.store.names import HGP_LINES_GEOJSON, READERS
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin.session import OpenSlide


@dataclass(frozen=True, slots=True, eq=False)
class DrawnLines:
    """Lines of one reading.

    Parameters
    ----------
    name
        Of the folder that they lie in: the reader's.
    lines
        (pattern, vertices in micrometers of shape (n, 2)).
    """

    name: str
    lines: tuple[tuple[str, NDArray[np.float64]], ...]


def line_files(slide: OpenSlide) -> list[Path]:
    """Return the files of lines that were drawn on a slide, by reader."""
    if slide.analysis is None:
        return []
    return sorted((slide.analysis.folder / READERS).glob(f"*/{HGP_LINES_GEOJSON}"))


def drawn_lines(slide: OpenSlide, reader: str) -> DrawnLines | None:
    """Return the lines of a reader, or of the first one who has drawn any; None without any.

    A file that can't be read is left to the tab in which it was drawn.
    """
    found = line_files(slide)
    if not found or slide.analysis is None:
        return None
    own = reader_folder(slide.analysis.folder, reader) / HGP_LINES_GEOJSON
    for path in sorted(found, key=lambda each: each != own):
        try:
            lines = read_line_geojson(path, PixelFrame.of(slide.info)).lines
        except CrlmSpaError:
            continue
        if lines:
            return DrawnLines(path.parent.name, tuple(map(_vertices, lines)))
    return None


def _vertices(line: PatternLine) -> tuple[str, NDArray[np.float64]]:
    vertices = line.vertices_um
    if line.closed:
        vertices = np.vstack([vertices, vertices[:1]])
    return line.pattern, vertices
