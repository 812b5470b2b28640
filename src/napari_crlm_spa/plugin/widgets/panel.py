"""The dock widget: chooses a slide, runs the analysis, shows tissue, features and risk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin.runner import Runner
from napari_crlm_spa.plugin.session import OpenSlide, Run, Session
from napari_crlm_spa.plugin.viewer_link import ViewerLink, open_slide_in
from napari_crlm_spa.plugin.widgets.annotate import AnnotateTab
from napari_crlm_spa.plugin.widgets.correct import CorrectTab
from napari_crlm_spa.plugin.widgets.doubt import DoubtTab
from napari_crlm_spa.plugin.widgets.features import FeaturesTab
from napari_crlm_spa.plugin.widgets.files_bar import FilesBar
from napari_crlm_spa.plugin.widgets.legend import LegendBox
from napari_crlm_spa.plugin.widgets.message import Message
from napari_crlm_spa.plugin.widgets.risk import RiskTab
from napari_crlm_spa.plugin.widgets.run_box import RunBox
from napari_crlm_spa.plugin.widgets.settings_box import SettingsBox
from napari_crlm_spa.plugin.widgets.slide_box import SlideBox
from napari_crlm_spa.plugin.widgets.tiles import TilesTab

if TYPE_CHECKING:
    import napari

WIDTH_PX = 460


class AnalysisPanel(QWidget):
    """Analyze a slide of colorectal liver metastasis.

    Parameters
    ----------
    napari_viewer
        The viewer that the panel belongs to.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self.session = Session()
        self.runner = Runner(self.session, self)
        self.slide_box = SlideBox(self.session)
        self.settings = SettingsBox()
        self.run_box = RunBox(self.session)
        self.message = Message()
        self.legend = LegendBox(self.session)
        self.risk = RiskTab(self.session)
        self.features = FeaturesTab(self.session)
        self.doubt = DoubtTab(self.session, napari_viewer)
        self.correct = CorrectTab(self.session, napari_viewer)
        self.tiles = TilesTab(self.session, napari_viewer)
        self.annotate = AnnotateTab(self.session, napari_viewer)
        self.files = FilesBar(self.session)
        self._lay_out()
        self._connect()
        self.link = ViewerLink(napari_viewer, self.session, self)

    def _lay_out(self) -> None:
        self.setMinimumWidth(WIDTH_PX)
        self.tabs = QTabWidget()
        self.tabs.addTab(_scrolling(self.risk), "Risk")
        self.tabs.addTab(_scrolling(self.features), "Features")
        self.tabs.addTab(_scrolling(self.doubt), "Doubt")
        self.tabs.addTab(_scrolling(self.correct), "Correct")
        self.tabs.addTab(_scrolling(self.tiles), "Tiles")
        self.tabs.addTab(_scrolling(self.annotate), "Annotate")
        # Not where it must, on a narrow panel, scroll.
        self.tabs.setUsesScrollButtons(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(5)
        self.run_box.add_beside(self.files)
        for widget in (self.slide_box, self.settings, self.run_box, self.message, self.legend):
            layout.addWidget(widget)
        layout.addWidget(self.tabs, 1)

    def _connect(self) -> None:
        self.slide_box.open_wanted.connect(self.open_slide)
        self.run_box.run_wanted.connect(self._on_run)
        self.run_box.cancel_wanted.connect(self.runner.stop)
        self.runner.busy_changed.connect(self.run_box.set_busy)
        self.runner.failed.connect(self.message.show_problem)
        self.runner.ended.connect(self.message.tell)
        self.session.run_changed.connect(self._on_run_changed)
        self.session.current_changed.connect(self._on_current_changed)
        # Not a method of the panel: that is gone by then.
        self.destroyed.connect(self.runner.workers.stop)

    def open_slide(self, path: str) -> None:
        """Open a slide file in the viewer; a problem becomes a sentence in the panel."""
        self.message.clear()
        try:
            open_slide_in(self._viewer, path)
        except CrlmSpaError as error:
            self.message.show_problem(str(error))

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
        self.settings.keep()
        # Room for what comes now.
        self.settings.fold.set_open(False)
        self.runner.start(slide, folder, options)

    def _on_run_changed(self, run: Run | None) -> None:
        if run is not None:
            self.message.clear()

    def _on_current_changed(self, _slide: OpenSlide | None) -> None:
        # What was said of one slide is not true of the next.
        self.message.clear()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Notice that the dock was closed: napari takes the panel out of it, without a parent."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.let_go()

    def let_go(self) -> None:
        """Stop the run and leave the viewer alone."""
        self.runner.detach()
        self.link.detach()
        for tab in (self.doubt, self.correct, self.tiles, self.annotate):
            tab.let_go()


def _scrolling(widget: QWidget) -> QScrollArea:
    """Keep a tall tab from making the window taller than the screen."""
    area = QScrollArea()
    area.setWidget(widget)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area
