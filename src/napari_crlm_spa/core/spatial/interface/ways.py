"""Ways from the points of an outline, sampled every quarter of a tile."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_SAMPLES_PER_TILE = 4


class Ways:
    """What lies on n ways.

    Parameters
    ----------
    corners
        Points that the ways pass, from their starts to their ends: a few arrays of shape (n, 2),
        (row, col) in tiles.
    walked
        Which ways are looked at, shape (n,).
    skipped
        Tiles that aren't looked at, shape (rows, cols).
    """

    def __init__(
        self,
        corners: Sequence[NDArray[np.float64]],
        walked: NDArray[np.bool_],
        skipped: NDArray[np.bool_],
    ) -> None:
        self._n_ways = len(walked)
        which = np.flatnonzero(walked)
        legs = [_samples(here[which], there[which]) for here, there in pairwise(corners)]
        owner = which[np.concatenate([owners for owners, _ in legs])]
        place = np.concatenate([places for _, places in legs])
        cell = np.clip(np.rint(place).astype(np.intp), 0, np.array(skipped.shape) - 1)
        rows, cols = cell.T
        kept = ~skipped[rows, cols]
        self._owner, self._rows, self._cols = owner[kept], rows[kept], cols[kept]

    def total(self) -> NDArray[np.int64]:
        """All samples of each way, shape (n,)."""
        return np.bincount(self._owner, minlength=self._n_ways).astype(np.int64)

    def count(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Count the samples of each way that lie in a mask, shape (n,)."""
        hit = mask[self._rows, self._cols]
        return np.bincount(self._owner[hit], minlength=self._n_ways).astype(np.int64)


def _samples(
    starts: NDArray[np.float64], ends: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Places on straight legs, and the leg that each belongs to."""
    lengths = np.hypot(*(ends - starts).T)
    # A length that is whole but for rounding shall not get one more.
    n_samples = np.ceil(lengths * _SAMPLES_PER_TILE - 1e-6).astype(np.intp)
    owner = np.repeat(np.arange(len(starts)), n_samples)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(n_samples) - n_samples, n_samples)
    share = (number + 0.5) / n_samples[owner]
    return owner, starts[owner] + share[:, None] * (ends - starts)[owner]
