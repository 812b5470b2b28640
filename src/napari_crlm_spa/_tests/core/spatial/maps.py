"""Tissue maps drawn with letters, and slow but obvious ways to compute their features."""

import itertools
import math

import numpy as np

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.spatial import MixtureModel, SpatialOptions, TumorRegionOptions
from napari_crlm_spa.core.spatial.mixture_model import TissueThresholds
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.core.tissue_map import TissueMap

CODES = {".": 0, "B": 1, "D": 2, "H": 3, "L": 4, "M": 5, "S": 6, "T": 7}
TISSUE_LETTERS = {"STR": "S", "DEB": "D", "LYM": "L", "HEP": "H", "MUC": "M"}


def map_of(classes, *, edge=None, stride_um=112.0, scheme=CRLM7):
    classes = np.asarray(classes, np.uint8)
    classified = np.where(classes > 0, TileState.CLASSIFIED, TileState.GLASS)
    return TissueMap(
        classes=classes,
        probabilities=np.zeros((*classes.shape, len(scheme)), np.float16),
        strangeness=np.full(classes.shape, np.nan, np.float16),
        state=classified.astype(np.uint8),
        edge=np.zeros(classes.shape, bool) if edge is None else edge,
        stride_um=stride_um,
        origin_um=(0.0, 0.0),
        scheme=scheme,
    )


def drawn(text, **kwargs):
    """A map from lines of letters: . none, B background, D H L M S as named, T tumor."""
    return map_of([[CODES[letter] for letter in line] for line in text.split()], **kwargs)


def fixed_thresholds(near, far=None, *, stride_um=112.0, inside="infiltrating"):
    """The same thresholds, in tiles, for every tissue."""
    far = near if far is None else far
    one = TissueThresholds(
        n=100, near_tiles=near, far_tiles=far, near_um=near * stride_um, far_um=far * stride_um
    )
    return MixtureModel(
        components=2 if far == near else 3,
        stride_um=stride_um,
        inside=inside,
        tissues=dict.fromkeys(TISSUE_LETTERS, one),
    )


def small_options(min_tiles=1, **kwargs):
    """Options under which a few tiles make a tumor region."""
    return SpatialOptions(
        regions=TumorRegionOptions(min_tiles=min_tiles), min_tumor_tiles=min_tiles, **kwargs
    )


def slow_mask(tumor, dilate=5, erode=3, fill=True, min_tiles=50):
    """The tumor mask by loops: grow, shrink, flood from outside, drop small components."""
    rows, cols = tumor.shape
    grid = list(itertools.product(range(rows), range(cols)))

    def box(mask, side, outside, combine):
        reach = range(-(side // 2), side // 2 + 1)
        return {
            (r, c): combine(mask.get((r + a, c + b), outside) for a in reach for b in reach)
            for r, c in grid
        }

    mask = {(r, c): bool(tumor[r, c]) for r, c in grid}
    mask = box(box(mask, dilate, False, any), erode, True, all)
    if fill:
        rim = [p for p in grid if p[0] in (0, rows - 1) or p[1] in (0, cols - 1)]
        seen = {p for p in rim if not mask[p]}
        todo = list(seen)
        while todo:
            r, c = todo.pop()
            for p in ((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)):
                if p in mask and not mask[p] and p not in seen:
                    seen.add(p)
                    todo.append(p)
        mask = {p: p not in seen for p in grid}
    left, out = {p for p in grid if mask[p]}, np.zeros(tumor.shape, bool)
    while left:
        group, todo = set(), [left.pop()]
        while todo:
            r, c = todo.pop()
            group.add((r, c))
            near = {(r + a, c + b) for a in (-1, 0, 1) for b in (-1, 0, 1)} & left
            left -= near
            todo += near
        if len(group) >= min_tiles:
            for p in group:
                out[p] = True
    return out


def slow_distance(mask, row, col):
    return min(math.hypot(row - r, col - c) for r, c in np.argwhere(mask))


def slow_interaction(classes, tissue, denominator):
    """The mean over tumor tiles of the share of a tissue in the 3x3, by loops."""
    rows, cols = classes.shape
    shares = []
    for r, c in np.argwhere(classes == 7):
        around = [
            int(classes[i, j])
            for i in range(r - 1, r + 2)
            for j in range(c - 1, c + 2)
            if 0 <= i < rows and 0 <= j < cols
        ]
        valid = [k for k in around if k not in (0, 1)]
        others = [k for k in valid if k != 7]
        below = {"tissue": len(valid), "nine": 9, "non_tumor": len(others) or 1}[denominator]
        shares.append(around.count(tissue) / below)
    return sum(shares) / len(shares) if shares else math.nan
