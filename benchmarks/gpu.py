"""How quick a GPU classifies a slide, and how much of the time it works.

    python benchmarks/gpu.py SLIDE
    python benchmarks/gpu.py SLIDE --device cpu --limit 200 --batch 16 --times 1 --repeats 1

Reads, stains and classifies as an analysis does, for every stain method and number format, and
prints Markdown tables. The middle of SLIDE is repeated `--times` in both directions (the stored
chunks are shared, each is decoded anew), since a small slide is over before a GPU is warm; 0 takes
SLIDE as it is. With `--device cpu` everything goes the way of a GPU, except that nothing is
recorded: a check that the script works, no measurement. ResNets have random weights: their time
counts, their classes do not.

"Busy" is the share of the wall clock, from the first read to the last answer, in which the GPU
copied or computed batches (CUDA events); "by the driver" what nvidia-ml saw, where the package
nvidia-ml-py is installed. "Alone" are milliseconds a tile of each step on a batch by itself.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from around_the_network import peak_bytes, repeated
from network import random_model

from napari_crlm_spa.core.classifier import runtime
from napari_crlm_spa.core.classifier.batches import BatchSender
from napari_crlm_spa.core.classifier.devices import choose_device
from napari_crlm_spa.core.classifier.inference import ClassifyOptions, classify_tiles
from napari_crlm_spa.core.classifier.runtime import Classifier, load_classifier
from napari_crlm_spa.core.classifier.stain_on_device import DeviceStain
from napari_crlm_spa.core.slide import Slide, open_slide
from napari_crlm_spa.core.stain import (
    StainMatrix,
    StainNormalizer,
    StainOptions,
    estimate_slide_matrix,
)
from napari_crlm_spa.core.tiles import TileGrid, TileState, TilingOptions, plan_tiles, read_tile
from napari_crlm_spa.errors import DeviceError

METHODS = ("none", "per_slide", "per_tile")
HEADER = (
    "| model | format | stain | tiles | tiles/s | busy % | by the driver % | recorded | "
    "CPU ms a tile | GPU MB | host MB |\n|---|---|---|---|---|---|---|---|---|---|---|"
)


class Stopwatch:
    """What a device does between two moments, in milliseconds; on a CPU the wall clock."""

    def __init__(self, cuda: bool) -> None:
        self._cuda = cuda
        self._marks: list[tuple[object, object]] = []

    @contextmanager
    def part(self) -> Iterator[None]:
        begin = self._mark()
        try:
            yield
        finally:
            end = self._mark()
            self._marks.append((begin, end))

    def _mark(self) -> object:
        if not self._cuda:
            return 1000 * time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def milliseconds(self) -> list[float]:
        if self._cuda:
            torch.cuda.synchronize()
            return [begin.elapsed_time(end) for begin, end in self._marks]
        return [end - begin for begin, end in self._marks]


class DriverSampler:
    """Asks the driver ten times a second how busy the GPU was; nan where it cannot be asked."""

    def __init__(self, cuda: bool) -> None:
        self.seen: list[int] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True) if cuda else None

    def _sample(self) -> None:
        while not self._stop.wait(0.1):
            try:
                self.seen.append(torch.cuda.utilization())
            except Exception:  # noqa: BLE001  (nvidia-ml absent, or refused)
                return

    def __enter__(self) -> DriverSampler:
        if self._thread:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()

    @property
    def percent(self) -> float:
        # The first and last samples saw the beginning and the end, too.
        return statistics.mean(self.seen[1:-1]) if len(self.seen) > 2 else float("nan")


def limited(grid: TileGrid, limit: int) -> TileGrid:
    """Return a grid of which only so many tiles are still to be classified."""
    state = grid.state.copy()
    rows, cols = grid.pending()[limit:].T
    state[rows, cols] = TileState.GLASS
    return TileGrid(state, grid.edge, grid.tile_px, grid.mpp)


def sampled_tiles(slide: Slide, count: int) -> np.ndarray:
    """Tiles of a slide that hold tissue, drawn at random."""
    grid = plan_tiles(slide, TilingOptions())
    chosen = np.random.default_rng(0).permutation(grid.pending())[:count]
    return np.stack([read_tile(slide, grid, int(row), int(col)) for row, col in chosen])


def run(
    path: Path, classifier: Classifier, normalizer: StainNormalizer, limit: int, readers: int
) -> dict[str, float]:
    """Classify a slide; the first batches are done twice, and counted the second time."""
    tiling = TilingOptions()
    cuda = classifier.device.type == "cuda"
    with open_slide(path) as slide:
        grid = limited(plan_tiles(slide, tiling), limit)
        warm = limited(grid, 2 * classifier.batch_size)
        list(classify_tiles(slide, warm, classifier, normalizer, tiling, readers))
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    watch, tiles = Stopwatch(cuda), 0
    send = BatchSender._answer

    def timed(self: BatchSender, packed: torch.Tensor) -> object:
        with watch.part():
            return send(self, packed)

    BatchSender._answer = timed
    try:
        # Anew, so that no decoded chunk is left from before.
        with open_slide(path) as slide, DriverSampler(cuda) as driver:
            cpu, begun = time.process_time(), time.perf_counter()
            for scores in classify_tiles(slide, grid, classifier, normalizer, tiling, readers):
                tiles += int(np.count_nonzero(scores.states == TileState.CLASSIFIED))
            wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
    finally:
        BatchSender._answer = send
    return {
        "tiles": tiles,
        "per_s": tiles / wall,
        "busy": 100 * sum(watch.milliseconds()) / 1000 / wall,
        "driver": driver.percent,
        "recorded": bool(classifier.sender and classifier.sender._play),
        "cpu_ms": 1000 * cpu / tiles,
        "gpu_mb": torch.cuda.max_memory_reserved() / 1e6 if cuda else float("nan"),
        "host_mb": peak_bytes() / 1e6,
    }


def alone(work: Callable[[], object], cuda: bool, repeats: int = 5) -> float:
    """Milliseconds of a piece of work by itself."""
    work()
    watch = Stopwatch(cuda)
    for _ in range(repeats):
        with watch.part():
            work()
    return statistics.median(watch.milliseconds())


@torch.inference_mode()
def steps(classifier: Classifier, tiles: np.ndarray, matrix: StainMatrix) -> dict[str, float]:
    """Milliseconds a tile of what happens on the device, one step after another."""
    count, device = classifier.batch_size, classifier.device
    cuda = device.type == "cuda"
    packed = torch.from_numpy(np.resize(tiles, (count, *tiles.shape[1:])))
    packed = packed.pin_memory() if cuda else packed
    there = packed.to(device, copy=True)
    found = {"copy": lambda: there.copy_(packed, non_blocking=True)}
    for method in METHODS[1:]:
        stain = DeviceStain(StainNormalizer(StainOptions(method=method), matrix), device)
        found[f"stain {method}"] = lambda stain=stain: stain(there)
    found["network"] = lambda: classifier._answer(classifier.network, there)
    return {name: alone(work, cuda) / count for name, work in found.items()}


@torch.inference_mode()
def same_stain(tiles: np.ndarray, method: str, device: torch.device) -> str:
    """Compare the device's stain with that of the reader threads."""
    options = StainOptions(method=method)
    normalizer = StainNormalizer(options, estimate_slide_matrix(tiles, options))
    expected, fallback = normalizer.normalize(tiles)
    found, failed = DeviceStain(normalizer, device)(torch.from_numpy(tiles).to(device))
    near = np.abs(found.cpu().numpy().astype(int) - expected) <= 1
    failures = np.count_nonzero(failed.cpu().numpy() != fallback)
    return f"{100 * near.mean():.3f} % of values within one gray level, {failures} other fallbacks"


