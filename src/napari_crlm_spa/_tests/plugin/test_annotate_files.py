"""Areas in files: kept for each reader, there again when reopened, exchanged with QuPath."""

import json

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication
from shapely.geometry import MultiPolygon, Polygon, box

from napari_crlm_spa._tests.plugin.annotated import (  # noqa: F401 - fixtures
    classes_in,
    desk_of,
    draw_box,
    features_in,
    panel_fixture,
)
from napari_crlm_spa._tests.plugin.conftest import make_analysis, write_slide
from napari_crlm_spa.core.annotations import Area, read_areas, write_areas
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.review.labels import labels_of_analysis
from napari_crlm_spa.core.store.names import ANNOTATIONS_GEOJSON
from napari_crlm_spa.plugin.annotating.drawing import KIND, MANY
from napari_crlm_spa.plugin.annotating.files import results_folder
from napari_crlm_spa.plugin.annotating.outlines import outline_of, polygon_of, slanted
from napari_crlm_spa.plugin.layers import kind_of

DONUT = Polygon(
    [(10.123456789, 20), (400.000000123, 20), (400, 400), (10, 400)],
    [[(50, 50), (100, 50), (100, 100), (50, 100)], [(200, 200), (250, 200), (250, 250)]],
)
ISLANDS = MultiPolygon([DONUT, box(450.5, 300.25, 500.125, 400)])


def path_of(panel):
    return desk_of(panel)._file.path


def reopened(panel):
    """Close the slide and open it again."""
    path = panel.session.current.path
    slide_layers = [e for e in panel._viewer.layers if kind_of(e.metadata) == "slide"]
    for layer in slide_layers:
        panel._viewer.layers.remove(layer)
    QApplication.processEvents()
    assert not [e for e in panel._viewer.layers if kind_of(e.metadata) == KIND]
    panel.open_slide(str(path))
    QApplication.processEvents()
    return desk_of(panel).areas


def import_from(panel, path, qtbot):
    panel.annotate.draw_box.read_from(str(path))
    qtbot.waitUntil(lambda: not panel.annotate.draw_box.job.busy, timeout=20_000)


# -- outlines -----------------------------------------------------------------------------


@pytest.mark.parametrize("polygon", [DONUT, ISLANDS, box(0, 0, 3, 2)], ids=["donut", "two", "box"])
def test_holes_and_islands_survive_as_one_outline(polygon):
    found = polygon_of(outline_of(polygon))
    assert found.is_valid
    assert found.symmetric_difference(polygon).area < 1e-9
    moved = polygon_of(outline_of(polygon) + 7.0)
    assert moved.area == pytest.approx(polygon.area)
    leaning = polygon_of(slanted(outline_of(polygon)))
    assert leaning.symmetric_difference(polygon).area < 1e-3 * polygon.area


def test_too_few_corners_enclose_nothing():
    assert polygon_of(np.array([(0, 0), (1, 1)], float)) is None
    assert polygon_of(np.array([(0, 0), (1, 1), (2, 2)], float)) is None
    assert polygon_of(np.array([(0, 0), (1, 1), (2, 0)], float), "path") is None


# -- one file for each reader -------------------------------------------------------------


def test_a_reopened_slide_has_its_areas_again_exactly(panel):
    desk_of(panel).start()
    desk_of(panel).drawing.add([Area(ISLANDS, "TUM", "Ann", name="left", locked=True)])
    before = desk_of(panel).areas
    assert reopened(panel) == before
    assert desk_of(panel).areas[0].polygon_xy0.equals_exact(ISLANDS, 0)


def test_a_slide_without_areas_gets_no_layer_and_no_file(panel):
    assert reopened(panel) == ()
    assert desk_of(panel).drawing is None
    desk_of(panel).start()
    desk_of(panel).flush()
    assert not path_of(panel).exists()


def test_each_reader_sees_own_areas_only(panel):
    panel.session.set_reader("Ann")
    draw_box(panel, 0, 0, 50, 50, "HEP")
    first = path_of(panel)
    panel.session.set_reader("Ben")
    assert desk_of(panel).areas == ()
    assert draw_box(panel, 0, 0, 60, 60, "TUM").annotator == "Ben"
    panel.session.set_reader("Ann")
    assert [(a.class_name, a.annotator) for a in desk_of(panel).areas] == [("HEP", "Ann")]
    assert path_of(panel) == first
    assert classes_in(first) == ["HEP"]


