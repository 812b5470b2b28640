"""Read regions of interest from GeoJSON, as QuPath exports it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon, shape
from shapely.geometry.base import BaseGeometry

from napari_crlm_spa.core.tiles.regions import RegionsOfInterest
from napari_crlm_spa.errors import RegionError

#: Classifications that mean "do not look here"; QuPath's own ends in a star.
EXCLUDING_NAMES = frozenset({"exclude", "excluded", "ignore", "ignore*"})


def read_regions(path: Path, origin_xy0: tuple[int, int] = (0, 0)) -> RegionsOfInterest:
    """Read regions of interest from a GeoJSON file, as QuPath exports it.

    A polygon excludes where its classification is named "Exclude" or "Ignore*", or where it
    has the property ``"crlm_spa": "exclude"``; all others include, whatever their class.
    Self-intersecting polygons are mended, points and lines ignored, and `notes` says so.

    Parameters
    ----------
    path
        FeatureCollection, Feature, list of features, or bare geometry; level-0 pixels.
    origin_xy0
        Where the file's (0, 0) lies on the slide. QuPath crops a slide to the scanned area that
        its file names (MRXS), and counts from there: the corner of `SlideInfo.bounds_xy0`.

    Raises
    ------
    RegionError
        If the file cannot be read, is no GeoJSON, or holds no polygon.
    """
    path = Path(path)
    include: list[Polygon] = []
    exclude: list[Polygon] = []
    notes: list[str] = []
    for number, (geometry, properties) in enumerate(_features(_load(path)), start=1):
        polygons = _polygons(geometry, f"Region {number} of {path.name}", notes)
        moved = (shapely.transform(each, lambda xy: xy + origin_xy0) for each in polygons)
        (exclude if _excludes(properties) else include).extend(moved)
    if not include and not exclude:
        raise RegionError(
            f"{path.name} holds no polygon. Draw the regions as closed shapes and export them "
            "as GeoJSON (QuPath: File > Export objects as GeoJSON)."
        )
    if any(origin_xy0):
        notes.append(
            "The regions of {} were counted from the scanned area's corner, pixel ({}, {}) of the "
            "slide, as QuPath does.".format(path.name, *origin_xy0)
        )
    return RegionsOfInterest(tuple(include), tuple(exclude), path.name, tuple(notes))


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise RegionError(
            f"{path.name} cannot be read ({error.strerror}). Check the path and the permissions."
        ) from error
    except (ValueError, RecursionError) as error:
        raise RegionError(
            f"{path.name} is not JSON. Export the regions anew as GeoJSON (QuPath: File > "
            "Export objects as GeoJSON, without compression)."
        ) from error


def _features(content: Any) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    """Yield every geometry with its properties, whatever wraps it."""
    if isinstance(content, Sequence) and not isinstance(content, str):
        for item in content:
            yield from _features(item)
    elif isinstance(content, Mapping):
        if content.get("type") == "FeatureCollection":
            yield from _features(content.get("features") or [])
        elif content.get("type") == "Feature":
            yield content.get("geometry"), content.get("properties") or {}
        else:
            yield content, {}


def _excludes(properties: Any) -> bool:
    if not isinstance(properties, Mapping):
        return False
    classification = properties.get("classification")
    name = classification.get("name") if isinstance(classification, Mapping) else classification
    named = str(name).strip().lower() in EXCLUDING_NAMES
    return named or properties.get("crlm_spa") == "exclude"


def _polygons(geometry: Any, name: str, notes: list[str]) -> list[Polygon]:
    """Return the polygons of one GeoJSON geometry, mended where needed."""
    if geometry is None:
        return []
    try:
        with np.errstate(invalid="ignore"):
            found = shape(geometry)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise RegionError(_damaged(name)) from error
    except shapely.errors.ShapelyError as error:
        raise RegionError(_damaged(name)) from error
    if not np.isfinite(shapely.get_coordinates(found)).all():
        raise RegionError(_damaged(name))
    polygons = list(_parts(found))
    if not polygons:
        notes.append(f"{name} is a {found.geom_type}, not an area, and was ignored.")
    valid = [polygon for polygon in polygons if polygon.is_valid]
    if len(valid) < len(polygons):
        notes.append(f"{name} crossed itself and was mended; check its outline.")
        for polygon in polygons:
            if not polygon.is_valid:
                valid.extend(_parts(shapely.make_valid(polygon)))
    return [polygon for polygon in valid if polygon.area > 0]


def _damaged(name: str) -> str:
    return (
        f"{name} is no GeoJSON geometry: its coordinates are missing or not numbers. Remove it, "
        "or export the regions anew."
    )


def _parts(geometry: BaseGeometry) -> Iterator[Polygon]:
    if isinstance(geometry, Polygon):
        if not geometry.is_empty:
            yield geometry
    elif isinstance(geometry, MultiPolygon | shapely.GeometryCollection):
        for part in geometry.geoms:
            yield from _parts(part)
