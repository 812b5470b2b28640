"""CPU milliseconds per 224 px tile at 0.5 µm/px, by decoder, one thread.

python benchmarks/read_tiles.py SLIDE [--tiles 400]
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from napari_crlm_spa.core.slide import open_slide
from napari_crlm_spa.core.tiles import TilingOptions, plan_tiles, read_tile


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("slide", type=Path)
    parser.add_argument("--tiles", type=int, default=400)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    print("| decoder | CPU ms per tile |\n|---|---|")
    for decoder in ("auto", "openslide"):
        runs = []
        for _ in range(arguments.repeats):
            with open_slide(arguments.slide, decoder=decoder) as slide:
                grid = plan_tiles(slide, TilingOptions())
                at = grid.pending()[: arguments.tiles]
                start = time.process_time()
                for row, col in at:
                    read_tile(slide, grid, int(row), int(col))
                runs.append(1000 * (time.process_time() - start) / len(at))
                name = slide.info.decoder
        print(f"| {decoder} ({name}) | {statistics.median(runs):.2f} |")


if __name__ == "__main__":
    main()
