"""What is passed on about a run: everything that repeats it, nothing that names people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def public_record(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of a run without folders: of a path only the file's name stays.

    Entries that are None are left out, so that formats without a null can hold it.
    """
    kept = {name: value for name, value in run.items() if value is not None}
    return {name: _public(value) for name, value in kept.items()}


def file_name(value: Any) -> str:
    """Shorten paths to the file's name: a file is passed on, folders may name people."""
    text = str(value)
    return text.replace("\\", "/").rsplit("/", 1)[-1] if "/" in text or "\\" in text else text


def _public(value: Any) -> Any:
    if isinstance(value, Mapping):
        return public_record(value)
    if isinstance(value, list | tuple):
        return [_public(each) for each in value if each is not None]
    if isinstance(value, bool | int | float):
        return value
    text = str(value)
    # A sentence may hold a stroke; a path begins at the root, a drive or a dot.
    is_path = text.startswith(("/", "./", "../", "~", "\\")) or text[1:3] in (":\\", ":/")
    return file_name(text) if is_path else text
