"""Correcting a map in a real viewer: mouse and keys go through Qt to the canvas."""

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_crlm_spa._tests.plugin.conftest import known_classes
from napari_crlm_spa._tests.plugin.correcting import (  # noqa: F401 - fixtures
    changed_tiles,
    click,
    corrected_fixture,
    hand_of,
    in_front,
    map_layer,
    mouse_fixture,
    panel_fixture,
    review_of,
)
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.review import Action
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.plugin.map_view import MapKind
from napari_crlm_spa.plugin.tools.hand import (
    NO_REVIEW,
    NO_SLIDE,
    NOTHING_THERE,
    RUNNING,
    Tool,
)
from napari_crlm_spa.plugin.viewer_look import camera_of

TUM, LYM = CRLM7.code("TUM"), CRLM7.code("LYM")


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


def test_each_digit_names_a_class_in_the_order_of_the_scheme(mouse, corrected):
    for digit, name in enumerate(CRLM7.names, start=1):
        mouse.key(getattr(Qt.Key, f"Key_{digit}"))
        assert hand_of(corrected).deed.class_name == name
        assert corrected.correct.tool_box.classes[name].isChecked()


def test_a_drag_does_not_move_the_view_while_a_tool_is_in_hand(mouse, corrected):
    hand_of(corrected).choose_class("TUM")
    before = tuple(camera_of(corrected._viewer).center)
    mouse.drag((2.5, 2.5), (8.5, 12.5))
    assert tuple(camera_of(corrected._viewer).center) == before
    mouse.key(Qt.Key.Key_Escape)
    assert hand_of(corrected).tool is Tool.LOOK
    mouse.drag((2.5, 2.5), (8.5, 12.5))
    assert tuple(camera_of(corrected._viewer).center) != before
    assert len(review_of(corrected).log) == 1


def test_two_quick_clicks_paint_and_do_not_zoom_in(mouse, corrected):
    hand_of(corrected).choose_class("LYM")
    zoom = camera_of(corrected._viewer).zoom
    mouse.double_click(2.5, 2.5)
    assert camera_of(corrected._viewer).zoom == zoom
    mouse.key(Qt.Key.Key_Escape)
    mouse.double_click(2.5, 2.5)
    assert camera_of(corrected._viewer).zoom > zoom


def test_brackets_change_the_size_of_the_brush_within_its_limits(mouse, corrected):
    hand, box = hand_of(corrected), corrected.correct.tool_box
    mouse.key(Qt.Key.Key_D)
    hand.set_brush(3)
    mouse.key(Qt.Key.Key_BracketRight)
    assert (hand.brush_tiles, box.size_box.value(), box.size_slider.value()) == (5, 5, 5)
    for _ in range(4):
        mouse.key(Qt.Key.Key_BracketLeft)
    assert hand.brush_tiles == 1
    for _ in range(20):
        mouse.key(Qt.Key.Key_BracketRight)
    assert hand.brush_tiles == 31
    box.size_box.setValue(4)
    assert hand.brush_tiles == 4


def test_a_stroke_that_leaves_the_grid_paints_what_lies_on_it(mouse, corrected):
    hand_of(corrected).set_brush(1)
    hand_of(corrected).choose_class("LYM")
    mouse.drag((1.5, 2.5), (-1.5, 2.5))
    assert changed_tiles(corrected) == {(0, 2), (1, 2)}
    mouse.drag((-1.5, 5.5), (-1.5, 9.5))
    assert len(review_of(corrected).log) == 1
    assert corrected.correct.told.text() == NOTHING_THERE


def test_glass_stays_glass(mouse, corrected):
    hand_of(corrected).set_brush(5)
    hand_of(corrected).choose_class("TUM")
    mouse.drag((10.5, 22.5), (14.5, 22.5))
    assert not review_of(corrected).tissue_map.classes[:, -2:].any()
    assert all(col < 22 for _, col in changed_tiles(corrected))
    assert changed_tiles(corrected)


