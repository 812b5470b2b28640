"""The walk "Correct a map": brush, lasso, the group flips, the log, two readers."""

from __future__ import annotations

import json
from pathlib import Path

from qtpy.QtCore import Qt
from tools.screenshots.desk import Desk, forget_readers

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
#: Around the tumor nodule in the liver, in tiles (row, column).
NODULE = (
    *((24.5, 31.5), (24.6, 33.2), (26, 34.4), (28, 34.2)),
    *((29.2, 32.5), (28.3, 30), (26, 29.6), (24.5, 31.5)),
)


def with_cutoffs(desk: Desk) -> None:
    """Choose a risk model from a file, as the button … does."""
    path = Path("made-up-cut-offs.json").absolute()
    path.write_text(json.dumps(MADE_UP, indent=1))
    desk.panel.risk.choose(str(path))
    desk.wait(0.5)


def walk(slides: Path, out: Path) -> None:
    forget_readers()
    desk = Desk(out, slides)
    desk.ready()
    with_cutoffs(desk)
    desk.tab("Correct")
    _paint(desk)
    _read_the_log(desk)
    _compare(desk)
    desk.close()


def _paint(desk: Desk) -> None:
    mouse = desk.mouse
    mouse.look_at((8, 31), (20, 38))
    mouse.key(Qt.Key.Key_4)  # lymphocytes, with the brush
    mouse.key(Qt.Key.Key_BracketLeft)
    mouse.press(11.5, 29.5)
    for at in ((12.5, 29.5), (13.5, 30.0), (14.5, 30.5), (15.5, 30.5)):
        mouse.move(*at)
    desk.hover(15.5, 30.5)
    desk.picture("brush", desk.canvas, desk.panel)
    mouse.release(15.5, 30.5)
    _lasso_nodule(desk)
    desk.wait(0.5)
    desk.hover(26, 29.6)
    desk.picture("flip", desk.canvas, desk.panel)


def _lasso_nodule(desk: Desk) -> None:
    """Call the small nodule in the liver debris."""
    desk.mouse.key(Qt.Key.Key_L)
    desk.mouse.key(Qt.Key.Key_2)
    desk.mouse.drag(*NODULE)


def _read_the_log(desk: Desk) -> None:
    desk.part("log", desk.panel.correct.log_box)


def _compare(desk: Desk) -> None:
    mouse, tab = desk.mouse, desk.panel.correct
    desk.type_into(tab.reader_box.name, "Ben")
    desk.ready()
    mouse.key(Qt.Key.Key_D)
    mouse.key(Qt.Key.Key_6)  # stroma
    mouse.drag((11.5, 29.5), (13.5, 30.0), (15.5, 30.5))
    _lasso_nodule(desk)
    desk.type_into(tab.reader_box.name, "Anna")
    desk.ready()
    desk.click(tab.compare_fold.heading)
    desk.click(tab.compare_box.compare_button)
    desk.until(lambda: tab.compare_box.found is not None)
    desk.part("readers", tab.compare_fold)
    mouse.key(Qt.Key.Key_R, SHIFT)
    desk.wait(1)
