"""How censoring makes one patient bear on the weights of the others.

Blanche, Dartigues & Jacqmin-Gadda, Stat Med 2013;32:5381, web appendix.
"""

from __future__ import annotations

import numpy as np

from napari_crlm_spa.core.cohort.survival import Floats, Survival


class CensoringMartingale:
    """Sums over patients of ``1 + A``, A the integral of the censoring martingale over 1/S_T.

    ``A_ik = n/Y_k [T_k <= T_i, k censored] - sum over l <= min(i, k) of n [l censored] / Y_l^2``.
    Tied times share the Y of their first place in the first term; in the sum they are taken one
    after the other, with Y_l the patients from place l on. This is how timeROC counts them; without
    ties it is Blanche 2013.

    Parameters
    ----------
    ranked
        Follow-up in order of time.
    """

    def __init__(self, ranked: Survival) -> None:
        n = len(ranked)
        at_risk = n - np.arange(n, dtype=np.float64)
        self._first = np.searchsorted(ranked.time, ranked.time, side="left")
        self._jump = np.where(ranked.event, 0.0, n / at_risk[self._first])
        self._compensator = np.cumsum(np.where(ranked.event, 0.0, n / at_risk**2))

    def weighted(self, weights: Floats) -> Floats:
        """Return ``sum over i of weights_i (1 + A_ik)`` for every patient k, shape (n,)."""
        from_here = np.cumsum(weights[::-1])[::-1]
        up_to = np.cumsum(weights * self._compensator)
        after = from_here - weights
        return np.asarray(
            weights.sum() + from_here[self._first] * self._jump - up_to - after * self._compensator
        )
