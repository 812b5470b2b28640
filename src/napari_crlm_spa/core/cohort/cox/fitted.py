"""A fitted Cox model with all that R's ``summary(coxph(...))`` says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from napari_crlm_spa.core.cohort.columns import label_of, matrix
from napari_crlm_spa.core.cohort.cox.concordance import predictor_of
from napari_crlm_spa.core.cohort.cox.partial_likelihood import PartialLikelihood, Ties
from napari_crlm_spa.core.cohort.survival import Floats, Survival

if TYPE_CHECKING:
    import pandas as pd

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class TestResult:
    """A chi-squared test: statistic, degrees of freedom, p (upper tail, without underflow)."""

    __test__ = False  # not a class of tests

    statistic: float
    df: int
    p: float

    @classmethod
    def of(cls, statistic: float, df: int) -> TestResult:
        """Compute the p value."""
        return cls(statistic, df, float(special.chdtrc(df, statistic)) if df else NAN)


@dataclass(frozen=True, slots=True, eq=False)
class CoxFit:
    """A fitted Cox model.

    Parameters
    ----------
    terms
        Columns of each term.
    columns
        All columns, in the order of `coef`.
    coef
        Log hazard ratios, shape (p,). NaN where there is none: a column that is constant or a sum
        of others (`dependent`), or whose hazard ratio is infinite (`infinite`).
    covariance
        Inverse of the information, shape (p, p); NaN there too.
    n, n_events, n_missing
        Patients in the model, deaths among them, patients left out because of holes.
    loglik, loglik_null
        Log partial likelihood of the model and without columns.
    lrt, wald, score
        Likelihood-ratio, Wald and score test of all columns together.
    concordance, concordance_se
        See `cox.concordance`.
    aic, bic
        ``-2 loglik + 2 df``; with ``log(n_events)`` instead of 2 (as R).
    converged
        Whether every number can be used.
    warnings
        What is doubtful, and what to do.
    ties
        How tied deaths were handled.
    dependent, infinite
        Columns without a coefficient.
    at_end
        Where the fit ended, shape (p,): `coef`, but of an infinite column a large number, which
        still orders patients (as R shows it); NaN for dependent ones.
    rows
        Which rows of the table are in the model, shape (all patients,).
    survival, values
        Follow-up and columns of those, shape (n, p).
    """

    terms: Mapping[str, tuple[str, ...]]
    columns: tuple[str, ...]
    coef: Floats
    covariance: Floats
    n: int
    n_events: int
    n_missing: int
    loglik: float
    loglik_null: float
    lrt: TestResult
    wald: TestResult
    score: TestResult
    concordance: float
    concordance_se: float
    aic: float
    bic: float
    converged: bool
    warnings: tuple[str, ...]
    ties: Ties
    dependent: tuple[str, ...]
    infinite: tuple[str, ...]
    at_end: Floats = field(repr=False)
    rows: NDArray[np.bool_] = field(repr=False)
    survival: Survival = field(repr=False)
    values: Floats = field(repr=False)

    @property
    def se(self) -> Floats:
        """Standard errors of `coef`, shape (p,)."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def hazard_ratio(self) -> Floats:
        """``exp(coef)``, shape (p,)."""
        return _exp(self.coef)

    @property
    def z(self) -> Floats:
        """``coef / se``, shape (p,)."""
        return np.asarray(self.coef / self.se)

    @property
    def p_wald(self) -> Floats:
        """Two-sided p of each coefficient by Wald's test, shape (p,)."""
        return np.asarray(2 * special.ndtr(-np.abs(self.z)))

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """Return one row per column, with Wald intervals of that level."""
        import pandas as pd

        half, percent = special.ndtri((1 + level) / 2) * self.se, f"{100 * level:g}"
        return pd.DataFrame(
            {
                "column": list(self.columns),
                "label": [label_of(column) for column in self.columns],
                "coef": self.coef,
                "se": self.se,
                "hr": self.hazard_ratio,
                f"hr_lower{percent}": _exp(self.coef - half),
                f"hr_upper{percent}": _exp(self.coef + half),
                "z": self.z,
                "p_wald": self.p_wald,
            }
        )

    def summary(self) -> dict[str, Any]:
        """Return the model's own numbers: one row of a study's table of models."""
        return {
            "n": self.n,
            "events": self.n_events,
            "n_missing": self.n_missing,
            "loglik_null": self.loglik_null,
            "loglik": self.loglik,
            "lrt": self.lrt.statistic,
            "lrt_df": self.lrt.df,
            "lrt_p": self.lrt.p,
            "wald": self.wald.statistic,
            "wald_p": self.wald.p,
            "score": self.score.statistic,
            "score_p": self.score.p,
            "concordance": self.concordance,
            "concordance_se": self.concordance_se,
            "aic": self.aic,
            "bic": self.bic,
        }

    def linear_predictor(self, frame: pd.DataFrame) -> Floats:
        """Return X b of patients, not centered, shape (rows of `frame`,); NaN where holes are.

        Columns without a coefficient count as 0.

        Raises
        ------
        CohortError
            If the table lacks a column of the model.
        """
        return predictor_of(matrix(frame, self.columns), self.coef)

    @property
    def has_coef(self) -> NDArray[np.bool_]:
        """Which columns have a coefficient, shape (p,)."""
        return np.isfinite(self.coef)

    @property
    def independent(self) -> NDArray[np.bool_]:
        """Which columns are neither constant nor a sum of others, shape (p,)."""
        return np.isfinite(self.at_end)

    def likelihood(self) -> PartialLikelihood:
        """Return the likelihood of the independent columns; its maximum is at `at_end` of them."""
        values = self.values[:, self.independent]
        return PartialLikelihood(self.survival, values, ties=self.ties)

    def baseline(self) -> tuple[Floats, Floats]:
        """Return times of death and the cumulative hazard of a patient whose columns are all 0.

        By Efron's (or Breslow's) estimate, as R's ``basehaz(fit, centered = FALSE)``. Infinite
        columns stand in it with the large coefficient at which the fit ended.
        """
        return self.likelihood().baseline(self.at_end[self.independent])


def _exp(log_hazard_ratio: Floats) -> Floats:
    """Per unit of a column in billionths a hazard ratio may be beyond a double: infinite."""
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(log_hazard_ratio))
