"""The queue of slides and how each of them stands. No Qt.

What has become of a slide is read from the results folder, so it survives the end of the
program and is right whoever analyzed the slide. Notes and the reasons of failures are kept in
one file beside the analyses.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from psygnal import Signal

from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.review import list_readers, reader_folder
from napari_crlm_spa.core.slide import stem
from napari_crlm_spa.core.store import AnalysisFolder
from napari_crlm_spa.core.store.names import QUEUE_JSON, TILES_JOURNAL
from napari_crlm_spa.plugin.queue_sources import QueuedSlide

#: Slides whose states are told at once while a results folder is read.
SCAN_STEP = 25


class SlideState(StrEnum):
    """What has become of a slide; the value is what the queue says."""

    NEW = "new"
    RUNNING = "running"
    DONE = "done"
    REVIEWED = "reviewed"
    FAILED = "failed"


@dataclass(slots=True)
class Entry:
    """A slide in the queue.

    Parameters
    ----------
    slide
        Which one.
    state, detail, reason
        What has become of it, in a few words more, and why it failed.
    note
        What the reader wrote down about it.
    """

    slide: QueuedSlide
    state: SlideState = SlideState.NEW
    detail: str = ""
    reason: str = ""
    note: str = ""

    @property
    def path(self) -> Path:
        """The slide file."""
        return self.slide.path


class SlideQueue:
    """Slides in the order in which they are to be seen, and the one that is looked at."""

    reset = Signal()  # other slides
    changed = Signal(int)  # the entry at this place
    current_changed = Signal(object)  # Path | None

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.current: Path | None = None
        self._at: dict[Path, int] = {}

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, path: object) -> bool:
        return path in self._at

    def load(self, slides: Iterable[QueuedSlide]) -> None:
        """Take other slides instead of those that are there."""
        self.entries, self._at = [], {}
        if self.current is not None:
            self.set_current(None)
        self.add(slides)

    def add(self, slides: Iterable[QueuedSlide]) -> int:
        """Add slides at the end and return how many; none gets in twice."""
        before = len(self.entries)
        for slide in slides:
            if slide.path not in self._at:
                self._at[slide.path] = len(self.entries)
                self.entries.append(Entry(slide))
        self.reset.emit()
        return len(self.entries) - before

    def entry(self, path: Path) -> Entry | None:
        """Return what is known of a slide, or None if it is not in the queue."""
        at = self._at.get(path)
        return None if at is None else self.entries[at]

    def index(self, path: Path) -> int:
        """Return a slide's place, -1 if it has none."""
        return self._at.get(path, -1)

    def set_current(self, path: Path | None) -> None:
        """Say which slide is looked at."""
        if path != self.current:
            self.current = path
            self.current_changed.emit(path)

    def set_state(self, path: Path, state: SlideState, reason: str = "", detail: str = "") -> None:
        """Say what has become of a slide."""
        entry, new = self.entry(path), (state, reason, detail)
        if entry is not None and (entry.state, entry.reason, entry.detail) != new:
            entry.state, entry.reason, entry.detail = new
            self.changed.emit(self._at[path])

    def set_note(self, path: Path, note: str) -> None:
        """Write something down about a slide."""
        entry = self.entry(path)
        if entry is not None and entry.note != note:
            entry.note = note
            self.changed.emit(self._at[path])

    def counts(self) -> Counter[SlideState]:
        """Count the slides of each state."""
        return Counter(entry.state for entry in self.entries)

    def in_state(self, *states: SlideState) -> list[Entry]:
        """Return the slides in one of the states, in order."""
        return [entry for entry in self.entries if entry.state in states]

    def step(self, by: int, wanted: SlideState | None = None) -> Path | None:
        """Return the next slide (by = 1) or the one before (by = -1), None at the end.

        Parameters
        ----------
        by
            Direction.
        wanted
            Pass over slides in other states.
        """
        start = self._at.get(self.current, -1 if by > 0 else len(self)) if self.current else None
        at = (-1 if by > 0 else len(self)) if start is None else start
        while 0 <= (at := at + by) < len(self):
            if wanted in (None, self.entries[at].state):
                return self.entries[at].path
        return None


# -- what the results folder says ---------------------------------------------------------------


def folder_of(out_dir: Path, slide_path: Path) -> Path | None:
    """Return the folder with a slide's finished analysis, or None.

    The slide is opened for its fingerprint only if the folder of its name is another slide's.
    """
    place = AnalysisFolder(out_dir / stem(slide_path))
    slide = place.recorded_slide()
    if slide is None:
        return None
    if slide.get("path") == str(slide_path):
        return None if place.read_run() is None else place.path
    return _folder_by_content(out_dir, slide_path)


