"""The walk "Correct a map": brush, lasso, the group flips, the log, two readers."""

from __future__ import annotations

import json
from pathlib import Path

from qtpy.QtCore import Qt
from tools.screenshots.desk import Desk

SHIFT = Qt.KeyboardModifier.ShiftModifier
#: For pictures only: the paper prints no cut-offs. Chosen so that a few tiles decide the group.
MADE_UP = {
    "name": "made_up",
    "title": "Made-up cut-offs, for pictures only",
    "source": "Weights of equation 1 of the paper, which prints no cut-offs. These mean nothing.",
    "features": [
        {"column": "Overall_Debris_ratio", "coefficient": 0.31, "cutoff": 0.10},
        {"column": "Overall_Lymphocyte_ratio", "coefficient": -0.41, "cutoff": 0.05},
        {"column": "Distal_Hepatocyte_ratio", "coefficient": -0.31, "cutoff": 0.15},
        {"column": "TUM_HEP_interaction", "coefficient": 0.29, "cutoff": 0.025},
    ],
    "threshold": -0.35,
}


def with_cutoffs(desk: Desk) -> None:
    """Choose a risk model from a file, as the button … does."""
    path = Path("made-up-cut-offs.json").absolute()
    path.write_text(json.dumps(MADE_UP, indent=1))
    desk.panel.risk.choose(str(path))
    desk.wait(0.5)


def walk(slides: Path, out: Path) -> None:
    desk = Desk(out, slides)
    desk.ready()
    with_cutoffs(desk)
    desk.tab("Correct")
    _paint(desk)
    _read_the_log(desk)
    _compare(desk)
    desk.close()


def _paint(desk: Desk) -> None:
    panel, mouse = desk.panel, desk.mouse
    tab = panel.correct
    mouse.look_at((6, 24), (4, 24))
    mouse.key(Qt.Key.Key_5)  # stroma, with the brush
    mouse.press(9.5, 19.5)
    for col in (20.5, 21.5, 22.5, 23.5):
        mouse.move(9.5, col)
    desk.hover(9.5, 23.5)
    desk.picture("brush")
    mouse.release(9.5, 23.5)
    mouse.key(Qt.Key.Key_L)
    mouse.key(Qt.Key.Key_2)  # debris
    around = [(12, 8), (12, 12), (16, 13), (18, 11), (17, 7), (14, 6), (12, 8)]
    mouse.press(*around[0])
    for at in around[1:]:
        mouse.move(*at)
    desk.picture("lasso")
    mouse.release(*around[-1])
    desk.wait(0.5)
    desk.scroll_to(tab.live_box)
    desk.picture("live", panel.tabs)


def _read_the_log(desk: Desk) -> None:
    panel = desk.panel
    desk.scroll_to(panel.correct.log_box)
    desk.picture("log", panel.correct.log_box)


def _compare(desk: Desk) -> None:
    panel, mouse, tab = desk.panel, desk.mouse, desk.panel.correct
    desk.type_into(tab.reader_box.name, "Ben")
    desk.ready()
    mouse.key(Qt.Key.Key_3)
    mouse.drag((9.5, 19.5), (9.5, 23.5))
    desk.type_into(tab.reader_box.name, "Anna")
    desk.ready()
    desk.click(tab.compare_fold.heading)
    desk.click(tab.compare_box.compare_button)
    desk.until(lambda: tab.compare_box.found is not None)
    desk.scroll_to(tab.compare_fold)
    desk.picture("readers", panel.tabs)
    mouse.key(Qt.Key.Key_R, SHIFT)
    desk.wait(1)
