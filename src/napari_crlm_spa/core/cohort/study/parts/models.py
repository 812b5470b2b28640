"""From features to a model: one by one, selection, final fit, proportional hazards, adjustment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from napari_crlm_spa.core.cohort.columns import CLINICAL, CRS_SCORE, SCORE
from napari_crlm_spa.core.cohort.cox.fit import CoxFit
from napari_crlm_spa.core.cohort.cox.multivariable import (
    adjusted_model,
    clinical_factors,
    coefficients_table,
    models_table,
    score_with_crs,
    stacked,
)
from napari_crlm_spa.core.cohort.cox.partial_likelihood import Ties
from napari_crlm_spa.core.cohort.cox.proportional_hazards import ph_test, ph_warnings, schoenfeld
from napari_crlm_spa.core.cohort.cox.schoenfeld_smooth import schoenfeld_smooth
from napari_crlm_spa.core.cohort.cox.selection import Selection, SelectionOptions, select_model
from napari_crlm_spa.core.cohort.cox.univariate import univariate_table
from napari_crlm_spa.core.cohort.study.gather import Gathering
from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.core.cohort.table import Cohort
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

FINAL, ADJUSTED, WITH_CRS = "final", "multivariable", "score_crs"
#: Models of a validation.
SCORE_ALONE, REFIT = "score", "refit"
LABELS = {
    FINAL: "Final model",
    ADJUSTED: "Score and clinical factors",
    WITH_CRS: "Score and clinical risk score",
    SCORE_ALONE: "Score alone",
    REFIT: "The score's features, fitted anew",
}


def add_selection(
    book: Gathering,
    cohort: Cohort,
    binary: pd.DataFrame,
    options: SelectionOptions,
    *,
    searched: bool = False,
) -> Selection:
    """Add univariate models, correlations and the selection; return it with its final model.

    Parameters
    ----------
    book, cohort
        Where to, of whom.
    binary
        Each feature as 0 or 1.
    options
        How features are selected.
    searched
        Whether the features were split where they separate these patients best.
    """
    import pandas as pd

    frame, survival = cohort.patients, cohort.survival
    found = select_model(binary, frame[list(binary.columns)], survival, options)
    others = [column for column in clinical_columns(frame) if column not in binary.columns]
    clinical = univariate_table(
        frame,
        survival,
        others,
        ties=cast("Ties", options.ties),
        events_per_coefficient=options.events_per_coefficient,
    )
    # Features are features here, also those that are not among the paper's 20.
    features = found.univariate.assign(kind="sof")
    both = [table for table in (clinical, features) if len(table)]
    if both:
        book.table(
            "univariate",
            "One factor at a time",
            pd.concat(both, ignore_index=True),
            _UNIVARIATE_NOTE + (_SEARCHED_NOTE if searched else ""),
        )
    book.table(
        "correlation",
        "Correlation of the features",
        found.correlation,
        "Pearson correlation of the features as measured, not of their 0/1 form.",
    )
    book.table("collinear", "Features left out as near-copies", found.collinear)
    book.table(
        "stepwise_path",
        "Stepwise selection",
        found.stepwise_path,
        f"AIC = -2 log-likelihood + {options.penalty:g} per coefficient, as R's stepAIC.",
    )
    book.table("stepwise_candidates", "All changes tried at each step", found.stepwise_candidates)
    book.warn_all(found.warnings)
    book.facts["selection"] = {
        **options.as_dict(),
        "significant": list(found.significant),
        "candidates": list(found.candidates),
        "chosen": [] if found.fit is None else list(found.fit.columns),
    }
    return found


def add_clinical(book: Gathering, cohort: Cohort) -> None:
    """Add univariate models of the clinical factors alone."""
    frame = cohort.patients
    table = univariate_table(frame, cohort.survival, clinical_columns(frame))
    book.table("univariate", "One clinical factor at a time", table, _UNIVARIATE_NOTE)


def clinical_columns(frame: pd.DataFrame) -> list[str]:
    """Return the clinical columns that hold something that varies, in the paper's order."""
    return [
        column
        for column in CLINICAL
        if column in frame.columns and frame[column].dropna().nunique() > 1
    ]


