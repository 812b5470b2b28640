"""The form of one reading: percent by pattern, what can be assessed, Commit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
)

from napari_crlm_spa.core.hgp.columns import (
    ASSESSABLE,
    COMMENT,
    N_BLOCKS,
    PCT_D,
    PCT_OTHER,
    PCT_P,
    PCT_R,
    SHARES,
    VIABLE,
)
from napari_crlm_spa.plugin.form import NumberBox
from napari_crlm_spa.plugin.growth.reading_drawing import pattern_color
from napari_crlm_spa.plugin.widgets.correct.buttons import even_button, push_button

TITLES = {
    PCT_D: ("D", "Desmoplastic"),
    PCT_R: ("R", "Replacement"),
    PCT_P: ("P", "Pushing"),
    PCT_OTHER: ("other", "Other"),
}
#: By what the sum may miss 100 while it is typed; what is committed is checked in the core.
SUM_TOLERANCE_PCT = 0.05
BLOCKS_MOST = 99
VIABLE_WORDS = {"not told": None, "yes": 1.0, "no": 0.0}
STEP_PCT = 5.0
GOOD, BAD = "#2e7d32", "#b3261e"


class ReadingForm(QGroupBox):
    """Takes in a reading; what is committed is the desk's to say."""

    commit_wanted = Signal(object)  # values by review column
    edited = Signal()

    def __init__(self) -> None:
        super().__init__("My reading, in percent of the interface")
        self.shares = {name: _share_box(title) for name, (_, title) in TITLES.items()}
        self.rests = {
            name: even_button("rest", f"{title}: what is missing to 100 %")
            for name, (_, title) in TITLES.items()
        }
        self.wholes = {
            name: even_button("100", f"All of the interface: {title.lower()}")
            for name, (_, title) in TITLES.items()
        }
        self.sum_line = QLabel()
        self.clear_button = push_button("Clear", "Empty the form")
        self.assessable = _share_box("Share of the interface that can be judged")
        self.viable = QComboBox()
        self.viable.addItems(list(VIABLE_WORDS))
        self.viable.setToolTip("Whether there is living tumor; without it a slide is not read")
        self.blocks = NumberBox()
        self.blocks.setDecimals(0)
        self.blocks.setRange(0, BLOCKS_MOST)
        self.blocks.setSpecialValueText("not told")
        self.blocks.setToolTip("Blocks of this metastasis; at least two are recommended")
        self.comment = QLineEdit()
        self.comment.setPlaceholderText("Comment")
        self.commit_button = push_button(
            "Commit", "Fix this reading (Ctrl+Return). Results are shown afterwards."
        )
        self._committed: dict[str, Any] | None = None
        self._lay_out()
        self._connect()
        self.show_values(None)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setSpacing(3)
        for row, (name, (pattern, title)) in enumerate(TITLES.items()):
            label = QLabel(title)
            label.setStyleSheet(f"border-left: 6px solid {pattern_color(pattern)};padding-left:5px")
            for column, widget in enumerate(
                (label, self.shares[name], self.rests[name], self.wholes[name])
            ):
                grid.addWidget(widget, row, column)
        grid.setColumnStretch(0, 2)
        grid.setColumnStretch(1, 2)
        grid.setColumnStretch(2, 1)
        grid.setColumnStretch(3, 1)
        total = QHBoxLayout()
        total.addWidget(self.sum_line, 1)
        total.addWidget(self.clear_button)
        more = QGridLayout()
        more.setSpacing(3)
        for column, (name, widget) in enumerate(
            (
                ("Assessable", self.assessable),
                ("Viable tumor", self.viable),
                ("Blocks", self.blocks),
            )
        ):
            more.addWidget(QLabel(name), 0, column)
            more.addWidget(widget, 1, column)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(4)
        for part in (grid, total, more):
            layout.addLayout(part)
        layout.addWidget(self.comment)
        layout.addWidget(self.commit_button)

    def _connect(self) -> None:
        for name, box in self.shares.items():
            box.valueChanged.connect(self._on_edit)
            self.rests[name].clicked.connect(lambda _=False, name=name: self.put_rest(name))
            self.wholes[name].clicked.connect(lambda _=False, name=name: self.put_all(name))
        for box in (self.assessable, self.blocks):
            box.valueChanged.connect(self._on_edit)
        self.viable.currentIndexChanged.connect(self._on_edit)
        self.comment.textChanged.connect(self._on_edit)
        self.clear_button.clicked.connect(lambda: self._put(None))
        self.commit_button.clicked.connect(self.commit)

    # -- what is read and set -------------------------------------------------------------

    @property
    def total_pct(self) -> float:
        """The sum of the shares."""
        return float(sum(box.value() for box in self.shares.values()))

    @property
    def is_assessable(self) -> bool:
        """Whether there is anything to judge."""
        is_viable = VIABLE_WORDS[self.viable.currentText()] != 0.0
        return bool(self.assessable.value() > 0) and is_viable

    def values(self) -> dict[str, Any]:
        """Return what the form says, by review column; shares of what can't be judged are holes."""
        told = {name: round(box.value(), 1) for name, box in self.shares.items()}
        if not self.is_assessable and not self.total_pct > 0:
            told = dict.fromkeys(SHARES)
        return {
            **told,
            ASSESSABLE: self.assessable.value(),
            VIABLE: VIABLE_WORDS[self.viable.currentText()],
            N_BLOCKS: self.blocks.value() or None,
            COMMENT: self.comment.text().strip(),
        }

    def show_values(self, values: Mapping[str, Any] | None) -> None:
        """Show a committed reading; None empties the form for a new one."""
        self._committed = None if values is None else dict(values)
        self._put(values)

    def put_shares(self, shares: Mapping[str, float]) -> None:
        """Take over percentages, as of drawn lines."""
        for name, value in tenths(shares).items():
            self.shares[name].setValue(value)

    def put_rest(self, name: str) -> None:
        """Give a pattern what the others leave."""
        others = self.total_pct - self.shares[name].value()
        self.shares[name].setValue(max(0.0, round(100 - others, 1)))

    def put_all(self, name: str) -> None:
        """Give a pattern everything."""
        for each, box in self.shares.items():
            box.setValue(100.0 if each == name else 0.0)

    def commit(self) -> None:
        """Ask for the reading to be committed, if it may be."""
        if self.commit_button.isEnabled():
            self.commit_wanted.emit(self.values())

    # -- inside ---------------------------------------------------------------------------

    def _put(self, values: Mapping[str, Any] | None) -> None:
        told = {} if values is None else values
        for name, box in self.shares.items():
            box.setValue(_number(told.get(name), 0.0))
        self.assessable.setValue(_number(told.get(ASSESSABLE), 100.0))
        viable = told.get(VIABLE)
        words = [word for word, value in VIABLE_WORDS.items() if value == viable]
        self.viable.setCurrentText(words[0] if words else "not told")
        self.blocks.setValue(_number(told.get(N_BLOCKS), 0.0))
        self.comment.setText(str(told.get(COMMENT) or ""))
        self._on_edit()

    def _on_edit(self, *_: object) -> None:
        total = self.total_pct
        fits = abs(total - 100) <= SUM_TOLERANCE_PCT
        nothing = not self.is_assessable and total == 0
        if nothing:
            self.sum_line.setText("Not assessable: no percentages")
        elif fits:
            self.sum_line.setText("Sum 100 %")
        else:
            missing = 100 - total
            words = f"{missing:.4g} missing" if missing > 0 else f"{-missing:.4g} too much"
            self.sum_line.setText(f"Sum {total:.4g} %, {words}")
        color = GOOD if fits or nothing else BAD
        self.sum_line.setStyleSheet(
            f"background: {color}; color: white; padding: 2px 5px; border-radius: 3px;"
        )
        changed = self._committed is None or _differ(self.values(), self._committed)
        self.commit_button.setText("Commit" if self._committed is None else "Log this change")
        self.commit_button.setEnabled((fits or nothing) and changed)
        self.edited.emit()


def tenths(shares: Mapping[str, float]) -> dict[str, float]:
    """Round percentages to tenths that add up to 100.

    What is not zero stays more than zero: 99.97 % desmoplastic is not all of the interface.
    """
    exact = {name: 10 * share for name, share in shares.items()}
    given = {name: max(int(value), int(value > 0)) for name, value in exact.items()}
    missing = 1000 - sum(given.values())
    order = sorted(given, key=lambda name: given[name] - exact[name], reverse=missing < 0)
    for at in range(abs(missing)):
        candidates = [each for each in order if missing > 0 or given[each] > 1]
        given[candidates[at % len(candidates)]] += 1 if missing > 0 else -1
    return {name: value / 10 for name, value in given.items()}


def _share_box(tip: str) -> NumberBox:
    box = NumberBox()
    box.setDecimals(1)
    box.setRange(0, 100)
    box.setSingleStep(STEP_PCT)
    box.setSuffix(" %")
    box.setToolTip(tip)
    return box


def _number(value: Any, otherwise: float) -> float:
    return otherwise if value is None or math.isnan(float(value)) else float(value)


def _differ(now: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    def plain(value: Any) -> Any:
        return "" if value is None else value

    return any(plain(value) != plain(before.get(name)) for name, value in now.items())
