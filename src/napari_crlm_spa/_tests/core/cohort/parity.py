"""One comparison with R: what the tests check and the documentation's table shows.

Each ``test_*_like_r.py`` has a function ``parity()`` that yields these; its test asserts every one
of them, and ``tools/parity_table.py`` writes docs/methods/parity.md from the same functions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Parity:
    """A quantity, R's values of it and ours.

    Parameters
    ----------
    section
        Heading of the table, e.g. ``"Cox models"``.
    quantity
        What is compared, on which data, e.g. ``"coefficients, colon, 11 covariates"``.
    r_call
        The R call, e.g. ``"survival::coxph"``.
    r, ours
        Numbers or arrays of equal shape; NaN equals NaN.
    tolerance
        Largest error allowed.
    relative
        Whether the error is relative to R's value (to the largest of them, for an array).
    """

    section: str
    quantity: str
    r_call: str
    r: object
    ours: object
    tolerance: float
    relative: bool = True

    @property
    def error(self) -> float:
        r, ours = np.asarray(self.r, float), np.asarray(self.ours, float)
        if r.shape != ours.shape or not np.array_equal(np.isnan(r), np.isnan(ours)):
            return float("inf")
        if not np.isfinite(r).any():
            return 0.0
        difference = np.nanmax(np.abs(ours - r))
        return float(difference / np.nanmax(np.abs(r)) if self.relative else difference)

    @property
    def holds(self) -> bool:
        return self.error <= self.tolerance

    def __str__(self) -> str:
        return f"{self.quantity}: error {self.error:.1e}, tolerance {self.tolerance:.0e}"
