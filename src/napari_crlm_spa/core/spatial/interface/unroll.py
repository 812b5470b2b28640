"""An outline straightened: where each point of a strip along it lies on the slide.

Columns follow the line, rows its normals: outward, into the liver, is positive. The arc stays
monotone, so a length on the strip is a length on the slide. In a bend, normals cross beyond the
center of curvature; what lies there appears in several columns, and `Unrolled.folded` says where.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_crlm_spa.core.tissue_map import TissueMap

if TYPE_CHECKING:
    from scipy.spatial import KDTree

    from napari_crlm_spa.core.spatial.interface.interface import Contour

Floats = NDArray[np.float64]

#: Half of the strip's height.
REACH_UM = 500.0
#: Normals are those of the line smoothed so much (sigma): else the strip would tremble with the
#: tiles. A heuristic of ours; it moves no length.
NORMAL_SIGMA_UM = 120.0


@dataclass(frozen=True, slots=True, eq=False)
class Unrolled:
    """A closed line and its normals.

    Parameters
    ----------
    points_um
        Shape (n, 2), (x, y) in the slide's frame, at even distances.
    normals
        Shape (n, 2), of length 1, pointing out of the lesion.
    length_um
        Of the whole line.
    tree
        Finds the nearest point.
    """

    points_um: Floats
    normals: Floats
    length_um: float
    tree: KDTree

    @property
    def spacing_um(self) -> float:
        """Distance of neighboring points."""
        return self.length_um / len(self.points_um)

    def at(self, arc_um: Floats) -> tuple[Floats, Floats]:
        """Points and normals at arc lengths, each shape (k, 2); the line is closed."""
        place = np.mod(np.asarray(arc_um, np.float64), self.length_um) / self.spacing_um
        first = np.floor(place).astype(np.intp) % len(self.points_um)
        second = (first + 1) % len(self.points_um)
        share = (place - np.floor(place))[:, None]
        points = (1 - share) * self.points_um[first] + share * self.points_um[second]
        normals = (1 - share) * self.normals[first] + share * self.normals[second]
        return points, _unit(normals)

    def places_um(self, arc_um: Floats, offset_um: Floats) -> Floats:
        """Where the strip's points lie on the slide.

        Parameters
        ----------
        arc_um
            Along the line, shape (k,).
        offset_um
            Off the line, shape (m,); positive is outward.

        Returns
        -------
        ndarray
            Shape (m, k, 2), (x, y) in the slide's frame.
        """
        points, normals = self.at(arc_um)
        places: Floats = points[None] + np.asarray(offset_um)[:, None, None] * normals[None]
        return places

    def folded(self, arc_um: Floats, offset_um: Floats) -> NDArray[np.bool_]:
        """Where neighboring normals have crossed, shape (m, k): seen elsewhere again."""
        step = self.spacing_um
        ahead = self.places_um(arc_um + step, offset_um)
        behind = self.places_um(arc_um - step, offset_um)
        _, normals = self.at(arc_um)
        # The line runs at a right angle to its normals; which way, the points tell.
        along = np.stack([-normals[:, 1], normals[:, 0]], axis=1)
        run = self.at(arc_um + step)[0] - self.at(arc_um - step)[0]
        along *= np.sign((along * run).sum(axis=1))[:, None]
        crossed: NDArray[np.bool_] = ((ahead - behind) * along[None]).sum(axis=-1) <= 0
        return crossed

    def arc_of(
        self, x_um: float, y_um: float, reach_um: float = REACH_UM
    ) -> tuple[float, float] | None:
        """Find where on the strip a point of the slide is: arc and distance, in micrometers.

        None beyond `reach_um`.
        """
        distance, found = self.tree.query((x_um, y_um))
        if not distance <= reach_um:
            return None
        return float(int(found) * self.spacing_um), float(distance)


def unroll(contour: Contour, sigma_um: float = NORMAL_SIGMA_UM) -> Unrolled:
    """Straighten a contour.

    Parameters
    ----------
    contour
        The line.
    sigma_um
        How much the line is smoothed before its normals are taken.
    """
    from scipy.spatial import KDTree

    points = contour.vertices_um
    smooth = ndimage.gaussian_filter1d(
        points, sigma_um / contour.spacing_um, axis=0, mode="wrap", truncate=3
    )
    along = np.roll(smooth, -1, axis=0) - np.roll(smooth, 1, axis=0)
    # The walk keeps the lesion on the same side of every line, around islands, too.
    normals = _unit(np.stack([-along[:, 1], along[:, 0]], axis=1))
    return Unrolled(points, normals, contour.length_um, KDTree(points))


def sample_classes(tissue_map: TissueMap, places_um: Floats) -> NDArray[np.uint8]:
    """Class codes at places of the slide; 0 off the map and where nothing is classified.

    Parameters
    ----------
    tissue_map
        The classes on the grid.
    places_um
        Shape (..., 2), (x, y) in the slide's frame.

    Returns
    -------
    ndarray
        Shape (...), uint8.
    """
    cell = np.floor((places_um - np.array(tissue_map.origin_um)) / tissue_map.stride_um)
    cols, rows = np.moveaxis(cell.astype(np.intp), -1, 0)
    n_rows, n_cols = tissue_map.shape
    inside = (rows >= 0) & (rows < n_rows) & (cols >= 0) & (cols < n_cols)
    found = tissue_map.classes[np.where(inside, rows, 0), np.where(inside, cols, 0)]
    return np.where(inside, found, 0).astype(np.uint8)


def _unit(vectors: Floats) -> Floats:
    length = np.hypot(vectors[:, 0], vectors[:, 1])
    unit: Floats = vectors / np.where(length > 0, length, 1.0)[:, None]
    return unit
