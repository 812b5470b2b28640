"""Areas as GeoJSON that QuPath opens and writes.

QuPath counts from the top-left corner of the first pixel, as this package does, but crops a
slide to its scanned area where the file names one (MRXS). The corner is subtracted on writing
and added on reading. Coordinates keep all their digits.
"""

from __future__ import annotations

import gzip
import json
import math
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon, box, mapping

from napari_crlm_spa.core.annotations.areas import Area, Areas
from napari_crlm_spa.core.annotations.class_names import is_label, known_name
from napari_crlm_spa.core.classes import ClassScheme
from napari_crlm_spa.core.files import atomic_path
from napari_crlm_spa.core.slide import SlideInfo
from napari_crlm_spa.core.tiles.geojson_file import (
    GeoFeature,
    class_of,
    parts_of,
    polygons_of,
    read_features,
)
from napari_crlm_spa.errors import AnnotationError

#: What programs make, not people. Detections as labels would teach a network its own answers.
_MADE_BY_PROGRAMS = frozenset({"detection", "cell", "tile", "tma_core", "root"})
#: Ids that a file lacks are derived from the shape, so reading twice gives the same.
_NAMESPACE = uuid.UUID("5a3d1f0e-1f65-4d6c-8f0a-7a7e1b0c9d42")
_AREA_MM2 = "Area mm2"
#: Color of a class that neither the scheme nor the file gives one.
_GRAY = [128, 128, 128]
_OURS = frozenset({"objectType", "object_type", "classification", "name", "isLocked"})
_OUR_METADATA = frozenset({"annotator", "when", "offset_xy0"})


def read_areas(
    path: Path | str,
    info: SlideInfo,
    scheme: ClassScheme,
    rename: Mapping[str, str] | None = None,
    annotator: str = "",
) -> Areas:
    """Read drawn areas from a GeoJSON file, plain or gzipped.

    Parameters
    ----------
    path
        FeatureCollection, Feature, list of features or bare geometry, in level-0 pixels, as
        QuPath or `write_areas` writes it.
    info
        The slide, for the corner of its scanned area.
    scheme
        Classes are found by short name, title and column name in any case. Names that it does
        not know are kept as they are, and the notes say so.
    rename
        Names in the file and the class that each stands for.
    annotator
        Who drew the areas that name nobody.

    Returns
    -------
    Areas
        Empty where the file holds no area. Points, lines, and objects that a program made
        (detections, cells, tiles) are left out; shapes that cross themselves are mended; the
        notes say so.

    Raises
    ------
    AnnotationError
        If the file cannot be read or is no GeoJSON.
    """
    path = Path(path)
    notes: list[str] = []
    areas: list[Area] = []
    made = 0
    ids: set[str] = set()
    for number, feature in enumerate(read_features(path, AnnotationError), start=1):
        if str(feature.properties.get("objectType", "")).lower() in _MADE_BY_PROGRAMS:
            made += 1
            continue
        polygon = _polygon(feature.geometry, f"Area {number} of {path.name}", notes)
        if polygon is None:
            continue
        area = _area(feature, _moved(polygon, info, 1), scheme, rename, annotator, ids)
        ids.add(area.id)
        areas.append(area)
    if made:
        notes.append(
            f"{made} objects of {path.name} were made by a program (detections, cells or tiles), "
            "not drawn, and were left out."
        )
    notes.extend(_class_notes(areas, scheme))
    notes.extend(_place_notes(areas, info, path.name))
    return Areas(tuple(areas), tuple(notes))


def write_areas(
    path: Path | str, areas: Areas | Iterable[Area], info: SlideInfo, scheme: ClassScheme
) -> int:
    """Write areas as GeoJSON that QuPath opens (drag it onto the slide).

    Parameters
    ----------
    path
        Ends in ``.geojson``, or in ``.gz`` to be compressed. Replaced atomically.
    areas
        In level-0 pixels.
    info
        The slide, for the corner of its scanned area, and the size of a pixel if it is known.
    scheme
        Gives the classes their colors.

    Returns
    -------
    int
        Number of areas written.
    """
    path = Path(path)
    listed = areas.areas if isinstance(areas, Areas) else tuple(areas)
    features = [_feature(area, info, scheme) for area in listed]
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False) for feature in features)
    text = f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n'
    data = text.encode("utf-8", errors="backslashreplace")
    with atomic_path(path) as temporary:
        # No time and no name in the header: the same areas give the same file.
        packed = gzip.compress(data, mtime=0) if path.suffix == ".gz" else data
        temporary.write_bytes(packed)
    return len(listed)


def _polygon(geometry: Any, name: str, notes: list[str]) -> Polygon | MultiPolygon | None:
    polygons = polygons_of(geometry, name, notes, AnnotationError)
    if len(polygons) == 1:
        return polygons[0]
    if not polygons:
        return None
    several = MultiPolygon(polygons)
    if several.is_valid:
        return several
    notes.append(f"{name} has parts that overlap; they were joined.")
    joined = shapely.union_all(polygons)
    parts = list(parts_of(joined))
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)


def _moved(polygon: Polygon | MultiPolygon, info: SlideInfo, sign: int) -> Polygon | MultiPolygon:
    """Move a polygon from (1) or to (-1) the corner of the scanned area."""
    left, top = info.bounds_xy0[:2]
    if not (left or top):
        return polygon
    by = sign * np.array([left, top], np.float64)
    return shapely.transform(polygon, lambda xy: xy + by)


