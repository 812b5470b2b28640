"""Whether one marker tells better than another: the difference of two areas under ROC curves.

Both areas come from the same patients, so their errors are correlated; the influence of each
patient on the difference says how (Blanche, Dartigues & Jacqmin-Gadda, Stat Med 2013;32:5381).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_crlm_spa.core.cohort.prediction.roc import MarkerRoc
from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.errors import SurvivalDataError

#: Below this a standard error is rounding: the two markers order cases and controls alike.
ALIKE = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class RocDifference:
    """Area of one marker minus area of another, at m times.

    Parameters
    ----------
    times, difference, se, z, p
        Shape (m,). `z` and `p` (two-sided) are NaN where an area is, or the markers order the
        patients alike.
    p_adjusted
        `p` adjusted for looking at all these times, shape (m,): the chance that the largest of m
        correlated normal deviates is that large.
    correlation
        Of the differences between times, shape (m, m).
    """

    times: Floats
    difference: Floats
    se: Floats
    z: Floats
    p: Floats
    p_adjusted: Floats
    correlation: Floats


def compare_rocs(first: MarkerRoc, second: MarkerRoc) -> RocDifference:
    """Compare two markers of the same patients at the same times.

    Raises
    ------
    SurvivalDataError
        If patients or times differ in number.
    """
    from scipy.special import ndtr

    if first.influence.shape != second.influence.shape or (first.times != second.times).any():
        raise SurvivalDataError(
            "Two markers can be compared on the same patients at the same times only; leave out "
            "patients that lack one of them before judging either."
        )
    effect = first.influence - second.influence
    n = effect.shape[1]
    difference = first.auc - second.auc
    se = effect.std(axis=1, ddof=1) / np.sqrt(n)
    z = np.full(len(difference), np.nan)
    np.divide(difference, se, out=z, where=se > ALIKE)
    p = 2 * ndtr(-np.abs(z))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.atleast_2d(np.corrcoef(effect))
    return RocDifference(
        first.times, difference, se, z, p, adjusted_p(z, p, correlation), correlation
    )


def adjusted_p(z: Floats, p: Floats, correlation: Floats) -> Floats:
    """Adjust p values of correlated normal deviates for their number (single step).

    ``1 - P(|Z_k| <= |z_j| for all k)`` with Z multivariate normal. It lies between p and m p.

    Parameters
    ----------
    z, p
        Shape (m,); NaN where there is no test.
    correlation
        Shape (m, m).
    """
    from scipy.stats import multivariate_normal

    adjusted, tested = np.full(len(z), np.nan), np.flatnonzero(np.isfinite(z))
    if len(tested) <= 1:
        return p.copy()
    among = correlation[np.ix_(tested, tested)]
    for place in tested:
        reach = np.full(len(tested), abs(z[place]))
        # A generator of its own: the integral is a lottery beyond two dimensions, but a fixed one.
        normal = multivariate_normal(cov=among, allow_singular=True, seed=0)
        inside = float(normal.cdf(reach, lower_limit=-reach))
        adjusted[place] = min(max(1 - inside, p[place]), 1.0, len(tested) * p[place])
    return adjusted
