"""One-dimensional Gaussian mixtures, fitted as R's mclust fits them.

The paper cites Fraley & Raftery (JASA 2002;97:611) for its mixtures, that is mclust. Written
from the formulas: quantile classes as the start, M-step and E-step in turn until the
log-likelihood changes by less than 1e-5 relatively, BIC = 2 loglik - df log n.

Distances on a grid are square roots of whole numbers, so the same few values come again and
again: values are fitted once with their counts, which gives the same sums in a fraction of the
time.

Beyond 2000 values mclust starts from a random subset of 2000; here the start always uses every
value, so the result doesn't depend on a seed. Against R such fits agree to about 1 % in the
means and mostly exactly in the thresholds. Beyond 4096 distinct values the iterations run on
4096 bins of equal width, each at the mean of its values; start, log-likelihood and classes use all
values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Proportions, means and variances, each of shape (components,).
Parameters = tuple[Floats, Floats, Floats]
VarianceModel = Literal["E", "V"]

#: Relative change of the log-likelihood at which mclust stops.
TOLERANCE = 1e-5
#: A variance at or below this counts as collapsed (mclust: machine epsilon).
SMALLEST_VARIANCE = float(np.finfo(np.float64).eps)
#: Squared gap of the proportions beyond which mclust makes one more M-step at the end.
PROPORTION_GAP = float(np.sqrt(np.finfo(np.float64).eps))
#: So many distinct values are iterated on as they are; more are binned.
MOST_DISTINCT = 4096
#: mclust has no limit; a fit that gets here is taken as it stands.
MAX_ITERATIONS = 10_000
#: So fine may quantiles become before ties are given up on (mclust: no limit).
FINEST_QUANTILES = 500


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """A fitted mixture.

    Parameters
    ----------
    model
        ``"E"`` equal variances, ``"V"`` a variance per component.
    proportions, means, variances
        Per component, shape (components,), in the order of the start (not sorted).
    values, counts
        The distinct values, ascending, and how often each came, shape (m,).
    classes
        Component of each distinct value, shape (m,): the one with the largest posterior.
    n, loglik, df, bic
        Values in all; log-likelihood; free parameters; 2 loglik - df log n (larger is better).
    """

    model: VarianceModel
    proportions: Floats
    means: Floats
    variances: Floats
    values: Floats
    counts: NDArray[np.int64]
    classes: NDArray[np.int64]
    n: int
    loglik: float
    df: int
    bic: float

    @property
    def class_counts(self) -> NDArray[np.int64]:
        """Values per component, shape (components,)."""
        found = np.bincount(self.classes, weights=self.counts, minlength=len(self.means))
        return found.astype(np.int64)


def fit_mixture(
    values: Floats,
    components: int = 2,
    model: Literal["E", "V", "auto"] = "auto",
    counts: NDArray[np.int64] | None = None,
) -> Mixture | None:
    """Fit a Gaussian mixture to numbers on a line.

    Parameters
    ----------
    values
        Shape (n,), finite. With `counts`: distinct values.
    components
        Number of components, at least 1.
    model
        ``"E"``, ``"V"``, or ``"auto"``: the one with the larger BIC; if a component of ``"V"``
        shrinks to a point (many equal values), ``"E"``.
    counts
        How often each value comes, shape (n,).

    Returns
    -------
    Mixture or None
        None if no such mixture exists: fewer distinct values than components, or a variance
        that collapses to 0.
    """
    distinct, weights = _distinct(values, counts)
    if len(distinct) < max(components, 2):
        return None
    if model != "auto":
        return _fit(distinct, weights, components, model)
    fits = [_fit(distinct, weights, components, "E")]
    if components > 1:
        fits.append(_fit(distinct, weights, components, "V"))
    found = [fit for fit in fits if fit is not None]
    return max(found, key=lambda fit: fit.bic) if found else None


def _distinct(values: Floats, counts: NDArray[np.int64] | None) -> tuple[Floats, NDArray[np.int64]]:
    if counts is None:
        distinct, found = np.unique(np.asarray(values, np.float64), return_counts=True)
        return distinct, found.astype(np.int64)
    order = np.argsort(values)
    kept = order[counts[order] > 0]
    return np.asarray(values, np.float64)[kept], counts[kept]


def _fit(
    values: Floats, counts: NDArray[np.int64], components: int, model: VarianceModel
) -> Mixture | None:
    weights = counts.astype(np.float64)
    z = np.zeros((components, len(values)))
    z[start_classes(values, counts, components), np.arange(len(values))] = 1.0
    parameters = _converge(*_binned(values, weights), _m_step(values, weights, z, model), model)
    if parameters is None:
        return None
    z, loglik = _e_step(values, weights, parameters)
    n = int(counts.sum())
    gap = parameters[0] - z @ weights / n
    if float(gap @ gap) > PROPORTION_GAP:
        parameters = _m_step(values, weights, z, model) or parameters
    df = 2 * components if model == "E" else 3 * components - 1
    return Mixture(
        model=model,
        proportions=parameters[0],
        means=parameters[1],
        variances=parameters[2],
        values=values,
        counts=counts,
        classes=z.argmax(axis=0),
        n=n,
        loglik=loglik,
        df=df,
        bic=2.0 * loglik - df * float(np.log(n)),
    )


def _binned(values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Gather very many distinct values in bins; return their means and weights, ascending."""
    if len(values) <= MOST_DISTINCT:
        return values, weights
    low, high = values[0], values[-1]
    bins = ((values - low) / (high - low) * (MOST_DISTINCT - 1)).astype(np.int64)
    in_bins: Floats = np.bincount(bins, weights=weights).astype(np.float64)
    sums = np.bincount(bins, weights=weights * values)
    found = in_bins > 0
    return sums[found] / in_bins[found], in_bins[found]


