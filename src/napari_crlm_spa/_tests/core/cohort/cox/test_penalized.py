"""Penalized Cox models: the conditions of the minimum, known limits, lifelines as referee."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa._tests.r_reference import reference_table
from napari_crlm_spa.core.cohort.cox.elastic_net import ElasticNetCox, quadratic_minimum
from napari_crlm_spa.core.cohort.cox.partial_likelihood import PartialLikelihood
from napari_crlm_spa.core.cohort.cox.penalized import PenaltyOptions, fit_penalized
from napari_crlm_spa.core.cohort.cox.penalty_choice import cross_validate
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.errors import SurvivalDataError

COLON = ["age", "sex", "obstruct", "perfor", "adhere", "nodes", "node4", "extent"]


def _patients(seed, n=150, p=6, tied=True):
    """Follow-up with many ties, some features that matter, two that nearly agree, mixed scales."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    x[:, 1] = x[:, 0] + 0.2 * x[:, 1]
    x[:, 2] = x[:, 2] > 0.3
    x[:, 3] *= 1000
    died = rng.exponential(np.exp(-0.7 * x[:, 0] - 0.5 * x[:, 2]))
    censored = rng.exponential(1.5, n)
    time = np.minimum(died, censored)
    return Survival.of(np.ceil(time * 8) if tied else time, died <= censored), x


def _colon():
    table = reference_table("colon888.csv")
    return Survival.of(table["time"], table["status"]), table[COLON].to_numpy(float)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.05, 0.5, 0.95, 1.0])
@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("seed", range(3))
def test_the_conditions_of_the_minimum_hold_on_the_whole_path(l1_ratio, ties, seed):
    """Computed from the score of the plain likelihood, not by the solver's own check."""
    survival, x = _patients(seed)
    n = len(survival)
    model = ElasticNetCox(survival, x, l1_ratio, ties=ties)
    path = model.path(model.penalties(40))
    likelihood = PartialLikelihood(survival, x, ties=ties)
    assert path.converged.all()
    for penalty, coef in zip(path.penalties, path.coef, strict=True):
        slope = likelihood.at(coef)[1] / x.std(axis=0) / n  # per standard deviation
        standardized = coef * x.std(axis=0)
        pull = slope - penalty * (1 - l1_ratio) * standardized
        on = coef != 0
        assert np.allclose(pull[on], penalty * l1_ratio * np.sign(coef[on]), rtol=0, atol=1e-8)
        assert (np.abs(pull[~on]) <= penalty * l1_ratio + 1e-8).all()


def test_a_ridge_equals_lifelines_on_the_colon_trial():
    from lifelines import CoxPHFitter

    survival, x = _colon()
    penalty = 0.07
    ours = ElasticNetCox(survival, x, 0.0).path([penalty]).coef[0]
    frame = pd.DataFrame(x, columns=COLON).assign(time=survival.time, event=survival.event)
    # lifelines standardizes with divisor n - 1.
    theirs = CoxPHFitter(penalizer=penalty * (len(survival) - 1) / len(survival), l1_ratio=0.0)
    theirs.fit(frame, "time", "event", fit_options={"precision": 1e-12})
    assert np.allclose(ours, theirs.params_[COLON], rtol=1e-7, atol=1e-10)


def test_without_a_penalty_it_is_the_plain_fit():
    survival, x = _colon()
    plain = PartialLikelihood(survival, x).maximize()
    for l1_ratio in (0.0, 0.5, 1.0):
        path = ElasticNetCox(survival, x, l1_ratio).path([0.0])
        assert np.allclose(path.coef[0], plain.coef, rtol=1e-7)
        assert path.loglik[0] == pytest.approx(plain.loglik, abs=1e-9)


@pytest.mark.parametrize("l1_ratio", [0.2, 1.0])
def test_the_largest_penalty_is_the_smallest_that_leaves_nothing(l1_ratio):
    survival, x = _colon()
    model = ElasticNetCox(survival, x, l1_ratio)
    at, below = (model.path([model.largest_penalty * f]).coef[0] for f in (1.0 + 1e-9, 0.999))
    assert not at.any()
    assert np.count_nonzero(below) == 1


