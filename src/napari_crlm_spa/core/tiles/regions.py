"""Regions of interest and exclusions, and the tiles that belong to them.

Coordinates are level-0 pixels, x first; (0, 0) is the top-left corner of the first pixel.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon, box
from shapely.geometry.base import BaseGeometry

from napari_crlm_spa.errors import RegionError

#: Blocks of so few tiles are not halved any further.
_LEAF_TILES = 16
#: What may be lacking of a block that counts as full: rounding, far below a tile's share.
_FULL = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class RegionsOfInterest:
    """Where to look, and where not to.

    Parameters
    ----------
    include
        Polygons (holes allowed) in level-0 pixels; none stands for the whole slide.
    exclude
        Polygons that are left out, even inside an included one.
    source
        Name of the file, or who drew them, for messages.
    notes
        What was mended or ignored while reading, in sentences for the user.
    """

    include: tuple[Polygon, ...] = ()
    exclude: tuple[Polygon, ...] = ()
    source: str = "the drawn regions"
    notes: tuple[str, ...] = field(default=())

    def area(self, everywhere: BaseGeometry) -> BaseGeometry:
        """Included minus excluded area; `everywhere` where nothing is included."""
        included = shapely.union_all(list(self.include)) if self.include else everywhere
        return included.difference(shapely.union_all(list(self.exclude)))

    def check_overlap(self, bounds_xy0: tuple[int, int, int, int], slide_name: str) -> None:
        """Refuse regions that lie beside the slide.

        Raises
        ------
        RegionError
            If the area to look at does not overlap the scanned bounds (x, y, width, height).
        """
        x0, y0, width, height = bounds_xy0
        scanned = box(x0, y0, x0 + width, y0 + height)
        if self.include and not any(region.intersects(scanned) for region in self.include):
            span = "x {:.0f} to {:.0f}, y {:.0f} to {:.0f}".format(
                *np.array(shapely.total_bounds(list(self.include)))[[0, 2, 1, 3]]
            )
            raise RegionError(
                f"The regions of {self.source} ({span} px) lie outside {slide_name} "
                f"(x {x0} to {x0 + width}, y {y0} to {y0 + height} px). They belong to another "
                "slide, or were drawn on a smaller copy: export them in full-resolution pixels."
            )
        if self.area(scanned).intersection(scanned).area == 0:
            raise RegionError(
                f"The exclusions of {self.source} cover all of {slide_name} that was to be "
                "analyzed. Remove or shrink one."
            )

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the polygons, to tell whether an earlier run saw the same ones."""
        digest = hashlib.sha256()
        for polygons in (self.include, self.exclude):
            for polygon in polygons:
                digest.update(shapely.to_wkb(polygon))
            digest.update(b"|")
        return digest.hexdigest()


def tiles_inside(
    regions: RegionsOfInterest,
    x_edges_px: NDArray[np.float64],
    y_edges_px: NDArray[np.float64],
    rule: str,
) -> NDArray[np.bool_]:
    """Tell which tiles belong to the regions.

    Parameters
    ----------
    regions
        In level-0 pixels.
    x_edges_px, y_edges_px
        Borders of columns (cols + 1) and rows (rows + 1) in level-0 pixels.
    rule
        ``center``: the tile's center lies inside or on the border of the kept area (included
        minus excluded); ``most``: more than half of the tile does; ``whole``: all of it;
        ``any``: any part.

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    everywhere = box(x_edges_px[0], y_edges_px[0], x_edges_px[-1], y_edges_px[-1])
    area = regions.area(everywhere)
    inside = np.zeros((len(y_edges_px) - 1, len(x_edges_px) - 1), np.bool_)
    if area.is_empty:
        return inside
    shapely.prepare(area)
    left, top, right, bottom = area.bounds
    cols = _span(x_edges_px, left, right)
    rows = _span(y_edges_px, top, bottom)
    x, y = x_edges_px[cols.start : cols.stop + 1], y_edges_px[rows.start : rows.stop + 1]
    if rule == "center":
        at_x, at_y = np.meshgrid((x[:-1] + x[1:]) / 2, (y[:-1] + y[1:]) / 2)
        inside[rows, cols] = shapely.intersects_xy(area, at_x, at_y)
    else:
        share = _shares(area, x, y)
        limits = {"most": share > 0.5, "whole": share >= 1 - 1e-9, "any": share > 0}
        inside[rows, cols] = limits[rule]
    return inside


def covered_share(
    area: BaseGeometry, x_edges_px: NDArray[np.float64], y_edges_px: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the share of every tile that an area covers, 0 to 1, shape (rows, cols).

    Parameters
    ----------
    area
        In level-0 pixels.
    x_edges_px, y_edges_px
        Borders of columns (cols + 1) and rows (rows + 1) in level-0 pixels.
    """
    share = np.zeros((len(y_edges_px) - 1, len(x_edges_px) - 1))
    if area.is_empty:
        return share
    left, top, right, bottom = area.bounds
    cols = _span(x_edges_px, left, right)
    rows = _span(y_edges_px, top, bottom)
    x, y = x_edges_px[cols.start : cols.stop + 1], y_edges_px[rows.start : rows.stop + 1]
    if len(x) > 1 and len(y) > 1:
        share[rows, cols] = _shares(area, x, y)
    return share


def _span(edges: NDArray[np.float64], low: float, high: float) -> slice:
    """Cells between two coordinates."""
    first = int(np.searchsorted(edges, low, side="right")) - 1
    last = int(np.searchsorted(edges, high, side="left"))
    return slice(max(0, first), max(0, min(len(edges) - 1, last)))


def _shares(
    area: BaseGeometry, x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Share of every tile that lies inside, shape (rows, cols)."""
    share = np.zeros((len(y) - 1, len(x) - 1))
    _fill(share, _within(area, x, y), x, y)
    return share


def _fill(
    share: NDArray[np.float64], area: BaseGeometry, x: NDArray[np.float64], y: NDArray[np.float64]
) -> None:
    """Enter the shares of a block of tiles that `area` lies within.

    A block that an outline crosses is halved and the area cut to each half, so that no tile
    is compared with the whole of a long outline.
    """
    rows, cols = share.shape
    block_px2 = (x[-1] - x[0]) * (y[-1] - y[0])
    if area.is_empty or area.area >= block_px2 * (1 - _FULL):
        share[:] = 0 if area.is_empty else 1
    elif rows * cols <= _LEAF_TILES:
        tiles = shapely.box(x[None, :-1], y[:-1, None], x[None, 1:], y[1:, None])
        share[:] = shapely.area(shapely.intersection(area, tiles)) / shapely.area(tiles)
    elif rows >= cols:
        middle = rows // 2
        _fill(share[:middle], _within(area, x, y[: middle + 1]), x, y[: middle + 1])
        _fill(share[middle:], _within(area, x, y[middle:]), x, y[middle:])
    else:
        middle = cols // 2
        _fill(share[:, :middle], _within(area, x[: middle + 1], y), x[: middle + 1], y)
        _fill(share[:, middle:], _within(area, x[middle:], y), x[middle:], y)


def _within(area: BaseGeometry, x: NDArray[np.float64], y: NDArray[np.float64]) -> BaseGeometry:
    """Cut an area to a block of tiles; lines and points that remain are dropped."""
    cut = shapely.intersection(area, box(x[0], y[0], x[-1], y[-1]))
    if cut.geom_type in ("Polygon", "MultiPolygon"):
        return cut
    parts = [part for part in shapely.get_parts(cut) if isinstance(part, Polygon)]
    return MultiPolygon(parts)
