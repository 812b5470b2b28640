"""Where a reading of a slide is kept: with its reader, beside the slide's analysis. No Qt.

A slide that was never analyzed gets a folder of its own, as drawn areas do; the reading moves to
the analysis once there is one. A second reading must know nothing of the first, so each round has
a folder of its own.
"""

from __future__ import annotations

from pathlib import Path

from napari_crlm_spa.core.files import write_errors
from napari_crlm_spa.core.review.reader_names import reader_folder
from napari_crlm_spa.core.slide import SlideInfo, stem
from napari_crlm_spa.core.store.names import HGP_LINES_GEOJSON, HGP_REVIEW_JSON
from napari_crlm_spa.plugin.queue import folder_of

KEPT = (HGP_REVIEW_JSON, HGP_LINES_GEOJSON)


def reading_folder(results: Path, info: SlideInfo, rater: str, round_: int = 1) -> Path:
    """Return where a reading lies; one from before the slide's analysis is brought there.

    Parameters
    ----------
    results
        The results folder.
    info
        The slide.
    rater, round_
        Whose reading, and which one.

    Raises
    ------
    StoreError
        If an earlier reading can't be moved.
    """
    name = rater if round_ == 1 else f"{rater}, round {round_}"
    before = reader_folder(results / f"{stem(info.path)}-{info.fingerprint[:8]}", name)
    analysis = folder_of(results, info.path)
    if analysis is None:
        return before
    now = reader_folder(analysis, name)
    if before != now:
        _move(before, now)
    return now


def _move(before: Path, now: Path) -> None:
    for name in KEPT:
        old, new = before / name, now / name
        if old.is_file() and not new.exists():
            with write_errors(new):
                now.mkdir(parents=True, exist_ok=True)
                old.replace(new)
