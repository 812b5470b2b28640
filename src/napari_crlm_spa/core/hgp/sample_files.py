"""The files of a review: lists for readers, the key, and reviews under real names again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_crlm_spa.core.cohort.columns import PATIENT, SLIDE
from napari_crlm_spa.core.cohort.table.cells import Sheet, read_sheet
from napari_crlm_spa.core.cohort.table.headers import plain
from napari_crlm_spa.core.cohort.table.numbers import to_numbers
from napari_crlm_spa.core.cohort.table.plain_csv import to_csv
from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.hgp.columns import LESION, RATER, ROUND
from napari_crlm_spa.core.hgp.sample import REVIEW_ID, Sample
from napari_crlm_spa.core.store import to_json
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

#: Stays with who designs the study.
KEY_CSV = "key.csv"
SAMPLE_JSON = "sample.json"
_TOLD = (SLIDE, PATIENT, LESION, RATER, ROUND)


def list_name(rater: str) -> str:
    """Return the file name of a reader's list."""
    safe = re.sub(r"[^\w-]+", "-", rater).strip("-") or "reader"
    return f"review-list-{safe}.csv"


def write_sample(folder: Path | str, sample: Sample) -> list[Path]:
    """Write a list per reader, the key, and how they were drawn; return the paths.

    Raises
    ------
    CohortError
        If two readers' lists would have one name, or the folder has a key already: reviews under
        its names would be lost.
    StoreError
        If a file can't be written.
    """
    folder = Path(folder)
    key = folder / KEY_CSV
    if key.exists():
        raise CohortError(
            f"{folder} holds a key already, without which reviews of its list mean nothing. "
            "Choose another folder."
        )
    names = {rater: list_name(rater) for rater in sample.lists}
    if len({name.casefold() for name in names.values()}) < len(names):
        raise CohortError(
            "Two readers' lists would have one file name. Use names that differ in letters or "
            "digits."
        )
    written = [key]
    write_text(key, to_csv(sample.key))
    for rater, rows in sample.lists.items():
        written.append(folder / names[rater])
        write_text(written[-1], to_csv(rows))
    written.append(folder / SAMPLE_JSON)
    write_text(written[-1], to_json({**sample.record, "warnings": sample.warnings}))
    return written


def unblinded(sheet: Sheet, key: Sheet) -> Sheet:
    """Put slides, patients, readers and rounds in place of review ids.

    Parameters
    ----------
    sheet
        A filled list; rows without an id, and columns of other names, stay as they are.
    key
        Of `write_sample`.

    Raises
    ------
    CohortError
        If a table has no ids, the key names one twice, or lacks one.
    """
    at = _column(sheet, REVIEW_ID)
    told = _by_id(key)
    place = {name: key.header.index(name) for name in _TOLD if name in key.header}
    kept = [
        i for i, name in enumerate(sheet.header) if i != at and plain(name) not in map(plain, place)
    ]
    rows = []
    for cells, number in zip(sheet.rows, sheet.numbers, strict=True):
        name = cells[at].strip().upper()
        if name not in told:
            raise CohortError(
                f"Row {number} of {sheet.path.name} has the review id {cells[at] or '(empty)'}, "
                f"which {key.path.name} does not know. Name the key of this very list."
            )
        answer = told[name]
        rows.append((*(answer[i] for i in place.values()), *(cells[i] for i in kept)))
    header = (*place, *(sheet.header[i] for i in kept))
    return Sheet(
        sheet.path,
        header,
        tuple(rows),
        sheet.numbers,
        sheet.sha256,
        sheet.dialect,
        sheet.semicolons,
    )


def is_blinded(sheet: Sheet) -> bool:
    """Tell whether a table names its slides by review ids."""
    return any(plain(name) == plain(REVIEW_ID) for name in sheet.header)


def read_key(path: Path | str) -> Sheet:
    """Read a key as text."""
    return read_sheet(path)


def _column(sheet: Sheet, name: str) -> int:
    found = [i for i, header in enumerate(sheet.header) if plain(header) == plain(name)]
    if not found:
        raise CohortError(
            f"{sheet.path.name} has no column {name}. Name a list that hgp sample wrote; it has "
            f"{', '.join(sheet.header)}."
        )
    return found[0]


def _by_id(key: Sheet) -> dict[str, tuple[str, ...]]:
    at, told = _column(key, REVIEW_ID), dict[str, tuple[str, ...]]()
    _column(key, SLIDE)
    for cells, number in zip(key.rows, key.numbers, strict=True):
        name = cells[at].strip().upper()
        if name in told:
            raise CohortError(f"{key.path.name} has {name} twice, in row {number} again.")
        told[name] = cells
    return told


def read_slides(path: Path | str) -> pd.DataFrame:
    """Read a table of slides to draw from: text, with numbers where all cells are some.

    Raises
    ------
    CohortError
        If it can't be read or has no column slide.
    """
    import pandas as pd

    sheet = read_sheet(path)
    renamed = {plain(name): name for name in (SLIDE, PATIENT, LESION)}
    columns: dict[str, Any] = {}
    for header in sheet.header:
        cells = sheet.column(header)
        name = renamed.get(plain(header), header)
        found = to_numbers(cells, semicolons=sheet.semicolons)
        text = name in renamed.values() or found.bad.any()
        columns[name] = cells if text else found.values
    return pd.DataFrame(columns)
