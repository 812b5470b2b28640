"""The layers of the map: few, refreshed in place, where they belong, gone when they should be."""

import shutil

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils.key_bindings import KeymapHandler
from qtpy.QtCore import QObject

from napari_crlm_spa._tests.plugin.conftest import STRIDE_UM, make_analysis
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.quality import QualityMark, QualityOptions, TileQuality
from napari_crlm_spa.plugin.effects_keeper import EffectsKeeper
from napari_crlm_spa.plugin.layers import kind_of
from napari_crlm_spa.plugin.map_view import MapKind
from napari_crlm_spa.plugin.session import Session, TileAt
from napari_crlm_spa.plugin.viewer_link import ViewerLink, open_slide_in
from napari_crlm_spa.plugin.viewer_look import camera_of, canvas_size, warm_up_colors

TISSUE, ZONES, ENTROPY = MapKind.TISSUE, MapKind.ZONES, MapKind.ENTROPY


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def session():
    return Session()


@pytest.fixture
def link(qtbot, viewer, session):
    parent = QObject()
    made = ViewerLink(viewer, session, parent)
    yield made
    made.detach()
    parent.deleteLater()


@pytest.fixture
def slide(link, viewer, session, slide_path, tmp_path):
    """An analyzed slide under review, in a viewer."""
    open_slide_in(viewer, slide_path)
    session.show_analysis(session.current, make_analysis(tmp_path))
    return session.current


def layer_of(viewer, kind):
    (layer,) = [each for each in viewer.layers if kind_of(each.metadata) == kind]
    return layer


def kinds(viewer, *, visible=False):
    shown = [each for each in viewer.layers if each.visible or not visible]
    return [kind_of(each.metadata) for each in shown]


# -- which layers there are ---------------------------------------------------------------


def test_an_analysis_adds_two_layers_and_selects_the_map(slide, viewer):
    assert kinds(viewer) == ["slide", "tissue_map", "tumor_region"]
    assert viewer.layers.selection.active is layer_of(viewer, "tissue_map")


def test_every_map_in_turn_needs_one_more_layer_and_no_other(slide, viewer, session):
    for kind in MapKind:
        session.set_view(kind=kind)
    session.set_view(kind=TISSUE)
    assert kinds(viewer) == ["slide", "tissue_map", "heat_map", "tumor_region"]


def test_only_the_chosen_map_is_visible_and_named_so(slide, viewer, session):
    session.set_view(kind=ENTROPY)
    assert kinds(viewer, visible=True) == ["slide", "heat_map", "tumor_region"]
    assert layer_of(viewer, "heat_map").name == "Entropy · slide"
    session.set_view(kind=MapKind.DISTANCE)
    heat = layer_of(viewer, "heat_map")
    assert heat.name == "Distance to tumor, mm · slide"
    assert tuple(heat.contrast_limits) == (0, 5)
    assert heat.colormap.name == "distance, mm"
    session.set_view(kind=ZONES, tissue="STR")
    assert kinds(viewer, visible=True) == ["slide", "tissue_map", "tumor_region"]
    zones = layer_of(viewer, "tissue_map")
    assert zones.name == "Stroma, zones · slide"
    assert np.array_equal(zones.data, slide.features.zone_masks()["STR"])
    row, col = np.argwhere(zones.data == 1)[0]
    status = zones.get_status(zones.data_to_world((row, col)), world=True)
    assert "zone: infiltrating" in status["coordinates"]


def test_a_map_that_is_not_there_hides_the_one_before(slide, viewer, session):
    session.set_view(kind=ZONES, tissue="MUC")
    assert kinds(viewer, visible=True) == ["slide", "tumor_region"]
    session.set_view(tissue="HEP")
    assert "tissue_map" in kinds(viewer, visible=True)


def test_heat_maps_have_a_color_bar_where_napari_has_one(slide, viewer, session):
    session.set_view(kind=ENTROPY)
    heat = layer_of(viewer, "heat_map")
    assert not hasattr(heat, "colorbar") or heat.colorbar.visible


def test_no_map_can_be_painted_on_by_accident(slide, viewer, session):
    session.set_view(min_probability=0.5)
    session.set_view(kind=ZONES)
    session.set_view(kind=TISSUE)
    assert not layer_of(viewer, "tissue_map").editable


def test_a_map_goes_below_what_was_drawn_by_hand(slide, viewer, session):
    drawn = viewer.add_shapes(name="mine")
    session.set_view(kind=ENTROPY)
    assert viewer.layers[-1] is drawn
    assert viewer.layers.selection.active is drawn, "a tool that is at work stays so"
    session.fly_to_tiles(slide, 3, 3)
    assert viewer.layers.selection.active is drawn


