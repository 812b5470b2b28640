"""The first tiles of a run are on the map at once, those that follow soon after."""

import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QObject

from napari_crlm_spa._tests.plugin.conftest import BATCH, batch_of, known_grid, known_map
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.plugin.layers import kind_of
from napari_crlm_spa.plugin.session import Session
from napari_crlm_spa.plugin.viewer_link import ViewerLink, open_slide_in


@pytest.fixture(name="viewer")
def viewer_fixture():
    return ViewerModel()


@pytest.fixture(name="session")
def session_fixture(qtbot, viewer, slide_path):
    session, parent = Session(), QObject()
    link = ViewerLink(viewer, session, parent)
    open_slide_in(viewer, slide_path)
    yield session
    link.detach()
    parent.deleteLater()


def test_the_first_batch_is_taken_in_at_once_and_the_next_together(qtbot, viewer, session):
    run = session.begin_run(session.current.id, 0.0)
    session.take_progress(run, Progress("Finding tissue", 1, 1, changed=known_grid()), 0.0)
    (layer,) = [each for each in viewer.layers if kind_of(each.metadata) == "tissue_map"]
    shown = []
    layer.events.set_data.connect(lambda _: shown.append(int((layer.data > 0).sum())))
    whole, batches = known_map(), list(known_grid().batches(BATCH))[:4]
    for number, positions in enumerate(batches):
        scores = batch_of(whole, positions)
        session.take_progress(run, Progress("Classifying tiles", number, 9, changed=scores), 0.0)
    assert shown == [BATCH]
    qtbot.waitUntil(lambda: shown == [BATCH, 4 * BATCH])
