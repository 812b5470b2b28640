"""The queue at the left: slides with picture, name and state; next, previous, run all new."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QModelIndex, QSignalBlocker, Qt, Signal
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QMenu,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.core.slide import SLIDE_SUFFIXES
from napari_crlm_spa.plugin.bundle import SUFFIX
from napari_crlm_spa.plugin.memory import recall, remember
from napari_crlm_spa.plugin.queue import SlideQueue, SlideState
from napari_crlm_spa.plugin.widgets.covered import Covered
from napari_crlm_spa.plugin.widgets.queue_list import EntryDelegate, QueueModel, StateFilter
from napari_crlm_spa.plugin.widgets.queue_pictures import PictureLoader

if TYPE_CHECKING:
    from napari_crlm_spa.plugin.queue_control import Batch

EMPTY = (
    "Or drop slides, a folder or a table (CSV with a column <i>slide</i>) here. More ways, and "
    "saved sessions, are under <b>Slides</b> above."
)
#: Two slides: a small screen has to hold the layers' controls as well.
LIST_MIN_HEIGHT = 90


class QueueBox(QWidget):
    """Shows the queue and says what the user wants; what is done is the control's.

    Parameters
    ----------
    queue
        The slides.
    """

    open_wanted = Signal(object)  # Path
    step_wanted = Signal(int, object)  # direction, SlideState | None
    load_wanted = Signal(object, bool)  # paths; whether they are added
    clear_wanted = Signal()
    run_all_wanted = Signal()
    cancel_wanted = Signal()
    note_wanted = Signal(object, str)  # Path, note
    save_wanted = Signal(object)  # Path of a session file
    session_wanted = Signal(object)  # Path of a session file
    continue_wanted = Signal()
    cohort_wanted = Signal()

    def __init__(self, queue: SlideQueue) -> None:
        super().__init__()
        self.setObjectName("crlm-spa-queue")
        self.setAcceptDrops(True)
        self.queue = queue
        self.pictures = PictureLoader(self)
        self.model = QueueModel(queue, self.pictures, self)
        self.filtered = StateFilter(self.model, self)
        self._batch: Batch | None = None
        self._make()
        self._lay_out()
        self._connect()
        self._show_all()

    def _make(self) -> None:
        self.menu_button = QPushButton("Slides")
        self.menu_button.setToolTip("Open slides, save and open sessions; or drop files here")
        self.menu_button.setMenu(self._menu())
        self.filter = QComboBox()
        self.filter.setToolTip("Show only slides of one state; Next and Previous keep to it")
        self.count = QLabel()
        self.count.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.view = QListView()
        self.view.setModel(self.filtered)
        self.view.setItemDelegate(EntryDelegate(self.view))
        self.view.setUniformItemSizes(True)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setSizeAdjustPolicy(QAbstractItemView.SizeAdjustPolicy.AdjustIgnored)
        self.view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.view.setMinimumHeight(LIST_MIN_HEIGHT)
        self.empty = QLabel(EMPTY)
        self.empty.setMinimumHeight(LIST_MIN_HEIGHT)
        self.empty.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.folder_button = QPushButton("Open a folder…")
        self.continue_button = QPushButton("Continue where you left")
        self.continue_button.setVisible(False)
        self.previous_button = QPushButton("Previous")
        self.previous_button.setToolTip("The slide before (P on the canvas)")
        self.next_button = QPushButton("Next")
        self.next_button.setToolTip("The next slide (N on the canvas)")
        self.note = QLineEdit()
        self.note.setPlaceholderText("Note on this slide")
        self.run_button = QPushButton()
        self.cancel_button = QPushButton("Stop")
        self.cancel_button.setToolTip("Stop the analysis and all that wait; finished work is kept")
        self.bar = QProgressBar()
        self.bar.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.line = QLabel()
        self.line.setWordWrap(True)

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        menu.addAction("Open a folder…", self._on_folder)
        menu.addAction("Open a table (CSV)…", self._on_table)
        menu.addAction("Add slides…", self._on_slides)
        self.clear_action = menu.addAction("Empty the queue", self.clear_wanted.emit)
        menu.addSeparator()
        self.save_action = menu.addAction("Save session…", self._on_save)
        menu.addAction("Open session…", self._on_session)
        menu.addSeparator()
        menu.addAction("Cohort of patients", self.cohort_wanted.emit)
        return menu

    def _lay_out(self) -> None:
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(4)
        top = QHBoxLayout()
        top.addWidget(self.menu_button)
        top.addWidget(self.filter, 1)
        layout.addLayout(top)
        layout.addWidget(self.folder_button)
        layout.addWidget(self.continue_button)
        layout.addWidget(self.empty, 1)
        layout.addWidget(self.view, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        buttons.addWidget(self.previous_button)
        buttons.addWidget(self.count, 1)
        buttons.addWidget(self.next_button)
        layout.addLayout(buttons)
        beside = QHBoxLayout()
        beside.setSpacing(4)
        beside.addWidget(self.note, 1)
        beside.addWidget(self.run_button)
        layout.addLayout(beside)
        running = QHBoxLayout()
        running.addWidget(self.bar, 1)
        running.addWidget(self.cancel_button)
        layout.addLayout(running)
        layout.addWidget(self.line)
        self.covered = Covered(content)
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(self.covered)

    def _connect(self) -> None:
        self.view.clicked.connect(self._on_clicked)
        self.view.activated.connect(self._on_clicked)
        self.filter.currentIndexChanged.connect(self._on_filter)
        self.next_button.clicked.connect(lambda: self.step(1))
        self.previous_button.clicked.connect(lambda: self.step(-1))
        self.note.editingFinished.connect(self._on_note)
        self.run_button.clicked.connect(self.run_all_wanted)
        self.cancel_button.clicked.connect(self.cancel_wanted)
        self.folder_button.clicked.connect(self._on_folder)
        self.continue_button.clicked.connect(self.continue_wanted)
        self.queue.reset.connect(self._show_all)
        self.queue.changed.connect(self._on_changed)
        self.queue.current_changed.connect(self._show_current)

    def let_go(self) -> None:
        """Stop what goes on and hear no more."""
        self._on_note()
        self.pictures.stop()
        self.model.let_go()
        self.queue.reset.disconnect(self._show_all)
        self.queue.changed.disconnect(self._on_changed)
        self.queue.current_changed.disconnect(self._show_current)

    # -- what the user wants --------------------------------------------------------------

    @property
    def wanted_state(self) -> SlideState | None:
        """The state to which the list is narrowed."""
        chosen = self.filter.currentData()
        # PySide6 gives a str back.
        return None if chosen is None else SlideState(chosen)

    def step(self, by: int) -> None:
        """Ask for the next (1) or previous (-1) slide of those that are shown."""
        self.step_wanted.emit(by, self.wanted_state)

    def _on_clicked(self, index: QModelIndex) -> None:
        entry = index.data(QueueModel.ENTRY)
        if entry is not None:
            self.open_wanted.emit(entry.path)

    def _on_filter(self) -> None:
        self.filtered.narrow(self.wanted_state)
        self._show_current(self.queue.current)

    def _on_note(self) -> None:
        path = self._noted
        entry = None if path is None else self.queue.entry(path)
        if entry is not None and self.note.text() != entry.note:
            self.note_wanted.emit(path, self.note.text())

    def _on_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Choose a folder with slides", _start())
        if folder:
            self._load([folder])

    def _on_table(self) -> None:
        table, _ = QFileDialog.getOpenFileName(
            self, "Choose a table of slides", _start(), "Tables (*.csv *.tsv *.txt)"
        )
        if table:
            self._load([table])

    def _on_slides(self) -> None:
        patterns = " ".join(f"*{suffix}" for suffix in SLIDE_SUFFIXES)
        paths, _ = QFileDialog.getOpenFileNames(
            self, "Add slides", _start(), f"Slides ({patterns});;All (*)"
        )
        if paths:
            self._load(paths, add=True)

    def _load(self, paths: list[str], *, add: bool = False) -> None:
        remember(slide_folder=str(Path(paths[0]).parent))
        self.load_wanted.emit(paths, add)

    def _on_save(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self,
            "Save the session",
            str(Path(_start()) / f"review{SUFFIX}"),
            f"Session (*{SUFFIX})",
        )
        if path:
            self.save_wanted.emit(Path(path))

    def _on_session(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Open a session", _start(), f"Session (*{SUFFIX} *.json)"
        )
        if path:
            self.session_wanted.emit(Path(path))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Take files."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Add dropped slides, folders and tables."""
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.load_wanted.emit(paths, True)

    # -- what is shown --------------------------------------------------------------------

    def offer_to_continue(self, what: str) -> None:
        """Offer the session of the last start; an empty text offers nothing."""
        self.continue_button.setText(f"Continue where you left\n({what})")
        self.continue_button.setVisible(bool(what))

    def tell(self, sentence: str) -> None:
        """Say something that is no problem, below the list."""
        self.line.setText(sentence)
        self.line.setVisible(bool(sentence))

    def show_batch(self, batch: Batch | None) -> None:
        """Show how far "Run all new" has come."""
        self._batch = batch
        if batch is not None:
            self.tell("")
            self.bar.setRange(0, batch.total)
            self.bar.setValue(max(batch.at - 1, 0))
            self.bar.setFormat(f"slide {max(batch.at, 1)} of {batch.total}")
            self.bar.setToolTip(batch.name)
        self._show_run()

    def set_busy(self, busy: bool) -> None:
        """Say whether an analysis is going on, of whichever slide."""
        self._busy = busy
        self._show_run()

    _busy = False

    def _show_run(self) -> None:
        counts = self.queue.counts()
        new, failed = counts[SlideState.NEW], counts[SlideState.FAILED]
        running = self._batch is not None
        self.run_button.setVisible(not running and len(self.queue) > 0)
        self.bar.setVisible(running)
        self.cancel_button.setVisible(running)
        again = not new and failed
        self.run_button.setText(
            f"Retry failed ({failed})" if again else f"Run all new ({new})" if new else "None new"
        )
        self.run_button.setToolTip("Analyze them one after the other; you may look at others")
        self.run_button.setEnabled(bool(new or failed) and not self._busy)

    def _show_all(self) -> None:
        empty = not len(self.queue)
        self.empty.setVisible(empty)
        self.folder_button.setVisible(empty)
        for widget in (self.view, self.filter, self.count, self.note):
            widget.setVisible(not empty)
        self.previous_button.setVisible(not empty)
        self.next_button.setVisible(not empty)
        self.clear_action.setEnabled(not empty)
        if not empty:
            self.continue_button.setVisible(False)
        self.tell("")
        self._show_counts()
        self._show_current(self.queue.current)

    def _on_changed(self, at: int) -> None:
        self._show_counts()
        if self.queue.entries[at].path == self.queue.current:
            self._show_note()

    def _show_counts(self) -> None:
        counts = self.queue.counts()
        self.count.setText(f"{counts[SlideState.REVIEWED]:,} of {len(self.queue):,} reviewed")
        texts: list[tuple[str, SlideState | None, int]] = [("All", None, len(self.queue))]
        texts += [(state.value.capitalize(), state, counts[state]) for state in SlideState]
        with QSignalBlocker(self.filter):
            if not self.filter.count():
                for _, state, _ in texts:
                    self.filter.addItem("", state)
            for at, (name, _, number) in enumerate(texts):
                self.filter.setItemText(at, f"{name} ({number:,})")
        self._show_run()

    def _show_current(self, path: Path | None) -> None:
        self._show_note()
        at = -1 if path is None else self.queue.index(path)
        index = self.filtered.mapFromSource(self.model.index(at, 0)) if at >= 0 else QModelIndex()
        with QSignalBlocker(self.view.selectionModel()):
            self.view.setCurrentIndex(index)
        if index.isValid():
            self.view.scrollTo(index)
        self.view.viewport().update()

    def _show_note(self) -> None:
        path = self.queue.current
        entry = None if path is None else self.queue.entry(path)
        self.note.setEnabled(entry is not None)
        if self._noted != path and self.note.hasFocus():
            # Who goes on in the middle of a note has written it.
            self._on_note()
        if not self.note.hasFocus() or entry is None or self._noted != path:
            self.note.setText("" if entry is None else entry.note)
        self._noted = path

    _noted: Path | None = None

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Follow a change of colors."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.view.viewport().update()


def _start() -> str:
    return str(recall().get("slide_folder", ""))
