"""Keys reach the viewer after clicks into the panel; fields and the wheel keep to themselves.

Real events in a shown window: a click gives the focus as Qt does, and each key goes to what has it.
"""

import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_crlm_spa._tests.plugin.canvas_mouse import canvas_of
from napari_crlm_spa._tests.plugin.correcting import in_front
from napari_crlm_spa._tests.plugin.made_results import copies_of, write_finished
from napari_crlm_spa.plugin.map_view import MapKind
from napari_crlm_spa.plugin.session import RunStatus
from napari_crlm_spa.plugin.viewer_look import HELP
from napari_crlm_spa.plugin.widgets.panel import AnalysisPanel

WAIT_MS = 60_000
LEFT = Qt.MouseButton.LeftButton
NO_KEYS = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def slides(slide_path, tmp_path):
    return copies_of(slide_path, tmp_path / "slides", 3)


@pytest.fixture
def panel(qtbot, make_napari_viewer_proxy, slides, tmp_path):
    """The panel in a shown window, with three analyzed slides in the queue."""
    for slide in slides:
        write_finished(tmp_path / "out", slide)
    viewer = make_napari_viewer_proxy(show=True)
    panel = AnalysisPanel(viewer)
    panel.settings.folder.setText(str(tmp_path / "out"))
    viewer.window.add_dock_widget(panel, name="CRLM-SPA")
    qtbot.waitUntil(lambda: panel.queue_box.parent() is not None, timeout=WAIT_MS)
    with qtbot.waitSignal(panel.control.loaded, timeout=WAIT_MS):
        panel.control.load([slides[0].parent])
    panel.activateWindow()
    qtbot.waitUntil(lambda: panel.session.current.review is not None, timeout=WAIT_MS)
    yield panel
    panel.let_go()


def click(widget, at=None):
    QTest.mouseClick(widget, LEFT, NO_KEYS, widget.rect().center() if at is None else at)
    QApplication.processEvents()


def type_key(panel, key):
    """Type a key into whatever has the focus."""
    QTest.keyClick(QApplication.focusWidget() or panel.window(), key)
    QApplication.processEvents()


def click_slide(panel, row):
    view = panel.queue_box.view
    click(view.viewport(), view.visualRect(panel.queue_box.filtered.index(row, 0)).center())


def name(panel):
    return panel.session.current.path.name


def wheel(widget):
    middle = QPointF(widget.rect().center())
    event = QWheelEvent(
        middle,
        QPointF(widget.mapToGlobal(middle.toPoint())),
        QPoint(0, 0),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        NO_KEYS,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)
    QApplication.processEvents()


def test_after_a_click_into_the_queue_the_viewers_keys_work(panel):
    click_slide(panel, 1)
    assert name(panel) == "slide-2.tif"
    type_key(panel, Qt.Key.Key_N)
    assert name(panel) == "slide-3.tif"
    type_key(panel, Qt.Key.Key_P)
    assert name(panel) == "slide-2.tif"
    type_key(panel, Qt.Key.Key_M)
    assert panel.session.view.kind is MapKind.CONFIDENCE


def test_arrow_keys_still_walk_through_the_queue(panel):
    click_slide(panel, 0)
    type_key(panel, Qt.Key.Key_Down)
    assert panel.queue_box.view.currentIndex().row() == 1


def test_space_after_next_moves_the_slide_and_does_not_go_on_to_another(panel):
    click(panel.queue_box.next_button)
    assert name(panel) == "slide-2.tif"
    type_key(panel, Qt.Key.Key_Space)
    assert name(panel) == "slide-2.tif"


def test_after_a_click_into_the_tile_table_the_viewers_keys_work(qtbot, panel):
    in_front(panel, panel.tiles)
    view = panel.tiles.list.view
    qtbot.waitUntil(lambda: panel.tiles.list.model.rowCount() > 3, timeout=WAIT_MS)
    click(view.viewport(), view.visualRect(panel.tiles.list.model.index(1, 2)).center())
    assert len(panel.tiles.list.selected()) == 1
    type_key(panel, Qt.Key.Key_M)
    assert panel.session.view.kind is MapKind.CONFIDENCE
    type_key(panel, Qt.Key.Key_Down)
    assert view.currentIndex().row() == 2


