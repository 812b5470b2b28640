import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from napari_crlm_spa._tests.core.cohort.cox.drawn import draw, gradient, hessian, slow_loglik
from napari_crlm_spa.core.cohort.cox.fit import fit_cox
from napari_crlm_spa.core.cohort.cox.proportional_hazards import (
    ph_test,
    ph_warnings,
    schoenfeld,
    schoenfeld_residuals,
    transformed,
)
from napari_crlm_spa.core.cohort.cox.schoenfeld_smooth import natural_cubic, schoenfeld_smooth
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.errors import SurvivalDataError


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("transform", ["identity", "log", "km", "rank"])
def test_it_is_the_score_test_of_coefficients_that_change_with_time(transform, ties):
    survival, frame = draw(0, n=40, p=2)
    survival = Survival.of(survival.time + 0.5, survival.event)
    x = frame.to_numpy()
    fit = fit_cox(frame, survival, ["x0", "x1"], ties=ties)
    times = np.sort(survival.time[survival.event])
    g = transformed(survival, times, transform)
    at = dict(zip(times, g - g.mean(), strict=True))

    def slow(both):
        return slow_loglik(survival, x, both[:2], ties=ties, theta=both[2:], g=at.__getitem__)

    start = np.append(fit.coef, [0.0, 0.0])
    scale = np.ptp(g)
    u, information = gradient(slow, start), -hessian(slow, start, step=1e-3 / max(1, scale / 3))
    every = float(u @ np.linalg.solve(information, u))
    ours = ph_test(fit, transform)
    assert ours["chisq"].iloc[-1] == pytest.approx(every, rel=2e-3)
    assert list(ours["df"]) == [1, 1, 2]
    for term in (0, 1):
        rows = np.array([0, 1, 2 + term])
        part = float(u[rows] @ np.linalg.solve(information[np.ix_(rows, rows)], u[rows]))
        assert ours["chisq"][term] == pytest.approx(part, rel=2e-3, abs=1e-5)


def test_a_term_of_two_columns_is_tested_at_once():
    survival, frame = draw(1, n=150, p=3)
    ours = ph_test(fit_cox(frame, survival, {"both": ["x0", "x1"], "x2": ["x2"]}))
    assert list(ours["term"]) == ["both", "x2", "GLOBAL"]
    assert list(ours["df"]) == [2, 1, 3]
    apart = ph_test(fit_cox(frame, survival, ["x0", "x1", "x2"]))
    assert ours["chisq"][0] >= apart["chisq"][:2].max() - 1e-9
    assert ours["chisq"].iloc[-1] == pytest.approx(apart["chisq"].iloc[-1], rel=1e-12)


def test_units_of_time_and_columns_do_not_matter():
    survival, frame = draw(2, n=120)
    one = ph_test(fit_cox(frame, survival, list(frame)), "identity")
    days = Survival.of(survival.time * 30.4375, survival.event)
    other = ph_test(fit_cox(frame * [1e5, 1, -2] + 3, days, list(frame)), "identity")
    assert other["chisq"].to_numpy() == pytest.approx(one["chisq"].to_numpy(), rel=1e-8)


def test_p_values_are_uniform_where_hazards_are_proportional_and_small_where_not():
    rng = np.random.default_rng(0)
    below = 0
    for _ in range(200):
        x = rng.integers(0, 2, 150).astype(float)
        time, end = rng.exponential(np.exp(-0.7 * x)), rng.exponential(2.0, 150)
        survival = Survival.of(np.minimum(time, end), time <= end)
        below += ph_test(fit_cox_of(x, survival))["p"].iloc[-1] < 0.1
    assert 8 <= below <= 35  # binomial(200, 0.1), 99.9 %
    x = rng.integers(0, 2, 400).astype(float)
    crossing = Survival.of(rng.weibull(np.where(x == 1, 2.0, 0.7)), np.ones(400))
    table = ph_test(fit_cox_of(x, crossing))
    assert table["p"].iloc[-1] < 1e-6
    assert "changes over time" in ph_warnings(table)[0]


def fit_cox_of(x, survival):
    import pandas as pd

    return fit_cox(pd.DataFrame({"x": x}), survival, ["x"])


def test_transforms_in_closed_form():
    survival = Survival.of([1, 2, 2, 3, 5], [1, 1, 0, 1, 1])
    times = np.array([1.0, 2.0, 3.0, 5.0])
    assert transformed(survival, times, "rank") == pytest.approx([1, 2.5, 4, 5])
    # Kaplan-Meier just before: 1, 4/5, 4/5 * 3/4, 3/5 * 1/2.
    assert transformed(survival, times, "km") == pytest.approx([0, 0.2, 0.4, 0.7])
    assert transformed(survival, times, "identity") == pytest.approx(times)


