"""The log of a review as rows of a table and as CSV. No Qt."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classes import NOT_CLASSIFIED, ClassScheme
from napari_crlm_spa.core.review import Action, LogEntry

HEADERS = ("Time", "Reader", "What", "Tiles", "From → to", "Score", "Group")
CSV_HEADERS = (
    "time_utc",
    "reader",
    "action",
    "step",
    "tiles",
    "from",
    "to",
    "score_before",
    "score_after",
    "score_change",
    "group_before",
    "group_after",
    "group_flipped",
    "first_row",
    "first_col",
    "last_row",
    "last_col",
)
#: More classes than these are counted, not named.
MOST_NAMED = 2
NOT_COUNTED = "none"
UNKNOWN = "?"
NO_CHANGE = "0"


def cells(entry: LogEntry, scheme: ClassScheme) -> tuple[str, ...]:
    """Return what the table shows of an entry, in the order of `HEADERS`."""
    return (
        local_time(entry.when).strftime("%H:%M"),
        entry.reader,
        what(entry),
        f"{len(entry.edit):,}" if len(entry.edit) else "",
        from_to(entry, scheme),
        score_change(entry),
        f"→ {entry.group_after or 'none'}" if entry.flipped else "",
    )


def tip(entry: LogEntry, scheme: ClassScheme) -> str:
    """Say everything about an entry."""
    before, after = (_counted(codes, scheme) for codes in _codes(entry))
    scores = (entry.score_before, entry.score_after)
    old, new = (UNKNOWN if score is None else f"{score:g}" for score in scores)
    lines = [
        f"{local_time(entry.when):%Y-%m-%d %H:%M:%S}, {entry.reader or 'no name'}: {what(entry)}",
        f"From: {before}" if before else "",
        f"To: {after}" if after else "",
        f"Score: {old} → {new}",
        f"Group: {entry.group_before} → {entry.group_after}" if entry.flipped else "",
        "Click to see the tiles." if len(entry.edit) else "",
    ]
    return "\n".join(line for line in lines if line)


def local_time(when: str) -> datetime:
    """Return the time of an entry on the reader's clock."""
    return datetime.fromisoformat(when).astimezone()


def what(entry: LogEntry) -> str:
    """Say what was done; of an undo also what it undid."""
    if entry.action in (Action.UNDO, Action.REDO) and len(entry.edit):
        return f"{entry.action}: {entry.edit.action}"
    return str(entry.action)


def from_to(entry: LogEntry, scheme: ClassScheme) -> str:
    """Say from which classes to which, as short as a column is narrow."""
    if not len(entry.edit):
        return ""
    before, after = (_named(codes, scheme) for codes in _codes(entry))
    return before if before == after else f"{before} → {after}"


def score_change(entry: LogEntry) -> str:
    """Say by how much the score changed."""
    return score_text(_change(entry))


def score_text(change: float | None) -> str:
    """Write a change of the score with its sign."""
    if change is None:
        return UNKNOWN
    return NO_CHANGE if change == 0 else f"{change:+.3g}"


def tiles_box(entry: LogEntry) -> tuple[int, int, int, int] | None:
    """Return (row, col, rows, cols) of the tiles of an entry; None if it has none."""
    rows, cols = entry.edit.rows, entry.edit.cols
    if not len(rows):
        return None
    row, col = int(rows.min()), int(cols.min())
    return row, col, int(rows.max()) - row + 1, int(cols.max()) - col + 1


def log_csv(log: Iterable[LogEntry], scheme: ClassScheme) -> str:
    """Write a log as CSV, oldest first; rows and columns count from 0."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_HEADERS)
    for entry in log:
        writer.writerow(_csv_row(entry, scheme))
    return text.getvalue()


def _csv_row(entry: LogEntry, scheme: ClassScheme) -> list[object]:
    before, after = (_counted(codes, scheme) for codes in _codes(entry))
    change, box = _change(entry), tiles_box(entry)
    scores = (entry.score_before, entry.score_after, change)
    corners: list[object] = ["", "", "", ""]
    if box is not None:
        row, col, n_rows, n_cols = box
        corners = [row, col, row + n_rows - 1, col + n_cols - 1]
    return [
        entry.when,
        entry.reader,
        entry.action.value,
        entry.edit.action.value,
        len(entry.edit),
        before,
        after,
        *("" if score is None else f"{score:.9g}" for score in scores),
        entry.group_before or "",
        entry.group_after or "",
        "yes" if entry.flipped else "no",
        *corners,
    ]


def _change(entry: LogEntry) -> float | None:
    if entry.score_before is None or entry.score_after is None:
        return None
    # + 0.0: no change is 0, not -0.
    return round(entry.score_after - entry.score_before, 9) + 0.0


def _codes(entry: LogEntry) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Codes before and after; what an undo did is the step's reverse."""
    edit = entry.edit
    if entry.action is Action.UNDO:
        return edit.after, edit.before
    return edit.before, edit.after


def _names(scheme: ClassScheme) -> dict[int, str]:
    return {NOT_CLASSIFIED: NOT_COUNTED} | {scheme.code(name): name for name in scheme.names}


def _named(codes: NDArray[np.uint8], scheme: ClassScheme) -> str:
    found = np.flatnonzero(np.bincount(codes))
    if len(found) > MOST_NAMED:
        return f"{len(found)} classes"
    return ", ".join(_names(scheme)[code] for code in found.tolist())


def _counted(codes: NDArray[np.uint8], scheme: ClassScheme) -> str:
    counts = np.bincount(codes)
    return "; ".join(
        f"{_names(scheme)[code]} {counts[code]}" for code in np.flatnonzero(counts).tolist()
    )
