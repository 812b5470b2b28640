"""What an analysis costs around the network: CPU, memory, and where the time goes.

    python benchmarks/around_the_network.py SLIDE [--repeats 3] [--finer] [--grow [TIMES ...]]

Runs the library's own `analyze_to_end` with a tiny network of random weights, each time in a
process of its own, for every stain method. Prints Markdown tables: CPU seconds per 1000
classified tiles with and without start-up (the interpreter and its imports), wall clock, peak
memory, and CPU milliseconds per tile of each stage. `--finer` first writes a 40x slide of up to
49,152 px a side: the middle of SLIDE enlarged twice and repeated, levels 4 and 16 times smaller.
`--grow` instead runs slides that repeat the middle of SLIDE to 10^3, 10^4 and 10^5 tiles, with the
last of `--methods`: time must be linear, memory flat. `--grow 55` makes 10^6 tiles, in ten minutes.
Runs with OMP_NUM_THREADS=1 unless it is set: OpenMP threads that wait for a tiny network's next
layer spin, and that is no work. Needs Linux or macOS.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

from napari_crlm_spa.core.slide import open_slide

METHODS = ("none", "per_slide", "per_tile")
STEPS = ("read", "blank rule", "stain", "network")
HEADER = (
    "| tiles | CPU s / 1000 tiles | with start-up | wall s | peak MB | of it imports |\n"
    "|---|---|---|---|---|---|---|"
)
CHUNK_PX = 256
#: What is repeated by `--grow`; a multiple of 16 chunks, so that each level repeats whole chunks.
PATCH_PX = 16 * CHUNK_PX
#: Larger smallest levels get another one below.
SMALLEST_LEVEL_PX = 8192
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
_STATUS = Path("/proc/self/status")


def peak_bytes() -> int:
    """Most memory that this process held since it began; on Linux getrusage counts its parent's."""
    if not _STATUS.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT
    words = _STATUS.read_text("ascii").split()
    return int(words[words.index("VmHWM:") + 1]) * 1024


def tiny_model(folder: Path) -> Path:
    """Write a model that costs next to nothing: three small convolutions on 112 x 112 pixels."""
    from napari_crlm_spa.core.classes import CRLM7
    from napari_crlm_spa.core.classifier.card import Architecture, ModelCard
    from napari_crlm_spa.core.classifier.network import network_for
    from napari_crlm_spa.core.classifier.weights import save_model

    small = Architecture(name="tiny", hidden=32, dropout=0.0)
    card = ModelCard(
        name="tiny", scheme_name="crlm7", classes=CRLM7.names, input_px=112, architecture=small
    )
    save_model(folder, card, network_for(card))
    return folder


