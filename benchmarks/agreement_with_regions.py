"""How the tiles inside hand-drawn regions are classified.

    python benchmarks/agreement_with_regions.py RESULT_FOLDER REGIONS.geojson

Prints a Markdown table: for each region, how its tiles (center inside) are called. Glass and
blank tiles count as what they are.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

import numpy as np
import shapely

import napari_crlm_spa as spa
from napari_crlm_spa.core.tiles import TileState


def called(tissue_map: spa.TissueMap, row: int, col: int) -> str:
    code = int(tissue_map.classes[row, col])
    if code:
        return tissue_map.scheme.names[code - 1]
    return TileState(int(tissue_map.state[row, col])).name.lower()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("result", type=Path)
    parser.add_argument("regions", type=Path)
    arguments = parser.parse_args()
    stored = spa.load_analysis(arguments.result)
    tissue_map = stored.tissue_map
    x_um, y_um = stored.run["slide"]["pixel_size_um"]
    rows, cols = np.mgrid[: tissue_map.shape[0], : tissue_map.shape[1]]
    center_x = (tissue_map.origin_um[0] + (cols + 0.5) * tissue_map.stride_um) / x_um
    center_y = (tissue_map.origin_um[1] + (rows + 0.5) * tissue_map.stride_um) / y_um
    print("| region | drawn as | tiles | called |\n|---|---|---|---|")
    for feature in json.loads(arguments.regions.read_text("utf-8"))["features"]:
        area = shapely.make_valid(shapely.geometry.shape(feature["geometry"]))
        inside = np.argwhere(shapely.contains_xy(area, center_x, center_y))
        found = Counter(called(tissue_map, int(row), int(col)) for row, col in inside)
        shares = ", ".join(f"{k} {n / len(inside):.1%}" for k, n in found.most_common())
        names = feature["properties"]
        print(
            f"| {names.get('name', '')} | {names['classification']['name']} | "
            f"{len(inside)} | {shares} |"
        )


if __name__ == "__main__":
    main()
