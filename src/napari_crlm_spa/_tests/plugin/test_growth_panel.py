"""The dock of the growth pattern: numbers of the interface, its lines on the slide, stretches."""

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_crlm_spa._tests.plugin.canvas_mouse import CanvasMouse
from napari_crlm_spa._tests.plugin.conftest import STRIDE_UM, known_map, make_analysis
from napari_crlm_spa._tests.plugin.made_results import copies_of
from napari_crlm_spa._tests.plugin.test_manifest import modules_after
from napari_crlm_spa.core.hgp.line_files import PixelFrame, write_line_geojson
from napari_crlm_spa.core.hgp.lines import PatternLine
from napari_crlm_spa.core.review.reader_names import reader_folder
from napari_crlm_spa.core.spatial.interface import (
    RESEARCH_USE_ONLY,
    InterfaceCode,
    InterfaceOptions,
    detection_words,
    measure_interface,
)
from napari_crlm_spa.core.store.names import HGP_LINES_GEOJSON, INTERFACE_RUNS_CSV
from napari_crlm_spa.plugin.growth.lines import LINE_KIND, WHISKER_KIND, line_segments
from napari_crlm_spa.plugin.memory import recall
from napari_crlm_spa.plugin.widgets.growth.gallery import ORDERS
from napari_crlm_spa.plugin.widgets.growth.panel import RIBBON_DOCK
from napari_crlm_spa.plugin.widgets.panel import AnalysisPanel
from napari_crlm_spa.plugin.worker import PipelineWorker

TIMEOUT_MS = 60_000
DOCK = "CRLM-SPA growth pattern"


@pytest.fixture(name="dock")
def dock_fixture(qtbot, make_napari_viewer, slide_path):
    """The dock beside the workspace, in which a slide is open that was not analyzed."""
    viewer = make_napari_viewer()
    _, panel = viewer.window.add_plugin_dock_widget("napari-crlm-spa", DOCK)
    qtbot.waitUntil(lambda: panel.desk is not None, timeout=TIMEOUT_MS)
    workspace_of(panel).open_slide(str(slide_path))
    QApplication.processEvents()
    yield panel
    panel.let_go()
    PipelineWorker.await_workers(TIMEOUT_MS)


@pytest.fixture(name="growth")
def growth_fixture(qtbot, dock, tmp_path):
    """The same with the slide's interface measured."""
    show_map(qtbot, dock, tmp_path / "slide")
    return dock


def workspace_of(dock):
    docks = dock._viewer.window.dock_widgets.values()
    return next(each for each in docks if isinstance(each, AnalysisPanel))


def session_of(dock):
    return workspace_of(dock).session


def show_map(qtbot, dock, folder):
    session = session_of(dock)
    session.show_analysis(session.current, make_analysis(folder))
    wait_for(qtbot, dock)


def wait_for(qtbot, dock):
    keeper = dock.desk.keeper
    qtbot.waitUntil(lambda: keeper.measured is not None and not keeper.busy, timeout=TIMEOUT_MS)
    QApplication.processEvents()


def layers_of(dock, kind):
    return dock.desk.on_slide.of(kind)


def interface_of(dock):
    return dock.desk.keeper.measured.interface


# -- what is said --------------------------------------------------------------------------


def test_a_slide_that_was_not_analyzed_says_what_to_do(dock):
    tab = dock.desk.measured
    assert "has no tissue map yet" in tab.state.text()
    assert "press Run" in tab.state.text()
    assert not tab.results.isVisibleTo(tab)


def test_without_a_slide_the_way_to_one_is_told(dock):
    session = session_of(dock)
    session.remove_slide(session.current.id)
    assert dock.desk.measured.state.text().startswith("No slide is open.")


def test_the_percentages_are_those_of_the_library(growth):
    expected = measure_interface(known_map())
    tab = growth.desk.measured
    assert tab.shares.shares[InterfaceCode.D] == expected.summary.pct_D
    assert f"{expected.summary.interface_mm:.1f} mm outline" in tab.length.text()
    median = f"median {expected.summary.rim_median_um:.0f} µm"
    assert tab.numbers.value("Rim thickness").startswith(median)
    border = f"{expected.summary.interaction_border:.3f}"
    assert tab.numbers.value("Interaction, at the border") == border
    assert detection_words(STRIDE_UM) in tab.notes.text()