def test_the_shown_map_is_selected_if_a_map_was(slide, viewer, session):
    session.set_view(kind=ENTROPY)
    assert viewer.layers.selection.active is layer_of(viewer, "heat_map")
    session.set_view(kind=TISSUE)
    assert viewer.layers.selection.active is layer_of(viewer, "tissue_map")


# -- hiding, palette, opacity, threshold --------------------------------------------------


def color_at(layer, row, col):
    rgba = np.ravel(layer.colormap.map(layer.data[row, col]))
    return tuple(np.round(255 * rgba[:3]).astype(int).tolist()) if rgba[3] else None


def test_a_hidden_class_is_clear_and_comes_back(slide, viewer, session):
    layer = layer_of(viewer, "tissue_map")
    session.set_view(hidden=frozenset({"HEP"}))
    assert color_at(layer, 0, 0) is None
    assert color_at(layer, 13, 12) == CRLM7["TUM"].rgb
    session.set_view(hidden=frozenset())
    assert color_at(layer, 0, 0) == CRLM7["HEP"].rgb


def test_the_palette_changes_colors_at_once(slide, viewer, session):
    session.set_view(palette="color-blind safe")
    layer = layer_of(viewer, "tissue_map")
    assert color_at(layer, 13, 12) == CRLM7.in_palette("color-blind safe")["TUM"].rgb


def test_doubtful_tiles_turn_gray_and_back(slide, viewer, session):
    slide.tissue_map.probabilities[0, 0] = 1 / 7
    layer = layer_of(viewer, "tissue_map")
    session.set_view(min_probability=0.5)
    gray = color_at(layer, 0, 0)
    assert len(set(gray)) == 1
    assert color_at(layer, 0, 1) == CRLM7["HEP"].rgb
    session.set_view(min_probability=0.0)
    assert color_at(layer, 0, 0) == CRLM7["HEP"].rgb
    assert slide.tissue_map.counts()["HEP"] == np.count_nonzero(slide.tissue_map.mask("HEP"))


def test_opacity_is_one_number_for_the_slider_here_and_in_napari(slide, viewer, session):
    session.set_view(opacity=0.3)
    layer = layer_of(viewer, "tissue_map")
    assert layer.opacity == pytest.approx(0.3)
    layer.opacity = 0.8
    assert session.view.opacity == pytest.approx(0.8)
    session.set_view(kind=ENTROPY)
    heat = layer_of(viewer, "heat_map")
    assert heat.opacity == pytest.approx(session.view.heat_opacity)
    heat.opacity = 0.4
    assert session.view.heat_opacity == pytest.approx(0.4)
    assert layer.opacity == pytest.approx(0.8)


def test_the_outline_can_be_put_away(slide, viewer, session):
    session.set_view(outline=False)
    assert not layer_of(viewer, "tumor_region").visible
    session.set_view(outline=True)
    assert layer_of(viewer, "tumor_region").visible


# -- following corrections ----------------------------------------------------------------


def test_a_correction_is_seen_at_once_in_the_map_that_is_shown(slide, viewer, session):
    session.set_view(kind=MapKind.INTERACTION, tissue="LYM")
    heat = layer_of(viewer, "heat_map")
    before = heat.data.copy()
    slide.review.correct([10, 10], [12, 13], "LYM")
    session.tell_review_changed(slide)
    assert not np.array_equal(heat.data, before, equal_nan=True)
    expected = slide.features.interaction_maps()["LYM"]
    assert np.array_equal(heat.data, expected, equal_nan=True)
    session.set_view(kind=TISSUE)
    assert color_at(layer_of(viewer, "tissue_map"), 10, 12) == CRLM7["LYM"].rgb


def test_a_corrected_tile_is_no_longer_unsure(slide, viewer, session):
    slide.tissue_map.probabilities[0, 0] = 1 / 7
    session.set_view(min_probability=0.5)
    slide.review.correct([0], [0], "LYM")
    session.tell_review_changed(slide)
    assert color_at(layer_of(viewer, "tissue_map"), 0, 0) == CRLM7["LYM"].rgb


def test_the_outline_follows_the_tumor(slide, viewer, session):
    outline = layer_of(viewer, "tumor_region")
    before = len(outline.data)
    rows, cols = np.mgrid[3:10, 16:20]
    slide.review.correct(rows.ravel(), cols.ravel(), "TUM")
    session.tell_review_changed(slide)
    assert len(outline.data) != before
    tiles = np.argwhere(slide.features.regions.mask)
    ends = np.concatenate([outline.data[:, 0], outline.data.sum(axis=1)])
    assert ends.max(axis=0).tolist() == (tiles.max(axis=0) + 1).tolist()


