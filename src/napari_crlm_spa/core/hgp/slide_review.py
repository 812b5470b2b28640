"""One reader's review of one slide, kept beside the analysis with a log of how it came about.

In blinded mode the reader commits before map, features or risk are shown. What is changed later is
logged with what had been seen by then; the first commitment stays and is what agreement uses.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from napari_crlm_spa.core.cohort.columns import PATIENT, SLIDE
from napari_crlm_spa.core.cohort.table import Problem
from napari_crlm_spa.core.cohort.table.rows import Notebook
from napari_crlm_spa.core.files import is_file, write_text
from napari_crlm_spa.core.hgp.columns import LESION, RATER, REVIEW_COLUMNS, ROUND
from napari_crlm_spa.core.hgp.review_rows import ReviewOptions, RowReader
from napari_crlm_spa.core.store import to_json
from napari_crlm_spa.core.store.names import HGP_REVIEW_JSON, READERS
from napari_crlm_spa.errors import ReviewError

FORMAT_VERSION = 1
#: What may be shown of an analysis; a reader who saw none of it is blinded.
SHOWABLE = ("map", "features", "risk", "interface")
OPENED, SHOWN, COMMITTED, CHANGED = "opened", "shown", "committed", "changed"
_IDENTITY = (PATIENT, LESION, SLIDE, RATER, ROUND)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One thing that happened.

    Parameters
    ----------
    when
        ISO 8601, UTC.
    what
        ``opened``, ``shown``, ``committed`` or ``changed``.
    details
        What was shown; or of each changed value the old and the new one.
    seen
        What had been shown by then.
    """

    when: str
    what: str
    details: Mapping[str, Any] = field(default_factory=dict)
    seen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SlideReview:
    """A reader's review of a slide; every step returns a new one.

    Parameters
    ----------
    slide, rater
        Which slide, and who reviews.
    patient, lesion, round
        As in the table of reviews.
    values
        What was committed last, by review column (numbers; None for holes); empty before.
    first
        What was committed first.
    log
        Everything, in order.
    """

    slide: str
    rater: str
    patient: str = ""
    lesion: str = ""
    round: int = 1
    values: Mapping[str, Any] = field(default_factory=dict)
    first: Mapping[str, Any] = field(default_factory=dict)
    log: tuple[LogEntry, ...] = ()

    @property
    def is_committed(self) -> bool:
        """Whether the reader has committed."""
        return bool(self.first)

    @property
    def seen(self) -> tuple[str, ...]:
        """What was shown so far, in order."""
        shown = [each.details.get("shown") for each in self.log if each.what == SHOWN]
        return tuple(dict.fromkeys(str(what) for what in shown))

    @property
    def blinded(self) -> bool:
        """Whether the first commitment was made before anything was shown."""
        commit = next((each for each in self.log if each.what == COMMITTED), None)
        return commit is not None and not commit.seen

    @property
    def seconds(self) -> float | None:
        """Time from opening the slide to the first commitment; None before it."""
        opened = next((each for each in self.log if each.what == OPENED), None)
        commit = next((each for each in self.log if each.what == COMMITTED), None)
        if opened is None or commit is None:
            return None
        return (_time(commit.when) - _time(opened.when)).total_seconds()

    def opened(self, when: str = "") -> SlideReview:
        """Note that the reader opened the slide."""
        return self._logged(OPENED, {}, when)

    def shown(self, what: str, when: str = "") -> SlideReview:
        """Note that something of `SHOWABLE` was shown; told once."""
        if what in self.seen:
            return self
        return self._logged(SHOWN, {"shown": what}, when)

    def committed(
        self, values: Mapping[str, Any], when: str = "", options: ReviewOptions | None = None
    ) -> SlideReview:
        """Commit values, or change those committed before.

        Parameters
        ----------
        values
            Shares, assessable_pct, viable, chemo, n_blocks, comment; holes None, NaN or absent.
        when
            ISO 8601; now if empty.
        options
            Limits of a review.

        Raises
        ------
        ReviewError
            If the values can't be right; the message says which.
        """
        checked = self._checked(values, options)
        if not self.is_committed:
            done = self._logged(COMMITTED, {}, when)
            return replace(done, values=checked, first=checked)
        changes = {
            name: {"from": self.values.get(name), "to": checked.get(name)}
            for name in checked
            if self.values.get(name) != checked.get(name)
        }
        if not changes:
            return self
        return replace(self._logged(CHANGED, changes, when), values=checked)

    def row(self, *, first: bool = True) -> dict[str, Any]:
        """Return the row for a table of reviews: as committed first, or as it is now."""
        told = self.first if first else self.values
        own = {PATIENT: self.patient, LESION: self.lesion, SLIDE: self.slide, RATER: self.rater}
        return {name: told.get(name) for name in REVIEW_COLUMNS} | own | {ROUND: self.round}

    def problems(
        self, values: Mapping[str, Any], options: ReviewOptions | None = None
    ) -> tuple[Problem, ...]:
        """Return what is wrong with values, to show beside the form while the reader types."""
        return self._read(values, options)[1]

    def _checked(self, values: Mapping[str, Any], options: ReviewOptions | None) -> dict[str, Any]:
        row, problems = self._read(values, options)
        if row is None:
            told = next(each for each in problems if each.severity == "error")
            raise ReviewError(f"{told.problem} {told.remedy}")
        return {
            name: None if value != value else value
            for name, value in row.items()
            if name not in _IDENTITY
        }

    def _read(
        self, values: Mapping[str, Any], options: ReviewOptions | None
    ) -> tuple[dict[str, Any] | None, tuple[Problem, ...]]:
        notebook = Notebook(self.slide)
        own = {PATIENT: self.patient, LESION: self.lesion, SLIDE: self.slide, RATER: self.rater}
        told = {**values, **own, ROUND: self.round}
        cells = {name: _cell(told[name]) for name in REVIEW_COLUMNS if name in told}
        row = RowReader(options or ReviewOptions(), notebook).row(cells, 1)
        return row, tuple(notebook.problems)

    def _logged(self, what: str, details: Mapping[str, Any], when: str) -> SlideReview:
        entry = LogEntry(when or now(), what, dict(details), self.seen)
        return replace(self, log=(*self.log, entry))


