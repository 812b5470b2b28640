"""A second reader of the same slide: agreement, effect on the risk, differing tiles, merging."""

from __future__ import annotations

import math

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_crlm_spa.core.review import MERGE_RULES, merge
from napari_crlm_spa.core.review.merge import MergeRule
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.tables import short_title
from napari_crlm_spa.plugin.tools.comparing import (
    MOST_PATCHES,
    Comparison,
    agreement_line,
    compare,
    other_readers,
    risk_line,
    still,
)
from napari_crlm_spa.plugin.tools.log_rows import score_text
from napari_crlm_spa.plugin.widgets.correct.buttons import push_button
from napari_crlm_spa.plugin.widgets.job_bar import JobBar
from napari_crlm_spa.plugin.widgets.message import Message
from napari_crlm_spa.plugin.widgets.tables import ROW_PX, ReadOnlyTable

NOBODY_ELSE = "No other reader has worked on this slide. Enter another name above to begin."
CHANGED = "The tiles have changed since; compare again."
MERGED = "{n:,} tiles were merged in one step; Undo takes it back."
NO_DIFFERENCE = "There is no tile about which you differ."
SHOWN_ROWS = 8
SHORT_RULES: dict[MergeRule, str] = {
    "a": "both; mine where both touched",
    "b": "both; theirs where both touched",
    "agreed": "only what both say alike",
    "later": "both; the later where both touched",
}


