import numpy as np
import pandas as pd
import pytest

from napari_crlm_spa._tests.core.cohort.prediction.drawn import drawn_cohort, result_of
from napari_crlm_spa.core.cohort.prediction.calibration import CalibrationOptions, calibrate
from napari_crlm_spa.core.cohort.prediction.calibration_groups import groups_of, quantile_cuts
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.errors import CohortError, SurvivalDataError

FEW = CalibrationOptions(times=(60.0,), resamples=40)


def test_cuts_are_quantiles_with_0_and_1_and_intervals_are_closed_at_the_left():
    predicted = np.array([0.2, 0.4, 0.4, 0.6, 0.8, 0.9])
    cuts = quantile_cuts(predicted, 2)
    np.testing.assert_allclose(cuts, [0, 0.5, 1])
    assert groups_of(np.array([0.0, 0.5, 0.49999, 1.0]), cuts).tolist() == [0, 1, 0, 1]
    assert quantile_cuts(np.full(6, 0.4), 3).tolist() == [0, 0.4, 1]  # like quantiles are one
    assert quantile_cuts(predicted, 1).tolist() == [0, 1]


def test_group_size_is_the_m_of_rms():
    assert CalibrationOptions(group_size=69).group_count(276) == 4
    assert CalibrationOptions(group_size=50).group_count(433) == 8
    assert CalibrationOptions(group_size=500).group_count(433) == 1
    assert CalibrationOptions(groups=4).group_count(10) == 4
    assert CalibrationOptions(groups=4).group_count(3) == 3


def test_the_true_model_is_calibrated_and_a_fitted_one_on_average_by_definition():
    frame, survival = drawn_cohort(1, n=4000)
    found = result_of(calibrate(frame, survival, ["a", "b"], CalibrationOptions(resamples=0)))
    assert (found.table["predicted"] - found.table["observed"]).abs().max() < 0.04
    assert found.table.groupby("time_months")["n"].sum().tolist() == [4000, 4000]
    np.testing.assert_allclose(found.summary["observed_expected"], 1, atol=0.02)
    assert found.table["corrected"].isna().all()
    assert "Apparent calibration only" in found.note


def test_noise_has_optimism():
    _, survival = drawn_cohort(2, n=120)
    noise = pd.DataFrame(np.random.default_rng(3).normal(size=(120, 10)))
    noise.columns = [f"x{i}" for i in range(10)]
    found = result_of(calibrate(noise, survival, list(noise.columns), FEW))
    assert found.summary["slope_corrected"][0] < 0.7
    # The best group was predicted too well, the worst too badly: corrected the other way.
    table = found.table
    assert table["optimism"].iloc[0] < 0 < table["optimism"].iloc[-1]
    np.testing.assert_allclose(table["corrected"], table["observed"] - table["optimism"])


def test_a_resample_does_not_depend_on_how_many_there_are():
    frame, survival = drawn_cohort(4)
    rows = [np.random.default_rng([7, i]).integers(0, 300, 300) for i in range(25)]
    options = CalibrationOptions(times=(60.0,), resamples=25, seed=7)
    own = result_of(calibrate(frame, survival, ["a", "b"], options))
    given = result_of(calibrate(frame, survival, ["a", "b"], options, rows=rows))
    pd.testing.assert_frame_equal(own.table, given.table)
    other = CalibrationOptions(times=(60.0,), resamples=25, seed=8)
    assert not own.table.equals(result_of(calibrate(frame, survival, ["a", "b"], other)).table)


def test_units_of_time_do_not_matter():
    frame, survival = drawn_cohort(5)
    days = Survival.of(survival.time * 30, survival.event)
    months = result_of(calibrate(frame, survival, ["a", "b"], FEW)).table
    in_days = CalibrationOptions(times=(1800.0,), resamples=40)
    other = result_of(calibrate(frame, days, ["a", "b"], in_days)).table
    columns = ["predicted", "observed", "std_err", "optimism"]
    np.testing.assert_allclose(other[columns], months[columns], atol=1e-10)


def test_progress_is_told_and_closing_cancels():
    frame, survival = drawn_cohort(6)
    work = calibrate(frame, survival, ["a"], CalibrationOptions(resamples=1000))
    first = next(work)
    assert (first.done, first.total, first.unit) == (20, 1000, "resamples")
    work.close()
    with pytest.raises(StopIteration):
        next(work)


def test_patients_with_holes_are_left_out():
    frame, survival = drawn_cohort(7)
    holed = frame.assign(a=frame["a"].where(np.arange(300) >= 30))
    found = result_of(calibrate(holed, survival, ["a", "b"], FEW))
    keep = np.arange(30, 300)
    alone = result_of(calibrate(frame.iloc[keep], survival.take(keep), ["a", "b"], FEW))
    pd.testing.assert_frame_equal(found.table, alone.table)
    assert found.summary["n_missing"].tolist() == [30]


def test_a_model_that_cannot_be_fitted_gives_a_warning_and_empty_tables():
    frame, survival = drawn_cohort(8)
    for bad in (
        frame.assign(a=1.0),
        frame.assign(a=survival.event & (survival.time < survival.time[survival.event].min() + 1)),
        frame.assign(a=2 * frame["b"]),
        frame.assign(a=np.nan),
    ):
        found = result_of(calibrate(bad.astype(float), survival, ["a", "b"], FEW))
        assert found.table.empty
        assert found.summary.empty
        assert "cannot be fitted" in found.warnings[0]
    good = result_of(calibrate(frame, survival, ["a", "b"], FEW))
    for name in ("table", "summary"):
        joined = pd.concat([getattr(found, name), getattr(good, name)], ignore_index=True)
        pd.testing.assert_frame_equal(joined, getattr(good, name))
    nobody = Survival.of(survival.time, np.zeros(300))
    assert result_of(calibrate(frame, nobody, ["a"], FEW)).table.empty


def test_resamples_that_cannot_be_fitted_are_counted():
    frame, survival = drawn_cohort(9, n=60)
    rare = frame.assign(a=(np.arange(60) == np.argsort(survival.time)[20]).astype(float))
    found = result_of(calibrate(rare, survival, ["a", "b"], FEW))
    assert any("could not be fitted" in warning for warning in found.warnings)
    assert found.summary["resamples"][0] < 40


def test_times_that_nobody_was_followed_to_are_told():
    frame, survival = drawn_cohort(10)
    options = CalibrationOptions(times=(60.0, 400.0), resamples=10)
    found = result_of(calibrate(frame, survival, ["a", "b"], options))
    assert set(found.table["time_months"]) == {60}
    assert "at 400 months: nobody was followed that long" in found.warnings[0]
    late = CalibrationOptions(times=(float(survival.time.max()) - 0.01,), resamples=0, groups=20)
    found = result_of(calibrate(frame, survival, ["a", "b"], late))
    assert any("a group has no estimate" in warning for warning in found.warnings)


def test_wrong_resamples_and_columns_are_refused():
    frame, survival = drawn_cohort(11)
    with pytest.raises(SurvivalDataError, match="each needs 300 positions"):
        result_of(calibrate(frame, survival, ["a"], FEW, rows=np.full((2, 300), 300)))
    with pytest.raises(CohortError, match="no column 'c'"):
        result_of(calibrate(frame, survival, ["c"], FEW))
