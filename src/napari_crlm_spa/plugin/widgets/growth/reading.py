"""The tab in which a reader reads growth patterns: lists, the reading, lines, Commit.

While a reading is not committed, maps, numbers and names are hidden (`Session.blinded`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QHideEvent, QKeySequence, QShowEvent
from qtpy.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QScrollArea,
    QShortcut,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.core.spatial.interface.words import RESEARCH_USE_ONLY
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin.annotating.keys import REDO_KEYS, UNDO_KEYS, AnnotateKeys
from napari_crlm_spa.plugin.cohort.opener import SlideOpener
from napari_crlm_spa.plugin.cohort.slides import index_slides
from napari_crlm_spa.plugin.fold import Fold
from napari_crlm_spa.plugin.growth.reading_desk import ReadingDesk
from napari_crlm_spa.plugin.growth.reading_export import export_reviews
from napari_crlm_spa.plugin.growth.reading_list import open_list
from napari_crlm_spa.plugin.growth.reading_sample import MadeList
from napari_crlm_spa.plugin.memory import recall, remember
from napari_crlm_spa.plugin.session import Session
from napari_crlm_spa.plugin.widgets.growth.reading_form import ReadingForm
from napari_crlm_spa.plugin.widgets.growth.reading_line_box import (
    PATTERN_KEYS,
    TOOL_KEYS,
    LineBox,
)
from napari_crlm_spa.plugin.widgets.growth.reading_list_box import ReadingListBox
from napari_crlm_spa.plugin.widgets.growth.reading_log import ReadingLog, state_line
from napari_crlm_spa.plugin.widgets.growth.reading_make import MakeBox
from napari_crlm_spa.plugin.widgets.growth.reading_welcome import ReadingWelcome
from napari_crlm_spa.plugin.widgets.job_bar import JobBar
from napari_crlm_spa.plugin.widgets.keys_stay import KeysStay
from napari_crlm_spa.plugin.widgets.message import Message

if TYPE_CHECKING:
    from napari.components import ViewerModel

LAST, HOLD, BLINDED = "growth_list", "growth_hold_back", "growth_blinded"
TABLES = "Review lists (*.csv *.tsv *.txt *.xlsx *.xlsm)"
BLINDED_STYLE = "background: #37474f; color: white; padding: 4px; border-radius: 3px;"
OPEN_STYLE = "padding: 4px;"


class ReadingTab(QWidget):
    """Reading growth patterns; the keys are the tab's while it is seen.

    Parameters
    ----------
    session, viewer
        Of the workspace.
    opener
        Finds the workspace; without one the tab looks itself.
    """

    committed = Signal()

    def __init__(
        self, session: Session, viewer: ViewerModel, opener: SlideOpener | None = None
    ) -> None:
        super().__init__()
        self._session = session
        self._opener = opener or SlideOpener(viewer, self)
        self.desk = ReadingDesk(viewer, session, self._opener, self)
        self.keys = AnnotateKeys(viewer, self._actions())
        self._shown: tuple[int, int] | None = None
        self._make()
        self._lay_out()
        self._connect()
        self._keys_stay = KeysStay((self,), self)
        self.show_desk()

    def _make(self) -> None:
        kept = recall()
        self.menu_button = QPushButton("Reviews")
        self.menu_button.setMenu(self._menu())
        self.title = QLabel()
        self.title.setWordWrap(True)
        self.message = Message()
        self.job = JobBar()
        self.find_button = QPushButton("Where the slides are…")
        self.welcome = ReadingWelcome(self._session, blinded=bool(kept.get(BLINDED, True)))
        self.make_box = MakeBox()
        self.list_box = ReadingListBox()
        self.desk.hold_back = bool(kept.get(HOLD, False))
        self.list_box.show_hold(self.desk.hold_back)
        self.state = QLabel()
        self.state.setWordWrap(True)
        self.back_button = QPushButton("Back to the slide that is read")
        self.reveal_button = QPushButton("Show the results of this slide")
        self.form = ReadingForm()
        self.line_box = LineBox(self.desk.lines)
        self.line_fold = Fold("Draw the pattern as lines", self.line_box)
        self.log = ReadingLog()
        self.log_fold = Fold("Log of this reading", _inside(self.log))
        self.banner = QLabel(RESEARCH_USE_ONLY)
        self.banner.setWordWrap(True)

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        menu.addAction("Open a review list…", self._on_open)
        menu.addAction("Make review lists…", self.show_make)
        menu.addAction("Where the slides are…", self._on_where)
        menu.addSeparator()
        menu.addAction("Export my reviews, as committed first…", lambda: self._on_export(True))
        menu.addAction("Export my reviews, as changed last…", lambda: self._on_export(False))
        menu.addSeparator()
        self.end_action = menu.addAction("End reading", self.desk.end)
        return menu

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(6)
        top.addWidget(self.menu_button)
        top.addWidget(self.title, 1)
        reading = QWidget()
        inner = QVBoxLayout(reading)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(5)
        for widget in (
            self.list_box,
            self.state,
            self.back_button,
            self.reveal_button,
            self.form,
            self.line_fold,
            self.log_fold,
        ):
            inner.addWidget(widget)
        inner.addStretch(1)
        self.pages = QStackedWidget()
        for page in (self.welcome, self.make_box, reading):
            self.pages.addWidget(page)
        self._reading_page = reading
        area = QScrollArea()
        area.setWidget(self.pages)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(4)
        layout.addLayout(top)
        for widget in (self.job, self.message, self.find_button):
            layout.addWidget(widget)
        layout.addWidget(area, 1)
        layout.addWidget(self.banner)
        self.find_button.hide()

    def _connect(self) -> None:
        desk = self.desk
        desk.changed.connect(self.show_desk)
        desk.missing.connect(self._on_missing)
        for part in (desk, desk.lines):
            part.told.connect(self._tell)
            part.problem.connect(self._show_problem)
        desk.lines.changed.connect(self._mind_keys)
        self.welcome.open_button.clicked.connect(self._on_open)
        self.welcome.last_button.clicked.connect(lambda: self.open_list(_last()))
        self.welcome.make_button.clicked.connect(self.show_make)
        self.welcome.read_button.clicked.connect(self._on_read)
        self.make_box.closed.connect(self.show_desk)
        self.make_box.problem.connect(self._on_make_problem)
        self.make_box.made.connect(self._on_made)
        self.list_box.open_wanted.connect(desk.open)
        self.list_box.step_wanted.connect(desk.step)
        self.list_box.next_wanted.connect(desk.next_open)
        self.list_box.hold_wanted.connect(self._on_hold)
        self.form.commit_wanted.connect(self._on_commit)
        self.line_box.use_wanted.connect(self.form.put_shares)
        self.back_button.clicked.connect(lambda: desk.look_again())
        self.reveal_button.clicked.connect(lambda: desk.reveal())
        self.find_button.clicked.connect(self._on_where)
        self.job.failed.connect(self.message.show_problem)
        self.job.done.connect(self._on_job)
        commit = QShortcut(QKeySequence("Ctrl+Return"), self, self.form.commit)
        commit.setContext(Qt.ShortcutContext.WindowShortcut)
        self._session.current_changed.connect(self._on_current)

    def _actions(self) -> dict[str, Callable[[], object]]:
        desk, lines = self.desk, self.desk.lines
        actions: dict[str, Callable[[], object]] = {"N": desk.next_open}
        actions["Shift-N"] = lambda: desk.step(-1)
        actions |= {key: _call(self._take_tool, mode) for mode, key in TOOL_KEYS.items()}
        actions |= {key: _call(lines.choose, name) for name, key in PATTERN_KEYS.items()}
        actions |= dict.fromkeys(UNDO_KEYS, lines.undo) | dict.fromkeys(REDO_KEYS, lines.redo)
        return actions

    def let_go(self) -> None:
        """End the reading, save, and leave the viewer alone."""
        self.keys.let_go()
        self.job.drop()
        self.make_box.job.drop()
        self._session.current_changed.disconnect(self._on_current)
        self.desk.changed.disconnect(self.show_desk)
        self.line_box.let_go()
        self.welcome.let_go()
        self.desk.let_go()

    # -- lists ----------------------------------------------------------------------------

    def open_list(self, path: Path, key: Path | None = None) -> None:
        """Open a review list; a problem becomes a sentence."""
        self._clear()
        try:
            readings = open_list(path, key)
        except CrlmSpaError as error:
            self._show_problem(str(error))
            return
        remember(**{LAST: str(path)})
        self.desk.use_list(readings)
        if readings.file is None:
            self._tell(
                f"{path.name} is no CSV: readings are kept, but not filled into it. Export them "
                "under Reviews."
            )

    def _on_open(self) -> None:
        start = str(_last().parent) if _last().name else ""
        path, _ = QFileDialog.getOpenFileName(self, "Choose a review list", start, TABLES)
        if path:
            self.open_list(Path(path))

    def show_make(self) -> None:
        """Show the form that makes lists."""
        panel = self._opener.workspace()
        if panel is None:
            return
        self._clear()
        try:
            results = panel.settings.output_folder()
        except CrlmSpaError as error:
            self._show_problem(str(error))
            return
        slides = [entry.slide for entry in panel.queue.entries]
        self.make_box.prepare(slides, results, self._session.reader)
        self.pages.setCurrentWidget(self.make_box)

    def _on_make_problem(self, sentence: str, details: str) -> None:
        if sentence:
            self.message.show_problem(sentence, details)
        else:
            self._clear()

    def _on_made(self, made: MadeList) -> None:
        self.open_list(made.lists[0])
        names = ", ".join(path.name for path in made.lists)
        said = f"{made.n_slides:,} slides were chosen. Written: {names}, key.csv."
        self._tell(" ".join([said, *made.warnings]))

    def _on_where(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Where are the slides?", "")
        if folder:
            self.look_in(Path(folder))

    def look_in(self, folder: Path) -> None:
        """Look for slides of the list in a folder and all that is below it."""
        self._clear()
        self.job.start(index_slides, [*self.desk.index.folders, folder])

    def _on_missing(self, sentence: str) -> None:
        self._show_problem(sentence)
        self.find_button.show()

    # -- a reading ------------------------------------------------------------------------

    def _on_read(self) -> None:
        self._clear()
        blinded = self.welcome.blinded.isChecked()
        remember(**{BLINDED: blinded})
        self.desk.read_current(blinded=blinded)

    def _on_commit(self, values: dict[str, Any]) -> None:
        self._clear()
        if self.desk.commit(values):
            self.committed.emit()

    def _on_hold(self, hold_back: bool) -> None:
        remember(**{HOLD: hold_back})
        self.desk.set_hold_back(hold_back)

    def _take_tool(self, mode: str) -> None:
        self.line_fold.set_open(True)
        self.desk.lines.take_tool(mode)

    # -- export ---------------------------------------------------------------------------

    def _on_export(self, first: bool) -> None:
        start = f"reviews-{self._session.reader or 'reader'}.csv"
        path, _ = QFileDialog.getSaveFileName(self, "Export my reviews", start, "CSV (*.csv)")
        if path:
            self.export_to(Path(path), first=first)

    def export_to(self, path: Path, *, first: bool = True) -> None:
        """Write the table of the reader's reviews of all slides."""
        panel = self._opener.workspace()
        if panel is None:
            return
        self._clear()
        readings = self.desk.list
        rater = self._session.reader if readings is None else readings.rater
        try:
            results = panel.settings.output_folder()
        except CrlmSpaError as error:
            self._show_problem(str(error))
            return
        self.job.start(export_reviews, results, rater, path, first)

    def _on_job(self, result: Any) -> None:
        if isinstance(result, str):
            self._tell(result)
        else:
            self.desk.use_index(result)

    # -- showing --------------------------------------------------------------------------

    def show_desk(self) -> None:
        """Show the list, the reading and what may be done."""
        desk = self.desk
        readings, item, review = desk.list, desk.item, desk.review
        self.end_action.setEnabled(readings is not None)
        self.title.setText("" if readings is None else _title(desk))
        self.pages.setCurrentWidget(self.welcome if readings is None else self._reading_page)
        self.welcome.show_session(_last())
        if readings is not None:
            self.list_box.show_list(readings, desk.at)
            self.list_box.setVisible(readings.file is not None or len(readings) > 1)
        blinded = self._session.blinded
        self.state.setText(state_line(desk, blinded=blinded))
        self.state.setStyleSheet(BLINDED_STYLE if blinded else OPEN_STYLE)
        self.back_button.setVisible(item is not None and not desk.is_looked_at)
        self.reveal_button.setVisible(desk.is_committed and blinded)
        can_read = review is not None and desk.is_looked_at
        for widget in (self.form, self.line_fold, self.log_fold):
            widget.setVisible(item is not None)
            widget.setEnabled(can_read)
        self._show_review()
        self._mind_keys()

    def _show_review(self) -> None:
        """Fill the form when another reading is opened or this one was committed."""
        review = self.desk.review
        self.log.show_review(review)
        if review is None:
            self._shown = None
            return
        number = sum(each.what in ("committed", "changed") for each in review.log)
        shown = (self.desk.at, number)
        if shown != self._shown:
            self._shown = shown
            self.form.show_values(review.values if review.is_committed else None)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Take the keys."""
        super().showEvent(event)
        self._mind_keys()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        """Give the keys back and put the tool down: another tab has its own."""
        super().hideEvent(event)
        self.keys.let_go()
        if not event.spontaneous():
            self.desk.lines.put_down()

    def _mind_keys(self) -> None:
        if self.isVisible() and self.desk.list is not None:
            self.keys.bind()
        else:
            self.keys.let_go()

    def _on_current(self, _slide: object) -> None:
        self.welcome.show_session(_last())

    def _tell(self, sentence: str) -> None:
        self.message.tell(sentence)

    def _show_problem(self, sentence: str) -> None:
        self.message.show_problem(sentence)

    def _clear(self) -> None:
        self.message.clear()
        self.find_button.hide()


def _inside(widget: QWidget) -> QWidget:
    """Wrap a table, which shows and hides itself, for a fold."""
    around = QWidget()
    layout = QVBoxLayout(around)
    layout.setContentsMargins(6, 2, 6, 2)
    layout.addWidget(widget)
    return around


def _title(desk: ReadingDesk) -> str:
    assert desk.list is not None
    name = "" if desk.item is None else f"<b>{desk.item.name}</b> · "
    return f"{name}reader {desk.list.rater}"


def _last() -> Path:
    return Path(str(recall().get(LAST, "")))


def _call(function: Callable[..., object], argument: object) -> Callable[[], object]:
    return lambda: function(argument)