def test_a_note_keeps_its_letters_until_return_and_stays_with_its_slide(panel):
    note = panel.queue_box.note
    click(note)
    QTest.keyClicks(note, "m1n")
    assert (note.text(), panel.session.view.kind) == ("m1n", MapKind.TISSUE)
    type_key(panel, Qt.Key.Key_Return)
    QApplication.processEvents()
    assert not note.hasFocus()
    type_key(panel, Qt.Key.Key_M)
    assert (note.text(), panel.session.view.kind) == ("m1n", MapKind.CONFIDENCE)


def test_who_goes_on_in_the_middle_of_a_note_has_written_it(panel, slides):
    note = panel.queue_box.note
    click(note)
    QTest.keyClicks(note, "bile")
    panel.queue_box.step(1)
    assert name(panel) == "slide-2.tif"
    assert note.text() == ""
    assert [panel.queue.entry(slide).note for slide in slides] == ["bile", "", ""]


def test_scrolling_over_a_chooser_does_not_choose(panel):
    in_front(panel, panel.risk)
    chooser = panel.risk.model
    assert chooser.count() > 1
    before = panel.session.risk_model_name
    chosen = chooser.currentIndex()
    wheel(chooser)
    assert (chooser.currentIndex(), panel.session.risk_model_name) == (chosen, before)


def test_the_status_bar_tells_our_keys_not_those_of_tools_that_the_map_does_not_have(panel):
    viewer = panel._viewer
    assert viewer.help == HELP
    canvas_of(panel).setFocus()
    viewer.update_status_from_cursor()
    assert "eraser" not in viewer.help


# -- slides with and without a pixel size -------------------------------------------------


def test_a_slide_without_pixel_size_leaves_the_scale_bar_of_the_others_alone(
    panel, slide_without_mpp, slides
):
    """Napari drops the unit of the scale bar, and says so, if hidden layers have another one."""
    viewer, first = panel._viewer, panel.session.current.id
    panel.open_slide(str(slides[1]))  # stays open: it is not the queue's
    panel.session.select(first)
    told = len(notification_manager.records)
    panel.open_slide(str(slide_without_mpp))
    assert [str(unit) for unit in viewer.layers.extent.units] == ["pixel", "pixel"]
    viewer.screenshot(flash=False)
    panel.session.select(first)
    assert [str(unit) for unit in viewer.layers.extent.units] == ["micrometer"] * 2
    viewer.screenshot(flash=False)
    assert len(notification_manager.records) == told, "nothing pops up"


def test_the_panel_gives_layers_their_units_back_when_it_is_closed(panel, slide_without_mpp):
    viewer, first = panel._viewer, panel.session.current.id
    panel.open_slide(str(slide_without_mpp))
    layer = viewer.layers.selection.active
    panel.session.select(first)
    assert str(layer.units[0]) == "micrometer"
    panel.let_go()
    assert str(layer.units[0]) == "pixel"


# -- the line below Run -------------------------------------------------------------------


def test_the_progress_names_its_slide_while_another_one_is_looked_at(panel, slides):
    session, box = panel.session, panel.run_box
    looked_at = session.current
    session.begin_run(looked_at.id, 0.0)
    box.cancel_button.setEnabled(True)
    box.show_status(RunStatus("Classifying tiles", 1, 4, "tiles"))
    assert box.line.text() == "Classifying tiles"
    panel.open_slide(str(slides[2]))
    assert box.line.text() == "slide-1.tif: Classifying tiles"
    session.select(looked_at.id)
    assert box.line.text() == "Classifying tiles"
    session.end_run(session.run)
