"""The panel in a real viewer: buttons are clicked, layers and numbers are compared."""

import csv
import dataclasses
import shutil

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt

from napari_crlm_spa._tests.plugin import conftest
from napari_crlm_spa._tests.plugin.conftest import (
    BATCH,
    SLIDE_MPP,
    is_white,
    known_classes,
    known_grid,
    known_map,
    write_slide,
)
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.errors import ModelNotFound
from napari_crlm_spa.plugin.layers import OUTLINE_SCREEN_PX, kind_of
from napari_crlm_spa.plugin.memory import recall
from napari_crlm_spa.plugin.risk_models import BY_HAND
from napari_crlm_spa.plugin.runner import STOPPED
from napari_crlm_spa.plugin.viewer_look import camera_of, scale_bar_of
from napari_crlm_spa.plugin.widgets import files_bar
from napari_crlm_spa.plugin.widgets.panel import AnalysisPanel
from napari_crlm_spa.plugin.widgets.risk import CUTOFF_COLUMN, WARNING_STYLE
from napari_crlm_spa.plugin.words import done_line
from napari_crlm_spa.plugin.worker import PipelineWorker

BATCHES = -(-len(known_grid().pending()) // BATCH)


@pytest.fixture
def viewer():
    """A viewer without a window: quick, and enough for what the panel itself shows."""
    return ViewerModel()


@pytest.fixture
def window(make_napari_viewer_proxy):
    """A real viewer with its window; private names of napari are forbidden in it."""
    return make_napari_viewer_proxy()


@pytest.fixture
def make_panel(qtbot, pipeline, tmp_path):
    """Make a panel whose pipeline the test drives."""

    def make(viewer):
        panel = AnalysisPanel(viewer)
        panel.runner.work = pipeline.analyze
        panel.settings.folder.setText(str(tmp_path / "out"))
        return panel

    yield make
    pipeline.let_go()
    PipelineWorker.await_workers(60_000)


@pytest.fixture
def panel(make_panel, viewer, qtbot):
    panel = make_panel(viewer)
    qtbot.addWidget(panel)
    yield panel
    panel.let_go()


@pytest.fixture
def opened(panel, slide_path):
    """The panel with the drawn slide open."""
    panel.open_slide(str(slide_path))
    return panel


@pytest.fixture
def docked(make_panel, window, slide_path):
    """The panel in the dock of a real window, with the drawn slide open."""
    panel = make_panel(window)
    window.window.add_dock_widget(panel, name="CRLM-SPA")
    panel.open_slide(str(slide_path))
    return panel


def click(qtbot, button):
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def layers_of_kind(viewer, kind):
    return [layer for layer in viewer.layers if kind_of(layer.metadata) == kind]


def run_to_end(qtbot, panel, pipeline):
    with qtbot.waitSignal(panel.runner.ended, timeout=60_000) as blocker:
        click(qtbot, panel.run_box.run_button)
        pipeline.let_go()
    wait_until_idle(qtbot, panel)
    return blocker.args[0]


def wait_until_idle(qtbot, panel):
    qtbot.waitUntil(lambda: not panel.runner.busy, timeout=60_000)


# -- opening ------------------------------------------------------------------------------


def test_without_a_slide_there_is_nothing_to_run(panel):
    assert not panel.run_box.run_button.isEnabled()


def test_an_opened_slide_is_listed_with_size_and_pixel_size(opened):
    assert opened.slide_box.chooser.currentText() == "slide.tif"
    assert "2.7 × 2.2 mm" in opened.slide_box.size_label.text()
    assert opened.slide_box.pixel_label.text().startswith("Pixel size 4 µm/px (")
    assert not opened.slide_box.mpp_box.isVisibleTo(opened)
    assert opened.run_box.run_button.isEnabled()


def test_the_viewer_is_white_and_has_a_scale_bar_in_micrometers(docked, window):
    assert scale_bar_of(window).visible
    assert is_white(window)
    assert [str(unit) for unit in window.layers[0].units] == ["micrometer", "micrometer"]


def test_slides_that_were_open_before_the_panel_are_listed(viewer, slide_path):
    from napari_crlm_spa.plugin.viewer_link import open_slide_in

    open_slide_in(viewer, slide_path)
    panel = AnalysisPanel(viewer)
    assert panel.slide_box.chooser.currentText() == "slide.tif"
    panel.let_go()
    panel.deleteLater()


def test_a_file_that_is_no_slide_becomes_a_sentence(panel, tmp_path):
    path = tmp_path / "notes.svs"
    path.write_text("not a slide")
    panel.open_slide(str(path))
    assert "notes.svs" in panel.message.text
    assert panel.message.isVisibleTo(panel)
    assert panel.session.current is None


def test_a_missing_pixel_size_is_asked_for(qtbot, panel, viewer, slide_without_mpp, pipeline):
    panel.open_slide(str(slide_without_mpp))
    assert "unknown" in panel.slide_box.pixel_label.text()
    assert "0.25" in panel.slide_box.pixel_label.text()
    assert not panel.run_box.run_button.isEnabled()
    panel.slide_box.mpp_box.setValue(SLIDE_MPP)
    click(qtbot, panel.slide_box.mpp_button)
    assert tuple(viewer.layers[0].scale) == (SLIDE_MPP, SLIDE_MPP)
    assert viewer.layers[0].data_to_world((-0.5, -0.5)) == pytest.approx((0, 0))
    run_to_end(qtbot, panel, pipeline)
    (_, _, options), *_ = pipeline.calls
    assert options.mpp == SLIDE_MPP


def test_the_pixel_size_is_taken_with_the_return_key(qtbot, panel, slide_without_mpp):
    panel.open_slide(str(slide_without_mpp))
    assert "pixel size" in panel.run_box.run_button.toolTip()
    panel.slide_box.mpp_box.setValue(SLIDE_MPP)
    qtbot.keyClick(panel.slide_box.mpp_box, Qt.Key.Key_Return)
    assert panel.session.current.user_mpp == SLIDE_MPP
    assert panel.run_box.run_button.isEnabled()


def test_a_panel_opened_anew_knows_the_pixel_size_and_keeps_the_maps(
    qtbot, panel, viewer, slide_without_mpp, pipeline
):
    panel.open_slide(str(slide_without_mpp))
    panel.session.set_pixel_size(panel.session.current.id, SLIDE_MPP)
    run_to_end(qtbot, panel, pipeline)
    names = [layer.name for layer in viewer.layers]
    panel.let_go()
    again = AnalysisPanel(viewer)
    qtbot.addWidget(again)
    assert again.session.current.user_mpp == SLIDE_MPP
    assert [layer.name for layer in viewer.layers] == names
    again.let_go()


# -- running ------------------------------------------------------------------------------


def test_the_map_fills_in_while_it_runs(qtbot, docked, window, pipeline):
    click(qtbot, docked.run_box.run_button)
    pipeline.step(3)
    qtbot.waitUntil(lambda: docked.run_box.bar.value() == 3 * BATCH, timeout=60_000)
    (layer,) = layers_of_kind(window, "tissue_map")
    expected = np.zeros_like(known_classes())
    done = tuple(known_grid().pending()[: 3 * BATCH].T)
    expected[done] = known_classes()[done]
    assert np.array_equal(layer.data, expected)
    tiles = int(np.count_nonzero(expected == CRLM7.code("HEP")))
    qtbot.waitUntil(lambda: legend(docked)["Hepatocytes"][0] == f"{tiles:,}", timeout=60_000)
    assert "tiles/s" in docked.run_box.line.text()
    assert docked.run_box.bar.maximum() == len(known_grid().pending())


def legend(panel):
    table = panel.legend.table
    return {
        table.text(row, 0): [table.text(row, column) for column in range(1, 4)]
        for row in range(table.rowCount())
    }


def test_a_finished_run_shows_the_map_and_the_outline(qtbot, docked, window, pipeline):
    sentence = run_to_end(qtbot, docked, pipeline)
    assert sentence.startswith("Done.")
    (layer,) = layers_of_kind(window, "tissue_map")
    assert np.array_equal(layer.data, known_classes())
    assert not layer.editable
    assert window.layers.selection.active == layer
    assert len(layers_of_kind(window, "tumor_region")) == 1
    assert len(window.layers) == 3, "other maps wait in the chooser, not in the layer list"


def test_the_map_lies_on_the_tissue(qtbot, opened, viewer, pipeline):
    run_to_end(qtbot, opened, pipeline)
    (image,), (labels,) = layers_of_kind(viewer, "slide"), layers_of_kind(viewer, "tissue_map")
    for name, at in [("TUM", (4, 5)), ("HEP", (0, 0))]:
        first_pixel = image.world_to_data(labels.data_to_world(np.subtract(at, 0.5)))
        row, col = np.round(np.asarray(first_pixel) + 0.5).astype(int)
        dark = np.asarray(image.data[0][row, col])[0] < 150
        assert dark == (name == "TUM")
        assert labels.data[at] == CRLM7.code(name)


def test_the_legend_counts_tiles_area_and_share(qtbot, opened, pipeline):
    run_to_end(qtbot, opened, pipeline)
    counts = known_map().counts()
    total = sum(counts.values())
    area = counts["TUM"] * 0.112**2
    assert legend(opened)["Tumor"] == [
        f"{counts['TUM']:,}",
        f"{area:.2f}",
        f"{100 * counts['TUM'] / total:.1f}",
    ]
    assert legend(opened)["Background"][2] == "–"


def test_the_features_are_those_of_the_analysis(qtbot, opened, pipeline):
    run_to_end(qtbot, opened, pipeline)
    values = opened.session.current.analysis.features.values
    table = opened.features.table
    shown = {table.text(row, 0): row for row in range(table.rowCount())}
    assert table.rowCount() == 5
    assert table.text(shown["Stroma"], 1) == f"{values['Overall_Stroma_ratio']:.4f}"
    assert table.text(shown["Hepatocytes"], 4) == f"{values['TUM_HEP_interaction']:.4f}"
    assert "Distal_Stroma_ratio" in table.item(shown["Stroma"], 3).toolTip()


def test_the_saved_table_has_the_numbers_of_the_screen(qtbot, opened, pipeline, tmp_path):
    run_to_end(qtbot, opened, pipeline)
    path = tmp_path / "features.csv"
    opened.features.save_to(path)
    (row,) = csv.DictReader(path.open(encoding="utf-8"))
    values = opened.session.current.analysis.features.values
    assert {name: row[name] for name in values} == {
        name: "" if np.isnan(value) else str(value) for name, value in values.items()
    }


def test_without_cutoffs_there_are_terms_but_no_group(qtbot, opened, pipeline):
    run_to_end(qtbot, opened, pipeline)
    assert "no risk group" in opened.risk.headline.text()
    assert "fit-cutoffs" in opened.risk.reason.text()
    assert opened.risk.table.rowCount() == 4
    assert opened.risk.table.text(0, 2) == "?"
    assert "Research use only" in opened.risk.banner.text()


def test_a_model_with_cutoffs_gives_score_and_group(qtbot, opened, pipeline, tmp_path):
    from napari_crlm_spa.core.risk import assess_risk, load_risk_model, save_risk_model

    preset = load_risk_model("repo_2022")
    features = tuple(f.model_copy(update={"cutoff": 0.05}) for f in preset.features)
    model = preset.model_copy(update={"features": features, "name": "mine"})
    save_risk_model(model, tmp_path / "mine.json")
    run_to_end(qtbot, opened, pipeline)
    opened.risk.choose(str(tmp_path / "mine.json"))
    expected = assess_risk(opened.session.current.analysis.features, model)
    assert f"{expected.group} risk" in opened.risk.headline.text()
    assert f"{expected.score:.3g}" in opened.risk.headline.text()
    assert opened.risk.table.text(0, 2) == "0.0500"
    assert recall()["risk_model"] == str(tmp_path / "mine.json")


def test_an_entered_cutoff_becomes_a_model_of_ones_own(qtbot, opened, pipeline):
    from napari_crlm_spa.core.risk import load_risk_model

    run_to_end(qtbot, opened, pipeline)
    for row in range(4):
        opened.risk.table.item(row, CUTOFF_COLUMN).setText("0,05")
    assert "own cut-offs" in opened.risk.model.currentText()
    model = load_risk_model(opened.risk.model_name)
    assert [feature.cutoff for feature in model.features] == [0.05] * 4
    assert model.features[0].cutoff_source == BY_HAND
    assert load_risk_model("paper_eq1").missing_cutoffs
    values = opened.session.current.analysis.features.values
    score = sum(f.coefficient for f in model.features if values[f.column] > 0.05)
    assert opened.risk.headline.text().startswith(f"Score {score:.3g}: ")
    adds = [opened.risk.table.text(row, CUTOFF_COLUMN + 2) for row in range(4)]
    assert "+0" in adds
    assert "-0" not in adds
    opened.risk.table.item(0, CUTOFF_COLUMN).setText("")
    assert "no risk group" in opened.risk.headline.text()


def test_a_cutoff_that_is_no_number_is_refused_with_a_sentence(qtbot, opened, pipeline):
    run_to_end(qtbot, opened, pipeline)
    opened.risk.table.item(0, CUTOFF_COLUMN).setText("many")
    assert "'many' is no number" in opened.risk.reason.text()
    assert opened.risk.model_name == "paper_eq1"
    assert opened.risk.table.text(0, CUTOFF_COLUMN) == "?"


def test_a_slide_with_little_tumor_has_features_and_the_reason_for_no_risk(
    qtbot, opened, pipeline, monkeypatch
):
    few = known_classes()
    few[few == CRLM7.code("TUM")] = CRLM7.code("STR")
    few[4:7, 5:9] = CRLM7.code("TUM")
    monkeypatch.setattr(conftest, "known_classes", lambda: few)
    run_to_end(qtbot, opened, pipeline)
    assert opened.risk.headline.text() == "No risk"
    assert "50" in opened.risk.reason.text()
    assert opened.features.table.rowCount() == 5


def test_folder_and_report_can_be_opened_once_there_is_a_result(
    qtbot, opened, pipeline, monkeypatch, tmp_path
):
    shown = []
    monkeypatch.setattr(files_bar, "show_file", shown.append)
    assert not opened.files.report_button.isEnabled()
    run_to_end(qtbot, opened, pipeline)
    click(qtbot, opened.files.report_button)
    click(qtbot, opened.files.folder_button)
    folder = tmp_path / "out" / "slide"
    assert shown == [folder / "report.html", folder]


def test_the_choices_reach_the_pipeline_and_are_remembered(
    qtbot, opened, pipeline, slide_path, tmp_path
):
    opened.settings._device.set("cpu")
    opened.settings.form.sections["tiling"].editors["blank_max"].set(0.75)
    opened.risk.model.setCurrentIndex(opened.risk.model.findData("repo_2022"))
    run_to_end(qtbot, opened, pipeline)
    ((path, folder, options),) = pipeline.calls
    assert (path, folder) == (slide_path, tmp_path / "out")
    assert options.classify.device == "cpu"
    assert options.tiling.blank_max == 0.75
    assert (options.mpp, options.risk_model) == (None, "repo_2022")
    assert recall()["output_folder"] == str(tmp_path / "out")


def test_the_outline_is_equally_wide_at_every_zoom(qtbot, opened, viewer, pipeline):
    run_to_end(qtbot, opened, pipeline)
    (outline,) = layers_of_kind(viewer, "tumor_region")
    for zoom in (0.05, 1.0):
        camera_of(viewer).zoom = zoom
        expected = OUTLINE_SCREEN_PX / zoom / outline.scale[0]
        qtbot.waitUntil(
            lambda wide=expected: outline.edge_width == pytest.approx(wide), timeout=60_000
        )


def test_notes_of_the_run_are_told_at_its_end(analysis):
    careful = dataclasses.replace(analysis, run={"notes": ["12 tiles could not be read."]})
    assert done_line(careful).endswith("12 tiles could not be read.")
    again = dataclasses.replace(analysis, reused=True)
    assert "earlier run" in done_line(again)


# -- stopping -----------------------------------------------------------------------------


def test_cancel_answers_within_one_batch(qtbot, docked, pipeline):
    click(qtbot, docked.run_box.run_button)
    pipeline.step(2)
    qtbot.waitUntil(lambda: docked.run_box.bar.value() == 2 * BATCH, timeout=60_000)
    with qtbot.waitSignal(docked.runner.ended, timeout=60_000) as blocker:
        click(qtbot, docked.run_box.cancel_button)
        pipeline.let_go()
    wait_until_idle(qtbot, docked)
    assert pipeline.batches <= 3 < BATCHES
    assert pipeline.closed.is_set()
    assert blocker.args == [STOPPED]
    assert docked.message.text == STOPPED
    assert docked.run_box.run_button.isEnabled()
    assert docked.session.current.analysis is None


def test_closing_the_dock_stops_the_worker(qtbot, docked, window, pipeline):
    click(qtbot, docked.run_box.run_button)
    pipeline.step()
    qtbot.waitUntil(lambda: pipeline.batches == 1, timeout=60_000)
    window.window.remove_dock_widget(docked)
    pipeline.let_go()
    qtbot.waitUntil(pipeline.closed.is_set, timeout=60_000)
    assert pipeline.batches <= 3 < BATCHES


def test_removing_the_slide_stops_the_worker_and_drops_the_result(qtbot, docked, window, pipeline):
    heard = []
    docked.session.analysis_changed.connect(heard.append)
    click(qtbot, docked.run_box.run_button)
    pipeline.step()
    qtbot.waitUntil(lambda: pipeline.batches == 1, timeout=60_000)
    window.layers.remove(window.layers["slide"])
    assert docked.session.current is None
    pipeline.let_go()
    wait_until_idle(qtbot, docked)
    assert pipeline.batches <= 3 < BATCHES
    assert heard == []
    assert not docked.run_box.run_button.isEnabled()


def test_maps_go_with_their_slide(qtbot, two_slides, viewer):
    viewer.layers.remove(viewer.layers["slide"])
    qtbot.waitUntil(lambda: len(viewer.layers) == 1, timeout=60_000)
    assert viewer.layers[0].name == "other"


def test_slide_and_maps_may_be_removed_together(qtbot, two_slides, viewer):
    viewer.layers.selection = [layer for layer in viewer.layers if layer.name != "other"]
    viewer.layers.remove_selected()
    qtbot.wait(50)
    assert [layer.name for layer in viewer.layers] == ["other"]


def test_closing_the_viewer_stops_the_worker(qtbot, make_napari_viewer, pipeline, slide_path):
    viewer = make_napari_viewer()
    panel = AnalysisPanel(viewer)
    panel.runner.work = pipeline.analyze
    viewer.window.add_dock_widget(panel, name="CRLM-SPA")
    panel.open_slide(str(slide_path))
    click(qtbot, panel.run_box.run_button)
    pipeline.step()
    qtbot.waitUntil(lambda: pipeline.batches == 1, timeout=60_000)
    viewer.close()
    pipeline.let_go()
    qtbot.waitUntil(pipeline.closed.is_set, timeout=60_000)
    assert pipeline.batches <= 3 < BATCHES


def test_removing_the_map_while_it_fills_harms_nobody(qtbot, docked, window, pipeline):
    click(qtbot, docked.run_box.run_button)
    pipeline.step()
    qtbot.waitUntil(lambda: len(layers_of_kind(window, "tissue_map")) == 1, timeout=60_000)
    window.layers.remove(layers_of_kind(window, "tissue_map")[0])
    with qtbot.waitSignal(docked.runner.ended, timeout=60_000):
        pipeline.let_go()
    wait_until_idle(qtbot, docked)
    assert len(layers_of_kind(window, "tissue_map")) == 1


# -- problems -----------------------------------------------------------------------------


def test_a_problem_of_the_users_is_a_sentence(qtbot, opened, pipeline):
    pipeline.error = ModelNotFound("There is no model 'x'. Choose another under Model.")
    with qtbot.waitSignal(opened.runner.failed, timeout=60_000):
        click(qtbot, opened.run_box.run_button)
        pipeline.step()
    wait_until_idle(qtbot, opened)
    assert opened.message.text == "There is no model 'x'. Choose another under Model."
    assert not opened.message.copy_button.isVisibleTo(opened.message)
    assert opened.run_box.run_button.isEnabled()


def test_a_fault_of_ours_keeps_its_details(qtbot, opened, pipeline):
    pipeline.error = RuntimeError("index 7 is out of bounds")
    with qtbot.waitSignal(opened.runner.failed, timeout=60_000) as blocker:
        click(qtbot, opened.run_box.run_button)
        pipeline.step()
    wait_until_idle(qtbot, opened)
    assert "index 7 is out of bounds" in opened.message.text
    assert opened.message.copy_button.isVisibleTo(opened.message)
    assert "Traceback" in blocker.args[1]


def test_without_an_output_folder_nothing_runs(qtbot, opened, pipeline):
    opened.settings.folder.setText("  ")
    click(qtbot, opened.run_box.run_button)
    assert "folder" in opened.message.text
    assert pipeline.calls == []


# -- two slides ---------------------------------------------------------------------------


@pytest.fixture
def two_slides(qtbot, opened, pipeline, slide_path, tmp_path):
    """A panel with an analyzed slide and another one, opened later."""
    run_to_end(qtbot, opened, pipeline)
    opened.open_slide(str(shutil.copy(slide_path, tmp_path / "other.tif")))
    return opened


def choose(panel, index):
    panel.slide_box.chooser.setCurrentIndex(index)
    panel.slide_box.chooser.activated.emit(index)


def test_each_slide_keeps_its_own_result(two_slides):
    assert two_slides.slide_box.chooser.currentText() == "other.tif"
    assert not two_slides.legend.isVisibleTo(two_slides)
    assert two_slides.features.table.rowCount() == 0
    choose(two_slides, 0)
    assert two_slides.legend.isVisibleTo(two_slides)
    assert two_slides.features.table.rowCount() == 5


def test_only_the_layers_of_the_chosen_slide_are_visible(two_slides, viewer):
    assert visible(viewer) == ["other"]
    choose(two_slides, 0)
    assert visible(viewer) == ["slide", "Tissue map · slide", "Tumor region · slide"]
    choose(two_slides, 1)
    assert visible(viewer) == ["other"]


def test_a_small_slide_beside_a_large_one_fills_the_canvas(qtbot, panel, viewer, tmp_path):
    small = write_slide(tmp_path / "small.tif", SLIDE_MPP / 4)
    panel.open_slide(str(small))
    qtbot.wait(50)
    alone = camera_of(viewer).zoom
    panel.open_slide(str(write_slide(tmp_path / "large.tif", SLIDE_MPP)))
    qtbot.wait(50)
    assert camera_of(viewer).zoom < alone / 2 or not hasattr(viewer, "canvas")
    choose(panel, 0)
    qtbot.wait(50)
    assert camera_of(viewer).zoom == pytest.approx(alone) or not hasattr(viewer, "canvas")


def test_the_controls_and_the_message_are_those_of_the_chosen_slide(two_slides, viewer):
    assert two_slides.message.text == ""
    choose(two_slides, 0)
    assert viewer.layers.selection.active.name == "Tissue map · slide"
    two_slides.message.tell("Done.")
    choose(two_slides, 1)
    assert viewer.layers.selection.active.name == "other"
    assert two_slides.message.text == ""


def visible(viewer):
    return [layer.name for layer in viewer.layers if layer.visible]


# -- doubts -------------------------------------------------------------------------------


def test_the_sentinel_stands_where_the_risk_is_read(qtbot, opened, pipeline):
    assert not opened.risk.sentinel.isVisibleTo(opened)
    run_to_end(qtbot, opened, pipeline)
    told = opened.session.current.analysis.sentinel
    assert not told.warns
    assert opened.risk.sentinel.text() == told.sentence
    assert opened.risk.sentinel.styleSheet() == ""


def test_a_slide_unlike_the_training_slides_gets_a_warning_with_the_way_out(
    qtbot, opened, pipeline, monkeypatch
):
    strange = known_map()
    strange.strangeness[strange.classes > 0] = 2
    monkeypatch.setattr(conftest, "known_map", lambda: strange)
    run_to_end(qtbot, opened, pipeline)
    text = opened.risk.sentinel.text()
    assert text.startswith("This slide looks unlike the training slides: 100%")
    assert "retrain" in text
    assert opened.risk.sentinel.styleSheet() == WARNING_STYLE
    opened.session.select(None)
    assert not opened.risk.sentinel.isVisibleTo(opened), "what is true of one slide stays with it"
