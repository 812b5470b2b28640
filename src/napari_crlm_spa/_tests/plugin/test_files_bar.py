"""What is saved is what is seen: the map under review, in the colors and the part in view."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest
from napari.components import ViewerModel
from PIL import Image
from qtpy.QtCore import QObject, Qt

from napari_crlm_spa._tests.plugin.conftest import STRIDE_UM, make_analysis
from napari_crlm_spa.core.review import reader_folder
from napari_crlm_spa.core.store import REPORT_HTML
from napari_crlm_spa.plugin.map_view import MapKind
from napari_crlm_spa.plugin.saving import Product, region_in_view, subject_of
from napari_crlm_spa.plugin.session import Session
from napari_crlm_spa.plugin.viewer_link import ViewerLink, open_slide_in
from napari_crlm_spa.plugin.widgets import files_bar
from napari_crlm_spa.plugin.widgets.files_bar import FilesBar
from napari_crlm_spa.plugin.widgets.message import Message
from napari_crlm_spa.plugin.worker import PipelineWorker


@pytest.fixture
def session(qtbot, slide_path, tmp_path):
    viewer, session, owner = ViewerModel(), Session(), QObject()
    link = ViewerLink(viewer, session, owner)
    session.set_reader("Ada")
    open_slide_in(viewer, slide_path)
    session.show_analysis(session.current, make_analysis(tmp_path / "result"))
    yield session
    link.detach()


@pytest.fixture
def bar(session, qtbot, monkeypatch):
    """The bar; what it would open in other programs is noted in `shown`."""
    bar = FilesBar(session, Message())
    bar.shown = []
    monkeypatch.setattr(files_bar, "show_file", bar.shown.append)
    qtbot.addWidget(bar)
    qtbot.addWidget(bar.job)
    qtbot.addWidget(bar._message)
    yield bar
    PipelineWorker.await_workers(60_000)


def save(qtbot, bar, product, path):
    with qtbot.waitSignal(bar.job.done, timeout=60_000):
        bar.save_to(product, path)
    assert path.name in bar._message.text


def correct(session, name="TUM"):
    review = session.current.review
    review.correct([5, 6], [4, 4], name)
    session.tell_review_changed(session.current)
    return review


def test_the_table_holds_the_corrected_classes(bar, session, qtbot, tmp_path):
    correct(session)
    save(qtbot, bar, Product.TABLE, tmp_path / "tiles.csv")
    table = pd.read_csv(tmp_path / "tiles.csv")
    here = table[(table["row"] == 5) & (table["col"] == 4)].iloc[0]
    assert here["class"] == "TUM"
    assert here["predicted"] == "STR"
    counts = session.current.tissue_map.counts()
    assert table["class"].value_counts()["TUM"] == counts["TUM"]


def test_later_edits_do_not_reach_what_is_being_saved(session):
    subject = subject_of(session.current, session.view)
    correct(session)
    assert subject.review.tissue_map.classes[5, 4] != session.current.tissue_map.classes[5, 4]


def test_qupath_gets_every_tile(bar, session, qtbot, tmp_path):
    save(qtbot, bar, Product.QUPATH, tmp_path / "tiles.geojson.gz")
    with gzip.open(tmp_path / "tiles.geojson.gz", "rt") as file:
        features = json.load(file)["features"]
    assert len(features) == np.count_nonzero(session.current.tissue_map.classes)


def test_a_figure_shows_the_part_in_view(bar, session, qtbot, tmp_path):
    tissue_map = session.current.tissue_map
    region = region_in_view(session.current, ((4, 5), (10, 15)))
    assert region == (5 * STRIDE_UM, 4 * STRIDE_UM, 10 * STRIDE_UM, 6 * STRIDE_UM)
    bar.ask_region(lambda: region)
    save(qtbot, bar, Product.FIGURE_IN_VIEW, tmp_path / "part.png")
    numbers = pd.read_csv(tmp_path / "part.csv")
    inside = tissue_map.classes[4:10, 5:15]
    told = dict(zip(numbers.iloc[:, 0], numbers["tiles"], strict=True))
    for name, tiles in told.items():
        if name in tissue_map.scheme.names:
            assert tiles == np.count_nonzero(inside == tissue_map.scheme.code(name)), name
    assert Image.open(tmp_path / "part.png").width > 1000


def test_the_report_of_an_uncorrected_slide_is_the_analysis_own(bar, session, qtbot):
    qtbot.mouseClick(bar.report_button, Qt.MouseButton.LeftButton)
    assert bar.shown == [session.current.analysis.folder / REPORT_HTML]


def test_the_report_of_a_corrected_slide_tells_the_corrections(bar, session, qtbot):
    correct(session)
    with qtbot.waitSignal(bar.job.done, timeout=60_000):
        qtbot.mouseClick(bar.report_button, Qt.MouseButton.LeftButton)
    (path,) = bar.shown
    assert path.parent == reader_folder(session.current.analysis.folder, "Ada")
    text = path.read_text("utf-8")
    assert "Ada" in text
    assert "Corrections" in text


def test_a_map_that_has_no_figure_is_refused_with_the_way_out(bar, session, qtbot, tmp_path):
    session.set_view(kind=MapKind.CONTRIBUTION)
    with qtbot.waitSignal(bar.job.failed, timeout=60_000):
        bar.save_to(Product.FIGURE, tmp_path / "push.png")
    assert "Choose another map" in bar._message.text
    assert not (tmp_path / "push.png").exists()


def test_without_a_result_nothing_can_be_saved(qtbot):
    bar = FilesBar(Session(), Message())
    qtbot.addWidget(bar)
    assert not bar.isEnabled()