def test_units_and_origin_of_the_columns_do_not_matter():
    survival, x = _colon()
    scale, shift = np.geomspace(1e-3, 1e4, x.shape[1]), np.linspace(-50, 900, x.shape[1])
    for l1_ratio in (0.0, 0.5, 1.0):
        plain = ElasticNetCox(survival, x, l1_ratio).path([0.05, 0.01])
        moved = ElasticNetCox(survival, x * scale + shift, l1_ratio).path([0.05, 0.01])
        assert np.allclose(moved.coef * scale, plain.coef, rtol=1e-6, atol=1e-9)


def test_the_order_of_patients_does_not_matter():
    survival, x = _patients(4)
    order = np.random.default_rng(0).permutation(len(survival))
    one = ElasticNetCox(survival, x, 0.5).path([0.02]).coef
    other = ElasticNetCox(survival.take(order), x[order], 0.5).path([0.02]).coef
    assert np.allclose(one, other, rtol=1e-7, atol=1e-10)


def test_a_column_that_stands_twice_shares_its_weight_and_is_quick():
    survival, x = _patients(5)
    twice = np.column_stack([x, x[:, 0]])
    single = ElasticNetCox(survival, x, 1.0)
    double = ElasticNetCox(survival, twice, 1.0)
    penalties = single.penalties(30)
    one, two = single.path(penalties), double.path(penalties)
    assert two.converged.all()
    assert np.allclose(two.coef[:, 0] + two.coef[:, -1], one.coef[:, 0], rtol=1e-6, atol=1e-8)


def test_a_constant_column_gets_no_weight_and_a_sentence():
    survival, x = _patients(6)
    frame = pd.DataFrame(x, columns=list("abcdef")).assign(g=0.1)
    fit = fit_penalized(frame, survival, [*"abcdef", "g"], PenaltyOptions(folds=4, penalties=10))
    assert fit.coef[-1] == 0
    assert any("g: the same in all patients" in sentence for sentence in fit.warnings)
    rest = fit_penalized(frame, survival, list("abcdef"), PenaltyOptions(folds=4, penalties=10))
    assert np.array_equal(rest.coef, fit.coef[:-1])


def test_only_constant_columns_make_a_model_of_nothing():
    survival, _ = _patients(6)
    frame = pd.DataFrame({"a": np.ones(len(survival))})
    fit = fit_penalized(frame, survival, ["a"], PenaltyOptions(folds=3, penalties=5))
    assert fit.selected == ()
    assert np.array_equal(fit.linear_predictor(frame), np.zeros(len(survival)))


def test_separated_deaths_end_with_finite_coefficients():
    survival, x = _patients(7)
    x[:, 5] = survival.event  # who died is known beforehand
    for l1_ratio in (0.0, 0.5, 1.0):
        model = ElasticNetCox(survival, x, l1_ratio)
        path = model.path(model.penalties(30))
        assert np.isfinite(path.coef).all()
        assert path.converged[:20].all()


def test_more_columns_than_patients_can_be_fitted():
    rng = np.random.default_rng(8)
    x = rng.normal(size=(40, 60))
    survival = Survival.of(rng.exponential(np.exp(-x[:, 0])), np.ones(40))
    model = ElasticNetCox(survival, x, 1.0)
    path = model.path(model.penalties(30))
    assert path.converged.all()
    assert path.coef[10, 0] > 0
    worst = [
        model.violation(b, p) for b, p in zip(path.coef_standardized, path.penalties, strict=True)
    ]
    assert max(worst) < 1e-8


def test_the_cross_validated_likelihood_is_its_definition():
    """Verweij & van Houwelingen: l(b without the fold) - l of the others at the same b."""
    survival, x = _patients(9)
    folds = np.arange(len(survival)) % 4
    penalties = np.array([0.2, 0.05, 0.01])
    found = cross_validate(survival, x, folds, penalties, 0.5)
    total, deviance = np.zeros(3), []
    for fold in range(4):
        keep = folds != fold
        part = survival.take(keep)
        for m, penalty in enumerate(penalties):
            coef = ElasticNetCox(part, x[keep], 0.5).path([penalty]).coef[0]
            gain = PartialLikelihood(survival, x).loglik(coef)
            gain -= PartialLikelihood(part, x[keep]).loglik(coef)
            total[m] += gain
            deviance.append(-2 * gain / (survival.n_events - part.n_events))
    assert np.allclose(found.mean * survival.n_events, -2 * total, rtol=1e-9)
    per_fold = np.array(deviance).reshape(4, 3)
    deaths = np.array([survival.event[folds == k].sum() for k in range(4)])
    spread = ((per_fold - found.mean) ** 2 * deaths[:, None]).sum(axis=0) / deaths.sum()
    assert np.allclose(found.standard_error, np.sqrt(spread / 3), rtol=1e-9)
    assert found.at_min == np.argmin(-total)
    assert found.at_1se <= found.at_min


