"""How much of real slides and labeled tiles looks unlike a model's training tiles.

    python benchmarks/strangeness_of_slides.py --model MODEL --slides SLIDES --tiles TILES

Prints two Markdown tables: for each file in SLIDES the share of its classified tiles with a
strangeness above 1, and the same for each class of each slide in TILES (a folder with a
manifest, whose test split is left alone). Classes outside the model's scheme (fat, normal
mucosa) are what it should find strange. A slide without a usable pixel size is read at --mpp.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from napari_crlm_spa.core.classifier.inference import ClassifyOptions, classify_tiles
from napari_crlm_spa.core.classifier.runtime import Classifier, load_classifier
from napari_crlm_spa.core.sentinel import EXPECTED_SHARE, Sentinel, SentinelOptions, watch_slide
from napari_crlm_spa.core.slide import open_slide
from napari_crlm_spa.core.stain import StainNormalizer, StainOptions
from napari_crlm_spa.core.tiles import TileGrid, TileState, TilingOptions, plan_tiles
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import CrlmSpaError, MissingPixelSize


def thinned(grid: TileGrid, most: int) -> TileGrid:
    """Leave at most `most` tiles to be read, chosen with seed 0."""
    pending = np.argwhere(grid.state == TileState.PENDING)
    dropped = np.random.default_rng(0).permutation(pending)[most:]
    grid.state[tuple(dropped.T)] = TileState.EXCLUDED
    return grid


def map_of(path: Path, classifier: Classifier, mpp: float, most: int) -> TissueMap:
    try:
        return classified(path, classifier, None, most)
    except MissingPixelSize:
        return classified(path, classifier, mpp, most)


def classified(path: Path, classifier: Classifier, mpp: float | None, most: int) -> TissueMap:
    tiling = TilingOptions(tile_px=classifier.card.tile_px, mpp=classifier.card.mpp)
    stain = StainNormalizer(StainOptions(method="none"), None)
    with open_slide(path, mpp=mpp) as slide:
        slide.info.known_pixel_size()
        grid = thinned(plan_tiles(slide, tiling), most)
        found = TissueMap.empty(grid, classifier.card.scheme)
        for scores in classify_tiles(slide, grid, classifier, stain, tiling):
            found.add(scores)
    return found


def percent(mask: np.ndarray) -> str:
    return f"{mask.mean():.0%} of {mask.size}" if mask.size else "-"


def slide_rows(folder: Path, classifier: Classifier, mpp: float, most: int) -> Iterator[str]:
    for path in sorted(folder.iterdir()):
        try:
            found = map_of(path, classifier, mpp, most)
        except CrlmSpaError:
            continue
        watched: Sentinel = watch_slide(found)
        by_class = ", ".join(
            f"{name} {percent(found.strangeness[found.mask(name)] > 1)}"
            for name in found.scheme.names
            if found.mask(name).any()
        )
        said = "warns" if watched.warns else ""
        median = np.nanmedian(found.strangeness.astype(float))
        yield (
            f"| {path.name} | {watched.tiles} | {watched.share:.0%} | {median:.2f} | "
            f"{np.nanmedian(found.confidence()):.2f} | {np.nanmedian(found.entropy()):.2f} | "
            f"{said} | {by_class} |"
        )


def tile_rows(folder: Path, classifier: Classifier) -> Iterator[str]:
    groups: dict[tuple[str, str], list[Path]] = defaultdict(list)
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["split"] != "test":
                groups[row["slide"], row["class"]].append(folder / row["path"])
    known = set(classifier.card.training_data.slides)
    for (slide, name), paths in sorted(groups.items()):
        tiles = np.stack([np.asarray(Image.open(path).convert("RGB")) for path in paths])
        found = classifier.predict(tiles)
        values = found.strangeness
        yield (
            f"| {slide} | {name} | {'yes' if slide in known else 'no'} | {len(values)} | "
            f"{np.mean(values > 1):.0%} | {np.median(values):.2f} | "
            f"{np.median(found.probabilities.max(axis=1)):.2f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="default")
    parser.add_argument("--slides", type=Path)
    parser.add_argument("--tiles", type=Path)
    parser.add_argument("--mpp", type=float, default=0.5, help="for slides that don't say")
    parser.add_argument("--most", type=int, default=1000, help="tiles read of a slide")
    arguments = parser.parse_args()
    classifier = load_classifier(arguments.model, ClassifyOptions())
    if classifier.card.stain.method != "none":
        parser.error("this reads tiles as they are, but the model wants them stain-normalized")
    if classifier.known is None:
        parser.error("the model has no reference set that suffices: crlm-spa models reference")
    print(f"Model {classifier.card.name}, expected share {EXPECTED_SHARE:.0%}, ", end="")
    print(f"warning above {SentinelOptions().strange_max:.0%}, distance at 1:", end=" ")
    print(f"{classifier.known.limit:.1f}\n")
    if arguments.slides:
        print("| slide | tiles | above 1 | median | confidence | entropy | sentinel | ", end="")
        print("above 1, by called class |")
        print("|---|---|---|---|---|---|---|---|")
        for row in slide_rows(arguments.slides, classifier, arguments.mpp, arguments.most):
            print(row, flush=True)
    if arguments.tiles:
        print("\n| slide | class | trained on slide | tiles | above 1 | median | confidence |")
        print("|---|---|---|---|---|---|---|")
        for row in tile_rows(arguments.tiles, classifier):
            print(row, flush=True)


if __name__ == "__main__":
    main()
