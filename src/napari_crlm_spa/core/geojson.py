"""Tiles as GeoJSON that QuPath opens: one square a tile, or merged areas of one class.

QuPath counts from the top-left corner of the first pixel, as this package does, but crops a
slide to its scanned area where the file names one (MRXS); the offset is subtracted, and noted
in the metadata.
"""

from __future__ import annotations

import gzip
import io
import json
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classes import NOT_CLASSIFIED, ClassScheme
from napari_crlm_spa.core.files import atomic_path
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.slide import SlideInfo
from napari_crlm_spa.core.spatial import Zone
from napari_crlm_spa.core.tile_areas import TileArea, tile_areas
from napari_crlm_spa.core.tile_table import TOUCHED, TileBlock, TileSource
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.core.tissue_map import TissueMap

#: Ids are derived from slide and position, so a second export has the same ids.
_NAMESPACE = uuid.UUID("6f0c7f0e-5b43-4c8e-9b1d-0d6f5c1f3a57")
#: What QuPath itself calls an object that is counted nowhere.
IGNORED = {"name": "Ignore*", "color": [180, 180, 180]}
#: 6 is a fifth larger than 9 and three times as fast.
_GZIP_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Frame:
    """From tiles to QuPath's pixels.

    Parameters
    ----------
    x0, y0
        The grid's top-left corner in QuPath's pixels.
    step_x, step_y
        Size of a tile in level-0 pixels.
    offset_xy0
        What was subtracted: the corner of the scanned area in level-0 pixels.
    """

    x0: float
    y0: float
    step_x: float
    step_y: float
    offset_xy0: tuple[int, int]

    @classmethod
    def of(cls, tissue_map: TissueMap, info: SlideInfo) -> Frame:
        """Derive it from a map and its slide."""
        size, (left, top) = info.known_pixel_size(), info.bounds_xy0[:2]
        return cls(
            tissue_map.origin_um[0] / size.x_um - left,
            tissue_map.origin_um[1] / size.y_um - top,
            tissue_map.stride_um / size.x_um,
            tissue_map.stride_um / size.y_um,
            (left, top),
        )


def write_tiles_geojson(path: Path, tissue_map: TissueMap, info: SlideInfo) -> int:
    """Write every classified tile as a square.

    Parameters
    ----------
    path
        Ends in ``.geojson.gz`` to be compressed, else in ``.geojson``; QuPath opens both.
    tissue_map
        The tiles.
    info
        The slide, for pixel size and scanned area.

    Returns
    -------
    int
        Number of tiles written.
    """
    source = TileSource(tissue_map=tissue_map)
    for _ in export_tiles_geojson(path, source, info):
        pass
    return len(source)


def export_tiles_geojson(
    path: Path, source: TileSource, info: SlideInfo
) -> Generator[Progress, None, int]:
    """Write every tile as a square with all that is known of it, block by block.

    A tile that a reader set aside is of QuPath's class ``Ignore*``. Corrected tiles carry the
    predicted class in their metadata. The same input gives the same bytes.

    Parameters
    ----------
    path
        Ends in ``.geojson.gz`` to be compressed, else in ``.geojson``; it is replaced when the
        new file is complete.
    source
        The tiles.
    info
        The slide, for pixel size and scanned area.

    Yields
    ------
    Progress
        Per block. Closing the generator leaves no file.

    Returns
    -------
    int
        Number of tiles written.
    """
    stage, total, done = "Writing tiles for QuPath", len(source), 0
    frame = Frame.of(source.tissue_map, info)
    yield Progress(stage, 0, total, "tiles")
    with _collection(path) as file:
        for block in source.blocks():
            lines = _tile_features(block, source, frame, info.fingerprint)
            file.write((",\n" if done else "\n") + ",\n".join(lines))
            done += len(block)
            yield Progress(stage, done, total, "tiles")
    return total


def export_areas_geojson(
    path: Path, source: TileSource, info: SlideInfo
) -> Generator[Progress, None, int]:
    """Write connected tiles of one class as one polygon each: fewer and larger objects.

    Tiles that touch at a corner only are not connected.

    Parameters
    ----------
    path, source, info
        As in `export_tiles_geojson`.

    Returns
    -------
    int
        Number of areas written.
    """
    stage = "Merging tiles of one class"
    yield Progress(stage, 0, 1)
    frame, shown = Frame.of(source.tissue_map, info), source.tissue_map
    areas = tile_areas(shown.classes)
    yield Progress(stage, 1, 1)
    with _collection(path) as file:
        for number, area in enumerate(areas):
            text = _area_feature(area, shown, frame, info.fingerprint)
            file.write((",\n" if number else "\n") + text)
    return len(areas)


@contextmanager
def _collection(path: Path) -> Iterator[TextIO]:
    """Open a feature collection; what is written in the block are its features."""
    with (
        atomic_path(path) as temporary,
        temporary.open("wb") as raw,
        # No name and no time: the same tiles give the same file.
        gzip.GzipFile("", "wb", _GZIP_LEVEL, raw, mtime=0)
        if path.suffix.lower() == ".gz"
        else nullcontext(raw) as stream,
        io.TextIOWrapper(stream, encoding="utf-8", newline="\n") as file,
    ):
        file.write('{"type":"FeatureCollection","features":[')
        yield file
        file.write("\n]}\n")


