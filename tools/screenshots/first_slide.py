"""The walk "First slide": a folder of slides, the first run, looking at the map, the queue."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt
from tools.screenshots.desk import Desk

from napari_crlm_spa.plugin.map_view import MapKind

HALFWAY = 0.45


def walk(slides: Path, out: Path) -> None:
    desk = Desk(out, slides)
    _run(desk)
    _look(desk)
    _queue(desk)
    desk.close()


def _run(desk: Desk) -> None:
    panel = desk.panel
    desk.picture("open")
    desk.click(panel.run_box.run_button)
    bar = panel.run_box.bar
    desk.until(lambda: bar.maximum() > 1 and bar.value() > HALFWAY * bar.maximum())
    desk.picture("running")
    desk.until(lambda: not panel.runner.busy)
    desk.ready()
    desk.tab("Risk")
    desk.picture("review")


def _look(desk: Desk) -> None:
    panel, bar = desk.panel, desk.panel.legend.bar
    map_and_legend = (desk.canvas, panel.legend)
    desk.mouse.look_at((8, 20), (18, 34))
    desk.hover(13.5, 24.5)
    desk.picture("hover", *map_and_legend)
    desk.viewer.reset_view()
    desk.hover(0.5, 0.5)
    desk.pointer = None
    desk.legend_row("TUM", double=True)
    desk.picture("solo", *map_and_legend)
    desk.legend_row("TUM", double=True)
    desk.choose(bar.chooser, MapKind.ZONES.value)
    desk.picture("zones", *map_and_legend)
    desk.choose(bar.chooser, MapKind.CONFIDENCE.value)
    desk.picture("confidence", *map_and_legend)
    desk.choose(bar.chooser, MapKind.TISSUE.value)


def _queue(desk: Desk) -> None:
    panel, box = desk.panel, desk.panel.queue_box
    desk.click(box.run_button)
    desk.until(lambda: bool(panel.control.batch and panel.control.batch.at == 2))
    desk.wait(3)
    desk.picture("queue-running", box)
    desk.until(lambda: not panel.runner.busy and panel.control.batch is None)
    desk.mouse.key(Qt.Key.Key_N)
    desk.ready()
    desk.type_into(box.note, "portal tract at the left: look again")
    desk.picture("queue", box)
