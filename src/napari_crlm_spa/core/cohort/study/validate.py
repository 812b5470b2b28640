"""A frozen score in a second cohort: nothing is fitted anew that the score is made of."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_crlm_spa.core.cohort.columns import PATIENT, SCORE
from napari_crlm_spa.core.cohort.cox.fit import CoxFit, fit_cox
from napari_crlm_spa.core.cohort.curves import CurveOptions
from napari_crlm_spa.core.cohort.study.contents import Study
from napari_crlm_spa.core.cohort.study.frozen import FrozenStudy
from napari_crlm_spa.core.cohort.study.gather import Gathering
from napari_crlm_spa.core.cohort.study.options import JudgeOptions
from napari_crlm_spa.core.cohort.study.parts.associations import add_associations
from napari_crlm_spa.core.cohort.study.parts.external import add_external
from napari_crlm_spa.core.cohort.study.parts.groups import add_curves, add_patients, risk_groups
from napari_crlm_spa.core.cohort.study.parts.models import (
    ADJUSTED,
    REFIT,
    SCORE_ALONE,
    add_clinical,
    add_models,
    check_adjusting,
    clinical_columns,
)
from napari_crlm_spa.core.cohort.study.parts.people import add_people, check_events
from napari_crlm_spa.core.cohort.study.parts.predictions import add_roc, prediction_times
from napari_crlm_spa.core.cohort.study.parts.scores import count_without_score
from napari_crlm_spa.core.cohort.table import Cohort, FilterOptions, apply_filters
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.errors import CohortError

STAGE, STEPS = "Validating", 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateOptions:
    """All that may be chosen about a validation, by part."""

    filters: FilterOptions = field(default_factory=FilterOptions)
    curves: CurveOptions = field(default_factory=CurveOptions)
    study: JudgeOptions = field(default_factory=JudgeOptions)

    def as_dict(self) -> dict[str, Any]:
        """Return the values by part and name."""
        return {name: getattr(self, name).as_dict() for name in self.__slots__}


def validate_cohort(
    frozen: FrozenStudy,
    cohort: Cohort,
    options: ValidateOptions | None = None,
    *,
    adjust_for: Sequence[str] = (),
) -> Generator[Progress, None, Study]:
    """Apply a fitted score, as it is, to other patients and judge it there.

    Parameters
    ----------
    frozen
        What the fit left.
    cohort
        The other patients.
    options
        How.
    adjust_for
        Clinical columns of the fit's multivariable model; those that the cohort lacks are left
        out, and told.

    Raises
    ------
    CohortError
        If a column of the score is missing, nobody died or nobody has a score.
    """
    options = options or ValidateOptions()
    book = Gathering()
    options.study.times()
    check_events(cohort)
    check_adjusting(options.study.adjusting(), cohort)
    yield Progress(STAGE, 0, STEPS, "parts")
    cohort = apply_filters(cohort, options.filters)
    survival = cohort.survival
    if not survival.n_events:
        raise CohortError(f"Nobody in {cohort.name} died: a score can't be validated there.")
    book.warn(frozen.dichotomizer.leakage(cohort.patients[PATIENT].tolist()), first=True)
    add_people(book, cohort)
    binary, score = frozen.apply(cohort.patients)
    if np.isnan(score).all():
        raise CohortError(
            f"No patient of {cohort.name} has a score: {', '.join(frozen.coefficients)} have holes "
            "everywhere."
        )
    count_without_score(book, score)
    book.facts.update(
        options=options.as_dict(),
        discovery={
            "cohort": frozen.cohort,
            "n": frozen.dichotomizer.n,
            "events": frozen.dichotomizer.n_events,
        },
        score={"cutoff": frozen.cutoff, "coefficients": dict(frozen.coefficients)},
    )
    book.table(
        "cutpoints",
        "Cut-offs of the features",
        frozen.dichotomizer.table(),
        f"As found in {frozen.cohort}: numbers of patients and p values are of there. Nothing was "
        f"fitted to {cohort.name}.",
    )
    own: dict[str, CoxFit] = {
        SCORE_ALONE: fit_cox(cohort.patients.assign(**{SCORE: score}), survival, [SCORE]),
        REFIT: fit_cox(binary, survival, list(frozen.coefficients)),
    }
    for fit in own.values():
        book.warn_all(fit.warnings)
    add_clinical(book, cohort)
    add_models(book, cohort, own, score, _present(book, cohort, options, adjust_for))
    yield Progress(STAGE, 1, STEPS, "parts")
    groups = risk_groups(cohort.patients, score, frozen.cutoff)
    add_curves(book, cohort, groups, options.curves)
    add_patients(book, cohort, binary, score, groups)
    yield Progress(STAGE, 2, STEPS, "parts")
    times = prediction_times(book, cohort, options.study)
    add_roc(book, cohort, score, groups, times)
    add_external(book, cohort, frozen, binary, score, times)
    yield Progress(STAGE, 3, STEPS, "parts")
    add_associations(book, cohort, list(frozen.coefficients), groups)
    yield Progress(STAGE, STEPS, STEPS, "parts")
    return book.study("validate", cohort.name)


def _present(
    book: Gathering, cohort: Cohort, options: ValidateOptions, adjust_for: Sequence[str]
) -> tuple[str, ...]:
    named = options.study.adjusting()
    if named:
        return named
    here = clinical_columns(cohort.patients)
    missing = [column for column in adjust_for if column not in here]
    if missing:
        book.warn(
            f"{cohort.name} has no {', '.join(missing)}, or the same in everybody: the "
            f"multivariable model ({ADJUSTED}) is adjusted for the other factors of the fit."
        )
    return tuple(column for column in adjust_for if column in here)