class StageTimer:
    """CPU time of the thread that runs each step, summed over threads."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._lock = threading.Lock()

    def wrap(self, owner: object, name: str, step: str) -> None:
        work: Callable[..., object] = getattr(owner, name)

        @functools.wraps(work)
        def timed(*args: object, **options: object) -> object:
            start = time.thread_time()
            try:
                return work(*args, **options)
            finally:
                spent = time.thread_time() - start
                with self._lock:
                    self.seconds[step] += spent

        setattr(owner, name, timed)


def child(slide: Path, model: Path, method: str, split: bool) -> None:
    """Analyze once and print what it took, as JSON."""
    import matplotlib.backends.backend_agg  # noqa: F401
    import numba  # noqa: F401
    import zarr  # noqa: F401

    from napari_crlm_spa.core.classifier import inference, runtime
    from napari_crlm_spa.core.classifier.inference import ClassifyOptions
    from napari_crlm_spa.core.pipeline import AnalysisOptions, analyze_slide
    from napari_crlm_spa.core.report import html, picture  # noqa: F401
    from napari_crlm_spa.core.stain import StainNormalizer, StainOptions

    timer = StageTimer()
    if split:
        timer.wrap(inference, "read_tile", "read")
        timer.wrap(inference, "blank_fraction", "blank rule")
        timer.wrap(StainNormalizer, "normalize", "stain")
        timer.wrap(runtime.Classifier, "predict", "network")
    options = AnalysisOptions(
        model=str(model),
        stain=StainOptions(method=method),
        # What settles another number format belongs to the network.
        classify=ClassifyOptions(precision="fp32"),
    )
    imported, start = time.process_time(), time.perf_counter()
    imported_bytes = peak_bytes()
    stages: dict[str, float] = defaultdict(float)
    state: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as out:
        before = imported
        for step in analyze_slide(slide, Path(out), options):
            now = time.process_time()
            stages[step.stage] += now - before
            before = now
        record = json.loads(next(Path(out).glob("*/run.json")).read_text("utf-8"))
        state = record["tiles"]
    end = time.process_time()
    print(
        json.dumps(
            {
                "tiles": state["classified"],
                "start_up_s": imported,
                "work_s": end - imported,
                "wall_s": time.perf_counter() - start,
                "peak_mb": peak_bytes() / 1e6,
                "imported_mb": imported_bytes / 1e6,
                "stages": stages,
                "steps": timer.seconds,
                "classify_wall_s": record["seconds"]["classifying"],
            }
        )
    )


def run(slide: Path, model: Path, method: str, split: bool) -> dict[str, object]:
    command = [sys.executable, __file__, str(slide), "--child", method, "--model", str(model)]
    done = subprocess.run(
        command + ["--split"] * split, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def compare_methods(slide: Path, model: Path, methods: list[str], repeats: int) -> None:
    print(f"| stain {HEADER}")
    split = {}
    for method in methods:
        runs = [run(slide, model, method, split=False) for _ in range(repeats)]
        split[method] = run(slide, model, method, split=True)
        print(f"| {method} {_row(runs)}")
    print(f"\n| CPU ms per tile | {' | '.join(methods)} |\n|---|{'---|' * len(methods)}")
    for name in (*STEPS, "hand-over, scores, journal", "before the first tile", "after the last"):
        cells = (f"{_split(split[method])[name]:.3f}" for method in methods)
        print(f"| {name} | {' | '.join(cells)} |")


def _row(runs: list[dict[str, object]]) -> str:
    def median(of: Callable[[dict[str, float]], float]) -> float:
        return statistics.median(of(each) for each in runs)

    per_1000 = [1000 * each["work_s"] / each["tiles"] for each in runs]
    work = f"{statistics.median(per_1000):.2f} ({min(per_1000):.2f}-{max(per_1000):.2f})"
    everything = median(lambda each: 1000 * (each["work_s"] + each["start_up_s"]) / each["tiles"])
    return (
        f"| {runs[0]['tiles']} | {work} | {everything:.2f} | "
        f"{median(lambda each: each['wall_s']):.1f} | {median(lambda each: each['peak_mb']):.0f} | "
        f"{median(lambda each: each['imported_mb']):.0f} |"
    )


def _split(one: dict[str, object]) -> dict[str, float]:
    tiles, stages = one["tiles"], dict(one["stages"])
    steps = {name: 1000 * one["steps"].get(name, 0.0) / tiles for name in STEPS}
    classifying = 1000 * stages.pop("Classifying tiles") / tiles
    after = ("Computing spatial features", "Writing results")
    late = sum(1000 * stages.pop(name, 0.0) / tiles for name in after)
    return {
        **steps,
        "hand-over, scores, journal": classifying - sum(steps.values()),
        "before the first tile": 1000 * sum(stages.values()) / tiles,
        "after the last": late,
    }


def grow(slide: Path, model: Path, method: str, folder: Path, all_times: list[int]) -> None:
    print(f"| side px {HEADER}")
    for times in all_times:
        path = repeated(slide, folder / f"{times}.tif", times)
        print(f"| {times * PATCH_PX} {_row([run(path, model, method, split=False)])}", flush=True)


def middle(slide: Path, side_px: int, multiple_of_px: int) -> np.ndarray:
    with open_slide(slide) as opened:
        info = opened.info
        side_x, side_y = (
            min(side_px, length) // multiple_of_px * multiple_of_px
            for length in (info.width_px, info.height_px)
        )
        x, y = (info.width_px - side_x) // 2, (info.height_px - side_y) // 2
        return opened.read_level(0, x, y, side_x, side_y)


def finer(slide: Path, path: Path) -> Path:
    """Write a slide as if scanned at 40x: the middle of another, twice beside and below itself."""
    picture = Image.fromarray(middle(slide, 3 * PATCH_PX, PATCH_PX // 2))
    base = picture.resize((2 * picture.width, 2 * picture.height), Image.Resampling.BICUBIC)
    return _repeat(base, path, 2, pixels_per_cm=40_000, quality=85, subsampling=2)


def repeated(slide: Path, path: Path, times: int) -> Path:
    """Write a slide that repeats one patch."""
    patch = Image.fromarray(middle(slide, PATCH_PX, PATCH_PX))
    return _repeat(patch, path, times, pixels_per_cm=20_000, quality=80, subsampling=1)


def _repeat(
    patch: Image.Image, path: Path, times: int, pixels_per_cm: int, quality: int, subsampling: int
) -> Path:
    """Write a pyramid of repetitions that share the stored chunks."""
    n_levels = 3
    while max(patch.size) * times / 4 ** (n_levels - 1) > SMALLEST_LEVEL_PX:
        n_levels += 1
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        for index in range(n_levels):
            level = np.asarray(patch.reduce(4**index))
            chunk = math.gcd(CHUNK_PX, *level.shape[:2])
            shape = (level.shape[0] * times, level.shape[1] * times, 3)
            writer.write(
                _chunks(level, chunk, times, quality, subsampling), shape=shape, dtype=np.uint8,
                tile=(chunk, chunk), photometric="ycbcr", compression="jpeg",
                subsampling=(subsampling, subsampling), subfiletype=1 if index else 0,
                metadata=None, resolution=(pixels_per_cm / 4**index,) * 2,
                resolutionunit="CENTIMETER",
            )  # fmt: skip
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        for page in tiff.pages:
            rows, cols = page.imagelength // page.tilelength, page.imagewidth // page.tilewidth
            row, col = np.arange(rows) % (rows // times), np.arange(cols) % (cols // times)
            first = (row[:, None] * cols + col).ravel()
            for tag in ("TileOffsets", "TileByteCounts"):
                stored = np.array(page.tags[tag].value)
                page.tags[tag].overwrite(tuple(stored[first].tolist()))
    return path


def _chunks(
    level: np.ndarray, chunk: int, times: int, quality: int, subsampling: int
) -> Iterator[bytes]:
    rows, cols = level.shape[0] // chunk, level.shape[1] // chunk
    for row in range(rows * times):
        for col in range(cols * times):
            if row >= rows or col >= cols:
                yield b"\0"  # pointed to the first of its kind later
                continue
            y, x = row * chunk, col * chunk
            yield imagecodecs.jpeg8_encode(
                np.ascontiguousarray(level[y : y + chunk, x : x + chunk]), level=quality,
                colorspace="rgb", outcolorspace="ycbcr", subsampling=(subsampling, subsampling),
            )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("slide", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--finer", action="store_true")
    parser.add_argument("--grow", nargs="*", type=int, metavar="TIMES")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--child", choices=METHODS, help=argparse.SUPPRESS)
    parser.add_argument("--model", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--split", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        child(asked.slide, asked.model, asked.child, asked.split)
        return
    threads = os.environ.setdefault("OMP_NUM_THREADS", "1")
    print(
        f"{asked.slide.name}{' as 40x' if asked.finer else ''}, {os.cpu_count()} cores, "
        f"OMP_NUM_THREADS {threads}, {platform.platform()}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        model = tiny_model(Path(folder) / "model")
        if asked.grow is not None:
            times = asked.grow or [2, 6, 18]
            grow(asked.slide, model, asked.methods[-1], Path(folder), times)
            return
        slide = finer(asked.slide, Path(folder) / "40x.tif") if asked.finer else asked.slide
        compare_methods(slide, model, asked.methods, asked.repeats)


if __name__ == "__main__":
    main()