def test_tiles_that_have_the_class_already_are_no_correction(mouse, corrected):
    hand_of(corrected).choose_class("TUM")
    mouse.click(12.5, 12.5)
    assert review_of(corrected).log == []
    assert corrected.correct.told.text() == NOTHING_THERE
    assert review_of(corrected).tissue_map.state[12, 12] == TileState.CLASSIFIED


def test_hidden_tissue_is_not_changed_and_the_painted_one_is_shown_again(mouse, corrected):
    session = corrected.session
    session.set_view(hidden=frozenset({"HEP", "LYM"}))
    hand_of(corrected).set_brush(1)
    hand_of(corrected).choose_class("LYM")
    assert session.view.hidden == {"HEP"}
    mouse.drag((10.5, 1.5), (10.5, 7.5))
    # Columns 1 to 3 are liver, which is hidden; stroma and tumor follow.
    assert changed_tiles(corrected) == {(10, col) for col in range(4, 8)}


def test_who_paints_sees_the_tissue_map(mouse, corrected):
    corrected.session.set_view(kind=MapKind.CONFIDENCE)
    mouse.key(Qt.Key.Key_4)
    assert corrected.session.view.kind is MapKind.TISSUE
    assert hand_of(corrected).tool is Tool.BRUSH
    corrected.session.set_view(kind=MapKind.ENTROPY)
    assert hand_of(corrected).tool is Tool.LOOK


def test_escape_drops_the_stroke_first_and_then_the_tool(mouse, corrected):
    hand_of(corrected).choose_class("LYM")
    mouse.press(2.5, 2.5)
    mouse.key(Qt.Key.Key_Escape)
    assert hand_of(corrected).tool is Tool.BRUSH
    mouse.release(2.5, 2.5)
    assert review_of(corrected).log == []
    assert np.array_equal(map_layer(corrected).data, known_classes())
    mouse.key(Qt.Key.Key_Escape)
    assert hand_of(corrected).tool is Tool.LOOK


def test_a_tap_on_space_looks_and_space_held_moves_the_slide_in_between(mouse, corrected):
    hand = hand_of(corrected)
    hand.choose_class("LYM")
    mouse.hold(Qt.Key.Key_Space)
    assert hand.tool is Tool.LOOK
    mouse.drag((2.5, 2.5), (8.5, 12.5))
    mouse.let(Qt.Key.Key_Space)
    assert hand.tool is Tool.BRUSH
    assert review_of(corrected).log == []
    mouse.key(Qt.Key.Key_Space)
    assert hand.tool is Tool.LOOK


def test_other_mouse_buttons_do_not_paint(mouse, corrected):
    hand_of(corrected).choose_class("LYM")
    right = Qt.MouseButton.RightButton
    mouse.press(2.5, 2.5, right)
    mouse.release(2.5, 2.5, right)
    assert review_of(corrected).log == []


# -- lasso and fill -----------------------------------------------------------------------


def test_a_lasso_takes_the_tiles_whose_centers_it_encloses(mouse, corrected):
    mouse.key(Qt.Key.Key_4)
    mouse.key(Qt.Key.Key_L)
    assert hand_of(corrected).tool is Tool.LASSO
    mouse.press(0.2, 1.2)
    for position in ((0.2, 3.8), (2.8, 3.8), (2.8, 1.2)):
        mouse.move(*position)
    inside = {(row, col) for row in (0, 1, 2) for col in (1, 2, 3)}
    assert {tuple(each) for each in np.argwhere(map_layer(corrected).data == LYM)} == {
        *inside,
        (5, 6),
    }
    mouse.release(2.8, 1.2)
    assert changed_tiles(corrected) == inside
    assert len(review_of(corrected).log) == 1