def test_areas_drawn_before_the_analysis_move_to_its_folder(panel, tmp_path):
    area = draw_box(panel, 0, 0, 50, 50, "HEP")
    desk_of(panel).flush()
    early = path_of(panel)
    assert early.is_relative_to(results_folder())
    analysis = make_analysis(tmp_path / "results" / "slide")
    panel.session.show_analysis(panel.session.current, analysis)
    desk_of(panel).flush()
    assert path_of(panel) == analysis.folder / "readers" / "reader" / ANNOTATIONS_GEOJSON
    assert classes_in(path_of(panel)) == ["HEP"]
    assert not early.exists()
    assert not early.parents[2].exists()
    assert desk_of(panel).areas == (area,)
    # Where the command line looks for labels.
    found = labels_of_analysis(analysis, panel.session.current.info)
    assert [each.class_name for each in found.areas.areas] == ["HEP"]


def test_areas_of_the_analysis_join_what_was_drawn_before_it_was_there(panel, tmp_path):
    info = panel.session.current.info
    analysis = make_analysis(tmp_path / "results" / "slide")
    place = analysis.folder / "readers" / "reader" / ANNOTATIONS_GEOJSON
    write_areas(place, [Area(box(5, 5, 9, 9), "MUC")], info, CRLM7)
    draw_box(panel, 0, 0, 50, 50, "HEP")
    panel.session.show_analysis(panel.session.current, analysis)
    desk_of(panel).flush()
    assert classes_in(place) == ["HEP", "MUC"]


def test_two_slides_of_one_name_never_share_a_file(panel, tmp_path):
    draw_box(panel, 0, 0, 50, 50, "HEP")
    first = path_of(panel)
    (tmp_path / "other").mkdir()
    other = write_slide(tmp_path / "other" / "slide.tif", 2.0)
    panel.open_slide(str(other))
    QApplication.processEvents()
    assert desk_of(panel).areas == ()
    draw_box(panel, 0, 0, 50, 50, "TUM")
    desk_of(panel).flush()
    assert path_of(panel) != first
    assert classes_in(first) == ["HEP"]
    assert classes_in(path_of(panel)) == ["TUM"]


def test_a_damaged_file_is_kept_when_something_new_is_drawn(panel):
    draw_box(panel, 0, 0, 50, 50, "HEP")
    desk_of(panel).flush()
    path = path_of(panel)
    path.write_text("{ half a file")
    desk_of(panel)._file = None  # nothing is saved over it while the slide is closed
    reopened(panel)
    assert "kept under another name" in panel.annotate.message.text
    draw_box(panel, 0, 0, 60, 60, "TUM")
    desk_of(panel).flush()
    assert classes_in(path) == ["TUM"]
    (kept,) = path.parent.glob("annotations-other-*.geojson")
    assert kept.read_text() == "{ half a file"


def test_what_another_window_wrote_meanwhile_is_kept(panel):
    draw_box(panel, 0, 0, 50, 50, "HEP")
    desk_of(panel).flush()
    path, info = path_of(panel), panel.session.current.info
    write_areas(path, [Area(box(5, 5, 9, 9), "MUC"), Area(box(1, 1, 2, 2), "MUC")], info, CRLM7)
    draw_box(panel, 0, 0, 60, 60, "TUM")
    desk_of(panel).flush()
    assert classes_in(path) == ["HEP", "TUM"]
    (kept,) = path.parent.glob("annotations-other-*.geojson")
    assert classes_in(kept) == ["MUC", "MUC"]
    assert kept.name in panel.annotate.message.text


def test_a_place_that_cannot_be_written_is_told_and_the_areas_stay(panel, tmp_path):
    blocker = results_folder()
    blocker.parent.mkdir(parents=True, exist_ok=True)
    blocker.write_text("a file where a folder should be")
    draw_box(panel, 0, 0, 50, 50, "HEP")
    desk_of(panel).flush()
    assert "not saved" in panel.annotate.message.text
    assert len(desk_of(panel).areas) == 1
    blocker.unlink()
    desk_of(panel).flush()
    assert classes_in(path_of(panel)) == ["HEP"]


