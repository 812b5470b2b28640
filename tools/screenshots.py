"""Pictures of napari with a slide: ``python tools/screenshots.py OUT [--slide PATH]``.

Needs a screen; on a machine without one, run it through ``tools/with_screen.sh``. Without
``--slide`` the drawn sample slide is taken. Does what a user would do, through the same buttons,
and saves the whole window after each step.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from PIL import Image

from napari_crlm_spa.core.classifier import runtime  # noqa: F401 - torch before Qt
from napari_crlm_spa.plugin import memory
from napari_crlm_spa.plugin.map_view import MapKind

WIDTH_PX, HEIGHT_PX = 1400, 900
TIMEOUT_S = 3600


def main() -> None:
    """Open the slide, run the analysis, and save a picture of each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument("--slide", type=Path, help="slide file; the drawn sample by default")
    parser.add_argument("--mpp", type=float, help="pixel size in µm/px, if the file names none")
    parser.add_argument("--prefix", default="", help="first part of the file names")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        # The user's own choices and results stay as they are.
        memory.user_config_path = lambda *_, **__: Path(folder) / "config"
        memory.user_documents_path = lambda: Path(folder)
        Tour(chosen.out, chosen.prefix).take(chosen.slide, chosen.mpp)


class Tour:
    """A viewer with the panel, and the pictures taken of it."""

    def __init__(self, out: Path, prefix: str) -> None:
        import napari

        self._out, self._prefix = out, prefix
        self.viewer = napari.Viewer(show=True)
        self.viewer.window.resize(WIDTH_PX, HEIGHT_PX)
        _, self.panel = self.viewer.window.add_plugin_dock_widget("napari-crlm-spa", "CRLM-SPA")
        self._wait(0.5)

    def take(self, slide: Path | None, mpp: float | None) -> None:
        """Walk through the panel."""
        from napari_crlm_spa.plugin.readers import sample_slide

        panel = self.panel
        panel.settings.folder.setText("crlm-spa-results")
        panel.open_slide(str(slide or sample_slide()))
        if panel.session.current is None:
            raise SystemExit(panel.message.text)
        if mpp is not None:
            panel.session.set_pixel_size(panel.session.current.id, mpp)
        self._wait(1.0)
        self.viewer.reset_view()
        self.picture("open")
        with tempfile.TemporaryDirectory() as results:
            self._analyze(Path(results))
            self._results()
        self.viewer.close()

    def _analyze(self, results: Path) -> None:
        panel = self.panel
        shown, panel.settings.output_folder = panel.settings.output_folder, lambda: results
        panel.run_box.run_button.click()
        panel.settings.output_folder = shown
        started, halfway = time.monotonic(), False
        while panel.runner.busy:
            self._wait(0.1)
            bar = panel.run_box.bar
            if not halfway and bar.maximum() > 1 and bar.value() > 0.45 * bar.maximum():
                halfway = True
                self.picture("running")
            if time.monotonic() - started > TIMEOUT_S:
                raise SystemExit("The analysis took too long.")
        if panel.session.current.analysis is None:
            raise SystemExit(panel.message.text)

    def _results(self) -> None:
        panel = self.panel
        panel.message.clear()
        self.picture("review")
        panel.tabs.setCurrentIndex(1)
        self._show(MapKind.ZONES)
        self.picture("zones")
        self._show(MapKind.INTERACTION)
        self.picture("interaction")
        self._show(MapKind.TISSUE)
        self.viewer.scene.camera.zoom *= 4
        self.picture("close-up")

    def _show(self, kind: MapKind) -> None:
        self.panel.session.set_view(kind=kind, tissue="HEP")

    def picture(self, name: str) -> None:
        """Save the whole window."""
        self._wait(1.0)
        path = self._out / f"{self._prefix}{name}.png"
        pixels = self.viewer.screenshot(canvas_only=False, flash=False)[..., :3]
        Image.fromarray(pixels).save(path, optimize=True)
        print(path)

    def _wait(self, seconds: float) -> None:
        from qtpy.QtCore import QEvent
        from qtpy.QtWidgets import QApplication

        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            time.sleep(0.01)


if __name__ == "__main__":
    main()
