"""How far the reading of a slide is: who corrected how much, and who called it reviewed.

Cheap enough for a queue of a thousand slides: of a log only its first and last words are read.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.review.log_lines import CORRECTED_TILES
from napari_crlm_spa.core.review.reader_names import (
    display_name,
    folder_name,
    kept_log_name,
    reader_folder,
)
from napari_crlm_spa.core.store import to_json
from napari_crlm_spa.core.store.names import (
    EDITS_JSONL,
    READERS,
    REVIEW_JSON,
    RUN_JSON,
    TILES_JOURNAL,
)

_TAIL_BYTES = 80
_LAST_COUNT = re.compile(rf'"{CORRECTED_TILES}": (\d+)}}\n'.encode())


class ReviewStage(StrEnum):
    """How far a slide is."""

    NEW = "new"
    BEGUN = "begun"  # a run was interrupted; it resumes
    DONE = "done"  # analyzed
    REVIEWED = "reviewed"


@dataclass(frozen=True, slots=True)
class ReviewMark:
    """What a reader says about the whole slide.

    Parameters
    ----------
    reviewed
        Whether the review is finished.
    by, when
        The reader, and the time (UTC, ISO 8601).
    note
        Free text.
    identity
        The run that was reviewed; the mark of an earlier map does not count.
    """

    reviewed: bool
    by: str
    when: str
    note: str = ""
    identity: str = ""


@dataclass(frozen=True, slots=True)
class ReaderState:
    """One reader's work on a slide.

    Parameters
    ----------
    name, folder
        The reader.
    corrected_tiles
        Tiles whose class differs from the prediction; None where the log's end cannot be read.
        0 where all corrections were made on the map of another run.
    edited
        Time of the last step (seconds since 1970); None without a step on the map that is there.
    mark
        What the reader says about the slide; None if nothing.
    """

    name: str
    folder: Path
    corrected_tiles: int | None
    edited: float | None
    mark: ReviewMark | None


@dataclass(frozen=True, slots=True)
class ReviewState:
    """How far a slide is, and by whom.

    Parameters
    ----------
    stage
        REVIEWED if any reader says so of the map that is there.
    readers
        Everybody who corrected or marked it, by name.
    """

    stage: ReviewStage
    readers: tuple[ReaderState, ...] = ()

    @property
    def corrected_tiles(self) -> int:
        """Corrected tiles of the reader who corrected most."""
        return max((reader.corrected_tiles or 0 for reader in self.readers), default=0)


def set_reviewed(folder: Path, reader: str, reviewed: bool = True, note: str = "") -> ReviewMark:
    """Mark a slide as reviewed by a reader, or take the mark back.

    Parameters
    ----------
    folder
        The analysis folder.
    reader
        Who says so.
    reviewed, note
        What is said.

    Raises
    ------
    FolderNotWritable, DiskFull
        If the mark cannot be written.
    """
    mark = ReviewMark(
        reviewed=reviewed,
        by=display_name(reader),
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        note=note,
        identity=_identity(folder),
    )
    write_text(reader_folder(folder, reader) / REVIEW_JSON, to_json(asdict(mark)) + "\n")
    return mark


def read_reviewed(folder: Path, reader: str) -> ReviewMark | None:
    """Return what a reader says about a slide; None if nothing, or nothing readable."""
    return _mark(reader_folder(folder, reader))


def review_state(folder: Path) -> ReviewState:
    """Tell how far a slide is by its analysis folder, whether that exists or not."""
    if not (folder / RUN_JSON).is_file():
        begun = (folder / TILES_JOURNAL).is_file()
        return ReviewState(ReviewStage.BEGUN if begun else ReviewStage.NEW, list_readers(folder))
    readers = list_readers(folder)
    marks = [reader.mark for reader in readers if reader.mark and reader.mark.reviewed]
    identity = _identity(folder) if marks else ""
    valid = any(mark.identity == identity for mark in marks)
    return ReviewState(ReviewStage.REVIEWED if valid else ReviewStage.DONE, readers)


def list_readers(folder: Path) -> tuple[ReaderState, ...]:
    """List the readers of an analysis, by name."""
    try:
        places = [place for place in (folder / READERS).iterdir() if place.is_dir()]
    except OSError:
        return ()
    identity = _identity(folder) if places else ""
    found = [reader for place in places if (reader := _reader(place, identity)) is not None]
    return tuple(sorted(found, key=lambda reader: reader.name.casefold()))


def _reader(place: Path, identity: str) -> ReaderState | None:
    """Read one reader's folder; `identity` is of the run whose map is there."""
    mark = _mark(place)
    first = _log_end(place / EDITS_JSONL)
    if first is None and mark is None:
        return None
    header = {} if first is None else first.header
    name = str(header.get("reader") or (mark.by if mark else place.name))
    # A folder that was copied or renamed goes by its own name: it is asked for by that.
    name = name if folder_name(name) == place.name else place.name
    log = first
    if first is not None and identity and header.get("identity", identity) != identity:
        log = _log_end(place / kept_log_name(identity))
    if log is None:
        return ReaderState(name, place, 0, None, mark)
    return ReaderState(name, place, log.corrected_tiles, log.edited, mark)


@dataclass(frozen=True, slots=True)
class _LogEnd:
    header: dict[str, Any]
    corrected_tiles: int | None
    edited: float | None


def _log_end(log: Path) -> _LogEnd | None:
    """Read the first and the last words of a log; None if there is none.

    Of one that may not be read nothing is known, but its reader is one.
    """
    try:
        with log.open("rb") as file:
            header = _json(file.readline())
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            last = _LAST_COUNT.search(file.read())
        return _LogEnd(header, int(last[1]) if last else None, log.stat().st_mtime)
    except FileNotFoundError:
        return None
    except OSError:
        return _LogEnd({}, None, None)


def _mark(place: Path) -> ReviewMark | None:
    try:
        found = _json((place / REVIEW_JSON).read_bytes())
        reviewed = found["reviewed"]
        texts = {key: str(found.get(key, "")) for key in ("by", "when", "note", "identity")}
    except (OSError, KeyError):
        return None
    return ReviewMark(reviewed=reviewed is True, **texts)


def _identity(folder: Path) -> str:
    try:
        return str(_json((folder / RUN_JSON).read_bytes()).get("identity", ""))
    except OSError:
        return ""


def _json(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