def now() -> str:
    """Return the time as it is logged."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def review_path(reader_folder: Path) -> Path:
    """Return where a reader's review lies in the reader's folder."""
    return reader_folder / HGP_REVIEW_JSON


def write_slide_review(reader_folder: Path, review: SlideReview) -> Path:
    """Write a review into the reader's folder of an analysis, atomically.

    Raises
    ------
    StoreError
        If it can't be written.
    """
    path = review_path(reader_folder)
    record = {
        "format_version": FORMAT_VERSION,
        **{name: getattr(review, name) for name in _IDENTITY},
        "committed": review.is_committed,
        "blinded": review.blinded,
        "seconds": review.seconds,
        "first": dict(review.first),
        "values": dict(review.values),
        "log": [
            {
                "when": each.when,
                "what": each.what,
                "details": dict(each.details),
                "seen": list(each.seen),
            }
            for each in review.log
        ],
    }
    write_text(path, to_json(record))
    return path


def read_slide_review(reader_folder: Path) -> SlideReview | None:
    """Read a reader's review; None if there is none yet.

    Raises
    ------
    ReviewError
        If the file is damaged.
    """
    path = review_path(reader_folder)
    if not is_file(path):
        return None
    try:
        record = json.loads(path.read_text("utf-8"))
        if record["format_version"] != FORMAT_VERSION:
            raise ValueError(f"format {record['format_version']} is not known")
        log = tuple(
            LogEntry(
                str(each["when"]),
                str(each["what"]),
                dict(each["details"]),
                tuple(each["seen"]),
            )
            for each in record["log"]
        )
        return SlideReview(
            slide=str(record[SLIDE]),
            rater=str(record[RATER]),
            patient=str(record[PATIENT]),
            lesion=str(record[LESION]),
            round=int(record[ROUND]),
            values=dict(record["values"]),
            first=dict(record["first"]),
            log=log,
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ReviewError(
            f"The review {path} cannot be read ({error}). Undo the last change if it was edited by "
            "hand, or move it away to review the slide anew."
        ) from error


def saved_reviews(analysis_folder: Path) -> list[SlideReview]:
    """Return the committed reviews of all readers of an analysis, by folder name.

    Raises
    ------
    ReviewError
        If one of them is damaged.
    """
    places = sorted((analysis_folder / READERS).glob(f"*/{HGP_REVIEW_JSON}"))
    found = [read_slide_review(path.parent) for path in places]
    return [review for review in found if review is not None and review.is_committed]


def _cell(value: Any) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return " ".join(str(value).split())


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
