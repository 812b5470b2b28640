"""The ribbon: the straightened slide, read piece by piece, in step with the slide above it."""

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_crlm_spa._tests.plugin.conftest import STRIDE_UM
from napari_crlm_spa._tests.plugin.reviewed import reviewed_slide
from napari_crlm_spa.core.slide import open_slide
from napari_crlm_spa.core.spatial.interface import InterfaceCode, InterfaceOptions
from napari_crlm_spa.plugin.growth.keeper import measure
from napari_crlm_spa.plugin.growth.pictures import Pictures
from napari_crlm_spa.plugin.growth.strip import PIECE_COLUMNS, Strip
from napari_crlm_spa.plugin.session import Session, TileAt
from napari_crlm_spa.plugin.widgets.growth.ribbon import Ribbon, place_words, range_words
from napari_crlm_spa.plugin.widgets.growth.ribbon_view import LEFT_PX
from napari_crlm_spa.plugin.worker import PipelineWorker

TIMEOUT_MS = 60_000


@pytest.fixture(name="measured")
def measured_fixture(tmp_path, slide_path):
    """The interface of the known map on the drawn slide; the capsule at the left is liver."""
    session = Session()
    with open_slide(slide_path) as slide:
        session.add_slide("a", slide.info)
    kept = reviewed_slide(tmp_path)
    current = session.current
    current.review, current.tissue_map = kept.review, kept.tissue_map
    rows = np.arange(4, 16)
    current.review.correct(rows, np.full(len(rows), 4), "HEP")
    found = measure(current, current.review.tissue_map, InterfaceOptions())
    return session, found


@pytest.fixture(name="ribbon")
def ribbon_fixture(qtbot, measured):
    session, found = measured
    ribbon = Ribbon(session)
    qtbot.addWidget(ribbon)
    ribbon.resize(900, 320)
    ribbon.show()
    ribbon.show_measured(found)
    QApplication.processEvents()
    yield ribbon
    ribbon.let_go()
    PipelineWorker.await_workers(TIMEOUT_MS)


def x_of(view, arc_um):
    return QPoint(round(view.x_of(arc_um)), 30)


def hover(view, at):
    """Send the move itself: where the machine's pointer is already, Qt's tester sends none."""
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(at),
        QPointF(view.mapToGlobal(at)),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(view, event)


def wheel(view, x, steps, modifiers=Qt.KeyboardModifier.NoModifier):
    at = QPointF(x, 30)
    event = QWheelEvent(
        at,
        QPointF(view.mapToGlobal(at.toPoint())),
        QPoint(),
        QPoint(0, 120 * steps),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, event)


def test_a_click_flies_to_the_place_on_the_slide(ribbon):
    flown = []
    ribbon._session.fly_wanted.connect(flown.append)
    view = ribbon.view
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=x_of(view, 1500))
    x, y = flown[-1].center_um
    expected = view.strip.center_um(view.arc_at(x_of(view, 1500).x()))
    assert (x, y) == pytest.approx(expected)


def test_a_drag_moves_and_does_not_fly(ribbon):
    flown = []
    ribbon._session.fly_wanted.connect(flown.append)
    view = ribbon.view
    view.zoom(4)
    before = view.start_um
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(500, 30))
    QTest.mouseMove(view, QPoint(400, 30))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(400, 30))
    assert view.start_um == pytest.approx(before + 100 * view.um_per_px, rel=1e-6)
    assert not flown


def test_the_wheel_zooms_around_the_pointer(ribbon):
    view = ribbon.view
    arc, um_per_px = view.arc_at(400), view.um_per_px
    wheel(view, 400, 3)
    assert view.um_per_px < um_per_px
    assert view.arc_at(400) == pytest.approx(arc, abs=1)
    wheel(view, 400, -60)
    assert view.seen_um == pytest.approx((0, view.strip.length_um))


def test_shift_and_wheel_scroll(ribbon):
    view = ribbon.view
    view.zoom(4)
    before = view.start_um
    wheel(view, 400, -1, Qt.KeyboardModifier.ShiftModifier)
    assert view.start_um > before


def test_shift_and_a_drag_read_a_stretch_in_percent(ribbon):
    view = ribbon.view
    shift = Qt.KeyboardModifier.ShiftModifier
    view.show_all()
    ends = [LEFT_PX + 100, LEFT_PX + 300]
    QTest.mousePress(view, Qt.MouseButton.LeftButton, shift, QPoint(ends[0], 30))
    QTest.mouseMove(view, QPoint(ends[1], 30))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, shift, QPoint(ends[1], 30))
    assert view.chosen == pytest.approx([view.arc_at(x) for x in ends])
    assert ribbon.readout.text().startswith("Chosen")
    share = 200 * view.um_per_px / view.strip.length_um
    assert f"{share:.1%} of the line" in ribbon.readout.text()


def test_what_is_pointed_at_is_marked_on_the_slide(ribbon):
    told = []
    ribbon.pointed.connect(told.append)
    view = ribbon.view
    hover(view, x_of(view, 2000))
    inside, outside = told[-1]
    middle = np.mean([inside, outside], axis=0)
    assert middle == pytest.approx(view.strip.center_um(view.arc_at(x_of(view, 2000).x())))
    tissue_map, scheme = view.strip.measured.tissue_map, view.strip.measured.tissue_map.scheme
    assert tissue_map.classes[cell(inside)] in (scheme.code("TUM"), scheme.code("DEB"))
    assert tissue_map.classes[cell(outside)] in (scheme.code("HEP"), scheme.code("STR"))


