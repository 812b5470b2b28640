"""What a user waits for in napari: opening a slide, panning, the first tile after Run.

    tools/with_screen.sh python benchmarks/viewer.py SLIDE [--side 40960] [--at-once]

Draws a slide of 40,960 x 40,960 px that repeats the middle of SLIDE, opens it in a real window and
prints Markdown tables: seconds until the first picture, milliseconds for each step of a pan at some
zooms (the middle of the screen moves by a third of it, each place is new), and seconds from Run
until the first tiles are painted with the default model, after the slide was looked at so long
that all was made ready meanwhile (`--at-once`: Run follows the opening, and nothing is ready).
CPU seconds stand beside them, of all threads, drawing by software included: on a machine that
does other work the wall clock says little.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from around_the_network import PATCH_PX, repeated

IMPORTS = (
    ("the plugin's package (napari's start)", "napari_crlm_spa.plugin"),
    ("the panel (when it is opened)", "napari_crlm_spa.plugin.widgets.panel"),
    ("the network (Run)", "napari_crlm_spa.core.classifier.runtime"),
)
PANS = 20
TIMEOUT_S = 120.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("slide", type=Path)
    parser.add_argument("--side", type=int, default=10 * PATCH_PX)
    parser.add_argument("--at-once", action="store_true")
    asked = parser.parse_args()
    print("| import | wall s | of it for numpy, napari's own |\n|---|---|---|")
    for name, module in IMPORTS:
        base = median(imported("numpy, napari, qtpy.QtWidgets") for _ in range(3))
        whole = median(imported(f"numpy, napari, qtpy.QtWidgets, {module}") for _ in range(3))
        print(f"| {name} | {whole - base:.2f} | {base:.2f} |")
    with tempfile.TemporaryDirectory() as folder:
        path = repeated(asked.slide, Path(folder) / "large.tif", asked.side // PATCH_PX)
        look(path, Path(folder) / "results", at_once=asked.at_once)


def imported(modules: str) -> float:
    """Return the seconds that a fresh interpreter needs to import modules."""
    code = f"import time; t = time.perf_counter(); import {modules}; print(time.perf_counter() - t)"
    return float(subprocess.check_output([sys.executable, "-c", code], text=True))


def look(path: Path, results: Path, *, at_once: bool) -> None:
    import napari

    from napari_crlm_spa.plugin import memory
    from napari_crlm_spa.plugin.viewer_look import camera_of
    from napari_crlm_spa.plugin.widgets.panel import AnalysisPanel

    for name in ("user_config_path", "user_cache_path"):
        setattr(memory, name, lambda *_, **__: results / "memory")
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1400, 900)
    panel = AnalysisPanel(viewer)
    viewer.window.add_dock_widget(panel, name="CRLM-SPA")
    panel.settings.set_results(str(results))
    until(lambda: panel.queue_box.parent() is not None)
    settled()
    opening = seconds(lambda: panel.open_slide(str(path)), lambda: bool(viewer.layers))
    print(f"\nOpened, first picture painted: {opening:.2f} s\n")
    if not at_once:
        pan_about(viewer, camera_of(viewer))
        until(lambda: not panel.warm_up.busy)
    painted = Painted(viewer)
    started = time.process_time()
    first = seconds(panel.run_box.run_button.click, lambda: painted.has_tiles)
    spent = time.process_time() - started
    print(f"\nRun to the first tiles, painted: {first:.2f} s (CPU {spent:.2f} s)")
    panel.let_go()
    viewer.close()


#: Of the drawn slide.
MPP = 0.5


def pan_about(viewer: object, camera: object) -> None:
    """Print how long a step of a pan takes at some zooms."""
    fit = camera.zoom
    print("| zoom | pan, median ms | worst ms | frames/s |\n|---|---|---|---|")
    for name, zoom in (("whole slide x 2", 2 * fit), ("x 8", 8 * fit), ("1 px = 1 px", 1 / MPP)):
        camera.zoom = zoom
        settled()
        steps = [pan(viewer, camera, number) for number in range(PANS)]
        print(
            f"| {name} | {1000 * median(steps):.0f} | {1000 * max(steps):.0f} | "
            f"{1 / median(steps):.0f} |"
        )


def pan(viewer: object, camera: object, number: int) -> float:
    """Move by a third of the canvas along a diagonal, to a place that was not seen yet."""
    step = 0.33 * 1000 / camera.zoom
    z, y, x = camera.center
    side_um = 40_000 * MPP

    def move() -> None:
        camera.center = (z, (y + step) % side_um, (x + step * 0.7) % side_um)

    return seconds(move, lambda: True)


class Painted:
    """Notices the first picture after the map's layer has taken tiles in."""

    def __init__(self, viewer: object) -> None:
        self.has_tiles = self._taken_in = False
        viewer.layers.events.inserted.connect(self._on_inserted)
        canvas = viewer.window._qt_viewer.canvas._scene_canvas
        canvas.events.draw.connect(self._on_draw, position="last")

    def _on_inserted(self, event: object) -> None:
        layer = event.value

        def on_set_data(_event: object) -> None:
            self._taken_in |= bool(np.asarray(layer.data).any())

        # Tiles are written into the layer's own array, of which it hears with a refresh only.
        layer.events.set_data.connect(on_set_data)

    def _on_draw(self, _event: object) -> None:
        self.has_tiles |= self._taken_in


def seconds(act: Callable[[], object], is_done: Callable[[], bool]) -> float:
    """Return the wall clock from an act until it is done and painted."""
    started = time.perf_counter()
    act()
    until(is_done)
    settled()
    return time.perf_counter() - started


def until(is_done: Callable[[], bool]) -> None:
    from qtpy.QtWidgets import QApplication

    started = time.perf_counter()
    while True:
        QApplication.processEvents()
        if is_done():
            return
        if time.perf_counter() - started > TIMEOUT_S:
            raise SystemExit("It took too long.")
        time.sleep(0.01)


def settled() -> None:
    from qtpy.QtWidgets import QApplication

    for _ in range(3):
        QApplication.processEvents()


if __name__ == "__main__":
    main()