def row(runs: list[dict[str, float]]) -> str:
    def median(name: str) -> float:
        return statistics.median(each[name] for each in runs)

    speeds = [each["per_s"] for each in runs]
    return (
        f"| {runs[0]['tiles']} | {median('per_s'):.0f} ({min(speeds):.0f}-{max(speeds):.0f}) | "
        f"{median('busy'):.0f} | {median('driver'):.0f} | "
        f"{'yes' if runs[0]['recorded'] else 'no'} | {median('cpu_ms'):.2f} | "
        f"{median('gpu_mb'):.0f} | {median('host_mb'):.0f} |"
    )


def compare(slide: Path, asked: argparse.Namespace, folder: Path, tiles: np.ndarray) -> None:
    """Print the table of whole runs, then that of the steps."""
    matrix = estimate_slide_matrix(tiles, StainOptions())
    print(HEADER)
    split: dict[str, dict[str, float]] = {}
    for model in asked.models:
        which = random_model(model, folder / model) if model.startswith("resnet") else model
        for precision in asked.precisions:
            options = ClassifyOptions(
                device=asked.device,
                precision=precision,
                batch_size=asked.batch,
                readers=asked.readers,
            )
            classifier = load_classifier(which, options)
            used = classifier.precision.used
            # fp16 is given up on a CPU for what may have been measured already.
            if (name := f"{model}, {used}") in split:
                continue
            for method in asked.methods:
                normalizer = StainNormalizer(StainOptions(method=method), matrix)
                runs = [
                    run(slide, classifier, normalizer, asked.limit, options.reader_threads)
                    for _ in range(asked.repeats)
                ]
                print(f"| {model} | {used} | {method} {row(runs)}", flush=True)
            split[name] = steps(classifier, tiles, matrix)
    print(f"\n| ms a tile, alone | {' | '.join(split)} |\n|---|{'---|' * len(split)}")
    for step in next(iter(split.values())):
        print(f"| {step} | {' | '.join(f'{each[step]:.4f}' for each in split.values())} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("slide", type=Path)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--models", nargs="+", default=["resnet50", "default"])
    parser.add_argument("--precisions", nargs="+", default=["bf16", "fp16"])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--batch", type=int, default=0)
    parser.add_argument("--readers", type=int, default=0)
    parser.add_argument("--times", type=int, default=4)
    parser.add_argument("--limit", type=int, default=10**9, help="tiles to classify at most")
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    try:
        device = choose_device(asked.device)
    except DeviceError as error:
        raise SystemExit(str(error)) from None
    cuda = device.type == "cuda"
    if not cuda:
        runtime.Classifier.in_flight = 2
    with tempfile.TemporaryDirectory() as folder:
        slide = asked.slide
        if asked.times:
            slide = repeated(slide, Path(folder) / "repeated.tif", asked.times)
        with open_slide(slide) as opened:
            tiles = sampled_tiles(opened, 64)
        readers = ClassifyOptions(readers=asked.readers).reader_threads
        print(
            f"{asked.slide.name}{f', its middle {asked.times}²-fold' if asked.times else ''}, "
            f"{torch.cuda.get_device_name(device) if cuda else 'no GPU'}, {readers} readers on "
            f"{os.cpu_count()} cores, PyTorch {torch.__version__}\n"
        )
        for method in METHODS[1:]:
            print(f"Stain {method} on the device: {same_stain(tiles, method, device)}.\n")
        compare(slide, asked, Path(folder), tiles)


if __name__ == "__main__":
    main()
