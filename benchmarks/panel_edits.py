"""An edit through the whole panel: from the mouse or key to the last thing that is painted.

    OMP_NUM_THREADS=1 tools/with_screen.sh python benchmarks/panel_edits.py [--tiles 800000]

A real window with the whole panel, a slide-like map, the log on disk. Each step goes through Qt:
the mouse on the canvas, a key, a click in the legend. Prints a Markdown table by step and by the
tab in front: CPU time of all that the step causes within a second (delayed parts of the panel
included), and wall clock until the canvas is painted and until the last part of the panel is.
Budget: 200 ms for an edit, 100 ms for a class. CPU time is what counts on a machine with other
work; drawing by software (no GPU) is part of it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import napari
import numpy as np
from map_layers import drawn_map
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_crlm_spa._tests.plugin.canvas_mouse import CanvasMouse
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.pipeline import Analysis
from napari_crlm_spa.core.review import Action
from napari_crlm_spa.core.risk import assess_risk, load_risk_model
from napari_crlm_spa.core.sentinel import watch_slide
from napari_crlm_spa.core.slide import ArraySlide
from napari_crlm_spa.core.spatial import spatial_features
from napari_crlm_spa.plugin.tools.fill import FillRule
from napari_crlm_spa.plugin.tools.hand import Tool
from napari_crlm_spa.plugin.widgets.panel import AnalysisPanel

WATCHED_S = 1.0
#: Steps of more tiles are taken back before they are done again.
LARGE = 1000
#: Passes of the event loop that take longer did something.
BUSY_S = 0.0005
Step = Callable[[], object]


def main() -> None:
    """Open the window, do each step some times with each tab in front, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiles", type=int, default=800_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--tabs", default="Correct,Features,Risk,Doubt,Tiles")
    parser.add_argument("--steps", default="", help="only steps whose name has this in it")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        viewer = napari.Viewer(show=True)
        viewer.window.resize(1400, 900)
        panel = AnalysisPanel(viewer)
        viewer.window.add_dock_widget(panel, name="CRLM-SPA")
        open_map(panel, chosen.tiles, Path(place) / "drawn")
        mouse = CanvasMouse(viewer, panel)
        shape = panel.session.current.tissue_map.shape
        mouse.look_at((0, shape[0]), (0, shape[1]))
        watched(lambda: None)
        print(f"{shape[0] * shape[1]:,} tiles\n")
        print("| Tab | Step | CPU, median | CPU, worst | canvas, wall | all, wall |")
        print("|---|---|---|---|---|---|")
        for tab in chosen.tabs.split(","):
            panel.show_tab(tab)
            watched(lambda: None)
            for name, prepare, step in steps(panel, mouse):
                if chosen.steps in name:
                    tell(tab, name, [once(prepare, step) for _ in range(chosen.repeats)])
        panel.let_go()
        viewer.close()


def open_map(panel: AnalysisPanel, tiles: int, folder: Path) -> None:
    """Show a drawn map as if it were an analysis."""
    folder.mkdir()
    tissue_map = drawn_map(tiles)
    features = spatial_features(tissue_map)
    risk = None if features.refusal else assess_risk(features, load_risk_model())
    found = watch_slide(tissue_map)
    analysis = Analysis(folder, tissue_map, features, risk, found, {}, reused=False)
    picture = np.full((64, 64, 3), 230, np.uint8)
    panel.session.add_slide("drawn", ArraySlide(picture, mpp=1.0, path="drawn.svs").info)
    panel.session.show_analysis(panel.session.current, analysis)


