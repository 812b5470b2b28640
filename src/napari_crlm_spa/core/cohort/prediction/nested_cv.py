"""Nested cross-validation: what a score is worth in patients who played no part in making it.

Patients are dealt to folds, deaths evenly, rows of one patient together. For each fold everything
is learned anew from the others (see `learners`), the high/low cut-off of the score too; the fold's
patients only judge. Varma and Simon, BMC Bioinformatics 2006;7:91, on why it must be nested.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.cohort.columns import CRS_SCORE, SOFS, matrix, named
from napari_crlm_spa.core.cohort.cox.concordance import concordance
from napari_crlm_spa.core.cohort.cox.design import complete
from napari_crlm_spa.core.cohort.cox.folds import stratified_folds
from napari_crlm_spa.core.cohort.cox.hazard_ratio import hazard_ratio
from napari_crlm_spa.core.cohort.cox.penalized import PenaltyOptions
from napari_crlm_spa.core.cohort.cox.selection import SelectionOptions
from napari_crlm_spa.core.cohort.cutpoints.cutpoint import CutpointOptions
from napari_crlm_spa.core.cohort.prediction.cv_summary import summary_of
from napari_crlm_spa.core.cohort.prediction.learners import (
    Learned,
    Learner,
    PenalizedLearner,
    PlainLearner,
    StepwiseLearner,
)
from napari_crlm_spa.core.cohort.score.cutoff import ScoreOptions, search_cutoff
from napari_crlm_spa.core.cohort.survival import Floats, Survival
from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.errors import CohortError, RiskError

if TYPE_CHECKING:
    import pandas as pd

STAGE = "Nested cross-validation"
LABELS = {
    "stepwise": "Stepwise, dichotomized features",
    "ridge": "Ridge",
    "elastic_net": "Elastic net",
    "lasso": "Lasso",
    "crs": "Clinical risk score",
    "clinical": "Clinical columns",
}
#: For the reader of the summary.
NOTE = (
    "Mean concordance over folds of patients who played no part in making the score: cut-offs, "
    "selection, penalty and the high/low cut-off were learned anew from the others. 95 % interval "
    "by the corrected resampled t test, since training parts overlap (Nadeau and Bengio, Mach "
    "Learn 2003;52:239). Penalized models take features as measured, standardized."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NestedCVOptions(Options):
    """How nested cross-validation is done."""

    folds: int = option(5, "Outer folds: each is judged by what the others taught", min=2, max=50)
    repeats: int = option(1, "Times that patients are dealt to folds anew", min=1, max=1000)
    inner_folds: int = option(
        5,
        "Folds within the training patients that choose the penalty",
        min=2,
        max=50,
        advanced=True,
    )
    methods: str = option(
        ",".join(LABELS), "What is compared, separated by commas", label="Methods", advanced=True
    )
    l1_ratio: float = option(
        0.5, "Share of lasso in the elastic net", min=0.0, max=1.0, advanced=True
    )
    penalty_rule: str = option(
        "min",
        "Penalty: min has the best cross-validated likelihood, 1se is the largest within one "
        "standard error of it",
        choices=("min", "1se"),
        advanced=True,
    )
    most_missing: float = option(
        0.1,
        "Features that more than this share of the patients lack are left out (our assumption); "
        "all methods are judged on the patients who have all others",
        min=0.0,
        max=1.0,
        advanced=True,
    )
    seed: int = option(1, "Start of the random numbers", min=0, max=2**31 - 1, advanced=True)

    def chosen(self) -> tuple[str, ...]:
        """Return the methods.

        Raises
        ------
        CohortError
            If one is unknown, or none is named.
        """
        names = tuple(dict.fromkeys(part.strip() for part in self.methods.split(",")))
        unknown = [name for name in names if name not in LABELS]
        if unknown:
            raise CohortError(
                f"There is no method {unknown[0]!r} to cross-validate. Choose from "
                f"{', '.join(LABELS)}."
            )
        return names


@dataclass(frozen=True, slots=True, eq=False)
class NestedCV:
    """What nested cross-validation found.

    Parameters
    ----------
    folds
        The table ``nested_cv``: one row per method, repeat and fold.
    summary
        The table ``nested_cv_summary``: one row per method.
    options
        How it was done.
    n, n_events, n_missing
        Patients who took part, deaths among them, and patients left out because of holes.
    warnings
        Sentences for the user.
    """

    folds: pd.DataFrame
    summary: pd.DataFrame
    options: NestedCVOptions
    n: int
    n_events: int
    n_missing: int
    warnings: tuple[str, ...]


def nested_cv(
    frame: pd.DataFrame,
    survival: Survival,
    features: Sequence[str] = SOFS,
    options: NestedCVOptions | None = None,
    *,
    clinical: Sequence[str] = (),
    patients: ArrayLike | None = None,
    cutpoints: CutpointOptions | None = None,
    cutoffs: Mapping[str, float] | None = None,
    selection: SelectionOptions | None = None,
    score: ScoreOptions | None = None,
) -> Generator[Progress, None, NestedCV]:
    """Compare ways to a risk score on patients who were not used to make it.

    Parameters
    ----------
    frame, survival
        Patients, one row each (or several: then name `patients`).
    features
        Continuous features; constant columns and such with many holes are left out, and said so.
    options
        How; defaults if None.
    clinical
        Columns of the plain clinical model (method ``clinical``); it is left out without them, as
        ``crs`` is without a column CRS_score.
    patients
        Who each row belongs to, shape (n,): rows of one patient are never on both sides.
    cutpoints, cutoffs, selection, score
        How features are split, selected, and how high scores are told from low ones, in each
        training part.

    Raises
    ------
    CohortError
        If a method is unknown, a column is missing, or nothing is left to compare.
    SurvivalDataError
        If fewer patients died than there are folds.
    """
    chosen = options or NestedCVOptions()
    names, told = _usable_features(frame, features, chosen.most_missing)
    learners = _learners(
        chosen,
        names,
        frame,
        clinical,
        StepwiseLearner(
            names, cutpoints or CutpointOptions(), selection or SelectionOptions(), cutoffs
        ),
    )
    used = sorted({column for each in learners.values() for column in each.features})
    keep = complete(matrix(frame, used), survival)
    part, follow_up = frame.loc[keep].reset_index(drop=True), survival.take(keep)
    groups = np.arange(len(frame)) if patients is None else _numbered(patients)
    judge = _Judge(part, follow_up, groups[keep], score or ScoreOptions())
    rows: list[dict[str, Any]] = []
    total = chosen.repeats * chosen.folds * len(learners)
    for repeat in range(chosen.repeats):
        rng = np.random.default_rng([chosen.seed, repeat])
        fold_of = stratified_folds(follow_up.event, chosen.folds, rng, groups=judge.groups)
        seeds = rng.integers(2**31, size=chosen.folds)
        for fold in range(chosen.folds):
            for name, learner in learners.items():
                yield Progress(STAGE, len(rows), total, "fits")
                row = judge.row(learner, fold_of != fold, int(seeds[fold]))
                rows.append({"method": name, "repeat": repeat + 1, "fold": fold + 1, **row})
    yield Progress(STAGE, total, total, "fits")
    return _result(rows, chosen, follow_up, int((~keep).sum()), told)


def _usable_features(
    frame: pd.DataFrame, features: Sequence[str], most_missing: float
) -> tuple[tuple[str, ...], list[str]]:
    values = matrix(frame, list(features))
    holes = np.isnan(values).mean(axis=0) if len(values) else np.zeros(len(features))
    full = [name for name, share in zip(features, holes, strict=True) if share <= most_missing]
    left = [name for name in features if name not in full]
    if not left:
        return tuple(full), []
    sentence = (
        f"Nested cross-validation leaves out {', '.join(named(name) for name in left)}: more than "
        f"{most_missing:.0%} of the patients have no value. Fill them in, or allow more holes."
    )
    return tuple(full), [sentence]


def _learners(
    options: NestedCVOptions,
    features: tuple[str, ...],
    frame: pd.DataFrame,
    clinical: Sequence[str],
    stepwise: StepwiseLearner,
) -> dict[str, Learner]:
    ratios = {"ridge": 0.0, "elastic_net": options.l1_ratio, "lasso": 1.0}
    found: dict[str, Learner] = {}
    for name in options.chosen():
        if name == "stepwise" and features:
            found[name] = stepwise
        elif name in ratios and features:
            found[name] = PenalizedLearner(
                features,
                PenaltyOptions(
                    l1_ratio=ratios[name], rule=options.penalty_rule, folds=options.inner_folds
                ),
            )
        elif name == "crs" and CRS_SCORE in frame.columns:
            found[name] = PlainLearner((CRS_SCORE,))
        elif name == "clinical" and clinical:
            found[name] = PlainLearner(tuple(clinical))
    if not found:
        raise CohortError(
            "Nothing is left to cross-validate: the table has neither features with values nor the "
            f"clinical columns of the methods {options.methods}. Check its columns."
        )
    return found


def _numbered(names: ArrayLike) -> NDArray[np.intp]:
    return np.unique(np.asarray(names), return_inverse=True)[1].reshape(-1)


@dataclass(frozen=True, slots=True)
class _Judge:
    """Teaches a learner with some patients and judges it with the others."""

    frame: pd.DataFrame
    survival: Survival
    groups: NDArray[np.intp]
    score: ScoreOptions

    def row(self, learner: Learner, train: NDArray[np.bool_], seed: int) -> dict[str, Any]:
        teachers, followed = self.frame.loc[train], self.survival.take(train)
        learned = learner(teachers, followed, self.groups[train], seed)
        test = self.survival.take(~train)
        predicted = learned.score(self.frame.loc[~train])
        return {
            "n_test": len(test),
            "events_test": test.n_events,
            "concordance": concordance(test, predicted).value,
            "log_hr_high_low": self._high_low(learned, teachers, followed, test, predicted),
            "n_features": len(learned.features),
            "penalty": learned.penalty,
            "l1_ratio": learned.l1_ratio,
            "features": "; ".join(learned.features),
        }

    def _high_low(
        self,
        learned: Learned,
        teachers: pd.DataFrame,
        followed: Survival,
        test: Survival,
        predicted: Floats,
    ) -> float:
        try:
            cutoff = search_cutoff(learned.score(teachers), followed, self.score)
        except RiskError:  # the score is the same in all, or no split of it can be judged
            return float("nan")
        return hazard_ratio(test, predicted >= cutoff.cutoff).coef


def _result(
    rows: list[dict[str, Any]],
    options: NestedCVOptions,
    survival: Survival,
    n_missing: int,
    told: list[str],
) -> NestedCV:
    import pandas as pd

    folds = pd.DataFrame(rows)
    order = {name: place for place, name in enumerate(dict.fromkeys(folds["method"]))}
    folds = folds.sort_values(
        ["method", "repeat", "fold"],
        key=lambda column: column.map(order) if column.name == "method" else column,
        ignore_index=True,
    )
    summary = pd.DataFrame(
        [
            {"method": name, "label": LABELS[name]}
            | summary_of(folds[folds["method"] == name], options.folds)
            for name in order
        ]
    )
    return NestedCV(
        folds, summary, options, len(survival), survival.n_events, n_missing, tuple(told)
    )
