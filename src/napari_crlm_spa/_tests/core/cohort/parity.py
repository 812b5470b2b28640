"""One comparison with R: what the tests check and the documentation's table shows.

Each ``test_*_like_r.py`` has a function ``parity()`` that yields these; its test asserts every one
of them, and ``tools/parity_table.py`` writes docs/methods/parity.md from the same functions.
"""

from __future__ import annotations

from collections.abc import Iterable
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
        if r.shape != ours.shape:
            return float("inf")
        finite = np.isfinite(r)
        if not np.array_equal(r[~finite], ours[~finite], equal_nan=True):
            return float("inf")
        if not finite.any():
            return 0.0
        difference = np.abs(ours[finite] - r[finite]).max()
        return float(difference / np.abs(r[finite]).max() if self.relative else difference)

    @property
    def holds(self) -> bool:
        return self.error <= self.tolerance

    def __str__(self) -> str:
        return f"{self.quantity}: error {self.error:.1e}, tolerance {self.tolerance:.0e}"


def assert_all_hold(checks: Iterable[Parity]) -> None:
    """Fail with every quantity that is further from R's than its tolerance.

    One test for all of them: computed when it runs, and not when tests are collected.
    """
    checks = list(checks)
    assert checks
    failed = [str(check) for check in checks if not check.holds]
    assert not failed, "\n".join(failed)
