"""Stretches of an interface: what a reader looks at one by one, and what was drawn along them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.spatial.interaction import Neighborhoods
from napari_crlm_spa.core.spatial.interface.codes import InterfaceCode
from napari_crlm_spa.core.spatial.zones import TISSUES
from napari_crlm_spa.core.tissue_map import TissueMap

if TYPE_CHECKING:
    from napari_crlm_spa.core.spatial.interface.interface import Contour, Interface

Floats = NDArray[np.float64]

#: Heuristics of ours, for looking: they change no percentage.
STRETCH_UM = 500.0
SMOOTH_UM = 300.0
#: Fewer tiles in a row are no mean.
LEAST_TILES = 3
#: A tumor tile at a border that is farther from the outline lies inside the lesion.
TILE_REACH_UM = 250.0
#: So near a line that a reader has drawn is about the same stretch.
LABEL_REACH_UM = 250.0
_LIVER = "HEP"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a contour.

    Parameters
    ----------
    contour
        Index of the contour.
    start_um, length_um
        Where it lies along the contour.
    center_um
        Its middle, (x, y) in the slide's frame.
    box_um
        (width, height) of the rectangle that holds it.
    code
        What most of it is.
    code_share
        How much of it that is, 0-1.
    interaction
        Mean share of liver around the tumor tiles at the border; NaN if there are none near.
    rim_um
        Median thickness of the rim; NaN without one.
    label
        What a reader has drawn along it; empty if nothing.
    """

    contour: int
    start_um: float
    length_um: float
    center_um: tuple[float, float]
    box_um: tuple[float, float]
    code: InterfaceCode
    code_share: float
    interaction: float
    rim_um: float
    label: str = ""

    @property
    def middle_um(self) -> float:
        """Where its middle lies along the contour."""
        return self.start_um + self.length_um / 2


def border_interaction(
    contours: Sequence[Contour],
    tissue_map: TissueMap,
    denominator: str = "tissue",
    smooth_um: float = SMOOTH_UM,
) -> list[Floats]:
    """Interaction along contours, border-only: share of liver around the tumor tiles at the border.

    Each such tile counts at the nearest point of the line, so the mean over all tiles of a contour
    is the border-only score.

    Parameters
    ----------
    contours, tissue_map
        The lines, and the map that they were found on.
    denominator
        As in `core.spatial.interaction`.
    smooth_um
        Length over which the mean is taken.

    Returns
    -------
    list of ndarray
        Of each contour, shape (n,), 0-1; NaN where no tumor tile at the border is near.
    """
    from scipy.spatial import KDTree

    around = Neighborhoods(tissue_map, denominator)
    # A tumor tile lies at the border if there is anything else around it.
    other = np.nansum([around.share_map(tissue) for tissue in TISSUES], axis=0)
    at_border = np.argwhere(other > 0)
    liver = around.share_map(_LIVER)[tuple(at_border.T)].astype(np.float64)
    stride = tissue_map.stride_um
    centers = (at_border[:, ::-1] + 0.5) * stride + np.array(tissue_map.origin_um)
    window_um = max(smooth_um, LEAST_TILES * stride)
    found = []
    for contour in contours:
        n_points = len(contour.codes)
        tree = KDTree(contour.vertices_um)
        nearest = np.asarray(tree.query(centers, distance_upper_bound=TILE_REACH_UM)[1], np.intp)
        near = np.flatnonzero(nearest < n_points)
        total = np.zeros(n_points)
        count = np.zeros(n_points)
        np.add.at(total, nearest[near], liver[near])
        np.add.at(count, nearest[near], 1.0)
        window = round(window_um / contour.spacing_um)
        found.append(window_mean(total, count, window))
    return found