def _area(
    feature: GeoFeature,
    polygon: Polygon | MultiPolygon,
    scheme: ClassScheme,
    rename: Mapping[str, str] | None,
    annotator: str,
    taken: set[str],
) -> Area:
    told = feature.properties
    metadata = told.get("metadata")
    metadata = dict(metadata) if isinstance(metadata, Mapping) else {}
    class_name = known_name(_text(class_of(told)), scheme, rename)
    kept: dict[str, Any] = {key: value for key, value in told.items() if key not in _OURS}
    for key, values in (
        ("metadata", {k: v for k, v in metadata.items() if k not in _OUR_METADATA}),
        ("measurements", _measurements(told.get("measurements"))),
    ):
        kept.pop(key, None)
        if values:
            kept[key] = values
    if class_name and class_name not in scheme.names:
        kept["classification"] = {"name": class_name, "color": _color(told)}
    return Area(
        polygon_xy0=polygon,
        class_name=class_name,
        annotator=_text(metadata.get("annotator") or annotator),
        when=_text(metadata.get("when") or ""),
        id=_id(feature.id, polygon, class_name, taken),
        name=_text(told.get("name") or ""),
        locked=told.get("isLocked") is True,
        properties=kept,
    )


def _text(found: Any) -> str:
    """Return a text that can be written; JSON may hold halves of characters."""
    return str(found).encode(errors="replace").decode()


def _measurements(found: Any) -> dict[str, Any]:
    """Return measurements by name; QuPath has also written them as a list."""
    if isinstance(found, Mapping):
        pairs = dict(found)
    elif isinstance(found, list):
        entries = [each for each in found if isinstance(each, Mapping) and "name" in each]
        pairs = {str(each["name"]): each.get("value") for each in entries}
    else:
        pairs = {}
    pairs.pop(_AREA_MM2, None)  # computed anew whenever the area is written
    # JSON has no nan, though QuPath writes it where it could not measure.
    return {k: v for k, v in pairs.items() if not isinstance(v, float) or math.isfinite(v)}


def _color(properties: Mapping[str, Any]) -> list[int]:
    """Return a classification's color; older versions of QuPath pack it into one number."""
    classification = properties.get("classification")
    found = classification if isinstance(classification, Mapping) else {}
    color, packed = found.get("color"), found.get("colorRGB")
    if isinstance(packed, int) and not isinstance(packed, bool):
        return [packed >> 16 & 255, packed >> 8 & 255, packed & 255]
    if isinstance(color, list) and len(color) >= 3:
        values = [each for each in color[:3] if isinstance(each, int) and 0 <= each <= 255]
        if len(values) == 3:
            return values
    return list(_GRAY)


def _id(found: str, polygon: Polygon | MultiPolygon, class_name: str, taken: set[str]) -> str:
    """Return the file's id if it is one of its own; QuPath 0.2 gave all areas the same."""
    try:
        own = str(uuid.UUID(found))
    except ValueError:
        own = ""
    if own and own not in taken:
        return own
    content = f"{len(taken)}/{class_name}/{shapely.to_wkb(polygon, hex=True)}"
    return str(uuid.uuid5(_NAMESPACE, content))


def _class_notes(areas: Iterable[Area], scheme: ClassScheme) -> list[str]:
    counts = Counter(area.class_name for area in areas)
    notes = []
    unknown = {n: c for n, c in counts.items() if is_label(n) and n not in scheme.names}
    if unknown:
        text = ", ".join(f"{name} ({count})" for name, count in sorted(unknown.items()))
        notes.append(
            f"Classes that the scheme {scheme.name} does not know were kept as they are: {text}. "
            "Rename them if they stand for one of its classes."
        )
    if counts[""]:
        notes.append(f"{_areas(counts[''])} without a class; no tiles come of such areas.")
    return notes


def _areas(count: int) -> str:
    return "1 area is" if count == 1 else f"{count} areas are"


def _place_notes(areas: list[Area], info: SlideInfo, name: str) -> list[str]:
    left, top, width, height = info.bounds_xy0
    scanned = box(left, top, left + width, top + height)
    beside = sum(not area.polygon_xy0.intersects(scanned) for area in areas)
    notes = []
    if beside:
        notes.append(
            f"{beside} of {len(areas)} areas of {name} lie beside {info.path.name}: they belong to "
            "another slide, or were drawn on a smaller copy."
        )
    if areas and (left or top):
        notes.append(
            f"The areas of {name} were counted from the scanned area's corner, pixel ({left}, "
            f"{top}) of the slide, as QuPath does."
        )
    return notes


def _feature(area: Area, info: SlideInfo, scheme: ClassScheme) -> dict[str, Any]:
    kept = {k: v for k, v in area.properties.items() if k not in _OURS}
    measurements = dict(kept.pop("measurements", {}))
    if info.pixel_size is not None:
        measurements[_AREA_MM2] = area.area_mm2(info)
    metadata = dict(kept.pop("metadata", {}))
    left, top = info.bounds_xy0[:2]
    ours = {"annotator": area.annotator, "when": area.when, "offset_xy0": f"{left},{top}"}
    metadata |= {key: value for key, value in ours.items() if value}
    properties: dict[str, Any] = {"objectType": "annotation"}
    if area.name:
        properties["name"] = area.name
    if area.class_name:
        properties["classification"] = {
            "name": area.class_name,
            "color": _class_color(area, scheme),
        }
    properties |= {"isLocked": area.locked, "measurements": measurements, "metadata": metadata}
    return {
        "type": "Feature",
        "id": area.id,
        "geometry": mapping(_moved(area.polygon_xy0, info, -1)),
        "properties": properties | kept,
    }


def _class_color(area: Area, scheme: ClassScheme) -> list[int]:
    if area.class_name in scheme.names:
        return list(scheme[area.class_name].rgb)
    return _color(area.properties)
