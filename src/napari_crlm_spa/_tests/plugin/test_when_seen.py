"""Parts of the panel that nobody sees wait, and catch up when they are shown."""

import pytest
from qtpy.QtWidgets import QLabel, QTabWidget

from napari_crlm_spa.plugin.when_seen import WhenSeen


@pytest.fixture
def tabs(qtbot):
    found = QTabWidget()
    qtbot.addWidget(found)
    for name in ("front", "behind"):
        found.addTab(QLabel(name), name)
    return found


def follower(widget, every_ms):
    calls = []
    return WhenSeen(widget, lambda: calls.append(1), every_ms), calls


def test_what_is_in_front_follows_at_once_and_what_is_behind_when_it_is_shown(tabs, qtbot):
    tabs.show()
    qtbot.waitExposed(tabs, timeout=60_000)
    front, front_calls = follower(tabs.widget(0), 0)
    behind, behind_calls = follower(tabs.widget(1), 0)
    for _ in range(3):
        front.poke()
        behind.poke()
    assert (len(front_calls), len(behind_calls)) == (3, 0)
    assert behind.outdated
    tabs.setCurrentIndex(1)
    assert len(behind_calls) == 1
    assert not behind.outdated
    tabs.setCurrentIndex(0)
    tabs.setCurrentIndex(1)
    assert len(behind_calls) == 1


def test_many_pokes_are_followed_once_soon_and_once_later(tabs, qtbot):
    tabs.show()
    qtbot.waitExposed(tabs, timeout=60_000)
    seen, calls = follower(tabs.widget(0), 50)
    for _ in range(5):
        seen.poke()
    assert calls == []
    qtbot.waitUntil(lambda: len(calls) == 1, timeout=60_000)
    for _ in range(5):
        seen.poke()
    qtbot.waitUntil(lambda: len(calls) == 2, timeout=60_000)
    assert not seen.outdated


def test_a_widget_that_is_hidden_before_its_turn_waits(tabs, qtbot):
    tabs.show()
    qtbot.waitExposed(tabs, timeout=60_000)
    seen, calls = follower(tabs.widget(0), 50)
    seen.poke()
    tabs.setCurrentIndex(1)
    qtbot.wait(80)
    assert (calls, seen.outdated) == ([], True)
    tabs.setCurrentIndex(0)
    assert len(calls) == 1


def test_another_slide_is_shown_without_delay_and_what_was_stopped_never(tabs, qtbot):
    tabs.show()
    qtbot.waitExposed(tabs, timeout=60_000)
    seen, calls = follower(tabs.widget(0), 10_000)
    seen.at_once()
    seen.at_once()
    assert len(calls) == 2
    seen.poke()
    seen.stop()
    assert not seen.outdated


def test_in_a_window_that_is_not_shown_nothing_waits(tabs):
    behind, calls = follower(tabs.widget(1), 0)
    behind.poke()
    assert len(calls) == 1
