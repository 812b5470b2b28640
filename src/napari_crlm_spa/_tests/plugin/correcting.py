"""A panel whose Correct tab is in front, in a shown window, and short ways to its parts."""

import json

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_crlm_spa._tests.plugin.canvas_mouse import CanvasMouse
from napari_crlm_spa._tests.plugin.conftest import known_classes, make_analysis
from napari_crlm_spa.plugin.layers import kind_of
from napari_crlm_spa.plugin.widgets.panel import AnalysisPanel

#: By this model a few lymphocytes more lower the group of the known map.
LYMPHOCYTES_LOWER = {
    "name": "lymphocytes lower the risk",
    "features": [
        {"column": "Overall_Lymphocyte_ratio", "coefficient": -1.0, "cutoff": 0.01},
        {"column": "Overall_Stroma_ratio", "coefficient": 0.25, "cutoff": 0.01},
    ],
    "threshold": -0.5,
}


@pytest.fixture(name="panel")
def panel_fixture(make_napari_viewer_proxy, slide_path, qtbot):
    """The panel beside an open slide, in a window that is shown; the Correct tab is in front."""
    viewer = make_napari_viewer_proxy(show=True)
    panel = AnalysisPanel(viewer)
    viewer.window.add_dock_widget(panel, name="CRLM-SPA")
    panel.open_slide(str(slide_path))
    in_front(panel, panel.correct)
    QApplication.processEvents()
    yield panel
    panel.let_go()


@pytest.fixture(name="corrected")
def corrected_fixture(panel, tmp_path):
    """The panel with an analyzed slide whose tiles wait to be corrected."""
    panel.session.show_analysis(panel.session.current, make_analysis(tmp_path / "slide"))
    QApplication.processEvents()
    return panel


@pytest.fixture(name="mouse")
def mouse_fixture(corrected):
    return CanvasMouse(corrected._viewer, corrected)


def in_front(panel, tab):
    for index in range(panel.tabs.count()):
        if panel.tabs.widget(index).isAncestorOf(tab):
            panel.tabs.setCurrentIndex(index)


def click(qtbot, button):
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def hand_of(panel):
    return panel.correct.hand


def review_of(panel):
    return panel.session.current.review


def changed_tiles(panel):
    review = review_of(panel)
    return set(map(tuple, np.argwhere(review.tissue_map.classes != known_classes()).tolist()))


def map_layer(panel):
    (layer,) = [each for each in panel._viewer.layers if kind_of(each.metadata) == "tissue_map"]
    return layer


@pytest.fixture(name="with_risk")
def with_risk_fixture(corrected, tmp_path):
    """The panel with a risk model that has cut-offs."""
    path = tmp_path / "lymphocytes.json"
    path.write_text(json.dumps(LYMPHOCYTES_LOWER))
    corrected.session.set_risk_model(str(path))
    return corrected
