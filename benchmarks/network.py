"""Milliseconds of CPU a tile in each number format, and how often real tiles keep their class.

    python benchmarks/network.py TILES [--model FOLDER | --architecture resnet50] [--per-class 100]

TILES is a folder with one folder of 224 px tiles per class. "as trained" is the network as PyTorch
runs it, the form of earlier versions. With --engine both each format is computed by PyTorch and by
OpenVINO. "ready" is CPU seconds from the file to a network that has been compiled, calibrated and
checked. With --architecture the weights are random: its times count, its agreement does not. With
--slide the spatial features of a whole slide are compared, too.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.card import Architecture, ModelCard, StainTarget
from napari_crlm_spa.core.classifier.inference import ClassifyOptions
from napari_crlm_spa.core.classifier.network import network_for
from napari_crlm_spa.core.classifier.precision import CALIBRATION_TILES, CHECK_TILES
from napari_crlm_spa.core.classifier.protocol import TilePredictions
from napari_crlm_spa.core.classifier.runtime import Classifier, load_classifier
from napari_crlm_spa.core.classifier.weights import load_model, save_model
from napari_crlm_spa.core.pipeline import AnalysisOptions, analyze_to_end

FORMATS = ("fp32", "bf16", "int8")
TIMED_TILES = 64


def real_tiles(folder: Path, per_class: int) -> np.ndarray:
    """Tiles of the model's classes, evenly from all there are, in a random order."""
    tiles = []
    for name in CRLM7.names:
        paths = sorted((folder / name).glob("*.jpg"))
        chosen = np.unique(np.linspace(0, len(paths) - 1, min(per_class, len(paths))).astype(int))
        tiles += [np.asarray(Image.open(paths[i]).convert("RGB")) for i in chosen]
    return np.stack(tiles)[np.random.default_rng(0).permutation(len(tiles))]


def cpu_ms(work: Callable[[], object], tiles: int, repeats: int) -> str:
    work()
    spent = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        spent.append((time.process_time() - start) / tiles * 1e3)
    return f"{np.median(spent):.2f} ({min(spent):.2f}-{max(spent):.2f})"


def random_model(architecture: str, folder: Path) -> Path:
    torch.manual_seed(0)
    card = ModelCard(
        name=architecture,
        scheme_name=CRLM7.name,
        classes=CRLM7.names,
        architecture=Architecture(name=architecture),
        stain=StainTarget(method="none"),
    )
    save_model(folder, card, network_for(card))
    return folder


def loaded(model: str | Path, precision: str, engine: str, tiles: np.ndarray) -> Classifier:
    options = ClassifyOptions(device="cpu", precision=precision, engine=engine)
    classifier = load_classifier(model, options)
    classifier.settle(lambda n: tiles[:n])
    return classifier


def as_trained(model: str | Path) -> Callable[[np.ndarray], object]:
    _, network = load_model(model)

    @torch.inference_mode()
    def run(tiles: np.ndarray) -> None:
        for start in range(0, len(tiles), 16):
            network.forward_staged(torch.from_numpy(tiles[start : start + 16]))

    return run


def row(
    name: str,
    ms: str,
    ready_s: float = 0.0,
    found: TilePredictions | None = None,
    exact: TilePredictions | None = None,
) -> str:
    if found is None or exact is None:
        return f"| {name} | {ms} | | | | | | |"
    ours, theirs = found.probabilities, exact.probabilities
    same = ours.argmax(axis=1) == theirs.argmax(axis=1)
    change = np.abs(ours - theirs)
    strange = np.mean((found.strangeness > 1) == (exact.strangeness > 1))
    return (
        f"| {name} | {ms} | {ready_s:.1f} | {len(same)} | {100 * same.mean():.2f} % | "
        f"{change.max():.4f} | {change.mean():.5f} | {100 * strange:.1f} % |"
    )


def compare_slides(model: str | Path, slide: Path, mpp: float | None, engine: str) -> None:
    """Spatial features of a slide in each format; the largest difference from fp32."""
    print(f"\n| {slide.name} | used | tiles of another class | largest difference of a SOF |")
    print("|---|---|---|---|")
    exact = None
    for precision in FORMATS:
        with tempfile.TemporaryDirectory() as out:
            options = AnalysisOptions(
                model=str(model),
                mpp=mpp,
                classify=ClassifyOptions(
                    device="cpu",
                    precision=precision,
                    engine="openvino" if engine == "both" else engine,
                ),
            )
            found = analyze_to_end(slide, Path(out), options)
        exact = exact or found
        ours, theirs = found.features.values, exact.features.values
        changed = np.count_nonzero(found.tissue_map.classes != exact.tissue_map.classes)
        apart = {name: abs(ours[name] - value) for name, value in theirs.items() if value == value}
        most = max(apart, key=lambda name: apart[name])
        total = np.count_nonzero(exact.tissue_map.classes)
        used = found.run["precision"]["used"]
        print(f"| {precision} | {used} | {changed} of {total} | {apart[most]:.5f} ({most}) |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tiles", type=Path)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--model", default="default")
    which.add_argument("--architecture", choices=("resnet18", "resnet34", "resnet50"))
    parser.add_argument("--per-class", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--engine", choices=("auto", "torch", "openvino", "both"), default="auto")
    parser.add_argument("--slide", type=Path)
    parser.add_argument("--mpp", type=float)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    with tempfile.TemporaryDirectory() as scratch:
        model = given.model
        if given.architecture:
            model = random_model(given.architecture, Path(scratch) / "model")
        tiles = real_tiles(given.tiles, given.per_class)
        seen = CALIBRATION_TILES + CHECK_TILES
        timed, unseen = tiles[-TIMED_TILES:], tiles[seen:]
        print(f"{given.architecture or given.model}, {given.threads} threads\n")
        print(
            "| form | CPU ms a tile | ready | tiles | same class | max dp | mean dp "
            "| same strangeness |"
        )
        print("|---|---|---|---|---|---|---|---|")
        trained = as_trained(model)
        print(row("as trained", cpu_ms(lambda: trained(timed), len(timed), given.repeats)))
        exact = None
        engines = ("torch", "openvino") if given.engine == "both" else (given.engine,)
        for precision, engine in itertools.product(FORMATS, engines):
            start = time.process_time()
            classifier = loaded(model, precision, engine, tiles)
            ready_s = time.process_time() - start
            ms = cpu_ms(lambda c=classifier: c.predict(timed), len(timed), given.repeats)
            found = classifier.predict(unseen)
            exact = exact or found
            used = classifier.precision
            name = f"{precision} ({used.used}, {used.engine.name})"
            print(row(name, ms, ready_s, found, exact), flush=True)
        if given.slide:
            compare_slides(model, given.slide, given.mpp, given.engine)


if __name__ == "__main__":
    main()
