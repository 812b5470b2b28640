"""What the corrections do to the risk, as they are made."""

from __future__ import annotations

from qtpy.QtWidgets import QGroupBox, QHBoxLayout, QLabel, QVBoxLayout

from napari_crlm_spa.core.review import Review
from napari_crlm_spa.core.risk import RESEARCH_USE_ONLY
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.tools.live_words import (
    counts_line,
    flip_line,
    group_line,
    has_own_thresholds,
    movers,
    score_line,
    thresholds_line,
)
from napari_crlm_spa.plugin.widgets.correct.buttons import push_button
from napari_crlm_spa.plugin.widgets.tables import ReadOnlyTable

FLIP_STYLE = (
    "QLabel {background: #b3261e; color: white; font-weight: bold; padding: 3px 6px;"
    " border-radius: 4px;}"
)
SCORE_STYLE = "QLabel {font-size: 15px; font-weight: bold;}"
BANNER_STYLE = (
    "QLabel {background: #ffd33d; color: #24292f; font-weight: bold; padding: 2px 6px;"
    " border-radius: 4px;}"
)
CROSSED = "crossed its cut-off"


class LiveBox(QGroupBox):
    """Score and group before and now, the tiles that were touched, the thresholds."""

    def __init__(self, session: Session) -> None:
        super().__init__("Risk while you edit")
        self._session = session
        self.score = QLabel()
        self.score.setStyleSheet(SCORE_STYLE)
        self.score.setWordWrap(True)
        self.banner = QLabel("Research use only")
        self.banner.setToolTip(RESEARCH_USE_ONLY)
        self.banner.setStyleSheet(BANNER_STYLE)
        self.group = QLabel()
        self.group.setWordWrap(True)
        self.flip = QLabel()
        self.flip.setStyleSheet(FLIP_STYLE)
        self.counts = QLabel()
        self.moved = ReadOnlyTable(["Moved most", "Predicted", "Now", "Change"])
        self.thresholds = QLabel()
        self.thresholds.setWordWrap(True)
        self.refit_button = push_button(
            "Refit thresholds", "Fit the distance thresholds to the corrected map"
        )
        self.back_button = push_button(
            "Back to the analysis's", "Use the distance thresholds of the analysis again"
        )
        self._lay_out()
        self.refit_button.clicked.connect(self._on_refit)
        self.back_button.clicked.connect(self._on_back)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(4)
        layout.addWidget(self.score)
        second = QHBoxLayout()
        second.addWidget(self.group, 1)
        second.addWidget(self.banner)
        layout.addLayout(second)
        for widget in (self.flip, self.counts, self.moved):
            layout.addWidget(widget)
        row = QHBoxLayout()
        row.addWidget(self.thresholds, 1)
        row.addWidget(self.refit_button)
        row.addWidget(self.back_button)
        layout.addLayout(row)

    def show_slide(self, slide: OpenSlide | None) -> None:
        """Show how a slide stands; without a review there is nothing to show."""
        review = None if slide is None else slide.review
        self.setVisible(review is not None)
        if review is not None:
            self._show(review)

    def _show(self, review: Review) -> None:
        self.score.setText(score_line(review))
        self.group.setText(group_line(review))
        self.group.setToolTip("" if review.risk is None else review.risk.reason)
        flip = flip_line(review)
        self.flip.setText(flip)
        self.flip.setVisible(bool(flip))
        self.counts.setText(counts_line(review))
        self.thresholds.setText(thresholds_line(review))
        self.back_button.setVisible(not has_own_thresholds(review))
        moved = movers(review)
        self.moved.setRowCount(len(moved))
        for row, mover in enumerate(moved):
            tip = CROSSED if mover.crossed else ""
            change = f"{mover.after - mover.before:+.4f}"
            texts = (mover.title, f"{mover.before:.4f}", f"{mover.after:.4f}", change)
            for column, text in enumerate(texts):
                mark = " ●" if mover.crossed and column == len(texts) - 1 else ""
                self.moved.tell(row, column, text + mark, tip)
        self.moved.fit()

    def _on_refit(self) -> None:
        slide = self._session.current
        if slide is not None and slide.review is not None:
            slide.review.refit()
            self._session.tell_review_changed(slide)

    def _on_back(self) -> None:
        slide = self._session.current
        if slide is not None and slide.review is not None:
            slide.review.set_mixture(slide.review.analysis.features.mixture)
            self._session.tell_review_changed(slide)