def test_it_never_shows_without_saying_that_it_is_an_estimate(growth):
    assert growth.desk.measured.research.text() == RESEARCH_USE_ONLY
    assert "estimate" in growth.desk.ribbon.note.text()


def test_each_rule_has_its_call_and_its_reason(qtbot, growth):
    # The drawn lesion is a little too small for a call by the usual limits.
    options = InterfaceOptions(min_interface_mm=1.0)
    growth.desk.keeper.set_options(options)
    expected = measure_interface(known_map(), options)
    box = growth.desk.measured.calls
    assert not expected.refusals
    qtbot.waitUntil(lambda: box.reasons["strict"].text() != "", timeout=TIMEOUT_MS)
    for rule, call in expected.calls.items():
        assert box.calls[rule].text() == (call.call or "–")
        assert call.reason.endswith(box.reasons[rule].text())
        assert box.reasons[rule].toolTip() == call.reason


def test_a_refusal_is_told_once_and_there_is_no_call(qtbot, growth):
    growth.desk.keeper.set_options(InterfaceOptions(min_interface_mm=500.0))
    tab = growth.desk.measured
    qtbot.waitUntil(lambda: "at least 500 mm" in tab.refusal.text(), timeout=TIMEOUT_MS)
    assert not tab.calls.isVisibleTo(tab)


def test_options_of_the_form_are_measured_with(qtbot, growth):
    tab = growth.desk.measured
    tab.form.editors["contact_tiles"].set(5.0)
    qtbot.mouseClick(tab.measure_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: interface_of(growth).summary.pct_N > 90, timeout=TIMEOUT_MS)
    qtbot.mouseClick(tab.default_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: interface_of(growth).summary.pct_N < 50, timeout=TIMEOUT_MS)


def test_a_correction_changes_the_numbers_and_the_line(qtbot, growth):
    slide = session_of(growth).current
    before, segments = interface_of(growth), layers_of(growth, LINE_KIND)[0].data.copy()
    assert before.summary.pct_N == 0
    rows = np.arange(4, 16)
    # The capsule at the left becomes liver.
    slide.review.correct(rows, np.full(len(rows), 4), "HEP")
    session_of(growth).tell_review_changed(slide)
    qtbot.waitUntil(lambda: interface_of(growth) is not before, timeout=TIMEOUT_MS)
    assert interface_of(growth).summary.pct_N > 10
    assert not np.array_equal(layers_of(growth, LINE_KIND)[0].data, segments)
    assert growth.desk.measured.shares.shares[InterfaceCode.N] > 10


# -- on the slide --------------------------------------------------------------------------


def test_the_line_lies_where_the_interface_is(growth):
    (layer,) = layers_of(growth, LINE_KIND)
    points = np.concatenate([each.vertices_um for each in interface_of(growth).contours])
    starts = np.array([layer.data_to_world(start) for start in layer.data[:, 0]])
    for axis, coordinate in ((0, 1), (1, 0)):  # y before x
        assert starts[:, axis].min() == pytest.approx(points[:, coordinate].min(), abs=10)
        assert starts[:, axis].max() == pytest.approx(points[:, coordinate].max(), abs=10)
    # The drawn tumor begins with the fifth row and column of tiles.
    assert starts[:, 0].min() == pytest.approx(4 * STRIDE_UM, abs=0.3 * STRIDE_UM)


def test_lines_have_no_gap_and_the_colors_of_their_codes(growth):
    interface = interface_of(growth)
    segments, colors = line_segments(interface)
    ends = segments.sum(axis=1)
    assert np.allclose(ends[:-1], segments[1:, 0], atol=0.05)
    assert np.allclose(ends[-1], segments[0, 0], atol=0.05)
    length = np.hypot(*segments[:, 1].T).sum()
    assert length == pytest.approx(interface.contours[0].length_um, rel=0.01)
    assert len(np.unique(colors, axis=0)) == len({run.code for run in interface.runs})


