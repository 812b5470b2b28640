import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_crlm_spa.core.cohort.columns import SOFS
from napari_crlm_spa.core.cohort.cox.fit import fit_cox
from napari_crlm_spa.core.cohort.cutpoints import CutpointOptions, fit_dichotomizer
from napari_crlm_spa.core.cohort.score import (
    ScoreOptions,
    linear_score,
    risk_model_of,
    search_cutoff,
)
from napari_crlm_spa.core.cohort.score.model import stable_threshold
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.core.risk import assess_risk, load_risk_model
from napari_crlm_spa.core.risk.model import RESEARCH_USE_ONLY, save_risk_model
from napari_crlm_spa.errors import RiskError

FOUR = ["Overall_Debris_ratio", "Overall_Lymphocyte_ratio", "Distal_Hepatocyte_ratio"]
FOUR += ["TUM_HEP_interaction"]


def fitted(seed=1, n=120, features=tuple(FOUR), method="maxstat", rule="code", **score_options):
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame(generator.random((n, len(features))).round(2), columns=list(features))
    hazard = np.exp(1.2 * (frame.iloc[:, 0] > 0.5) - 0.8 * (frame.iloc[:, 1] > 0.4))
    survival = Survival.of(generator.exponential(30 / hazard), generator.random(n) < 0.8)
    options = CutpointOptions(method=method)
    dichotomizer = fit_dichotomizer(frame, survival, features, options, cohort="SYSUCC")
    binary = dichotomizer.apply(frame)
    fit = fit_cox(binary, survival, list(features))
    score = linear_score(binary, dict(zip(fit.columns, fit.coef, strict=True)))
    cutoff = search_cutoff(score, survival, ScoreOptions(rule=rule, **score_options))
    return frame, survival, dichotomizer, fit, score, cutoff


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.integers(0, 10_000),
    st.sampled_from(["maxstat", "median"]),
    st.sampled_from(["code", "text", "text_values", "median"]),
)
def test_the_next_patient_gets_the_score_and_group_of_the_cohort(tmp_path, seed, method, rule):
    frame, _, dichotomizer, fit, score, cutoff = fitted(seed, method=method, rule=rule)
    model = risk_model_of(fit, dichotomizer, cutoff, name="mine", title="Mine")
    save_risk_model(model, tmp_path / "model.json")
    loaded = load_risk_model(tmp_path / "model.json")
    assert loaded == model
    for place, patient in enumerate(frame.to_dict("records")):
        assessed = assess_risk(patient, loaded)
        assert assessed.score == round(float(score[place]), 9) + 0.0
        assert assessed.group == ("high" if score[place] >= cutoff.cutoff else "low")


def test_a_patients_score_as_cutoff_keeps_that_patient_high():
    frame, _, dichotomizer, fit, score, _ = fitted()
    survival = fitted()[1]
    for value in np.unique(score)[1:]:
        cutoff = search_cutoff(score, survival, ScoreOptions(rule="fixed", cutoff=float(value)))
        model = risk_model_of(fit, dichotomizer, cutoff, name="mine")
        groups = [assess_risk(p, model).group == "high" for p in frame.to_dict("records")]
        assert groups == (score >= value).tolist()


def test_coefficients_and_cutoffs_keep_all_their_digits_and_say_where_they_come_from():
    _, _, dichotomizer, fit, _, cutoff = fitted()
    model = risk_model_of(fit, dichotomizer, cutoff, name="mine")
    assert [f.coefficient for f in model.features] == fit.coef.tolist()
    assert [f.cutoff for f in model.features] == [dichotomizer[c].cutoff for c in fit.columns]
    assert {f.direction for f in model.features} == {">"}
    assert model.comparison == ">="
    assert model.features[0].cutoff_source == (
        "maximally selected log-rank statistic of 120 patients in SYSUCC"
    )
    assert model.source == f"Cox model of 120 patients, {fit.n_events} deaths in SYSUCC"
    assert RESEARCH_USE_ONLY in model.notes
    assert repr(cutoff.cutoff) in model.notes[1]


def test_a_threshold_just_above_a_score_moves_into_the_gap():
    score, survival = np.repeat([0.0, 1.0], 10), Survival.of(np.arange(20) + 1, np.ones(20))
    for cutoff in (1e-12, 5e-11, 0.5, 1.0, 1 - 1e-12):
        found = search_cutoff(score, survival, ScoreOptions(rule="fixed", cutoff=cutoff))
        threshold = stable_threshold([1.0], found)
        assert 0 < threshold <= 1
        assert [round(s, 9) >= threshold for s in (0.0, 1.0)] == [False, True]


def test_scores_that_are_one_after_rounding_cannot_be_told_apart():
    score, survival = np.repeat([0.0, 1e-12], 10), Survival.of(np.arange(20) + 1, np.ones(20))
    found = search_cutoff(score, survival, ScoreOptions(rule="fixed", cutoff=1e-12))
    with pytest.raises(RiskError, match="equal to 9 decimals"):
        stable_threshold([1e-12], found)


def test_all_twenty_features_make_a_model():
    frame, _, dichotomizer, fit, score, cutoff = fitted(n=400, features=SOFS, method="median")
    model = risk_model_of(fit, dichotomizer, cutoff, name="all")
    groups = [assess_risk(p, model).group == "high" for p in frame.to_dict("records")]
    assert groups == (score >= cutoff.cutoff).tolist()


def test_a_clinical_term_is_refused_by_name():
    _, _, dichotomizer, fit, _, cutoff = fitted(features=("Age", *FOUR))
    with pytest.raises(RiskError, match="Age is not one of the 20 spatial features"):
        risk_model_of(fit, dichotomizer, cutoff, name="mine")


def test_a_term_that_was_not_dichotomized_is_refused():
    frame, survival, _, fit, _, cutoff = fitted()
    fewer = fit_dichotomizer(frame, survival, FOUR[1:])
    with pytest.raises(RiskError, match="Overall_Debris_ratio has no cut-off"):
        risk_model_of(fit, fewer, cutoff, name="mine")


def test_a_model_without_terms_is_refused():
    frame, survival, dichotomizer, _, _, cutoff = fitted()
    with pytest.raises(RiskError, match="no features"):
        risk_model_of(fit_cox(frame, survival, []), dichotomizer, cutoff, name="mine")


def test_a_term_without_a_coefficient_is_refused():
    frame, survival, dichotomizer, _, _, cutoff = fitted()
    binary = dichotomizer.apply(frame).assign(**{FOUR[0]: 1.0})
    with pytest.raises(RiskError, match="Overall_Debris_ratio has no finite coefficient"):
        risk_model_of(fit_cox(binary, survival, FOUR), dichotomizer, cutoff, name="mine")
