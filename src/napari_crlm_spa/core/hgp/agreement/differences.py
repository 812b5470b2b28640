"""Differences of two measurements of the same thing.

Bland JM, Altman DG, Lancet 1986;1:307 and Stat Methods Med Res 1999;8:135 (standard error of the
limits: root of s2/n + z2 s2 / (2 (n - 1))).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

NAN = float("nan")
#: Relative to the measurements: so little is what subtracting leaves of none.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class BlandAltman:
    """Bias and limits of agreement.

    Parameters
    ----------
    bias, bias_lower, bias_upper
        Mean difference, first minus second, and its interval (Student's t).
    sd
        Of the differences.
    low_limit, low_lower, low_upper, high_limit, high_lower, high_upper
        Limits that hold the wanted share of differences if these are normal, with intervals.
    slope, slope_p
        Of the difference on the mean of both, and p of no slope: whether bias grows with size.
    n
        Pairs.
    reason
        Why something is missing, in a sentence; else empty.
    """

    bias: float
    bias_lower: float
    bias_upper: float
    sd: float
    low_limit: float
    low_lower: float
    low_upper: float
    high_limit: float
    high_lower: float
    high_upper: float
    slope: float
    slope_p: float
    n: int
    reason: str = ""


def bland_altman(
    first: ArrayLike, second: ArrayLike, *, level: float = 0.95, width_sd: float | None = None
) -> BlandAltman:
    """Compare two measurements of n things.

    Parameters
    ----------
    first, second
        Shape (n,); pairs with a hole are left out.
    level
        Of the intervals, and the share of differences within the limits.
    width_sd
        Standard deviations from the bias to a limit, if not those of `level` (1.96); the paper
        of 1986 has 2.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known], b[known]
    n = len(a)
    difference = a - b
    if n < 2:
        bias = float(difference.mean()) if n else NAN
        holes = (NAN,) * 11
        return BlandAltman(bias, *holes, n, "Limits of agreement need two pairs.")
    z = float(special.ndtri((1 + level) / 2)) if width_sd is None else width_sd
    t = float(special.stdtrit(n - 1, (1 + level) / 2))
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    if sd <= _ROUNDING * max(np.abs(a).max(), np.abs(b).max()):
        sd = 0.0
    half = float(t * sd / np.sqrt(n))
    at_limit = float(t * sd * np.sqrt(1 / n + z**2 / (2 * (n - 1))))
    low, high = bias - z * sd, bias + z * sd
    slope, slope_p = _slope((a + b) / 2, difference) if sd else (NAN, NAN)
    return BlandAltman(
        bias=bias,
        bias_lower=bias - half,
        bias_upper=bias + half,
        sd=sd,
        low_limit=low,
        low_lower=low - at_limit,
        low_upper=low + at_limit,
        high_limit=high,
        high_lower=high - at_limit,
        high_upper=high + at_limit,
        slope=slope,
        slope_p=slope_p,
        n=n,
        reason="" if sd else "All differences are the same.",
    )


def _slope(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    if len(x) < 3 or np.ptp(x) == 0:
        return NAN, NAN
    centered = x - x.mean()
    slope = float(centered @ (y - y.mean()) / (centered @ centered))
    left = y - y.mean() - slope * centered
    se = np.sqrt(float(left @ left) / (len(x) - 2) / float(centered @ centered))
    if se == 0:
        return slope, NAN if slope == 0 else 0.0
    return slope, float(2 * special.stdtr(len(x) - 2, -abs(slope / se)))
