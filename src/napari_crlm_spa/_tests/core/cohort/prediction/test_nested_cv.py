"""Nested cross-validation: nothing of the judging patients leaks, and chance scores 0.5."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from napari_crlm_spa.core.cohort.columns import SOFS
from napari_crlm_spa.core.cohort.cox.concordance import concordance
from napari_crlm_spa.core.cohort.cox.folds import stratified_folds
from napari_crlm_spa.core.cohort.cox.hazard_ratio import hazard_ratio
from napari_crlm_spa.core.cohort.cox.penalized import PenaltyOptions, fit_penalized
from napari_crlm_spa.core.cohort.cox.selection import select_model
from napari_crlm_spa.core.cohort.cutpoints.cutpoint import CutpointOptions
from napari_crlm_spa.core.cohort.cutpoints.dichotomize import fit_dichotomizer
from napari_crlm_spa.core.cohort.prediction.cv_summary import corrected_interval
from napari_crlm_spa.core.cohort.prediction.learners import StepwiseLearner
from napari_crlm_spa.core.cohort.prediction.nested_cv import NestedCVOptions, nested_cv
from napari_crlm_spa.core.cohort.score.cutoff import ScoreOptions, search_cutoff
from napari_crlm_spa.core.cohort.simulate import SimulateOptions, simulate_cohort
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.errors import CohortError, SurvivalDataError

QUICK = NestedCVOptions(folds=3, inner_folds=3)
FEW = SOFS[10:17]


def _run(work):
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


@pytest.fixture(scope="module")
def cohort():
    return simulate_cohort(SimulateOptions(n_patients=240, seed=11, effect_size=2.0))


@pytest.fixture(scope="module")
def result(cohort):
    return _run(nested_cv(cohort.frame, cohort.survival, options=QUICK, clinical=["Age"]))


def test_all_methods_are_judged_on_the_same_patients(cohort, result):
    assert list(result.summary["method"]) == [
        "stepwise",
        "ridge",
        "elastic_net",
        "lasso",
        "crs",
        "clinical",
    ]
    for _, part in result.folds.groupby("method"):
        assert part["n_test"].sum() == len(cohort.frame) == result.n
        assert part["events_test"].sum() == cohort.survival.n_events


def test_a_row_is_what_the_public_functions_give_by_hand(cohort, result):
    """Second fold, learned from the others only."""
    test, train, frame = _fold(cohort, 1)
    teach, judge = cohort.survival.take(train), cohort.survival.take(test)
    rows = result.folds[result.folds["fold"] == 2].set_index("method")

    found = fit_dichotomizer(frame[train], teach, SOFS)
    fit = select_model(found.apply(frame[train]), frame.loc[train, list(SOFS)], teach).fit
    score = fit.linear_predictor(found.apply(frame[test]))
    assert rows.loc["stepwise", "features"] == "; ".join(fit.columns)
    assert rows.loc["stepwise", "concordance"] == concordance(judge, score).value
    cutoff = search_cutoff(fit.linear_predictor(found.apply(frame[train])), teach, ScoreOptions())
    by_hand = hazard_ratio(judge, score >= cutoff.cutoff).coef
    assert rows.loc["stepwise", "log_hr_high_low"] == by_hand

    rng = np.random.default_rng([QUICK.seed, 0])
    stratified_folds(cohort.survival.event, 3, rng)
    seed = int(rng.integers(2**31, size=3)[1])
    lasso = fit_penalized(
        frame[train], teach, SOFS, PenaltyOptions(l1_ratio=1.0, folds=3, seed=seed)
    )
    assert rows.loc["lasso", "penalty"] == lasso.penalty
    by_hand = concordance(judge, lasso.linear_predictor(frame[test])).value
    assert rows.loc["lasso", "concordance"] == by_hand

    by_hand = concordance(judge, frame.loc[test, "CRS_score"]).value
    assert rows.loc["crs", "concordance"] == by_hand


def _fold(cohort, fold):
    rng = np.random.default_rng([QUICK.seed, 0])
    fold_of = stratified_folds(cohort.survival.event, 3, rng)
    return fold_of == fold, fold_of != fold, cohort.frame


def test_the_fate_of_the_judging_patients_teaches_nothing(cohort, result):
    """Other follow-up in fold 1: what was learned for fold 1 stays, its verdict changes."""
    test, _, frame = _fold(cohort, 0)
    time = cohort.survival.time.copy()
    time[test] = np.random.default_rng(0).permutation(time[test])
    changed = _run(
        nested_cv(frame, Survival(time, cohort.survival.event), options=QUICK, clinical=["Age"])
    )
    before, after = (each.folds[each.folds["fold"] == 1] for each in (result, changed))
    learned = ["method", "features", "penalty", "n_features"]
    pd.testing.assert_frame_equal(before[learned], after[learned])
    assert (before["concordance"] != after["concordance"]).all()


def test_features_that_mean_nothing_score_one_half():
    """Though the same data, judged by those who taught, seem to predict."""
    held_out, apparent = [], []
    for seed in range(8):
        cohort = simulate_cohort(SimulateOptions(n_patients=120, seed=seed, effect_size=0.0))
        options = NestedCVOptions(folds=3, inner_folds=3, methods="stepwise,lasso", seed=seed)
        found = _run(nested_cv(cohort.frame, cohort.survival, FEW, options))
        held_out.append(found.folds.groupby("method")["concordance"].mean())
        split = fit_dichotomizer(cohort.frame, cohort.survival, FEW).apply(cohort.frame)
        fit = select_model(split, cohort.frame[list(FEW)], cohort.survival).fit
        apparent.append(0.5 if fit is None else fit.concordance)
    mean = pd.DataFrame(held_out).mean()
    assert (np.abs(mean - 0.5) < 0.04).all(), mean
    assert np.mean(apparent) > 0.56


def test_features_that_matter_are_found(cohort):
    options = NestedCVOptions(methods="stepwise,lasso")
    found = _run(nested_cv(cohort.frame, cohort.survival, SOFS, options))
    assert (found.summary["concordance"] > 0.58).all()
    assert found.folds["features"].str.contains("Overall_Debris_ratio").mean() > 0.5


def test_quick_cutoffs_are_those_of_the_dichotomizer(cohort):
    for options in (
        CutpointOptions(),
        CutpointOptions(method="median"),
        CutpointOptions(minprop=0.3),
    ):
        learner = StepwiseLearner(SOFS, options)
        table = fit_dichotomizer(cohort.frame, cohort.survival, SOFS, options).table()
        expected = dict(zip(table["feature"], table["cutoff"], strict=True))
        assert learner.find_cutoffs(cohort.frame, cohort.survival) == expected


def test_fixed_cutoffs_are_taken_as_they_are(cohort):
    learner = StepwiseLearner(FEW, CutpointOptions(method="fixed"), cutoffs=cohort.truth.cutpoints)
    found = learner.find_cutoffs(cohort.frame, cohort.survival)
    assert found == {name: cohort.truth.cutpoints[name] for name in FEW}


def test_rows_of_one_patient_stay_together(cohort):
    twice = pd.concat([cohort.frame, cohort.frame], ignore_index=True)
    survival = Survival(np.tile(cohort.survival.time, 2), np.tile(cohort.survival.event, 2))
    options = NestedCVOptions(folds=3, methods="crs")
    found = _run(nested_cv(twice, survival, FEW, options, patients=twice["patient"]))
    assert (found.folds["n_test"] % 2 == 0).all()
    assert (found.folds["events_test"] % 2 == 0).all()


def test_more_repeats_leave_the_first_as_they_were(cohort):
    one, two = (
        _run(
            nested_cv(
                cohort.frame,
                cohort.survival,
                FEW,
                NestedCVOptions(folds=3, inner_folds=3, methods="lasso,crs", repeats=repeats),
            )
        ).folds
        for repeats in (1, 2)
    )
    first = two[two["repeat"] == 1].reset_index(drop=True)
    pd.testing.assert_frame_equal(one, first)
    other = two[two["repeat"] == 2]["concordance"].to_numpy()
    assert not np.array_equal(one["concordance"], other)


def test_a_feature_with_many_holes_is_left_out_and_patients_with_few_are_counted(cohort):
    frame = cohort.frame.copy()
    frame.loc[:59, FEW[0]] = np.nan
    frame.loc[:4, FEW[1]] = np.nan
    found = _run(
        nested_cv(frame, cohort.survival, FEW, NestedCVOptions(folds=3, methods="stepwise,lasso"))
    )
    assert (found.n, found.n_missing) == (235, 5)
    assert FEW[0] in found.warnings[0]
    assert FEW[1] not in found.warnings[0]
    assert not found.folds["features"].str.contains(FEW[0]).any()


def test_constant_features_are_no_obstacle(cohort):
    frame = cohort.frame.assign(**{FEW[0]: 0.0})
    found = _run(
        nested_cv(frame, cohort.survival, FEW, NestedCVOptions(folds=3, methods="stepwise,ridge"))
    )
    assert np.isfinite(found.folds["concordance"]).all()


def test_no_significant_feature_is_a_score_of_chance():
    cohort = simulate_cohort(SimulateOptions(n_patients=60, seed=1, effect_size=0.0))
    frame = cohort.frame.assign(**dict.fromkeys(FEW, 1.0))
    found = _run(
        nested_cv(frame, cohort.survival, FEW, NestedCVOptions(folds=3, methods="stepwise"))
    )
    assert (found.folds["concordance"] == 0.5).all()
    assert found.folds["log_hr_high_low"].isna().all()
    assert "no feature was chosen in 3 of 3 folds" in found.summary["note"][0]


def test_the_interval_is_the_corrected_t_of_nadeau_and_bengio():
    values = np.array([0.55, 0.61, 0.58, 0.66, 0.5])
    mean, deviation, lower, upper = corrected_interval(values, 0.25)
    half = student.ppf(0.975, 4) * values.std(ddof=1) * np.sqrt(1 / 5 + 1 / 4)
    assert (mean, deviation) == pytest.approx((values.mean(), values.std(ddof=1)))
    assert (lower, upper) == pytest.approx((values.mean() - half, values.mean() + half))
    assert np.isnan(corrected_interval(values[:1], 0.25)[1:]).all()
    assert corrected_interval(np.array([0.9, 0.99]), 0.25)[3] == 1.0


def test_closing_ends_it(cohort):
    work = nested_cv(cohort.frame, cohort.survival, FEW, QUICK)
    first = next(work)
    assert (first.done, first.total) == (0, 3 * 5)
    work.close()
    with pytest.raises(StopIteration):
        next(work)


def test_what_cannot_be_compared_says_why(cohort):
    with pytest.raises(CohortError, match="no method 'forest'"):
        _run(nested_cv(cohort.frame, cohort.survival, FEW, NestedCVOptions(methods="forest")))
    with pytest.raises(CohortError, match="Nothing is left to cross-validate"):
        _run(nested_cv(cohort.frame, cohort.survival, FEW, NestedCVOptions(methods="clinical")))
    few = Survival(cohort.survival.time, np.arange(240) < 3)
    with pytest.raises(SurvivalDataError, match="3 patients died: too few for 5 folds"):
        _run(nested_cv(cohort.frame, few, FEW, NestedCVOptions()))
