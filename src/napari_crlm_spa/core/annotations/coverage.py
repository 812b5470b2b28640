"""How much of every tile areas cover, by class and by annotator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from napari_crlm_spa.core.annotations.areas import Area
from napari_crlm_spa.core.slide import SlideInfo
from napari_crlm_spa.core.tiles import TileGrid, covered_share, edges_px

#: An area that only touches a tile's border is not on it.
_INSIDE_PX = 1e-3


def scanned_part(info: SlideInfo) -> BaseGeometry:
    """Return the scanned part of a slide, in level-0 pixels."""
    left, top, width, height = info.bounds_xy0
    return box(left, top, left + width, top + height)


def together(names: Iterable[str]) -> str:
    """Join names, each once; joined ones are taken apart first."""
    apart = (name for joined in names for name in joined.split("; "))
    return "; ".join(sorted({name for name in apart if name}))


class Coverage:
    """How much of every tile each class covers.

    Parameters
    ----------
    areas
        Those that label.
    info, grid
        The slide and its tiles.
    """

    def __init__(self, areas: Sequence[Area], info: SlideInfo, grid: TileGrid) -> None:
        self._areas = areas
        self._scanned = scanned_part(info)
        self._x, self._y = edges_px(info, grid)
        self.names = sorted({area.class_name for area in areas})
        self._shares = [
            self.share_of([area for area in areas if area.class_name == name])
            for name in self.names
        ]

    def share_of(self, areas: Sequence[Area]) -> NDArray[np.float64]:
        """Share of every tile that some areas cover together, shape (rows, cols)."""
        whole = shapely.union_all([area.polygon_xy0 for area in areas])
        return covered_share(whole.intersection(self._scanned), self._x, self._y)

    def best_two(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Share of the class that covers most of a tile, and of the next."""
        best = np.zeros_like(self._shares[0])
        second = best.copy()
        for share in self._shares:
            second = np.maximum(second, np.minimum(best, share))
            best = np.maximum(best, share)
        return best, second

    def annotators_differ(self, allowed: float) -> NDArray[np.bool_]:
        """Tiles that annotators would give different classes, shape (rows, cols)."""
        differ = np.zeros(self._shares[0].shape, np.bool_)
        names = sorted({area.annotator for area in self._areas})
        if len(names) < 2:
            return differ
        first = np.full(differ.shape, -1)
        for name in names:
            shares = np.stack(
                [
                    self.share_of(
                        [a for a in self._areas if (a.annotator, a.class_name) == (name, of)]
                    )
                    for of in self.names
                ]
            )
            says = np.where(shares.max(axis=0) > allowed, shares.argmax(axis=0), -1)
            differ |= (first >= 0) & (says >= 0) & (first != says)
            first = np.where(first < 0, says, first)
        return differ

    def of(self, places: NDArray[np.intp]) -> tuple[list[str], list[float], list[list[Area]]]:
        """Return class, its share and the areas behind it, for tiles (row, col), shape (n, 2)."""
        shares = np.stack([share[places[:, 0], places[:, 1]] for share in self._shares])
        names = [self.names[int(label)] for label in shares.argmax(axis=0)]
        purity = np.minimum(shares.max(axis=0), 1.0)
        return names, [float(share) for share in purity], self._drawn_by(places, names)

    def _drawn_by(self, places: NDArray[np.intp], names: list[str]) -> list[list[Area]]:
        """Return the areas of its class that touch each tile."""
        rows, cols = places[:, 0], places[:, 1]
        left, top = self._x[cols] + _INSIDE_PX, self._y[rows] + _INSIDE_PX
        right, bottom = self._x[cols + 1] - _INSIDE_PX, self._y[rows + 1] - _INSIDE_PX
        tree = shapely.STRtree(shapely.box(left, top, right, bottom))
        found: list[list[Area]] = [[] for _ in places]
        # The areas ask, not the tiles: an outline is then looked up, not walked along.
        polygons = [area.polygon_xy0 for area in self._areas]
        for index, tile in tree.query(polygons, predicate="intersects").T.tolist():
            area = self._areas[index]
            if area.class_name == names[tile]:
                found[tile].append(area)
        return found
