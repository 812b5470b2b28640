"""Writing files so that a crash or a full disk never leaves half of one."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock

from napari_crlm_spa.errors import DiskFull, FolderNotWritable, StoreError

_ASKING = Lock()
#: Windows takes these for devices, whatever follows after a dot.
_DEVICES = {
    *("con", "prn", "aux", "nul", "conin$", "conout$"),
    *(f"{port}{n}" for port in ("com", "lpt") for n in "0123456789\u00b9\u00b2\u00b3"),
}


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's write errors at `path` into sentences.

    Raises
    ------
    DiskFull
        If the disk or quota is exhausted.
    FolderNotWritable
        If nothing may be written there.
    """
    try:
        yield
    except OSError as error:
        raise _explain(path, error) from error


def _explain(path: Path, error: OSError) -> StoreError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(
            f"The disk is full: {path} could not be written. "
            "Free some space and run the same command again; finished work is kept."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return FolderNotWritable(
            f"{path} may not be written. Close it if another program has it open, "
            "or choose another folder for the results."
        )
    return StoreError(
        f"{path} could not be written: {error.strerror or error}. "
        "Check the path, or choose another folder."
    )


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; rename it to `path` when the block succeeds."""
    with write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix
        )
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically (UTF-8)."""
    with atomic_path(path) as temporary:
        # A file name on Linux need not be UTF-8; JSON reads what is written here back unchanged.
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def write_bytes(path: Path, data: bytes) -> None:
    """Write a binary file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def is_file(path: Path) -> bool:
    """Tell whether a file is there; a name that no file can have is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_device(name: str) -> bool:
    """Tell whether Windows takes a file's name for a device (``aux.txt``)."""
    return name.split(".")[0].strip().casefold() in _DEVICES


@cache
def _umask() -> int:
    # Asking sets it for a moment: two threads that ask at once would leave it at 0.
    with _ASKING:
        mask = os.umask(0)
        os.umask(mask)
    return mask
