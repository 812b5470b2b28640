"""Data that break Cox models: numbers where there are some, holes elsewhere, and a sentence."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa._tests.core.cohort.cox.drawn import draw
from napari_crlm_spa.core.cohort.cox.fit import fit_cox
from napari_crlm_spa.core.cohort.cox.proportional_hazards import ph_test, schoenfeld
from napari_crlm_spa.core.cohort.cox.schoenfeld_smooth import schoenfeld_smooth
from napari_crlm_spa.core.cohort.survival import Survival


@pytest.fixture(autouse=True)
def numpy_stays_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_a_constant_column_is_left_out_as_r_does():
    survival, frame = draw(0)
    fit = fit_cox(frame.assign(flat=2.0), survival, ["x0", "flat", "x1"])
    without = fit_cox(frame, survival, ["x0", "x1"])
    assert np.isnan(fit.coef[1]) and fit.dependent == ("flat",)
    assert fit.coef[[0, 2]] == pytest.approx(without.coef, rel=1e-12)
    assert (fit.lrt.df, fit.aic) == (2, pytest.approx(without.aic, rel=1e-14))
    assert fit.score.statistic == pytest.approx(without.score.statistic, rel=1e-12)
    assert fit.wald.statistic == pytest.approx(without.wald.statistic, rel=1e-12)
    assert fit.converged
    assert any("flat is 2 in all 80 patients" in each for each in fit.warnings)
    predictor = fit.linear_predictor(frame.assign(flat=2.0))
    assert predictor == pytest.approx(without.linear_predictor(frame), rel=1e-12)


def test_a_copy_is_left_out_and_its_original_named():
    survival, frame = draw(1)
    frame["CRS_score"] = 2 * frame["x0"] - frame["x2"] + 1
    fit = fit_cox(frame, survival, ["x0", "x1", "x2", "CRS_score"])
    assert fit.dependent == ("CRS_score",)
    assert any("Clinical risk score (CRS_score) follows from x0 and x2" in w for w in fit.warnings)
    first = fit_cox(frame, survival, ["CRS_score", "x0", "x1", "x2"])
    assert first.dependent == ("x2",)
    assert first.loglik == pytest.approx(fit.loglik, rel=1e-13)


def test_a_side_without_deaths_has_no_hazard_ratio_but_a_likelihood_ratio_test():
    survival, frame = draw(2)
    alive = np.flatnonzero(~survival.event)
    frame["Resection_margin"] = 0.0
    frame.loc[alive[:6], "Resection_margin"] = 1.0
    fit = fit_cox(frame, survival, ["x0", "Resection_margin"])
    assert fit.infinite == ("Resection_margin",) and not fit.converged
    assert np.isnan(fit.coef[1]) and np.isfinite(fit.coef[0]) and np.isfinite(fit.se[0])
    assert np.isnan(fit.wald.statistic)
    assert 0 < fit.lrt.p < 1 and 0 < fit.score.p < 1 and np.isfinite(fit.concordance)
    sentence = " ".join(fit.warnings)
    assert "Resection margin (Resection_margin): none of the 6 patients with 1 died" in sentence
    assert "leave it out" in sentence
    kept = frame["Resection_margin"] == 0
    limit = fit_cox(frame[kept], survival.take(kept), ["x0"])
    assert fit.coef[0] == pytest.approx(limit.coef[0], rel=1e-6)
    assert fit.se[0] == pytest.approx(limit.se[0], rel=1e-6)
    assert fit.loglik == pytest.approx(limit.loglik, abs=1e-6)


def test_the_other_columns_of_a_separated_model_are_still_tested():
    survival, frame = draw(3, n=200)
    alive = np.flatnonzero(~survival.event)
    frame["spared"] = 0.0
    frame.loc[alive[:20], "spared"] = 1.0
    kept = frame["spared"] == 0
    fit = fit_cox(frame, survival, ["x0", "spared", "x1"])
    limit = fit_cox(frame[kept], survival.take(kept), ["x0", "x1"])
    ours, expected = ph_test(fit, "identity"), ph_test(limit, "identity")
    assert ours["chisq"].iloc[[0, 2, 3]].to_numpy() == pytest.approx(
        expected["chisq"].to_numpy(), rel=1e-5
    )
    assert np.isnan(ours["chisq"].iloc[1])
    residuals = schoenfeld(fit)
    assert residuals.loc[residuals["column"] == "spared", "residual"].isna().all()


def test_few_deaths_per_coefficient_are_told_and_the_limit_can_be_moved():
    survival, frame = draw(4, n=40)
    fit = fit_cox(frame, survival, list(frame))
    assert survival.n_events < 30
    assert any("Peduzzi" in each for each in fit.warnings)
    assert fit_cox(frame, survival, list(frame), events_per_coefficient=1).warnings == ()


def test_nobody_died():
    survival = Survival.of([1, 2, 3], [0, 0, 0])
    fit = fit_cox(pd.DataFrame({"a": [1.0, 2, 3]}), survival, ["a"])
    assert np.isnan([fit.coef[0], fit.loglik, fit.lrt.p, fit.concordance]).all()
    assert "None of the 3 patients died" in fit.warnings[0]
    assert ph_test(fit)["p"].isna().all()
    assert schoenfeld(fit).empty and schoenfeld_smooth(fit).empty


def test_nobody_has_the_column():
    survival, frame = draw(5)
    fit = fit_cox(frame.assign(gone=np.nan), survival, ["gone"])
    assert (fit.n, fit.n_missing) == (0, 80)
    assert np.isnan(fit.coef).all() and "No patient has a value of gone" in fit.warnings[0]
    both = frame.assign(
        a=np.where(frame.index < 40, np.nan, 1.0), b=np.where(frame.index < 40, 1.0, np.nan)
    )
    told = fit_cox(both, survival, ["a", "b"]).warnings
    assert any("No patient has all of a and b" in each for each in told)


def test_all_deaths_at_one_time_leave_the_test_of_proportional_hazards_open():
    survival = Survival.of(np.full(20, 3.0), np.arange(20) % 2)
    frame = pd.DataFrame({"a": np.arange(20) % 7 * 1.0})
    fit = fit_cox(frame, survival, ["a"])
    assert fit.converged
    assert ph_test(fit)["p"].isna().all()
    assert schoenfeld_smooth(fit).empty


@given(
    time=st.lists(st.integers(0, 6), min_size=1, max_size=14),
    data=st.data(),
)
@settings(max_examples=150, deadline=None)
def test_tiny_tables_never_break_and_keep_their_word(time, data):
    n = len(time)
    bits = st.lists(st.integers(0, 1), min_size=n, max_size=n)
    survival = Survival.of(time, data.draw(bits))
    numbers = st.lists(st.sampled_from([0.0, 1.0, 2.5, np.nan]), min_size=n, max_size=n)
    frame = pd.DataFrame({"a": data.draw(bits), "b": data.draw(numbers), "c": data.draw(numbers)})
    fit = fit_cox(frame, survival, ["a", "b", "c"])
    table = fit.table()
    silent = np.isnan(fit.coef)
    assert np.array_equal(silent, np.isnan(fit.se))
    told = " ".join(fit.warnings)
    missing = {*fit.dependent, *fit.infinite}
    if fit.n_events:
        for column, empty in zip(table["column"], silent, strict=True):
            assert empty == (column in missing) or "did not converge" in told
            assert not empty or column in told
        assert fit.loglik >= fit.loglik_null - 1e-9
    else:
        assert silent.all() and told
    if not fit.converged:
        assert told
    ph_test(fit, "rank")
    schoenfeld_smooth(fit)
