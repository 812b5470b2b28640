import numpy as np
import pytest

from napari_crlm_spa._tests.core.cohort.prediction.drawn import drawn_cohort
from napari_crlm_spa.core.cohort.cox.fit import fit_cox
from napari_crlm_spa.core.cohort.prediction.decision import (
    DecisionOptions,
    decision_table,
    net_benefit,
)
from napari_crlm_spa.core.cohort.prediction.group_prediction import GroupPrediction
from napari_crlm_spa.core.cohort.prediction.group_survival import GroupedSurvival
from napari_crlm_spa.core.cohort.prediction.predicted import PredictionModel
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.errors import SurvivalDataError

THRESHOLDS = DecisionOptions().thresholds()


def curve(table, model):
    return table.loc[table["model"] == model, "net_benefit"].to_numpy()


def test_treating_all_and_none():
    frame, survival = drawn_cohort(1)
    fit = PredictionModel.of_fit(fit_cox(frame, survival, ["a", "b"]))
    table = decision_table({"cox": fit.predict(frame)}, survival, [60])
    died = 1 - GroupedSurvival(survival).overall(60).survival[0]
    odds = THRESHOLDS / (1 - THRESHOLDS)
    np.testing.assert_allclose(curve(table, "treat_all"), died - (1 - died) * odds)
    assert (curve(table, "treat_none") == 0).all()
    # At a threshold below every risk, the model treats all.
    assert curve(table, "cox")[0] == pytest.approx(curve(table, "treat_all")[0])


def test_without_censoring_it_counts_true_and_false_positives():
    frame, survival = drawn_cohort(2, censored=False)
    fit = PredictionModel.of_fit(fit_cox(frame, survival, ["a", "b"]))
    risk, died = 1 - fit.survival(frame, 50.5)[:, 0], survival.time <= 50.5
    expected = [
        (((risk >= t) & died).sum() - ((risk >= t) & ~died).sum() * t / (1 - t)) / 300
        for t in THRESHOLDS
    ]
    np.testing.assert_allclose(net_benefit(risk, survival, 50.5, THRESHOLDS), expected, atol=1e-12)


def test_a_perfect_model_gains_the_share_of_deaths_and_a_useless_one_no_more_than_treating_all():
    _, survival = drawn_cohort(3, censored=False)
    died = survival.time <= 50.5
    perfect = net_benefit(died.astype(float), survival, 50.5, THRESHOLDS)
    np.testing.assert_allclose(perfect, died.mean())
    same = np.full(300, died.mean())
    useless = net_benefit(same, survival, 50.5, THRESHOLDS)
    everybody = net_benefit(np.ones(300), survival, 50.5, THRESHOLDS)
    np.testing.assert_allclose(useless, np.where(died.mean() >= THRESHOLDS, everybody, 0))


def test_a_risk_that_equals_the_threshold_is_treated():
    survival = Survival.of([1, 9, 9, 9, 9], [1, 0, 0, 0, 0])
    risk = 1 - GroupPrediction.of(["x"] * 5, survival).at(5)[:, 0]  # 0.19999999999999996
    assert net_benefit(risk, survival, 5, [0.2])[0] == pytest.approx(0.2 - 0.8 * 0.25)
    assert net_benefit(risk, survival, 5, [0.2001])[0] == 0


def test_a_threshold_reached_by_nobody_who_was_followed_long_enough_is_unknown():
    survival = Survival.of([3, 4, 9, 9], [1, 0, 0, 0])
    risk = np.array([0.1, 0.9, 0.5, 0.5])
    found = net_benefit(risk, survival, 5, [0.05, 0.6, 0.95])
    assert np.isfinite(found[[0, 2]]).all()
    assert np.isnan(found[1])


def test_all_curves_are_of_the_same_patients():
    frame, survival = drawn_cohort(4)
    fit = PredictionModel.of_fit(fit_cox(frame, survival, ["a", "b"]))
    groups = ["" if i < 50 else f"{a:g}" for i, a in enumerate(frame["a"])]
    known = np.arange(50, 300)
    by_group = GroupPrediction.of(groups[50:], survival.take(known), new=groups)
    both = decision_table({"cox": fit.predict(frame), "group": by_group}, survival, [60])
    alone = decision_table({"cox": fit.predict(frame.iloc[50:])}, survival.take(known), [60])
    np.testing.assert_allclose(curve(both, "cox"), curve(alone, "cox"))
    np.testing.assert_allclose(curve(both, "treat_all"), curve(alone, "treat_all"))


def test_nothing_predicted_gives_no_rows_and_thresholds_must_ascend():
    frame, survival = drawn_cohort(5)
    fit = PredictionModel.of_fit(fit_cox(frame, survival, ["a", "b"]))
    assert decision_table({"cox": fit.predict(frame)}, survival, [500]).empty
    assert DecisionOptions(lowest=0.1, highest=0.3, step=0.1).thresholds().tolist() == [
        *(0.1, 0.2, 0.3)
    ]
    with pytest.raises(SurvivalDataError, match="lies below"):
        DecisionOptions(lowest=0.5, highest=0.3).thresholds()
