"""Puts a table into a document, between two comments, so that the next run replaces it."""

from __future__ import annotations

from pathlib import Path

from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.errors import CrlmSpaError


def put_between_markers(document: Path, name: str, text: str) -> None:
    """Replace what stands between the comments ``name: begin`` and ``name: end``.

    Raises
    ------
    CrlmSpaError
        If the document does not hold both comments once, in this order.
    """
    begin, end = markers(name)
    before, found_begin, rest = document.read_text("utf-8").partition(begin)
    between, found_end, after = rest.partition(end)
    if not (found_begin and found_end) or begin in between + after:
        raise CrlmSpaError(
            f"{document.name} does not say where the table of {name} goes. Write {begin} and {end} "
            "once, each on a line of its own."
        )
    write_text(document, f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}")


def markers(name: str) -> tuple[str, str]:
    """Return the two comments."""
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
