from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from napari_crlm_spa._tests.core.cohort.study.made_cohorts import (
    drawn_cohort,
    drawn_study,
    finished,
)
from napari_crlm_spa.core.cohort.columns import SOFS
from napari_crlm_spa.core.cohort.cox.fit import fit_cox
from napari_crlm_spa.core.cohort.cox.selection import SelectionOptions
from napari_crlm_spa.core.cohort.score import ScoreOptions
from napari_crlm_spa.core.cohort.study.fit import FitOptions, fit_cohort
from napari_crlm_spa.core.cohort.study.folder import read_study, write_study
from napari_crlm_spa.core.cohort.study.options import StudyOptions
from napari_crlm_spa.core.cohort.table import Cohort, FilterOptions
from napari_crlm_spa.core.risk import assess_risk, load_risk_model, save_risk_model
from napari_crlm_spa.errors import CohortError

#: What the report and other programs rely on.
COLUMNS = {
    "flow": "step unit before after excluded reason",
    "follow_up": "group n events median_months lower95 upper95 q1_months q3_months method",
    "cutpoints": "feature label method cutoff direction statistic p_lau92 p_lau94 p_exact_gauss "
    "p_monte_carlo n_low n_high note",
    "univariate": "column label kind n events coef se hr hr_lower95 hr_upper95 p_lrt p_fdr p_wald "
    "p_score concordance note",
    "correlation": "a b n r lower95 upper95 p",
    "stepwise_path": "direction step change df aic",
    "models": "model label n events n_missing loglik_null loglik lrt lrt_df lrt_p wald wald_p "
    "score score_p concordance concordance_se aic bic",
    "coefficients": "model column label coef se hr hr_lower95 hr_upper95 z p_wald",
    "ph_test": "model term label chisq df p",
    "score_cutoff": "rule cutoff p test n_low n_high hr hr_lower95 hr_upper95 used note",
    "km": "grouping group time_months n_risk n_event n_censor survival std_err lower95 upper95",
    "risk_table": "grouping group time_months n_risk",
    "groups": "grouping group n events median_months median_lower95 median_upper95 survival_5y "
    "survival_5y_lower95 survival_5y_upper95",
    "logrank": "grouping strata groups chisq df p hr hr_lower95 hr_upper95",
    "adjuvant": "pretreated sof_group n_without n_with events_without events_with chisq p hr "
    "hr_lower95 hr_upper95 note",
    "roc": "marker time_months cases controls censored auc se lower95 upper95",
    "roc_compare": "marker_a marker_b time_months difference se z p",
    "calibration": "model time_months group n predicted observed std_err optimism corrected "
    "resamples",
    "brier": "model time_months brier brier_null scaled integrated",
    "decision": "model time_months threshold net_benefit",
    "association_groups": "feature factor level_a n_a median_a level_b n_b median_b w p p_fdr",
    "association_correlations": "feature factor n r lower95 upper95 p p_fdr",
    "association_tables": "a b test n statistic df p p_fdr note",
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_fit_has_the_tables_that_its_readers_expect(name):
    _, study = drawn_study()
    assert set(COLUMNS[name].split()) <= set(study.tables[name].frame.columns)
    assert study.tables[name].title


def test_the_next_patient_gets_the_cohorts_own_score_and_group(tmp_path):
    cohort, study = drawn_study()
    save_risk_model(study.risk_model, tmp_path / "risk-model.json")
    model = load_risk_model(tmp_path / "risk-model.json")
    table = study.tables["patients"].frame
    for place in range(len(cohort)):
        values = cohort.patients.loc[place, list(SOFS)].to_dict()
        found = assess_risk(values, model)
        assert found.group == table["sof_group"][place]
        assert found.score == pytest.approx(table["score"][place], abs=1e-9)


def test_the_score_is_the_final_models_linear_predictor():
    cohort, study = drawn_study()
    coefficients = study.tables["coefficients"].frame.query("model == 'final'")
    patients = study.tables["patients"].frame
    split = patients[[f"{column}_high" for column in coefficients["column"]]]
    np.testing.assert_allclose(split @ coefficients["coef"].to_numpy(), patients["score"])
    again = fit_cox(patients, cohort.survival, ["score"])
    assert again.coef[0] == pytest.approx(1.0, abs=1e-6)


def test_a_study_comes_back_from_its_folder(tmp_path):
    _, study = drawn_study()
    write_study(tmp_path, study)
    back = read_study(tmp_path)
    assert back.warnings == study.warnings
    for name, table in study.tables.items():
        pd.testing.assert_frame_equal(
            back.tables[name].frame, table.frame, check_dtype=False, check_exact=True
        )


def test_equal_seeds_give_equal_studies_and_resampling_changes_nothing_else():
    cohort = drawn_cohort(n_patients=120, seed=5)
    resampled = StudyOptions(
        stability_resamples=20, calibration_resamples=20, cv_repeats=1, cv_folds=2, seed=4
    )
    one = finished(fit_cohort(cohort, FitOptions(study=resampled)))
    other = finished(fit_cohort(cohort, FitOptions(study=resampled)))
    plain = finished(fit_cohort(cohort))
    for name, table in one.tables.items():
        pd.testing.assert_frame_equal(table.frame, other.tables[name].frame)
    added = {
        *("cutpoint_stability", "cutpoint_bootstrap", "cutpoint_optimism"),
        *("nested_cv", "nested_cv_summary"),
    }
    assert set(one.tables) - set(plain.tables) == added
    for name in ("coefficients", "groups", "roc"):
        pd.testing.assert_frame_equal(one.tables[name].frame, plain.tables[name].frame)
    assert one.facts["resamples"]["seed"] == 4


def test_a_cohort_without_any_effect_gives_tables_and_a_sentence_but_no_model():
    cohort = drawn_cohort(n_patients=150, seed=8)
    strict = FitOptions(selection=SelectionOptions(p_univariate=1e-12))
    study = finished(fit_cohort(cohort, strict))
    assert study.risk_model is None
    assert "coefficients" not in study.tables
    assert {"km", "univariate", "cutpoints", "association_groups"} <= set(study.tables)
    assert set(study.tables["km"].frame["grouping"]) == {"overall", "crs"}
    assert any("there is no model" in text for text in study.warnings)


def test_follow_up_in_days_or_months_gives_the_same_model():
    cohort = drawn_cohort(n_patients=200, seed=9)
    days = dataclasses.replace(
        cohort, patients=cohort.patients.assign(**{"os.time": cohort.patients["os.time"] * 32.0})
    )
    plain = FitOptions(filters=FilterOptions(limit_months=0.0))
    late = dataclasses.replace(plain, study=StudyOptions(times_months="1920"))
    ours = finished(fit_cohort(cohort, plain)).tables["coefficients"].frame
    theirs = finished(fit_cohort(days, late)).tables["coefficients"].frame
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-7)


