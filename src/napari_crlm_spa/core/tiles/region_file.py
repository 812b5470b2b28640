"""Regions of interest from a GeoJSON file."""

from __future__ import annotations

from pathlib import Path

import shapely
from shapely.geometry import Polygon

from napari_crlm_spa.core.tiles.geojson_file import excludes, polygons_of, read_features
from napari_crlm_spa.core.tiles.regions import RegionsOfInterest
from napari_crlm_spa.errors import RegionError


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
    for number, feature in enumerate(read_features(path, RegionError), start=1):
        name = f"Region {number} of {path.name}"
        polygons = polygons_of(feature.geometry, name, notes, RegionError)
        moved = (shapely.transform(each, lambda xy: xy + origin_xy0) for each in polygons)
        (exclude if excludes(feature.properties) else include).extend(moved)
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