def test_quality_marks_appear_when_they_are_measured(slide, viewer, session):
    session.set_view(kind=MapKind.QUALITY)
    assert "tissue_map" not in kinds(viewer, visible=True)
    marks = np.full(slide.tissue_map.shape, QualityMark.PEN, np.uint8)
    nothing = np.zeros(marks.shape, np.float32)
    slide.quality = TileQuality(
        marks, marks > 0, *(nothing,) * 5, options=QualityOptions(), medians={}
    )
    session.quality_changed.emit(slide)
    assert layer_of(viewer, "tissue_map").visible
    assert np.array_equal(layer_of(viewer, "tissue_map").data, marks)


def test_contributions_are_computed_when_their_map_is_chosen(qtbot, link, slide, viewer, session):
    keeper = EffectsKeeper(session, link)
    link.use_effects(keeper)
    assert not keeper.wanted
    session.set_view(kind=MapKind.CONTRIBUTION)
    qtbot.waitUntil(lambda: "heat_map" in kinds(viewer, visible=True), timeout=60_000)
    qtbot.waitUntil(lambda: not keeper.stale(slide), timeout=60_000)
    expected = keeper.effects_of(slide).shown_push(session.risk_model)
    heat = layer_of(viewer, "heat_map")
    assert heat.data == pytest.approx(expected, nan_ok=True, abs=1e-6)
    slide.review.correct([10], [12], "DEB")
    session.tell_review_changed(slide)
    assert np.isnan(heat.data[10, 12])
    qtbot.waitUntil(lambda: np.isfinite(heat.data[10, 12]), timeout=60_000)


# -- removed by hand ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["tissue_map", "tumor_region"])
def test_what_was_removed_by_hand_stays_away_until_a_map_is_chosen(slide, viewer, session, kind):
    viewer.layers.remove(layer_of(viewer, kind))
    session.tell_review_changed(slide)
    session.set_view(opacity=0.2)
    session.set_view(blink=True)
    session.set_view(blink=False)
    assert kind not in kinds(viewer)
    session.set_view(kind=ZONES)
    assert kind in kinds(viewer, visible=True)


def test_choosing_the_same_map_again_brings_it_back(slide, viewer, session):
    viewer.layers.remove(layer_of(viewer, "tissue_map"))
    session.view_changed.emit(session.view)
    assert kinds(viewer, visible=True) == ["slide", "tissue_map", "tumor_region"]


def test_what_a_user_hides_with_the_eye_stays_hidden_through_corrections(slide, viewer, session):
    layer_of(viewer, "tissue_map").visible = False
    slide.review.correct([0], [0], "LYM")
    session.tell_review_changed(slide)
    assert not layer_of(viewer, "tissue_map").visible


# -- keys ---------------------------------------------------------------------------------


class Keyboard:
    """Presses keys as the canvas does: the active layer is asked before the viewer."""

    def __init__(self, viewer):
        self._viewer, self._handler = viewer, KeymapHandler()

    def down(self, key):
        self._handler.keymap_providers = [self._viewer.layers.selection.active, self._viewer]
        self._handler.press_key(key)

    def up(self, key):
        self._handler.release_key(key)

    def tap(self, key):
        self.down(key)
        self.up(key)


def test_a_held_key_shows_the_raw_tissue(slide, viewer, session):
    keyboard = Keyboard(viewer)
    session.fly_to_tiles(slide, 3, 3)
    shown = kinds(viewer, visible=True)
    keyboard.down("B")
    assert kinds(viewer, visible=True) == ["slide"]
    keyboard.up("B")
    assert kinds(viewer, visible=True) == shown


def test_a_correction_under_a_held_key_is_seen_when_it_is_released(slide, viewer, session):
    keyboard = Keyboard(viewer)
    keyboard.down("B")
    session.set_view(kind=ENTROPY)
    assert kinds(viewer, visible=True) == ["slide"]
    keyboard.up("B")
    assert kinds(viewer, visible=True) == ["slide", "heat_map", "tumor_region"]


def test_keys_go_through_the_maps_fade_them_and_toggle_the_outline(slide, viewer, session):
    keyboard = Keyboard(viewer)
    seen = []
    for _ in MapKind:
        seen.append(session.view.kind)
        keyboard.tap("M")
    assert seen == list(MapKind)
    assert session.view.kind is TISSUE
    keyboard.tap("Shift-M")
    assert session.view.kind is list(MapKind)[-1]
    session.set_view(kind=TISSUE)
    keyboard.tap("=")
    assert layer_of(viewer, "tissue_map").opacity == pytest.approx(0.65)
    for _ in range(9):
        keyboard.tap("-")
    assert layer_of(viewer, "tissue_map").opacity == 0
    keyboard.tap("O")
    assert not layer_of(viewer, "tumor_region").visible