def test_a_lasso_without_an_area_changes_nothing(mouse, corrected):
    hand_of(corrected).choose_class("LYM")
    hand_of(corrected).take(Tool.LASSO)
    mouse.drag((2.5, 2.5), (9.5, 9.5))
    mouse.click(3.5, 3.5)
    assert review_of(corrected).log == []


def test_a_fill_takes_the_patch_and_one_undo_brings_it_back(mouse, corrected):
    mouse.key(Qt.Key.Key_6)
    mouse.key(Qt.Key.Key_F)
    mouse.click(12.5, 12.5)
    tumor = {tuple(each) for each in np.argwhere(known_classes() == TUM)}
    assert changed_tiles(corrected) == tumor
    mouse.key(Qt.Key.Key_Z)
    assert changed_tiles(corrected) == set()
    assert np.array_equal(map_layer(corrected).data, known_classes())


def test_a_fill_within_some_tiles_follows_its_box(mouse, corrected):
    hand, box = hand_of(corrected), corrected.correct.tool_box
    hand.choose_class("LYM")
    hand.take(Tool.FILL)
    box.reach.setCurrentIndex(2)
    box.radius.setValue(2)
    assert box.radius.isVisible()
    mouse.click(12.5, 10.5)
    assert changed_tiles(corrected) == {
        (row, col)
        for row, col in map(tuple, np.argwhere(known_classes() == TUM).tolist())
        if (row - 12) ** 2 + (col - 10) ** 2 <= 4
    }


def test_a_fill_on_glass_does_nothing(mouse, corrected):
    hand_of(corrected).choose_class("LYM")
    hand_of(corrected).take(Tool.FILL)
    mouse.click(5.5, 22.5)
    assert review_of(corrected).log == []


# -- accepting, setting aside, restoring --------------------------------------------------


def test_tiles_are_accepted_set_aside_and_restored_with_the_same_tools(mouse, corrected):
    hand, review = hand_of(corrected), review_of(corrected)
    hand.set_brush(1)
    mouse.key(Qt.Key.Key_A)
    mouse.click(12.5, 12.5)
    assert review.tissue_map.state[12, 12] == TileState.ACCEPTED
    assert review.tissue_map.classes[12, 12] == TUM
    mouse.key(Qt.Key.Key_0)
    mouse.click(12.5, 13.5)
    assert review.tissue_map.state[12, 13] == TileState.SET_ASIDE
    assert map_layer(corrected).data[12, 13] == 0
    mouse.key(Qt.Key.Key_R)
    mouse.drag((12.5, 12.5), (12.5, 13.5))
    assert review.tissue_map.state[12, 12:14].tolist() == [TileState.CLASSIFIED] * 2
    assert changed_tiles(corrected) == set()
    actions = [entry.action for entry in review.log]
    assert actions == [Action.ACCEPT, Action.SET_ASIDE, Action.RESTORE]


def test_what_is_in_view_is_accepted_and_corrections_stay_corrections(mouse, corrected, qtbot):
    hand, review = hand_of(corrected), review_of(corrected)
    hand.set_brush(1)
    hand.choose_class("LYM")
    mouse.click(10.5, 11.5)
    mouse.look_at(rows=(8, 14), cols=(8, 16))
    click(qtbot, corrected.correct.tool_box.accept_view_button)
    low, high = mouse.seen()
    in_view = {
        (row, col)
        for row, col in np.argwhere(known_classes() > 0).tolist()
        if low[0] <= row + 0.5 <= high[0] and low[1] <= col + 0.5 <= high[1]
    }
    accepted = review.tissue_map.state == TileState.ACCEPTED
    assert set(map(tuple, np.argwhere(accepted).tolist())) == in_view - {(10, 11)}
    assert review.tissue_map.state[10, 11] == TileState.EDITED


def test_a_map_that_is_all_in_view_is_accepted_to_its_last_tile(mouse, corrected):
    mouse.look_at(rows=(-1, 21), cols=(-1, 25))
    mouse.key(Qt.Key.Key_A, Qt.KeyboardModifier.ShiftModifier)
    accepted = review_of(corrected).tissue_map.state == TileState.ACCEPTED
    assert np.array_equal(accepted, known_classes() > 0)
    assert hand_of(corrected).tool is Tool.LOOK


