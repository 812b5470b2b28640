"""PyTorch is loaded ahead of Run, and only where a Run is likely."""

import pytest
from qtpy.QtCore import QObject

from napari_crlm_spa._tests.plugin.conftest import make_analysis
from napari_crlm_spa.core.slide import open_slide
from napari_crlm_spa.plugin import engine, warm_up
from napari_crlm_spa.plugin.session import Session
from napari_crlm_spa.plugin.warm_up import WarmUp


@pytest.fixture(name="loaded")
def loaded_fixture(monkeypatch):
    """What was loaded, instead of PyTorch."""
    loaded = []
    monkeypatch.setattr(engine, "load_torch", lambda: loaded.append("torch"))
    monkeypatch.setattr(warm_up, "AFTER_MS", 10)
    warm_up.load_in_background.cache_clear()
    yield loaded
    warm_up.load_in_background.cache_clear()


@pytest.fixture(name="session")
def session_fixture(qtbot, slide_path):
    session = Session()
    with open_slide(slide_path) as slide:
        session.add_slide("a", slide.info)
    return session


@pytest.fixture(name="waiting")
def waiting_fixture(session, loaded):
    parent = QObject()
    waiting = WarmUp(session, parent)
    yield waiting
    waiting.stop()


def test_a_slide_without_results_brings_it_once(qtbot, waiting, session, loaded):
    waiting.expect_run(session.current)
    qtbot.waitUntil(lambda: loaded == ["torch"])
    waiting.expect_run(session.current)
    qtbot.wait(60)
    assert loaded == ["torch"]


def test_a_slide_with_results_does_not(qtbot, waiting, session, loaded, tmp_path):
    session.show_analysis(session.current, make_analysis(tmp_path))
    waiting.expect_run(session.current)
    qtbot.wait(60)
    assert not loaded


def test_what_fails_is_left_to_run(qtbot, waiting, session, monkeypatch, caplog):
    def refuse():
        raise OSError("a library is missing")

    monkeypatch.setattr(engine, "load_torch", refuse)
    caplog.set_level("INFO", logger=warm_up.__name__)
    waiting.expect_run(session.current)
    qtbot.waitUntil(lambda: "could not be loaded ahead of Run" in caplog.text)
    assert "a library is missing" in caplog.text
