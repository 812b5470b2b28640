"""A panel whose Annotate tab is in front, in a shown window, and short ways to its parts."""

import json

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from napari_crlm_spa._tests.plugin.canvas_mouse import CanvasMouse
from napari_crlm_spa._tests.plugin.conftest import make_analysis
from napari_crlm_spa._tests.plugin.correcting import in_front
from napari_crlm_spa.plugin.widgets.panel import AnalysisPanel


@pytest.fixture(name="panel")
def panel_fixture(make_napari_viewer_proxy, slide_path, qtbot):
    """The panel beside an open slide, in a window that is shown; the Annotate tab is in front."""
    viewer = make_napari_viewer_proxy(show=True)
    panel = AnalysisPanel(viewer)
    viewer.window.add_dock_widget(panel, name="CRLM-SPA")
    panel.session.set_reader("reader")
    panel.open_slide(str(slide_path))
    in_front(panel, panel.annotate)
    QApplication.processEvents()
    yield panel
    panel.let_go()


@pytest.fixture(name="analyzed")
def analyzed_fixture(panel, tmp_path):
    """The panel with an analyzed slide."""
    panel.session.show_analysis(panel.session.current, make_analysis(tmp_path / "slide"))
    QApplication.processEvents()
    return panel


@pytest.fixture(name="mouse")
def mouse_fixture(analyzed):
    return CanvasMouse(analyzed._viewer, analyzed)


def desk_of(panel):
    return panel.annotate.desk


def draw_box(panel, x0, y0, x1, y1, class_name=None):
    """Add a rectangle in level-0 pixels to the layer, as a tool does."""
    drawing = desk_of(panel).start()
    if class_name is not None:
        desk_of(panel).choose_class(class_name)
    corners = np.array([(y0, x0), (y0, x1), (y1, x1), (y1, x0)], float)
    drawing.layer.add(corners, shape_type="rectangle")
    drawing.take()
    return drawing.areas[-1]


def table_of(panel):
    """Name, count and mm2 by row of the tab's table."""
    table = panel.annotate.draw_box.table
    return [tuple(table.text(row, col) for col in range(3)) for row in range(table.rowCount())]


def features_in(path):
    return json.loads(path.read_text(encoding="utf-8"))["features"]


def classes_in(path):
    return [each["properties"]["classification"]["name"] for each in features_in(path)]