def cell(place):
    return int(place[1] // STRIDE_UM), int(place[0] // STRIDE_UM)


def test_the_pointer_on_the_slide_is_marked_on_the_ribbon(ribbon):
    view = ribbon.view
    x, y = view.strip.center_um(3000)
    row, col = cell((x, y))
    ribbon.on_hovered(TileAt("a", row, col))
    assert view._marked == pytest.approx(3000, abs=1.5 * STRIDE_UM)
    ribbon.on_hovered(TileAt("a", 0, 20))
    assert view._marked is None
    ribbon.on_hovered(TileAt("another slide", row, col))
    assert view._marked is None


def test_the_ribbon_s_shares_are_those_of_the_interface(measured):
    _, found = measured
    strip = Strip(found, 0)
    shares = strip.shares(0, strip.length_um)
    summary = found.interface.summary
    assert summary.pct_N > 10
    for code, pct in ((InterfaceCode.D, summary.pct_D), (InterfaceCode.N, summary.pct_N)):
        assert 100 * shares.get(code, 0.0) == pytest.approx(pct, abs=0.01)
    assert "100.0% of the line" in range_words(strip, 0, strip.length_um)


def test_a_place_is_told_with_its_code_and_thickness(measured):
    _, found = measured
    strip = Strip(found, 0)
    rim = next(run for run in strip.runs if run.code == InterfaceCode.D)
    at = (rim.start_um + rim.length_um / 2) % strip.length_um
    assert "D: rim between" in place_words(strip, at)
    contact = next(run for run in strip.runs if run.code == InterfaceCode.N)
    at = (contact.start_um + contact.length_um / 2) % strip.length_um
    words = place_words(strip, at)
    assert "N: tumor touches liver" in words
    assert "rim" not in words


def test_the_tissue_of_the_slide_is_straight_in_the_picture(qtbot, ribbon):
    """The drawn slide's tumor is dark: it fills the lower half, and the liver the upper one."""
    view = ribbon.view
    view.show_true()
    wanted = view._wanted()
    qtbot.waitUntil(lambda: all(map(view.pictures.known, wanted)), timeout=TIMEOUT_MS)
    QApplication.processEvents()
    image = view.grab().toImage()
    top, height = view.rows.picture
    ratio = image.height() / view.height()
    xs = range(LEFT_PX + 20, view.width() - 30, 11)

    def brightness(row):
        values = [image.pixelColor(round(x * ratio), round(row * ratio)).lightness() for x in xs]
        return np.mean(values)

    assert brightness(top + 4) > 180
    assert brightness(top + height - 6) < 120


def test_pieces_cover_what_is_seen_and_no_more(measured):
    strip = Strip(measured[1], 0)
    pieces = strip.pieces(1000.0, 3000.0, 2.0)
    length = 2.0 * PIECE_COLUMNS
    assert {each.step_um for each in pieces} == {2.0}
    assert pieces[0].start_um <= 1000 < pieces[0].start_um + length
    assert pieces[-1].start_um < 3000 <= pieces[-1].start_um + length
    last = strip.pieces(0, strip.length_um, 2.0)[-1]
    assert last.start_um < strip.length_um


def test_stop_reads_no_more_until_the_ribbon_is_moved(qtbot, ribbon):
    view = ribbon.view
    ribbon.stop_button.click()
    view.pictures._pictures.clear()
    view.repaint()
    assert view.pictures.stopped
    assert not view.pictures._wishes
    view.zoom(2)
    view.repaint()
    qtbot.waitUntil(lambda: view.pictures.known(view._wanted()[0]), timeout=TIMEOUT_MS)


def test_a_slide_that_cannot_be_read_leaves_the_other_rows(qtbot, ribbon, measured, tmp_path):
    import dataclasses

    slide = measured[1].slide
    slide.info = dataclasses.replace(slide.info, path=tmp_path / "gone.tif")
    ribbon.show_measured(None)
    ribbon.show_measured(measured[1])
    view = ribbon.view
    view.repaint()
    piece = view._wanted()[0]
    qtbot.waitUntil(lambda: view.pictures.known(piece), timeout=TIMEOUT_MS)
    assert view.pictures.get(piece) is None


def test_pictures_keep_to_their_memory(qtbot, measured, monkeypatch):
    monkeypatch.setattr("napari_crlm_spa.plugin.growth.pictures.MOST_BYTES", 10_000)
    pictures = Pictures(lambda _slide, _key: np.zeros((20, 50, 3), np.uint8))
    pictures.look_at(measured[1].slide)
    for key in range(10):
        pictures.get(key)
        qtbot.waitUntil(lambda key=key: pictures.known(key), timeout=TIMEOUT_MS)
    assert pictures._bytes <= 10_000
    assert not pictures.known(0)
    assert pictures.known(9)


def test_the_same_line_measured_anew_stays_where_it_is(ribbon, measured):
    _, found = measured
    view = ribbon.view
    view.zoom(4)
    view.scroll_to(1000.0)
    before = (view.start_um, view.um_per_px)
    ribbon.show_measured(measure(found.slide, found.tissue_map, InterfaceOptions(smooth_um=0.0)))
    assert (view.start_um, view.um_per_px) == before


def test_without_an_interface_it_says_so_and_does_nothing(ribbon):
    ribbon.show_measured(None)
    assert ribbon.view.strip is None
    assert ribbon.readout.text() == ""
    QTest.mouseClick(ribbon.view, Qt.MouseButton.LeftButton, pos=QPoint(300, 30))
    wheel(ribbon.view, 300, 2)
    ribbon.fly_to(100.0)