def window_mean(total: Floats, count: Floats, window: int) -> Floats:
    """Mean of what lies in a window around each point of a closed line.

    Parameters
    ----------
    total, count
        Sum of the values at each point and how many there are, shape (n,).
    window
        In points; all of the line at most.

    Returns
    -------
    ndarray
        Shape (n,); NaN where the window is empty.
    """
    n_points = len(total)
    half = min(window // 2, (n_points - 1) // 2)
    sums = []
    for part in (total, count):
        around = np.concatenate([part[n_points - half :], part, part[:half]])
        reached = np.concatenate([[0.0], np.cumsum(around)])
        sums.append(reached[2 * half + 1 :] - reached[: -2 * half - 1])
    known = sums[1] > 0.5
    return np.where(known, sums[0] / np.where(known, sums[1], 1.0), np.nan)


def cut_stretches(
    interface: Interface, interaction: Sequence[Floats], length_um: float = STRETCH_UM
) -> tuple[Stretch, ...]:
    """Cut all contours into stretches of about the same length.

    Parameters
    ----------
    interface
        The contours.
    interaction
        Of `border_interaction`.
    length_um
        About as long; each contour is divided evenly.
    """
    found = []
    for number, contour in enumerate(interface.contours):
        n_parts = max(1, round(contour.length_um / length_um))
        edges = np.linspace(0, len(contour.codes), n_parts + 1).round().astype(int)
        for first, last in pairwise(edges.tolist()):
            if last > first:
                found.append(_stretch(number, contour, interaction[number], first, last))
    return tuple(found)


def _stretch(number: int, contour: Contour, curve: Floats, first: int, last: int) -> Stretch:
    points = contour.vertices_um[first:last]
    counts = np.bincount(contour.codes[first:last], minlength=len(InterfaceCode))
    code = InterfaceCode(int(counts.argmax()))
    middle = points[len(points) // 2]
    size = np.ptp(points, axis=0)
    return Stretch(
        contour=number,
        start_um=float(first * contour.spacing_um),
        length_um=float((last - first) * contour.spacing_um),
        center_um=(float(middle[0]), float(middle[1])),
        box_um=(float(size[0]), float(size[1])),
        code=code,
        code_share=float(counts.max() / counts.sum()),
        interaction=_known(np.mean, curve[first:last]),
        rim_um=_known(np.median, contour.thickness_um[first:last]),
    )


def _known(measure: object, values: Floats) -> float:
    values = values[np.isfinite(values)]
    if not len(values):
        return float("nan")
    return float(np.median(values) if measure is np.median else values.mean())


def labels_along(
    interface: Interface,
    stretches: Sequence[Stretch],
    lines: Sequence[tuple[str, Floats]],
    reach_um: float = LABEL_REACH_UM,
) -> list[str]:
    """Say of each stretch what a reader has drawn along most of it.

    Parameters
    ----------
    interface, stretches
        From `cut_stretches`.
    lines
        (label, vertices in micrometers of shape (n, 2)).
    reach_um
        How far a line may lie from the interface.

    Returns
    -------
    list of str
        A label for each stretch; empty where less than half of it has one.
    """
    from scipy.spatial import KDTree

    if not lines:
        return [""] * len(stretches)
    names = sorted({label for label, _ in lines})
    points, owners = [], []
    for label, vertices in lines:
        dense = _dense(vertices, reach_um / 4)
        points.append(dense)
        owners.append(np.full(len(dense), names.index(label)))
    tree, owner = KDTree(np.concatenate(points)), np.concatenate(owners)
    found = []
    for stretch in stretches:
        contour = interface.contours[stretch.contour]
        first = round(stretch.start_um / contour.spacing_um)
        n_points = round(stretch.length_um / contour.spacing_um)
        part = contour.vertices_um[first : first + n_points]
        nearest = np.asarray(tree.query(part, distance_upper_bound=reach_um)[1])
        near = nearest[nearest < len(owner)]
        votes = np.bincount(owner[near], minlength=len(names))
        enough = 2 * len(near) >= len(part)
        found.append(names[int(votes.argmax())] if len(near) and enough else "")
    return found


def _dense(vertices_um: Floats, step_um: float) -> Floats:
    """Points along a polyline, at most `step_um` apart."""
    steps = np.hypot(*np.diff(vertices_um, axis=0).T)
    arc = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(0.0, arc[-1], max(2, int(np.ceil(arc[-1] / step_um)) + 1))
    return np.column_stack([np.interp(at, arc, vertices_um[:, axis]) for axis in (0, 1)])
