"""A share with its interval (Wilson EB, J Am Stat Assoc 1927;22:209)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Proportion:
    """A share of n, with Wilson's interval; NaN of nothing."""

    value: float
    lower: float
    upper: float
    n: int


def wilson(count: int, n: int, *, level: float = 0.95) -> Proportion:
    """Return `count` of `n` with its interval."""
    if not n:
        return Proportion(NAN, NAN, NAN, 0)
    z2 = float(special.ndtri((1 + level) / 2)) ** 2
    p = count / n
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = float(np.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n)))) / (1 + z2 / n)
    return Proportion(p, max(0.0, middle - half), min(1.0, middle + half), n)
