"""A workspace and the tab in which growth patterns are read, over slides with finished analyses."""

import pandas as pd
import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QApplication, QLabel

from napari_crlm_spa._tests.plugin.canvas_mouse import CanvasMouse
from napari_crlm_spa._tests.plugin.made_results import copies_of, write_finished
from napari_crlm_spa.core.hgp.sample import SampleOptions, draw_sample
from napari_crlm_spa.core.hgp.sample_files import write_sample
from napari_crlm_spa.plugin.cohort.opener import SlideOpener
from napari_crlm_spa.plugin.layers import kind_of
from napari_crlm_spa.plugin.queue_sources import QueuedSlide
from napari_crlm_spa.plugin.widgets.growth.reading import ReadingTab
from napari_crlm_spa.plugin.widgets.panel import AnalysisPanel
from napari_crlm_spa.plugin.worker import PipelineWorker

TIMEOUT_MS = 60_000
N_SLIDES = 3


class ReadingPlace:
    """The window of a reader, and what a reader does in it."""

    def __init__(self, viewer, panel, tab, qtbot, folder, slides):
        self.viewer, self.panel, self.tab = viewer, panel, tab
        self.qtbot, self.folder, self.slides = qtbot, folder, slides

    @property
    def session(self):
        return self.panel.session

    @property
    def results(self):
        return self.folder / "results"

    @staticmethod
    def is_seen(widget):
        """Whether a widget is to be seen once its window is."""
        return widget.isVisibleTo(widget.window())

    def click(self, button):
        assert button.isEnabled() and self.is_seen(button)
        button.click()
        QApplication.processEvents()

    def enter(self, d=0, r=0, p=0, other=0):
        for box, value in zip(self.tab.form.shares.values(), (d, r, p, other), strict=True):
            box.setValue(value)

    def ready(self):
        """Wait until the slide's analysis is there, seen or not."""
        self.qtbot.waitUntil(
            lambda: self.session.current is not None and self.session.current.review is not None,
            timeout=TIMEOUT_MS,
        )
        QApplication.processEvents()

    def result_layers(self):
        """Layers of ours that show results."""
        kinds = ("slide", "annotations", "growth_drawn", None)
        return [each for each in self.viewer.layers if kind_of(each.metadata) not in kinds]

    def words(self):
        """Every text that stands in a label of the window now."""
        tops = {each.window() for each in (self.panel, self.panel.queue_box, self.tab)}
        labels = [label for top in tops for label in top.findChildren(QLabel)]
        return " ".join(each.text() for each in labels if self.is_seen(each))

    def mouse(self):
        return CanvasMouse(self.viewer, self.panel)

    def make_list(self, **options):
        """Write a review list of all slides; return its file."""
        frame = pd.DataFrame(
            {"slide": [path.stem for path in self.slides], "patient": ["P1", "P2", "P3"]}
        )
        chosen = SampleOptions(**{"repeats_pct": 0.0, "seed": 4, **options})
        write_sample(self.folder / "study", draw_sample(frame, chosen, ["Anna"]))
        return self.folder / "study" / "review-list-Anna.csv"


@pytest.fixture(name="place")
def place_fixture(slide_path, qtbot, tmp_path):
    """Workspace and tab without a window; three analyzed slides are in the queue."""
    yield from _place(ViewerModel(), slide_path, qtbot, tmp_path)


@pytest.fixture(name="seen_place")
def seen_place_fixture(make_napari_viewer_proxy, slide_path, qtbot, tmp_path):
    """The same in a window that is shown, for mouse and keys."""
    yield from _place(make_napari_viewer_proxy(show=True), slide_path, qtbot, tmp_path)


def _place(viewer, slide_path, qtbot, tmp_path):
    slides = copies_of(slide_path, tmp_path / "slides", N_SLIDES)
    for path in slides:
        write_finished(tmp_path / "results", path)
    panel = AnalysisPanel(viewer)
    panel.settings.set_results(str(tmp_path / "results"))
    panel.session.set_reader("Anna")
    panel.control.take([QueuedSlide(path) for path in slides])
    opener = SlideOpener(viewer, panel)
    opener.use_workspace(panel)
    tab = ReadingTab(panel.session, viewer, opener)
    window = getattr(viewer, "window", None)
    for name, widget in (("CRLM-SPA", panel), ("Read", tab)):
        if window is None:
            qtbot.addWidget(widget)
        else:
            window.add_dock_widget(widget, name=name)
    QApplication.processEvents()
    yield ReadingPlace(viewer, panel, tab, qtbot, tmp_path, slides)
    tab.let_go()
    panel.let_go()
    PipelineWorker.await_workers(TIMEOUT_MS)
