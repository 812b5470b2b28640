"""Correcting a map in a real viewer: mouse and keys go through Qt to the canvas."""

import csv

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_crlm_spa._tests.plugin.canvas_mouse import CanvasMouse
from napari_crlm_spa._tests.plugin.conftest import known_classes, make_analysis
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.review import Action
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.plugin.layers import kind_of
from napari_crlm_spa.plugin.map_view import MapKind
from napari_crlm_spa.plugin.tools.hand import (
    NO_REVIEW,
    NO_SLIDE,
    NOTHING_THERE,
    RUNNING,
    Tool,
)
from napari_crlm_spa.plugin.viewer_look import camera_of
from napari_crlm_spa.plugin.widgets.panel import AnalysisPanel

TUM, STR, HEP, LYM, DEB = (CRLM7.code(name) for name in ("TUM", "STR", "HEP", "LYM", "DEB"))


@pytest.fixture
def panel(make_napari_viewer_proxy, slide_path, qtbot):
    """The panel beside an open slide, in a window that is shown; the Correct tab is in front."""
    viewer = make_napari_viewer_proxy(show=True)
    panel = AnalysisPanel(viewer)
    viewer.window.add_dock_widget(panel, name="CRLM-SPA")
    panel.open_slide(str(slide_path))
    in_front(panel, panel.correct)
    QApplication.processEvents()
    yield panel
    panel.let_go()


@pytest.fixture
def corrected(panel, tmp_path):
    """The panel with an analyzed slide whose tiles wait to be corrected."""
    panel.session.show_analysis(panel.session.current, make_analysis(tmp_path / "slide"))
    QApplication.processEvents()
    return panel


@pytest.fixture
def mouse(corrected):
    return CanvasMouse(corrected._viewer, corrected)


def in_front(panel, tab):
    for index in range(panel.tabs.count()):
        if panel.tabs.widget(index).isAncestorOf(tab):
            panel.tabs.setCurrentIndex(index)


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


# -- the brush ----------------------------------------------------------------------------


def test_a_digit_takes_the_brush_and_a_click_changes_one_tile(mouse, corrected):
    hand_of(corrected).set_brush(1)
    mouse.key(Qt.Key.Key_7)
    assert hand_of(corrected).tool is Tool.BRUSH
    mouse.click(1.5, 2.5)
    assert changed_tiles(corrected) == {(1, 2)}
    assert review_of(corrected).tissue_map.classes[1, 2] == TUM
    assert review_of(corrected).tissue_map.state[1, 2] == TileState.EDITED
    assert map_layer(corrected).data[1, 2] == TUM


def test_a_stroke_shows_at_once_and_becomes_one_step_when_the_button_is_let_go(mouse, corrected):
    hand_of(corrected).set_brush(1)
    hand_of(corrected).choose_class("LYM")
    mouse.press(1.5, 2.5)
    mouse.move(1.5, 6.5)
    assert map_layer(corrected).data[1, 2:7].tolist() == [LYM] * 5
    assert review_of(corrected).log == []
    mouse.move(1.5, 8.5)
    mouse.release(1.5, 8.5)
    (entry,) = review_of(corrected).log
    assert entry.edit.cols.tolist() == [2, 3, 4, 5, 6, 7, 8]
    assert changed_tiles(corrected) == {(1, col) for col in range(2, 9)}
    assert map_layer(corrected).data[1, 2:9].tolist() == [LYM] * 7
