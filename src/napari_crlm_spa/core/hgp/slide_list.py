"""What is known of slides beforehand: whose they are, of which lesion, and chemotherapy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from napari_crlm_spa.core.cohort.columns import PATIENT, SLIDE
from napari_crlm_spa.core.cohort.table.cells import read_sheet
from napari_crlm_spa.core.cohort.table.headers import plain
from napari_crlm_spa.core.cohort.table.numbers import is_hole
from napari_crlm_spa.core.hgp.columns import CHEMO, LESION, REVIEW_SPELLINGS
from napari_crlm_spa.core.hgp.one_name import slide_key
from napari_crlm_spa.core.hgp.review_rows import yes_or_no
from napari_crlm_spa.errors import CohortError

_COLUMNS = (SLIDE, PATIENT, LESION, CHEMO)


@dataclass(frozen=True, slots=True)
class KnownSlide:
    """What a table says of a slide.

    Parameters
    ----------
    patient, lesion
        "" if the table doesn't say.
    pretreated
        Chemotherapy before resection; None if it isn't known.
    """

    patient: str = ""
    lesion: str = ""
    pretreated: bool | None = None


def read_slide_list(path: Path | str) -> Mapping[str, KnownSlide]:
    """Read a table (CSV or Excel) with a row per slide; slides by `slide_key`.

    Raises
    ------
    CohortError
        If it can't be read, has no column for slide or patient, names a slide twice, or says
        something else than yes or no of chemotherapy.
    """
    sheet = read_sheet(path)
    cells = {}
    for column in _COLUMNS:
        spellings = {plain(each) for each in (column, *REVIEW_SPELLINGS[column])}
        alike = [header for header in sheet.header if plain(header) in spellings]
        if len(alike) > 1:
            raise CohortError(
                f"{sheet.path.name} has several columns that may be {column}: {', '.join(alike)}. "
                "Rename the others."
            )
        if alike:
            cells[column] = sheet.column(alike[0])
    missing = [column for column in (SLIDE, PATIENT) if column not in cells]
    if missing:
        raise CohortError(
            f"{sheet.path.name} has no column {' and no column '.join(missing)}. A table of slides "
            f"has {', '.join(_COLUMNS)}; this one has {', '.join(sheet.header)}."
        )
    found: dict[str, KnownSlide] = {}
    for at, number in enumerate(sheet.numbers):
        row = {column: "" if is_hole(told[at]) else told[at] for column, told in cells.items()}
        key = slide_key(row[SLIDE])
        if key in found:
            raise CohortError(
                f"{sheet.path.name} names the slide {row[SLIDE] or '(empty)'} twice, in row "
                f"{number} again. Keep one row per slide."
            )
        chemo = yes_or_no(row.get(CHEMO, ""), CHEMO)
        if row.get(CHEMO) and chemo is None:
            raise CohortError(
                f"Row {number} of {sheet.path.name} says {row[CHEMO]} in the column {CHEMO}. Write "
                "yes or no, or leave it empty."
            )
        found[key] = KnownSlide(row[PATIENT], row.get(LESION, ""), chemo)
    return found
