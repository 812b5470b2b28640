"""The whole analysis of a discovery cohort, in the paper's order."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from napari_crlm_spa.core.cohort.columns import SOFS
from napari_crlm_spa.core.cohort.cox.selection import SelectionOptions
from napari_crlm_spa.core.cohort.curves import CurveOptions
from napari_crlm_spa.core.cohort.cutpoints import CutpointOptions, Dichotomizer
from napari_crlm_spa.core.cohort.cutpoints.fixed import fixed_cutoffs
from napari_crlm_spa.core.cohort.score import ScoreCutoff, ScoreOptions
from napari_crlm_spa.core.cohort.study.contents import Study
from napari_crlm_spa.core.cohort.study.frozen import FROZEN, FrozenStudy
from napari_crlm_spa.core.cohort.study.gather import Gathering
from napari_crlm_spa.core.cohort.study.options import StudyOptions
from napari_crlm_spa.core.cohort.study.parts.associations import add_associations
from napari_crlm_spa.core.cohort.study.parts.cross_validation import add_cross_validation
from napari_crlm_spa.core.cohort.study.parts.groups import (
    add_curves,
    add_patients,
    risk_groups,
)
from napari_crlm_spa.core.cohort.study.parts.models import (
    FINAL,
    add_models,
    add_selection,
    check_adjusting,
)
from napari_crlm_spa.core.cohort.study.parts.people import add_people, check_events
from napari_crlm_spa.core.cohort.study.parts.predictions import (
    Predictor,
    add_predictions,
    add_roc,
    prediction_times,
    predictors,
)
from napari_crlm_spa.core.cohort.study.parts.scores import (
    add_score,
    count_without_score,
    next_patients_model,
)
from napari_crlm_spa.core.cohort.study.parts.splits import add_splits
from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.core.cohort.table import Cohort, FilterOptions, apply_filters
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.errors import CohortError

#: Fewer deaths than this don't carry a study; our limit, which only refuses what is hopeless.
LEAST_EVENTS = 10
#: What is said of every fit, before all else.
FLATTERS = (
    "Features, cut-offs and score were chosen in these same patients, so their hazard ratios and p "
    "values are better here than in others. Judge the score in a second cohort (crlm-spa cohort "
    "validate) or by cross-validation (--cv-repeats)."
)
STAGE = "Fitting the cohort"
STEPS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class FitOptions:
    """All that may be chosen about a fit, by part."""

    filters: FilterOptions = field(default_factory=FilterOptions)
    cutpoints: CutpointOptions = field(default_factory=CutpointOptions)
    selection: SelectionOptions = field(default_factory=SelectionOptions)
    score: ScoreOptions = field(default_factory=ScoreOptions)
    curves: CurveOptions = field(default_factory=CurveOptions)
    study: StudyOptions = field(default_factory=StudyOptions)

    def as_dict(self) -> dict[str, Any]:
        """Return the values by part and name."""
        return {name: getattr(self, name).as_dict() for name in self.__slots__}


def fit_cohort(
    cohort: Cohort,
    options: FitOptions | None = None,
    *,
    features: Sequence[str] = (),
    name: str = "",
) -> Generator[Progress, None, Study]:
    """Analyze a cohort: cut-offs, models, score, curves, prediction, associations.

    Parameters
    ----------
    cohort
        One row per patient.
    options
        How.
    features
        Columns to build the score of; the spatial features that the cohort has if empty.
    name
        Of the risk model; the cohort's with "-risk" if empty.

    Yields
    ------
    Progress
        By part; closing the generator cancels, nothing is written.

    Raises
    ------
    CohortError
        If there are no features, too few deaths, or a column is missing.
    """
    options = options or FitOptions()
    book = Gathering()
    check_choices(options, cohort)  # an error in them should not wait for the end
    done = 0

    def step() -> Progress:
        nonlocal done
        done += 1
        return Progress(STAGE, done - 1, STEPS, "parts")

    yield step()
    cohort = apply_filters(cohort, options.filters)
    chosen = features_of(cohort, features or _with_cutoffs(book, cohort, options.cutpoints))
    add_people(book, cohort)
    book.facts["options"] = options.as_dict()
    book.facts["features"] = list(chosen)
    dichotomizer, binary = yield from add_splits(
        book, cohort, chosen, options.cutpoints, options.study
    )
    yield step()
    searched = options.cutpoints.method == "maxstat"
    selection = add_selection(book, cohort, binary, options.selection, searched=searched)
    yield step()
    score: Floats | None = None
    cutoff: ScoreCutoff | None = None
    risk_model = None
    if selection.fit is not None:
        score, cutoff = add_score(book, cohort, binary, selection.fit, options.score)
    own = {} if selection.fit is None else {FINAL: selection.fit}
    fits = add_models(book, cohort, own, score, options.study.adjusting(), options.selection)
    if selection.fit is not None and cutoff is not None:
        risk_model = next_patients_model(
            book, cohort, selection.fit, dichotomizer, cutoff, name or f"{cohort.name}-risk"
        )
    yield step()
    groups = risk_groups(cohort.patients, score, None if cutoff is None else cutoff.cutoff)
    if score is not None:
        count_without_score(book, score)
    add_curves(book, cohort, groups, options.curves)
    add_patients(book, cohort, binary, score, groups)
    yield step()
    times = prediction_times(book, cohort, options.study)
    add_roc(book, cohort, score, groups, times)
    models = predictors(cohort, binary, score, fits)
    yield from add_predictions(book, cohort, models, times, options.study)
    yield step()
    if options.study.cv_repeats:
        yield from add_cross_validation(
            book,
            cohort,
            chosen,
            options.study,
            cutpoints=options.cutpoints,
            selection=options.selection,
            score=options.score,
        )
    yield step()
    add_associations(book, cohort, chosen, groups)
    _freeze(book, cohort, dichotomizer, cutoff, models)
    if cutoff is not None:
        book.warn(FLATTERS, first=True)
    yield Progress(STAGE, STEPS, STEPS, "parts")
    return book.study("fit", cohort.name, risk_model)


def check_choices(options: FitOptions, cohort: Cohort) -> None:
    """Refuse choices that contradict each other or the cohort, before anything is computed.

    Raises
    ------
    CohortError
        If there are such.
    """
    options.study.times()
    check_events(cohort)
    check_adjusting(options.study.adjusting(), cohort)
    cutpoints, score = options.cutpoints, options.score
    if cutpoints.cutoffs and cutpoints.method != "fixed":
        raise CohortError(
            f"Cut-offs are given ({cutpoints.cutoffs}), but they are to be found by "
            f"{cutpoints.method}. Add --cutoffs fixed, or leave --cutoff-file out."
        )
    if score.rule == "fixed" and score.cutoff is None:
        raise CohortError(
            "A fixed cut-off of the score is asked for but none is given. Add --score-cutoff with "
            "the number, or choose another --score-rule."
        )
    if score.cutoff is not None and score.rule != "fixed":
        raise CohortError(
            f"A cut-off of the score is given ({score.cutoff:g}), but the rule is {score.rule}. "
            "Add --score-rule fixed, or leave --score-cutoff out."
        )


def _with_cutoffs(book: Gathering, cohort: Cohort, options: CutpointOptions) -> tuple[str, ...]:
    """Return the features that fixed cut-offs are given for; empty if all are to be used."""
    if options.method != "fixed":
        return ()
    given = fixed_cutoffs(options.cutoffs)
    known = [each for each in SOFS if each in cohort.patients.columns]
    left_out = [each for each in known if each not in given]
    if left_out:
        book.warn(
            f"Cut-offs are given for {len(given)} features; the {len(left_out)} others are not "
            "analyzed. Add their cut-offs to the file to have them."
        )
    return tuple(given)


def features_of(cohort: Cohort, features: Sequence[str]) -> tuple[str, ...]:
    """Return the columns to build a score of; refuse a cohort that can't carry one."""
    columns = cohort.patients.columns
    missing = [each for each in features if each not in columns]
    if missing:
        raise CohortError(
            f"{cohort.name} has no column {missing[0]!r}. It has {', '.join(map(str, columns))}."
        )
    chosen = tuple(dict.fromkeys(features)) or tuple(each for each in SOFS if each in columns)
    if not chosen:
        raise CohortError(
            f"{cohort.name} has none of the 20 spatial features. Build the cohort from analyses "
            "(crlm-spa cohort build), or name the columns: --features a,b,c."
        )
    events = cohort.survival.n_events
    if events < LEAST_EVENTS:
        raise CohortError(
            f"{events} of the {len(cohort)} patients of {cohort.name} died; with fewer than "
            f"{LEAST_EVENTS} deaths nothing can be fitted. Use more patients or longer follow-up."
        )
    return chosen


def _freeze(
    book: Gathering,
    cohort: Cohort,
    dichotomizer: Dichotomizer,
    cutoff: ScoreCutoff | None,
    models: dict[str, Predictor],
) -> None:
    """Keep what a validation needs: nothing is fitted anew there."""
    if cutoff is None:
        return
    coefficients = book.facts["score"]["coefficients"]
    # Only what the score is made of: a second cohort need not have the other features.
    used = tuple(dichotomizer[feature] for feature in coefficients)
    frozen = FrozenStudy(
        cohort=cohort.name,
        dichotomizer=replace(dichotomizer, cutpoints=used),
        coefficients=coefficients,
        cutoff=cutoff.cutoff,
        models={name: each.model for name, each in models.items()},
    )
    book.facts[FROZEN] = frozen.as_dict()
