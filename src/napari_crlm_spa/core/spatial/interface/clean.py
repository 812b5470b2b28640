"""Stray tiles: single wrong ones would break the thin capsule that everything depends on.

Either by labels alone (a tile with fewer than 2 of its 8 neighbors in its class takes the
commonest class around it, so lines of one tile's width stay), or by smoothing the probabilities
where the classifier left any. What a reader has corrected or confirmed is never overruled.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_crlm_spa.core.classes import NOT_CLASSIFIED
from napari_crlm_spa.core.spatial.interface.options import InterfaceOptions
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.core.tissue_map import TissueMap

#: The four that share a side first.
_AROUND = ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1))
_BY_SIDE = 4


def cleaned(tissue_map: TissueMap, options: InterfaceOptions) -> NDArray[np.uint8]:
    """Return the map's classes without stray tiles.

    Parameters
    ----------
    tissue_map
        The classes on the grid, with probabilities or without.
    options
        How to clean.

    Returns
    -------
    ndarray
        Shape (rows, cols), uint8 codes as in the map; unclassified tiles stay unclassified.
    """
    classes = tissue_map.classes
    method = cleaning_used(tissue_map, options)
    if method == "none":
        return classes
    if method == "smooth":
        found = _smoothed(tissue_map, options.smoothing_tiles)
    else:
        found = classes
        for _ in range(options.despeckle_passes):
            found = despeckled(found, options.despeckle_neighbors)
    sure = np.isin(tissue_map.state, (TileState.EDITED, TileState.ACCEPTED))
    return np.where(sure, classes, found).astype(np.uint8) if sure.any() else found


def cleaning_used(tissue_map: TissueMap, options: InterfaceOptions) -> str:
    """Say which way of cleaning a map gets: ``"despeckle"``, ``"smooth"`` or ``"none"``."""
    if options.cleaning in ("none", "despeckle"):
        return options.cleaning
    return "smooth" if tissue_map.probabilities.any() else "despeckle"


def despeckled(classes: NDArray[np.uint8], least: int = 2) -> NDArray[np.uint8]:
    """Relabel, once, the tiles that have fewer than `least` of their 8 neighbors in their class.

    Parameters
    ----------
    classes
        Shape (rows, cols), codes; 0 = not classified, which is no neighbor and never relabeled.
    least
        Neighbors that a tile needs.
    """
    rows, cols = classes.shape
    padded = np.pad(classes, 1, constant_values=NOT_CLASSIFIED)
    alike = np.zeros(classes.shape, np.uint8)
    for dy, dx in _AROUND:
        alike += padded[1 + dy : 1 + dy + rows, 1 + dx : 1 + dx + cols] == classes
    stray = np.nonzero((alike < least) & (classes != NOT_CLASSIFIED))
    if not len(stray[0]):
        return classes
    around = np.stack([padded[stray[0] + 1 + dy, stray[1] + 1 + dx] for dy, dx in _AROUND])
    out = classes.copy()
    out[stray] = _commonest(around, classes[stray])
    return out


def _commonest(around: NDArray[np.uint8], own: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Commonest class of 8 neighbors, shape (8, n); ties go to those that share a side."""
    votes = np.zeros((int(max(around.max(), own.max())) + 1, own.size), np.int16)
    at = np.arange(own.size)
    for number, codes in enumerate(around):
        np.add.at(votes, (codes, at), 11 if number < _BY_SIDE else 10)
    votes[NOT_CLASSIFIED] = 0
    return np.where(votes.any(axis=0), votes.argmax(axis=0), own).astype(np.uint8)


def _smoothed(tissue_map: TissueMap, sigma_tiles: float) -> NDArray[np.uint8]:
    """Classes of probabilities that were smoothed over the classified tiles."""
    best = np.zeros(tissue_map.shape, np.float32)
    found = tissue_map.classes.copy()
    known = tissue_map.classes != NOT_CLASSIFIED
    sure = np.isin(tissue_map.state, (TileState.EDITED, TileState.ACCEPTED))
    sure |= known & ~tissue_map.probabilities.any(axis=2)
    for index in range(len(tissue_map.scheme)):
        share = np.where(
            sure, tissue_map.classes == index + 1, tissue_map.probabilities[..., index]
        ).astype(np.float32)
        # The same weights for all classes, so they need not be divided by those of known tiles.
        spread = ndimage.gaussian_filter(np.where(known, share, 0), sigma_tiles, mode="constant")
        better = known & (spread > best)
        found[better] = index + 1
        best[better] = spread[better]
    return found