def steps(panel: AnalysisPanel, mouse: CanvasMouse) -> Iterator[tuple[str, Step, Step]]:
    """Yield the name of a step, what comes before it and is not timed, and what is timed."""
    hand, session = panel.correct.hand, panel.session
    classes = session.current.tissue_map.classes
    n_rows, n_cols = classes.shape
    rng = np.random.default_rng(1)

    def place(name: str) -> tuple[int, int]:
        inner = np.argwhere(classes[60:-60, 60:-60] == CRLM7.code(name)) + 60
        row, col = inner[rng.integers(len(inner))]
        return int(row), int(col)

    def hold(tool: Tool, name: str, brush: int = 11) -> None:
        hand.take(tool)
        hand.choose_class(name)
        hand.set_brush(brush)

    def paint(of: str, to: str) -> tuple[Step, Step]:
        at = [0, 0]

        def before() -> None:
            at[:] = place(of)
            hold(Tool.BRUSH, to)
            mouse.press(*at)
            mouse.move(at[0], at[1] + 6)

        return before, lambda: release(mouse, at[0], at[1] + 6)

    yield "brush let go, liver to mucin", *paint("HEP", "MUC")
    yield "brush let go, liver to tumor", *paint("HEP", "TUM")
    yield "brush let go, tumor to stroma", *paint("TUM", "STR")
    yield "undo (key)", lambda: None, lambda: mouse.key(Qt.Key.Key_Z)
    yield "redo (key)", lambda: None, lambda: mouse.key(Qt.Key.Key_Y)

    low, high = 0.15, 0.85
    loop = [(low, low), (low, high), (high, high), (high, low), (low, low)]
    corners = [(row * n_rows, col * n_cols) for row, col in loop]

    def undone() -> None:
        hand.undo()
        QApplication.processEvents()

    def without() -> None:
        """Take the large step back that the repeat before made."""
        log = hand.review.log
        if log and log[-1].action is not Action.UNDO and len(log[-1].edit) > LARGE:
            undone()

    def lasso() -> None:
        without()
        hold(Tool.LASSO, "DEB")
        mouse.press(*corners[0])
        for at in corners[1:]:
            mouse.move(*at)

    yield "lasso let go, half of the map", lasso, lambda: release(mouse, *corners[-1])
    yield "the same, undone", lasso_done(lasso, mouse, corners[-1]), undone
    at = [0, 0]

    def fill() -> None:
        without()
        at[:] = place("HEP")
        hold(Tool.FILL, "MUC")
        hand.set_fill(FillRule())

    yield "fill of the liver", fill, lambda: mouse.click(*at)
    yield "all in view accepted (key)", without, hand.accept_view
    without()
    table = panel.legend.table

    def click_class() -> None:
        table.cellClicked.emit(table.row_of("HEP"), 0)

    yield "a class hidden or shown", lambda: hand.take(Tool.LOOK), click_class
    session.set_view(hidden=frozenset())


def lasso_done(lasso: Step, mouse: CanvasMouse, end: tuple[float, float]) -> Step:
    """Return a lasso that was let go."""

    def step() -> None:
        lasso()
        release(mouse, *end)

    return step


def release(mouse: CanvasMouse, row: float, col: float) -> None:
    """Let the button go."""
    mouse.release(row, col)


def once(prepare: Step, step: Step) -> tuple[float, float, float]:
    """Do a step after its preparation; see `watched`."""
    prepare()
    watched(lambda: None)
    return watched(step)


def watched(step: Step) -> tuple[float, float, float]:
    """Return CPU time, and wall time until the canvas and until everything is painted, in ms."""
    app = QApplication.instance()
    started, cpu = time.perf_counter(), time.process_time()
    step()
    for _ in range(3):
        app.processEvents()
    last = canvas = time.perf_counter()
    busy = time.process_time() - cpu
    while time.perf_counter() - started < WATCHED_S:
        before, cpu = time.perf_counter(), time.process_time()
        app.processEvents()
        now = time.perf_counter()
        if now - before > BUSY_S:
            last, busy = now, busy + time.process_time() - cpu
        time.sleep(0.002)
    return 1000 * busy, 1000 * (canvas - started), 1000 * (last - started)


def tell(tab: str, name: str, times: list[tuple[float, float, float]]) -> None:
    """Print a row."""
    cpu, canvas, last = zip(*times, strict=True)
    print(
        f"| {tab} | {name} | {median(cpu):.0f} | {max(cpu):.0f} "
        f"| {median(canvas):.0f} | {median(last):.0f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
