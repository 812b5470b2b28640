"""The slides that a reader reads: a list of ``hgp sample`` under its names, or one slide. No Qt.

What a name stands for is in the key beside the list. It is used to find the slide, and not shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_crlm_spa.core.cohort.columns import PATIENT, SLIDE
from napari_crlm_spa.core.cohort.table.cells import Sheet, read_sheet
from napari_crlm_spa.core.cohort.table.headers import plain
from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.hgp.columns import (
    ASSESSABLE,
    COMMENT,
    LESION,
    N_BLOCKS,
    RATER,
    ROUND,
    SHARES,
    VIABLE,
)
from napari_crlm_spa.core.hgp.sample import REVIEW_ID
from napari_crlm_spa.core.hgp.sample_files import KEY_CSV, read_key
from napari_crlm_spa.core.review.reader_names import display_name
from napari_crlm_spa.core.slide import is_slide_name, stem
from napari_crlm_spa.errors import CohortError

#: What a reader fills in; a row without any of it is not read yet.
FILLED = (*SHARES, ASSESSABLE, VIABLE, N_BLOCKS, COMMENT)
CSV = ".csv"


@dataclass(frozen=True, slots=True)
class ReadingItem:
    """One reading of one slide.

    Parameters
    ----------
    name
        What the reader sees.
    slide
        The slide's name without suffix.
    patient, lesion, round
        As in the table of reviews.
    path
        Its file, if it is known.
    is_done
        Whether it was committed.
    """

    name: str
    slide: str
    patient: str = ""
    lesion: str = ""
    round: int = 1
    path: Path | None = None
    is_done: bool = False


class ReadingList:
    """The readings of one reader in their order.

    Parameters
    ----------
    items
        In order.
    rater
        Who reads.
    file
        Where committed readings are filled in; None: nowhere.
    blinded
        Whether names and results are hidden until a reading is committed.
    """

    def __init__(
        self,
        items: Iterable[ReadingItem],
        rater: str,
        file: Path | None = None,
        *,
        blinded: bool = True,
    ) -> None:
        self.items = tuple(items)
        self.rater = rater
        self.file = file
        self.blinded = blinded

    def __len__(self) -> int:
        return len(self.items)

    @property
    def done(self) -> int:
        """How many are committed."""
        return sum(item.is_done for item in self.items)

    def next_open(self, at: int) -> int | None:
        """Return the next place after `at`, then from the start, that is not done yet."""
        order = [*range(at + 1, len(self)), *range(at + 1)]
        return next((i for i in order if not self.items[i].is_done), None)

    def with_path(self, at: int, path: Path) -> None:
        """Note where the slide of a reading is."""
        self._put(at, replace(self.items[at], path=path))

    def mark_done(self, at: int, values: Mapping[str, Any]) -> None:
        """Note that a reading was committed, and fill it into the list's file.

        Raises
        ------
        CrlmSpaError
            If the file can't be read or written; the reading counts as done all the same.
        """
        self._put(at, replace(self.items[at], is_done=True))
        if self.file is not None:
            fill(self.file, self.items[at].name, values)

    def _put(self, at: int, item: ReadingItem) -> None:
        self.items = (*self.items[:at], item, *self.items[at + 1 :])


def open_list(path: Path | str, key: Path | None = None) -> ReadingList:
    """Open a list that ``hgp sample`` or the panel wrote.

    Parameters
    ----------
    path
        The list.
    key
        What its names stand for. Without one ``key.csv`` beside the list is taken; where there is
        none either, slides must be named in the list or have its names.

    Raises
    ------
    CohortError
        If a file can't be read, is no such list, or the key is another list's.
    """
    path = Path(path)
    sheet = read_sheet(path)
    ids, names = _cells(sheet, REVIEW_ID), _cells(sheet, SLIDE)
    if ids is None and names is None:
        raise CohortError(
            f"{path.name} has no column {REVIEW_ID} and no column {SLIDE}. Choose a list that hgp "
            f"sample wrote; it has {', '.join(sheet.header)}."
        )
    shown = [name.strip() for name in ids or names or []]
    if len(set(shown)) < len(shown) or not all(shown):
        raise CohortError(
            f"{path.name} names a reading twice or not at all. Mend its first column."
        )
    raters = dict.fromkeys(each for each in _cells(sheet, RATER) or [] if each)
    if len(raters) > 1:
        raise CohortError(
            f"{path.name} is for several readers: {', '.join(raters)}. Each has a list of his own."
        )
    told = {} if ids is None else _told(path, key, shown)
    filled = _filled(sheet)
    slides = names or shown
    items = [
        _item(name, slide, told.get(name.upper(), {}), done)
        for name, slide, done in zip(shown, slides, filled, strict=True)
    ]
    file = path if path.suffix.lower() == CSV else None
    return ReadingList(items, display_name(next(iter(raters), "")), file)


def fill(path: Path, name: str, values: Mapping[str, Any]) -> None:
    """Fill a committed reading into its row of a list.

    Raises
    ------
    CrlmSpaError
        If the file can't be read or written.
    """
    from napari_crlm_spa.core.cohort.table.plain_csv import to_csv

    sheet = read_sheet(path)
    names = _cells(sheet, REVIEW_ID) or _cells(sheet, SLIDE) or []
    if name not in names:
        raise CohortError(
            f"{path.name} has no row {name} any more. The reading is kept all the same."
        )
    import pandas as pd

    frame = pd.DataFrame(list(sheet.rows), columns=list(sheet.header), dtype=object)
    at = names.index(name)
    for column in FILLED:
        header = next((each for each in sheet.header if plain(each) == plain(column)), column)
        if header not in frame:
            frame[header] = ""
        frame.loc[at, header] = _cell(column, values.get(column))
    write_text(path, to_csv(frame))


def _told(path: Path, key: Path | None, shown: list[str]) -> dict[str, dict[str, str]]:
    """Return what the key says of each name; nothing without a key."""
    beside = path.parent / KEY_CSV
    if key is None and not beside.is_file():
        return {}
    sheet = read_key(key or beside)
    ids = _cells(sheet, REVIEW_ID)
    if ids is None or _cells(sheet, SLIDE) is None:
        raise CohortError(f"{sheet.path.name} is no key of a review list. Choose key.csv.")
    columns = {name: _cells(sheet, name) for name in (SLIDE, PATIENT, LESION, ROUND)}
    told = {
        name.strip().upper(): {c: cells[at] for c, cells in columns.items() if cells is not None}
        for at, name in enumerate(ids)
    }
    missing = [name for name in shown if name.upper() not in told]
    if missing:
        raise CohortError(
            f"{sheet.path.name} does not know {missing[0]} of {path.name}: it is another "
            "list's key."
        )
    return told


def _item(name: str, slide: str, told: Mapping[str, str], done: bool) -> ReadingItem:
    named = Path(told.get(SLIDE) or slide)
    # A name may have dots; only a slide's suffix is cut off.
    bare = stem(named) if is_slide_name(named) else named.name
    number = told.get(ROUND, "")
    return ReadingItem(
        name,
        bare,
        told.get(PATIENT, ""),
        told.get(LESION, ""),
        int(float(number)) if number.replace(".", "", 1).isdigit() else 1,
        is_done=done,
    )


def _filled(sheet: Sheet) -> list[bool]:
    columns = [cells for name in FILLED if (cells := _cells(sheet, name)) is not None]
    return [any(cells[at] for cells in columns) for at in range(len(sheet.rows))]


def _cells(sheet: Sheet, name: str) -> list[str] | None:
    found = [header for header in sheet.header if plain(header) == plain(name)]
    return sheet.column(found[0]) if found else None


def _cell(column: str, value: Any) -> str:
    if value is None or value != value:
        return ""
    if column == VIABLE:
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return " ".join(str(value).split())
