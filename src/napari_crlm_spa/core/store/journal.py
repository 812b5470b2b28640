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
from napari_crlm_spa.core.files import write_errors, write_text
from napari_crlm_spa.core.store.plain import to_json
from napari_crlm_spa.core.tiles import TileScores


def _record_type(n_classes: int) -> np.dtype[np.void]:
    return np.dtype(
        [
            ("row", "<i4"),
            ("col", "<i4"),
            ("state", "u1"),
            ("stain_fallback", "u1"),
            ("probabilities", "<f2", (n_classes,)),
        ]
    )


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
            if old is not None and old.get("identity") == header["identity"]:
                self._file = self._continue(path)
            else:
                self._file = self._begin(path, header)

    def _begin(self, path: Path, header: Mapping[str, Any]) -> BinaryIO:
        write_text(path, to_json(header, indent=None) + "\n")
        return path.open("ab")

    def _continue(self, path: Path) -> BinaryIO:
        file = path.open("r+b")
        start = len(file.readline())
        data = file.read()
        whole = len(data) // self._type.itemsize * self._type.itemsize
        file.truncate(start + whole)  # a kill may have cut the last record
        file.seek(0, os.SEEK_END)
        if whole:
            self.finished = _scores(np.frombuffer(data[:whole], self._type))
        return file

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


def _scores(records: NDArray[np.void]) -> TileScores:
    return TileScores(
        rows=records["row"].astype(np.int32),
        cols=records["col"].astype(np.int32),
        states=records["state"].copy(),
        probabilities=records["probabilities"].astype(np.float16),
        stain_fallback=records["stain_fallback"].astype(np.bool_),
    )
