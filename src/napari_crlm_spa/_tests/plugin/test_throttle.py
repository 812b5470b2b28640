"""What is costly is done now and then, however often it is asked for."""

import pytest
from qtpy.QtCore import QObject

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.plugin import throttle
from napari_crlm_spa.plugin.session import Session
from napari_crlm_spa.plugin.throttle import Throttle
from napari_crlm_spa.plugin.widgets.run_box import RunBox


@pytest.fixture(name="done")
def done_fixture():
    return []


@pytest.fixture(name="make")
def make_fixture(qtbot, done):
    parent = QObject()
    yield lambda **how: Throttle(lambda: done.append(1), parent, 30, **how)
    parent.deleteLater()


def test_many_pokes_are_one_action_a_while_later(qtbot, make, done):
    poked = make()
    for _ in range(5):
        poked.poke()
    assert not done
    qtbot.waitUntil(lambda: not poked.isActive())
    assert len(done) == 1


def test_at_once_the_first_poke_acts_and_the_others_wait(qtbot, make, done, monkeypatch):
    now_s = [1000.0]
    monkeypatch.setattr(throttle.time, "monotonic", lambda: now_s[0])
    poked = make(at_once=True)
    for _ in range(5):
        poked.poke()
    assert len(done) == 1
    qtbot.waitUntil(lambda: not poked.isActive())
    assert len(done) == 2
    poked.poke()
    assert len(done) == 2
    qtbot.waitUntil(lambda: not poked.isActive())
    now_s[0] += 0.03
    poked.poke()
    assert len(done) == 4


def test_of_many_reports_the_progress_bar_shows_the_first_and_the_latest(qtbot):
    session = Session()
    box = RunBox(session)
    qtbot.addWidget(box)
    session.begin_run("a", 0.0)
    shown = []
    box.bar.valueChanged.connect(shown.append)
    for done in range(1, 6):
        session.take_progress(session.run, Progress("Classifying tiles", done, 9), done)
    assert shown == [1]
    qtbot.waitUntil(lambda: shown == [1, 5])


def test_a_report_that_comes_before_the_end_is_not_shown_after_it(qtbot):
    session = Session()
    box = RunBox(session)
    qtbot.addWidget(box)
    run = session.begin_run("a", 0.0)
    for done in (1, 2):
        session.take_progress(run, Progress("Classifying tiles", done, 9), done)
    session.end_run(run)
    qtbot.wait(150)
    assert box.bar.value() == 1
