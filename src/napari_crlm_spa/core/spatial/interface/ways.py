"""Straight ways from the points of an outline, sampled every quarter of a tile."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.spatial.interface.ground import Ground

_SAMPLES_PER_TILE = 4
#: So close to an outline, which cuts corners, a sample may fall into a tile on its other side.
_ROUNDING_TILES = 0.75


class Ways:
    """What lies on n straight ways; liver at their end isn't looked at.

    Parameters
    ----------
    points, ends
        Where they begin and end, shape (n, 2), (row, col) in tiles.
    lengths
        In tiles, shape (n,); 0 leaves a way out.
    ground
        What they are laid over.
    """

    def __init__(
        self,
        points: NDArray[np.float64],
        ends: NDArray[np.float64],
        lengths: NDArray[np.float64],
        ground: Ground,
    ) -> None:
        self._n_ways = len(points)
        n_samples = np.ceil(lengths * _SAMPLES_PER_TILE).astype(np.intp)
        owner = np.repeat(np.arange(self._n_ways), n_samples)
        number = np.arange(len(owner)) - np.repeat(np.cumsum(n_samples) - n_samples, n_samples)
        share = (number + 0.5) / n_samples[owner]
        place = points[owner] + share[:, None] * (ends - points)[owner]
        cell = np.clip(np.rint(place).astype(np.intp), 0, np.array(ground.body.shape) - 1)
        rows, cols = cell.T
        near = share * lengths[owner] < _ROUNDING_TILES
        kept = ~ground.liver[rows, cols] & ~(near & ground.tumor[rows, cols])
        self._owner, self._rows, self._cols = owner[kept], rows[kept], cols[kept]
        self._inside = (ground.body[rows, cols] & ~near)[kept]

    def total(self) -> NDArray[np.int64]:
        """All samples of each way, shape (n,)."""
        return np.bincount(self._owner, minlength=self._n_ways).astype(np.int64)

    def count(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Count the samples of each way that lie in a mask, shape (n,)."""
        return self._where(mask[self._rows, self._cols])

    def inside(self) -> NDArray[np.int64]:
        """Count the samples of each way in a lesion, but for those at its start, shape (n,)."""
        return self._where(self._inside)

    def _where(self, hit: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(self._owner[hit], minlength=self._n_ways).astype(np.int64)
