"""Lines along the growth front: lengths in micrometers, patterns, files."""

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils.colormaps.standardize_color import transform_color
from qtpy.QtCore import QObject

from napari_crlm_spa._tests.plugin.conftest import SLIDE_MPP
from napari_crlm_spa.core.hgp.line_files import PixelFrame, read_line_geojson, write_line_geojson
from napari_crlm_spa.core.hgp.lines import PatternLine, line_shares
from napari_crlm_spa.core.store.names import HGP_LINES_GEOJSON
from napari_crlm_spa.plugin.growth.reading_drawing import (
    FREEHAND,
    KIND,
    LOOK,
    SELECT,
    pattern_color,
)
from napari_crlm_spa.plugin.growth.reading_line_desk import NO_PIXEL_SIZE, NO_READING, LineDesk
from napari_crlm_spa.plugin.layers import kind_of
from napari_crlm_spa.plugin.session import Session
from napari_crlm_spa.plugin.viewer_link import open_slide_in
from napari_crlm_spa.plugin.widgets.growth.reading_form import ReadingForm, tenths
from napari_crlm_spa.plugin.widgets.growth.reading_line_box import LineBox


@pytest.fixture
def opened(qtbot, slide_path, tmp_path):
    """A desk for a reading of a slide of known pixel size, without a window."""
    viewer, session, owner = ViewerModel(), Session(), QObject()
    layer = open_slide_in(viewer, slide_path)
    ours = layer.metadata["napari-crlm-spa"]
    session.add_slide(ours["slide_id"], ours["info"])
    desk = LineDesk(viewer, session, owner)
    desk.open(session.current, tmp_path / "reading", "Anna", "K7QXM")
    yield viewer, session, desk, tmp_path / "reading"
    desk.let_go()


def draw(desk, xy_px, pattern):
    """Draw a line through level-0 pixels, as a tool does."""
    desk.choose(pattern)
    desk.take_tool(FREEHAND)
    desk.drawing.layer.add(np.array(xy_px, float)[:, ::-1], shape_type="path")
    desk.drawing.take()


def test_a_line_is_as_long_in_micrometers_as_it_is_in_pixels_times_their_size(opened):
    _viewer, _session, desk, _folder = opened
    draw(desk, [(10, 20), (110, 20), (110, 70)], "D")  # 150 px
    draw(desk, [(0, 0), (30, 40)], "R2")  # 50 px
    assert desk.lengths_um["D"] == pytest.approx(150 * SLIDE_MPP)
    assert desk.lengths_um["R2"] == pytest.approx(50 * SLIDE_MPP)
    assert line_shares(desk.lines) == {"pct_D": 75, "pct_R": 25, "pct_P": 0, "pct_other": 0}


def test_the_layer_is_in_the_slides_frame_in_the_patterns_color_and_tells_no_slide(opened):
    viewer, session, desk, _folder = opened
    draw(desk, [(10, 20), (110, 20)], "P")
    layer = desk.drawing.layer
    (slide,) = [each for each in viewer.layers if kind_of(each.metadata) == "slide"]
    # The center of the slide's first pixel lies half a pixel inside.
    assert np.allclose(layer.data_to_world((0.5, 0.5)), slide.data_to_world((0, 0)))
    assert np.allclose(layer.edge_color, transform_color(pattern_color("P")), atol=1e-6)
    assert kind_of(layer.metadata, session.current.id) == KIND
    assert session.current.stem not in layer.name


def test_selected_lines_become_the_pattern_that_is_chosen(opened):
    _viewer, _session, desk, _folder = opened
    draw(desk, [(0, 0), (100, 0)], "D")
    draw(desk, [(0, 9), (100, 9)], "D")
    desk.take_tool(SELECT)
    desk.drawing.layer.selected_data = {1}
    desk.choose("R")
    assert [line.pattern for line in desk.lines] == ["D", "R"]
    desk.undo()
    assert [line.pattern for line in desk.lines] == ["D", "D"]
    desk.undo()
    assert len(desk.lines) == 1
    desk.redo()
    desk.redo()
    assert [line.pattern for line in desk.lines] == ["D", "R"]


def test_lines_save_themselves_and_are_there_again_with_every_digit(opened):
    _viewer, session, desk, folder = opened
    draw(desk, [(10.123456789, 20.5), (110.25, 21.75)], "R")
    desk.flush()
    path = folder / HGP_LINES_GEOJSON
    frame = PixelFrame.of(session.current.info)
    (line,) = read_line_geojson(path, frame).lines
    assert (line.pattern, read_line_geojson(path, frame).rater) == ("R", "Anna")
    assert np.allclose(line.vertices_um, desk.lines[0].vertices_um, atol=1e-9)
    before = path.read_bytes()
    desk.open(session.current, folder, "Anna", "K7QXM")
    assert desk.drawing is not None and not desk.drawing.can_undo
    assert np.allclose(desk.lines[0].vertices_um, line.vertices_um, atol=1e-9)
    desk.flush()
    assert path.read_bytes() == before  # looking at lines changes nothing


