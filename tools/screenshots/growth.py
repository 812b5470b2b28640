"""The dock of the growth pattern: the interface on the slide, its numbers, ribbon, gallery."""

from __future__ import annotations

from pathlib import Path

from tools.screenshots.desk import Desk

DOCK = "CRLM-SPA growth pattern"


def walk(slides: Path, out: Path) -> None:
    desk = Desk(out, slides)
    desk.ready()
    _, growth = desk.viewer.window.add_plugin_dock_widget("napari-crlm-spa", DOCK)
    desk.until(lambda: growth.desk is not None and growth.desk.keeper.measured is not None)
    desk.panel.session.set_view(outline=False)
    desk.wait(3)  # pictures of stretches are read one by one
    desk.picture("growth")
    measured, ribbon = growth.desk.measured, growth.desk.ribbon
    desk.scroll_to(measured.gallery)
    desk.picture("growth-gallery", growth)
    desk.click(measured.gallery.on)
    desk.click(measured.ribbon_button)
    _read(desk, ribbon)
    desk.picture("growth-ribbon")
    ribbon.view.show_all()
    _read(desk, ribbon)
    desk.picture("growth-ribbon-all", ribbon)
    desk.close()


def _read(desk: Desk, ribbon) -> None:
    """Wait for the pieces of the slide that are in view."""
    desk.wait(1)
    view = ribbon.view
    desk.until(lambda: all(view.pictures.known(piece) for piece in view._wanted()))
    desk.wait(1)
