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
        As `around_markers` does.
    """
    before, after = around_markers(document, name)
    write_text(document, f"{before}\n\n{text.strip()}\n\n{after}")


def around_markers(document: Path, name: str) -> tuple[str, str]:
    """Return what stands up to the first comment and from the second on, these included.

    Raises
    ------
    CrlmSpaError
        If the document cannot be read, or does not hold both comments once, in this order.
    """
    begin, end = markers(name)
    try:
        text = document.read_text("utf-8")
    except OSError as error:
        raise CrlmSpaError(
            f"{document} cannot be read ({error.strerror}). Name one that is there with --docs."
        ) from error
    before, found_begin, rest = text.partition(begin)
    between, found_end, after = rest.partition(end)
    if not (found_begin and found_end) or begin in between + after:
        raise CrlmSpaError(
            f"{document.name} does not say where the table of {name} goes. Write {begin} and {end} "
            "once, each on a line of its own."
        )
    return before + begin, end + after


def markers(name: str) -> tuple[str, str]:
    """Return the two comments."""
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