def _converge(
    values: Floats, weights: Floats, parameters: Parameters | None, model: VarianceModel
) -> Parameters | None:
    """E-step and M-step in turn; None if a variance collapses."""
    previous = float(np.finfo(np.float64).max) / 2
    for _ in range(MAX_ITERATIONS):
        if parameters is None:
            return None
        z, loglik = _e_step(values, weights, parameters)
        if abs(previous - loglik) / (1.0 + abs(loglik)) <= TOLERANCE:
            break
        previous = loglik
        parameters = _m_step(values, weights, z, model)
    return parameters


def _m_step(values: Floats, weights: Floats, z: Floats, model: VarianceModel) -> Parameters | None:
    """Proportions, means and variances from posteriors z of shape (components, m)."""
    weighted = z * weights
    sums = weighted.sum(axis=1)
    if not (sums > 0).all():
        return None
    means = weighted @ values / sums
    squares = (values - means[:, None]) ** 2
    spreads = np.einsum("km,km->k", weighted, squares)
    n = float(weights.sum())
    variances = spreads / sums if model == "V" else np.full(len(sums), spreads.sum() / n)
    if not (variances > SMALLEST_VARIANCE).all():
        return None
    return sums / n, means, variances


def _e_step(values: Floats, weights: Floats, parameters: Parameters) -> tuple[Floats, float]:
    """Posteriors of shape (components, m) and the log-likelihood."""
    proportions, means, variances = parameters
    scale = np.log(proportions) - 0.5 * np.log(2.0 * np.pi * variances)
    log_density = scale[:, None] - (values - means[:, None]) ** 2 / (2.0 * variances[:, None])
    top = log_density.max(axis=0)
    z = np.exp(log_density - top)
    total = z.sum(axis=0)
    z /= total
    return z, float(weights @ (np.log(total) + top))


def start_classes(values: Floats, counts: NDArray[np.int64], components: int) -> NDArray[np.int64]:
    """Split sorted distinct values at their quantiles into as many classes as components.

    If ties make quantiles coincide, finer quantiles are taken until there are enough distinct
    ones; of too many, those before the narrowest gaps are dropped. A value on a boundary belongs
    to the upper class. If 500 quantiles don't suffice (nearly all values are equal), each
    distinct value counts once.
    """
    n_points = components + 1
    bounds = _quantiles(values, counts, n_points)
    while len(bounds) < components + 1:
        n_points += 1
        if n_points > FINEST_QUANTILES:
            counts, n_points = np.ones_like(counts), components + 1
        bounds = _quantiles(values, counts, n_points)
    surplus = len(bounds) - (components + 1)
    if surplus:
        narrow = np.argsort(np.diff(bounds), kind="stable")[:surplus]
        bounds = np.delete(bounds, narrow)
    return np.searchsorted(bounds[1:-1], values, side="right")


def _quantiles(values: Floats, counts: NDArray[np.int64], n_points: int) -> Floats:
    """Distinct quantiles (type 7) at `n_points` even steps from 0 to 1."""
    ends = np.cumsum(counts)
    at = (ends[-1] - 1) * np.linspace(0.0, 1.0, n_points)
    low = values[np.searchsorted(ends, np.floor(at), side="right")]
    high = values[np.searchsorted(ends, np.ceil(at), side="right")]
    part = at - np.floor(at)
    between = np.where(low == high, low, (1.0 - part) * low + part * high)
    return np.unique(between)
