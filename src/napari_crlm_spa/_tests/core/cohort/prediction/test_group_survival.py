import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter

from napari_crlm_spa._tests.core.cohort.prediction.drawn import drawn_cohort
from napari_crlm_spa.core.cohort.prediction.censoring import CensoringCurve
from napari_crlm_spa.core.cohort.prediction.group_prediction import GroupPrediction
from napari_crlm_spa.core.cohort.prediction.group_survival import GroupedSurvival
from napari_crlm_spa.core.cohort.survival import Survival

patients = st.lists(
    st.tuples(st.integers(0, 9), st.booleans(), st.integers(0, 2), st.integers(0, 3)),
    min_size=1,
    max_size=40,
)


@given(patients, st.integers(0, 10))
@settings(max_examples=150, deadline=None)
def test_values_equal_lifelines_in_each_group(rows, at):
    time, event, group, weight = (np.array(column) for column in zip(*rows, strict=True))
    values = GroupedSurvival(Survival.of(time, event)).at(at, group, 4, weight, least=1)
    assert np.isnan(values.survival[3])  # empty
    for g in range(3):
        member = np.repeat(group == g, weight)
        if not member.any():
            assert values.n[g] == 0
            continue
        followed, died = np.repeat(time, weight)[member], np.repeat(event, weight)[member]
        fit = KaplanMeierFitter().fit(followed, died)
        expected = float(fit.predict(at))
        if at > followed.max() and expected > 1e-12:
            assert np.isnan(values.survival[g])
            continue
        assert values.survival[g] == pytest.approx(expected, abs=1e-12)
        if expected > 1e-12:
            table = fit.event_table.loc[lambda t: (t.index <= at) & (t["observed"] > 0)]
            terms = table["observed"] / table["at_risk"] / (table["at_risk"] - table["observed"])
            assert values.std_err[g] == pytest.approx(np.sqrt(terms.sum()), abs=1e-12)


def test_a_group_of_one_has_no_estimate_in_a_calibration():
    survival = Survival.of([5, 6, 7], [1, 0, 1])
    values = GroupedSurvival(survival).at(4, np.array([0, 1, 1]), 2)
    np.testing.assert_array_equal(values.survival, [np.nan, 1])


def test_interval_is_that_of_the_logarithm_and_stays_below_one():
    _, survival = drawn_cohort(1)
    values = GroupedSurvival(survival).overall(60)
    lower, upper = values.interval()
    assert upper[0] / values.survival[0] == pytest.approx(np.exp(1.959964 * values.std_err[0]))
    assert lower[0] * upper[0] == pytest.approx(values.survival[0] ** 2)
    assert GroupedSurvival(survival).overall(0).interval()[1][0] == 1


def test_of_a_death_and_a_censoring_at_one_time_the_death_leaves_first():
    curve = CensoringCurve.of(Survival.of([1, 2, 2, 3], [1, 1, 0, 1]))
    np.testing.assert_allclose(curve.at([0, 1, 2, 3, 9]), [1, 1, 0.5, 0.5, 0.5])
    np.testing.assert_allclose(curve.before([2, 2.5]), [1, 0.5])


def test_weighted_cases_add_up_to_the_share_of_deaths():
    _, survival = drawn_cohort(2, tied=True)
    weights = survival.event / CensoringCurve.of(survival).before(survival.time)
    for time in (20.0, 60.0, 100.0):
        died = (weights * (survival.time <= time)).mean()
        alive = GroupedSurvival(survival).overall(time).survival[0]
        assert died == pytest.approx(1 - alive, abs=1e-12)


def test_groups_of_one_cohort_predict_patients_of_another():
    survival = Survival.of([2, 4, 6, 3, 5, 8], [1, 1, 0, 1, 1, 1])
    groups = ["low"] * 3 + ["high"] * 3
    found = GroupPrediction.of(groups, survival, new=["high", "low", "", "high"])
    expected = [[1, 1 / 3, 0], [2 / 3, 1 / 3, np.nan], [np.nan] * 3, [1, 1 / 3, 0]]
    np.testing.assert_allclose(found.at([2, 5, 9]), expected)