def test_holes_leave_patients_without_a_score_and_are_told():
    cohort = drawn_cohort(n_patients=200, seed=10)
    frame = cohort.patients.copy()
    frame.loc[:9, list(SOFS)] = np.nan
    study = finished(fit_cohort(dataclasses.replace(cohort, patients=frame)))
    table = study.tables["patients"].frame
    assert table["score"].isna().to_list() == [True] * 10 + [False] * 190
    assert (table["sof_group"][:10] == "").all()
    assert any("10 of 200 patients have no score" in text for text in study.warnings)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda f: f.drop(columns=list(SOFS)), "none of the 20 spatial features"),
        (lambda f: f.assign(**{"os.event": 0.0}), "0 of the 60 patients"),
    ],
)
def test_a_cohort_that_carries_no_study_is_refused_with_the_way_out(change, sentence):
    cohort = drawn_cohort(n_patients=60, seed=11)
    with pytest.raises(CohortError, match=sentence):
        finished(fit_cohort(dataclasses.replace(cohort, patients=change(cohort.patients))))


def test_constant_features_and_columns_are_left_out_with_a_sentence():
    cohort = drawn_cohort(n_patients=200, seed=12)
    frame = cohort.patients.assign(Distal_Mucus_ratio=0.0, Concomitant_ablation=1.0)
    study = finished(fit_cohort(dataclasses.replace(cohort, patients=frame)))
    assert any("Distal_Mucus_ratio has no cut-off" in text for text in study.warnings)
    assert "Concomitant_ablation" not in set(study.tables["univariate"].frame["column"])