def _folder_by_content(out_dir: Path, slide_path: Path) -> Path | None:
    from napari_crlm_spa.core.slide import open_slide
    from napari_crlm_spa.errors import SlideError

    try:
        with open_slide(slide_path) as slide:
            fingerprint = slide.info.fingerprint
    except SlideError:
        return None
    place = AnalysisFolder.for_slide(out_dir, slide_path, fingerprint)
    return None if place.read_run() is None else place.path


@dataclass(frozen=True, slots=True)
class ReadState:
    """What the results folder says about a slide.

    Parameters
    ----------
    path, state
        The slide, and whether it is new, done, reviewed or failed.
    detail
        What else is worth knowing in a few words.
    reason
        Why it failed.
    note
        What the reader wrote down about it.
    """

    path: Path
    state: SlideState
    detail: str = ""
    reason: str = ""
    note: str = ""


def state_on_disk(out_dir: Path, slide_path: Path, reader: str = "") -> ReadState:
    """Tell from the results folder whether a slide is new, done or reviewed.

    Parameters
    ----------
    out_dir, slide_path
        The results folder and the slide, both absolute.
    reader
        Whose mark makes the slide a reviewed one; another reader's mark is a detail then. Without
        a name anybody's does.
    """
    folder = folder_of(out_dir, slide_path)
    if folder is None:
        return ReadState(slide_path, SlideState.NEW, _how_far_begun(out_dir, slide_path))
    identity = (AnalysisFolder(folder).read_run() or {}).get("identity", "")
    own = reader_folder(folder, reader) if reader else None
    state, others, details = SlideState.DONE, [], []
    for each in list_readers(folder):
        ours = own is None or each.folder == own
        if each.mark is not None and each.mark.reviewed and each.mark.identity == identity:
            if ours:
                state = SlideState.REVIEWED
            else:
                others.append(each.name)
        if ours and each.corrected_tiles:
            details.append(f"{each.corrected_tiles:,} corrected")
    if others:
        details.append(f"reviewed by {', '.join(others)}")
    return ReadState(slide_path, state, " · ".join(details))


def _how_far_begun(out_dir: Path, slide_path: Path) -> str:
    place = AnalysisFolder(out_dir / stem(slide_path))
    slide = place.recorded_slide() if place.file(TILES_JOURNAL).is_file() else None
    return "" if slide is None or slide.get("path") != str(slide_path) else "begun"


def scan(out_dir: Path, paths: Sequence[Path], reader: str = "") -> Generator[Progress, None, None]:
    """Read how slides stand; `changed` of each report is a list of `ReadState`."""
    kept = Notebook(out_dir).read()
    batch: list[ReadState] = []
    for done, path in enumerate(paths, start=1):
        read = state_on_disk(out_dir, path, reader)
        page = kept.get(str(path), {})
        reason = page.get("failed", "") if read.state is SlideState.NEW else ""
        state = SlideState.FAILED if reason else read.state
        batch.append(replace(read, state=state, reason=reason, note=page.get("note", "")))
        if len(batch) == SCAN_STEP or done == len(paths):
            yield Progress("Reading the results folder", done, len(paths), "slides", batch)
            batch = []


class Notebook:
    """Notes and failures of the slides of one results folder, in a file beside the analyses."""

    def __init__(self, out_dir: Path) -> None:
        self.file = out_dir / QUEUE_JSON

    def read(self) -> dict[str, dict[str, str]]:
        """Return what is kept, by slide path; nothing if the file is absent or damaged."""
        slides = _read_json(self.file).get("slides")
        if not isinstance(slides, dict):
            return {}
        return {
            path: {name: text for name, text in page.items() if isinstance(text, str)}
            for path, page in slides.items()
            if isinstance(page, dict)
        }

    def write(self, path: Path, **texts: str) -> None:
        """Keep a slide's `note` or the reason why it `failed`; an empty text removes it.

        Raises
        ------
        StoreError
            If the results folder cannot be written.
        """
        slides = self.read()
        page = {**slides.pop(str(path), {}), **texts}
        page = {name: text for name, text in page.items() if text}
        if page:
            slides[str(path)] = page
        if slides or self.file.exists():
            write_text(self.file, json.dumps({"version": 1, "slides": slides}, indent=1))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}
