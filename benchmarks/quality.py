"""How long the quality check and the tile table take: ``python benchmarks/quality.py [RESULT]``.

With ``--tiles FOLDER`` (one folder of labeled tiles per class, 224 px at 0.5 µm/px) the tiles are
blurred by Gaussians: how far the sharpness falls, and how many tiles are taken for ink.

With a result folder of an analyzed slide (``crlm-spa analyze``), its tiles are checked and the time
is compared with that of their classification (from ``run.json``). The table is timed on a drawn
map of 800,000 tiles.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.pipeline import Analysis
from napari_crlm_spa.core.quality import QualityOptions, mark_quality
from napari_crlm_spa.core.quality.pixels import Measured, measure_block
from napari_crlm_spa.core.sentinel import watch_slide
from napari_crlm_spa.core.slide import SlideInfo, SlideLevel, open_slide
from napari_crlm_spa.core.spatial import spatial_features
from napari_crlm_spa.core.store import load_analysis
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.plugin.session import Session
from napari_crlm_spa.plugin.tile_csv import write_tile_csv
from napari_crlm_spa.plugin.tile_filter import matching
from napari_crlm_spa.plugin.tile_table import TileTable

BLURRED_TILES = 120
SIGMAS_UM = (0.75, 1.0, 1.5, 2.5)
SIDE = 895  # 801,025 tiles


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("result", type=Path, nargs="?", help="result folder of an analyzed slide")
    parser.add_argument("--tiles", type=Path, help="folder of labeled tiles")
    chosen = parser.parse_args()
    if chosen.tiles is not None:
        labeled_tiles(chosen.tiles)
    if chosen.result is not None:
        check(chosen.result)
    with tempfile.TemporaryDirectory() as folder:
        table(Path(folder))


def labeled_tiles(folder: Path) -> None:
    """Print sharpness and its loss by class, and the tiles that would be marked penned."""
    rng = np.random.default_rng(0)
    penned = total = 0
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = sorted(place.glob("*.jpg"))
        chosen = [files[i] for i in rng.permutation(len(files))[:BLURRED_TILES]]
        pictures = [np.asarray(Image.open(path).convert("RGB")) for path in chosen]
        sharp = np.array([measured(picture).sharpness[0, 0] for picture in pictures])
        above = sharp[sharp > np.median(sharp)] - np.median(sharp)
        line = f"{place.name:12} sharpness {np.median(sharp):.2f} ± {1.4826 * np.median(above):.2f}"
        for sigma_um in SIGMAS_UM:
            sigma = sigma_um / 0.5
            soft = [ndimage.gaussian_filter(picture, (sigma, sigma, 0)) for picture in pictures]
            blurred = np.array([measured(picture).sharpness[0, 0] for picture in soft])
            loss = np.median(sharp) - blurred
            found = np.mean(
                (loss > 0.5) & (loss > 3.5 * 1.4826 * max(float(np.median(above)), 0.01))
            )
            line += f"; {sigma_um:g} µm: loss {np.median(loss):.2f}, found {found:.0%}"
        marked = np.median(sharp) - sharp
        false = np.mean((marked > 0.5) & (marked > 3.5 * 1.4826 * float(np.median(above))))
        print(f"{line}; unblurred but marked {false:.1%}")
        for path in files:
            pen = measured(np.asarray(Image.open(path).convert("RGB"))).pen[0, 0]
            penned, total = penned + int(pen > QualityOptions().pen_share), total + 1
    print(f"{penned} of {total:,} tiles would be marked penned")


def measured(tile: NDArray[np.uint8]) -> Measured:
    """Measure a tile of 0.5 µm/px at 1 µm/px."""
    return measure_block(np.asarray(Image.fromarray(tile).reduce(2)), 1, 1, with_sharpness=True)


def check(result: Path) -> None:
    """Time the check of a real slide."""
    stored = load_analysis(result)
    with open_slide(stored.run["slide"]["path"]) as slide:
        start = time.perf_counter(), time.process_time()
        for _ in mark_quality(slide, stored.tissue_map):
            pass
        wall, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
    n_tiles = int(np.count_nonzero(stored.tissue_map.classes))
    classified_s = stored.run["seconds"].get("classifying", float("nan"))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{result.name}: {n_tiles:,} tiles checked in {wall:.1f} s ({cpu:.1f} s of CPU), ")
    print(f"  {n_tiles / wall:,.0f} tiles/s; classifying took {classified_s:.1f} s ")
    print(f"  ({wall / classified_s:.0%}); peak memory {peak_mb:,.0f} MB")


def table(folder: Path) -> None:
    """Time the table on a drawn map."""
    session = large_session(folder)
    slide = session.current
    assert slide is not None
    assert slide.review is not None
    tiles = timed("table made", lambda: TileTable(slide))
    everything = np.arange(len(tiles))
    timed(
        "sorted by entropy, first", lambda: tiles.sorted_by(everything, "entropy", descending=True)
    )
    timed("sorted again", lambda: tiles.sorted_by(everything, "entropy", descending=False))
    text = "entropy > 0.5 and class in (TUM, STR) and not accepted"
    kept = timed(f"filtered: {text}", lambda: matching(tiles, text))
    print(f"  {np.count_nonzero(kept):,} tiles kept")
    timed(
        "one screen of cells", lambda: [tiles.text(i, c) for i in range(40) for c in tiles.columns]
    )
    slide.review.correct([400], [400], "MUC")
    timed("table after an edit", lambda: TileTable(slide, earlier=tiles).values("class"))
    timed("all columns", tiles.compute_all)
    timed("CSV of all tiles", lambda: list(write_tile_csv(folder / "t.csv", tiles, everything)))


def timed(what: str, work: Callable[[], Any]) -> Any:
    """Do something, print how long it took."""
    start = time.perf_counter()
    found = work()
    print(f"{what}: {1000 * (time.perf_counter() - start):,.0f} ms")
    return found


def large_session(folder: Path) -> Session:
    """Draw a map of 800,000 tiles under review."""
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.full(len(CRLM7), 0.3), (SIDE, SIDE)).astype(np.float16)
    y, x = np.mgrid[:SIDE, :SIDE]
    shares[np.hypot(y - SIDE / 2, x - SIDE / 2) < SIDE / 4, CRLM7.index("TUM")] += 1
    shares /= shares.sum(axis=2, keepdims=True)
    tissue_map = TissueMap(
        classes=shares.argmax(axis=2).astype(np.uint8) + 1,
        probabilities=shares,
        strangeness=rng.random((SIDE, SIDE)).astype(np.float16),
        state=np.full((SIDE, SIDE), TileState.CLASSIFIED, np.uint8),
        edge=np.zeros((SIDE, SIDE), np.bool_),
        stride_um=112.0,
        origin_um=(0.0, 0.0),
        scheme=CRLM7,
    )
    features = spatial_features(tissue_map)
    analysis = Analysis(folder, tissue_map, features, None, watch_slide(tissue_map), {}, True)
    info = SlideInfo(
        path=Path("drawn.tif"),
        vendor="drawn",
        decoder="none",
        levels=(SlideLevel(100, 100, 1.0),),
        pixel_size=None,
        bounds_xy0=(0, 0, 100, 100),
        objective_power=None,
        icc_profile=False,
        associated_images=(),
        fingerprint="drawn",
    )
    session = Session()
    session.add_slide("drawn", info)
    assert session.current is not None
    session.show_analysis(session.current, analysis)
    return session


if __name__ == "__main__":
    main()
