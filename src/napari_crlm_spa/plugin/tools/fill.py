"""Which tiles a fill takes: those of the same class that hang together, or that are near."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_crlm_spa.core.classes import NOT_CLASSIFIED
from napari_crlm_spa.core.review import Review
from napari_crlm_spa.plugin.tools.shapes import NOTHING, Patch

#: Instead of a grid code: the tile was never classified, so no fill reaches it. A tile that was
#: set aside counts nowhere either, but may be filled.
NEVER = 255


class Reach(StrEnum):
    """How far a fill goes; the value is what the chooser says."""

    CORNERS = "The patch (corners touch)"
    EDGES = "The patch (edges touch)"
    NEAR = "The class, within"


@dataclass(frozen=True, slots=True)
class FillRule:
    """How a fill finds its tiles.

    Parameters
    ----------
    reach
        A patch of tiles that hang together, by edges and corners or by edges alone; or all tiles
        of the class near the click, whether they hang together or not.
    radius
        How near, in tiles; the distance of the tiles' centers.
    """

    reach: Reach = Reach.CORNERS
    radius: int = 5


def filled_of(review: Review, tile: tuple[int, int], rule: FillRule | None = None) -> Patch:
    """Find the tiles of a map under correction that a click on one of them fills."""
    never = np.equal(review.predicted.classes, NOT_CLASSIFIED)
    codes = np.where(never, np.uint8(NEVER), review.tissue_map.classes)
    return NOTHING if never[tile] else filled(codes, tile, rule)


def filled(
    classes: NDArray[np.uint8], tile: tuple[int, int], rule: FillRule | None = None
) -> Patch:
    """Find the tiles that have the class of one of them.

    Parameters
    ----------
    classes
        Grid codes, shape (rows, cols).
    tile
        (row, col) of the tile that was clicked.
    rule
        How far the fill goes.
    """
    rule = rule or FillRule()
    if rule.reach is Reach.NEAR:
        return _near(classes, tile, rule.radius)
    structure = np.ones((3, 3)) if rule.reach is Reach.CORNERS else None
    labels, _ = ndimage.label(classes == classes[tile], structure)
    number = labels[tile]
    box = ndimage.find_objects(labels, max_label=number)[number - 1]
    if box is None:
        return NOTHING
    return Patch(box[0].start, box[1].start, labels[box] == number)


def _near(classes: NDArray[np.uint8], tile: tuple[int, int], radius: int) -> Patch:
    (row, col), (n_rows, n_cols) = tile, classes.shape
    rows = np.arange(max(row - radius, 0), min(row + radius + 1, n_rows))
    cols = np.arange(max(col - radius, 0), min(col + radius + 1, n_cols))
    near = (rows[:, None] - row) ** 2 + (cols[None, :] - col) ** 2 <= radius**2
    same = classes[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1] == classes[tile]
    return Patch(int(rows[0]), int(cols[0]), near & same)
