"""The mixture lens: what is drawn is the core's, and the line moves thresholds, zones and risk."""

import numpy as np
import pandas as pd
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

from napari_crlm_spa._tests.plugin.conftest import make_analysis
from napari_crlm_spa.core.review.edits import Action
from napari_crlm_spa.core.review.lens import MOVED, lens_data
from napari_crlm_spa.core.spatial import Zone, spatial_features
from napari_crlm_spa.plugin.map_view import MapKind
from napari_crlm_spa.plugin.session import Session
from napari_crlm_spa.plugin.viewer_link import ViewerLink, open_slide_in
from napari_crlm_spa.plugin.widgets.lens import NOTHING, MixtureLens
from napari_crlm_spa.plugin.widgets.lens_plot import LEFT_PX, RIGHT_PX, LensPlot, tick_step


@pytest.fixture
def session(qtbot, slide_path, tmp_path):
    """A session with a slide under review in a viewer."""
    from qtpy.QtCore import QObject

    viewer, session, owner = ViewerModel(), Session(), QObject()
    link = ViewerLink(viewer, session, owner)
    open_slide_in(viewer, slide_path)
    session.show_analysis(session.current, make_analysis(tmp_path))
    yield session
    link.detach()


@pytest.fixture
def lens(session, qtbot):
    lens = MixtureLens(session)
    qtbot.addWidget(lens)
    lens.resize(430, 320)
    lens.show()
    return lens


def mouse(plot, kind, x_px, button=Qt.MouseButton.LeftButton):
    at = QPointF(x_px, plot.height() / 2)
    pressed = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else button
    event = QMouseEvent(
        kind, at, plot.mapToGlobal(at), button, pressed, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(plot, event)


def drag_to(qtbot, lens, um):
    plot = lens.plot
    mouse(plot, QEvent.Type.MouseButtonPress, plot.x_of(lens.data.near_um))
    mouse(plot, QEvent.Type.MouseMove, plot.x_of(um))
    mouse(plot, QEvent.Type.MouseButtonRelease, plot.x_of(um))


def test_the_figure_is_the_cores(lens, session):
    expected = lens_data(session.current.features, "HEP")
    assert lens.data.near_um == expected.near_um
    assert (lens.data.counts == expected.counts).all()
    assert lens.box.value() == pytest.approx(expected.near_um, abs=0.5)


def test_where_nothing_was_fitted_the_box_says_so(lens):
    lens.tissue.setCurrentIndex(lens.tissue.findData("STR"))
    assert lens.data.near_um is None
    assert lens.box.text() == "none"
    assert "tile" in lens.line.text()


def test_a_pixel_and_its_distance_are_the_same_place(lens):
    low, high = lens.data.edges_um[[0, -1]]
    for um in np.linspace(low, high, 7):
        assert lens.plot.um_at(lens.plot.x_of(um)) == pytest.approx(um)
    assert lens.plot.x_of(low) == LEFT_PX
    assert lens.plot.x_of(high) == lens.plot.width() - RIGHT_PX
    assert lens.plot.um_at(-50) == low


def test_dragging_moves_zones_features_and_the_map(lens, session, qtbot):
    review = session.current.review
    before = review.features.values["Distal_Hepatocyte_ratio"]
    heard = []
    session.review_changed.connect(heard.append)
    target_um = lens.data.near_um + 250
    drag_to(qtbot, lens, target_um)
    moved_um = review.mixture.tissues["HEP"].near_um
    assert moved_um == pytest.approx(target_um, abs=5)
    assert session.view.kind is MapKind.ZONES
    assert session.view.tissue == "HEP"
    assert heard == [session.current]
    expected = spatial_features(review.tissue_map, review.features.options, review.mixture)
    assert review.features.values == pytest.approx(expected.values, nan_ok=True)
    assert review.features.values["Distal_Hepatocyte_ratio"] < before
    near = review.features.distance_um <= moved_um
    liver = review.tissue_map.mask("HEP")
    assert (review.features.zone[liver & near] == Zone.INFILTRATING).all()


def test_only_where_the_line_is_dropped_is_logged(lens, session, qtbot):
    plot = lens.plot
    mouse(plot, QEvent.Type.MouseButtonPress, plot.x_of(lens.data.near_um))
    for um in (150, 300, 450):
        mouse(plot, QEvent.Type.MouseMove, plot.x_of(um))
        qtbot.wait(80)
    review = session.current.review
    last = pytest.approx(450, abs=5)
    qtbot.waitUntil(lambda: review.mixture.tissues["HEP"].near_um == last, timeout=60_000)
    assert not review.log
    mouse(plot, QEvent.Type.MouseButtonRelease, plot.x_of(450))
    assert [entry.action for entry in review.log] == [Action.THRESHOLDS]


def test_snapping_back_gives_the_numbers_of_the_analysis(lens, session, qtbot):
    assert not lens.back_button.isEnabled()
    drag_to(qtbot, lens, lens.data.near_um + 300)
    assert MOVED in lens.line.text().lower()
    assert lens.back_button.isEnabled()
    qtbot.mouseClick(lens.back_button, Qt.MouseButton.LeftButton)
    slide = session.current
    assert slide.review.mixture == slide.analysis.features.mixture
    assert slide.features.values == pytest.approx(slide.analysis.features.values, nan_ok=True)
    assert not lens.back_button.isEnabled()


def test_a_threshold_can_be_typed(lens, session):
    lens.box.setValue(336)
    assert session.current.review.mixture.tissues["HEP"].near_um == 336


def test_refit_fits_the_corrected_map(lens, session, qtbot):
    review = session.current.review
    review.correct(*np.nonzero(review.tissue_map.mask("STR")), "HEP")
    qtbot.mouseClick(lens.refit_button, Qt.MouseButton.LeftButton)
    expected = spatial_features(review.tissue_map, review.features.options)
    assert review.mixture == expected.mixture
    assert lens.data.near_um == expected.mixture.tissues["HEP"].near_um


def test_what_is_saved_is_what_is_drawn(lens, tmp_path):
    lens.save_to(tmp_path / "distances.csv")
    table = pd.read_csv(tmp_path / "distances.csv")
    assert table["tiles"].tolist() == lens.data.counts.tolist()
    assert table["from_um"].tolist() == pytest.approx(lens.data.edges_um[:-1])


def test_without_a_result_the_lens_says_what_to_do(qtbot):
    lens = MixtureLens(Session())
    qtbot.addWidget(lens)
    lens.grab()
    assert lens.line.text() == NOTHING
    assert not lens.refit_button.isEnabled()


def test_a_tissue_without_tiles_cannot_be_dragged(lens, session, qtbot):
    lens.tissue.setCurrentIndex(lens.tissue.findData("MUC"))
    assert lens.data.n_tiles == 0
    lens.grab()
    mouse(lens.plot, QEvent.Type.MouseButtonPress, 200)
    mouse(lens.plot, QEvent.Type.MouseButtonRelease, 200)
    assert not session.current.review.log


@pytest.mark.parametrize(("span", "step"), [(1.0, 0.2), (4900, 1000), (95, 20), (0, 1), (7, 2)])
def test_ticks_are_round(span, step):
    assert tick_step(span) == pytest.approx(step)


def test_an_empty_figure_draws_nothing(qtbot):
    plot = LensPlot()
    qtbot.addWidget(plot)
    plot.show_data(None)
    assert plot.grab().toImage().pixelColor(5, 5).name() == "#ffffff"
