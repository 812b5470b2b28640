"""Areas as outlines of a Shapes layer, and back. No Qt, no napari.

A Shapes layer knows outlines without holes. An area with holes or several parts becomes one
outline that visits all its rings over bridges of no width; the way back takes the bridges out.
Areas that nobody touched never take the way back: `Drawing` keeps them as they were.
"""

from __future__ import annotations

from functools import reduce

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

#: Corners of an ellipse's outline: within 0.2 % of its radius.
ELLIPSE_CORNERS = 64
#: Moves a corner by half a pixel in an area 10,000 px wide.
SLANT = np.array([[1.0, 1e-4], [0.7e-4, 1.0]])
#: Shapes that enclose something.
ENCLOSING = frozenset({"polygon", "rectangle", "ellipse"})


def outline_of(polygon: Polygon | MultiPolygon) -> NDArray[np.float64]:
    """Return an area as one outline, shape (n, 2), row before column, in its own unit."""
    parts = polygon.geoms if isinstance(polygon, MultiPolygon) else [polygon]
    rings = [ring for part in parts for ring in (part.exterior, *part.interiors)]
    corners = [shapely.get_coordinates(ring)[:, ::-1] for ring in rings]
    first = corners[0]
    if len(corners) == 1:
        return first[:-1].copy()
    way = [first]
    for ring in corners[1:]:
        way += [ring, first[:1]]
    return np.concatenate(way)[:-1]


def slanted(outline: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an outline slanted by a ten-thousandth, its corners that are equal still equal.

    Older versions of napari cannot fill an outline with bridges whose sides are upright.
    """
    center = outline.mean(axis=0)
    leaning: NDArray[np.float64] = center + (outline - center) @ SLANT
    return leaning


def polygon_of(
    outline: NDArray[np.float64], shape_type: str = "polygon"
) -> Polygon | MultiPolygon | None:
    """Return the area inside an outline; None where it encloses nothing.

    Parameters
    ----------
    outline
        Shape (n, 2), row before column; of an ellipse the corners of the rectangle around it.
    shape_type
        As napari calls it. Lines and paths enclose nothing.
    """
    if shape_type not in ENCLOSING or len(outline) < 3:
        return None
    xy = np.asarray(outline, np.float64)[:, ::-1]
    if shape_type == "ellipse":
        xy = _ellipse(xy)
    polygon: BaseGeometry = shapely.make_valid(Polygon(xy))
    rings = _rings(xy)
    if rings:
        whole = [shapely.make_valid(Polygon(ring)) for ring in rings]
        polygon = reduce(lambda a, b: a.symmetric_difference(b), whole)
    parts = [part for part in _polygons(polygon) if part.area > 0]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)


def _rings(xy: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Take the rings of `outline_of` apart; none where the outline is a single one."""
    rings, start = [], 0
    while start < len(xy):
        again = np.flatnonzero((xy[start + 1 :] == xy[start]).all(axis=1))
        if not len(again) and start == 0:
            return []
        # The very last ring leads back to the first one's beginning, which is left out.
        end = start + 1 + int(again[0]) if len(again) else len(xy)
        if end - start < 3 or (len(again) and end + 1 < len(xy) and _strays(xy, start, end)):
            return []
        rings.append(xy[start:end])
        start = end + 1 if start == 0 else end + 2
    return rings


def _strays(xy: NDArray[np.float64], start: int, end: int) -> bool:
    """Whether an outline does not go on from the first ring's beginning, as ours do."""
    return start > 0 and not np.array_equal(xy[end + 1], xy[0])


def _polygons(geometry: BaseGeometry) -> list[Polygon]:
    if isinstance(geometry, Polygon):
        return [geometry]
    return [part for each in getattr(geometry, "geoms", ()) for part in _polygons(each)]


def _ellipse(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the outline of the ellipse in a rectangle that may be turned."""
    center = corners.mean(axis=0)
    to_side, to_top = (corners[1] - corners[0]) / 2, (corners[3] - corners[0]) / 2
    angle = np.linspace(0, 2 * np.pi, ELLIPSE_CORNERS, endpoint=False)[:, None]
    outline: NDArray[np.float64] = center + np.cos(angle) * to_side + np.sin(angle) * to_top
    return outline
