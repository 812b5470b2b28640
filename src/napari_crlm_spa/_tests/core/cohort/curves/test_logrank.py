"""The log-rank test: against lifelines, Cox's score test, sums over strata; and data without."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import CoxPHFitter
from lifelines.statistics import multivariate_logrank_test

from napari_crlm_spa._tests.core.cohort.curves.follow_ups import drawn, survivals
from napari_crlm_spa.core.cohort.cox.partial_likelihood import PartialLikelihood
from napari_crlm_spa.core.cohort.curves import hazard_ratio, logrank, pairwise_logrank
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.errors import SurvivalDataError


@pytest.mark.parametrize("groups", [2, 3, 5])
@pytest.mark.parametrize("rho", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_equals_lifelines(groups, rho, seed):
    survival, group, _ = drawn(seed, groups=groups)
    weights = {"weightings": "fleming-harrington", "p": rho, "q": 0} if rho else {}
    theirs = multivariate_logrank_test(survival.time, group, survival.event, **weights)
    ours = logrank(survival, group, rho=rho)
    assert ours.chisq == pytest.approx(theirs.test_statistic, rel=1e-9)
    assert ours.p == pytest.approx(theirs.p_value, rel=1e-8)
    assert ours.df == groups - 1


@pytest.mark.parametrize("seed", range(4))
def test_without_ties_it_is_the_score_test_of_cox(seed):
    survival, group, _ = drawn(seed, groups=3, tied=False)
    dummies = np.column_stack([group == 1, group == 2]).astype(float)
    _, score, information = PartialLikelihood(survival, dummies, ties="breslow").at([0, 0])
    expected = score @ np.linalg.solve(information, score)
    assert logrank(survival, group).chisq == pytest.approx(expected, rel=1e-10)


@given(survivals(min_size=2), st.data())
def test_deaths_are_as_many_as_expected(survival, data):
    group = data.draw(st.lists(st.integers(0, 2), min_size=len(survival), max_size=len(survival)))
    test = logrank(survival, group)
    assert test.observed.sum() == survival.n_events
    assert test.expected.sum() == pytest.approx(survival.n_events)
    np.testing.assert_allclose(test.variance.sum(axis=0), 0, atol=1e-10)
    assert np.isnan(test.p) or 0 <= test.p <= 1
    assert np.isnan(test.p) == (test.df == 0) == (test.warning != "" and test.df == 0)


def test_strata_add_up():
    survival, group, rng = drawn(3)
    stratum = rng.integers(0, 3, len(survival))
    whole = logrank(survival, group, strata=stratum)
    parts = [
        logrank(survival.take(stratum == s), group[stratum == s], levels=(0, 1)) for s in range(3)
    ]
    np.testing.assert_allclose(whole.expected, sum(p.expected for p in parts))
    np.testing.assert_allclose(whole.variance, sum(p.variance for p in parts))
    z = sum(p.observed[0] - p.expected[0] for p in parts)
    assert whole.chisq == pytest.approx(z**2 / sum(p.variance[0, 0] for p in parts))


def test_one_stratum_changes_nothing():
    survival, group, _ = drawn(4)
    same = logrank(survival, group, strata=np.full(len(survival), "x"))
    assert same.chisq == logrank(survival, group).chisq


def test_the_order_of_patients_and_groups_does_not_matter():
    survival, group, rng = drawn(5, groups=3)
    shuffled = rng.permutation(len(survival))
    other = logrank(survival.take(shuffled), group[shuffled], levels=(2, 0, 1))
    assert other.chisq == pytest.approx(logrank(survival, group).chisq, rel=1e-12)


def test_a_tiny_p_does_not_become_0():
    survival = Survival.of(np.r_[np.arange(1, 201), np.arange(201, 401)], np.ones(400))
    assert 0 < logrank(survival, np.repeat([0, 1], 200)).p < 1e-40


@pytest.mark.parametrize("unknown", [None, "", np.nan, pd.NA])
def test_unknown_groups_are_left_out_and_counted(unknown):
    survival, group, _ = drawn(6)
    labels = np.where(group == 1, "high", "low").astype(object)
    labels[:7] = unknown
    test = logrank(survival, labels)
    rest = logrank(survival.take(np.arange(7, len(survival))), labels[7:])
    assert (test.n_unknown, test.chisq, test.groups) == (7, rest.chisq, ("high", "low"))


def test_one_group_cannot_be_compared():
    test = logrank(Survival.of([1, 2], [1, 1]), ["low", "low"], levels=("low", "high"))
    assert np.isnan(test.p)
    assert "not two groups" in test.warning


def test_without_deaths_there_is_no_test():
    test = logrank(Survival.of([1, 2, 3], [0, 0, 0]), [0, 1, 1])
    assert np.isnan(test.chisq)
    assert "Nobody died" in test.warning


def test_groups_never_at_risk_together_cannot_be_compared():
    test = logrank(Survival.of([1, 2, 5, 6], [0, 0, 1, 1]), [0, 0, 1, 1])
    assert np.isnan(test.p)
    assert "at risk" in test.warning


def test_a_group_without_patients_costs_no_degree_of_freedom():
    survival, group, _ = drawn(7)
    test = logrank(survival, group, levels=(0, 1, 2))
    assert test.df == 1
    assert test.chisq == pytest.approx(logrank(survival, group).chisq)
    assert "no patients" in test.warning


def test_groups_in_separate_strata_give_what_their_strata_tell():
    """Groups 0, 1 are compared in one stratum, 2, 3 in the other: two questions, not three."""
    survival, group, _ = drawn(8, groups=4)
    stratum = group // 2
    test = logrank(survival, group, strata=stratum)
    parts = [logrank(survival.take(stratum == s), group[stratum == s]).chisq for s in (0, 1)]
    assert test.df == 2
    assert test.chisq == pytest.approx(sum(parts))
    assert "degrees of freedom" in test.warning


def test_labels_and_patients_must_match():
    with pytest.raises(SurvivalDataError, match="3 group labels for 2 patients"):
        logrank(Survival.of([1, 2], [1, 1]), [0, 1, 1])


def test_pairs_are_tests_of_two_groups():
    survival, group, _ = drawn(9, groups=3)
    pairs = pairwise_logrank(survival, group)
    assert pairs[["group_a", "group_b"]].to_numpy().tolist() == [[0, 1], [0, 2], [1, 2]]
    two = group != 1
    assert pairs["p"][1] == logrank(survival.take(two), group[two]).p
    assert (pairs["p_fdr"] >= pairs["p"]).all()


@pytest.mark.parametrize("strata", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_the_hazard_ratio_is_that_of_lifelines(seed, strata):
    survival, group, rng = drawn(seed)
    frame = pd.DataFrame({"t": survival.time, "e": survival.event, "x": group})
    frame["s"] = rng.integers(0, 2, len(frame))
    fit = CoxPHFitter().fit(
        frame if strata else frame.drop(columns="s"),
        "t",
        "e",
        strata=["s"] if strata else None,
        fit_options={"precision": 1e-12},
    )
    ours = hazard_ratio(survival, group, strata=frame["s"] if strata else None)
    assert ours.coef == pytest.approx(fit.params_["x"], rel=1e-6)
    assert ours.se == pytest.approx(fit.standard_errors_["x"], rel=1e-6)
    assert ours.p_wald == pytest.approx(fit.summary.loc["x", "p"], rel=1e-5)


@pytest.mark.parametrize(
    ("event", "group", "says"),
    [
        ([1, 1, 0, 0], [0, 0, 1, 1], "Nobody died in the second"),
        ([0, 0, 1, 1], [0, 0, 1, 1], "Nobody died in the first"),
        ([1, 1, 1, 1], [1, 1, 1, 1], "first group has no patients"),
    ],
)
def test_one_sided_data_have_no_hazard_ratio(event, group, says):
    ratio = hazard_ratio(Survival.of([1, 2, 3, 4], event), group)
    assert np.isnan([ratio.hr, ratio.hr_lower95, ratio.hr_upper95]).all()
    assert says in ratio.warning


def test_separated_groups_have_no_hazard_ratio():
    ratio = hazard_ratio(Survival.of(np.arange(1, 21), np.ones(20)), np.repeat([0, 1], 10))
    assert np.isnan(ratio.hr)
    assert "no finite estimate" in ratio.warning
