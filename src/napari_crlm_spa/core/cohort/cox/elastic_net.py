"""The elastic-net penalized partial likelihood: its minimum, its path of penalties.

On columns standardized to mean 0 and standard deviation 1 (divisor n), minimizes

    ``-loglik(b)/n + penalty (l1_ratio |b|_1 + (1 - l1_ratio)/2 |b|_2^2)``

as Simon, Friedman, Hastie and Tibshirani define it (J Stat Softw 2011;39(5); they put 2 loglik, so
their penalties are twice ours, and take Breslow's likelihood; here ties are Efron's unless asked
otherwise). Method: proximal Newton (Lee,
Sun and Saunders, SIAM J Optim 2014;24:1420). The quadratic of each step is minimized by coordinate
descent, and once the set of coefficients other than 0 stands still, exactly, by linear equations:
the conditions of the minimum (Karush, Kuhn, Tucker) hold to rounding and not to a loose tolerance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.cohort.cox.partial_likelihood import PartialLikelihood, Ties
from napari_crlm_spa.core.cohort.survival import Floats, Survival

#: Largest violation of the conditions of the minimum, and the most steps to it.
TOLERANCE, MOST_STEPS, MOST_HALVINGS, MOST_SWEEPS = 1e-10, 100, 40, 2000
#: What the linear equations may miss: far below the tolerance, above the rounding of sums.
ROUNDING = 1e-12
#: Ratio of pivots below which columns count as dependent.
NEARLY_DEPENDENT = 1e-6
#: A ridge path has no largest penalty; like Simon et al.'s software we start where an elastic net
#: with this share of |b|_1 would.
LEAST_L1_FOR_MAX = 1e-3
#: The smallest penalty of a path as a share of the largest (Simon et al., section 2.3).
PATH_END, PATH_END_FEW_PATIENTS = 1e-4, 0.05
#: A column whose standard deviation is below this share of its size is constant, to rounding.
CONSTANT = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class PenaltyPath:
    """Coefficients along a falling penalty.

    Parameters
    ----------
    l1_ratio
        0 ridge .. 1 lasso.
    penalties
        Descending, shape (m,).
    coef
        In units of the columns, shape (m, p); constant columns have 0.
    coef_standardized
        The same per standard deviation, shape (m, p).
    loglik
        Log partial likelihood of each, shape (m,).
    loglik_null
        Of all coefficients 0.
    converged
        Whether the minimum was reached at each penalty, shape (m,).
    """

    l1_ratio: float
    penalties: Floats
    coef: Floats
    coef_standardized: Floats
    loglik: Floats
    loglik_null: float
    converged: NDArray[np.bool_]

    @property
    def n_features(self) -> NDArray[np.int64]:
        """How many coefficients are not 0, shape (m,)."""
        return np.asarray(np.count_nonzero(self.coef, axis=1), np.int64)


class ElasticNetCox:
    """An elastic-net Cox model of one set of patients, solved for any penalty.

    Parameters
    ----------
    survival
        Follow-up of n patients.
    covariates
        Numbers without holes, shape (n, p).
    l1_ratio
        0 ridge .. 1 lasso.
    ties
        How tied deaths are handled.

    Raises
    ------
    SurvivalDataError
        If shapes differ, a covariate is not finite, or nobody died.
    """

    def __init__(
        self,
        survival: Survival,
        covariates: ArrayLike,
        l1_ratio: float,
        *,
        ties: Ties = "efron",
    ) -> None:
        values = np.asarray(covariates, np.float64)
        PartialLikelihood(survival, values, ties=ties)  # checks shapes, holes, deaths
        self.n, self.p = values.shape
        deviation = values.std(axis=0)
        self.varies = deviation > CONSTANT * np.maximum(1.0, np.abs(values).max(axis=0, initial=0))
        self.deviation = np.where(self.varies, deviation, 1.0)
        standardized = (values - values.mean(axis=0)) / self.deviation
        self._likelihood = PartialLikelihood(survival, standardized[:, self.varies], ties=ties)
        self.l1_ratio = float(l1_ratio)
        self.loglik_null, self._score_null, self._information_null = self._likelihood.at(
            np.zeros(int(self.varies.sum()))
        )

    @property
    def largest_penalty(self) -> float:
        """The smallest penalty at which all coefficients are 0 (for a ridge: a start)."""
        if not len(self._score_null):
            return 1.0
        top = float(np.abs(self._score_null).max()) / self.n
        return float(top / max(self.l1_ratio, LEAST_L1_FOR_MAX))

    def penalties(self, count: int) -> Floats:
        """Return `count` penalties from the largest down, evenly spaced in their logarithm."""
        end = PATH_END if self.n > self.p else PATH_END_FEW_PATIENTS
        top = self.largest_penalty or 1.0
        steps = np.linspace(0.0, 1.0, count) if count > 1 else np.zeros(1)
        return np.asarray(top * end**steps)

    def path(self, penalties: ArrayLike) -> PenaltyPath:
        """Solve for falling penalties, each starting at the solution before it."""
        levels = np.sort(np.asarray(penalties, np.float64))[::-1]
        standardized = np.zeros((len(levels), self.p))
        loglik, converged = np.empty(len(levels)), np.zeros(len(levels), bool)
        beta = np.zeros(len(self._score_null))
        state = (self.loglik_null, self._score_null, self._information_null)
        for row, penalty in enumerate(levels):
            beta, state, converged[row] = self._minimize(float(penalty), beta, state)
            standardized[row, self.varies], loglik[row] = beta, state[0]
        return PenaltyPath(
            self.l1_ratio,
            levels,
            standardized / self.deviation,
            standardized,
            loglik,
            self.loglik_null,
            converged,
        )

    def violation(self, coef_standardized: ArrayLike, penalty: float) -> float:
        """Return by how much coefficients miss the conditions of the minimum; 0 is the minimum."""
        beta = np.asarray(coef_standardized, np.float64)[self.varies]
        return self._violation(beta, self._likelihood.at(beta)[1], penalty)

    def _violation(self, beta: Floats, score: Floats, penalty: float) -> float:
        l1, l2 = penalty * self.l1_ratio, penalty * (1 - self.l1_ratio)
        slope = -score / self.n + l2 * beta
        missed = np.where(
            beta != 0, np.abs(slope + l1 * np.sign(beta)), np.maximum(np.abs(slope) - l1, 0)
        )
        return float(missed.max(initial=0.0))

    def _objective(self, loglik: float, beta: Floats, penalty: float) -> float:
        size = self.l1_ratio * np.abs(beta).sum() + (1 - self.l1_ratio) / 2 * (beta @ beta)
        return float(-loglik / self.n + penalty * size)

    def _minimize(
        self, penalty: float, beta: Floats, state: tuple[float, Floats, Floats]
    ) -> tuple[Floats, tuple[float, Floats, Floats], bool]:
        """Proximal Newton from `beta`, where the likelihood is `state`."""
        l1, l2 = penalty * self.l1_ratio, penalty * (1 - self.l1_ratio)
        for _ in range(MOST_STEPS):
            loglik, score, information = state
            if self._violation(beta, score, penalty) <= TOLERANCE:
                return beta, state, True
            curvature = information / self.n
            linear = score / self.n + curvature @ beta
            goal = quadratic_minimum(curvature + l2 * np.eye(len(beta)), linear, l1, beta)
            here = self._objective(loglik, beta, penalty)
            for halving in range(MOST_HALVINGS):
                # The whole step lands on exact zeros; a part of it may not.
                trial = goal if halving == 0 else beta + (goal - beta) / 2.0**halving
                found = self._likelihood.at(trial)
                if self._objective(found[0], trial, penalty) <= here + 1e-14 * abs(here):
                    break
            else:
                return beta, state, False
            if np.array_equal(trial, beta):
                return beta, state, self._violation(beta, score, penalty) <= 100 * TOLERANCE
            beta, state = trial, found
        return beta, state, False


def quadratic_minimum(matrix: Floats, linear: Floats, l1: float, start: Floats) -> Floats:
    """Minimize ``b'Ab/2 - c'b + l1 |b|_1`` for a symmetric, positive semidefinite A.

    Parameters
    ----------
    matrix, linear
        A (p, p) and c (p,).
    l1
        Weight of the absolute values.
    start
        Where to begin, shape (p,).
    """
    beta = np.array(start, np.float64)
    diagonal = np.maximum(np.diag(matrix), np.finfo(float).tiny)
    for _ in range(MOST_SWEEPS):
        exact = _solve_where_nonzero(matrix, linear, l1, beta)
        if exact is not None:
            return exact
        before = beta.copy()
        slope = linear - matrix @ beta
        for j in range(len(beta)):
            pull = slope[j] + diagonal[j] * beta[j]
            new = np.sign(pull) * max(abs(pull) - l1, 0.0) / diagonal[j]
            if new != beta[j]:
                slope -= matrix[:, j] * (new - beta[j])
                beta[j] = new
        if np.abs(beta - before).max() <= 1e-15 * max(1.0, np.abs(beta).max()):
            return beta
    return beta


def _solve_where_nonzero(matrix: Floats, linear: Floats, l1: float, beta: Floats) -> Floats | None:
    """Solve exactly for the present zeros and signs; None if that isn't the minimum."""
    signs = np.sign(beta)
    active = np.flatnonzero(signs) if l1 > 0 else np.arange(len(beta))
    result = np.zeros(len(beta))
    if len(active):
        goal = (linear - l1 * signs)[active]
        inner = matrix[np.ix_(active, active)]
        result[active] = _solve(inner, goal)
        if np.abs(inner @ result[active] - goal).max() > ROUNDING:
            return None
    if l1 > 0 and (np.sign(result[active]) != signs[active]).any():
        return None
    slope = np.abs(linear - matrix @ result)
    slope[active] = 0.0
    return result if slope.max(initial=0.0) <= l1 + ROUNDING else None


def _solve(matrix: Floats, goal: Floats) -> Floats:
    try:
        pivots = np.diag(np.linalg.cholesky(matrix))
        if pivots.min() > NEARLY_DEPENDENT * pivots.max():
            return np.asarray(np.linalg.solve(matrix, goal))
    except np.linalg.LinAlgError:
        pass
    # Columns depend on each other: the shortest of many solutions shares the weight evenly.
    return np.asarray(np.linalg.lstsq(matrix, goal, rcond=NEARLY_DEPENDENT**2)[0])
