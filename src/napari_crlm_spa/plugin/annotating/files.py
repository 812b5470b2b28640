"""Where a reader's areas are kept, and how: saved by themselves, there again when reopened. No Qt.

They lie in the analysis folder of the slide. A slide that was never analyzed gets a folder named
after it and the beginning of its fingerprint, since slides of one name are common before there
is anything to tell them apart; the areas move into the analysis folder once there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from napari_crlm_spa.core.annotations import Area, read_areas, write_areas
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.files import write_errors
from napari_crlm_spa.core.review.reader_names import display_name, reader_folder
from napari_crlm_spa.core.store.names import ANNOTATIONS_GEOJSON
from napari_crlm_spa.errors import AnnotationError
from napari_crlm_spa.plugin.memory import default_output_folder, recall
from napari_crlm_spa.plugin.session import OpenSlide


def results_folder() -> Path:
    """Return the folder for results that the panel has chosen."""
    chosen = str(recall().get("output_folder", "")).strip()
    return Path(chosen).expanduser() if chosen else default_output_folder()


def place_before_analysis(slide: OpenSlide, reader: str) -> Path:
    """Return where the areas of a slide lie that was not analyzed."""
    folder = results_folder() / f"{slide.stem}-{slide.info.fingerprint[:8]}"
    return reader_folder(folder, reader) / ANNOTATIONS_GEOJSON


class AnnotationFile:
    """The file of one reader's areas of one slide.

    Parameters
    ----------
    slide
        Whose.
    reader
        Who draws.

    Attributes
    ----------
    notes
        What was found while reading, in sentences.
    """

    def __init__(self, slide: OpenSlide, reader: str) -> None:
        self.reader = display_name(reader)
        self._slide = slide
        self.notes: tuple[str, ...] = ()
        # What the file was like when it was read or written last.
        self._seen: tuple[int, int] | None = None

    @property
    def path(self) -> Path:
        """Where the areas lie now."""
        analysis = self._slide.analysis
        if analysis is None:
            return place_before_analysis(self._slide, self.reader)
        return reader_folder(analysis.folder, self.reader) / ANNOTATIONS_GEOJSON

    def move_to_analysis(self) -> bool:
        """Bring areas that were drawn before the analysis to it; tells whether there were any.

        Raises
        ------
        StoreError
            If the folder may not be written.
        """
        before, now = place_before_analysis(self._slide, self.reader), self.path
        if before == now or now.exists() or not before.is_file():
            return False
        with write_errors(now):
            now.parent.mkdir(parents=True, exist_ok=True)
            before.replace(now)
            for folder in list(before.parents)[:3]:
                # Empty ones only.
                if any(folder.iterdir()):
                    break
                folder.rmdir()
        return True

    def read(self) -> tuple[Area, ...]:
        """Return the areas; none if nothing was drawn.

        A file that cannot be read is kept under another name before anything is written.

        Raises
        ------
        StoreError
            If areas that were drawn before the analysis cannot be brought to it.
        """
        self.move_to_analysis()
        self.notes = ()
        self._seen = _state(self.path)
        if self._seen is None:
            return ()
        try:
            found = read_areas(self.path, self._slide.info, CRLM7, annotator=self.reader)
        except AnnotationError as error:
            self._seen = None
            self.notes = (f"{error} It will be kept under another name when you draw.",)
            return ()
        self.notes = found.notes
        return found.areas

    def write(self, areas: Sequence[Area]) -> str:
        """Save the areas; nothing is written while there was never anything to save.

        Returns
        -------
        str
            What to tell the user; empty if all went as always.

        Raises
        ------
        StoreError
            If the disk is full or the folder may not be written.
        """
        path, found = self.path, _state(self.path)
        if found is None and not areas:
            return ""
        told = ""
        if found is not None and found != self._seen:
            kept = _free_name(path)
            with write_errors(path):
                path.replace(kept)
            told = (
                f"{path.name} was written by another window or cannot be read. It is kept as "
                f"{kept.name}; Import brings its areas back."
            )
        write_areas(path, areas, self._slide.info, CRLM7)
        self._seen = _state(path)
        return told


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _free_name(path: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    return path.with_name(f"{path.stem}-other-{stamp}{path.suffix}")
