"""The keeper computes for whoever asks, follows corrections, and drops what is overtaken."""

import threading

import numpy as np
import pytest

from napari_crlm_spa._tests.plugin.conftest import make_analysis
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.review import effects as effects_module
from napari_crlm_spa.core.review.effects import tile_effects
from napari_crlm_spa.core.slide import SlideInfo
from napari_crlm_spa.plugin.effects_keeper import EffectsKeeper
from napari_crlm_spa.plugin.session import Session

LONG_MS = 60_000


def opened(session, name, folder):
    """A slide of the known map under review."""
    info = SlideInfo.__new__(SlideInfo)
    session.add_slide(name, info)
    slide = session.slides[name]
    session.show_analysis(slide, make_analysis(folder))
    return slide


@pytest.fixture
def session():
    return Session()


@pytest.fixture
def keeper(session, qtbot):
    made = EffectsKeeper(session)
    yield made
    made.wanted = False
    qtbot.waitUntil(lambda: len(made._workers) == 0, timeout=LONG_MS)


def settled(qtbot, keeper, slide):
    qtbot.waitUntil(lambda: not keeper.stale(slide) and not keeper.busy, timeout=LONG_MS)


def exact(slide, columns):
    work = tile_effects(slide.features, columns)
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def model_columns(session):
    return [feature.column for feature in session.risk_model.features]


def test_nothing_is_computed_for_nobody(session, keeper, qtbot, tmp_path):
    slide = opened(session, "a", tmp_path)
    qtbot.wait(600)
    assert keeper.effects_of(slide) is None
    assert not keeper.busy
    assert keeper.stale(slide)


def test_effects_come_once_they_are_wanted(session, keeper, qtbot, tmp_path):
    slide = opened(session, "a", tmp_path)
    with qtbot.waitSignal(keeper.changed, timeout=LONG_MS) as heard:
        keeper.wanted = True
    assert heard.args == [slide]
    settled(qtbot, keeper, slide)
    found = keeper.effects_of(slide)
    assert list(found.columns) == model_columns(session)
    np.testing.assert_array_equal(found.without, exact(slide, found.columns).without)


def test_a_correction_is_followed(session, keeper, qtbot, tmp_path):
    slide = opened(session, "a", tmp_path)
    keeper.wanted = True
    settled(qtbot, keeper, slide)
    before = keeper.effects_of(slide)
    slide.review.correct([0, 0, 1], [0, 1, 1], "DEB")
    session.tell_review_changed(slide)
    assert keeper.stale(slide)
    assert keeper.effects_of(slide) is before
    settled(qtbot, keeper, slide)
    after = keeper.effects_of(slide)
    assert after.before[0] > before.before[0]
    np.testing.assert_array_equal(after.without, exact(slide, after.columns).without)
    assert (before.classes[0, :2] == 3).all()


def test_an_overtaken_answer_is_dropped(session, keeper, qtbot, tmp_path, monkeypatch):
    slide = opened(session, "a", tmp_path)
    begun, go_on = threading.Event(), threading.Event()
    seen = []

    def held(features, columns=None):
        seen.append(features)
        if len(seen) == 1:
            yield Progress("waiting", 0, 0)
            begun.set()
            assert go_on.wait(60)
        return (yield from tile_effects(features, columns))

    monkeypatch.setattr(effects_module, "tile_effects", held)
    keeper.wanted = True
    qtbot.waitUntil(begun.is_set, timeout=LONG_MS)
    slide.review.correct([0], [0], "DEB")
    session.tell_review_changed(slide)
    # The thread's map is its own: the correction is not seen there.
    assert seen[0].tissue_map.classes[0, 0] == 3
    qtbot.waitUntil(lambda: len(seen) == 2, timeout=LONG_MS)
    go_on.set()
    settled(qtbot, keeper, slide)
    qtbot.waitUntil(lambda: len(keeper._workers) == 0, timeout=LONG_MS)
    assert keeper.effects_of(slide).classes[0, 0] == 2


def test_another_risk_model_brings_its_features(session, keeper, qtbot, tmp_path):
    slide = opened(session, "a", tmp_path)
    keeper.wanted = True
    settled(qtbot, keeper, slide)
    keeper.want_columns(["TUM_LYM_interaction"])
    assert keeper.stale(slide)
    settled(qtbot, keeper, slide)
    assert keeper.effects_of(slide).columns[-1] == "TUM_LYM_interaction"
    session.set_risk_model("repo_2022")
    assert not keeper.stale(slide)


def test_the_slide_that_is_shown_is_kept(session, keeper, qtbot, tmp_path):
    first = opened(session, "a", tmp_path)
    keeper.wanted = True
    settled(qtbot, keeper, first)
    second = opened(session, "b", tmp_path)
    assert keeper.effects_of(first) is None
    settled(qtbot, keeper, second)
    assert keeper.effects_of(second) is not None


def test_a_failure_is_told(session, keeper, qtbot, tmp_path, monkeypatch):
    def broken(features, columns=None):
        yield Progress("working", 0, 0)
        raise ValueError("no such luck")

    monkeypatch.setattr(effects_module, "tile_effects", broken)
    opened(session, "a", tmp_path)
    with qtbot.waitSignal(keeper.failed, timeout=LONG_MS) as heard:
        keeper.wanted = True
    assert "no such luck" in heard.args[0]
    assert not keeper.busy


def test_a_closed_slide_is_forgotten(session, keeper, qtbot, tmp_path):
    slide = opened(session, "a", tmp_path)
    keeper.wanted = True
    settled(qtbot, keeper, slide)
    session.remove_slide("a")
    assert keeper.effects_of(slide) is None
    assert not keeper.busy


def test_asking_no_more_stops_the_work(session, keeper, qtbot, tmp_path, monkeypatch):
    begun, closed = threading.Event(), threading.Event()

    def endless(features, columns=None):
        try:
            while True:
                begun.set()
                closed.wait(0.01)
                yield Progress("working", 0, 0)
        finally:
            closed.set()

    monkeypatch.setattr(effects_module, "tile_effects", endless)
    slide = opened(session, "a", tmp_path)
    keeper.wanted = True
    qtbot.waitUntil(begun.is_set, timeout=LONG_MS)
    assert keeper.busy
    keeper.wanted = False
    assert not keeper.busy
    qtbot.waitUntil(closed.is_set, timeout=LONG_MS)
    assert keeper.effects_of(slide) is None
