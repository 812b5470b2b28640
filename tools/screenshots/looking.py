"""Features and the mixture lens, quality marks, contribution to the risk, other colors."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from tools.screenshots.correct import with_cutoffs
from tools.screenshots.desk import Desk
from tools.screenshots.slides import FAULTY

from napari_crlm_spa.plugin.map_view import MapKind

LEFT = Qt.MouseButton.LeftButton


def walk(slides: Path, out: Path) -> None:
    desk = Desk(out, slides)
    desk.ready()
    with_cutoffs(desk)
    _contribution(desk)
    _lens(desk)
    _quality(desk, slides)
    desk.close()


def _contribution(desk: Desk) -> None:
    panel = desk.panel
    desk.tab("Risk")
    desk.choose(panel.legend.bar.chooser, MapKind.CONTRIBUTION.value)
    desk.until(lambda: panel.effects.effects_of(desk.slide) is not None)
    desk.wait(1)
    desk.picture("contribution", desk.canvas, panel)


def _lens(desk: Desk) -> None:
    panel = desk.panel
    desk.tab("Features")
    lens = panel.features.lens
    desk.picture("features", panel.tabs, until=panel.features.lens_fold)
    desk.click(panel.features.lens_fold.heading)
    desk.scroll_to(panel.features.lens_fold)
    plot, near_um = lens.plot, lens.data.near_um
    start, end = plot.x_of(near_um), plot.x_of(near_um + 350)
    height = plot.height() // 2
    QTest.mousePress(plot, LEFT, pos=QPoint(round(start), height))
    for step in range(1, 6):
        QTest.mouseMove(plot, QPoint(round(start + (end - start) * step / 5), height))
        desk.wait(0.2)
    desk.picture("lens", desk.canvas, panel)
    QTest.mouseRelease(plot, LEFT, pos=QPoint(round(end), height))
    desk.click(lens.back_button)


def _quality(desk: Desk, slides: Path) -> None:
    panel, quality = desk.panel, desk.panel.tiles.quality
    panel.control.open(slides / FAULTY)
    desk.ready()
    desk.tab("Tiles")
    desk.click(quality.check_button)
    desk.until(lambda: desk.slide.quality is not None and not quality.job.busy)
    desk.click(quality.show_button)
    desk.viewer.reset_view()
    desk.picture("quality", desk.canvas, panel)
