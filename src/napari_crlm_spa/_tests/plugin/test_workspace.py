"""Sessions in a real viewer: saved, opened again, and remembered by themselves."""

import pytest
from qtpy.QtCore import Qt

from napari_crlm_spa._tests.plugin.made_results import copies_of, write_finished
from napari_crlm_spa.plugin.map_view import MapKind
from napari_crlm_spa.plugin.memory import last_session_file, recall
from napari_crlm_spa.plugin.queue_sources import QueuedSlide
from napari_crlm_spa.plugin.viewer_look import camera_of
from napari_crlm_spa.plugin.widgets.panel import AnalysisPanel
from napari_crlm_spa.plugin.worker import PipelineWorker

WAIT_MS = 60_000
PALETTE = "color-blind safe"


@pytest.fixture
def window(make_napari_viewer_proxy):
    return make_napari_viewer_proxy()


@pytest.fixture
def make_panel(qtbot, window):
    def make():
        panel = AnalysisPanel(window)
        window.window.add_dock_widget(panel, name="CRLM-SPA")
        return panel

    yield make
    PipelineWorker.await_workers(WAIT_MS)


@pytest.fixture
def slides(slide_path, tmp_path):
    return copies_of(slide_path, tmp_path / "slides", 3)


@pytest.fixture
def at_work(qtbot, make_panel, window, slides, tmp_path):
    """A reader in the middle of a session."""
    panel = make_panel()
    write_finished(tmp_path / "out", slides[1])
    panel.settings.set_results(str(tmp_path / "out"))
    panel.control.take([QueuedSlide(slides[0], 2.0, "P1"), *map(QueuedSlide, slides[1:])])
    panel.control.open(slides[1])
    qtbot.waitUntil(lambda: panel.session.current.analysis is not None, timeout=WAIT_MS)
    panel.session.set_reader("anna")
    panel.session.set_view(kind=MapKind.ENTROPY, opacity=0.25, palette=PALETTE)
    panel.session.set_view(hidden=frozenset({"HEP"}), min_probability=0.6)
    panel.show_tab("Features")
    panel.risk.choose("repo_2022")
    qtbot.wait(50)
    camera_of(window).center = (0.0, 700.0, 900.0)
    camera_of(window).zoom = 0.75
    return panel


def close(panel, window):
    window.window.remove_dock_widget(panel)
    window.layers.clear()


def is_restored(panel, window, slides):
    camera = camera_of(window)
    current = panel.session.current
    return (
        current is not None
        and current.path == slides[1]
        and current.analysis is not None
        and tuple(camera.center)[-2:] == pytest.approx((700, 900))
        and camera.zoom == pytest.approx(0.75)
    )


def test_a_saved_session_comes_back_whole(qtbot, at_work, window, make_panel, slides, tmp_path):
    file = tmp_path / "monday.crlm-session.json"
    at_work.queue_box.save_wanted.emit(file)
    assert at_work.message.text == "The session is saved as monday.crlm-session.json."
    close(at_work, window)
    again = make_panel()
    again.settings.set_results(str(tmp_path / "elsewhere"))
    again.session.set_reader("ben")
    with qtbot.waitSignal(again.workspace.restored, timeout=WAIT_MS):
        again.queue_box.session_wanted.emit(file)
    qtbot.waitUntil(lambda: is_restored(again, window, slides), timeout=WAIT_MS)
    assert again.queue.entries[0].slide == QueuedSlide(slides[0], 2.0, "P1")
    assert len(again.queue) == 3
    view = again.session.view
    assert (view.kind, view.opacity, view.palette) == (MapKind.ENTROPY, 0.25, PALETTE)
    assert (view.hidden, view.min_probability) == ({"HEP"}, 0.6)
    assert again.session.reader == "anna"
    assert again.session.risk_model_name == "repo_2022"
    assert again.settings.folder.text() == str(tmp_path / "out")
    assert again.tabs.tabText(again.tabs.currentIndex()) == "Features"


def test_what_is_missing_is_told_and_the_rest_comes_back(
    qtbot, at_work, window, make_panel, slides, tmp_path
):
    file = tmp_path / "monday.crlm-session.json"
    at_work.workspace.save(file)
    close(at_work, window)
    slides[2].unlink()
    again = make_panel()
    with qtbot.waitSignal(again.workspace.restored, timeout=WAIT_MS):
        again.workspace.open(file)
    assert again.message.text == "slide-3.tif is no longer where the session says; left out."
    assert len(again.queue) == 2
    assert again.session.current.path == slides[1]


def test_another_file_is_refused_with_a_sentence(make_panel, tmp_path):
    (tmp_path / "x.json").write_text("{}")
    panel = make_panel()
    panel.workspace.open(tmp_path / "x.json")
    assert "is no session" in panel.message.text


def test_a_session_that_cannot_be_written_is_told(at_work, tmp_path):
    (tmp_path / "file").write_text("")
    at_work.workspace.save(tmp_path / "file" / "s.json")
    assert "could not be written" in at_work.message.text


def test_one_continues_where_one_left(qtbot, at_work, window, make_panel, slides):
    close(at_work, window)
    again = make_panel()
    button = again.queue_box.continue_button
    qtbot.waitUntil(lambda: button.isVisibleTo(again.queue_box), timeout=WAIT_MS)
    assert button.text() == "Continue where you left\n(3 slides, slide-2.tif)"
    assert again.session.current is None
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: is_restored(again, window, slides), timeout=WAIT_MS)
    assert not button.isVisibleTo(again.queue_box)


def test_the_session_is_kept_while_one_works(qtbot, at_work):
    last_session_file().unlink(missing_ok=True)
    at_work.show_tab("Doubt")
    qtbot.waitUntil(last_session_file().exists, timeout=WAIT_MS)
    assert recall()["tab"] == "Doubt"


def test_the_look_is_remembered_but_one_begins_with_the_tissue_map(at_work, window, make_panel):
    close(at_work, window)
    again = make_panel()
    view = again.session.view
    assert (view.opacity, view.palette, view.hidden) == (0.25, PALETTE, {"HEP"})
    assert view.kind is MapKind.TISSUE
    assert again.tabs.tabText(again.tabs.currentIndex()) == "Features"
    assert again.preferences["palette"] == PALETTE


def test_the_first_start_offers_nothing(make_panel):
    panel = make_panel()
    assert not panel.queue_box.continue_button.isVisibleTo(panel.queue_box)
