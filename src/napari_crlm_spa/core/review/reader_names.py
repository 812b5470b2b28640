"""Readers' names, and the folders that are named after them on every system."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import Path

from napari_crlm_spa.core.files import is_device
from napari_crlm_spa.core.store.names import EDITS_JSONL, READERS

#: Who corrects if nobody gave a name.
NOBODY = "reader"
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]|^[. ]+|[. ]+$')
_LONGEST = 60
#: A spreadsheet takes a cell that begins so for a formula.
_FORMULA = "=+-@ "


def display_name(name: str) -> str:
    """Return a reader's name as it is shown, logged and written into tables.

    Without spare spaces, control characters and what makes a spreadsheet take it for a formula;
    never empty.
    """
    plain = unicodedata.normalize("NFC", name)
    seen = "".join(" " if unicodedata.category(char) == "Cc" else char for char in plain)
    return " ".join(seen.split()).lstrip(_FORMULA) or NOBODY


def folder_name(name: str) -> str:
    """Return a file name for a reader that Windows, macOS and Linux take.

    Names that differ only in capitals are one reader. Where characters had to be replaced, the
    beginning of the name's hash follows, so that two readers never share a folder.
    """
    plain = unicodedata.normalize("NFC", display_name(name).casefold())
    safe = _FORBIDDEN.sub("_", plain)
    safe = safe.encode("utf-8", "replace").decode()
    if is_device(safe):
        safe = f"_{safe}"
    if len(safe.encode()) > _LONGEST:
        safe = safe.encode()[:_LONGEST].decode("utf-8", "ignore").rstrip(". ")
    if safe == plain:
        return safe
    digest = hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{safe}-{digest[:8]}"


def reader_folder(analysis_folder: Path, name: str) -> Path:
    """Return where a reader's files of an analysis lie."""
    return analysis_folder / READERS / folder_name(name)


def kept_log_name(identity: str, copy: str = "") -> str:
    """Name the file of a log while the slide has the map of another run than `identity`."""
    hexadecimal = all(character in "0123456789abcdef" for character in identity)
    log = Path(EDITS_JSONL)
    return f"{log.stem}-{identity[:8] if hexadecimal else 'unknown'}{copy}{log.suffix}"
