"""One reader reads slides: opens them, hides what is known of them, takes in and keeps the reading.

The widgets call this and show what it says; the lines are `reading_line_desk`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_crlm_spa.core.hgp.slide_review import (
    SlideReview,
    read_slide_review,
    write_slide_review,
)
from napari_crlm_spa.core.review.reader_names import display_name
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin.cohort.opener import SlideOpener
from napari_crlm_spa.plugin.cohort.slides import PatientSlide, SlideIndex
from napari_crlm_spa.plugin.growth.reading_blind import Blindfold
from napari_crlm_spa.plugin.growth.reading_line_desk import LineDesk
from napari_crlm_spa.plugin.growth.reading_list import ReadingItem, ReadingList
from napari_crlm_spa.plugin.growth.reading_place import reading_folder
from napari_crlm_spa.plugin.layers import kind_of, slide_id
from napari_crlm_spa.plugin.queue_sources import QueuedSlide
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.viewer_look import remove_layers

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_crlm_spa.plugin.widgets.panel import AnalysisPanel

ALL_DONE = "All slides of the list are read. Thank you."
NO_WINDOW = "There is no window to open slides in."


class ReadingDesk(QObject):
    """The readings of one viewer.

    Parameters
    ----------
    viewer, session
        Where slides are looked at.
    opener
        Finds the workspace.
    parent
        Owns this.
    """

    changed = Signal()  # the list, the item, its review, or whether it is looked at
    told = Signal(str)
    problem = Signal(str)
    missing = Signal(str)  # a slide of the list is not found: a sentence

    def __init__(
        self, viewer: ViewerModel, session: Session, opener: SlideOpener, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._viewer, self._session, self._opener = viewer, session, opener
        self.lines = LineDesk(viewer, session, self)
        self._blindfold = Blindfold(viewer, session)
        self.index = SlideIndex()
        self.list: ReadingList | None = None
        self.at = -1
        self.slide: OpenSlide | None = None
        self.review: SlideReview | None = None
        self._folder: Path | None = None
        self._wanted = -1
        #: Whether results stay hidden after committing, until all is read.
        self.hold_back = False
        self._ears: list[tuple[Any, Any]] = [
            (session.current_changed, self._on_current),
            (session.slides_changed, self._on_slides),
            (session.analysis_changed, self._on_analysis),
        ]
        for signal, slot in self._ears:
            signal.connect(slot)

    # -- what is there --------------------------------------------------------------------

    @property
    def item(self) -> ReadingItem | None:
        """What is being read."""
        known = self.list is not None and 0 <= self.at < len(self.list)
        return self.list.items[self.at] if known and self.list is not None else None

    @property
    def is_looked_at(self) -> bool:
        """Whether the slide that is read is the one in front."""
        return self.slide is not None and self.slide is self._session.current

    @property
    def is_committed(self) -> bool:
        """Whether the reading was committed."""
        return self.review is not None and self.review.is_committed

    # -- lists ----------------------------------------------------------------------------

    def use_list(self, readings: ReadingList) -> None:
        """Read the slides of a list; nothing is opened yet."""
        self.end()
        self.list = readings
        self.at = -1
        self.changed.emit()

    def read_current(self, *, blinded: bool) -> None:
        """Read the slide that is looked at."""
        slide = self._session.current
        if slide is None:
            self.problem.emit("Open a slide first, under Slides at the left or by dropping it.")
            return
        patient = self._opener.patient_of(slide.path)
        item = ReadingItem(slide.stem, slide.stem, patient, path=slide.path)
        self.use_list(ReadingList([item], display_name(self._session.reader), blinded=blinded))
        self.open(0)

    def end(self) -> None:
        """Read no more; what was not committed of a blinded list is closed, not revealed."""
        readings, slide = self.list, self.slide
        unseen = readings is not None and readings.file is not None and not self.is_committed
        self._leave()
        self.list, self.at = None, -1
        if unseen and slide is not None and self._session.blinded:
            self._close_slide(slide)
        self._session.set_blinded(False)
        self.changed.emit()

    # -- readings -------------------------------------------------------------------------

    def step(self, by: int) -> None:
        """Open the next reading (1) or the one before (-1)."""
        if self.list is None:
            return
        at = self.at + by
        if 0 <= at < len(self.list):
            self.open(at)
        else:
            self.told.emit(f"This is the {'last' if by > 0 else 'first'} slide of the list.")

    def next_open(self) -> None:
        """Open the next slide that is not read yet."""
        at = None if self.list is None else self.list.next_open(self.at)
        if at is None:
            self.told.emit(ALL_DONE)
        else:
            self.open(at)

    def open(self, at: int) -> None:
        """Open a reading of the list under the name that its reader may know."""
        assert self.list is not None
        panel = self._opener.workspace()
        if panel is None:
            self.problem.emit(NO_WINDOW)
            return
        item = self.list.items[at]
        path = self._find(item, panel)
        if path is None:
            self._wanted = at
            self.missing.emit(f"The slide of {item.name} is not found. Say where the slides are.")
            return
        self._leave()
        self.at = at
        self.list.with_path(at, path)
        was_seen = self._was_seen(path)
        # Before the slide is there: nothing of it must be shown for a moment.
        self._session.set_blinded(self.list.blinded)
        if self._show(panel, path) is not None:
            self._begin(panel, was_seen=was_seen)
        self.changed.emit()

    def use_index(self, index: SlideIndex) -> None:
        """Look for slides there too, and open the one that was missed."""
        self.index = index
        wanted, self._wanted = self._wanted, -1
        if self.list is not None and 0 <= wanted < len(self.list):
            self.open(wanted)

    def _find(self, item: ReadingItem, panel: AnalysisPanel) -> Path | None:
        if item.path is not None and item.path.exists():
            return item.path
        for entry in panel.queue.entries:
            if item.slide.casefold() in (entry.path.stem.casefold(), entry.path.name.casefold()):
                return entry.path
        return self.index.find(PatientSlide(item.slide))

    def _was_seen(self, path: Path) -> bool:
        """Whether the reader has the results of this slide before him already."""
        there = self._session.slides.get(slide_id(path))
        return not self._session.blinded and there is not None and there.tissue_map is not None

    def _show(self, panel: AnalysisPanel, path: Path) -> OpenSlide | None:
        if path not in panel.queue and slide_id(path) not in self._session.slides:
            patient = "" if self.item is None else self.item.patient
            panel.control.take([QueuedSlide(path, None, patient)], add=True)
        if path in panel.queue:
            panel.control.open(path)
        elif slide_id(path) in self._session.slides:
            self._session.select(slide_id(path))
        slide = self._session.slides.get(slide_id(path))
        if slide is None:
            entry = panel.queue.entry(path)
            reason = "" if entry is None else entry.reason
            name = "" if self.item is None else self.item.name
            told = reason.replace(path.name, name) if reason else ""
            self.problem.emit(told or f"The slide of {name} cannot be opened.")
        self.slide = slide
        return slide

    def _begin(self, panel: AnalysisPanel, *, was_seen: bool) -> None:
        """Take up the reading of the open slide: what was committed before is there again."""
        slide, item, readings = self.slide, self.item, self.list
        assert slide is not None and item is not None and readings is not None
        self._blindfold.name(slide.id, slide.stem, item.name)
        try:
            results = panel.settings.output_folder()
            self._folder = reading_folder(results, slide.info, readings.rater, item.round)
            review = read_slide_review(self._folder)
        except CrlmSpaError as error:
            self.problem.emit(str(error))
            return
        if review is None:
            review = SlideReview(slide.stem, readings.rater, item.patient, item.lesion, item.round)
        self.review = review
        if not review.is_committed:
            self._keep(review.opened())
            if was_seen:
                self._note_shown()
        elif not item.is_done:
            # The list is another copy, or no CSV.
            self._fill(review)
        self.lines.open(slide, self._folder, readings.rater, item.name)
        self._session.set_blinded(self._hides)
        self._note_shown_later()

    @property
    def _hides(self) -> bool:
        """Whether results of what is read are hidden."""
        if self.list is None or not self.list.blinded:
            return False
        return not self.is_committed or (self.hold_back and len(self.list) > 1)

    def commit(self, values: Mapping[str, Any]) -> bool:
        """Commit a reading, or a change of it; tells whether it was taken.

        The first one frees the results, or opens the next slide while they are held back.
        """
        if self.review is None or self.list is None:
            return False
        was_committed = self.is_committed
        try:
            review = self.review.committed(values)
        except CrlmSpaError as error:
            self.problem.emit(str(error))
            return False
        if not self._keep(review):
            return False
        self.lines.flush()
        if not was_committed:
            self._fill(review)
            self.told.emit(f"{self.list.items[self.at].name} is committed.")
            if self._hides:
                self.next_open()
            else:
                self.reveal()
        elif review.log:
            self.told.emit("The change is kept, with what you had seen by then.")
        self.changed.emit()
        return True

    def _fill(self, review: SlideReview) -> None:
        assert self.list is not None
        try:
            self.list.mark_done(self.at, review.first)
        except CrlmSpaError as error:
            self.problem.emit(f"The reading is kept, but not in the list: {error}")

    def reveal(self) -> None:
        """Show the results of the slide; the log says so."""
        self._session.set_blinded(False)
        self._note_shown_later()
        self.changed.emit()

    def set_hold_back(self, hold_back: bool) -> None:
        """Keep results hidden after committing, or show them."""
        self.hold_back = hold_back
        if self.item is not None and self.slide is not None:
            self._session.set_blinded(self._hides)
            self._note_shown_later()
            self.changed.emit()

    def look_again(self) -> None:
        """Bring the slide that is read to the front."""
        if self.slide is not None and self.slide.id in self._session.slides:
            self._session.select(self.slide.id)
        elif self.list is not None and self.at >= 0:
            self.open(self.at)

    def let_go(self) -> None:
        """End the reading, and listen no more."""
        self.end()
        self.lines.let_go()
        self._blindfold.let_go()
        for signal, slot in self._ears:
            signal.disconnect(slot)
        self._ears.clear()

    # -- inside ---------------------------------------------------------------------------

    def _keep(self, review: SlideReview) -> bool:
        """Write a review; tells whether it is on disk."""
        assert self._folder is not None
        try:
            write_slide_review(self._folder, review)
        except CrlmSpaError as error:
            self.problem.emit(f"The reading is not saved: {error}")
            return False
        self.review = review
        return True

    def _note_shown_later(self) -> None:
        """Log what of this slide's results stands before the reader."""
        if not self._session.blinded and self.is_looked_at:
            self._note_shown()

    def _note_shown(self) -> None:
        slide, review = self.slide, self.review
        if slide is None or review is None:
            return
        there = {
            "map": slide.tissue_map is not None,
            "features": slide.features is not None,
            "risk": slide.risk is not None,
            "interface": slide.review is not None,
        }
        seen = review
        for what, is_there in there.items():
            seen = seen.shown(what) if is_there else seen
        if seen is not review:
            self._keep(seen)
            self.changed.emit()

    def _leave(self) -> None:
        self.lines.close()
        self._blindfold.name("", "", "")
        self.slide = self.review = self._folder = None

    def _close_slide(self, slide: OpenSlide) -> None:
        found = (
            each for each in self._viewer.layers if kind_of(each.metadata, slide.id) == "slide"
        )
        remove_layers(self._viewer, found)

    def _on_current(self, _slide: OpenSlide | None) -> None:
        self._note_shown_later()
        self.changed.emit()

    def _on_slides(self) -> None:
        """Read no more of a slide that was closed."""
        if self.slide is not None and self.slide.id not in self._session.slides:
            self._leave()
            self.changed.emit()

    def _on_analysis(self, slide: OpenSlide) -> None:
        if slide is self.slide:
            self._note_shown_later()
