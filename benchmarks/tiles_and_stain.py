"""Stain normalization and blank rule on labeled tiles: time, agreement, losses.

    OMP_NUM_THREADS=1 python benchmarks/tiles_and_stain.py TILES [--per-class 60]

TILES holds one folder of 224 px tiles per class. Prints three Markdown tables: CPU
milliseconds per tile of one thread beside torchstain's; share of the pixels within 2 gray
levels of torchstain; tiles that the blank rule removes (of all tiles).
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from torchstain.numpy.normalizers.macenko import NumpyMacenkoNormalizer

from napari_crlm_spa.core.stain import StainNormalizer, StainOptions, estimate_slide_matrix
from napari_crlm_spa.core.tiles import TilingOptions, blank_fraction

PER_TILE = StainOptions(method="per_tile")


def read(paths: list[Path]) -> np.ndarray:
    return np.stack([np.asarray(Image.open(path).convert("RGB")) for path in paths])


def cpu_ms(work: Callable[[], object], tiles: int, repeats: int = 5) -> float:
    times = []
    for _ in range(repeats):
        start = time.thread_time()
        work()
        times.append((time.thread_time() - start) / tiles * 1e3)
    return min(times)


def torchstain(tile: np.ndarray) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return NumpyMacenkoNormalizer().normalize(tile, stains=False)[0]


def timings(tiles: np.ndarray) -> None:
    count = len(tiles)
    slide = estimate_slide_matrix(tiles, PER_TILE)
    per_tile = StainNormalizer(PER_TILE, slide)
    per_slide = StainNormalizer(StainOptions(method="per_slide"), slide)
    rows = {
        "per_tile": cpu_ms(lambda: per_tile.normalize(tiles), count),
        "per_slide": cpu_ms(lambda: per_slide.normalize(tiles), count),
        f"slide matrix from {count} tiles (once, in all)": cpu_ms(
            lambda: estimate_slide_matrix(tiles, PER_TILE), 1
        ),
        "blank rule": cpu_ms(lambda: blank_fraction(tiles, TilingOptions()), count),
        "torchstain, numpy": cpu_ms(lambda: [torchstain(tile) for tile in tiles], count, 2),
    }
    print("| step | CPU ms per tile |\n|---|---|")
    for name, milliseconds in rows.items():
        print(f"| {name} | {milliseconds:.2f} |")


def agreement(tiles: np.ndarray) -> tuple[list[float], int]:
    ours, fallback = StainNormalizer(PER_TILE).normalize(tiles)
    shares = [
        float((np.abs(mine.astype(int) - torchstain(tile)).max(axis=-1) <= 2).mean())
        for tile, mine, failed in zip(tiles, ours, fallback, strict=True)
        if not failed
    ]
    return shares, int(fallback.sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tiles", type=Path)
    parser.add_argument("--per-class", type=int, default=60)
    arguments = parser.parse_args()
    folders = [folder for folder in sorted(arguments.tiles.iterdir()) if any(folder.glob("*.jpg"))]
    chosen = {}
    for folder in folders:
        paths = sorted(folder.glob("*.jpg"))
        step = max(1, len(paths) // arguments.per_class)
        chosen[folder.name] = read(paths[::step][: arguments.per_class])
    stained = [tiles[:8] for name, tiles in chosen.items() if name not in ("BACK", "ADI")]
    timings(np.concatenate(stained))
    print(
        "\n| class | tiles | fell back | least share within 2 | mean share |\n|---|---|---|---|---|"
    )
    for name, tiles in chosen.items():
        shares, failed = agreement(tiles)
        least, mean = (min(shares), np.mean(shares)) if shares else (float("nan"),) * 2
        print(f"| {name} | {len(tiles)} | {failed} | {least:.4f} | {mean:.4f} |")
    print("\n| class | tiles | removed | median blank | largest blank |\n|---|---|---|---|---|")
    for folder in folders:
        blank = blank_fraction(read(sorted(folder.glob("*.jpg"))), TilingOptions())
        removed = int((blank > TilingOptions().blank_max).sum())
        print(
            f"| {folder.name} | {len(blank)} | {removed} | {np.median(blank):.2f} "
            f"| {blank.max():.2f} |"
        )


if __name__ == "__main__":
    main()
