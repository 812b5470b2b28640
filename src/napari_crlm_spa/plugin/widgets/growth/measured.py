"""The tab "Measured": what the interface of the current slide is, and where to look at it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.core.spatial.interface import (
    RESEARCH_USE_ONLY,
    Interface,
    InterfaceOptions,
)
from napari_crlm_spa.core.spatial.interface.stretches import Stretch
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin.fold import Fold
from napari_crlm_spa.plugin.form import build_form, read_form, write_form
from napari_crlm_spa.plugin.growth.export import export_tables
from napari_crlm_spa.plugin.growth.keeper import InterfaceKeeper, Measured
from napari_crlm_spa.plugin.growth.reader_lines import drawn_lines
from napari_crlm_spa.plugin.growth.words import length_line, state_words
from napari_crlm_spa.plugin.map_view import MapView
from napari_crlm_spa.plugin.session import Session
from napari_crlm_spa.plugin.when_seen import WhenSeen
from napari_crlm_spa.plugin.widgets.growth.calls_box import CallsBox
from napari_crlm_spa.plugin.widgets.growth.close_box import CloseBox
from napari_crlm_spa.plugin.widgets.growth.gallery_box import GalleryBox
from napari_crlm_spa.plugin.widgets.growth.line_box import LineBox
from napari_crlm_spa.plugin.widgets.growth.numbers_box import NumbersBox
from napari_crlm_spa.plugin.widgets.growth.share_bar import ShareBar
from napari_crlm_spa.plugin.widgets.message import Message

HEURISTICS = (
    "How the interface is found and coded. That the pattern is scored as a share of the "
    "interface's length is evidence; every limit here is a heuristic of ours."
)


class MeasuredTab(QWidget):
    """Percentages, calls, numbers, pictures of the current slide's interface.

    Parameters
    ----------
    session, keeper
        The slides, and who measures their interface.
    """

    ribbon_wanted = Signal()
    stretch_wanted = Signal(object)  # Stretch

    def __init__(self, session: Session, keeper: InterfaceKeeper) -> None:
        super().__init__()
        self._session, self._keeper = session, keeper
        self._measured: Measured | None = None
        self.message = Message()
        self.state = _words()
        self.shares = ShareBar()
        self.length = _words()
        self.refusal = _words()
        self.refusal.setStyleSheet("font-weight: bold")
        self.calls = CallsBox()
        self.numbers = NumbersBox()
        self.notes = _words()
        self.research = _words()
        self.research.setText(RESEARCH_USE_ONLY)
        self.lines = LineBox()
        self.ribbon_button = QPushButton("Unroll (ribbon)")
        self.ribbon_button.setToolTip("The interface as a straight strip below the slide")
        self.export_button = QPushButton("Export CSV…")
        self.export_button.setToolTip("Runs, points and percentages as tables, lines for QuPath")
        self.close_box = CloseBox(session, keeper)
        self.gallery = GalleryBox(session)
        self._make_options()
        self._lay_out()
        self._connect()
        self._on_view(session.view)
        self._show_state()

    def _make_options(self) -> None:
        self.form = build_form(InterfaceOptions)
        self.measure_button = QPushButton("Measure with these")
        self.default_button = QPushButton("Defaults")
        inner = QWidget()
        layout = QVBoxLayout(inner)
        layout.setContentsMargins(0, 0, 0, 0)
        told = _words()
        told.setText(HEURISTICS)
        buttons = QHBoxLayout()
        buttons.addWidget(self.measure_button)
        buttons.addWidget(self.default_button)
        buttons.addStretch(1)
        layout.addWidget(told)
        layout.addWidget(self.form)
        layout.addLayout(buttons)
        self.options_fold = Fold("How it is measured (heuristics)", inner)

    def _lay_out(self) -> None:
        self.results = QWidget()
        layout = QVBoxLayout(self.results)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        buttons = QHBoxLayout()
        buttons.addWidget(self.ribbon_button)
        buttons.addWidget(self.export_button)
        buttons.addStretch(1)
        for widget in (self.shares, self.length, self.refusal, self.calls):
            layout.addWidget(widget)
        layout.addWidget(self.lines)
        layout.addLayout(buttons)
        for widget in (self.numbers, self.notes, self.close_box, self.gallery):
            layout.addWidget(widget)
        layout.addWidget(self.close_box.fold)
        layout.addWidget(self.options_fold)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(6, 6, 6, 6)
        outer.setSpacing(5)
        for widget in (self.research, self.message, self.state, self.results):
            outer.addWidget(widget)
        outer.addStretch(1)

    def _connect(self) -> None:
        self._when_seen = WhenSeen(self, self._fill)
        self._ears: list[tuple[Any, Callable[..., None]]] = [
            (self._session.current_changed, self._on_state),
            (self._session.run_changed, self._on_state),
            (self._session.reader_changed, self._on_reader),
            (self._session.view_changed, self._on_view),
        ]
        for signal, slot in self._ears:
            signal.connect(slot)
        self._keeper.changed.connect(self._on_measured)
        self._keeper.problem.connect(self.message.show_problem)
        self._keeper.busy_changed.connect(lambda _: self._show_state())
        self.ribbon_button.clicked.connect(self.ribbon_wanted)
        self.export_button.clicked.connect(self._on_export)
        self.gallery.chosen.connect(self._on_stretch)
        self.measure_button.clicked.connect(self._on_options)
        self.default_button.clicked.connect(self._on_defaults)

    def let_go(self) -> None:
        """Hear no more."""
        for signal, slot in self._ears:
            signal.disconnect(slot)
        self._ears.clear()
        self.close_box.let_go()
        self.gallery.let_go()

    # -- what is shown --------------------------------------------------------------------

    def _on_state(self, _what: object = None) -> None:
        self.message.clear()
        self._show_state()

    def _on_view(self, view: MapView) -> None:
        self.lines.outline.setVisible(view.outline)

    def _on_reader(self, _name: str) -> None:
        self._when_seen.poke()

    def _on_measured(self, measured: Measured | None) -> None:
        self._measured = measured
        self.close_box.show_measured(measured)
        self._show_state()
        self._when_seen.poke()

    def _show_state(self) -> None:
        words = state_words(self._session.current, self._session.run)
        if not words and self._measured is None:
            words = "Measuring the interface…" if self._keeper.busy else ""
        self.state.setText(words)
        self.state.setVisible(bool(words))
        self.results.setVisible(self._measured is not None)

    def _fill(self) -> None:
        measured = self._measured
        if measured is None:
            self.gallery.show_measured(None)
            return
        self.message.clear()
        self._show_interface(measured.interface)
        self.gallery.show_measured(measured, drawn_lines(measured.slide, self._session.reader))

    def refresh_labels(self) -> None:
        """Look again for what readers have drawn."""
        self._when_seen.poke()

    def _show_interface(self, interface: Interface) -> None:
        summary = interface.summary
        found = bool(interface.contours)
        self.shares.show_summary(summary)
        self.length.setText(length_line(summary))
        self.length.setVisible(bool(self.length.text()))
        self.refusal.setText("\n".join(interface.refusals))
        self.refusal.setVisible(bool(interface.refusals))
        self.calls.show_calls(interface)
        self.calls.setVisible(not interface.refusals)
        self.numbers.show_numbers(interface)
        self.notes.setText("\n".join(f"• {note}" for note in interface.notes))
        for widget in (self.numbers, self.lines, self.close_box, self.gallery):
            widget.setVisible(found)
        for button in (self.ribbon_button, self.export_button):
            button.setEnabled(found)

    def _on_stretch(self, stretch: Stretch) -> None:
        self.stretch_wanted.emit(stretch)

    # -- options and export ---------------------------------------------------------------

    def _on_options(self) -> None:
        try:
            options = read_form(self.form)
        except CrlmSpaError as error:
            self.message.show_problem(str(error))
            return
        self._keeper.set_options(options)

    def _on_defaults(self) -> None:
        write_form(self.form, InterfaceOptions())
        self._on_options()

    def _on_export(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Choose a folder for the tables")
        if folder:
            self.export(Path(folder))

    def export(self, folder: Path) -> None:
        """Write the tables into a folder; a problem becomes a sentence."""
        if self._measured is None:
            return
        try:
            written = export_tables(self._measured, folder, self._session.reader)
        except CrlmSpaError as error:
            self.message.show_problem(str(error))
        else:
            self.message.tell(f"Written into {written}.")


def _words() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
