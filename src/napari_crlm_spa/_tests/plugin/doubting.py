"""A slide in doubt: the known map with a ring of unsure tiles, and a panel that asks about it."""

import json
from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from napari_crlm_spa._tests.plugin.conftest import make_analysis
from napari_crlm_spa._tests.plugin.correcting import in_front
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.risk import assess_risk, load_risk_model
from napari_crlm_spa.core.spatial import spatial_features
from napari_crlm_spa.plugin.widgets.panel import AnalysisPanel

#: The known map has little debris: three tiles more and the slide is in the high group.
DEBRIS_RAISES = {
    "name": "debris raises the risk",
    "features": [
        {"column": "Overall_Debris_ratio", "coefficient": 0.5, "cutoff": 0.0145},
        {"column": "Overall_Lymphocyte_ratio", "coefficient": -0.25, "cutoff": 0.5},
    ],
    "threshold": 0.5,
}


def unsure(tissue_map):
    """The map with tumor tiles that may be debris, the lower the less likely tumor."""
    probabilities = tissue_map.probabilities.copy()
    tumor, debris = CRLM7.index("TUM"), CRLM7.index("DEB")
    for step, row in enumerate(range(10, 15)):
        probabilities[row, 8:12] = 0
        probabilities[row, 8:12, debris] = 0.3 + 0.04 * step
        probabilities[row, 8:12, tumor] = 0.7 - 0.04 * step
    return replace(tissue_map, probabilities=probabilities)


def unsure_analysis(folder):
    """The analysis of the unsure map."""
    found = make_analysis(folder)
    tissue_map = unsure(found.tissue_map)
    features = spatial_features(tissue_map)
    model = load_risk_model("paper_eq1")
    return replace(
        found, tissue_map=tissue_map, features=features, risk=assess_risk(features, model)
    )


def model_file(folder):
    """A risk model with cut-offs."""
    path = folder / "debris.json"
    path.write_text(json.dumps(DEBRIS_RAISES))
    return path


@pytest.fixture(name="panel")
def panel_fixture(make_napari_viewer_proxy, slide_path, tmp_path):
    """The panel with the unsure slide, in a shown window, its Doubt tab in front."""
    viewer = make_napari_viewer_proxy(show=True)
    panel = AnalysisPanel(viewer)
    viewer.window.add_dock_widget(panel, name="CRLM-SPA")
    panel.open_slide(str(slide_path))
    panel.session.show_analysis(panel.session.current, unsure_analysis(tmp_path / "slide"))
    in_front(panel, panel.doubt)
    QApplication.processEvents()
    yield panel
    panel.let_go()


@pytest.fixture(name="asked")
def asked_fixture(panel, tmp_path, qtbot):
    """The same, with a risk model that has cut-offs."""
    panel.risk.choose(str(model_file(tmp_path)))
    qtbot.waitUntil(panel.doubt.flip.run_button.isEnabled, timeout=60_000)
    return panel


def ask(qtbot, box, timeout=20_000):
    """Press a box's button and wait for its answer."""
    box.fold.set_open(True)
    assert box.run_button.isEnabled(), box.note.text()
    with qtbot.waitSignal(box.job.done, timeout=timeout):
        box.run_button.click()
    QApplication.processEvents()
    return box.result


def states_at(review, tiles):
    """States of some tiles of a gallery."""
    return np.array([review.tissue_map.state[tile.row, tile.col] for tile in tiles])
