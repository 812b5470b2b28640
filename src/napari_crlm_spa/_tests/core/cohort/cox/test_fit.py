import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa._tests.core.cohort.cox.drawn import draw
from napari_crlm_spa.core.cohort.cox.fit import TestResult, fit_cox
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.errors import CohortError


def lifelines_fit(survival, frame):
    from lifelines import CoxPHFitter

    data = frame.assign(time=survival.time, event=survival.event)
    return CoxPHFitter().fit(data, "time", "event", fit_options={"precision": 1e-14})


@given(seed=st.integers(0, 10_000), digits=st.sampled_from([0, 1, 6]))
@settings(max_examples=15, deadline=None)
def test_lifelines_finds_the_same_model(seed, digits):
    survival, frame = draw(seed, n=150, digits=digits)
    ours, theirs = fit_cox(frame, survival, list(frame)), lifelines_fit(survival, frame)
    assert ours.coef == pytest.approx(theirs.params_.to_numpy(), rel=1e-6, abs=1e-8)
    assert ours.se == pytest.approx(theirs.standard_errors_.to_numpy(), rel=1e-6)
    assert ours.loglik == pytest.approx(theirs.log_likelihood_, rel=1e-10)
    assert ours.concordance == pytest.approx(theirs.concordance_index_, rel=1e-12)
    assert ours.aic == pytest.approx(theirs.AIC_partial_, rel=1e-10)
    lrt = theirs.log_likelihood_ratio_test()
    assert ours.lrt.statistic == pytest.approx(lrt.test_statistic, rel=1e-7)
    assert ours.lrt.p == pytest.approx(lrt.p_value, rel=1e-6)
    table = ours.table()
    limits = np.exp(theirs.confidence_intervals_.to_numpy())
    assert table[["hr_lower95", "hr_upper95"]].to_numpy() == pytest.approx(limits, rel=1e-6)


def test_the_score_test_of_two_groups_without_ties_is_the_log_rank_test():
    from lifelines.statistics import logrank_test

    survival, frame = draw(1, n=120, digits=9)
    group = frame["x2"].to_numpy().astype(bool)
    fit = fit_cox(frame, survival, ["x2"])
    theirs = logrank_test(
        survival.time[group],
        survival.time[~group],
        survival.event[group],
        survival.event[~group],
    )
    assert fit.score.statistic == pytest.approx(theirs.test_statistic, rel=1e-10)


def test_tests_of_one_column_agree_where_there_is_much_data():
    survival, frame = draw(2, n=4000)
    fit = fit_cox(frame, survival, ["x1"])
    assert fit.wald.statistic == pytest.approx(fit.z[0] ** 2, rel=1e-12)
    assert fit.wald.p == pytest.approx(fit.p_wald[0], rel=1e-9)
    assert fit.lrt.statistic == pytest.approx(fit.wald.statistic, rel=0.05)
    assert fit.score.statistic == pytest.approx(fit.wald.statistic, rel=0.05)


def test_p_values_do_not_underflow():
    assert 0 < TestResult.of(600.0, 1).p < 1e-130
    assert TestResult.of(3.841458820694124, 1).p == pytest.approx(0.05, rel=1e-12)
    assert np.isnan(TestResult.of(0.0, 0).p)


def test_patients_with_holes_are_left_out_and_counted():
    survival, frame = draw(3)
    holed = frame.copy()
    holed.loc[[1, 5, 9], "x0"] = np.nan
    holed.loc[[5, 7], "x1"] = np.inf
    fit = fit_cox(holed, survival, ["x0", "x1"])
    kept = ~np.isin(np.arange(80), [1, 5, 7, 9])
    alone = fit_cox(frame[kept], survival.take(kept), ["x0", "x1"])
    assert (fit.n, fit.n_missing) == (76, 4)
    assert np.array_equal(fit.rows, kept)
    assert fit.coef == pytest.approx(alone.coef, rel=1e-14)
    assert any("4 of 80" in each and "x0: 3, x1: 2" in each for each in fit.warnings)
    predictor = fit.linear_predictor(holed)
    assert np.isnan(predictor[[1, 5, 7, 9]]).all() and np.isfinite(predictor[kept]).all()