def test_one_standard_error_keeps_no_more_features_than_the_minimum():
    survival, x = _patients(10, n=300)
    frame = pd.DataFrame(x, columns=list("abcdef"))
    least = fit_penalized(frame, survival, list("abcdef"), PenaltyOptions(l1_ratio=1.0))
    sparse = fit_penalized(
        frame, survival, list("abcdef"), PenaltyOptions(l1_ratio=1.0, rule="1se")
    )
    assert sparse.penalty >= least.penalty == least.penalty_min
    assert len(sparse.selected) <= len(least.selected)
    assert "a" in sparse.selected or "b" in sparse.selected


def test_holes_are_left_out_and_counted():
    survival, x = _patients(11)
    frame = pd.DataFrame(x, columns=list("abcdef"))
    holes = frame.copy()
    holes.loc[[3, 20], "c"] = np.nan
    keep = np.setdiff1d(np.arange(len(frame)), [3, 20])
    options = PenaltyOptions(folds=5, penalties=10)
    with_holes = fit_penalized(holes, survival, list("abcdef"), options)
    without = fit_penalized(
        frame.iloc[keep].reset_index(drop=True), survival.take(keep), list("abcdef"), options
    )
    assert with_holes.n_missing == 2
    assert np.array_equal(with_holes.coef, without.coef)
    assert np.isnan(with_holes.linear_predictor(holes)).sum() == 2 * ("c" in with_holes.selected)


def test_the_seed_decides_the_folds():
    survival, x = _patients(12)
    frame = pd.DataFrame(x, columns=list("abcdef"))
    fits = [
        fit_penalized(frame, survival, list("abcdef"), PenaltyOptions(seed=seed, penalties=20))
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(fits[0].cross_validation.mean, fits[1].cross_validation.mean)
    assert not np.array_equal(fits[0].cross_validation.mean, fits[2].cross_validation.mean)


def test_too_few_deaths_for_the_folds_say_so():
    survival, x = _patients(13, n=30)
    few = Survival(survival.time, np.arange(30) < 4)
    with pytest.raises(SurvivalDataError, match="4 patients died: too few for 10 folds"):
        fit_penalized(pd.DataFrame({"a": x[:, 0]}), few, ["a"])


def test_tables_name_columns_and_penalties():
    survival, x = _patients(14)
    frame = pd.DataFrame(x, columns=list("abcdef"))
    fit = fit_penalized(frame, survival, list("abcdef"), PenaltyOptions(penalties=12))
    assert list(fit.table()["column"]) == list("abcdef")
    assert np.array_equal(fit.table()["hr"], np.exp(fit.coef))
    path = fit.path_table()
    assert len(path) == 12
    assert path["cv_deviance"].idxmin() == fit.cross_validation.at_min
    by_hand = frame[list(fit.selected)] @ fit.coef[fit.coef != 0]
    assert np.allclose(fit.linear_predictor(frame), by_hand, rtol=1e-12, atol=1e-14)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), p=st.integers(1, 8), rank=st.integers(1, 8))
def test_the_inner_problem_is_solved_for_any_matrix(seed, p, rank):
    rng = np.random.default_rng(seed)
    half = rng.normal(size=(min(rank, p), p))
    matrix = half.T @ half
    linear, l1 = matrix @ rng.normal(size=p), rng.uniform(0.01, 1)
    found = quadratic_minimum(matrix, linear, l1, rng.normal(size=p))

    def value(b):
        return b @ matrix @ b / 2 - linear @ b + l1 * np.abs(b).sum()

    for _ in range(50):
        other = found + rng.normal(size=p) * 10.0 ** rng.uniform(-4, 1)
        assert value(found) <= value(other) + 1e-10
