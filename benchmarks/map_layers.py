"""Time until a change of the map is on the screen, in a real viewer with the Tissue box beside.

    OMP_NUM_THREADS=1 tools/with_screen.sh python benchmarks/map_layers.py [--tiles 800000]

Prints a Markdown table of best, median and worst of some repeats: from the click to the end of the
drawing that it causes, the legend and the layer list's thumbnail included. Budget: 100 ms for a
class or an edit's refresh, 250 ms for another map. "Edit" is the map's part of a correction; the
features themselves are timed by `review_edits.py`, the whole panel by `panel_edits.py`. CPU time is
what counts on a machine with other work.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import napari
import numpy as np
from scipy import ndimage

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.pipeline import Analysis
from napari_crlm_spa.core.sentinel import watch_slide
from napari_crlm_spa.core.slide import ArraySlide
from napari_crlm_spa.core.spatial import spatial_features
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.plugin import hover
from napari_crlm_spa.plugin.map_view import MapKind
from napari_crlm_spa.plugin.session import Session, TileAt
from napari_crlm_spa.plugin.viewer_link import ViewerLink
from napari_crlm_spa.plugin.widgets.legend import LegendBox

STRIDE_UM = 112.0


def main() -> None:
    """Draw a map, change the view in every way, and print how long it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiles", type=int, default=800_000)
    parser.add_argument("--repeats", type=int, default=7)
    chosen = parser.parse_args()
    tissue_map = drawn_map(chosen.tiles)
    viewer = napari.Viewer(show=True)
    session = Session()
    box = LegendBox(session)
    viewer.window.add_dock_widget(box)
    link = ViewerLink(viewer, session, box)
    picture = np.full((64, 64, 3), 230, np.uint8)
    session.add_slide("a", ArraySlide(picture, mpp=1.0, path="drawn.svs").info)
    features = spatial_features(tissue_map)
    started = time.perf_counter()
    session.show_analysis(
        session.current,
        Analysis(Path(), tissue_map, features, None, watch_slide(tissue_map), {}, reused=False),
    )
    drawn(viewer)
    n_tiles, segments = tissue_map.classes.size, len(viewer.layers[-1].data)
    print(
        f"{n_tiles:,} tiles, {segments:,} lines of outline; first shown after "
        f"{1000 * (time.perf_counter() - started):.0f} ms\n"
    )
    print("| What | best, ms | median, ms | worst, ms | CPU, median, ms |")
    print("|---|---|---|---|---|")
    for name, steps in changes(session):
        times = [timed(viewer, step) for _, step in zip(range(chosen.repeats), steps, strict=False)]
        wall, busy = zip(*times, strict=True)
        print(
            f"| {name} | {min(wall):.0f} | {median(wall):.0f} | {max(wall):.0f} "
            f"| {median(busy):.0f} |",
            flush=True,
        )
    at = [(int(r), int(c)) for r, c in np.random.default_rng(0).integers(0, 800, (300, 2))]
    started = time.perf_counter()
    for row, col in at:
        hover.lines(hover.facts_of(session.current, row, col))
    each = 1000 * (time.perf_counter() - started) / len(at)
    tiles = iter(at)
    steps = (lambda: session.hover(TileAt("a", *next(tiles))) for _ in at)
    times = [timed(viewer, step) for _, step in zip(range(50), steps, strict=False)]
    wall, busy = zip(*times, strict=True)
    print(
        f"| pointer on another tile ({each:.2f} ms to look it up) | {min(wall):.1f} "
        f"| {median(wall):.1f} | {max(wall):.1f} | {median(busy):.1f} |"
    )
    link.detach()
    viewer.close()


def drawn_map(tiles: int) -> TissueMap:
    """Draw a slide-like map with probabilities."""
    side = round(tiles**0.5)
    rng = np.random.default_rng(0)
    coarse, fine = (
        ndimage.gaussian_filter(rng.normal(size=(side, side)), sigma) for sigma in (side / 40, 3)
    )
    coarse, fine = coarse / coarse.std(), fine / fine.std()
    logits = rng.normal(size=(side, side, len(CRLM7))).astype(np.float32)
    for name, values in {
        "HEP": np.full_like(fine, 2.5),
        "STR": 3 * fine,
        "LYM": -2 * fine,
        "DEB": 2 * fine - coarse,
        "TUM": np.where(coarse > 0.8, 8, -8),
    }.items():
        logits[..., CRLM7.index(name)] += values
    p = np.exp(logits)
    p /= p.sum(axis=2, keepdims=True)
    classes = (p.argmax(axis=2) + 1).astype(np.uint8)
    strangeness = rng.gamma(4, 0.15, (side, side)).astype(np.float16)
    state = np.full(classes.shape, TileState.CLASSIFIED, np.uint8)
    edge = np.zeros(classes.shape, bool)
    return TissueMap(
        classes, p.astype(np.float16), strangeness, state, edge, STRIDE_UM, (0.0, 0.0), CRLM7
    )


def changes(session: Session) -> Iterator[tuple[str, Iterator[Callable[[], object]]]]:
    """Yield what a reader does, and the same again and again."""

    def between(*views: dict[str, object]) -> Iterator[Callable[[], object]]:
        while True:
            for view in views:
                yield lambda view=view: session.set_view(**view)

    yield "hide or show a class", between({"hidden": frozenset({"HEP"})}, {"hidden": frozenset()})
    yield "palette", between({"palette": "color-blind safe"}, {"palette": "standard"})
    yield (
        "probability threshold",
        between(*({"min_probability": each / 10} for each in range(3, 9))),
    )
    yield (
        "hide a class, with a threshold",
        between({"hidden": frozenset({"HEP"})}, {"hidden": frozenset()}),
    )
    session.set_view(min_probability=0.0)
    yield "opacity", between({"opacity": 0.3}, {"opacity": 0.6})
    yield "blink", between({"blink": True}, {"blink": False})
    session.set_view(blink=False)
    for kind in MapKind:
        if kind not in (MapKind.TISSUE, MapKind.CONTRIBUTION, MapKind.QUALITY):
            yield (
                f"to {kind.value.lower()} and back",
                between({"kind": kind, "tissue": "STR"}, {"kind": MapKind.TISSUE}),
            )
    yield (
        "another tissue next to tumor",
        between(
            {"kind": MapKind.INTERACTION, "tissue": "HEP"},
            {"kind": MapKind.INTERACTION, "tissue": "STR"},
        ),
    )
    for kind in (MapKind.TISSUE, MapKind.INTERACTION, MapKind.DISTANCE):
        session.set_view(kind=kind)
        yield f"edit, {kind.value.lower()} shown", edits(session)


def edits(session: Session) -> Iterator[Callable[[], object]]:
    """Yield refreshes after a correction that was made before."""
    slide = session.current
    assert slide is not None
    review = slide.review
    assert review is not None
    while True:
        for name in ("LYM", "TUM"):
            rows, cols = np.mgrid[300:306, 300:306]
            review.correct(rows, cols, name)
            yield lambda: session.tell_review_changed(slide)


def timed(viewer: napari.Viewer, change: Callable[[], object]) -> tuple[float, float]:
    """Return wall clock and CPU time until a change is drawn, in ms."""
    started, busy = time.perf_counter(), time.process_time()
    change()
    drawn(viewer)
    return 1000 * (time.perf_counter() - started), 1000 * (time.process_time() - busy)


def drawn(_viewer: napari.Viewer) -> None:
    """Wait until everything that waits is drawn."""
    from qtpy.QtWidgets import QApplication

    for _ in range(3):
        QApplication.processEvents()


if __name__ == "__main__":
    main()