def test_another_reading_does_not_show_the_lines_of_this_one(opened, tmp_path):
    viewer, session, desk, _folder = opened
    draw(desk, [(0, 0), (100, 0)], "D")
    desk.open(session.current, tmp_path / "second", "Anna", "Q2WER")
    assert desk.lines == () and desk.drawing is None
    assert not [each for each in viewer.layers if kind_of(each.metadata) == KIND]


def test_lines_that_another_window_wrote_are_kept(opened):
    _viewer, session, desk, folder = opened
    draw(desk, [(0, 0), (100, 0)], "D")
    desk.flush()
    told = []
    desk.told.connect(told.append)
    other = [PatternLine("P", np.array([(0.0, 0.0), (500.0, 0.0)]))]
    frame = PixelFrame.of(session.current.info)
    write_line_geojson(folder / HGP_LINES_GEOJSON, other, frame, rater="Anna")
    draw(desk, [(0, 5), (100, 5)], "D")
    desk.flush()
    (kept,) = folder.glob("hgp_lines-other-*")
    assert read_line_geojson(kept, frame).lines[0].pattern == "P"
    assert kept.name in " ".join(told)


def test_lines_of_ndp_view_are_read_in_micrometers(opened, tmp_path, qtbot):
    _viewer, _session, desk, _folder = opened
    box = LineBox(desk)
    qtbot.addWidget(box)
    path = tmp_path / "slide.ndpi.ndpa"
    points = "".join(
        f"<point><x>{x}</x><y>{y}</y></point>"
        for x, y in ((0, 0), (300_000, 0), (300_000, 400_000))
    )
    path.write_text(
        f'<annotations><ndpviewstate id="1"><title>D</title><annotation type="freehand">'
        f"<pointlist>{points}</pointlist></annotation></ndpviewstate></annotations>"
    )
    box.read_from(str(path))
    assert desk.lengths_um["D"] == pytest.approx(700)
    assert [box.table.text(0, at) for at in range(3)] == ["Desmoplastic", "0.70", "100.0"]
    broken = tmp_path / "broken.ndpa"
    broken.write_text("no XML")
    problems = []
    desk.problem.connect(problems.append)
    box.read_from(str(broken))
    assert "broken.ndpa" in problems[0] and desk.lengths_um["D"] == pytest.approx(700)


def test_the_lines_shares_become_the_reading_when_the_reader_says_so(opened, qtbot):
    _viewer, _session, desk, folder = opened
    box, form = LineBox(desk), ReadingForm()
    qtbot.addWidget(box)
    qtbot.addWidget(form)
    box.use_wanted.connect(form.put_shares)
    draw(desk, [(0, 0), (300, 0)], "D")
    draw(desk, [(0, 9), (100, 9)], "other")
    assert form.total_pct == 0
    box.use_button.click()
    assert form.values()["pct_D"] == 75 and form.values()["pct_other"] == 25
    box.save_to(str(folder.parent / "lines"))
    assert (folder.parent / "lines.geojson").is_file()


def test_without_a_reading_or_a_pixel_size_nothing_is_drawn(opened, slide_without_mpp):
    viewer, session, desk, folder = opened
    desk.close()
    assert desk.reason == NO_READING
    layer = open_slide_in(viewer, slide_without_mpp)
    ours = layer.metadata["napari-crlm-spa"]
    session.add_slide(ours["slide_id"], ours["info"])
    desk.open(session.current, folder, "Anna", "name")
    told = []
    desk.told.connect(told.append)
    desk.take_tool(FREEHAND)
    assert told == [NO_PIXEL_SIZE] and desk.drawing is None and desk.tool == LOOK


@pytest.mark.parametrize(
    "shares",
    [
        {"a": 99.97, "b": 0.03, "c": 0.0, "d": 0.0},
        {"a": 100 / 3, "b": 100 / 3, "c": 100 / 3, "d": 0.0},
        {"a": 99.99, "b": 0.004, "c": 0.003, "d": 0.003},
        {"a": 100.0, "b": 0.0, "c": 0.0, "d": 0.0},
    ],
)
def test_rounded_shares_add_up_and_none_that_was_drawn_vanishes(shares):
    rounded = tenths(shares)
    assert sum(rounded.values()) == pytest.approx(100, abs=1e-9)
    for name, share in shares.items():
        assert (rounded[name] > 0) == (share > 0)
        assert abs(rounded[name] - share) <= 0.3
