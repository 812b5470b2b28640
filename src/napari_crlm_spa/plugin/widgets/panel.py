"""The dock widget: chooses a slide, runs the analysis, shows tissue, features and risk.

It composes the workspace: the setup above, the map's box, the tabs, and the queue in a dock of
its own at the left. What the parts do stands in their own files.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, Qt, QThreadPool, QTimer, Signal
from qtpy.QtWidgets import QDockWidget, QFrame, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from napari_crlm_spa.core.slide import MPP_RANGE
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin import engine
from napari_crlm_spa.plugin.effects_keeper import EffectsKeeper
from napari_crlm_spa.plugin.fold import Fold
from napari_crlm_spa.plugin.keys import Keys
from napari_crlm_spa.plugin.map_view import MapView
from napari_crlm_spa.plugin.memory import APP, recall
from napari_crlm_spa.plugin.queue import SlideQueue
from napari_crlm_spa.plugin.queue_control import Batch, QueueControl, Workplace
from napari_crlm_spa.plugin.queue_sources import TABLE_SUFFIXES
from napari_crlm_spa.plugin.reopener import Reopener
from napari_crlm_spa.plugin.runner import Runner
from napari_crlm_spa.plugin.saving import RegionUm, region_in_view
from napari_crlm_spa.plugin.session import OpenSlide, Run, Session
from napari_crlm_spa.plugin.settings import Preferences
from napari_crlm_spa.plugin.tools.hand import Tool
from napari_crlm_spa.plugin.viewer_link import ViewerLink, open_slide_in
from napari_crlm_spa.plugin.warm_up import WarmUp
from napari_crlm_spa.plugin.widgets.annotate import AnnotateTab
from napari_crlm_spa.plugin.widgets.correct import CorrectTab
from napari_crlm_spa.plugin.widgets.covered import Covered
from napari_crlm_spa.plugin.widgets.doubt import DoubtTab
from napari_crlm_spa.plugin.widgets.features import FeaturesTab
from napari_crlm_spa.plugin.widgets.files_bar import FilesBar
from napari_crlm_spa.plugin.widgets.keys_stay import KeysStay
from napari_crlm_spa.plugin.widgets.legend import LegendBox
from napari_crlm_spa.plugin.widgets.message import Message
from napari_crlm_spa.plugin.widgets.queue import QueueBox
from napari_crlm_spa.plugin.widgets.risk import RiskTab
from napari_crlm_spa.plugin.widgets.run_box import RunBox
from napari_crlm_spa.plugin.widgets.settings_box import SettingsBox
from napari_crlm_spa.plugin.widgets.slide_box import SlideBox
from napari_crlm_spa.plugin.widgets.tiles import TilesTab
from napari_crlm_spa.plugin.words import setup_line
from napari_crlm_spa.plugin.workspace import Desk, Workspace

if TYPE_CHECKING:
    import napari

WIDTH_PX = 460
QUEUE_DOCK = "CRLM-SPA slides"
COHORT_DOCK = "CRLM-SPA cohort"
NO_SLIDE = "Slide and analysis"
#: An analysis must not keep the queue's small pictures or an earlier result waiting for a thread.
THREADS = 8
#: Up to here the contributions of all tiles take well under a second beside the viewer.
FEW_TILES = 100_000
TAB_STYLE = "QTabBar::tab {padding: 4px 9px; min-width: 0px;}"


class AnalysisPanel(QWidget):
    """Analyze slides of colorectal liver metastasis and review them.

    Parameters
    ----------
    napari_viewer
        The viewer that the panel belongs to.
    """

    gone = Signal()  # it has let go of the viewer, and must not be used any more

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        pool = QThreadPool.globalInstance()
        pool.setMaxThreadCount(max(pool.maxThreadCount(), THREADS))
        self.session = Session()
        # Before the parts hear of it: setup and map at once would make the window taller.
        self.session.current_changed.connect(self._on_current_changed)
        self.session.map_started.connect(self._on_map)
        self.session.analysis_changed.connect(self._on_map)
        self._ahead = engine.make_ahead()
        self.runner = Runner(self.session, self, partial(engine.analyze, ahead=self._ahead))
        self.preferences = Preferences()
        self.session.set_view(palette=self.preferences["palette"])
        self.slide_box = SlideBox(self.session)
        self.settings = SettingsBox(self.preferences)
        self.run_box = RunBox(self.session)
        self.message = Message()
        self.legend = LegendBox(self.session)
        self.risk = RiskTab(self.session)
        self.features = FeaturesTab(self.session)
        self.doubt = DoubtTab(self.session, napari_viewer)
        self.correct = CorrectTab(self.session, napari_viewer)
        self.tiles = TilesTab(self.session, napari_viewer)
        self.annotate = AnnotateTab(self.session, napari_viewer)
        self.files = FilesBar(self.session, self.message)
        self._make_workspace()
        self._lay_out()
        self._connect()
        self._keys_stay = KeysStay((self, self.queue_box), self)
        self.link = ViewerLink(napari_viewer, self.session, self)
        self.files.ask_region(self._region_in_view)
        self.effects = EffectsKeeper(self.session, self)
        self.link.use_effects(self.effects)
        self.tiles.use_effects(self.effects)
        self._is_docked = False
        self._dock_queue = QTimer(self, singleShot=True, interval=0)
        self._dock_queue.timeout.connect(self.show_queue)
        # Not before the window has laid out its new dock.
        self._raise_queue = QTimer(self, singleShot=True, interval=0)
        self._raise_queue.timeout.connect(self._on_raise_queue)

    def _make_workspace(self) -> None:
        self.queue = SlideQueue()
        self.queue_box = QueueBox(self.queue)
        place = Workplace(
            self.settings.output_folder,
            lambda mpp: self.settings.options(mpp, self.risk.model_name),
            self._default_mpp,
            lambda path: open_slide_in(self._viewer, path),
        )
        self.control = QueueControl(
            self.queue, self.session, self.runner, self._viewer, place, self
        )
        desk = Desk(
            self.settings.folder.text,
            self.settings.set_results,
            lambda: self.tabs.tabText(self.tabs.currentIndex()),
            self.show_tab,
            self.risk.choose,
            lambda path: self.open_slide(str(path)),
        )
        self.workspace = Workspace(self._viewer, self.session, self.control, desk, self)
        self.reopener = Reopener(self.session, self.settings.output_folder, self)
        self.warm_up = WarmUp(
            self.session,
            lambda slide: self.settings.options(slide.user_mpp, self.risk.model_name),
            partial(engine.get_ready, ahead=self._ahead),
            self,
        )
        self.queue_box.offer_to_continue(self.workspace.what_was_last())
        self.keys = Keys(self._viewer)
        self.keys.bind("N", lambda: self._on_step(1))
        self.keys.bind("P", lambda: self._on_step(-1))

    def _lay_out(self) -> None:
        self.setMinimumWidth(WIDTH_PX)
        self.tabs = QTabWidget()
        for name, tab in (
            ("Risk", self.risk),
            ("Features", self.features),
            ("Doubt", self.doubt),
            ("Correct", self.correct),
            ("Tiles", self.tiles),
            ("Annotate", self.annotate),
        ):
            self.tabs.addTab(_scrolling(tab), name)
        # All names are to be read: neither cut nor out of sight.
        self.tabs.setUsesScrollButtons(False)
        self.tabs.setElideMode(Qt.TextElideMode.ElideNone)
        self.tabs.tabBar().setExpanding(False)
        self.tabs.tabBar().setStyleSheet(TAB_STYLE)
        self.show_tab(str(recall().get("tab", "")))
        setup = QWidget()
        inner = QVBoxLayout(setup)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(5)
        inner.addWidget(self.slide_box)
        inner.addWidget(self.settings)
        self.setup = Fold(NO_SLIDE, setup)
        self.setup.set_open(True)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(5)
        self.run_box.add_beside(self.files)
        for widget in (self.setup, self.run_box, self.files.job, self.message, self.legend):
            layout.addWidget(widget)
        layout.addWidget(self.tabs, 1)
        self.covered = Covered(content)
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(self.covered)

    def _connect(self) -> None:
        self._connect_queue()
        self.slide_box.open_wanted.connect(self.open_slide)
        self.slide_box.queue_wanted.connect(self.show_queue)
        self.run_box.run_wanted.connect(self._on_run)
        self.run_box.cancel_wanted.connect(self.control.cancel)
        self.runner.busy_changed.connect(self.run_box.set_busy)
        self.runner.busy_changed.connect(self.queue_box.set_busy)
        self.runner.failed.connect(self._on_failed)
        self.runner.ended.connect(self._on_ended)
        self.reopener.told.connect(self.message.tell)
        self.reopener.problem.connect(self.message.show_problem)
        self.reopener.ready.connect(self.workspace.on_ready)
        self.reopener.ready.connect(self.warm_up.expect_run)
        self.workspace.told.connect(self.message.tell)
        self.workspace.problem.connect(self.message.show_problem)
        self.session.run_changed.connect(self._on_run_changed)
        self.session.view_changed.connect(self._on_view_changed)
        self.session.blinded_changed.connect(self._on_blinded)
        self.preferences.changed.connect(self._on_preference)
        self.settings.results_changed.connect(self._on_results_changed)
        self.annotate.model_kept.connect(self.settings.offer_model)
        self.doubt.keys_wanted.connect(lambda: self.correct.hand.take(Tool.LOOK))
        self.tabs.currentChanged.connect(lambda _: self.workspace.poke())
        # Not methods of the panel: that is gone by then.
        for workers in (
            self.runner.workers,
            self.warm_up.workers,
            self.control.workers,
            self.workspace.workers,
            self.reopener.workers,
            self.queue_box.pictures.workers,
        ):
            self.destroyed.connect(workers.stop)

    def _connect_queue(self) -> None:
        box, control = self.queue_box, self.control
        box.open_wanted.connect(control.open)
        box.step_wanted.connect(control.go)
        box.load_wanted.connect(lambda paths, add: control.load(paths, add=add))
        box.clear_wanted.connect(lambda: control.take([]))
        box.run_all_wanted.connect(self._on_run_all)
        box.cancel_wanted.connect(control.cancel)
        box.note_wanted.connect(control.write_note)
        box.save_wanted.connect(self.workspace.save)
        box.session_wanted.connect(self.workspace.open)
        box.continue_wanted.connect(self.workspace.continue_last)
        box.cohort_wanted.connect(self.show_cohort)
        control.told.connect(box.tell)
        control.problem.connect(self.message.show_problem)
        control.batch_changed.connect(box.show_batch)
        control.batch_changed.connect(self._on_batch)

    # -- slides ---------------------------------------------------------------------------

    def open_slide(self, path: str) -> None:
        """Open a slide file in the viewer; a problem becomes a sentence in the panel."""
        self.message.clear()
        try:
            open_slide_in(self._viewer, path)
        except CrlmSpaError as error:
            self.message.show_problem(str(error))

    def open_paths(self, paths: list[Path]) -> None:
        """Open what was named on the command line: one slide, or many as a queue."""
        if len(paths) == 1 and paths[0].name.endswith(".json"):
            self.workspace.open(paths[0])
        elif (
            len(paths) == 1 and paths[0].is_file() and paths[0].suffix.lower() not in TABLE_SUFFIXES
        ):
            self.open_slide(str(paths[0]))
        elif paths:
            self.control.load(paths)

    def _on_run(self) -> None:
        slide = self.session.current
        if slide is None:
            return
        try:
            options = self.settings.options(slide.user_mpp, self.risk.model_name)
            folder = self.settings.output_folder()
        except CrlmSpaError as error:
            self.message.show_problem(str(error))
            return
        self._begin()
        self.runner.start(slide, folder, options)

    def _on_run_all(self) -> None:
        self._begin()
        self.control.run_all()

    def _begin(self) -> None:
        self.settings.keep()
        self.runner.default_mpp = self._default_mpp()
        # Room for what comes now.
        self.settings.fold.set_open(False)

    def _default_mpp(self) -> float:
        mpp = float(self.preferences["default_mpp"])
        return mpp if mpp >= MPP_RANGE[0] else 0.0

    # -- what is heard --------------------------------------------------------------------

    def _on_batch(self, batch: Batch | None) -> None:
        self.run_box.set_task("" if batch is None or not batch.at else batch.text)

    def _on_failed(self, sentence: str, details: str) -> None:
        # Of a slide in the queue its entry tells.
        if self.control.batch is None:
            self.message.show_problem(sentence, details)

    def _on_ended(self, sentence: str) -> None:
        if self.control.batch is None:
            self.message.tell(sentence)

    def _on_run_changed(self, run: Run | None) -> None:
        if run is not None and self.control.batch is None:
            self.message.clear()

    def _on_current_changed(self, slide: OpenSlide | None) -> None:
        # What was said of one slide is not true of the next.
        self.message.clear()
        self._fit_setup(slide)

    def _on_map(self, slide: OpenSlide) -> None:
        if slide is self.session.current:
            self._fit_setup(slide)
            self._want_effects(slide)

    def _want_effects(self, slide: OpenSlide | None) -> None:
        """Let the pointer read contributions where they cost little; a map of them asks itself."""
        tissue_map = None if slide is None else slide.tissue_map
        if tissue_map is not None and tissue_map.classes.size <= FEW_TILES:
            self.effects.wanted = True

    def _region_in_view(self) -> RegionUm | None:
        """Return the part of the slide that the window shows."""
        slide = self.session.current
        corners = self.correct.hand.canvas.view(slide)
        return None if slide is None or corners is None else region_in_view(slide, corners)

    def _fit_setup(self, slide: OpenSlide | None) -> None:
        """Fold the setup into one line once there is something to look at."""
        title = NO_SLIDE
        if slide is not None:
            title = setup_line(slide.info, self.settings.model.currentText(), self.settings.device)
        self.setup.set_title(title)
        self.setup.set_open(slide is None or slide.tissue_map is None)

    def _on_blinded(self, blinded: bool) -> None:
        """Hide results, and names of slides, while a reader must not see them."""
        self.covered.cover(blinded)
        self.queue_box.covered.cover(blinded)

    def _on_step(self, by: int) -> None:
        # The reader of a blinded list has a next slide of his own.
        if not self.session.blinded:
            self.queue_box.step(by)

    def _on_view_changed(self, view: MapView) -> None:
        self.preferences.set("palette", view.palette)

    def _on_preference(self, name: str, value: Any) -> None:
        if name == "palette":
            self.session.set_view(palette=value)

    def _on_results_changed(self) -> None:
        self.settings.keep()
        self.control.rescan()
        self.reopener.look(self.session.current)

    # -- docks and tabs -------------------------------------------------------------------

    def show_tab(self, name: str) -> None:
        """Open the tab of that name; without one nothing happens."""
        for at in range(self.tabs.count()):
            if self.tabs.tabText(at) == name:
                self.tabs.setCurrentIndex(at)

    def show_queue(self) -> None:
        """Dock the queue at the left, or bring it to the front; without a window there is none."""
        window = getattr(self._viewer, "window", None)
        if window is None or not self._is_docked:
            return
        if self.queue_box.parent() is not None:
            self._on_raise_queue()
            return
        with suppress(RuntimeError):  # the window is being closed
            # A tab beside the list of layers: below it there would be room for two slides.
            window.add_dock_widget(self.queue_box, name=QUEUE_DOCK, area="left", tabify=True)
            self.queue_box.show()
            self._raise_queue.start()

    def show_cohort(self) -> None:
        """Open the dock of the cohort, or bring it to the front."""
        window = getattr(self._viewer, "window", None)
        if window is None:
            return
        _, cohort = window.add_plugin_dock_widget(APP, COHORT_DOCK)
        cohort.come_forward()

    def _on_raise_queue(self) -> None:
        dock = self.queue_box.parent()
        if isinstance(dock, QDockWidget):
            dock.raise_()

    def _remove_queue(self) -> None:
        window = getattr(self._viewer, "window", None)
        if window is None or self.queue_box.parent() is None:
            return
        with suppress(RuntimeError, LookupError):
            window.remove_dock_widget(self.queue_box)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Notice being docked, and that the dock was closed: napari then takes the panel out."""
        super().changeEvent(event)
        if event.type() != QEvent.Type.ParentChange:
            return
        if self.parent() is None:
            self.let_go()
        elif not self._is_docked:
            self._is_docked = True
            self._dock_queue.start()

    def let_go(self) -> None:
        """Stop the run and leave the viewer alone."""
        if self._has_let_go:
            return
        self._has_let_go = True
        self.gone.emit()
        self._dock_queue.stop()
        self._raise_queue.stop()
        self.queue_box.let_go()
        self.workspace.detach()
        self.control.detach()
        self.reopener.detach()
        self.warm_up.detach()
        self.runner.detach()
        self.link.detach()
        self.effects.detach()
        self.keys.let_go()
        self.settings.let_go()
        for tab in (self.doubt, self.correct, self.tiles, self.annotate):
            tab.let_go()
        self._remove_queue()

    _has_let_go = False


def _scrolling(widget: QWidget) -> QScrollArea:
    """Keep a tall tab from making the window taller than the screen."""
    area = QScrollArea()
    area.setWidget(widget)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area