def test_nothing_is_accepted_where_the_map_is_out_of_view(mouse, corrected):
    mouse.look_at(rows=(40, 44), cols=(40, 44))
    mouse.key(Qt.Key.Key_A, Qt.KeyboardModifier.ShiftModifier)
    mouse.look_at(rows=(-44, -40), cols=(-44, -40))
    mouse.key(Qt.Key.Key_A, Qt.KeyboardModifier.ShiftModifier)
    assert review_of(corrected).log == []


# -- when nothing can be corrected --------------------------------------------------------


def test_without_a_slide_or_an_analysis_the_tools_say_what_is_missing(panel):
    tab = panel.correct
    assert tab.reason.text() == NO_REVIEW
    assert not tab.tool_box.isEnabled()
    tab.hand.take(Tool.BRUSH)
    assert tab.hand.tool is Tool.LOOK
    panel._viewer.layers.clear()
    QApplication.processEvents()
    assert tab.reason.text() == NO_SLIDE


def test_nothing_is_corrected_while_the_slide_is_being_analyzed(mouse, corrected):
    hand, session = hand_of(corrected), corrected.session
    hand.choose_class("LYM")
    mouse.press(2.5, 2.5)
    run = session.begin_run(session.current.id, 0.0)
    assert hand.tool is Tool.LOOK
    assert corrected.correct.reason.text() == RUNNING
    assert not corrected.correct.tool_box.isEnabled()
    mouse.release(2.5, 2.5)
    assert review_of(corrected).log == []
    session.end_run(run)
    assert corrected.correct.tool_box.isEnabled()
    assert not corrected.correct.reason.isVisible()


def test_the_tool_is_put_down_when_another_slide_comes(mouse, corrected, slide_without_mpp):
    hand_of(corrected).choose_class("LYM")
    corrected.open_slide(str(slide_without_mpp))
    assert hand_of(corrected).tool is Tool.LOOK
    assert camera_of(corrected._viewer).mouse_pan


def test_letting_go_leaves_the_viewer_as_it_was(mouse, corrected):
    viewer = corrected._viewer
    drags, doubles = list(viewer.mouse_drag_callbacks), list(viewer.mouse_double_click_callbacks)
    hand_of(corrected).choose_class("LYM")
    assert len(viewer.mouse_drag_callbacks) == len(drags) + 1
    corrected.correct.hand.let_go()
    assert list(viewer.mouse_drag_callbacks) == drags
    assert list(viewer.mouse_double_click_callbacks) == doubles
    assert camera_of(viewer).mouse_pan
    assert str(viewer.cursor.style) == "standard"


def test_keys_are_free_while_the_tab_is_hidden_and_no_tool_is_in_hand(mouse, corrected):
    in_front(corrected, corrected.risk)
    mouse.key(Qt.Key.Key_7)
    assert hand_of(corrected).tool is Tool.LOOK
    in_front(corrected, corrected.correct)
    mouse.key(Qt.Key.Key_7)
    in_front(corrected, corrected.risk)
    mouse.key(Qt.Key.Key_4)
    assert hand_of(corrected).deed.class_name == "LYM"
    mouse.click(1.5, 2.5)
    assert len(review_of(corrected).log) == 1


def test_who_takes_the_brush_gets_a_map_back_that_was_removed_by_hand(mouse, corrected):
    """The brush was in the hand, and nothing happened on the canvas."""
    corrected._viewer.layers.remove(map_layer(corrected))
    hand_of(corrected).set_brush(1)
    mouse.key(Qt.Key.Key_7)
    mouse.click(1.5, 2.5)
    assert changed_tiles(corrected) == {(1, 2)}
    assert map_layer(corrected).data[1, 2] == TUM
