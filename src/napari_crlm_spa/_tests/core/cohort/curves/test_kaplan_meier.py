"""The survival curve, its limits, its quantiles, and what it says where data end."""

import numpy as np
import pytest
from hypothesis import given
from lifelines import KaplanMeierFitter

from napari_crlm_spa._tests.core.cohort.curves.follow_ups import drawn, survivals
from napari_crlm_spa.core.cohort.curves import kaplan_meier, survival_steps
from napari_crlm_spa.core.cohort.survival import Survival

INTERVALS = ("plain", "log", "log-log")


def by_hand(survival, t):
    """The product over the deaths' times, counted patient by patient."""
    value = 1.0
    for when in sorted({x for x, e in zip(survival.time, survival.event, strict=True) if e}):
        if when <= t:
            risk = sum(x >= when for x in survival.time)
            deaths = sum(
                x == when and e for x, e in zip(survival.time, survival.event, strict=True)
            )
            value *= 1 - deaths / risk
    return value


@given(survivals())
def test_curve_is_the_product_over_deaths(survival):
    curve = kaplan_meier(survival)
    np.testing.assert_allclose(
        curve.survival, [by_hand(survival, t) for t in curve.time], atol=1e-13
    )
    np.testing.assert_allclose(curve.survival, survival_steps(survival).survival, atol=1e-13)


@given(survivals())
def test_curve_falls_and_counts_add_up(survival):
    frame = kaplan_meier(survival).frame()
    assert frame["time"].iloc[0] == 0
    assert frame["survival"].iloc[0] == 1
    assert (np.diff(frame["survival"]) <= 1e-15).all()
    assert frame["n_event"].sum() == survival.n_events
    assert frame["n_event"].sum() + frame["n_censor"].sum() == len(survival)
    gone = (frame["n_event"] + frame["n_censor"]).cumsum().shift(fill_value=0)
    assert (frame["n_risk"] == len(survival) - gone).all()


@pytest.mark.parametrize("interval", INTERVALS)
@given(survival=survivals(min_size=2))
def test_limits_enclose_the_curve(interval, survival):
    curve = kaplan_meier(survival, interval=interval)
    known = ~np.isnan(curve.lower)
    assert (curve.lower[known] <= curve.survival[known] + 1e-12).all()
    assert (curve.survival[known] <= curve.upper[known] + 1e-12).all()
    assert (curve.lower[known] >= 0).all()
    assert (curve.upper[known] <= 1).all()


@pytest.mark.parametrize("seed", range(5))
def test_log_log_limits_are_those_of_lifelines(seed):
    survival, _, _ = drawn(seed)
    ours = kaplan_meier(survival, interval="log-log")
    fit = KaplanMeierFitter().fit(survival.time, survival.event)
    theirs = fit.confidence_interval_.loc[ours.time].to_numpy()
    known = (ours.survival > 0) & (ours.survival < 1)
    np.testing.assert_allclose(ours.lower[known], theirs[known, 0], atol=1e-12)
    np.testing.assert_allclose(ours.upper[known], theirs[known, 1], atol=1e-12)


@pytest.mark.parametrize("interval", INTERVALS)
def test_nothing_is_known_where_nobody_is_left(interval):
    """R: ``summary(survfit(Surv(c(5, 8, 12), c(1, 1, 1)) ~ 1))`` ends in 0, NaN, NA, NA."""
    curve = kaplan_meier(Survival.of([5, 8, 12], [1, 1, 1]), interval=interval)
    assert curve.survival[-1] == 0
    assert np.isnan([curve.std_err[-1], curve.lower[-1], curve.upper[-1]]).all()


def test_before_the_first_death_limits_are_1_but_log_log_has_none():
    survival = Survival.of([2, 5, 8], [0, 1, 0])
    assert kaplan_meier(survival, interval="log").lower[0] == 1
    assert kaplan_meier(survival, interval="plain").lower[0] == 1
    assert np.isnan(kaplan_meier(survival, interval="log-log").lower[0])


def test_deaths_at_time_0_are_a_step_of_their_own():
    frame = kaplan_meier(Survival.of([0, 0, 3, 4], [1, 0, 1, 0])).frame()
    assert frame["time"].tolist() == [0, 0, 3, 4]
    assert frame["n_risk"].tolist() == [4, 4, 2, 1]
    assert frame["survival"].tolist() == pytest.approx([1, 0.75, 0.375, 0.375])


