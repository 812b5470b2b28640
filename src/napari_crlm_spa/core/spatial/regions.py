"""Tumor regions: the tumor tiles, grown, smoothed, filled, and freed of small islands.

The recipe is the one in the authors' later public code (Spatial_CMSs, ``GetMask``): dilate with
a 5x5 box, erode with a 3x3 box, fill holes, label 8-connected components, drop the small ones.
The paper says only "morphologic transformations", so every number here is an option.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import FeatureError

EIGHT = np.ones((3, 3), dtype=bool)
FOUR = ndimage.generate_binary_structure(2, 1)
TUMOR = "TUM"


@dataclass(frozen=True, slots=True, kw_only=True)
class TumorRegionOptions(Options):
    """How tumor tiles become tumor regions."""

    dilate_tiles: int = option(
        5,
        "Side of the box that grows the tumor (odd)",
        min=1,
        max=31,
        unit="tiles",
        advanced=True,
        label="Grow tumor by a box of",
    )
    erode_tiles: int = option(
        3,
        "Side of the box that shrinks it again (odd)",
        min=1,
        max=31,
        unit="tiles",
        advanced=True,
        label="Then shrink by a box of",
    )
    fill_holes: bool = option(True, "Count holes inside a tumor region as tumor", advanced=True)
    min_tiles: int = option(
        50,
        "Tumor regions smaller than this are dropped",
        min=1,
        max=100_000,
        unit="tiles",
        label="Smallest tumor region",
    )

    @property
    def reach(self) -> int:
        """How far a tile has an influence when the tumor is grown and shrunk, in tiles."""
        return self.dilate_tiles // 2 + self.erode_tiles // 2

    def __post_init__(self) -> None:
        Options.__post_init__(self)
        for name, side in (("dilate_tiles", self.dilate_tiles), ("erode_tiles", self.erode_tiles)):
            if side % 2 == 0:
                raise FeatureError(
                    f"TumorRegionOptions: {name} is {side}; a box needs a center, "
                    f"so choose an odd number such as {side + 1}."
                )


@dataclass(frozen=True, slots=True, eq=False)
class TumorRegions:
    """Connected tumor regions, the largest first.

    Parameters
    ----------
    labels
        Shape (rows, cols), int32: 0 outside, k in the k-th largest region.
    sizes
        Tiles of each region, shape (n,), descending.
    tumor_tiles
        How many of them are tumor tiles, shape (n,).
    contiguous_tumor_tiles
        Tiles of the largest 8-connected group of tumor tiles in the map itself, before any
        morphology: what the paper's exclusion rule (< 50) looks at.
    """

    labels: NDArray[np.int32]
    sizes: NDArray[np.int64]
    tumor_tiles: NDArray[np.int64]
    contiguous_tumor_tiles: int

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """All regions together, shape (rows, cols)."""
        return self.labels > 0

    @property
    def largest(self) -> int:
        """Tiles of the largest region; 0 if there is none."""
        return int(self.sizes[0]) if len(self.sizes) else 0


def tumor_regions(tissue_map: TissueMap, options: TumorRegionOptions | None = None) -> TumorRegions:
    """Find the tumor regions of a tissue map.

    Parameters
    ----------
    tissue_map
        The classes on the grid.
    options
        Boxes, hole filling, smallest region.

    Returns
    -------
    TumorRegions
        Labeled regions; possibly none.

    Raises
    ------
    ModelError
        If the class scheme has no tumor class.
    """
    return regions_of_tumor(tissue_map.mask(TUMOR), options)


def regions_of_tumor(
    tumor: NDArray[np.bool_], options: TumorRegionOptions | None = None
) -> TumorRegions:
    """Find the regions of a plain mask of tumor tiles, shape (rows, cols).

    Beyond the border of the grid nothing is tumor when growing, and everything is when
    shrinking (as in EBImage), so a tumor that is cut by the border isn't eaten there.
    """
    options = options or TumorRegionOptions()
    mask = closed(tumor, options)
    if options.fill_holes:
        mask = filled(mask)
    labels, n_labels = _components(mask, EIGHT)
    sizes = np.bincount(labels[mask], minlength=n_labels + 1)
    kept = np.flatnonzero(sizes >= options.min_tiles)
    kept = kept[kept > 0]
    order = kept[np.argsort(-sizes[kept], kind="stable")]
    renumber = np.zeros(n_labels + 1, np.int32)
    renumber[order] = np.arange(1, len(order) + 1, dtype=np.int32)
    labels = renumber[labels]
    inside = np.bincount(labels[tumor], minlength=len(order) + 1)
    return TumorRegions(
        labels=labels,
        sizes=sizes[order].astype(np.int64),
        tumor_tiles=inside[1:].astype(np.int64),
        contiguous_tumor_tiles=largest_group(tumor),
    )


def closed(tumor: NDArray[np.bool_], options: TumorRegionOptions) -> NDArray[np.bool_]:
    """Grow and shrink a mask of tumor tiles; what lies `reach` off has no influence."""
    grown = _box(tumor, options.dilate_tiles, grow=True)
    return _box(grown, options.erode_tiles, grow=False)


def largest_group(tumor: NDArray[np.bool_]) -> int:
    """Tiles of the largest 8-connected group in a mask of shape (rows, cols)."""
    labels, n_labels = _components(tumor, EIGHT)
    return int(np.bincount(labels[tumor]).max()) if n_labels else 0


def filled(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Fill the holes: background that can't reach the border in steps up, down, left, right."""
    background, n_labels = _components(~mask, FOUR)
    if n_labels == 0:
        return mask
    outside = np.zeros(n_labels + 1, dtype=bool)
    for side in (background[0], background[-1], background[:, 0], background[:, -1]):
        outside[side] = True
    outside[0] = False
    return ~outside[background]


def _components(
    mask: NDArray[np.bool_], structure: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], int]:
    labels = np.zeros(mask.shape, np.int32)
    if not mask.size:
        return labels, 0
    n_labels = ndimage.label(mask, structure, output=labels)
    return labels, int(n_labels)


def _box(mask: NDArray[np.bool_], side: int, *, grow: bool) -> NDArray[np.bool_]:
    """Dilate or erode with a square box, one axis after the other."""
    if side == 1 or not mask.size:
        return mask.astype(bool)
    out = mask
    for axis in (0, 1):
        out = _line(out, side, axis, grow=grow)
    return out


def _line(mask: NDArray[np.bool_], side: int, axis: int, *, grow: bool) -> NDArray[np.bool_]:
    """Dilate or erode along an axis, joining ever longer pieces: 1, 2, 4... tiles."""
    join = np.logical_or if grow else np.logical_and
    beside = [(0, 0), (0, 0)]
    beside[axis] = (side // 2, side // 2)
    out = np.pad(mask, beside, constant_values=not grow)
    length = 1
    while length < side:
        step = min(length, side - length)
        first, second = (slice(-step), slice(step, None))
        out = join(out[first], out[second]) if axis == 0 else join(out[:, first], out[:, second])
        length += step
    return out
