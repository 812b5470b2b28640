"""Cox's partial likelihood with tied deaths: value, score, information; and its maximum.

Every Cox quantity of a cohort rests on this file: fits, score tests, stepwise selection, penalized
models, the test of proportional hazards, the search of a score's cut-off. Formulas: Efron, J Am
Stat Assoc 1977;72:557 and Breslow, Biometrics 1974;30:89 for ties.

With d deaths at one time, the l-th of them (l = 0 .. d-1) has the risk sum
``D_l = R - f_l E``: R over all at risk, E over the d deaths, f_l = l/d (Efron) or 0 (Breslow).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.cohort.survival import Floats, Survival
from napari_crlm_spa.errors import SurvivalDataError

Ties = Literal["efron", "breslow"]
#: Relative change of the log-likelihood at which a fit has converged, and the most steps to it.
TOLERANCE, MOST_STEPS, MOST_HALVINGS = 1e-13, 50, 40
#: A step that promises a relative change below this is near the top.
NEAR_TOP = 1e-9

#: A log hazard ratio of two groups beyond this (1 : 3 million) is separation and not an estimate.
RUNS_AWAY = 15.0
#: Where the log-likelihood no longer rises, but the next Newton step still moves a coefficient by
#: more than this (times the column's range), its maximum lies at infinity: separation. There the
#: steps tend to 1; at a true maximum they are rounding.
STILL_MOVES = 1e-3
#: In a direction, the information is below this share of that at 0: the same thing.
FLAT = 1e-6
#: Linear predictors further apart than this are not tried: exponentials would underflow to 0.
MOST_SPREAD = 690.0
#: A column whose information, given the columns before it, is below this share of its own is a
#: sum of theirs (R's ``coxph.control(toler.chol)``).
DEPENDENT = 1.8e-12
#: Information below this share of deaths times variance is rounding: a constant column.
CONSTANT = 1e-13


@dataclass(frozen=True, slots=True, eq=False)
class DeathRows:
    """What the likelihood is made of at one coefficient vector: one row per death.

    Parameters
    ----------
    patient
        Position of the patient who died, shape (deaths,); rows are ordered by time.
    time
        Time of death, shape (deaths,).
    risk_sum
        ``D_l`` of each row, shape (deaths,), relative to ``exp(shift)``.
    mean
        Weighted mean of the covariates over those at risk, shape (deaths, p).
    shift
        Largest linear predictor: it is taken out before exponentials are formed.
    """

    patient: NDArray[np.intp]
    time: Floats
    risk_sum: Floats
    mean: Floats
    shift: float


@dataclass(frozen=True, slots=True, eq=False)
class Maximum:
    """The maximum of a partial likelihood.

    Parameters
    ----------
    coef
        Shape (p,).
    information
        At `coef`, shape (p, p); its inverse is the covariance of the coefficients.
    loglik, loglik_null
        At `coef` and at 0.
    score_null, information_null
        At 0, for the score test.
    iterations
        Newton steps.
    converged
        False: a coefficient runs away (separation), or columns depend on each other.
    runs_away
        Which coefficients have no finite maximum, shape (p,).
    """

    coef: Floats
    information: Floats
    loglik: float
    loglik_null: float
    score_null: Floats
    information_null: Floats
    iterations: int
    converged: bool
    runs_away: NDArray[np.bool_]


class PartialLikelihood:
    """The partial likelihood of covariates given follow-up.

    Parameters
    ----------
    survival
        Follow-up of n patients.
    covariates
        Numbers without holes, shape (n, p) or (n,); p may be 0.
    ties
        How tied deaths are handled. Times that differ by rounding alone are tied
        (`Survival.joined`).

    Raises
    ------
    SurvivalDataError
        If shapes differ, a covariate is not finite, or nobody died.
    """

    def __init__(self, survival: Survival, covariates: ArrayLike, *, ties: Ties = "efron") -> None:
        values = np.asarray(covariates, np.float64)
        values = values[:, None] if values.ndim == 1 else values
        if len(values) != len(survival):
            raise SurvivalDataError(
                f"There are {len(values)} rows of covariates for {len(survival)} patients."
            )
        if not np.isfinite(values).all():
            raise SurvivalDataError("A covariate has holes; remove these patients or fill them in.")
        if not survival.event.any():
            raise SurvivalDataError("Nobody died in these patients: a Cox model needs deaths.")
        self.n, self.p = values.shape
        survival = survival.joined()
        order = np.argsort(survival.time, kind="stable")
        self._order, time = order, survival.time[order]
        self._deaths = np.flatnonzero(survival.event[order])
        times = time[self._deaths]
        self._time = times
        # Who left before the first death is in no risk set: whatever their columns are, they must
        # not move anything.
        ever = np.searchsorted(time, times[0], side="left")
        known = values[order][ever:]
        # Centered columns: the likelihood does not change, large ones (years) lose no digits.
        self._center = known.mean(axis=0)
        self._range = np.ptp(known, axis=0)
        self._x = np.zeros(values.shape)
        self._x[ever:] = np.where(self._range > 0, known - self._center, 0.0)
        self._least = CONSTANT * len(times) * self._x[ever:].var(axis=0)
        #: First position at risk at each death, and last one with that time or an earlier one.
        self._first = np.searchsorted(time, times, side="left")
        self._until = np.searchsorted(times, time, side="right")
        first, counts = np.unique(times, return_index=True, return_counts=True)[1:]
        self._tie = np.repeat(np.arange(len(first)), counts)
        self._tie_first = first
        place = np.arange(len(times)) - first[self._tie]
        self._fraction = place / counts[self._tie] if ties == "efron" else np.zeros(len(times))

    def rows(self, coef: ArrayLike) -> DeathRows:
        """Return risk sums and means of all deaths, in order of time."""
        _, _, rows = self._weights(np.asarray(coef, np.float64))
        return replace(rows, mean=rows.mean + self._center)

    def residuals(self, coef: ArrayLike) -> Floats:
        """Return Schoenfeld residuals in the order of `rows`, shape (deaths, p).

        A patient's covariates minus their weighted mean over those at risk. Under Efron's ties
        that mean is the average over the tied deaths' risk sums (as R).
        """
        _, _, rows = self._weights(np.asarray(coef, np.float64))
        counts = np.diff(np.append(self._tie_first, len(self._deaths)))
        mean = np.add.reduceat(rows.mean, self._tie_first, axis=0) / counts[:, None]
        return np.asarray(self._x[self._deaths] - mean[self._tie])

    def loglik(self, coef: ArrayLike) -> float:
        """Return the log partial likelihood."""
        beta = np.asarray(coef, np.float64)
        predictor = self._x @ beta
        shift = float(predictor.max())
        weight = np.exp(predictor - shift)
        return float(
            (predictor[self._deaths] - shift).sum() - np.log(self._risk_sums(weight)).sum()
        )

    def at(self, coef: ArrayLike) -> tuple[float, Floats, Floats]:
        """Return log-likelihood, score (p,) and information (p, p)."""
        beta = np.asarray(coef, np.float64)
        predictor, weight, rows = self._weights(beta)
        loglik = float((predictor[self._deaths] - rows.shift).sum() - np.log(rows.risk_sum).sum())
        ones = np.ones(len(self._deaths))
        return loglik, self._score(rows, ones), self._information(weight, rows, ones)

    def weighted(self, coef: ArrayLike, weights: ArrayLike) -> tuple[Floats, Floats]:
        """Return score and information with a weight per death row, as ``sum g U`` and ``sum g V``.

        Parameters
        ----------
        coef
            Shape (p,).
        weights
            Shape (deaths,), in the order of `rows`.
        """
        _, weight, rows = self._weights(np.asarray(coef, np.float64))
        g = np.asarray(weights, np.float64)
        return self._score(rows, g), self._information(weight, rows, g)

    def baseline(self, coef: ArrayLike) -> tuple[Floats, Floats]:
        """Return the cumulative hazard of a patient whose covariates are all 0.

        Returns
        -------
        tuple of arrays
            Distinct times of death, ascending, and the hazard summed up to and including each.
        """
        beta = np.asarray(coef, np.float64)
        rows = self.rows(beta)
        hazard = np.cumsum(np.exp(-rows.shift - float(self._center @ beta)) / rows.risk_sum)
        last = np.append(self._tie_first[1:], len(hazard)) - 1
        return self._time[last], hazard[last]

    def independent(self, information: Floats) -> NDArray[np.bool_]:
        """Return which columns are neither constant nor a sum of columns before them.

        Parameters
        ----------
        information
            At any coefficients, e.g. `Maximum.information_null`, shape (p, p).
        """
        kept = np.zeros(self.p, bool)
        for column in range(self.p):
            trial = np.append(np.flatnonzero(kept), column)
            part = information[np.ix_(trial, trial)]
            kept[column] = _factor(part, self._least[trial]) is not None
        return kept

    def maximize(self, *, start: ArrayLike | None = None) -> Maximum:
        """Find the coefficients by Newton's method with step halving."""
        beta = np.zeros(self.p) if start is None else np.array(start, np.float64)
        null, score_null, information_null = self.at(np.zeros(self.p))
        loglik, score, information = null, score_null, information_null
        converged, steps = self.p == 0, 0
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            if beta.any():
                loglik, score, information = self.at(beta)
            while steps < MOST_STEPS and not converged:
                steps += 1
                move = _solve(information, score, self._least)
                if move is None:
                    break
                gain = float(score @ move) / 2  # to second order
                trial = self._step(beta, move, loglik, gain)
                if trial is None:
                    break
                beta = trial
                loglik, score, information = self.at(beta)
                converged = gain <= TOLERANCE * (abs(loglik) + TOLERANCE)
            away = self._runs_away(score, information, information_null)
        return Maximum(
            beta,
            information,
            loglik,
            null,
            score_null,
            information_null,
            steps,
            converged and not bool(away.any()),
            away,
        )

    def _runs_away(
        self, score: Floats, information: Floats, information_null: Floats
    ) -> NDArray[np.bool_]:
        away = np.zeros(self.p, bool)
        factored = _factor(information_null, self._least)
        if factored is not None and self.p and np.isfinite(information).all():
            # Directions whose information has vanished, against that at 0.
            factor, scale = factored
            half = np.linalg.solve(factor, information / np.outer(scale, scale))
            left, directions = np.linalg.eigh(np.linalg.solve(factor, half.T))
            moves = np.linalg.solve(factor.T, directions[:, left < FLAT]) / scale[:, None]
            moves = np.abs(moves * self._range[:, None])
            away |= (moves > STILL_MOVES * moves.max(axis=0, initial=0)).any(axis=1)
        move = _solve(information, score, self._least)
        if move is not None:
            away |= np.abs(move) * self._range > STILL_MOVES
        return away

    def _step(self, beta: Floats, move: Floats, loglik: float, gain: float) -> Floats | None:
        """Return where a Newton step leads, halved until it leads uphill; None if it never does.

        Near the top whole steps are taken: the log-likelihood's own rounding can't judge them, and
        the score still can, so the coefficients are right to the last digits.
        """
        near = gain <= NEAR_TOP * (abs(loglik) + 1)
        for halving in range(MOST_HALVINGS):
            trial = beta + move / 2.0**halving
            if np.ptp(self._x @ trial) < MOST_SPREAD and (near or self.loglik(trial) >= loglik):
                return trial
        return None

    def _weights(self, beta: Floats) -> tuple[Floats, Floats, DeathRows]:
        predictor = self._x @ beta
        shift = float(predictor.max()) if len(predictor) else 0.0
        weight = np.exp(predictor - shift)
        weighted = weight[:, None] * self._x
        at_risk = np.cumsum(weighted[::-1], axis=0)[::-1][self._first]
        tied = np.add.reduceat(weighted[self._deaths], self._tie_first, axis=0)[self._tie]
        risk_sum = self._risk_sums(weight)
        mean = (at_risk - self._fraction[:, None] * tied) / risk_sum[:, None]
        rows = DeathRows(self._order[self._deaths], self._time, risk_sum, mean, shift)
        return predictor, weight, rows

    def _risk_sums(self, weight: Floats) -> Floats:
        at_risk = np.cumsum(weight[::-1])[::-1][self._first]
        tied = np.add.reduceat(weight[self._deaths], self._tie_first)[self._tie]
        return at_risk - self._fraction * tied

    def _score(self, rows: DeathRows, g: Floats) -> Floats:
        return np.asarray(g @ (self._x[self._deaths] - rows.mean))

    def _information(self, weight: Floats, rows: DeathRows, g: Floats) -> Floats:
        # Sum over deaths of the weighted second moment = sum over patients of x x' w c, where c
        # adds up g/D over the deaths that a patient was at risk for.
        share = g / rows.risk_sum
        total = np.concatenate([[0.0], np.cumsum(share)])[self._until]
        tied = np.add.reduceat(self._fraction * share, self._tie_first)[self._tie]
        total[self._deaths] -= tied
        second = (self._x * (weight * total)[:, None]).T @ self._x
        return np.asarray(second - (rows.mean * g[:, None]).T @ rows.mean)


def _factor(information: Floats, least: Floats) -> tuple[Floats, Floats] | None:
    """Return the Cholesky factor of the scaled information, and the scale; None if singular."""
    diagonal = np.diag(information)
    if not (diagonal > least).all():
        return None
    scale = np.sqrt(diagonal)
    try:
        factor = np.linalg.cholesky(information / np.outer(scale, scale))
    except np.linalg.LinAlgError:
        return None
    if len(factor) and np.diag(factor).min() < np.sqrt(DEPENDENT):
        return None
    return factor, scale


def _solve(information: Floats, score: Floats, least: Floats) -> Floats | None:
    """Return the Newton step; None if the columns depend on each other."""
    factored = _factor(information, least)
    if factored is None:
        return None
    factor, scale = factored
    half = np.linalg.solve(factor, score / scale)
    return np.asarray(np.linalg.solve(factor.T, half) / scale)
