import numpy as np
import pytest

from napari_crlm_spa._tests.core.cohort.prediction.drawn import drawn_cohort
from napari_crlm_spa._tests.core.cohort.prediction.test_roc import g_before
from napari_crlm_spa.core.cohort.cox.fit import fit_cox
from napari_crlm_spa.core.cohort.prediction.brier import brier_score, brier_table, integrated_brier
from napari_crlm_spa.core.cohort.prediction.group_prediction import GroupPrediction
from napari_crlm_spa.core.cohort.prediction.predicted import PredictionModel
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.errors import SurvivalDataError


def model_of(frame, survival):
    return PredictionModel.of_fit(fit_cox(frame, survival, ["a", "b"]))


@pytest.mark.parametrize("tied", [False, True])
def test_score_is_the_weighted_mean_over_patients(tied):
    frame, survival = drawn_cohort(1, n=80, tied=tied)
    predicted = model_of(frame, survival).survival(frame, [20, 60])
    for column, t in enumerate((20, 60)):
        g, total = g_before(survival, np.nextafter(t, np.inf)), 0.0
        for i in range(80):
            if survival.time[i] > t:
                total += (1 - predicted[i, column]) ** 2 / g
            elif survival.event[i]:
                total += predicted[i, column] ** 2 / g_before(survival, survival.time[i])
        assert brier_score(predicted, survival, [20, 60])[column] == pytest.approx(total / 80)


def test_without_censoring_it_is_the_mean_squared_error():
    frame, survival = drawn_cohort(2, censored=False)
    predicted = model_of(frame, survival).survival(frame, [50])
    error = ((survival.time > 50) - predicted[:, 0]) ** 2
    assert brier_score(predicted, survival, [50])[0] == pytest.approx(error.mean(), rel=1e-12)


def test_who_is_predicted_the_kaplan_meier_curve_is_the_null_model():
    _, survival = drawn_cohort(3, tied=True)
    table = brier_table({"km": GroupPrediction.of(["x"] * 300, survival)}, survival, [30, 60, 96])
    np.testing.assert_allclose(table["brier"], table["brier_null"], rtol=1e-14)
    np.testing.assert_allclose(table["scaled"], 0, atol=1e-14)
    np.testing.assert_allclose(table["integrated"], table["integrated_null"], rtol=1e-14)
    # Its score without censoring is S (1 - S).
    _, complete = drawn_cohort(3, censored=False)
    null = brier_table({"km": GroupPrediction.of(["x"] * 300, complete)}, complete, [30])
    alive = (complete.time > 30).mean()
    assert null["brier"][0] == pytest.approx(alive * (1 - alive), rel=1e-12)


def test_a_model_that_knows_beats_the_null_and_one_that_is_sure_and_wrong_is_worse():
    frame, survival = drawn_cohort(4)
    good = model_of(frame, survival)
    bad = PredictionModel.of_coefficients({"a": -3.0, "b": 3.0}, frame, survival, name="bad")
    table = brier_table({"good": good.predict(frame), "bad": bad.predict(frame)}, survival, [60])
    assert table["scaled"][0] > 0.05
    assert table["scaled"][1] < 0


def test_integral_is_exact():
    frame, survival = drawn_cohort(5, n=60)
    other, elsewhere = drawn_cohort(6, n=60)  # a baseline that steps at other times
    prediction = model_of(other, elsewhere).predict(frame)
    fine = (np.arange(100_000) + 0.5) * 60 / 100_000
    sums = [
        brier_score(prediction.at(part), survival, part).sum() for part in np.array_split(fine, 50)
    ]
    assert integrated_brier(prediction, survival, 60) == pytest.approx(sum(sums) / 1e5, rel=1e-4)


def test_beyond_all_follow_up_it_is_unknown_unless_the_last_died():
    half = np.full((4, 1), 0.5)
    assert np.isnan(brier_score(half, Survival.of([1, 2, 3, 4], [1, 1, 1, 0]), [5])[0])
    assert np.isnan(brier_score(half, Survival.of([1, 2, 3, 4], [1, 1, 1, 0]), [4])[0])
    assert brier_score(half, Survival.of([1, 2, 3, 4], [1, 0, 1, 1]), [5])[0] == pytest.approx(0.25)


def test_patients_without_a_prediction_are_left_out():
    frame, survival = drawn_cohort(7)
    model = model_of(frame, survival)
    holed = frame.assign(b=frame["b"].where(np.arange(300) >= 50))
    alone = model.predict(frame.iloc[50:])
    some = brier_table({"m": model.predict(holed)}, survival, [60])
    rest = brier_table({"m": alone}, survival.take(np.arange(50, 300)), [60])
    assert some.equals(rest)
    assert some["n"].tolist() == [250]
    with pytest.raises(SurvivalDataError, match="predicts 250 patients"):
        brier_table({"m": alone}, survival, [60])
