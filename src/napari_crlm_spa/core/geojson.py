"""Tiles as GeoJSON that QuPath opens.

QuPath counts from the top-left corner of the first pixel, as this package does, but crops a
slide to its scanned area where the file names one (MRXS); the offset is subtracted, and noted
in the metadata.
"""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from napari_crlm_spa.core.files import atomic_path
from napari_crlm_spa.core.slide import SlideInfo
from napari_crlm_spa.core.tissue_map import TissueMap

#: Tile ids are derived from slide and position, so a second export has the same ids.
_NAMESPACE = uuid.UUID("6f0c7f0e-5b43-4c8e-9b1d-0d6f5c1f3a57")


def write_tiles_geojson(path: Path, tissue_map: TissueMap, info: SlideInfo) -> int:
    """Write every classified tile as a square, gzipped, one at a time.

    Parameters
    ----------
    path
        Ends in ``.geojson.gz``; QuPath opens it as it is.
    tissue_map
        The tiles.
    info
        The slide, for pixel size and scanned area.

    Returns
    -------
    int
        Number of tiles written.
    """
    count = 0
    with atomic_path(path) as temporary, gzip.open(temporary, "wt", encoding="utf-8") as file:
        file.write('{"type":"FeatureCollection","features":[')
        for feature in _features(tissue_map, info):
            file.write(("," if count else "") + "\n" + json.dumps(feature))
            count += 1
        file.write("\n]}\n")
    return count


def _features(tissue_map: TissueMap, info: SlideInfo) -> Iterator[dict[str, Any]]:
    size = info.known_pixel_size()
    left, top = info.bounds_xy0[0], info.bounds_xy0[1]
    step_x, step_y = tissue_map.stride_um / size.x_um, tissue_map.stride_um / size.y_um
    x_start = tissue_map.origin_um[0] / size.x_um - left
    y_start = tissue_map.origin_um[1] / size.y_um - top
    confidence, entropy = tissue_map.confidence(), tissue_map.entropy()
    for row, col in np.argwhere(tissue_map.classes > 0):
        tissue = tissue_map.scheme.classes[int(tissue_map.classes[row, col]) - 1]
        x0, y0 = x_start + col * step_x, y_start + row * step_y
        x1, y1 = x0 + step_x, y0 + step_y
        scores = tissue_map.probabilities[row, col]
        doubts = {
            "confidence": confidence[row, col],
            "entropy": entropy[row, col],
            "strangeness": tissue_map.strangeness[row, col],
        }
        yield {
            "type": "Feature",
            "id": str(uuid.uuid5(_NAMESPACE, f"{info.fingerprint}/{row}/{col}")),
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [
                        [round(x, 3), round(y, 3)]
                        for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0))
                    ]
                ],
            },
            "properties": {
                "objectType": "tile",
                "classification": {"name": tissue.name, "color": list(tissue.rgb)},
                "isLocked": True,
                "measurements": {
                    f"p({name})": round(float(value), 4)
                    for name, value in zip(tissue_map.scheme.names, scores, strict=True)
                }
                # What is not known is left out: JSON has no nan.
                | {
                    name: round(float(value), 4)
                    for name, value in doubts.items()
                    if not np.isnan(value)
                },
                "metadata": {"row": str(row), "col": str(col), "offset_xy0": f"{left},{top}"},
            },
        }
