"""What Run needs is made ready ahead of it, and only where a Run is likely."""

import threading
from pathlib import Path

import pytest
from qtpy.QtCore import QObject

from napari_crlm_spa._tests.plugin.conftest import make_analysis
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.slide import open_slide
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin import engine, warm_up
from napari_crlm_spa.plugin.session import Session
from napari_crlm_spa.plugin.warm_up import WarmUp
from napari_crlm_spa.plugin.worker import PipelineWorker


class Making:
    """What is made ready, in two steps; the second waits until it may go on."""

    def __init__(self):
        self.begun, self.ended, self.closed = [], [], 0
        self.may_go_on = threading.Event()

    def get_ready(self, path, options):
        self.begun.append((path, options))
        try:
            yield Progress("Loading", 0, 1)
            assert self.may_go_on.wait(30)
            yield Progress("Loading", 1, 1)
            self.ended.append(path)
        finally:
            self.closed += 1


@pytest.fixture(name="making")
def making_fixture(monkeypatch):
    monkeypatch.setattr(warm_up, "AFTER_MS", 10)
    making = Making()
    yield making
    making.may_go_on.set()
    PipelineWorker.await_workers(60_000)


@pytest.fixture(name="session")
def session_fixture(qtbot, slide_path):
    session = Session()
    with open_slide(slide_path) as slide:
        session.add_slide("a", slide.info)
    return session


@pytest.fixture(name="make_waiting")
def make_waiting_fixture(session, making):
    parent = QObject()
    made = []

    def make(options_of=lambda _slide: "options", get_ready=making.get_ready):
        made.append(WarmUp(session, options_of, get_ready, parent))
        return made[-1]

    yield make
    for each in made:
        each.detach()


def test_a_slide_without_results_is_got_ready_with_the_options_of_run(
    qtbot, make_waiting, making, session
):
    waiting = make_waiting()
    making.may_go_on.set()
    waiting.expect_run(session.current)
    assert waiting.busy
    qtbot.waitUntil(lambda: not waiting.busy)
    assert making.begun == [(session.current.path, "options")]
    assert making.ended == [session.current.path]


def test_a_slide_with_results_is_not(qtbot, make_waiting, making, session, tmp_path):
    session.show_analysis(session.current, make_analysis(tmp_path))
    make_waiting().expect_run(session.current)
    qtbot.wait(60)
    assert not making.begun


def test_a_run_stops_it_at_the_next_report(qtbot, make_waiting, making, session):
    waiting = make_waiting()
    waiting.expect_run(session.current)
    qtbot.waitUntil(lambda: bool(making.begun))
    session.begin_run("a", 0.0)
    making.may_go_on.set()
    qtbot.waitUntil(lambda: making.closed == 1)
    assert not making.ended


def test_it_does_not_begin_beside_a_run(qtbot, make_waiting, making, session):
    waiting = make_waiting()
    waiting.expect_run(session.current)
    session.begin_run("a", 0.0)
    waiting.expect_run(session.current)
    assert not waiting.busy
    qtbot.wait(60)
    assert not making.begun


def test_what_fails_is_left_to_run(qtbot, make_waiting, session, caplog):
    def refuse(_path, _options):
        yield Progress("Loading", 0, 1)
        raise OSError("a library is missing")

    caplog.set_level("INFO", logger=warm_up.__name__)
    make_waiting(get_ready=refuse).expect_run(session.current)
    qtbot.waitUntil(lambda: "ready ahead" in caplog.text)
    assert "a library is missing" in caplog.text


def test_options_that_run_would_refuse_are_left_to_run(qtbot, make_waiting, making, session):
    def refuse(_slide):
        raise CrlmSpaError("out of range")

    waiting = make_waiting(options_of=refuse)
    waiting.expect_run(session.current)
    qtbot.waitUntil(lambda: not waiting.busy)
    assert not making.begun


def test_pytorch_is_loaded_before_the_rest(monkeypatch):
    done = []
    monkeypatch.setattr(engine, "load_torch", lambda: done.append("torch"))

    class Ahead:
        def get_ready(self, path, options):
            yield Progress("Loading the model", 0, 1)
            done.append((path, options))

    list(engine.get_ready(Path("a.svs"), "options", Ahead()))
    assert done == ["torch", (Path("a.svs"), "options")]
