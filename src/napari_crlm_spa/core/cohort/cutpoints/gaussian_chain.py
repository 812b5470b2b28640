"""How often the largest of correlated standard normal statistics exceeds a bound: no sampling.

Under the null hypothesis the standardized rank statistics at successive cut-offs are asymptotically
normal with correlation ``sqrt(m (N - m') / (m' (N - m)))`` between group sizes m < m' (Lausen &
Schumacher, Biometrics 1992;48:73; Hothorn & Lausen, Comput Stat Data Anal 2003;43:121). Such
correlations multiply along the way: the statistics are a Markov chain. Their joint probability,
which packages sample in hundreds of dimensions, is therefore a chain of one-dimensional integrals.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike
from scipy.special import ndtr

from napari_crlm_spa.core.cohort.survival import Floats

#: Gauss-Legendre points per panel, panel width in standard deviations of the narrowest step, and
#: standard deviations beyond which a step's density is left out: together errors below 1e-12.
POINTS, PANEL_SD, REACH_SD = 12, 3.0, 8.0
#: Panels on half of the range; only tens of thousands of patients would need more.
MOST_PANELS = 400


def exceedance(bound: float, group_sizes: ArrayLike, n: int, *, refine: int = 1) -> float:
    """Return ``P(max |Z_m| > bound)`` of the chain of standardized rank statistics.

    With ``g_k(z)`` = probability that no earlier statistic exceeded the bound, given that the k-th
    is z, the answer is ``P(|Z_1| > b)`` plus, for each step, the integral of
    ``phi(z) g_k(z) P(|Z_(k+1)| > b | Z_k = z)`` over [-b, b]. All terms are positive: small
    probabilities lose no digits.

    Parameters
    ----------
    bound
        The observed maximum.
    group_sizes
        Patients below each cut-off that was tried, ascending, between 1 and n - 1.
    n
        Patients in all.
    refine
        Multiplies the number of panels; to check convergence.
    """
    sizes = np.asarray(group_sizes, np.float64)
    if not bound > 0 or not len(sizes):
        return 1.0
    low, high = sizes[:-1], sizes[1:]
    rho = np.sqrt(low * (n - high) / (high * (n - low)))
    sd = np.sqrt(n * (high - low) / (high * (n - low)))
    total = 2 * float(ndtr(-bound))
    if not len(sd):
        return total
    half, half_weight = _panels(bound, float(sd.min()), refine)
    points = np.concatenate([-half[::-1], half])
    weight = np.concatenate([half_weight[::-1], half_weight])
    density = 2 * half_weight * np.exp(-0.5 * half**2) / np.sqrt(2 * np.pi)
    stayed = np.ones(len(half))
    for step, (r, s) in enumerate(zip(rho, sd, strict=True)):
        leaves = ndtr((r * half - bound) / s) + ndtr((-r * half - bound) / s)
        total += float((density * stayed * leaves).sum())
        if step + 1 < len(sd):
            mirrored = np.concatenate([stayed[::-1], stayed])
            stayed = _one_step(half, points, weight * mirrored, r, s)
    return min(total, 1.0)


def _panels(bound: float, sd: float, refine: int) -> tuple[Floats, Floats]:
    """Return points and weights of Gauss-Legendre panels on [0, bound]."""
    count = min(max(1, int(np.ceil(bound / (PANEL_SD * sd)))), MOST_PANELS) * refine
    x, w = np.polynomial.legendre.leggauss(POINTS)
    edges = np.linspace(0, bound, count + 1)
    middle, radius = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    return (
        (middle[:, None] + radius[:, None] * x).ravel(),
        (radius[:, None] * w).ravel(),
    )


def _one_step(to: Floats, points: Floats, weighted: Floats, rho: float, sd: float) -> Floats:
    """Average over where the chain came from: normal with mean ``rho * to`` (it is reversible)."""
    center = rho * to
    start = np.searchsorted(points, center - REACH_SD * sd)
    width = max(int((np.searchsorted(points, center + REACH_SD * sd) - start).max()), 1)
    start = np.minimum(start, len(points) - width)
    distance = (sliding_window_view(points, width)[start] - center[:, None]) / sd
    kernel = np.exp(-0.5 * distance**2)
    sums = np.einsum("ij,ij->i", kernel, sliding_window_view(weighted, width)[start])
    return np.asarray(sums / (sd * np.sqrt(2 * np.pi)))
