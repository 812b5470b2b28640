"""Is the score more than the clinic knows already? Models with clinical factors, and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from napari_crlm_spa.core.cohort.columns import CLINICAL, CRS_GROUP, CRS_SCORE, SCORE
from napari_crlm_spa.core.cohort.cox.degenerate import EVENTS_PER_COEFFICIENT
from napari_crlm_spa.core.cohort.cox.fit import CoxFit, fit_cox
from napari_crlm_spa.core.cohort.cox.partial_likelihood import Ties
from napari_crlm_spa.core.cohort.cox.univariate import significant
from napari_crlm_spa.core.cohort.survival import Survival

if TYPE_CHECKING:
    import pandas as pd

#: The clinical risk score is made of other columns; beside them it would count them twice.
CRS_COLUMNS = (CRS_SCORE, CRS_GROUP)


def clinical_factors(
    univariate: pd.DataFrame, limit: float = 0.05, left_out: Sequence[str] = CRS_COLUMNS
) -> tuple[str, ...]:
    """Return the clinical columns to adjust for: those that matter by themselves (table S5).

    Parameters
    ----------
    univariate
        `univariate_table` of (at least) the clinical columns.
    limit
        Of the likelihood-ratio p (paper: 0.05).
    left_out
        Columns made of others.
    """
    has_estimate = dict(zip(univariate["column"], np.isfinite(univariate["coef"]), strict=True))
    known = [column for column in CLINICAL if has_estimate.get(column, False)]
    others = [
        column
        for column, kind in zip(univariate["column"], univariate["kind"], strict=True)
        if kind == "clinical" and column not in CLINICAL and has_estimate[column]
    ]
    chosen = [column for column in known + others if column not in left_out]
    return significant(univariate, limit, chosen)


def adjusted_model(
    frame: pd.DataFrame,
    survival: Survival,
    factors: Sequence[str],
    *,
    score: str = SCORE,
    ties: Ties = "efron",
    events_per_coefficient: float = EVENTS_PER_COEFFICIENT,
) -> CoxFit:
    """Fit clinical factors and the score together (table S5: the score as a number).

    Parameters
    ----------
    frame
        One row per patient; holds `factors` and `score`.
    survival
        Follow-up of the same patients. Those with a hole are left out and counted.
    factors
        Clinical columns.
    score
        Its column; it comes last.
    ties, events_per_coefficient
        As in `fit_cox`.
    """
    return fit_cox(
        frame,
        survival,
        [*factors, score],
        ties=ties,
        events_per_coefficient=events_per_coefficient,
    )


def score_with_crs(
    frame: pd.DataFrame,
    survival: Survival,
    *,
    score: str = SCORE,
    crs: str = CRS_SCORE,
    ties: Ties = "efron",
    events_per_coefficient: float = EVENTS_PER_COEFFICIENT,
) -> CoxFit:
    """Fit score and clinical risk score (0-5 points), both as numbers, as the paper did."""
    return fit_cox(
        frame, survival, [score, crs], ties=ties, events_per_coefficient=events_per_coefficient
    )


def models_table(models: Mapping[str, CoxFit], labels: Mapping[str, str]) -> pd.DataFrame:
    """Return one row per model: ``model, label`` and `CoxFit.summary`."""
    import pandas as pd

    return pd.DataFrame(
        [
            {"model": name, "label": labels.get(name, name), **fit.summary()}
            for name, fit in models.items()
        ]
    )


def coefficients_table(models: Mapping[str, CoxFit]) -> pd.DataFrame:
    """Return one row per model and column: ``model`` and `CoxFit.table`."""
    return stacked({name: fit.table() for name, fit in models.items()})


def stacked(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Put the tables of several models under each other, with a first column ``model``.

    For `CoxFit.table`, `ph_test`, `schoenfeld` and `schoenfeld_smooth`.
    """
    import pandas as pd

    filled = {name: table for name, table in tables.items() if len(table)}
    if not filled:
        empty = next(iter(tables.values()), pd.DataFrame())
        return pd.DataFrame(columns=["model", *empty.columns])
    return pd.concat(
        [table.assign(model=name)[["model", *table.columns]] for name, table in filled.items()],
        ignore_index=True,
    )
