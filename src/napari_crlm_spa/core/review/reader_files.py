"""A reader's log on disk: ``readers/<reader>/edits.jsonl`` in the analysis folder.

The first line says which run it belongs to; then comes one line a step, on disk before the call
returns. What a crash cuts off is the last line at most. A log of another run is set aside as
``edits-<run>.jsonl`` by the first step that is written, and taken up again when the slide is
analyzed as it was then. Opening a log never writes.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from napari_crlm_spa.core.files import write_bytes, write_errors
from napari_crlm_spa.core.pipeline import Analysis
from napari_crlm_spa.core.review.log_lines import (
    READABLE_VERSIONS,
    LoggedStep,
    header_of,
    step_of,
)
from napari_crlm_spa.core.review.reader_names import (
    display_name,
    kept_log_name,
    reader_folder,
)
from napari_crlm_spa.core.review.review import Review
from napari_crlm_spa.core.risk import RiskModel
from napari_crlm_spa.core.store import to_json
from napari_crlm_spa.core.store.names import EDITS_JSONL, LOCK
from napari_crlm_spa.errors import DiskFull, StoreError

_WAIT_S = 2.0
#: What a line that is no line of a log makes fail.
_DAMAGE = (
    *(ValueError, KeyError, TypeError, IndexError, AttributeError),
    # What numbers and brackets without end do.
    *(OverflowError, MemoryError, RecursionError),
)


def open_review(analysis: Analysis, risk_model: RiskModel, reader: str = "") -> Review:
    """Open a reader's review of an analysis, with everything that was corrected so far.

    Nothing is written before the first step. What stands in the way of saving never stands in
    the way of correcting: `Review.problem` says it, and the steps are kept in memory and written
    as soon as that is possible. `Review.notes` says what was found wrong with the log.

    Parameters
    ----------
    analysis
        A finished analysis; its folder holds the log.
    risk_model
        By which the risk follows.
    reader
        Who reads; capitals do not matter, no name is a reader called "reader".
    """
    name = display_name(reader)
    review = Review(analysis, risk_model, name)
    log = EditLog(reader_folder(analysis.folder, name), header_of(analysis, name))
    review.replay(log.read(analysis), log)
    return review


class EditLog:
    """One reader's log file.

    Parameters
    ----------
    folder
        The reader's folder; it is created by the first line.
    header
        What `header_of` returns.

    Attributes
    ----------
    problem
        Why the last lines are not on disk, in a sentence; empty if they are.
    notes
        What was found wrong, in sentences.
    """

    def __init__(self, folder: Path, header: Mapping[str, Any]) -> None:
        self.path = folder / EDITS_JSONL
        self.problem = ""
        self.notes: tuple[str, ...] = ()
        self._header = header
        self._waiting: list[str] = []
        # Bytes that were there when the log was read, and up to where they are good.
        self._seen, self._good = 0, 0
        self._unreadable = ""
        # Where logs go that are found at our place, and from where ours is taken.
        self._alien_to: Path | None = None
        self._damaged_to: Path | None = None
        self._source = self.path

    # -- reading --------------------------------------------------------------------------

    def read(self, analysis: Analysis) -> list[LoggedStep]:
        """Return the steps of the log, as far as they belong to this run and can be read."""
        content = self._content(self.path)
        if content is None:
            return []
        self._seen = len(content)
        if not self._is_ours(_header(content)):
            self._tell_alien(_header(content))
            content = self._content(self._source)
            if content is None or not self._is_ours(_header(content)):
                self._source = self.path
                return []
            self._note(f"Earlier corrections of this very map are taken from {self._source.name}.")
        if _header(content).get("map_sha256") != self._header["map_sha256"]:
            self._note(
                "The slide was classified again since the corrections were made, and some tiles "
                "came out differently. The corrections were applied to the new map."
            )
        return self._steps(content, analysis)

    def _content(self, path: Path) -> bytes | None:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._unreadable = (
                f"the corrections that are there cannot be read ({error.strerror}: {path}). See "
                "who may read the file, and open the slide again."
            )
            self.problem = f"Nothing of {self._header['reader']} is shown or saved: "
            self.problem += self._unreadable
            return None

    def _is_ours(self, header: Mapping[str, Any]) -> bool:
        wanted = json.loads(to_json(self._header))
        return header.get("format") in READABLE_VERSIONS and all(
            header.get(key) == wanted[key]
            for key in ("identity", "scheme", "classes", "rows", "cols")
        )

    def _steps(self, content: bytes, analysis: Analysis) -> list[LoggedStep]:
        lines = content.splitlines(keepends=True)
        self._good, steps = len(lines[0]), []
        for number, line in enumerate(lines[1:], start=1):
            try:
                if not line.endswith(b"\n"):
                    raise ValueError("the line does not end")
                steps.append(step_of(json.loads(line), analysis.tissue_map))
            except _DAMAGE:
                cut_off = not line.endswith(b"\n")
                self._tell_damage(number, len(lines) - 1, cut_off=cut_off)
                break
            self._good += len(line)
        return steps

    def _tell_alien(self, header: Mapping[str, Any]) -> None:
        self._alien_to = self._free_name(header)
        self._source = self._kept_path(self._header)
        kept = f"will be kept as {self._alien_to.name}."
        if not header:
            self._note(f"The log of corrections is damaged from its first line on. It {kept}")
            return
        self._note(
            f"The corrections of {self._header['reader']} that lie beside this slide were made on "
            f"another tissue map (another model, pixel size or region). They are not applied and "
            f"{kept}"
        )

    def _tell_damage(self, number: int, total: int, *, cut_off: bool) -> None:
        if cut_off:
            self._note(
                "The last step in the log of corrections was cut off (a crash or a full disk) "
                "and is left out."
            )
            return
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        self._damaged_to = self.path.with_name(f"{self.path.stem}-damaged-{stamp}.jsonl")
        self._note(
            f"Step {number} of {total} in the log of corrections cannot be read; the steps before "
            f"it are applied. The whole log will be kept as {self._damaged_to.name}."
        )

    def _note(self, sentence: str) -> None:
        self.notes = (*self.notes, sentence)

    def _kept_path(self, header: Mapping[str, Any], copy: str = "") -> Path:
        """Where a log is kept while the slide has the map of another run."""
        return self.path.with_name(kept_log_name(str(header.get("identity")), copy))

    def _free_name(self, header: Mapping[str, Any]) -> Path:
        names = (self._kept_path(header, f"-{n}" if n > 1 else "") for n in itertools.count(1))
        return next(path for path in names if not path.exists())

    # -- writing --------------------------------------------------------------------------

    def append(self, line: str) -> None:
        """Write a line, and what could not be written before; see `problem` if that fails."""
        self._waiting.append(line)
        try:
            with write_errors(self.path):
                self._write()
        except DiskFull:
            self._fail("the disk is full. Free some space: they are saved with the next step.")
        except StoreError as error:
            self._fail(str(error))
        else:
            self._waiting.clear()
            self.problem = ""

    def _fail(self, why: str) -> None:
        count = len(self._waiting)
        steps = "The last step" if count == 1 else f"The last {count} steps"
        verb = "is" if count == 1 else "are"
        self.problem = f"{steps} of {self._header['reader']} {verb} not saved: {why}"

    def _write(self) -> None:
        if self._unreadable:
            raise StoreError(self._unreadable)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(self.path):
            found = self.path.stat().st_size if self.path.exists() else 0
            if found != self._seen:
                raise StoreError(
                    f"{self.path.name} was changed by another window or program since this slide "
                    "was opened here. Close one of the two and open the slide again, or choose "
                    "another reader's name."
                )
            self._make_room()
            text = "".join(self._waiting)
            if not self._good:
                text = to_json({**self._header, "created": _now()}, indent=None) + "\n" + text
            with self.path.open("r+b" if self.path.exists() else "xb") as file:
                try:
                    self._put(file.fileno(), text.encode(errors="backslashreplace"))
                finally:
                    self._seen = os.fstat(file.fileno()).st_size
            self._good = self._seen

    def _put(self, file: int, data: bytes) -> None:
        """Write behind the last good line; half a line is taken back at once."""
        os.ftruncate(file, self._good)
        os.lseek(file, self._good, os.SEEK_SET)
        try:
            while data:
                data = data[os.write(file, data) :]
            os.fsync(file)
        except OSError:
            os.ftruncate(file, self._good)
            raise

    def _make_room(self) -> None:
        """Set aside what was found and is not ours, or is damaged."""
        if self._alien_to is not None:
            self.path.rename(self._alien_to)
            self._alien_to, self._seen = None, 0
        if self._source != self.path:
            self._source.rename(self.path)
            self._source, self._seen = self.path, self.path.stat().st_size
        if self._damaged_to is not None:
            write_bytes(self._damaged_to, self.path.read_bytes())
            self._damaged_to = None


def _header(content: bytes) -> dict[str, Any]:
    """Read the first line; an empty one if it is damaged."""
    first, end, _ = content.partition(b"\n")
    try:
        header = json.loads(first) if end else {}
    except (ValueError, RecursionError):
        return {}
    return header if isinstance(header, dict) else {}


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = FileLock(path.with_name(LOCK))
    try:
        lock.acquire(timeout=_WAIT_S)
    except Timeout:
        raise StoreError(
            f"another window is writing to {path.name}. They are saved with the next step."
        ) from None
    try:
        yield
    finally:
        lock.release()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
