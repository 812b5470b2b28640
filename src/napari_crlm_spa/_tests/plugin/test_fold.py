"""A fold takes room only while it is open, and its heading says all that fits."""

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QTextEdit, QVBoxLayout, QWidget

from napari_crlm_spa.plugin.fold import Fold


@pytest.fixture
def fold(qtbot):
    """A closed fold above something that takes what room is left."""
    window = QWidget()
    qtbot.addWidget(window)
    content = QLabel("content")
    content.setFixedHeight(120)
    made = Fold("Setup", content)
    layout = QVBoxLayout(window)
    layout.addWidget(made)
    layout.addWidget(QTextEdit(), 1)
    window.resize(300, 500)
    window.show()
    yield made


def test_a_click_opens_it_and_it_leaves_its_room_when_closed(qtbot, fold):
    closed = fold.height()
    assert not fold.content.isVisible()
    qtbot.mouseClick(fold.heading, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: fold.height() >= closed + 120, timeout=60_000)
    with qtbot.waitSignal(fold.opened, timeout=60_000):
        qtbot.mouseClick(fold.heading, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: fold.height() == closed, timeout=60_000)


def test_a_long_heading_is_cut_and_waits_as_tooltip(qtbot, fold):
    long = "slide-2024-000123-HE.svs · 21.4 × 14.9 mm · 0.252 µm/px · model default on auto"
    fold.set_title(long)
    assert fold.title == long
    assert fold.heading.text().endswith("…")
    assert fold.heading.toolTip() == long
    fold.window().resize(1200, 500)
    qtbot.waitUntil(lambda: fold.heading.text() == long, timeout=60_000)
    assert fold.heading.toolTip() == ""


def test_a_long_heading_does_not_keep_the_panel_wide(qtbot, fold):
    fold.window().resize(1200, 500)
    fold.set_title("a long heading " * 12)
    assert fold.window().minimumSizeHint().width() < 300