class CompareBox(QWidget):
    """Compares the current slide's review with another reader's."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._slide: OpenSlide | None = None
        self.found: Comparison | None = None
        self.readers = QComboBox()
        self.compare_button = push_button("Compare", "Compare your corrections with theirs")
        self.job = JobBar()
        self.message = Message()
        self.line = QLabel()
        self.line.setWordWrap(True)
        self.risk = QLabel()
        self.risk.setWordWrap(True)
        self.kappas = ReadOnlyTable(["Tissue", "Both", "You only", "They only", "Kappa"])
        self.pairs = ReadOnlyTable(["You say / they say", "Tiles", "Adds to score", "Group"])
        self.places = ReadOnlyTable(["Where you differ: you / they", "Tiles"])
        self.places.setToolTip("Click to see the tiles")
        self.rules = QComboBox()
        for rule, told in SHORT_RULES.items():
            self.rules.addItem(f"Keep {told}", rule)
            last = self.rules.count() - 1
            self.rules.setItemData(last, MERGE_RULES[rule], Qt.ItemDataRole.ToolTipRole)
        self.merge_button = push_button("Merge", "Take the result over as one step of yours")
        self._lay_out()
        self.compare_button.clicked.connect(self._on_compare)
        self.merge_button.clicked.connect(self._on_merge)
        self.places.cellClicked.connect(self._on_place)
        self.job.done.connect(self._on_found)
        self.job.failed.connect(self.message.show_problem)
        self.job.busy_changed.connect(lambda busy: self.compare_button.setDisabled(busy))
        self._forget("")

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(4)
        top = QHBoxLayout()
        top.addWidget(self.readers, 1)
        top.addWidget(self.compare_button)
        layout.addLayout(top)
        for widget in (
            self.job,
            self.message,
            self.line,
            self.risk,
            self.kappas,
            self.pairs,
            self.places,
        ):
            layout.addWidget(widget)
        self._merge_row = QWidget()
        row = QHBoxLayout(self._merge_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.rules, 1)
        row.addWidget(self.merge_button)
        layout.addWidget(self._merge_row)

    def show_slide(self, slide: OpenSlide | None) -> None:
        """Offer the other readers of a slide; what was found before no longer holds."""
        review = None if slide is None else slide.review
        self._forget("")
        self._slide = slide
        names = [] if review is None else other_readers(review)
        chosen = self.readers.currentText()
        self.readers.clear()
        self.readers.addItems(names)
        self.readers.setCurrentIndex(max(self.readers.findText(chosen), 0))
        self.readers.setEnabled(bool(names))
        self.compare_button.setEnabled(bool(names))
        if review is not None and not names:
            self.message.tell(NOBODY_ELSE)

    def note_change(self) -> None:
        """Drop what was found, for the tiles are others now."""
        if self.found is not None or self.job.busy:
            self._forget(CHANGED)

    def let_go(self) -> None:
        """Stop comparing."""
        self.job.drop()

    def _forget(self, sentence: str) -> None:
        self.job.drop()
        self.found = None
        self.message.tell(sentence)
        for label in (self.line, self.risk):
            label.setVisible(False)
        for table in (self.kappas, self.pairs, self.places):
            table.setRowCount(0)
            table.fit()
        self._merge_row.setVisible(False)

    def _on_compare(self) -> None:
        name = self.readers.currentText()
        if self._slide is not None and self._slide.review is not None and name:
            self._forget("")
            self.job.start(compare, still(self._slide.review), name)

    def _on_found(self, found: Comparison) -> None:
        self.found = found
        self.line.setText(agreement_line(found))
        self.risk.setText(risk_line(found, found.all_tiles.reader_a))
        for label in (self.line, self.risk):
            label.setVisible(True)
        self._show_kappas(found)
        self._show_pairs(found)
        self._show_places(found)
        self._merge_row.setVisible(True)
        if not found.differences:
            self.message.tell(NO_DIFFERENCE)
        elif len(found.differences) == MOST_PATCHES:
            self.message.tell(f"The {MOST_PATCHES} largest patches are listed.")

    def _show_kappas(self, found: Comparison) -> None:
        scheme = found.other.tissue_map.scheme
        for row, one in enumerate(found.all_tiles.classes):
            tissue = scheme[one.name]
            kappa = "–" if math.isnan(one.kappa) else f"{one.kappa:.3f}"
            texts = (f"{one.both:,}", f"{one.only_a:,}", f"{one.only_b:,}", kappa)
            self.kappas.put(row, 0, short_title(tissue), color=tissue.color)
            for column, text in enumerate(texts, start=1):
                self.kappas.put(row, column, text, one.reason)
        self.kappas.fit()

    def _show_pairs(self, found: Comparison) -> None:
        for row, pair in enumerate(found.effect.pairs):
            change = score_text(pair.score_change)
            names = f"{pair.class_a or 'none'} / {pair.class_b or 'none'}"
            group = f"→ {pair.group or 'none'}" if pair.flips else ""
            for column, text in enumerate((names, f"{pair.tiles:,}", change, group)):
                self.pairs.put(row, column, text, "Your risk if only these tiles were theirs")
        _fit(self.pairs)

    def _show_places(self, found: Comparison) -> None:
        for row, each in enumerate(found.differences):
            self.places.put(row, 0, f"{each.class_a} / {each.class_b}")
            self.places.put(row, 1, f"{each.tiles:,}")
        _fit(self.places)

    def _on_place(self, row: int, _column: int) -> None:
        if self.found is not None and self._slide is not None:
            each = self.found.differences[row]
            self._session.fly_to_tiles(self._slide, each.row, each.col, each.n_rows, each.n_cols)

    def _on_merge(self) -> None:
        slide, found = self._slide, self.found
        if slide is None or slide.review is None or found is None:
            return
        other, rule = found.other, self.rules.currentData()
        try:
            change = merge(slide.review, slide.review, other, rule)
        except CrlmSpaError as error:
            self.message.show_problem(str(error))
            return
        if change is None:
            self.message.tell("Your map is like that already.")
            return
        self._session.tell_review_changed(slide)
        self.message.tell(MERGED.format(n=len(change.rows)))


def _fit(table: ReadOnlyTable) -> None:
    """Let a long table scroll."""
    table.fit()
    if table.rowCount() > SHOWN_ROWS:
        table.setFixedHeight(table.horizontalHeader().sizeHint().height() + ROW_PX * SHOWN_ROWS + 4)
