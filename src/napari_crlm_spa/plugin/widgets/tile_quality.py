"""Checking the quality of the tiles, counting the marks, setting marked tiles aside."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.quality import (
    MARK_SENTENCES,
    QualityMark,
    QualityOptions,
    TileQuality,
)
from napari_crlm_spa.core.store.quality_file import load_quality
from napari_crlm_spa.errors import CrlmSpaError, StoreError
from napari_crlm_spa.plugin.fold import Fold
from napari_crlm_spa.plugin.form import build_form, read_form
from napari_crlm_spa.plugin.map_view import MapKind
from napari_crlm_spa.plugin.quality_words import after_line, found_line, markable
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.widgets.job_bar import JobBar
from napari_crlm_spa.plugin.widgets.message import Message

#: Marks that are ticked at first. Air lies at every border and vessel, and what is marked as a fold
#: is often only dark (docs/methods/quality.md), so these are asked for.
TICKED = QualityMark.BLUR | QualityMark.PEN
ASIDE = "Set marked aside"
ASIDE_TIP = (
    "Count the tiles of the ticked marks nowhere. Tiles that you corrected or accepted stay. "
    "It is one step that can be undone; the classifier's map is kept."
)


class QualityBox(QWidget):
    """The quality of the current slide's tiles."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._checked: OpenSlide | None = None
        self.check_button = QPushButton("Check quality")
        self.check_button.setToolTip(
            "Looks for blur, pen, folds and air on every tile; takes less than the analysis"
        )
        self.show_button = QPushButton("On map")
        self.show_button.setToolTip("Shows the marks over the slide")
        self.line = QLabel()
        self.line.setWordWrap(True)
        self.job = JobBar()
        self.ticks: dict[QualityMark, QCheckBox] = {}
        self.aside_button = QPushButton(ASIDE)
        self.aside_button.setToolTip(ASIDE_TIP)
        self.undo_button = QPushButton("Undo")
        self.message = Message()
        self.form = build_form(QualityOptions)
        #: To be shown wherever there is room.
        self.limits = Fold("Limits (our assumptions)", self.form)
        self._lay_out()
        self._connect()
        self._show(session.current)

    def _lay_out(self) -> None:
        ticks = QHBoxLayout()
        for mark in QualityMark:
            tick = QCheckBox(mark.title.capitalize())
            tick.setChecked(bool(mark & TICKED))
            tick.setToolTip(MARK_SENTENCES[mark])
            ticks.addWidget(tick)
            self.ticks[mark] = tick
        ticks.addStretch(1)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for button in (self.check_button, self.show_button, self.aside_button, self.undo_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(buttons)
        layout.addWidget(self.job)
        layout.addWidget(self.line)
        layout.addLayout(ticks)
        layout.addWidget(self.message)

    def _connect(self) -> None:
        session = self._session
        self.check_button.clicked.connect(self.check)
        self.show_button.clicked.connect(lambda: session.set_view(kind=MapKind.QUALITY))
        self.aside_button.clicked.connect(self.set_aside)
        self.undo_button.clicked.connect(self.undo)
        for tick in self.ticks.values():
            tick.toggled.connect(self._on_ticked)
        self.job.progressed.connect(self._on_progress)
        self.job.failed.connect(self.message.show_problem)
        self.job.cancelled.connect(lambda: self.message.tell("Stopped; nothing was marked."))
        self.job.busy_changed.connect(lambda _busy: self._show(session.current))
        session.current_changed.connect(self._on_current)
        session.analysis_changed.connect(self._on_analysis)
        session.map_started.connect(self._on_map_started)
        session.quality_changed.connect(self._on_slide)
        session.review_changed.connect(self._on_slide)

    # -- checking -------------------------------------------------------------------------

    def check(self) -> None:
        """Measure the tiles of the current slide in the background."""
        slide = self._session.current
        if slide is None or slide.analysis is None:
            return
        self.message.clear()
        try:
            options = read_form(self.form)
        except CrlmSpaError as error:
            self.message.show_problem(str(error))
            return
        self._checked = slide
        self.job.start(_work, slide, options)

    def _on_progress(self, progress: Progress) -> None:
        slide = self._checked
        if isinstance(progress.changed, TileQuality) and slide is not None:
            self._session.set_quality(slide, progress.changed)

    def _on_analysis(self, slide: OpenSlide) -> None:
        """Show what an earlier check found."""
        if slide is self._checked and self.job.busy:
            self.job.drop()
        analysis = slide.analysis
        if analysis is None:
            return
        identity, shape = str(analysis.run.get("identity", "")), analysis.tissue_map.shape
        try:
            found = load_quality(analysis.folder, identity, shape)
        except StoreError as error:
            found = None
            self.message.show_problem(str(error))
        self._session.set_quality(slide, found)

    def _on_map_started(self, slide: OpenSlide) -> None:
        if slide is self._checked:
            self.job.drop()
        self._on_slide(slide)

    # -- setting aside --------------------------------------------------------------------

    @property
    def ticked(self) -> QualityMark:
        """The marks whose tiles are to be set aside."""
        ticked = [mark for mark, tick in self.ticks.items() if tick.isChecked()]
        return QualityMark(sum(ticked))

    def set_aside(self) -> None:
        """Set the tiles of the ticked marks aside, as one step."""
        slide = self._session.current
        if slide is None or slide.review is None or slide.quality is None:
            return
        before = slide.review.risk
        rows, cols = np.nonzero(markable(slide.review, slide.quality, self.ticked))
        change = slide.review.set_aside(rows, cols)
        if change is None:
            self.message.tell("No tile of these marks is left to be set aside.")
            return
        self._session.tell_review_changed(slide)
        self.message.tell(after_line(len(change.rows), before, slide.review.risk))

    def undo(self) -> None:
        """Take the last step of the review back."""
        slide = self._session.current
        if slide is None or slide.review is None:
            return
        if slide.review.undo() is not None:
            self._session.tell_review_changed(slide)
            self.message.tell("The last step was undone.")

    # -- showing --------------------------------------------------------------------------

    def _on_ticked(self, _checked: bool) -> None:
        self._show(self._session.current)

    def _on_slide(self, slide: OpenSlide) -> None:
        if slide is self._session.current:
            self._show(slide)

    def _on_current(self, slide: OpenSlide | None) -> None:
        self.message.clear()
        self._show(slide)

    def _show(self, slide: OpenSlide | None) -> None:
        review = None if slide is None else slide.review
        quality = None if slide is None else slide.quality
        self.check_button.setEnabled(review is not None and not self.job.busy)
        self.check_button.setText("Check quality" if quality is None else "Check again")
        self.show_button.setEnabled(quality is not None)
        self.undo_button.setEnabled(review is not None and review.can_undo)
        self.line.setText(found_line(slide))
        for mark, tick in self.ticks.items():
            count = "" if quality is None else f" {quality.counts()[mark]:,}"
            tick.setText(mark.title.capitalize() + count)
            tick.setEnabled(quality is not None)
        if review is None or quality is None:
            self.aside_button.setEnabled(False)
            self.aside_button.setText(ASIDE)
            return
        n_tiles = int(np.count_nonzero(markable(review, quality, self.ticked)))
        self.aside_button.setEnabled(n_tiles > 0)
        self.aside_button.setText(f"Set {n_tiles:,} aside" if n_tiles else ASIDE)

    def let_go(self) -> None:
        """Stop what goes on."""
        self.job.drop()


def _work(slide: OpenSlide, options: QualityOptions) -> Generator[Progress, None, Any]:
    from napari_crlm_spa.core.pipeline.quality import check_quality

    analysis = slide.analysis
    assert analysis is not None
    folder, tissue_map, run = analysis.folder, analysis.tissue_map, analysis.run
    return (yield from check_quality(folder, tissue_map, run, slide=slide.path, options=options))