def test_the_line_is_neither_edited_nor_in_the_way_of_the_map(growth):
    (layer,) = layers_of(growth, LINE_KIND)
    assert not layer.editable
    active = growth._viewer.layers.selection.active
    assert active is not layer


def test_line_and_whiskers_can_be_switched_off_and_that_is_remembered(growth):
    lines = growth.desk.measured.lines
    lines.line.click()
    assert not layers_of(growth, LINE_KIND)
    assert layers_of(growth, WHISKER_KIND)
    lines.whiskers.click()
    assert not layers_of(growth, WHISKER_KIND)
    assert recall()["growth_line"] is False
    lines.line.click()
    assert layers_of(growth, LINE_KIND)


def test_the_opacity_follows_both_sliders(growth):
    (layer,) = layers_of(growth, LINE_KIND)
    growth.desk.measured.lines.opacity.setValue(40)
    assert layer.opacity == pytest.approx(0.4)
    layer.opacity = 0.7
    assert growth.desk.measured.lines.share == pytest.approx(0.7)


def test_the_line_hides_while_the_tissue_is_looked_at(growth):
    session = session_of(growth)
    session.set_view(blink=True)
    assert not layers_of(growth, LINE_KIND)[0].visible
    session.set_view(blink=False)
    assert layers_of(growth, LINE_KIND)[0].visible


def test_the_line_goes_with_its_slide(qtbot, growth, slide_path, tmp_path):
    (other,) = copies_of(slide_path, tmp_path / "other", 1)
    first = session_of(growth).current
    workspace_of(growth).open_slide(str(other))
    assert not layers_of(growth, LINE_KIND)
    session_of(growth).select(first.id)
    wait_for(qtbot, growth)
    assert len(layers_of(growth, LINE_KIND)) == 1
    session_of(growth).remove_slide(first.id)
    assert not layers_of(growth, LINE_KIND)


def test_closing_the_dock_takes_the_lines_along(growth):
    growth.let_go()
    kinds = {layer.name.partition(" ·")[0] for layer in growth._viewer.layers}
    assert "Tumor-liver interface" not in kinds
    assert "Rim thickness" not in kinds


# -- blinded reading -----------------------------------------------------------------------


def test_a_blinded_reader_sees_nothing_of_it(growth):
    session, desk = session_of(growth), growth.desk
    session.set_blinded(True)
    assert not layers_of(growth, LINE_KIND)
    assert not layers_of(growth, WHISKER_KIND)
    assert not desk.measured.isVisibleTo(growth)
    assert not desk.ribbon.view.isVisibleTo(desk.ribbon)
    flown = []
    session.fly_wanted.connect(flown.append)
    desk._step(1)
    assert not flown
    session.set_blinded(False)
    assert layers_of(growth, LINE_KIND)
    assert desk.ribbon.view.isVisibleTo(desk.ribbon)


# -- stretches -----------------------------------------------------------------------------


def test_a_stretch_flies_to_its_place_and_is_chosen_on_the_ribbon(growth):
    flown = []
    session_of(growth).fly_wanted.connect(flown.append)
    box = growth.desk.measured.gallery
    box.step(1)
    stretch = box.gallery.stretches[0]
    assert flown[-1].center_um == stretch.center_um
    chosen = growth.desk.ribbon.view.chosen
    assert chosen == (stretch.start_um, stretch.start_um + stretch.length_um)
    box.step(1)
    assert flown[-1].center_um == box.gallery.stretches[1].center_um
    box.step(-1)
    assert flown[-1].center_um == stretch.center_um


def test_keys_walk_through_the_stretches(growth):
    workspace_of(growth).window().show()
    QApplication.processEvents()
    mouse = CanvasMouse(growth._viewer, workspace_of(growth))
    box = growth.desk.measured.gallery
    mouse.key(Qt.Key.Key_J)
    mouse.key(Qt.Key.Key_J)
    assert box.gallery.position == 1
    mouse.key(Qt.Key.Key_K)
    assert box.gallery.position == 0