def test_columns_of_any_numeric_type_give_the_same_model():
    survival, frame = draw(4)
    group = frame["x2"] == 1
    fits = [
        fit_cox(pd.DataFrame({"g": column}), survival, ["g"])
        for column in (
            group.astype(float),
            group.astype(int),
            group,
            group.astype("Int64"),
            group.astype("boolean"),
            group.map({True: "1", False: "0"}).astype(object),
        )
    ]
    assert len({fit.coef[0] for fit in fits}) == 1


def test_nullable_holes_are_holes():
    survival, frame = draw(4)
    column = (frame["x2"] == 1).astype("Int64")
    column[3] = pd.NA
    assert fit_cox(pd.DataFrame({"g": column}), survival, ["g"]).n_missing == 1


def test_a_column_of_words_or_a_missing_one_is_named():
    survival, frame = draw(5)
    with pytest.raises(CohortError, match="no column 'stage'"):
        fit_cox(frame, survival, ["stage"])
    words = frame.assign(Gender="male")
    with pytest.raises(CohortError, match=r"Sex \(Gender\)"):
        fit_cox(words, survival, ["Gender"])
    with pytest.raises(CohortError, match="one row per patient"):
        fit_cox(frame.iloc[:10], survival, ["x0"])


def test_terms_of_several_columns_keep_them_together():
    survival, frame = draw(6)
    fit = fit_cox(frame, survival, {"both": ["x0", "x1"], "group": ["x2"]})
    assert fit.columns == ("x0", "x1", "x2")
    assert dict(fit.terms) == {"both": ("x0", "x1"), "group": ("x2",)}
    assert fit.coef == pytest.approx(fit_cox(frame, survival, ["x0", "x1", "x2"]).coef)


def test_the_predictor_is_not_centered():
    survival, frame = draw(7)
    fit = fit_cox(frame, survival, ["x0", "x2"])
    expected = fit.coef[0] * frame["x0"] + fit.coef[1] * frame["x2"]
    assert fit.linear_predictor(frame) == pytest.approx(expected.to_numpy(), rel=1e-13)


def test_the_interval_is_named_by_its_level():
    survival, frame = draw(8)
    table = fit_cox(frame, survival, ["x0"]).table(0.9)
    assert {"hr_lower90", "hr_upper90"} <= set(table.columns)
    wide = fit_cox(frame, survival, ["x0"]).table(0.95)
    assert wide["hr_lower95"][0] < table["hr_lower90"][0] < table["hr"][0]


def test_no_columns_are_the_null_model():
    survival, frame = draw(9)
    fit = fit_cox(frame, survival, [])
    assert fit.converged and fit.aic == -2 * fit.loglik_null == fit.bic
    assert (fit.lrt.df, len(fit.table())) == (0, 0)
    assert np.isnan(fit.lrt.p)


def test_swapping_the_groups_turns_the_hazard_ratio_around():
    survival, frame = draw(10)
    one = fit_cox(frame, survival, ["x2"])
    other = fit_cox(1 - frame, survival, ["x2"])
    assert other.hazard_ratio == pytest.approx(1 / one.hazard_ratio, rel=1e-10)
    assert other.lrt.p == pytest.approx(one.lrt.p, rel=1e-9)


def test_survival_curves_from_the_baseline_do_not_depend_on_the_zero():
    survival, frame = draw(11)
    fit, moved = (fit_cox(table, survival, list(frame)) for table in (frame, frame + 3))
    for model, table in ((fit, frame), (moved, frame + 3)):
        _, hazard = model.baseline()
        total = hazard[-1] * np.exp(model.linear_predictor(table))
        assert total.min() > 0
    assert fit.baseline()[1][-1] * np.exp(fit.linear_predictor(frame)[0]) == pytest.approx(
        moved.baseline()[1][-1] * np.exp(moved.linear_predictor(frame + 3)[0]), rel=1e-10
    )


def test_time_units_do_not_matter():
    survival, frame = draw(12)
    days = Survival.of(survival.time * 30.4375, survival.event)
    one, other = (fit_cox(frame, each, list(frame)) for each in (survival, days))
    assert other.coef == pytest.approx(one.coef, rel=1e-12)
    assert other.summary() == pytest.approx(one.summary(), rel=1e-10)
