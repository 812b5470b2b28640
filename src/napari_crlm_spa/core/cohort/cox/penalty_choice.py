"""How a penalty is chosen: by the partial likelihood of patients that the fit has not seen.

The criterion is the cross-validated partial likelihood of Verweij and van Houwelingen (Stat Med
1993;12:2305): ``sum over folds of l(b_-k) - l_-k(b_-k)``, with l of all patients, l_-k of those
outside fold k and b_-k fitted to them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.cohort.cox.elastic_net import ElasticNetCox
from napari_crlm_spa.core.cohort.cox.partial_likelihood import PartialLikelihood, Ties
from napari_crlm_spa.core.cohort.survival import Floats, Survival


@dataclass(frozen=True, slots=True, eq=False)
class CrossValidatedPath:
    """What cross-validation says of each penalty.

    Parameters
    ----------
    mean, standard_error
        Of the folds' deviance per death, ``-2 (l(b_-k) - l_-k(b_-k)) / d_k``, weighted with their
        deaths d_k, shape (m,): the criterion of Verweij and van Houwelingen times -2, per death.
    at_min
        Position of the smallest mean.
    at_1se
        Position of the largest penalty whose mean is within one standard error of the smallest
        (Hastie, Tibshirani, Friedman, Elements of Statistical Learning, 7.10).
    """

    mean: Floats
    standard_error: Floats
    at_min: int
    at_1se: int


def cross_validate(
    survival: Survival,
    covariates: ArrayLike,
    folds: NDArray[np.intp],
    penalties: ArrayLike,
    l1_ratio: float,
    *,
    ties: Ties = "efron",
) -> CrossValidatedPath:
    """Judge penalties by the partial likelihood of held-out patients.

    Parameters
    ----------
    survival, covariates
        Of n patients, shape (n, p).
    folds
        The fold of each, shape (n,).
    penalties
        Descending, shape (m,).
    l1_ratio, ties
        As in the fit.
    """
    x, levels = np.asarray(covariates, np.float64), np.asarray(penalties, np.float64)
    whole = PartialLikelihood(survival, x, ties=ties)
    deviance, deaths = [], []
    for fold in range(int(folds.max()) + 1):
        train = folds != fold
        part = survival.take(train)
        path = ElasticNetCox(part, x[train], l1_ratio, ties=ties).path(levels)
        everyone = np.array([whole.loglik(coef) for coef in path.coef])
        held_out = survival.n_events - part.n_events
        deviance.append(-2 * (everyone - path.loglik) / held_out)
        deaths.append(held_out)
    per_fold, weight = np.array(deviance), np.array(deaths, np.float64)
    mean = np.average(per_fold, axis=0, weights=weight)
    spread = np.average((per_fold - mean) ** 2, axis=0, weights=weight)
    error = np.sqrt(spread / (len(weight) - 1))
    at_min = int(np.argmin(mean))
    within = np.flatnonzero(mean <= mean[at_min] + error[at_min])
    return CrossValidatedPath(mean, error, at_min, int(within[0]))
