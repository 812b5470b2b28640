"""Who belonged to a cohort, without telling names: what a stored fit may keep of its patients."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any


def hash_patients(patients: Iterable[Any]) -> tuple[str, ...]:
    """Return a hash of each patient's name, sorted so that the order of rows is not told.

    It hides names from a reader's eye; whoever can guess a name can check it, so a file with
    hashes of hospital numbers still needs care.
    """
    return tuple(sorted({_hash(name) for name in patients}))


def shared_patients(patients: Sequence[Any], hashes: Iterable[str]) -> tuple[str, ...]:
    """Return the names of those patients whose hash is among some."""
    known = set(hashes)
    return tuple(dict.fromkeys(_text(name) for name in patients if _hash(name) in known))


def _hash(name: Any) -> str:
    return hashlib.sha256(f"crlm-spa patient {_text(name)}".encode()).hexdigest()[:16]


def _text(name: Any) -> str:
    """Write a name the same way whether a spreadsheet made a number of it or not."""
    if isinstance(name, float) and name.is_integer():
        name = int(name)
    return str(name).strip()
