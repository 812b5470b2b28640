"""Coefficients of a Cox model whatever the columns are: constant, sums of others, separated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.cox.partial_likelihood import (
    Maximum,
    PartialLikelihood,
    Ties,
)
from napari_crlm_spa.core.cohort.survival import Floats, Survival

NAN = float("nan")
#: A share of a column in the sum that another one is; less is rounding.
SHARE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """Coefficients, and which of them exist.

    Parameters
    ----------
    coef, covariance
        NaN where there is none. Shapes (p,) and (p, p).
    information
        Of the independent columns, at the maximum, shape (independent, independent).
    at_end
        Where the fit ended, shape (p,): of a separated column a large number, which still orders
        patients; NaN for dependent ones.
    independent, infinite
        Columns that are no sum of columns before them; columns whose coefficient is infinite.
    depends_on
        Of each other column, places of those that it is the sum of (none: constant).
    loglik, loglik_null, score
        Log-likelihoods (with a separated column: the limit) and the statistic of the score test.
    converged
        Whether all of it can be used.
    """

    coef: Floats
    covariance: Floats
    information: Floats
    at_end: Floats
    independent: NDArray[np.bool_]
    infinite: NDArray[np.bool_]
    depends_on: dict[int, tuple[int, ...]]
    loglik: float
    loglik_null: float
    score: float
    converged: bool


def estimate(survival: Survival, values: Floats, ties: Ties = "efron") -> Estimate:
    """Maximize the partial likelihood over the columns that allow it.

    Parameters
    ----------
    survival
        Follow-up of n patients; with no deaths at all everything is NaN.
    values
        Columns without holes, shape (n, p).
    ties
        How tied deaths are handled.
    """
    p = values.shape[1]
    if not survival.n_events:
        return _nothing(p)
    independent, depends_on = np.ones(p, bool), {}
    found = PartialLikelihood(survival, values, ties=ties).maximize()
    if not found.converged and p:
        whole = PartialLikelihood(survival, values, ties=ties)
        independent = whole.independent(found.information_null)
        if not independent.all():
            depends_on = _depends_on(found.information_null, independent)
            found = PartialLikelihood(survival, values[:, independent], ties=ties).maximize()
    infinite = np.zeros(p, bool)
    infinite[independent] = found.runs_away
    finite = ~found.runs_away & (found.converged | found.runs_away.any())
    place = np.flatnonzero(independent)[finite]
    coef, covariance, at_end = np.full(p, NAN), np.full((p, p), NAN), np.full(p, NAN)
    at_end[independent] = found.coef
    inverse = _inverse(found.information[np.ix_(finite, finite)])
    if inverse is not None:
        coef[place] = found.coef[finite]
        covariance[np.ix_(place, place)] = inverse
    return Estimate(
        coef,
        covariance,
        found.information,
        at_end,
        independent,
        infinite,
        depends_on,
        found.loglik,
        found.loglik_null,
        _score(found),
        found.converged,
    )


def _nothing(p: int) -> Estimate:
    hole = np.full((p, p), NAN)
    return Estimate(
        coef=np.full(p, NAN),
        covariance=hole,
        information=hole,
        at_end=np.full(p, NAN),
        independent=np.ones(p, bool),
        infinite=np.zeros(p, bool),
        depends_on={},
        loglik=NAN,
        loglik_null=NAN,
        score=NAN,
        converged=False,
    )


def _inverse(information: Floats) -> Floats | None:
    """Invert by way of the unit diagonal: columns in months and in thousands lose no digits."""
    diagonal = np.diag(information)
    if not (diagonal > 0).all():
        return None
    scale = np.sqrt(diagonal)
    try:
        inverse = np.linalg.inv(information / np.outer(scale, scale))
    except np.linalg.LinAlgError:
        return None
    inverse = (inverse + inverse.T) / 2 / np.outer(scale, scale)
    return np.asarray(inverse) if (np.diag(inverse) > 0).all() else None


def _score(found: Maximum) -> float:
    inverse = _inverse(found.information_null)
    return NAN if inverse is None else float(found.score_null @ inverse @ found.score_null)


def _depends_on(information: Floats, independent: NDArray[np.bool_]) -> dict[int, tuple[int, ...]]:
    """Return of which columns each dependent one is the sum: its regression on those before it."""
    result = {}
    scale = np.sqrt(np.clip(np.diag(information), 0, None))
    for place in np.flatnonzero(~independent):
        before = np.flatnonzero(independent[:place])
        shares = np.zeros(0)
        if len(before) and scale[place] > 0:
            inverse = _inverse(information[np.ix_(before, before)])
            if inverse is not None:
                shares = inverse @ information[before, place] * scale[before] / scale[place]
        result[int(place)] = tuple(int(at) for at in before[: len(shares)][np.abs(shares) > SHARE])
    return result