def test_the_logarithm_of_a_death_at_time_0_is_refused_with_a_way_out():
    survival, frame = draw(3)
    now = Survival.of(
        np.where(np.arange(80) == np.argmin(survival.time), 0, survival.time + 1), survival.event
    )
    fit = fit_cox(frame, now, ["x0"])
    with pytest.raises(SurvivalDataError, match="km, rank or identity"):
        ph_test(fit, "log")
    with pytest.raises(SurvivalDataError, match="no transform 'sqrt'"):
        ph_test(fit, "sqrt")
    assert np.isfinite(ph_test(fit)["p"]).all()


@pytest.mark.parametrize("seed", range(4))
def test_residuals_are_those_of_lifelines(seed):
    from lifelines import CoxPHFitter

    survival, frame = draw(seed, n=100, digits=9)
    fit = fit_cox(frame, survival, list(frame))
    times, ours = schoenfeld_residuals(fit)
    data = frame.assign(time=survival.time, event=survival.event)
    theirs = CoxPHFitter().fit(data, "time", "event", fit_options={"precision": 1e-12})
    expected = theirs.compute_residuals(data, "schoenfeld")
    died = np.flatnonzero(survival.event)
    order = died[np.argsort(survival.time[died], kind="stable")]
    assert ours == pytest.approx(expected.loc[order].to_numpy(), abs=1e-6)
    assert np.array_equal(times, survival.time[order])
    assert ours.sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-9)


def test_scaled_residuals_are_around_the_coefficients():
    survival, frame = draw(5, n=200)
    fit = fit_cox(frame, survival, list(frame))
    mean = schoenfeld(fit).groupby("column")["residual"].mean()
    assert mean[list(frame)].to_numpy() == pytest.approx(fit.coef, abs=1e-9)


def test_the_basis_spans_the_natural_cubic_splines():
    knots = np.array([0.0, 0.2, 0.5, 1.0])
    x = np.linspace(0, 1, 60)
    basis = natural_cubic(x, knots)
    assert basis.shape == (60, 4) and np.linalg.matrix_rank(basis) == 4
    for values in np.random.default_rng(0).normal(size=(5, 4)):
        spline = CubicSpline(knots, values, bc_type="natural")(x)
        best = basis @ np.linalg.lstsq(basis, spline, rcond=None)[0]
        assert best == pytest.approx(spline, abs=1e-9)


def test_the_smooth_is_least_squares_with_its_variance():
    survival, frame = draw(6, n=200)
    fit = fit_cox(frame, survival, list(frame))
    for transform in ("km", "identity"):
        residuals = schoenfeld(fit, transform)
        one = residuals[residuals["column"] == "x1"]
        g = one["transformed_time"].to_numpy()
        smooth = schoenfeld_smooth(fit, transform, points=30)
        line = smooth[smooth["column"] == "x1"]
        at = line["transformed_time"].to_numpy()
        assert at == pytest.approx(np.linspace(g.min(), g.max(), 30))
        knots = np.quantile(np.append(at, g), [0, 1 / 3, 2 / 3, 1])
        basis, there = natural_cubic(g, knots), natural_cubic(at, knots)
        inverse = np.linalg.inv(basis.T @ basis)
        beta = there @ inverse @ basis.T @ one["residual"].to_numpy()
        assert line["beta"].to_numpy() == pytest.approx(beta, rel=1e-6, abs=1e-8)
        variance = survival.n_events * fit.covariance[1, 1] * np.diag(there @ inverse @ there.T)
        half = ((line["upper95"] - line["lower95"]) / 2).to_numpy()
        assert half == pytest.approx(1.959963984540054 * np.sqrt(variance), rel=1e-6)
        assert line["time_months"].is_monotonic_increasing
        assert line["time_months"].iloc[0] == survival.time[survival.event].min()
        assert line["time_months"].iloc[-1] == survival.time[survival.event].max()


def test_few_distinct_deaths_are_smoothed_by_fewer_coefficients_or_not_at_all():
    rng = np.random.default_rng(1)
    x = rng.normal(size=40)
    three = fit_cox_of(x, Survival.of(np.arange(40) % 3 + 1, np.ones(40)))
    assert np.isfinite(schoenfeld_smooth(three)["beta"]).all()
    two = fit_cox_of(x, Survival.of(np.arange(40) % 2 + 1, np.ones(40)))
    assert schoenfeld_smooth(two).empty
    assert np.isfinite(ph_test(two)["p"]).all()
