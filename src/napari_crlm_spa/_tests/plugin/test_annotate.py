"""Drawing areas in a real viewer: mouse and keys go through Qt to the canvas."""

import numpy as np
import pytest
import shapely
from napari.utils.colormaps.standardize_color import transform_color
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication
from shapely.geometry import box

from napari_crlm_spa._tests.plugin.annotated import (  # noqa: F401 - fixtures
    analyzed_fixture,
    classes_in,
    desk_of,
    draw_box,
    mouse_fixture,
    panel_fixture,
    table_of,
)
from napari_crlm_spa._tests.plugin.conftest import SLIDE_MPP, STRIDE_UM
from napari_crlm_spa._tests.plugin.correcting import click, in_front
from napari_crlm_spa.core.classes import CRLM7, PALETTES
from napari_crlm_spa.plugin.annotating.drawing import (
    CORNERS,
    KIND,
    LASSO,
    LOOK,
    POLYGON,
    RECTANGLE,
    SELECT,
)
from napari_crlm_spa.plugin.layers import kind_of
from napari_crlm_spa.plugin.tools.hand import Tool
from napari_crlm_spa.plugin.viewer_look import camera_of

OTHER_PALETTE = list(PALETTES)[-1]
TILE_PX = STRIDE_UM / SLIDE_MPP


def annotation_layers(panel):
    return [each for each in panel._viewer.layers if kind_of(each.metadata) == KIND]


# -- the layer ----------------------------------------------------------------------------


def test_start_drawing_adds_one_layer_in_the_slides_frame_and_takes_the_lasso(panel, qtbot):
    tab = panel.annotate
    assert tab.draw_box.start_button.isVisible()
    click(qtbot, tab.draw_box.start_button)
    (layer,) = annotation_layers(panel)
    (slide,) = [each for each in panel._viewer.layers if kind_of(each.metadata) == "slide"]
    assert str(layer.mode) == LASSO
    assert tab.draw_box.tools[LASSO].isChecked()
    assert not tab.draw_box.start_button.isVisible()
    assert panel._viewer.layers.selection.active == layer
    # (0, 0) is the slide's corner; the center of its first pixel lies half a pixel inside.
    assert np.allclose(layer.data_to_world((0.5, 0.5)), slide.data_to_world((0, 0)))
    assert [str(unit) for unit in layer.units] == [str(unit) for unit in slide.units]
    desk_of(panel).start()
    assert len(annotation_layers(panel)) == 1


def test_an_area_has_the_chosen_class_its_color_and_its_size(panel):
    area = draw_box(panel, 100, 50, 200, 100, "STR")
    assert (area.class_name, area.annotator) == ("STR", "reader")
    assert area.polygon_xy0.equals(box(100, 50, 200, 100))
    draw_box(panel, 300, 50, 310, 60, "STR")
    draw_box(panel, 300, 150, 310, 160, "TUM")
    # 5,000 + 100 pixels of 16 um2.
    assert table_of(panel) == [("Stroma", "2", "0.082"), ("Tumor", "1", "0.002")]
    (layer,) = annotation_layers(panel)
    colors = [CRLM7["STR"].color, CRLM7["STR"].color, CRLM7["TUM"].color]
    assert np.allclose(layer.edge_color, transform_color(colors), atol=1e-6)


def test_another_palette_colors_areas_and_buttons_anew(panel):
    draw_box(panel, 100, 50, 200, 100, "STR")
    panel.session.set_view(palette=OTHER_PALETTE)
    (layer,) = annotation_layers(panel)
    wanted = CRLM7.in_palette(OTHER_PALETTE)["STR"].color
    assert wanted != CRLM7["STR"].color
    assert np.allclose(layer.edge_color, transform_color([wanted]), atol=1e-6)
    assert wanted in panel.annotate.draw_box.classes["STR"].styleSheet()


def test_without_a_slide_nothing_can_be_drawn_and_the_tab_says_so(panel):
    panel._viewer.layers.clear()
    QApplication.processEvents()
    assert not panel.annotate.draw_box.isEnabled()
    assert "Open a slide" in panel.annotate.reason.text()
    assert not panel.annotate.keys.bound
    assert desk_of(panel).start() is None


