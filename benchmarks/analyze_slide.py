"""Speed and memory of ``crlm-spa analyze`` on one slide, as a whole process.

    python benchmarks/analyze_slide.py SLIDE [--repeats 3] [-- --device cpu ...]

Prints a Markdown table: tiles per second (wall clock of the whole command, start-up included),
CPU seconds per 1000 tiles, and peak memory. Needs Linux or macOS.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_UNIT = 1 if sys.platform == "darwin" else 1024


def run_once(slide: Path, flags: list[str]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "napari_crlm_spa", "analyze", str(slide), "-o", out]
        start = time.perf_counter()
        process = subprocess.Popen(
            command + flags, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        if status:
            raise SystemExit(process.stderr.read().decode() if process.stderr else "failed")
        record = json.loads(next(Path(out).glob("*/run.json")).read_text("utf-8"))
    tiles = record["tiles"]["classified"]
    cpu = usage.ru_utime + usage.ru_stime
    return {
        "tiles": tiles,
        "wall_s": wall,
        "tiles_per_s": tiles / wall,
        "classify_tiles_per_s": tiles / record["seconds"]["classifying"],
        "cpu_s_per_1000": 1000 * cpu / tiles,
        "peak_mb": usage.ru_maxrss * _UNIT / 1e6,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("slide", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    arguments, flags = parser.parse_known_args()
    flags = [flag for flag in flags if flag != "--"]
    runs = [run_once(arguments.slide, flags) for _ in range(arguments.repeats)]
    print(f"{arguments.slide.name}, {os.cpu_count()} cores, {platform.platform()}\n")
    print("| run | tiles | wall s | tiles/s | tiles/s while classifying | CPU s / 1000 | peak MB |")
    print("|---|---|---|---|---|---|---|")
    for number, run in enumerate(runs, 1):
        print(
            f"| {number} | {run['tiles']:.0f} | {run['wall_s']:.1f} | {run['tiles_per_s']:.1f} | "
            f"{run['classify_tiles_per_s']:.1f} | {run['cpu_s_per_1000']:.1f} | "
            f"{run['peak_mb']:.0f} |"
        )


if __name__ == "__main__":
    main()
