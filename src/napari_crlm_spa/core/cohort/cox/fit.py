"""Fits Cox models: whoever has all columns, whatever the columns are like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.columns import matrix
from napari_crlm_spa.core.cohort.cox import degenerate
from napari_crlm_spa.core.cohort.cox.concordance import concordance, predictor_of
from napari_crlm_spa.core.cohort.cox.design import Terms, columns_of, complete, terms_of
from napari_crlm_spa.core.cohort.cox.estimate import Estimate, estimate
from napari_crlm_spa.core.cohort.cox.fitted import NAN, CoxFit, TestResult
from napari_crlm_spa.core.cohort.cox.partial_likelihood import Ties
from napari_crlm_spa.core.cohort.survival import Floats, Survival

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CoxFit", "TestResult", "fit_cox"]


def fit_cox(
    frame: pd.DataFrame,
    survival: Survival,
    terms: Terms,
    *,
    ties: Ties = "efron",
    events_per_coefficient: float = degenerate.EVENTS_PER_COEFFICIENT,
) -> CoxFit:
    """Fit a Cox model to the patients that have all of its columns.

    Parameters
    ----------
    frame
        One row per patient.
    survival
        Follow-up of the same patients.
    terms
        Columns, or names of terms with their columns.
    ties
        How tied deaths are handled.
    events_per_coefficient
        Fewer deaths per coefficient give a warning.

    Raises
    ------
    CohortError
        If a column is missing or not made of numbers. Data that can't be fitted don't raise: they
        give NaN and a warning.
    """
    groups = terms_of(terms)
    columns = columns_of(groups)
    everything = matrix(frame, columns)
    rows = complete(everything, survival)
    values, followed = everything[rows], survival.take(rows)
    holes = np.isnan(everything).sum(axis=0)
    n_missing = int((~rows).sum())
    found = estimate(followed, values, ties)
    agreement = concordance(followed, predictor_of(values, found.at_end))
    # One column: its holes are in the table's n. Several: which patients are meant isn't obvious.
    missing = degenerate.left_out(holes, columns, n_missing, len(rows)) if len(columns) > 1 else ""
    deaths, df = followed.n_events, int(found.independent.sum())
    return CoxFit(
        terms=groups,
        columns=columns,
        coef=found.coef,
        covariance=found.covariance,
        n=len(followed),
        n_events=deaths,
        n_missing=n_missing,
        loglik=found.loglik,
        loglik_null=found.loglik_null,
        **_tests(found),
        concordance=agreement.value,
        concordance_se=agreement.std_err,
        aic=-2 * found.loglik + 2 * df,
        bic=-2 * found.loglik + float(np.log(max(1, deaths))) * df,
        converged=found.converged,
        warnings=tuple(
            filter(
                None, [missing, *_doubts(columns, found, followed, values, events_per_coefficient)]
            )
        ),
        ties=ties,
        dependent=_names(columns, ~found.independent),
        infinite=_names(columns, found.infinite),
        at_end=found.at_end,
        rows=rows,
        survival=followed,
        values=values,
    )


def _names(columns: tuple[str, ...], which: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(column for column, chosen in zip(columns, which, strict=True) if chosen)


def _tests(found: Estimate) -> dict[str, TestResult]:
    df = int(found.independent.sum())
    wald = NAN
    if df and np.isfinite(found.coef[found.independent]).all():
        coef = found.coef[found.independent]
        wald = float(coef @ found.information @ coef)
    # No change of the likelihood may come out as -1e-13.
    return {
        "lrt": TestResult.of(max(0.0, 2 * (found.loglik - found.loglik_null)), df)
        if np.isfinite(found.loglik)
        else TestResult(NAN, df, NAN),
        "wald": TestResult.of(wald, df),
        "score": TestResult.of(found.score, df),
    }


def _doubts(
    columns: tuple[str, ...], found: Estimate, survival: Survival, values: Floats, limit: float
) -> list[str]:
    if not survival.n_events:
        return [degenerate.no_deaths(len(survival), columns)]
    told = []
    for place, column in enumerate(columns):
        if not found.independent[place]:
            others = [columns[at] for at in found.depends_on.get(place, ())]
            told.append(
                degenerate.dependent_column(column, others)
                if others
                else degenerate.constant_column(column, values[:, place])
            )
        elif found.infinite[place]:
            told.append(degenerate.separated_column(column, values[:, place], survival))
    if not found.converged and not found.infinite.any():
        told.append(degenerate.not_converged(columns))
    used = _names(columns, found.independent)
    told.append(degenerate.too_few_events(survival.n_events, len(used), limit, used))
    return told
