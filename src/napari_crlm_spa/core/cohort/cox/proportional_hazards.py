"""Do hazard ratios stay the same over time? The score test, and residuals to look at.

Grambsch and Therneau, Biometrika 1994;81:515, as R's survival >= 3.0 computes it (``cox.zph``):
the exact score test of ``beta(t) = beta + theta (g(t) - mean g)`` at ``theta = 0``, not the
approximation of 1994. With U_k and V_k the score and information of death k,

    ``U2 = sum g_k U_k``,  ``I = [[sum V, sum g V], [sum g V, sum g^2 V]]``

and a term's chi-squared is ``U2' C U2`` of its columns, C the block of the inverse of I in which
the other columns' thetas are held at 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.columns import label_of, named
from napari_crlm_spa.core.cohort.cox.fit import CoxFit, TestResult
from napari_crlm_spa.core.cohort.survival import Floats, Survival, survival_steps
from napari_crlm_spa.errors import SurvivalDataError

if TYPE_CHECKING:
    import pandas as pd

Transform = Literal["km", "rank", "identity", "log"]
TRANSFORMS: tuple[str, ...] = get_args(Transform)
GLOBAL = "GLOBAL"
NAN = float("nan")
#: Transformed times closer than this are one; a smaller eigenvalue is none.
FLAT = 1e-12


def transformed(survival: Survival, times: Floats, transform: Transform) -> Floats:
    """Return g(t) of times of death.

    Parameters
    ----------
    survival
        Follow-up of the patients in the model.
    times
        Times of death, ascending, one per death, shape (deaths,).
    transform
        ``"km"``: 1 - Kaplan-Meier just before t (R's default); ``"rank"``: among all follow-up
        times, ties averaged; ``"identity"``; ``"log"``.

    Raises
    ------
    SurvivalDataError
        If the logarithm of time 0 is asked for, or there is no such transform.
    """
    if transform == "identity":
        return np.asarray(times, np.float64)
    if transform == "log":
        if times.min() <= 0:
            raise SurvivalDataError(
                "A patient died at time 0, which has no logarithm. Test proportional hazards "
                "against km, rank or identity."
            )
        return np.asarray(np.log(times))
    if transform == "rank":
        ordered = np.sort(survival.joined().time)
        first, after = (np.searchsorted(ordered, times, side=side) for side in ("left", "right"))
        return np.asarray((first + after + 1) / 2)
    if transform != "km":
        raise SurvivalDataError(
            f"There is no transform {transform!r}; choose one of {', '.join(TRANSFORMS)}."
        )
    return 1 - survival_steps(survival).survival_at(times, before=True)


def ph_test(fit: CoxFit, transform: Transform = "km") -> pd.DataFrame:
    """Test proportional hazards of each term and of all together.

    Parameters
    ----------
    fit
        A fitted model.
    transform
        Of time, see `transformed`.

    Returns
    -------
    DataFrame
        ``term, label, chisq, df, p``; the last row is ``GLOBAL``. Terms without a coefficient, and
        what can't be computed (all deaths at one time), are holes.
    """
    import pandas as pd

    used = fit.has_coef
    place = np.cumsum(used) - 1
    pieces = _pieces(fit, transform) if used.any() else None
    rows, at = [], 0
    for term, columns in fit.terms.items():
        mine = np.arange(at, at + len(columns))
        at += len(columns)
        rows.append((term, label_of(term), _test(pieces, place[mine[used[mine]]])))
    rows.append((GLOBAL, "All together", _test(pieces, np.arange(int(used.sum())))))
    return pd.DataFrame(
        {
            "term": [term for term, _, _ in rows],
            "label": [label for _, label, _ in rows],
            "chisq": [test.statistic for *_, test in rows],
            "df": [test.df for *_, test in rows],
            "p": [test.p for *_, test in rows],
        }
    )


def ph_warnings(table: pd.DataFrame, limit: float = 0.05) -> tuple[str, ...]:
    """Say which hazard ratios change over time.

    Parameters
    ----------
    table
        Of `ph_test`.
    limit
        p values below it are told.
    """
    return tuple(
        f"The hazard ratio of {named(term)} changes over time (test of proportional hazards, "
        f"p = {p:.2g}): its one number is an average. Look at its Schoenfeld plot; report early "
        "and late follow-up apart, or stratify by it."
        for term, p in zip(table["term"], table["p"], strict=True)
        if term != GLOBAL and p < limit
    )


def _pieces(fit: CoxFit, transform: Transform) -> tuple[Floats, Floats] | None:
    """Return the score (2p,) and the information (2p, 2p), scaled to a unit diagonal."""
    likelihood, coef = fit.likelihood(), fit.at_end[fit.independent]
    g = transformed(fit.survival, likelihood.rows(coef).time, transform)
    spread = np.ptp(g)
    if spread <= FLAT * max(1.0, float(np.abs(g).max())):
        return None
    g = (g - g.mean()) / spread  # the test doesn't change, the matrix stays well conditioned
    # Infinite columns have no information left; the others are tested as if they were fixed.
    here = fit.has_coef[fit.independent]
    block = np.ix_(here, here)
    plain = likelihood.weighted(coef, np.ones(len(g)))[1][block]
    score, once = likelihood.weighted(coef, g)
    twice = likelihood.weighted(coef, g * g)[1][block]
    information = np.block([[plain, once[block]], [once[block], twice]])
    scale = np.sqrt(np.clip(np.diag(information), 0, None))
    if not (scale > 0).all():
        return None
    start = np.zeros(int(here.sum()))
    return np.append(start, score[here]) / scale, information / np.outer(scale, scale)


def _test(pieces: tuple[Floats, Floats] | None, columns: NDArray[np.intp]) -> TestResult:
    if pieces is None or not len(columns):
        return TestResult(NAN, len(columns), NAN)
    score, information = pieces
    p = len(score) // 2
    rows = np.append(np.arange(p), p + columns)
    part, u = information[np.ix_(rows, rows)], score[rows]
    if np.linalg.eigvalsh(part)[0] <= FLAT:
        return TestResult(NAN, len(columns), NAN)
    return TestResult.of(float(u @ np.linalg.solve(part, u)), len(columns))


def schoenfeld_residuals(fit: CoxFit) -> tuple[Floats, Floats]:
    """Return times of death (deaths,) and Schoenfeld residuals (deaths, p), not scaled.

    See `PartialLikelihood.residuals`. Deaths at one time are in the order of the table. Columns
    without a coefficient are NaN.
    """
    likelihood, coef = fit.likelihood(), fit.at_end[fit.independent]
    times = likelihood.rows(coef).time
    residuals = np.full((len(times), len(fit.columns)), NAN)
    residuals[:, fit.independent] = likelihood.residuals(coef)
    residuals[:, ~fit.has_coef] = NAN
    return times, residuals


def schoenfeld(fit: CoxFit, transform: Transform = "km") -> pd.DataFrame:
    """Return scaled Schoenfeld residuals: estimates of each coefficient at each death.

    ``deaths * residual @ covariance + coef`` (Grambsch and Therneau 1994; R: ``cox.zph``'s y).

    Returns
    -------
    DataFrame
        ``column, time_months, residual, transformed_time``; columns one after the other, deaths
        ascending. The time is in the unit of the follow-up.
    """
    import pandas as pd

    times, scaled, g = scaled_residuals(fit, transform)
    return pd.DataFrame(
        {
            "column": np.repeat(fit.columns, len(times)),
            "time_months": np.tile(times, len(fit.columns)),
            "residual": scaled.T.ravel(),
            "transformed_time": np.tile(g, len(fit.columns)),
        }
    )


def scaled_residuals(fit: CoxFit, transform: Transform) -> tuple[Floats, Floats, Floats]:
    """Return times of death, scaled residuals plus coefficient (deaths, p), transformed times."""
    p = len(fit.columns)
    if not fit.has_coef.any():
        return np.empty(0), np.empty((0, p)), np.empty(0)
    times, residuals = schoenfeld_residuals(fit)
    used = fit.has_coef
    scaled = np.full(residuals.shape, NAN)
    covariance = fit.covariance[np.ix_(used, used)]
    scaled[:, used] = len(times) * residuals[:, used] @ covariance + fit.coef[used]
    return times, scaled, transformed(fit.survival, times, transform)
