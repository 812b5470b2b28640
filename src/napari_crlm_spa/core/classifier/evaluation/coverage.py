"""Leaving out the tiles that the model is least sure of: what is gained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class CoveragePoint:
    """The surest tiles: their share, the confidence they have at least, how many are right."""

    share: float
    tiles: int
    confidence: float
    accuracy: float


def coverage_curve(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], steps: int = 100
) -> tuple[CoveragePoint, ...]:
    """Return accuracy against the share of tiles kept, from the surest to all of them.

    Tiles of equal confidence stay together, so a point may keep more than its step asked for.

    Parameters
    ----------
    confidence, right
        Shape (n,).
    steps
        Number of shares, evenly spaced up to 1.
    """
    if not len(confidence):
        return ()
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    accuracy = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    wanted = np.ceil(np.arange(1, steps + 1) / steps * len(order)).astype(int)
    kept = np.unique(np.searchsorted(-falling, -falling[wanted - 1], side="right"))
    return tuple(
        CoveragePoint(
            float(tiles / len(order)),
            int(tiles),
            float(falling[tiles - 1]),
            float(accuracy[tiles - 1]),
        )
        for tiles in kept
    )
