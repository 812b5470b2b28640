import numpy as np
import pytest

from napari_crlm_spa._tests.core.cohort.prediction.drawn import drawn_cohort
from napari_crlm_spa.core.cohort.cox.fit import fit_cox
from napari_crlm_spa.core.cohort.prediction.calibration import CalibrationOptions
from napari_crlm_spa.core.cohort.prediction.external import external_tables
from napari_crlm_spa.core.cohort.prediction.predicted import PredictionModel
from napari_crlm_spa.errors import CohortError, SurvivalDataError


@pytest.fixture
def model():
    frame, survival = drawn_cohort(1, n=2000)
    return PredictionModel.of_fit(fit_cox(frame, survival, ["a", "b"]), name="cox")


def test_in_its_own_cohort_the_slope_is_1_and_the_concordance_that_of_the_fit():
    frame, survival = drawn_cohort(2)
    fit = fit_cox(frame, survival, ["a", "b"])
    row = external_tables(PredictionModel.of_fit(fit), frame, survival).external.iloc[0]
    assert row["slope"] == pytest.approx(1, abs=1e-9)
    assert row["slope_p"] == pytest.approx(1, abs=1e-6)
    assert row["concordance"] == pytest.approx(fit.concordance)
    assert row["concordance_se"] == pytest.approx(fit.concordance_se)


def test_a_cohort_like_the_first_confirms_the_model(model):
    frame, survival = drawn_cohort(3, n=2000)
    found = external_tables(model, frame, survival)
    row = found.external.iloc[0]
    assert row["slope_lower95"] < 1 < row["slope_upper95"]
    summary = found.calibration_summary
    inside = (summary["lower95"] < summary["expected_deaths"]) & (
        summary["expected_deaths"] < summary["upper95"]
    )
    assert inside.all()
    assert (found.brier["scaled"] > 0).all()
    assert not found.warnings
    assert set(found.roc["marker"]) == {"cox"}
    assert set(found.decision["model"]) == {"cox", "treat_all", "treat_none"}


def test_a_sicker_cohort_shows_in_the_large_and_a_weaker_effect_in_the_slope(model):
    frame, survival = drawn_cohort(4, n=2000, months=40.0)
    sicker = external_tables(model, frame, survival)
    hazard = np.exp(0.8 * frame["a"] - 0.5 * frame["b"])
    truth = [
        (1 - np.exp(-t / 40 * hazard)).mean() / (1 - np.exp(-t / 90 * hazard)).mean()
        for t in (60, 96)
    ]
    np.testing.assert_allclose(sicker.calibration_summary["observed_expected"], truth, rtol=0.06)
    assert sicker.external["slope"][0] == pytest.approx(1, abs=0.15)
    frame, survival = drawn_cohort(5, n=2000, log_hr=(0.4, -0.25))
    weaker = external_tables(model, frame, survival)
    assert weaker.external["slope"][0] == pytest.approx(0.5, abs=0.15)
    assert weaker.external["slope_p"][0] < 1e-6


def test_degenerate_cohorts_are_told_and_do_not_crash(model):
    frame, survival = drawn_cohort(6, n=30)
    alike = external_tables(model, frame.assign(a=1.0, b=0.0), survival)
    assert alike.external["concordance"][0] == 0.5
    assert np.isnan(alike.external["slope"][0])
    assert any("slope of cox" in warning for warning in alike.warnings)
    late = external_tables(model, frame, survival, CalibrationOptions(times=(60.0, 300.0)))
    assert any("predicts nothing at 300 months" in warning for warning in late.warnings)
    assert late.brier["brier"].notna().tolist() == [True, False]


def test_holes_are_counted_and_missing_columns_told(model):
    frame, survival = drawn_cohort(7)
    holed = frame.assign(a=frame["a"].where(np.arange(300) >= 30))
    row = external_tables(model, holed, survival).external.iloc[0]
    assert (row["n"], row["n_missing"]) == (270, 30)
    with pytest.raises(CohortError, match="no column 'a'"):
        external_tables(model, frame[["b"]], survival)
    with pytest.raises(SurvivalDataError, match="No patient has all columns"):
        external_tables(model, frame.assign(a=np.nan), survival)
