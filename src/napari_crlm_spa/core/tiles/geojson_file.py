"""Reading GeoJSON as QuPath and others write it: whatever wraps the shapes, mended where needed."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon, shape
from shapely.geometry.base import BaseGeometry

from napari_crlm_spa.errors import CrlmSpaError

#: Classifications that mean "do not look here"; QuPath's own ends in a star.
EXCLUDING_NAMES = frozenset({"exclude", "excluded", "ignore", "ignore*"})
_GZIP_START = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class GeoFeature:
    """A shape of a file: its geometry as found, its properties, its id ("" without one)."""

    geometry: Any
    properties: Mapping[str, Any]
    id: str = ""


def read_features(path: Path, error: type[CrlmSpaError]) -> list[GeoFeature]:
    """Read every shape of a GeoJSON file, plain or gzipped.

    Parameters
    ----------
    path
        FeatureCollection, Feature, list of features, or bare geometry.
    error
        What is raised, with a sentence, if the file cannot be read or is no JSON.
    """
    try:
        raw = path.read_bytes()
        if raw.startswith(_GZIP_START):
            raw = gzip.decompress(raw)
    except (gzip.BadGzipFile, EOFError, zlib.error) as damage:
        raise error(f"{path.name} is cut off or damaged. Export it anew.") from damage
    except OSError as refusal:
        reason = refusal.strerror or refusal
        raise error(
            f"{path.name} cannot be read ({reason}). Check the path and the permissions."
        ) from refusal
    try:
        content = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as damage:
        raise error(
            f"{path.name} is not JSON. Export the shapes anew as GeoJSON (QuPath: File > Export "
            "objects as GeoJSON)."
        ) from damage
    return list(_features(content))


def _features(content: Any) -> Iterator[GeoFeature]:
    """Yield every geometry with its properties, whatever wraps it."""
    if isinstance(content, Sequence) and not isinstance(content, str):
        for item in content:
            yield from _features(item)
    elif isinstance(content, Mapping):
        if content.get("type") == "FeatureCollection":
            yield from _features(content.get("features") or [])
        elif content.get("type") == "Feature":
            properties = content.get("properties")
            kept = properties if isinstance(properties, Mapping) else {}
            yield GeoFeature(content.get("geometry"), kept, str(content.get("id") or ""))
        else:
            yield GeoFeature(content, {})


def class_of(properties: Mapping[str, Any]) -> str:
    """Return the name of a shape's classification; "" where it has none.

    QuPath has written it as a text, as a mapping with a name, and (for derived classes) with
    several names.
    """
    found = properties.get("classification")
    if isinstance(found, Mapping):
        names = found.get("names")
        if isinstance(names, Sequence) and not isinstance(names, str) and names:
            return ": ".join(str(name) for name in names).strip()
        found = found.get("name")
    return "" if found is None else str(found).strip()


def excludes(properties: Mapping[str, Any]) -> bool:
    """Tell whether a shape means "do not look here"."""
    named = class_of(properties).lower() in EXCLUDING_NAMES
    return named or properties.get("crlm_spa") == "exclude"


def polygons_of(
    geometry: Any, name: str, notes: list[str], error: type[CrlmSpaError]
) -> list[Polygon]:
    """Return the polygons of one GeoJSON geometry, mended where needed.

    Parameters
    ----------
    geometry
        As the file holds it; None has no polygon.
    name
        What the shape is called in messages.
    notes
        Receives what was mended or ignored.
    error
        What is raised if this is no geometry.
    """
    if geometry is None:
        return []
    try:
        with np.errstate(invalid="ignore"):
            found = shapely.force_2d(shape(geometry))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as damage:
        raise error(_damaged(name)) from damage
    except shapely.errors.ShapelyError as damage:
        raise error(_damaged(name)) from damage
    if not np.isfinite(shapely.get_coordinates(found)).all():
        raise error(_damaged(name))
    polygons = list(parts_of(found))
    if not polygons:
        notes.append(f"{name} is a {found.geom_type}, not an area, and was ignored.")
    valid = [polygon for polygon in polygons if polygon.is_valid]
    if len(valid) < len(polygons):
        notes.append(f"{name} crossed itself and was mended; check its outline.")
        for polygon in polygons:
            if not polygon.is_valid:
                valid.extend(parts_of(shapely.make_valid(polygon)))
    return [polygon for polygon in valid if polygon.area > 0]


def _damaged(name: str) -> str:
    return (
        f"{name} is no GeoJSON geometry: its coordinates are missing or not numbers. Remove it, "
        "or export the shapes anew."
    )


def parts_of(geometry: BaseGeometry) -> Iterator[Polygon]:
    """Yield the polygons that a geometry consists of; lines and points are passed over."""
    if isinstance(geometry, Polygon):
        if not geometry.is_empty:
            yield geometry
    elif isinstance(geometry, MultiPolygon | shapely.GeometryCollection):
        for part in geometry.geoms:
            yield from parts_of(part)
