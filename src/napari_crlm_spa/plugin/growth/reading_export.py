"""The reviews of a reader over all slides of a results folder, as the table of a study. No Qt."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from napari_crlm_spa.core.hgp.columns import RATER
from napari_crlm_spa.core.hgp.imports import ImportOptions, import_reviews
from napari_crlm_spa.core.hgp.reviews import write_reviews
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.review.reader_names import display_name
from napari_crlm_spa.errors import CohortError


def export_reviews(
    results: Path, rater: str, path: Path, first: bool
) -> Generator[Progress, None, str]:
    """Write the committed reviews of a reader as CSV; return a sentence.

    Parameters
    ----------
    results
        The results folder.
    rater
        Whose reviews.
    path
        The table.
    first
        Whether the first commitment counts, not the last change.

    Raises
    ------
    CrlmSpaError
        If there is nothing to write, or it can't be written.
    """
    found = yield from import_reviews([results], ImportOptions(first=first))
    frame = found.reviews.frame
    name = display_name(rater)
    mine = frame[[str(each).casefold() == name.casefold() for each in frame[RATER]]]
    if not len(mine):
        raise CohortError(
            f"{name} has not committed any reading of the slides whose results are in {results}."
        )
    write_reviews(path, mine.reset_index(drop=True))
    return f"{len(mine):,} readings of {name} were written to {path.name}."