def _class_texts(scheme: ClassScheme) -> list[str]:
    """Return each code's classification as JSON."""
    named = [{"name": tissue.name, "color": list(tissue.rgb)} for tissue in scheme.classes]
    return [json.dumps(each) for each in (IGNORED, *named)]


def _tile_features(
    block: TileBlock, source: TileSource, frame: Frame, fingerprint: str
) -> Iterator[str]:
    classes = _class_texts(source.tissue_map.scheme)
    numbers = _measurements(block, source)
    words = _metadata(block, source, frame)
    places = zip(block.rows.tolist(), block.cols.tolist(), block.codes.tolist(), strict=True)
    for (row, col, code), measured, told in zip(places, numbers, words, strict=True):
        x0, x1 = (round(frame.x0 + (col + i) * frame.step_x, 3) for i in (0, 1))
        y0, y1 = (round(frame.y0 + (row + i) * frame.step_y, 3) for i in (0, 1))
        yield (
            f'{{"type": "Feature", "id": "{_tile_id(fingerprint, row, col)}", '
            f'"geometry": {{"type": "Polygon", "coordinates": '
            f"[[[{x0}, {y0}], [{x1}, {y0}], [{x1}, {y1}], [{x0}, {y1}], [{x0}, {y0}]]]}}, "
            f'"properties": {{"objectType": "tile", "classification": {classes[code]}, '
            f'"isLocked": true, "measurements": {{{measured}}}, "metadata": {{{told}}}}}}}'
        )


def _tile_id(fingerprint: str, row: int, col: int) -> uuid.UUID:
    return uuid.uuid5(_NAMESPACE, f"{fingerprint}/{row}/{col}")


def _measurements(block: TileBlock, source: TileSource) -> Iterator[str]:
    """Yield each tile's numbers; what is not known is left out, JSON has no nan."""
    named: list[tuple[str, NDArray[Any]]] = [
        (f"p({name})", block.probabilities[:, index])
        for index, name in enumerate(source.tissue_map.scheme.names)
    ]
    named += [(name, getattr(block, name)) for name in ("confidence", "entropy", "strangeness")]
    if block.distance_um is not None:
        named.append(("distance to tumor um", block.distance_um))
    named += [(f"interaction({name})", share) for name, share in block.interaction.items()]
    named += [(f"mark({name})", mark) for name, mark in block.marks.items()]
    if source.predicted is not None:
        named.append(("corrected", block.codes != block.predicted))
    keys = [json.dumps(name) for name, _ in named]
    columns = []
    for _, values in named:
        exact = values.astype(np.float64)
        columns.append(np.where(np.isfinite(exact), exact.round(4), np.nan).tolist())
    for tile in zip(*columns, strict=True):
        yield ", ".join(
            f"{key}: {value}"
            for key, value in zip(keys, tile, strict=True)
            if value == value  # nan is not
        )


def _metadata(block: TileBlock, source: TileSource, frame: Frame) -> Iterator[str]:
    """Yield each tile's words."""
    names = ("none", *source.tissue_map.scheme.names)
    states = {state.value: state.name.lower().replace("_", " ") for state in TileState}
    left, top = frame.offset_xy0
    common = f', "offset_xy0": "{left},{top}"'
    reader = f', "reader": {json.dumps(source.reader)}' if source.reader else ""
    zones = None if block.zone is None else block.zone.tolist()
    columns = (block.rows, block.cols, block.states, block.codes, block.predicted)
    for index, (row, col, state, code, before) in enumerate(
        zip(*(column.tolist() for column in columns), strict=True)
    ):
        text = f'"row": "{row}", "col": "{col}"{common}, "state": "{states[state]}"'
        if zones is not None and zones[index] != Zone.NONE:
            text += f', "zone": "{Zone(zones[index]).name.lower()}"'
        if source.predicted is not None and code != before:
            text += f', "predicted": "{names[before]}"'
        yield text + (reader if state in TOUCHED else "")


def _area_feature(area: TileArea, shown: TissueMap, frame: Frame, fingerprint: str) -> str:
    """Return one merged area; its id is that of its first tile, marked as an area."""
    tissue = shown.scheme.classes[area.code - NOT_CLASSIFIED - 1]
    row, col = area.first
    rings = [
        [
            [round(frame.x0 + x * frame.step_x, 3), round(frame.y0 + y * frame.step_y, 3)]
            for x, y in ring
        ]
        for ring in area.rings
    ]
    feature = {
        "type": "Feature",
        "id": str(uuid.uuid5(_NAMESPACE, f"{fingerprint}/area/{area.code}/{row}/{col}")),
        "geometry": {"type": "Polygon", "coordinates": rings},
        "properties": {
            "objectType": "annotation",
            "name": tissue.name,
            "classification": {"name": tissue.name, "color": list(tissue.rgb)},
            "isLocked": True,
            "measurements": {
                "tiles": area.tiles,
                "area mm2": round(shown.area_mm2(area.tiles), 6),
            },
            "metadata": {"offset_xy0": f"{frame.offset_xy0[0]},{frame.offset_xy0[1]}"},
        },
    }
    return json.dumps(feature)