def test_features_that_no_slide_has_give_a_score_but_no_risk_model():
    cohort = drawn_cohort(n_patients=300, seed=13)
    frame = cohort.patients.rename(columns={name: f"x_{name}" for name in SOFS})
    named = tuple(f"x_{name}" for name in SOFS)
    study = finished(fit_cohort(dataclasses.replace(cohort, patients=frame), features=named))
    assert "score_cutoff" in study.tables
    assert study.risk_model is None
    assert any("No risk model was written" in text for text in study.warnings)
    # The score is not adjusted for what it is made of.
    assert not set(study.facts["adjusted_for"]) & set(named)


def test_patients_beyond_the_limit_are_censored_or_deleted_as_asked():
    cohort = drawn_cohort(n_patients=200, seed=14)
    late = int((cohort.patients["os.time"] > 48).sum())
    assert late > 0
    censored = finished(fit_cohort(cohort, FitOptions(filters=FilterOptions(limit_months=48.0))))
    deleted = finished(
        fit_cohort(cohort, FitOptions(filters=FilterOptions(limit_months=48.0, beyond="delete")))
    )
    assert (censored.facts["n"], deleted.facts["n"]) == (200, 200 - late)
    assert deleted.tables["flow"].frame["excluded"].sum() == late
    assert censored.tables["patients"].frame["os.time"].max() == 48.0


def test_a_fixed_score_cutoff_is_used_as_it_is():
    cohort = drawn_cohort(n_patients=200, seed=15)
    options = FitOptions(score=ScoreOptions(rule="fixed", cutoff=0.25))
    study = finished(fit_cohort(cohort, options))
    table = study.tables["patients"].frame
    assert study.risk_model.threshold == 0.25
    assert ((table["score"] >= 0.25) == (table["sof_group"] == "high")).all()


def test_prediction_times_that_are_no_numbers_are_refused_before_anything_is_computed():
    cohort = drawn_cohort(n_patients=60, seed=16)
    with pytest.raises(CohortError, match="five"):
        next(fit_cohort(cohort, FitOptions(study=StudyOptions(times_months="five"))))


def test_the_name_of_a_column_to_adjust_for_must_be_one():
    cohort = drawn_cohort(n_patients=200, seed=17)
    with pytest.raises(CohortError, match="no column 'Smoking'"):
        finished(fit_cohort(cohort, FitOptions(study=StudyOptions(adjust_for="Age,Smoking"))))


def test_a_plain_table_without_clinical_columns_is_enough():
    cohort = drawn_cohort(n_patients=200, seed=18)
    frame = cohort.patients[["patient", "os.time", "os.event", *SOFS]]
    study = finished(fit_cohort(Cohort("bare", frame)))
    assert set(study.tables["models"].frame["model"]) == {"final"}
    assert "adjuvant" not in study.tables


def test_a_cohort_none_of_whose_features_can_be_divided_still_gets_its_curves():
    cohort = drawn_cohort(n_patients=120, seed=19)
    frame = cohort.patients.assign(**dict.fromkeys(SOFS, 0.1))
    study = finished(fit_cohort(dataclasses.replace(cohort, patients=frame)))
    assert study.risk_model is None
    assert "km" in study.tables
    assert len([text for text in study.warnings if "has no cut-off" in text]) == len(SOFS)
