"""How a reading came about, for its reader: times, what was seen, later changes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from napari_crlm_spa.core.hgp.slide_review import CHANGED, COMMITTED, OPENED, SHOWN, SlideReview
from napari_crlm_spa.plugin.growth.reading_desk import ReadingDesk
from napari_crlm_spa.plugin.widgets.tables import ReadOnlyTable

WHAT = {OPENED: "opened", SHOWN: "shown", COMMITTED: "committed", CHANGED: "changed"}
NOTHING_READ = "Choose a slide of the list, or press Begin."
BLIND = "Blinded: results and names are hidden until you commit."
HELD_BACK = "Results stay hidden until you ask for them."
NOT_BLIND = "Not blinded: results may be seen while you read, and the log says which were."
CLOSED = "The slide was closed."


class ReadingLog(ReadOnlyTable):
    """A row for everything that happened, in order."""

    def __init__(self) -> None:
        super().__init__(["What", "When"])
        self.show_review(None)

    def show_review(self, review: SlideReview | None) -> None:
        """Show the log of a review."""
        self.setRowCount(0)
        for row, entry in enumerate(() if review is None else review.log):
            text = f"{WHAT.get(entry.what, entry.what)} {_details(entry.what, entry.details)}"
            seen = ", ".join(entry.seen) or "nothing"
            self.put(row, 0, text.strip(), f"Seen by then: {seen}")
            self.put(row, 1, clock(entry.when))
        self.fit()


def state_line(desk: ReadingDesk, *, blinded: bool) -> str:
    """Say in a sentence or two how the reading stands."""
    review = desk.review
    if desk.item is None:
        return NOTHING_READ
    if review is None:
        return CLOSED
    if not review.is_committed:
        return BLIND if blinded else NOT_BLIND
    commit = next(each for each in review.log if each.what == COMMITTED)
    how = "blinded" if review.blinded else f"after {', '.join(commit.seen)} had been shown"
    told = f"Committed {clock(commit.when)}, {how}{_duration(review.seconds)}."
    changes = sum(each.what == CHANGED for each in review.log)
    if changes:
        told += f" Changed {changes} times since." if changes > 1 else " Changed once since."
    return f"{told} {HELD_BACK}" if blinded else told


def clock(when: str) -> str:
    """Return a logged time as the reader's clock shows it."""
    return datetime.fromisoformat(when).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f", {minutes} min {rest} s after opening" if minutes else f", {rest} s after opening"


def _details(what: str, details: Any) -> str:
    if what == SHOWN:
        return str(details.get("shown", ""))
    if what == CHANGED:
        return ", ".join(
            f"{name}: {_plain(change['from'])} to {_plain(change['to'])}"
            for name, change in details.items()
        )
    return ""


def _plain(value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    return f"{value:g}" if isinstance(value, float | int) else str(value)