def test_after_detaching_nothing_of_ours_listens(slide, viewer, session, link):
    Keyboard(viewer).down("B")
    link.detach()
    assert "tissue_map" in kinds(viewer, visible=True), "no map stays hidden"
    assert not viewer.keymap
    assert not any(layer.keymap for layer in viewer.layers)
    assert not viewer.mouse_move_callbacks
    session.set_view(kind=ENTROPY)
    assert "heat_map" not in kinds(viewer)


# -- pointer ------------------------------------------------------------------------------


def move_to(viewer, row, col):
    """Put the pointer on the middle of a tile, as napari's canvas does."""
    viewer.cursor.position = ((row + 0.5) * STRIDE_UM, (col + 0.5) * STRIDE_UM)
    for callback in viewer.mouse_move_callbacks:
        callback(viewer, None)


def test_the_session_hears_of_the_tile_under_the_pointer_once(qtbot, slide, viewer, session):
    heard = []
    session.hovered.connect(heard.append)
    move_to(viewer, 4, 6)
    move_to(viewer, 4, 6)
    assert heard == [TileAt(slide.id, 4, 6)]


def test_a_fast_pointer_ends_where_it_stops(qtbot, slide, viewer, session):
    heard = []
    session.hovered.connect(heard.append)
    for col in range(12):
        move_to(viewer, 4, col)
    qtbot.waitUntil(lambda: heard[-1] == TileAt(slide.id, 4, 11), timeout=60_000)
    assert len(heard) < 12


def test_beside_the_map_and_off_the_canvas_there_is_no_tile(qtbot, slide, viewer, session):
    heard = []
    viewer.mouse_over_canvas = True
    move_to(viewer, 4, 6)
    session.hovered.connect(heard.append)
    viewer.mouse_over_canvas = False
    assert heard == [None]
    qtbot.wait(50)
    move_to(viewer, 4, 6)
    qtbot.wait(50)
    move_to(viewer, -3, 6)
    assert heard == [None, TileAt(slide.id, 4, 6), None]


# -- flying -------------------------------------------------------------------------------


def test_flying_centers_the_target_with_tiles_around_it(qtbot, slide, viewer, session):
    session.fly_to_tiles(slide, 7, 3, n_rows=2, n_cols=1)
    camera = camera_of(viewer)
    assert camera.center[-2:] == pytest.approx((8 * STRIDE_UM, 3.5 * STRIDE_UM))
    height, width = canvas_size(viewer)
    assert height / camera.zoom >= 18 * STRIDE_UM - 1e-6
    assert width / camera.zoom >= 17 * STRIDE_UM - 1e-6
    frame = layer_of(viewer, "target")
    ends = np.concatenate([frame.data[:, 0], frame.data.sum(axis=1)])
    assert ends.min(axis=0).tolist() == [7, 3]
    assert ends.max(axis=0).tolist() == [9, 4]
    qtbot.wait(50)
    assert camera.center[-2:] == pytest.approx((8 * STRIDE_UM, 3.5 * STRIDE_UM))


def test_one_frame_moves_along(slide, viewer, session):
    session.fly_to_tiles(slide, 7, 3)
    session.fly_to_tiles(slide, 9, 5)
    frame = layer_of(viewer, "target")
    assert frame.data[:, 0].min(axis=0).tolist() == [9, 5]


def test_flying_to_another_slide_shows_it_there(
    qtbot, slide, viewer, session, slide_path, tmp_path
):
    open_slide_in(viewer, shutil.copy(slide_path, tmp_path / "other.tif"))
    other = session.current
    session.fly_to_tiles(slide, 7, 3)
    qtbot.wait(50)
    assert session.current is slide
    assert camera_of(viewer).center[-2:] == pytest.approx((7.5 * STRIDE_UM, 3.5 * STRIDE_UM))
    session.select(other.id)
    assert "target" not in kinds(viewer, visible=True)


def test_the_maps_of_one_slide_only_are_in_the_viewer(slide, viewer, session, slide_path, tmp_path):
    session.set_view(kind=ENTROPY)
    open_slide_in(viewer, shutil.copy(slide_path, tmp_path / "other.tif"))
    assert kinds(viewer, visible=True) == ["slide"]
    assert kinds(viewer) == ["slide", "slide"]
    session.select(slide.id)
    assert kinds(viewer, visible=True) == ["slide", "heat_map", "tumor_region"]


def test_colors_are_prepared_once_while_the_slide_is_looked_at(slide):
    """Else the first map of a session keeps its reader waiting for seconds."""
    thread = warm_up_colors()
    thread.join(60)
    assert not thread.is_alive()
    assert warm_up_colors() is thread