def test_patients_censored_at_time_0_are_in_the_first_row():
    frame = kaplan_meier(Survival.of([0, 3, 4], [0, 1, 0])).frame()
    assert frame["time"].tolist() == [0, 3, 4]
    assert frame["n_risk"].tolist() == [3, 2, 1]
    assert frame["n_censor"].tolist() == [1, 0, 1]


def test_at_counts_those_still_at_risk_and_carries_the_curve_on():
    curve = kaplan_meier(Survival.of([2, 4, 4, 6], [1, 0, 1, 0]))
    at = curve.at([0, 2, 3, 4, 6, 7])
    assert at["n_risk"].tolist() == [4, 4, 3, 3, 1, 0]
    assert at["survival"].tolist() == pytest.approx([1, 0.75, 0.75, 0.5, 0.5, 0.5])
    assert at["std_err"].iloc[0] == 0


def test_median_is_the_first_time_below_half():
    assert kaplan_meier(Survival.of([1, 2, 3], [1, 1, 1])).quantile().value == 2


def test_median_is_the_middle_of_a_stretch_at_half():
    """R: ``quantile(survfit(Surv(1:20, rep(1, 20)) ~ 1), 0.5)`` is 10.5; the product is rounded."""
    curve = kaplan_meier(Survival.of(np.arange(1, 21), np.ones(20)))
    assert curve.quantile().value == 10.5
    assert curve.quantile(0.25).value == 5.5


def test_a_stretch_at_half_ends_with_the_follow_up():
    """R's ``quantile``: a curve that ends on the level has the middle of its last stretch."""
    assert kaplan_meier(Survival.of([1, 2, 3, 6], [1, 1, 0, 0])).quantile().value == 4


def test_a_median_not_reached_is_nan():
    quantile = kaplan_meier(Survival.of([1, 2, 3], [1, 0, 0])).quantile()
    assert np.isnan(quantile.value)
    assert np.isnan(quantile.upper)


def test_the_upper_limit_of_a_median_may_be_unknown():
    """R's aml, not maintained: median 23, 95 % interval 8 to NA."""
    time = [5, 5, 8, 8, 12, 16, 23, 27, 30, 33, 43, 45]
    event = [1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1]
    quantile = kaplan_meier(Survival.of(time, event)).quantile()
    assert (quantile.value, quantile.lower) == (23, 8)
    assert np.isnan(quantile.upper)


def test_nobody_has_no_curve():
    curve = kaplan_meier(Survival.of([], []))
    assert curve.frame().empty
    assert np.isnan(curve.quantile().value)
    assert curve.at([0, 12])["n_risk"].tolist() == [0, 0]
    assert curve.at([0, 12])["survival"].isna().all()


def test_times_that_differ_by_rounding_are_one_time():
    months = np.array([0.1 + 0.2, 0.3, 5.0])
    assert months[0] != months[1]
    curve = kaplan_meier(Survival.of(months, [1, 0, 1]))
    assert curve.n_risk.tolist() == [3, 1]
    assert curve.survival[0] == pytest.approx(2 / 3)


def test_near_is_absolute_or_relative_to_the_mean_time():
    """R: ``aeqSurv``; a chain of near times is one time, the earliest."""
    days = Survival.of([1e6, 1e6 + 5e-3, 1e6 + 9e-3, 2e6], [1, 1, 1, 1]).joined()
    assert days.time.tolist() == [1e6, 1e6, 1e6, 2e6]
    apart = Survival.of([1.0, 1.0001, 2.0], [1, 0, 1])
    assert apart.joined() is apart
    assert len(Survival.of([], []).joined()) == 0


def test_survival_just_before_a_death_leaves_it_out():
    steps = survival_steps(Survival.of([2, 4, 6], [1, 1, 0]))
    assert steps.survival_at([1, 2, 4, 9]).tolist() == pytest.approx([1, 2 / 3, 1 / 3, 1 / 3])
    assert steps.survival_at([2, 4], before=True).tolist() == pytest.approx([1, 2 / 3])
    assert steps.n_risk_at([0, 2, 2.5, 7]).tolist() == [3, 3, 2, 0]