def add_models(
    book: Gathering,
    cohort: Cohort,
    own: Mapping[str, CoxFit],
    score: Floats | None,
    factors: Sequence[str] = (),
    options: SelectionOptions | None = None,
) -> Mapping[str, CoxFit]:
    """Add some models, the adjusted ones, and the test of proportional hazards of all.

    Parameters
    ----------
    book, cohort
        Where to, of whom.
    own
        Models that there are already, by name.
    score
        Of each patient.
    factors
        Clinical columns to adjust for; those with p < 0.05 by themselves if empty.
    options
        How tied deaths are handled, and how few deaths per coefficient are told.
    """
    fits = dict(own)
    if score is not None:
        fits |= _adjusted(book, cohort, score, factors, options or SelectionOptions())
    if not fits:
        return fits
    book.table("models", "Models", models_table(fits, LABELS), _MODELS_NOTE)
    book.table("coefficients", "Coefficients", coefficients_table(fits), _COEFFICIENTS_NOTE)
    tests = {name: ph_test(fit) for name, fit in fits.items()}
    book.table("ph_test", "Proportional hazards", stacked(tests), _PH_NOTE)
    for name, table in tests.items():
        book.warn_all(ph_warnings(table), LABELS.get(name, name))
    book.table(
        "schoenfeld",
        "Schoenfeld residuals",
        stacked({name: schoenfeld(fit) for name, fit in fits.items()}),
        "Scaled residuals plus the coefficient, at each death.",
    )
    book.table(
        "schoenfeld_smooth",
        "Coefficients over time",
        stacked({name: schoenfeld_smooth(fit) for name, fit in fits.items()}),
        "A smooth of the Schoenfeld residuals with its pointwise 95 % interval.",
    )
    return fits


def _adjusted(
    book: Gathering,
    cohort: Cohort,
    score: Floats,
    factors: Sequence[str],
    options: SelectionOptions,
) -> dict[str, CoxFit]:
    check_adjusting(factors, cohort)
    frame = cohort.patients.assign(**{SCORE: score})
    survival = cohort.survival
    univariate = book.tables["univariate"].frame if "univariate" in book.tables else None
    if not factors and univariate is not None:
        factors = clinical_factors(univariate)
    ties, limit = cast("Ties", options.ties), options.events_per_coefficient
    fits = {}
    if factors:
        fits[ADJUSTED] = adjusted_model(
            frame, survival, list(factors), ties=ties, events_per_coefficient=limit
        )
    if CRS_SCORE in clinical_columns(frame):
        fits[WITH_CRS] = score_with_crs(frame, survival, ties=ties, events_per_coefficient=limit)
    for name, fit in fits.items():
        book.warn_all(fit.warnings, LABELS[name])
    book.facts["adjusted_for"] = list(factors)
    return fits


def check_adjusting(factors: Sequence[str], cohort: Cohort) -> None:
    """Refuse columns that a model can't be adjusted for.

    Raises
    ------
    CohortError
        If one is missing, holds text, or is the follow-up or the score itself.
    """
    frame = cohort.patients
    for column in factors:
        if column not in frame.columns:
            raise CohortError(
                f"The cohort has no column {column!r} to adjust for. It has "
                f"{', '.join(clinical_columns(frame)) or 'no clinical column that varies'}."
            )
        if column in (cohort.time, cohort.event, SCORE) or frame[column].dtype.kind not in "biuf":
            raise CohortError(
                f"The score can't be adjusted for {column}: "
                + (
                    "its name is that of the score."
                    if column == SCORE
                    else "it is the follow-up."
                    if column in (cohort.time, cohort.event)
                    else "it holds text."
                )
                + " Name columns of numbers: --adjust-for Age,Gender."
            )


_UNIVARIATE_NOTE = (
    "Cox models of one factor each; p_lrt: likelihood-ratio test (the form of the paper's table "
    "S2); p_fdr: Benjamini & Hochberg, of the clinical factors and of the features apart. Features "
    "are 0/1."
)
_SEARCHED_NOTE = (
    " They were split where they separate these patients best, so their p values and hazard ratios "
    "flatter; p values that account for the search stand with the cut-offs."
)
_MODELS_NOTE = (
    "Cox models. lrt, wald, score: likelihood-ratio, Wald and score test of all "
    "coefficients; concordance with its infinitesimal-jackknife standard error; AIC with one "
    "degree of freedom per coefficient."
)
_COEFFICIENTS_NOTE = (
    "hr: hazard ratio with its 95 % Wald interval, per unit of the column (1 against 0 for "
    "features and yes/no factors; per point of the score)."
)
_PH_NOTE = (
    "Score test of a coefficient that changes with 1 - Kaplan-Meier (Grambsch & Therneau 1994, in "
    "the exact form of R's survival 3.0 and later)."
)
