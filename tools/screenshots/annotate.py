"""The walk "Annotate and retrain": areas, tiles, a new model beside the old one."""

from __future__ import annotations

import shutil
from pathlib import Path

from qtpy.QtCore import Qt
from tools.screenshots.desk import Desk, forget_readers

from napari_crlm_spa.plugin.annotating.drawing import LOOK

#: Key of a class, and a rectangle of its tissue in both drawn slides: rows, columns of tiles.
BOXES = (
    (Qt.Key.Key_7, (10, 13), (16, 25)),
    (Qt.Key.Key_3, (3, 5), (11, 33)),
    (Qt.Key.Key_2, (14, 18), (10, 16)),
    (Qt.Key.Key_4, (12, 17), (27, 29)),
    (Qt.Key.Key_6, (17, 22), (3, 6)),
    (Qt.Key.Key_5, (25, 27), (15, 20)),
)
#: A freehand line around the nodule in the liver.
NODULE = ((24.6, 31), (24.6, 33), (26, 34.2), (28, 34), (29.2, 32.5), (28.3, 30.4), (26, 29.8))


def walk(slides: Path, out: Path) -> None:
    forget_readers()
    shutil.rmtree("tiles", ignore_errors=True)
    desk = Desk(out, slides)
    desk.ready()
    desk.tab("Annotate")
    box = desk.panel.annotate.export_box
    _draw(desk)
    desk.picture("annotate")
    desk.click(desk.panel.annotate.export_fold.heading)
    desk.type_into(box.folder, "tiles")
    _export(desk, "P01")
    desk.panel.control.open(slides / "case-02.tif")
    desk.ready()
    _draw(desk)
    _export(desk, "P02")
    desk.part("export", desk.panel.annotate.export_fold)
    desk.click(desk.panel.annotate.export_fold.heading)
    _retrain(desk)
    desk.close()


def _draw(desk: Desk) -> None:
    panel, mouse = desk.panel, desk.mouse
    desk.click(panel.annotate.draw_box.start_button)
    mouse.draw()
    for key, rows, cols in BOXES:
        # Looking in between lets go of what was drawn last.
        desk.click(panel.annotate.draw_box.tools[LOOK])
        mouse.key(Qt.Key.Key_R)
        mouse.key(key)
        mouse.drag(*zip(rows, cols, strict=True))
        desk.wait(0.2)
    desk.click(panel.annotate.draw_box.tools[LOOK])
    mouse.key(Qt.Key.Key_L)
    mouse.key(Qt.Key.Key_7)
    mouse.drag(*NODULE, NODULE[0])
    desk.wait(0.5)


def _export(desk: Desk, patient: str) -> None:
    box = desk.panel.annotate.export_box
    desk.type_into(box.patient, patient)
    desk.click(box.export_button)
    desk.until(lambda: not box.job.busy and box.result is not None)
    desk.wait(1)


def _retrain(desk: Desk) -> None:
    tab = desk.panel.annotate
    box = tab.retrain_box
    desk.click(tab.retrain_fold.heading)
    desk.click(box.train_button)
    desk.until(lambda: not box.job.busy)
    desk.wait(1)
    desk.part("retrain", tab.retrain_fold)
    desk.click(box.discard_button)
