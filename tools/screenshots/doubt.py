"""The Doubt tab: what would flip the group, what to look at next, how sure the score is."""

from __future__ import annotations

from pathlib import Path

from tools.screenshots.correct import with_cutoffs
from tools.screenshots.desk import Desk


def walk(slides: Path, out: Path) -> None:
    desk = Desk(out, slides)
    desk.ready()
    desk.panel.control.open(slides / "case-02.tif")
    desk.ready()
    with_cutoffs(desk)
    desk.tab("Doubt")
    tab = desk.panel.doubt
    _ask(desk, tab.flip)
    tab.flip.walk.step(1)
    desk.wait(2)
    desk.picture("doubt-flip")
    for name, box in (
        ("doubt-next", tab.queue),
        ("doubt-interval", tab.interval),
    ):
        desk.click(box.fold.heading)
        _ask(desk, box)
        desk.scroll_to(box.fold)
        desk.picture(name, desk.panel.tabs)
        desk.click(box.fold.heading)
    desk.close()


def _ask(desk: Desk, box) -> None:
    desk.click(box.run_button)
    desk.until(lambda: not box.job.busy)
    desk.wait(2)  # pictures of tiles are read one by one