def test_a_line_encloses_nothing_and_the_tab_says_so(panel):
    drawing = desk_of(panel).start()
    drawing.layer.add(np.array([(0, 0), (10, 10)], float), shape_type="line")
    drawing.take()
    desk_of(panel).changed.emit()
    assert drawing.areas == ()
    assert "enclose nothing" in panel.annotate.draw_box.line.text()


def test_an_ellipse_becomes_an_area_of_its_size(panel):
    drawing = desk_of(panel).start()
    corners = np.array([(0, 0), (0, 200), (100, 200), (100, 0)], float)
    drawing.layer.add(corners, shape_type="ellipse")
    drawing.take()
    (area,) = drawing.areas
    assert area.polygon_xy0.area == pytest.approx(np.pi * 100 * 50, rel=2e-3)
    assert area.polygon_xy0.bounds == pytest.approx((0, 0, 200, 100), abs=1e-6)


def test_a_lasso_that_crosses_itself_keeps_what_it_encloses(panel):
    drawing = desk_of(panel).start()
    bow_tie = np.array([(0, 0), (20, 20), (0, 20), (20, 0)], float)
    drawing.layer.add(bow_tie, shape_type="polygon")
    drawing.take()
    (area,) = drawing.areas
    assert area.polygon_xy0.is_valid
    assert area.polygon_xy0.area == pytest.approx(200)


# -- the mouse ----------------------------------------------------------------------------


def drawn_tiles(panel):
    """The last area, in tiles."""
    desk_of(panel).drawing.take()
    polygon = desk_of(panel).areas[-1].polygon_xy0
    return shapely.transform(polygon, lambda xy: xy / TILE_PX)


def test_a_box_is_pulled_up_where_the_mouse_was(mouse, analyzed):
    mouse.look_at((0, 20), (0, 22))
    desk_of(analyzed).take_tool(RECTANGLE)
    mouse.drag((4, 5), (8, 10), (16, 15))
    found = drawn_tiles(analyzed)
    assert found.symmetric_difference(box(5, 4, 15, 16)).area < 3


def test_a_class_chosen_between_two_boxes_colors_the_second(mouse, analyzed):
    mouse.look_at((0, 20), (0, 22))
    desk = desk_of(analyzed)
    desk.take_tool(RECTANGLE)
    for name, row in (("STR", 2), ("TUM", 11)):
        desk.choose_class(name)
        mouse.drag((row, 5), (row + 3, 10), (row + 6, 15))
        desk.drawing.take()
    (layer,) = annotation_layers(analyzed)
    assert [area.class_name for area in desk.areas] == ["STR", "TUM"]
    colors = [CRLM7["STR"].color, CRLM7["TUM"].color]
    assert np.allclose(layer.edge_color, transform_color(colors), atol=1e-6)


def test_a_lasso_encloses_what_the_mouse_went_around(mouse, analyzed):
    mouse.look_at((0, 20), (0, 22))
    desk_of(analyzed).take_tool(LASSO)
    way = [(4, x) for x in range(5, 15)] + [(y, 15) for y in range(4, 16)]
    way += [(16, x) for x in range(15, 5, -1)] + [(y, 5) for y in range(16, 4, -1)]
    mouse.drag(*way)
    found = drawn_tiles(analyzed)
    assert found.symmetric_difference(box(5, 4, 15, 16)).area < 3
    assert len(desk_of(analyzed).areas) == 1


def test_a_polygon_counts_when_it_is_finished_not_before(mouse, analyzed):
    mouse.look_at((0, 20), (0, 22))
    desk_of(analyzed).take_tool(POLYGON)
    for corner in ((4, 5), (4, 15), (16, 15)):
        mouse.click(*corner)
    desk_of(analyzed).drawing.take()
    assert desk_of(analyzed).areas == ()
    mouse.key(Qt.Key.Key_Escape)
    assert drawn_tiles(analyzed).area == pytest.approx(60, rel=0.05)
    assert desk_of(analyzed).drawing.can_undo


