"""The journal of a run: one line of JSON, then fixed-size records, appended batch by batch."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classes import ClassScheme
from napari_crlm_spa.core.files import write_bytes, write_errors
from napari_crlm_spa.core.store.plain import to_json
from napari_crlm_spa.core.tiles import TileScores

#: Stands in the header of a journal whose records hold the strangeness; older ones don't.
_HOLDS_STRANGENESS = "holds_strangeness"


def _record_type(n_classes: int, *, strangeness: bool = True) -> np.dtype[np.void]:
    fields: list[tuple[Any, ...]] = [
        ("row", "<i4"),
        ("col", "<i4"),
        ("state", "u1"),
        ("stain_fallback", "u1"),
        ("probabilities", "<f2", (n_classes,)),
    ]
    return np.dtype([*fields, ("strangeness", "<f2")] if strangeness else fields)


def read_journal_header(path: Path) -> dict[str, Any] | None:
    """Return the first line of a journal, or None if there is no readable journal."""
    try:
        with path.open("rb") as file:
            header = json.loads(file.readline())
    except (OSError, ValueError):
        return None
    return header if isinstance(header, dict) else None


class TileJournal:
    """Appends finished tiles to a file; a kill leaves all but the batch in work.

    Parameters
    ----------
    path
        The journal file.
    header
        Identifies the run; an existing journal is continued only if its header has the same
        ``"identity"``.
    scheme
        Classes of the probabilities.
    fresh
        Forget what an existing journal holds, even one of the same identity.

    Two at once would spoil each other's records: hold the folder's lock.
    """

    def __init__(
        self, path: Path, header: Mapping[str, Any], scheme: ClassScheme, *, fresh: bool = False
    ) -> None:
        self._path = path
        self._type = _record_type(len(scheme))
        self.finished: TileScores | None = None
        with write_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            old = None if fresh else read_journal_header(path)
            if old is None or old.get("identity") != header["identity"]:
                self._file = self._begin(path, header)
            elif not old.get(_HOLDS_STRANGENESS):
                self._file = self._renew(path, header, len(scheme))
            else:
                self._file = self._continue(path)

    def _begin(self, path: Path, header: Mapping[str, Any], records: bytes = b"") -> BinaryIO:
        line = to_json({**header, _HOLDS_STRANGENESS: True}, indent=None) + "\n"
        write_bytes(path, line.encode() + records)
        return path.open("ab")

    def _continue(self, path: Path) -> BinaryIO:
        file = path.open("r+b")
        start = len(file.readline())
        records = _whole_records(file.read(), self._type)
        file.truncate(start + records.nbytes)  # a kill may have cut the last record
        file.seek(0, os.SEEK_END)
        self._take(records)
        return file

    def _renew(self, path: Path, header: Mapping[str, Any], n_classes: int) -> BinaryIO:
        """Go on from a journal of a version that knew no strangeness."""
        with path.open("rb") as file:
            file.readline()
            old = _whole_records(file.read(), _record_type(n_classes, strangeness=False))
        records = np.zeros(len(old), self._type)
        for name in old.dtype.names or ():
            records[name] = old[name]
        records["strangeness"] = np.nan
        self._take(records)
        return self._begin(path, header, records.tobytes())

    def _take(self, records: NDArray[np.void]) -> None:
        if len(records):
            self.finished = _scores(records)

    def append(self, scores: TileScores) -> None:
        """Add finished tiles.

        Raises
        ------
        DiskFull
            If there is no room; what was appended before is kept.
        """
        records = np.zeros(len(scores), self._type)
        records["row"], records["col"] = scores.rows, scores.cols
        records["state"] = scores.states
        records["stain_fallback"] = scores.stain_fallback
        records["probabilities"] = scores.probabilities
        records["strangeness"] = scores.strangeness
        with write_errors(self._path):
            self._file.write(records.tobytes())
            self._file.flush()

    def close(self) -> None:
        """Close the file; it stays until the run is complete."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _whole_records(data: bytes, record_type: np.dtype[np.void]) -> NDArray[np.void]:
    return np.frombuffer(data, record_type, count=len(data) // record_type.itemsize)


def _scores(records: NDArray[np.void]) -> TileScores:
    return TileScores(
        rows=records["row"].astype(np.int32),
        cols=records["col"].astype(np.int32),
        states=records["state"].copy(),
        probabilities=records["probabilities"].astype(np.float16),
        strangeness=records["strangeness"].astype(np.float16),
        stain_fallback=records["stain_fallback"].astype(np.bool_),
    )
