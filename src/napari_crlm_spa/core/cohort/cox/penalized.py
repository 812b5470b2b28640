"""Ridge, elastic-net and lasso Cox models whose penalty is chosen by cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from napari_crlm_spa.core.cohort.columns import label_of, matrix, named
from napari_crlm_spa.core.cohort.cox.concordance import predictor_of
from napari_crlm_spa.core.cohort.cox.design import complete
from napari_crlm_spa.core.cohort.cox.elastic_net import ElasticNetCox, PenaltyPath
from napari_crlm_spa.core.cohort.cox.folds import stratified_folds
from napari_crlm_spa.core.cohort.cox.partial_likelihood import Ties
from napari_crlm_spa.core.cohort.cox.penalty_choice import CrossValidatedPath, cross_validate
from napari_crlm_spa.core.cohort.survival import Floats, Survival
from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.errors import SurvivalDataError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class PenaltyOptions(Options):
    """How a penalized Cox model is fitted."""

    l1_ratio: float = option(
        0.5,
        "0 ridge: all features stay, smaller; 1 lasso: few stay; between: elastic net",
        min=0.0,
        max=1.0,
        label="Share of lasso",
    )
    rule: str = option(
        "min",
        "Penalty: min has the best cross-validated likelihood, 1se is the largest within one "
        "standard error of it",
        choices=("min", "1se"),
        label="Penalty",
    )
    folds: int = option(10, "Folds that choose the penalty", min=2, max=100)
    penalties: int = option(50, "Penalties that are tried", min=2, max=1000, advanced=True)
    seed: int = option(0, "Start of the random numbers that deal the folds", min=0, advanced=True)


@dataclass(frozen=True, slots=True, eq=False)
class PenalizedCox:
    """A penalized Cox model.

    Parameters
    ----------
    columns
        Its p columns.
    coef, coef_standardized
        Per unit and per standard deviation, shape (p,), at the chosen penalty. They have no
        standard errors: a penalized estimate is biased, and its spread says nothing of that.
    penalty, penalty_min, penalty_1se
        The chosen one and both candidates.
    path, cross_validation
        All penalties.
    n, n_events, n_missing
        Patients and deaths of the fit, and patients left out because of a hole.
    options
        What was asked for.
    warnings
        Sentences for the user.
    """

    columns: tuple[str, ...]
    coef: Floats
    coef_standardized: Floats
    penalty: float
    penalty_min: float
    penalty_1se: float
    path: PenaltyPath
    cross_validation: CrossValidatedPath
    n: int
    n_events: int
    n_missing: int
    options: PenaltyOptions
    warnings: tuple[str, ...] = ()

    @property
    def selected(self) -> tuple[str, ...]:
        """Columns whose coefficient is not 0."""
        return tuple(c for c, b in zip(self.columns, self.coef, strict=True) if b != 0)

    def linear_predictor(self, frame: pd.DataFrame) -> Floats:
        """Return ``X b``, not centered; NaN where a column that counts has a hole.

        Raises
        ------
        CohortError
            If the table lacks a column of the model.
        """
        return predictor_of(matrix(frame, self.selected), self.coef[self.coef != 0])

    def table(self) -> pd.DataFrame:
        """Return one row per column: column, label, coef, coef_standardized, hr, penalty."""
        import pandas as pd

        return pd.DataFrame(
            {
                "column": self.columns,
                "label": [label_of(column) for column in self.columns],
                "coef": self.coef,
                "coef_standardized": self.coef_standardized,
                "hr": np.exp(self.coef),
                "penalty": self.penalty,
            }
        )

    def path_table(self) -> pd.DataFrame:
        """Return one row per penalty: penalty, n_features, cv_deviance, cv_se, and coefficients."""
        import pandas as pd

        head = pd.DataFrame(
            {
                "penalty": self.path.penalties,
                "n_features": self.path.n_features,
                "cv_deviance": self.cross_validation.mean,
                "cv_se": self.cross_validation.standard_error,
            }
        )
        body = pd.DataFrame(self.path.coef_standardized, columns=list(self.columns))
        return pd.concat([head, body], axis=1)


def fit_penalized(
    frame: pd.DataFrame,
    survival: Survival,
    columns: Sequence[str],
    options: PenaltyOptions | None = None,
    *,
    groups: ArrayLike | None = None,
    ties: Ties = "efron",
) -> PenalizedCox:
    """Fit a penalized Cox model; its penalty is chosen by cross-validated partial likelihood.

    Parameters
    ----------
    frame
        One row per patient, n rows.
    survival
        Their follow-up.
    columns
        Numeric columns; rows with a hole in one of them are left out and counted.
    options
        How; defaults if None.
    groups
        Rows that must be in the same fold, e.g. patients, shape (n,).
    ties
        How tied deaths are handled.

    Raises
    ------
    SurvivalDataError
        If no column is given, lengths differ, or fewer patients died than there are folds.
    CohortError
        If a column is missing or not made of numbers.
    """
    chosen = options or PenaltyOptions()
    if not columns:
        raise SurvivalDataError("A penalized model needs columns: name one at least.")
    values = matrix(frame, tuple(columns))
    whole = complete(values, survival)
    x, follow_up = values[whole], survival.take(whole)
    rows = None if groups is None else np.asarray(groups)[whole]
    rng = np.random.default_rng(chosen.seed)
    folds = stratified_folds(follow_up.event, chosen.folds, rng, groups=rows)
    model = ElasticNetCox(follow_up, x, chosen.l1_ratio, ties=ties)
    penalties = model.penalties(chosen.penalties)
    path = model.path(penalties)
    checked = cross_validate(follow_up, x, folds, penalties, chosen.l1_ratio, ties=ties)
    at = checked.at_min if chosen.rule == "min" else checked.at_1se
    return PenalizedCox(
        tuple(columns),
        path.coef[at],
        path.coef_standardized[at],
        float(penalties[at]),
        float(penalties[checked.at_min]),
        float(penalties[checked.at_1se]),
        path,
        checked,
        len(follow_up),
        follow_up.n_events,
        int((~whole).sum()),
        chosen,
        _warnings(columns, model, path, checked, at),
    )


def _warnings(
    columns: Sequence[str],
    model: ElasticNetCox,
    path: PenaltyPath,
    checked: CrossValidatedPath,
    at: int,
) -> tuple[str, ...]:
    said = []
    constant = [named(c) for c, varies in zip(columns, model.varies, strict=True) if not varies]
    if constant:
        said.append(
            f"{', '.join(constant)}: the same in all patients, so the penalized model gives "
            "no weight. Leave it out."
        )
    if not path.converged[at]:
        said.append(
            "The penalized model did not settle at the chosen penalty: deaths may be separated "
            "by a column. Look at the univariate table, or choose the rule 1se."
        )
    if checked.at_min == len(path.penalties) - 1:
        said.append(
            "The best penalty is the smallest that was tried: penalizing brings nothing here; "
            "the plain Cox model does as well."
        )
    if not path.coef[at].any():
        said.append(
            "Cross-validation prefers the model without any feature: none of them predicts "
            "held-out patients better than chance."
        )
    return tuple(said)