@pytest.mark.parametrize("order", ORDERS[:4], ids=lambda each: each.title)
def test_stretches_are_sorted_and_the_unknown_come_last(growth, order):
    box = growth.desk.measured.gallery
    box.order.setCurrentText(order.title)
    box.order.activated.emit(box.order.currentIndex())
    values = [order.key(each) for each in box.gallery.stretches]
    known = [value for value in values if np.isfinite(value)]
    assert known == sorted(known, reverse=order.largest_first)
    assert np.isfinite(values[: len(known)]).all()
    assert recall()["growth_order"] == order.title


def test_pictures_of_stretches_are_read_from_the_slide(qtbot, growth):
    gallery = growth.desk.measured.gallery.gallery
    key = gallery.stretches[0].center_um
    gallery.pictures.get(key)
    qtbot.waitUntil(lambda: gallery.pictures.known(key), timeout=TIMEOUT_MS)
    assert gallery.pictures.get(key) is not None


def test_a_reader_s_label_stands_beside_the_estimate(qtbot, growth):
    slide = session_of(growth).current
    (contour,) = interface_of(growth).contours
    drawn = PatternLine("R", contour.vertices_um[: len(contour.codes) // 2])
    folder = reader_folder(slide.analysis.folder, "Anna")
    folder.mkdir(parents=True)
    frame = PixelFrame.of(slide.info)
    write_line_geojson(folder / HGP_LINES_GEOJSON, [drawn], frame, rater="Anna")
    tab = growth.desk.measured
    tab.refresh_labels()
    box = tab.gallery
    qtbot.waitUntil(lambda: any(e.label for e in box.gallery.stretches), timeout=TIMEOUT_MS)
    labels = [each.label for each in box.gallery.stretches]
    assert set(labels) == {"R", ""}
    box.differ.click()
    assert {each.label for each in box.gallery.stretches} == {"R"}


# -- files ---------------------------------------------------------------------------------


def test_the_tables_are_those_of_the_interface(growth, tmp_path):
    growth.desk.measured.export(tmp_path)
    folder = tmp_path / "slide interface"
    summary = pd.read_csv(folder / "interface_summary.csv")
    expected = interface_of(growth).summary
    assert summary["pct_D"][0] == pytest.approx(expected.pct_D, abs=1e-3)
    assert summary["note"][0] == RESEARCH_USE_ONLY
    runs = pd.read_csv(folder / INTERFACE_RUNS_CSV)
    assert runs["length_um"].sum() == pytest.approx(expected.interface_mm * 1000, abs=1)
    assert str(folder) in growth.desk.measured.message.text


def test_a_folder_that_cannot_be_written_is_a_sentence(growth, tmp_path):
    (tmp_path / "file").write_text("in the way")
    growth.desk.measured.export(tmp_path / "file")
    assert "cannot be written" in growth.desk.measured.message.text


# -- the dock ------------------------------------------------------------------------------


def test_the_ribbon_is_a_dock_below_the_slide_and_is_remembered(qtbot, growth):
    qtbot.mouseClick(growth.desk.measured.ribbon_button, Qt.MouseButton.LeftButton)
    assert RIBBON_DOCK in growth._viewer.window.dock_widgets
    assert recall()["growth_ribbon"] is True
    qtbot.mouseClick(growth.desk.measured.ribbon_button, Qt.MouseButton.LeftButton)
    assert RIBBON_DOCK not in growth._viewer.window.dock_widgets
    assert recall()["growth_ribbon"] is False


def test_the_workspace_may_be_closed_first(growth):
    workspace_of(growth).let_go()
    assert growth.desk is None
    assert "Open the workspace" in growth.nothing.text()


def test_the_dock_is_made_without_torch_and_lifelines():
    loaded = modules_after(
        "import os; os.environ['QT_QPA_PLATFORM'] = 'offscreen'\n"
        "from qtpy.QtWidgets import QApplication; app = QApplication([])\n"
        "from napari_crlm_spa.plugin.widgets.growth.panel import GrowthPanel\n"
        "from napari_crlm_spa.plugin.session import Session\n"
        "from napari.components import ViewerModel\n"
        "panel = GrowthPanel(ViewerModel())\n"
        "panel.work_with(Session())"
    )
    assert "torch" not in loaded
    assert "lifelines" not in loaded
