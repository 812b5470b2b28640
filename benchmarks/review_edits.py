"""Time of corrections on a drawn map of 800,000 tiles: features, risk and the log on disk included.

    OMP_NUM_THREADS=1 python benchmarks/review_edits.py [--rows 800] [--cols 1000] [--repeats 15]

Prints Markdown tables: median and worst of some repeats of each step, the opening of a review with
many corrections, and the state of 1000 slides for a queue.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from spatial_features import CODE, slide_like, tissue_map

from napari_crlm_spa.core.pipeline import Analysis
from napari_crlm_spa.core.review import Review, open_review, review_state
from napari_crlm_spa.core.risk import assess_risk, load_risk_model
from napari_crlm_spa.core.sentinel import watch_slide
from napari_crlm_spa.core.spatial import spatial_features
from napari_crlm_spa.core.store import AnalysisFolder

MODEL = load_risk_model()
BRUSH = 5


def analysis(rows: int, cols: int, folder: Path) -> Analysis:
    classes = slide_like(max(rows, cols), np.random.default_rng(0))[:rows, :cols]
    drawn = tissue_map(classes)
    features = spatial_features(drawn)
    risk = assess_risk(features, MODEL)
    return Analysis(folder, drawn, features, risk, watch_slide(drawn), {}, reused=False)


def disc(row: int, col: int, radius: int) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    inside = np.hypot(y, x) <= radius + 0.5
    return y[inside] + row, x[inside] + col


def places(review: Review, name: str, number: int) -> np.ndarray:
    """Tiles of a class, spread over the map, with room for the brush."""
    inner = review.predicted.classes[BRUSH:-BRUSH, BRUSH:-BRUSH]
    found = np.argwhere(inner == CODE[name]) + BRUSH
    return found[np.linspace(0, len(found) - 1, number).astype(int)]


def no_tumor(review: Review, row: int, col: int) -> tuple[np.ndarray, np.ndarray]:
    r, c = disc(row, col, BRUSH)
    keep = review.tissue_map.classes[r, c] != CODE["TUM"]
    return r[keep], c[keep]


def spent(call: Callable[[], object]) -> tuple[float, float]:
    """Wall clock and CPU time of a call in ms; the second counts on a machine with other work."""
    start, busy = time.perf_counter(), time.process_time()
    call()
    return 1000 * (time.perf_counter() - start), 1000 * (time.process_time() - busy)


def row(name: str, times: list[tuple[float, float]]) -> None:
    wall, busy = zip(*times, strict=True)
    print(
        f"| {name} | {statistics.median(wall):.0f} | {max(wall):.0f} | "
        f"{statistics.median(busy):.0f} | {max(busy):.0f} |"
    )


def edits(review: Review, repeats: int) -> None:
    print("| step | median [ms] | worst | median CPU | worst CPU |\n|---|---|---|---|---|")
    liver, tumor = places(review, "HEP", repeats), places(review, "TUM", repeats)
    strokes = [no_tumor(review, *at) for at in liver]
    row(
        "brush of 97 tiles, no tumor tile changes",
        [spent(lambda s=s: review.correct(*s, "MUC")) for s in strokes],
    )
    row("the same, undone", [spent(review.undo) for _ in strokes])
    row(
        "brush of 97 tiles, liver becomes tumor",
        [spent(lambda at=at: review.correct(*disc(*at, BRUSH), "TUM")) for at in liver],
    )
    row(
        "brush of 97 tiles, tumor becomes stroma",
        [spent(lambda at=at: review.correct(*disc(*at, BRUSH), "STR")) for at in tumor],
    )
    row(
        "97 tiles accepted", [spent(lambda at=at: review.accept(*disc(*at, BRUSH))) for at in liver]
    )
    square = [axis.ravel() for axis in np.mgrid[100:300, 100:300]]
    row(
        "lasso of 40,000 tiles set aside, and undone",
        [
            spent(step)
            for _ in range(3)
            for step in (lambda: review.set_aside(*square), review.undo)
        ],
    )
    other = review.mixture.model_copy(update={"source": "moved"})
    steps = [other.model_copy(update={"source": f"{i}"}) for i in range(repeats)]
    row(
        "a threshold dragged (not logged)",
        [spent(lambda m=m: review.set_mixture(m, passing=True)) for m in steps],
    )
    row("refit", [spent(review.refit) for _ in range(3)])
    row(
        "from nothing, for comparison",
        [
            spent(
                lambda: spatial_features(review.tissue_map, review.features.options, review.mixture)
            )
            for _ in range(repeats)
        ],
    )


def queue(parent: Path) -> None:
    slides = 1000
    for number in range(slides):
        folder = AnalysisFolder(parent / f"slide-{number:04d}")
        folder.path.mkdir()
        folder.write_run({"identity": "0" * 64})
        for reader in ("ada", "ben"):
            place = folder.path / "readers" / reader
            place.mkdir(parents=True)
            line = '{"n": 1, "corrected_tiles": 42}\n'
            (place / "edits.jsonl").write_text('{"reader": "ada"}\n' + line)
            (place / "review.json").write_text('{"reviewed": true, "identity": ""}')
    folders = [parent / f"slide-{number:04d}" for number in range(slides)]
    took, _ = spent(lambda: [review_state(folder) for folder in folders])
    print(f"\nState of {slides} slides with two readers each: {took:.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=800)
    parser.add_argument("--cols", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=15)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        made = analysis(chosen.rows, chosen.cols, Path(place) / "slide")
        review = open_review(made, MODEL, "ada")
        print(f"{chosen.rows} x {chosen.cols} tiles, {made.features.counts['TUM']:,} of tumor\n")
        edits(review, chosen.repeats)
        if review.problem:
            raise SystemExit(review.problem)
        took, _ = spent(lambda: open_review(made, MODEL, "ada"))
        print(f"\nOpening a review with {len(review.log)} steps: {took:.0f} ms")
        queue(Path(place))


if __name__ == "__main__":
    main()
