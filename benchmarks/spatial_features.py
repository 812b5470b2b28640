"""Time of all 20 spatial features on drawn maps, from the classes to the numbers.

    OMP_NUM_THREADS=1 python benchmarks/spatial_features.py [--side 1000] [--repeats 5]

Prints a Markdown table of the best of some repeats: thresholds fitted to the map itself, and given
(as when a reader corrects tiles).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from scipy import ndimage

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.spatial import SpatialOptions, ZoneOptions, spatial_features
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.core.tissue_map import TissueMap

CODE = {name: CRLM7.code(name) for name in CRLM7.names}
TISSUES = [CODE[name] for name in ("DEB", "HEP", "LYM", "MUC", "STR")]


def tissue_map(classes: np.ndarray) -> TissueMap:
    return TissueMap(
        classes=classes.astype(np.uint8),
        probabilities=np.zeros((*classes.shape, len(CRLM7)), np.float16),
        strangeness=np.full(classes.shape, np.nan, np.float16),
        state=np.full(classes.shape, TileState.CLASSIFIED, np.uint8),
        edge=np.zeros(classes.shape, bool),
        stride_um=112.0,
        origin_um=(0.0, 0.0),
        scheme=CRLM7,
    )


def corner(side: int, rng: np.random.Generator) -> np.ndarray:
    classes = rng.choice(TISSUES, size=(side, side))
    classes[10:30, 10:30] = CODE["TUM"]
    return classes


def mixed(side: int, rng: np.random.Generator) -> np.ndarray:
    return rng.choice([*TISSUES, CODE["TUM"]], size=(side, side))


def slide_like(side: int, rng: np.random.Generator) -> np.ndarray:
    coarse, fine = (
        ndimage.gaussian_filter(rng.normal(size=(side, side)), sigma) for sigma in (side / 40, 3)
    )
    coarse, fine = coarse / coarse.std(), fine / fine.std()
    classes = np.full((side, side), CODE["HEP"])
    classes[fine > 1] = CODE["STR"]
    classes[fine < -1.5] = CODE["LYM"]
    classes[(fine > 0.5) & (fine < 0.6)] = CODE["MUC"]
    classes[(fine > 0.6) & (fine < 0.7)] = CODE["DEB"]
    classes[(coarse > 0.8) & (fine < 1.2)] = CODE["TUM"]
    return classes


def best(call: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args()
    rng = np.random.default_rng(0)
    print(f"| map of {chosen.side} x {chosen.side} | groups | fitted [s] | given [s] |")
    print("|---|---|---|---|")
    for draw in (slide_like, mixed, corner):
        drawn = tissue_map(draw(chosen.side, rng))
        for components in (2, 3):
            options = SpatialOptions(zones=ZoneOptions(components=components))
            model = spatial_features(drawn, options).mixture
            fitted = best(lambda d=drawn, o=options: spatial_features(d, o), chosen.repeats)
            given = best(lambda d=drawn, m=model: spatial_features(d, mixture=m), chosen.repeats)
            name = draw.__name__.replace("_", "-")
            print(f"| {name} | {components} | {fitted:.3f} | {given:.3f} |")


if __name__ == "__main__":
    main()
