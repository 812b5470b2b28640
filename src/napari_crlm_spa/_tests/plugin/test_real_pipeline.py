"""The panel with the real pipeline: the command line's numbers, file by file."""

import csv
import json

import numpy as np
import pytest
from napari.components import ViewerModel
from typer.testing import CliRunner

from napari_crlm_spa.cli.main import app
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.plugin.layers import kind_of
from napari_crlm_spa.plugin.widgets.panel import AnalysisPanel
from napari_crlm_spa.plugin.worker import PipelineWorker


@pytest.fixture
def finished(qtbot, slide, color_model, options, tmp_path):
    """A panel that has analyzed the painted slide."""
    panel = AnalysisPanel(ViewerModel())
    qtbot.addWidget(panel)
    panel.open_slide(str(slide))
    panel.session.set_pixel_size(panel.session.current.id, options.mpp)
    panel.settings.choose_model(str(color_model))
    panel.settings._device.set("cpu")
    panel.settings.folder.setText(str(tmp_path / "gui"))
    with qtbot.waitSignal(panel.runner.ended, timeout=120_000):
        panel.run_box.run_button.click()
    qtbot.waitUntil(lambda: not panel.runner.busy, timeout=60_000)
    yield panel
    PipelineWorker.await_workers(60_000)
    panel.let_go()


def test_panel_and_command_line_give_identical_numbers(
    finished,
    slide,
    color_model,
    codes,
    options,
    tmp_path,
):
    told = CliRunner().invoke(
        app,
        [
            *("analyze", str(slide), "-o", str(tmp_path / "cli"), "--model", str(color_model)),
            *("--mpp", str(options.mpp), "--device", "cpu"),
        ],
        catch_exceptions=False,
    )
    assert told.exit_code == 0, told.output
    by_panel = finished.session.current.analysis.folder
    by_line = tmp_path / "cli" / by_panel.name
    assert by_panel == tmp_path / "gui" / by_panel.name
    for name in ("features.csv", "risk.json"):
        assert (by_panel / name).read_text() == (by_line / name).read_text()
    assert isinstance(finished.session.current.tissue_map, TissueMap)
    assert np.array_equal(finished.session.current.tissue_map.classes, codes)


def test_what_is_on_the_screen_is_what_is_in_the_files(finished, codes):
    (layer,) = [each for each in finished._viewer.layers if kind_of(each.metadata) == "tissue_map"]
    assert np.array_equal(layer.data, codes)
    folder = finished.session.current.analysis.folder
    with (folder / "features.csv").open(encoding="utf-8") as file:
        (written,) = csv.DictReader(file)
    shown = finished.features.table
    rows = {shown.text(row, 0): row for row in range(shown.rowCount())}
    assert shown.text(rows["Stroma"], 1) == f"{float(written['Overall_Stroma_ratio']):.4f}"
    assert shown.text(rows["Hepatocytes"], 3) == f"{float(written['Distal_Hepatocyte_ratio']):.4f}"
    risk = json.loads((folder / "risk.json").read_text())
    assert finished.risk.reason.text() == risk["reason"]
