import json

import numpy as np
import pytest

from napari_crlm_spa._tests.core.cohort.prediction.drawn import drawn_cohort
from napari_crlm_spa.core.cohort.cox.fit import fit_cox
from napari_crlm_spa.core.cohort.prediction.predicted import PredictionModel
from napari_crlm_spa.errors import CohortError, SurvivalDataError


@pytest.fixture
def model():
    frame, survival = drawn_cohort(1)
    return PredictionModel.of_fit(fit_cox(frame, survival, ["a", "b"]), cohort="first")


def test_predictions_are_near_the_truth():
    frame, survival = drawn_cohort(2, n=4000)
    model = PredictionModel.of_fit(fit_cox(frame, survival, ["a", "b"]))
    truth = np.exp(-60 / 90 * np.exp(frame["a"] * 0.8 - frame["b"] * 0.5))
    assert np.abs(model.survival(frame, 60)[:, 0] - truth).mean() < 0.02


def test_a_model_survives_its_file(model):
    frame, _ = drawn_cohort(3)
    read = PredictionModel.from_dict(json.loads(json.dumps(model.as_dict())))
    times = [0, 10, 60, 96]
    np.testing.assert_array_equal(read.survival(frame, times), model.survival(frame, times))
    assert (read.cohort, read.n, read.n_events) == ("first", 300, model.n_events)


def test_far_columns_lose_no_digits(model):
    frame, survival = drawn_cohort(1)
    years = frame.assign(b=frame["b"] + 2020)
    far = PredictionModel.of_fit(fit_cox(years, survival, ["a", "b"]))
    np.testing.assert_allclose(far.survival(years, 60), model.survival(frame, 60), rtol=1e-9)


def test_nothing_is_predicted_beyond_the_follow_up_or_for_patients_with_holes(model):
    frame, survival = drawn_cohort(1)
    holed = frame.assign(b=frame["b"].where(frame.index > 0))
    found = model.survival(holed, [60, survival.time.max() + 1])
    assert np.isnan(found[0, 0])
    assert np.isfinite(found[1:, 0]).all()
    assert np.isnan(found[:, 1]).all()


def test_equal_patients_have_equal_predictions_to_the_last_bit(model):
    frame, _ = drawn_cohort(4)
    twice = np.tile(frame.to_numpy(), (3, 1))
    found = model.survival(type(frame)(twice, columns=["a", "b"]), [60])[:, 0]
    assert (found[:300] == found[300:600]).all()
    assert (found[:300] == found[600:]).all()


def test_fitted_coefficients_given_back_predict_the_same(model):
    frame, survival = drawn_cohort(1)
    again = PredictionModel.of_coefficients(
        dict(zip(model.columns, model.coef, strict=True)), frame, survival, name="again"
    )
    np.testing.assert_allclose(again.cumulative_hazard, model.cumulative_hazard, rtol=1e-12)


def test_columns_without_a_coefficient_are_left_out():
    frame, survival = drawn_cohort(5)
    fit = fit_cox(frame.assign(same=1.0), survival, ["a", "b", "same"])
    assert PredictionModel.of_fit(fit).columns == ("a", "b")
    with pytest.raises(SurvivalDataError, match="predicts nothing"):
        PredictionModel.of_fit(fit_cox(frame.assign(same=1.0), survival, ["same"]))


def test_missing_columns_and_damaged_files_are_told(model):
    frame, _ = drawn_cohort(6)
    with pytest.raises(CohortError, match="no column 'b'"):
        model.survival(frame[["a"]], 60)
    good = model.as_dict()
    for bad in (
        {},
        {**good, "baseline": {}},
        {**good, "coefficients": [1, 2]},
        {**good, "baseline": {**good["baseline"], "cumulative_hazard": [1.0]}},
        {**good, "schema_version": 9},
    ):
        with pytest.raises(SurvivalDataError, match="fit the cohort again"):
            PredictionModel.from_dict(bad)
