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

from napari_crlm_spa.core.spatial.interface.ground import Ground
from napari_crlm_spa.core.spatial.interface.options import InterfaceOptions
from napari_crlm_spa.core.spatial.interface.tissue import RIM
from napari_crlm_spa.core.spatial.interface.ways import Ways


class InterfaceCode(IntEnum):
    """What a stretch of the interface is."""

    U = 0  # cannot be judged
    N = 1  # tumor touches liver: not desmoplastic
    D = 2  # a rim of stroma or lymphocytes lies between: desmoplastic
    O = 3  # noqa: E741 - something else lies between (mucus, debris, a mixture)


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """Codes of n points and what they rest on.

    Parameters
    ----------
    codes
        Shape (n,), uint8 of `InterfaceCode`, not regularized.
    gap_tiles
        What lies between liver and tumor, shape (n,); infinite where either is missing.
    liver_points
        The nearest point of the liver, shape (n, 2), (row, col) in tiles; NaN if there is none.
    lymphocyte_share
        Share of lymphocytes among stroma and lymphocytes on the way, shape (n,); NaN where there
        is neither.
    """

    codes: NDArray[np.uint8]
    gap_tiles: NDArray[np.float64]
    liver_points: NDArray[np.float64]
    lymphocyte_share: NDArray[np.float64]


def code_points(
    points: NDArray[np.float64],
    outward: NDArray[np.float64],
    ground: Ground,
    options: InterfaceOptions,
) -> Coded:
    """Code the points of an outline.

    Parameters
    ----------
    points, outward
        Shape (n, 2), (row, col) in tiles with centers at whole numbers; and the directions out of
        the lesion, of length 1.
    ground
        Classes, lesions, liver.
    options
        Limits.
    """
    out, liver_points = ground.nearest_liver(points)
    depth, tumor_points = ground.nearest_tumor(points)
    judged = np.isfinite(out) & np.isfinite(depth)
    # Half a tile straight out first: where the nearest liver lies sideways, behind the end of a
    # capsule or of the tissue, the straight way would lead along the lesion's own edge.
    facing = points + np.minimum(out, 1.0)[:, None] / 2 * outward
    beside = ground.liver | ground.body_edge
    way_out = Ways((points, facing, liver_points), judged, beside)
    blocked = _share(way_out.count(ground.off_tissue | ground.body), way_out.total())
    stroma, lymphocytes = (way_out.count(ground.rim[name]) for name in RIM)
    total, gap = way_out.total(), out
    if options.count_inward:
        way_in = Ways((points, tumor_points), judged, ground.liver | ground.tumor)
        stroma += way_in.count(ground.rim[RIM[0]])
        lymphocytes += way_in.count(ground.rim[RIM[1]])
        total, gap = total + way_in.total(), out + depth
    codes = np.full(len(points), InterfaceCode.O, np.uint8)
    codes[_share(stroma + lymphocytes, total) >= options.rim_share] = InterfaceCode.D
    codes[(gap <= options.contact_tiles) | (total == 0)] = InterfaceCode.N
    codes[~judged | (blocked > options.max_blocked_share)] = InterfaceCode.U
    return Coded(codes, gap, liver_points, _share(lymphocytes, stroma + lymphocytes))


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    """Quotients; NaN, which no limit is above or below, where there is no whole."""
    out = np.full(len(part), np.nan)
    np.divide(part, whole, out=out, where=whole > 0)
    return out
