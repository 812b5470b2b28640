"""What lies between tumor and liver at each point of an outline.

From a point the way leads outward to the nearest kept liver and inward to the nearest living
tumor; both together are the gap. Inward there is something where the closing has swallowed a
stretch of capsule, or where mucus or debris forms the lesion's edge: no contact either.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classes import NOT_CLASSIFIED, ClassScheme
from napari_crlm_spa.core.spatial.interaction import BACKGROUND
from napari_crlm_spa.core.spatial.interface.nearest import nearest_tile
from napari_crlm_spa.core.spatial.interface.options import InterfaceOptions
from napari_crlm_spa.core.spatial.interface.tissue import RIM

#: Samples of a way for each tile of its length.
_SAMPLES_PER_TILE = 4
#: So close to the outline a sample may fall into a tile of the lesion by rounding.
_ROUNDING_TILES = 0.75


class InterfaceCode(IntEnum):
    """What a stretch of the interface is."""

    U = 0  # cannot be judged
    N = 1  # tumor touches liver: not desmoplastic
    D = 2  # a rim of stroma or lymphocytes lies between: desmoplastic
    O = 3  # noqa: E741 - something else lies between (mucus, debris, a mixture)


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What the ways are laid over; all arrays have shape (rows, cols).

    Parameters
    ----------
    classes
        Cleaned codes.
    scheme
        What they mean.
    body
        Lesions.
    liver
        Kept liver with its holes filled.
    tumor
        Living tumor inside lesions.
    stride_um
        Distance of neighboring tiles in micrometers.
    """

    classes: NDArray[np.uint8]
    scheme: ClassScheme
    body: NDArray[np.bool_]
    liver: NDArray[np.bool_]
    tumor: NDArray[np.bool_]
    stride_um: float


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """Codes of n points and what they rest on.

    Parameters
    ----------
    codes
        Shape (n,), uint8 of `InterfaceCode`, not regularized.
    gap_tiles
        What lies between liver and living tumor, shape (n,); infinite where either is missing.
    liver_points
        The nearest point of the liver, shape (n, 2), (row, col) in tiles; NaN if there is none.
    rim_share, lymphocyte_share
        Share of the way that is stroma or lymphocytes, and lymphocytes among these, shape (n,);
        NaN where nothing lies between.
    """

    codes: NDArray[np.uint8]
    gap_tiles: NDArray[np.float64]
    liver_points: NDArray[np.float64]
    rim_share: NDArray[np.float64]
    lymphocyte_share: NDArray[np.float64]


def code_points(points: NDArray[np.float64], ground: Ground, options: InterfaceOptions) -> Coded:
    """Code the points of an outline.

    Parameters
    ----------
    points
        Shape (n, 2), (row, col) in tiles with centers at whole numbers.
    ground
        Classes, lesions, liver.
    options
        Limits.
    """
    stride = ground.stride_um
    out, liver_points = nearest_tile(points, ground.liver, options.max_liver_um / stride)
    depth, tumor_points = nearest_tile(points, ground.tumor, options.max_tumor_depth_um / stride)
    judged = np.isfinite(out) & np.isfinite(depth)
    outward = _Way(points, liver_points, out, judged, ground)
    inward = _Way(points, tumor_points, depth, judged, ground)
    blocked = _share(outward.count(_off_tissue(ground)) + outward.far_in_body(), outward.between())
    stroma, lymphocytes = (outward.count_class(name) + inward.count_class(name) for name in RIM)
    between = outward.between() + inward.between()
    rim = _share(stroma + lymphocytes, between)
    gap = out + depth
    codes = np.full(len(points), InterfaceCode.O, np.uint8)
    codes[rim >= options.rim_share] = InterfaceCode.D
    codes[gap <= options.contact_tiles] = InterfaceCode.N
    codes[~judged | (np.nan_to_num(blocked) > options.max_blocked_share)] = InterfaceCode.U
    return Coded(codes, gap, liver_points, rim, _share(lymphocytes, stroma + lymphocytes))


class _Way:
    """Samples along straight ways; only what lies between tumor and liver is looked at."""

    def __init__(
        self,
        points: NDArray[np.float64],
        ends: NDArray[np.float64],
        lengths: NDArray[np.float64],
        judged: NDArray[np.bool_],
        ground: Ground,
    ) -> None:
        self._ground = ground
        self._n_points = len(points)
        n_samples = np.where(judged, np.ceil(np.where(judged, lengths, 0) * _SAMPLES_PER_TILE), 0)
        n_samples = n_samples.astype(np.intp)
        owner = np.repeat(np.arange(len(points)), n_samples)
        number = np.arange(len(owner)) - np.repeat(np.cumsum(n_samples) - n_samples, n_samples)
        share = (number + 0.5) / n_samples[owner]
        place = points[owner] + share[:, None] * (ends - points)[owner]
        cell = np.clip(np.rint(place).astype(np.intp), 0, np.array(ground.classes.shape) - 1)
        rows, cols = cell.T
        self._walked = share * lengths[owner]
        self._body = ground.body[rows, cols]
        at_start = ground.tumor[rows, cols] & (self._walked < _ROUNDING_TILES)
        kept = ~ground.liver[rows, cols] & ~at_start
        self._owner, self._cell = owner[kept], (rows[kept], cols[kept])
        self._walked, self._body = self._walked[kept], self._body[kept]

    def count(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Samples of each way that lie in a mask, shape (n,)."""
        return self._per_way(mask[self._cell])

    def count_class(self, name: str) -> NDArray[np.int64]:
        """Samples of each way of a class, shape (n,); 0 if the scheme lacks it."""
        if name not in self._ground.scheme.names:
            return np.zeros(self._n_points, np.int64)
        return self._per_way(self._ground.classes[self._cell] == self._ground.scheme.code(name))

    def far_in_body(self) -> NDArray[np.int64]:
        """Samples of each way inside a lesion, but for those right at the start."""
        return self._per_way(self._body & (self._walked >= _ROUNDING_TILES))

    def between(self) -> NDArray[np.int64]:
        """All samples of each way that are neither liver nor the tumor at its end, shape (n,)."""
        return np.bincount(self._owner, minlength=self._n_points)

    def _per_way(self, hit: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(self._owner[hit], minlength=self._n_points)


def _off_tissue(ground: Ground) -> NDArray[np.bool_]:
    off: NDArray[np.bool_] = ground.classes == NOT_CLASSIFIED
    if BACKGROUND in ground.scheme.names:
        off |= ground.classes == ground.scheme.code(BACKGROUND)
    return off


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    out = np.full(len(part), np.nan)
    return np.divide(part, whole, out=out, where=whole > 0)
