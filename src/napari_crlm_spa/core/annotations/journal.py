"""What an unfinished export has begun to write, so that it goes on, and leaves nothing behind."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from napari_crlm_spa.core.annotations.manifest import is_inside
from napari_crlm_spa.core.files import write_errors, write_text
from napari_crlm_spa.errors import AnnotationError

# No folder: torchvision takes every folder for a class.
_PREFIX, _SUFFIX = ".export-", ".json"
_LOCK = ".export.lock"


class ExportJournal:
    """The tiles of one slide that are being written to a folder.

    Parameters
    ----------
    folder
        Of the export.
    fingerprint
        Of the slide.
    identity
        Hash of all that determines a tile's pixels and file.
    """

    def __init__(self, folder: Path, fingerprint: str, identity: str) -> None:
        short = hashlib.sha256(fingerprint.encode()).hexdigest()[:16]
        self._path = folder / f"{_PREFIX}{short}{_SUFFIX}"
        self._folder = folder
        self._identity = identity
        found = _read(self._path)
        #: Paths that an interrupted export of the slide meant to write.
        self.begun = _paths(found)
        #: Whether its tiles are those that would be written now.
        self.resumes = bool(found) and found.get("identity") == identity

    def begin(self, paths: Iterable[str]) -> None:
        """Note what is going to be written, before the first tile is."""
        every = sorted({*paths, *self.begun})
        write_text(self._path, json.dumps({"identity": self._identity, "paths": every}))
        self.begun = frozenset(every)

    def end(self, kept: Iterable[str]) -> None:
        """Remove what was begun and is not kept, then the journal itself."""
        remove_tiles(self._folder, self.begun - set(kept))
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def begun_paths(folder: Path) -> frozenset[str]:
    """Return the paths of all unfinished exports in a folder."""
    found = (_paths(_read(path)) for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"))
    return frozenset().union(*found)


def remove_tiles(folder: Path, paths: Iterable[str]) -> None:
    """Remove tiles, and the class folders that are empty then."""
    touched = set()
    for inside in paths:
        path = folder / inside
        with suppress(OSError):
            path.unlink(missing_ok=True)
        touched.add(path.parent)
    for parent in touched - {folder}:
        with suppress(OSError):
            parent.rmdir()  # only an empty one; torchvision refuses a class without tiles


def remove_halves(folder: Path, paths: Sequence[str]) -> None:
    """Remove the half-written images that a killed export left beside its tiles."""
    for parent in {folder / Path(inside).parent for inside in paths}:
        for path in parent.glob(".*_x*_y*-*"):
            with suppress(OSError):
                path.unlink()


@contextmanager
def sole_export(folder: Path) -> Iterator[None]:
    """Keep other exports out of a folder while the block runs.

    Raises
    ------
    AnnotationError
        If another one is writing there.
    """
    with write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        # A generator may be closed by another thread than the one that began it.
        lock = FileLock(folder / _LOCK, thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise AnnotationError(
                f"Another export is writing into {folder} right now. Wait until it has ended, or "
                "choose another folder."
            ) from None
    try:
        yield
    finally:
        lock.release()
        with suppress(OSError):
            (folder / _LOCK).unlink()
        with suppress(OSError):
            folder.rmdir()  # only if the export came to write nothing


def _read(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _paths(found: dict[str, object]) -> frozenset[str]:
    """Return the paths of a journal; only such as lie below the folder."""
    paths = found.get("paths")
    listed = paths if isinstance(paths, list) else []
    inside = (path for path in listed if isinstance(path, str))
    return frozenset(path for path in inside if is_inside(path))