def test_the_view_moves_again_when_look_is_chosen(mouse, analyzed, qtbot):
    mouse.look_at((0, 20), (0, 22))
    desk_of(analyzed).take_tool(LASSO)
    click(qtbot, analyzed.annotate.draw_box.tools[LOOK])
    before = tuple(camera_of(analyzed._viewer).center)
    mouse.drag((4, 5), (8, 10))
    assert tuple(camera_of(analyzed._viewer).center) != before
    assert desk_of(analyzed).areas == ()


# -- classes, selecting, undo -------------------------------------------------------------


def test_each_digit_names_a_class_in_the_order_of_the_scheme(mouse, analyzed):
    desk_of(analyzed).start()
    for digit, name in enumerate(CRLM7.names, start=1):
        mouse.key(getattr(Qt.Key, f"Key_{digit}"))
        assert desk_of(analyzed).drawing.class_name == name
        assert analyzed.annotate.draw_box.classes[name].isChecked()
    # Digits correct no tile here.
    assert analyzed.correct.hand.tool is Tool.LOOK


def test_letters_take_the_tools(mouse, analyzed):
    desk_of(analyzed).start()
    for key, mode in (
        ("L", LASSO),
        ("G", POLYGON),
        ("R", RECTANGLE),
        ("S", SELECT),
        ("C", CORNERS),
    ):
        mouse.key(getattr(Qt.Key, f"Key_{key}"))
        assert desk_of(analyzed).tool == mode
        assert analyzed.annotate.draw_box.tools[mode].isChecked()


def test_the_keys_belong_to_the_tab_in_front(mouse, analyzed):
    desk_of(analyzed).start()
    for _ in range(2):
        in_front(analyzed, analyzed.correct)
        QApplication.processEvents()
        mouse.key(Qt.Key.Key_4)
        assert analyzed.correct.hand.deed.class_name == "LYM"
        assert desk_of(analyzed).drawing.class_name != "LYM"
        analyzed.correct.hand.take(Tool.LOOK)
        in_front(analyzed, analyzed.annotate)
        QApplication.processEvents()
        mouse.key(Qt.Key.Key_6)
        assert desk_of(analyzed).drawing.class_name == "STR"
        assert analyzed.correct.hand.deed.class_name == "LYM"
        assert analyzed.correct.hand.tool is Tool.LOOK


def test_keys_that_were_given_back_do_nothing_more(mouse, analyzed):
    desk_of(analyzed).start()
    in_front(analyzed, analyzed.correct)
    in_front(analyzed, analyzed.annotate)
    in_front(analyzed, analyzed.risk)
    QApplication.processEvents()
    assert not analyzed.annotate.keys.bound
    before = desk_of(analyzed).drawing.class_name
    for digit in range(1, 8):
        mouse.key(getattr(Qt.Key, f"Key_{digit}"))
    assert desk_of(analyzed).drawing.class_name == before
    assert analyzed.correct.hand.deed.class_name == "TUM"
    assert analyzed.correct.hand.tool is Tool.LOOK


def test_another_tab_puts_the_tool_down_and_a_tool_puts_the_brush_down(analyzed):
    desk_of(analyzed).take_tool(LASSO)
    in_front(analyzed, analyzed.correct)
    assert desk_of(analyzed).tool == LOOK
    analyzed.correct.hand.take(Tool.BRUSH)
    in_front(analyzed, analyzed.annotate)
    desk_of(analyzed).take_tool(LASSO)
    assert analyzed.correct.hand.tool is Tool.LOOK
    assert desk_of(analyzed).tool == LASSO


def test_choosing_another_layer_puts_the_tool_down(analyzed):
    desk_of(analyzed).take_tool(LASSO)
    (tissue_map,) = [e for e in analyzed._viewer.layers if kind_of(e.metadata) == "tissue_map"]
    analyzed._viewer.layers.selection.active = tissue_map
    assert desk_of(analyzed).tool == LOOK
    assert analyzed.annotate.draw_box.tools[LOOK].isChecked()


