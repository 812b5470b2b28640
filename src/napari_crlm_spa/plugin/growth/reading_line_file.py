"""The file of a reader's lines on one slide: saved by itself, there again when reopened. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from napari_crlm_spa.core.files import write_errors
from napari_crlm_spa.core.hgp.line_files import PixelFrame, read_line_geojson, write_line_geojson
from napari_crlm_spa.core.hgp.lines import PatternLine
from napari_crlm_spa.core.store.names import HGP_LINES_GEOJSON
from napari_crlm_spa.errors import AnnotationError


class LineFile:
    """Reads and writes the lines of one reading.

    Parameters
    ----------
    folder
        Of the reading.
    frame
        Of the slide.
    rater
        Who draws.
    """

    def __init__(self, folder: Path, frame: PixelFrame, rater: str) -> None:
        self.path = folder / HGP_LINES_GEOJSON
        self._frame, self._rater = frame, rater
        # What the file was like when it was read or written last.
        self._seen: tuple[int, int] | None = None

    def read(self) -> tuple[tuple[PatternLine, ...], str]:
        """Return the lines, and a sentence if the file can't be read: it is kept then."""
        self._seen = _state(self.path)
        if self._seen is None:
            return (), ""
        try:
            return read_line_geojson(self.path, self._frame).lines, ""
        except AnnotationError as error:
            self._seen = None
            return (), f"{error} It will be kept under another name when you draw."

    def write(self, lines: Sequence[PatternLine]) -> str:
        """Save lines; return what is to be told, empty if all went as always.

        Raises
        ------
        StoreError
            If the folder may not be written.
        """
        found = _state(self.path)
        if found is None and not lines:
            return ""
        told = ""
        if found is not None and found != self._seen:
            stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
            kept = self.path.with_name(f"{self.path.stem}-other-{stamp}{self.path.suffix}")
            with write_errors(self.path):
                self.path.replace(kept)
            told = (
                f"{self.path.name} was written by another window or cannot be read. It is kept as "
                f"{kept.name}; Import brings its lines back."
            )
        write_line_geojson(self.path, lines, self._frame, rater=self._rater)
        self._seen = _state(self.path)
        return told


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