# -- QuPath -------------------------------------------------------------------------------


def test_the_way_through_the_viewer_moves_no_corner(panel, tmp_path, qtbot):
    info = panel.session.current.info
    given = [
        Area(ISLANDS, "TUM", "Ann", "2026-01-01T00:00:00+00:00", name="left", locked=True),
        Area(DONUT, "Immune cells", properties={"classification": {"name": "Immune cells"}}),
        Area(box(0.1, 0.2, 33.3333333333, 44.4444444444), "HEP"),
    ]
    write_areas(tmp_path / "in.geojson", given, info, CRLM7)
    import_from(panel, tmp_path / "in.geojson", qtbot)
    draw_box(panel, 0, 0, 50, 50, "STR")
    panel.annotate.draw_box.save_to(str(tmp_path / "out"))
    back = read_areas(tmp_path / "out.geojson", info, CRLM7).areas
    assert [area.class_name for area in back] == ["TUM", "Immune cells", "HEP", "STR"]
    for before, after in zip(given, back, strict=False):
        assert after.polygon_xy0.equals_exact(before.polygon_xy0, 1e-6)
        assert (after.id, after.name, after.locked) == (before.id, before.name, before.locked)
    assert "Immune cells" in panel.annotate.message.text or "4 areas" in panel.annotate.message.text


def test_measurements_of_a_file_survive_and_a_class_that_is_given_wins(panel, tmp_path, qtbot):
    info = panel.session.current.info
    area = Area(box(0, 0, 9, 9), "Immune cells", properties={"measurements": {"cells": 7}})
    write_areas(tmp_path / "in.geojson.gz", [area], info, CRLM7)
    import_from(panel, tmp_path / "in.geojson.gz", qtbot)
    desk_of(panel).take_tool("select")
    desk_of(panel).drawing.layer.selected_data = {0}
    desk_of(panel).choose_class("LYM")
    desk_of(panel).flush()
    (found,) = features_in(path_of(panel))
    assert found["properties"]["classification"]["name"] == "LYM"
    assert found["properties"]["classification"]["color"] == list(CRLM7["LYM"].rgb)
    assert found["properties"]["measurements"]["cells"] == 7


def test_importing_twice_doubles_nothing_and_is_one_step(panel, tmp_path, qtbot):
    info = panel.session.current.info
    write_areas(tmp_path / "in.geojson", [Area(DONUT, "TUM"), Area(ISLANDS, "HEP")], info, CRLM7)
    draw_box(panel, 0, 0, 50, 50, "STR")
    for _ in range(2):
        import_from(panel, tmp_path / "in.geojson", qtbot)
    assert [area.class_name for area in desk_of(panel).areas] == ["STR", "TUM", "HEP"]
    assert "2 of them were here already" in panel.annotate.message.text
    desk_of(panel).undo()
    desk_of(panel).undo()
    assert [area.class_name for area in desk_of(panel).areas] == ["STR"]


def test_a_file_that_is_no_geojson_is_told(panel, tmp_path, qtbot):
    (tmp_path / "in.geojson").write_text("hello")
    import_from(panel, tmp_path / "in.geojson", qtbot)
    assert "in.geojson" in panel.annotate.message.text
    assert desk_of(panel).areas == ()


def test_no_file_chosen_does_nothing(panel):
    panel.annotate.draw_box.read_from("")
    panel.annotate.draw_box.save_to("")
    assert not panel.annotate.draw_box.job.busy
    assert desk_of(panel).drawing is None


def test_many_areas_are_shown_and_the_slowness_is_told(panel, tmp_path, qtbot):
    info = panel.session.current.info
    count = MANY + 1
    areas = [Area(box(i, i % 7, i + 2, i % 7 + 2), "TUM") for i in range(count)]
    write_areas(tmp_path / "in.geojson", areas, info, CRLM7)
    import_from(panel, tmp_path / "in.geojson", qtbot)
    assert len(desk_of(panel).areas) == count
    assert "slowly" in panel.annotate.message.text
    desk_of(panel).flush()
    assert len(json.loads(path_of(panel).read_text())["features"]) == count