def test_selected_areas_become_another_class_and_are_deleted(panel, qtbot):
    for x in (0, 100, 200):
        draw_box(panel, x, 0, x + 50, 50, "HEP")
    drawing = desk_of(panel).drawing
    desk_of(panel).take_tool(SELECT)
    drawing.layer.selected_data = {0, 2}
    click(qtbot, panel.annotate.draw_box.classes["MUC"])
    assert [area.class_name for area in drawing.areas] == ["MUC", "HEP", "MUC"]
    assert np.allclose(drawing.layer.edge_color[0], transform_color(CRLM7["MUC"].color), atol=1e-6)
    click(qtbot, panel.annotate.draw_box.delete_button)
    assert [area.class_name for area in drawing.areas] == ["HEP"]
    assert drawing.layer.nshapes == 1


def test_a_class_chosen_while_drawing_leaves_the_last_area_alone(panel):
    desk_of(panel).take_tool(LASSO)
    draw_box(panel, 0, 0, 50, 50, "HEP")
    desk_of(panel).drawing.layer.selected_data = {0}
    desk_of(panel).choose_class("MUC")
    assert [area.class_name for area in desk_of(panel).areas] == ["HEP"]
    assert draw_box(panel, 100, 0, 150, 50).class_name == "MUC"


def test_undo_and_redo_take_every_step_back_and_forth(mouse, analyzed):
    first = draw_box(analyzed, 0, 0, 50, 50, "HEP")
    second = draw_box(analyzed, 100, 0, 150, 50, "TUM")
    drawing = desk_of(analyzed).drawing
    desk_of(analyzed).take_tool(SELECT)
    drawing.layer.selected_data = {0}
    desk_of(analyzed).delete()
    assert drawing.areas == (second,)
    mouse.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert drawing.areas == (first, second)
    assert drawing.layer.nshapes == 2
    mouse.key(Qt.Key.Key_Z)
    assert drawing.areas == (first,)
    mouse.key(Qt.Key.Key_Y)
    assert drawing.areas == (first, second)
    assert list(drawing.layer.features["class"]) == ["HEP", "TUM"]
    for _ in range(5):
        desk_of(analyzed).undo()
    assert drawing.areas == ()
    assert "no step" in analyzed.annotate.message.text


def test_a_copied_area_is_an_area_of_its_own(panel):
    draw_box(panel, 0, 0, 50, 50, "HEP")
    drawing = desk_of(panel).drawing
    features = drawing.layer.features.copy()
    drawing.layer.add(drawing.layer.data[0] + 100, shape_type="polygon")
    twice = drawing.layer.features.copy()
    twice.loc[1, "id"] = features.loc[0, "id"]
    drawing.layer.features = twice
    drawing.take()
    one, other = drawing.areas
    assert one.id != other.id
    assert other.polygon_xy0.equals(box(100, 100, 150, 150))


def test_maps_stay_below_the_areas(panel, tmp_path):
    from napari_crlm_spa._tests.plugin.conftest import make_analysis

    draw_box(panel, 0, 0, 50, 50, "HEP")
    panel.session.show_analysis(panel.session.current, make_analysis(tmp_path / "slide"))
    QApplication.processEvents()
    assert kind_of(panel._viewer.layers[-1].metadata) == KIND


def test_a_new_pixel_size_keeps_areas_on_their_pixels(panel):
    draw_box(panel, 100, 50, 200, 100, "STR")
    panel.session.set_pixel_size(panel.session.current.id, 0.5)
    (layer,) = annotation_layers(panel)
    assert tuple(layer.scale) == (0.5, 0.5)
    assert desk_of(panel).areas[0].polygon_xy0.equals(box(100, 50, 200, 100))
    # 5,000 pixels of 0.25 um2.
    assert table_of(panel) == [("Stroma", "1", "0.001")]


def test_the_layer_can_be_removed_and_comes_back_with_its_areas(panel):
    draw_box(panel, 100, 50, 200, 100, "STR")
    panel._viewer.layers.remove(annotation_layers(panel)[0])
    assert desk_of(panel).drawing is None
    assert panel.annotate.draw_box.start_button.isVisible()
    desk_of(panel).start()
    assert [area.class_name for area in desk_of(panel).areas] == ["STR"]
    assert len(annotation_layers(panel)) == 1


def test_saved_by_itself_a_moment_later(panel, qtbot):
    draw_box(panel, 100, 50, 200, 100, "STR")
    path = desk_of(panel)._file.path
    qtbot.waitUntil(path.is_file, timeout=60_000)
    assert classes_in(path) == ["STR"]
