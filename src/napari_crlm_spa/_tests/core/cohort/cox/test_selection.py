import numpy as np
import pandas as pd
import pytest

from napari_crlm_spa.core.cohort.columns import SOFS
from napari_crlm_spa.core.cohort.cox.fit import fit_cox
from napari_crlm_spa.core.cohort.cox.multivariable import (
    adjusted_model,
    clinical_factors,
    coefficients_table,
    models_table,
    score_with_crs,
    stacked,
)
from napari_crlm_spa.core.cohort.cox.proportional_hazards import ph_test
from napari_crlm_spa.core.cohort.cox.selection import SelectionOptions, select_model
from napari_crlm_spa.core.cohort.cox.univariate import univariate_table
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.errors import CrlmSpaError

TRUTH = {"Overall_Debris_ratio": 0.8, "Overall_Lymphocyte_ratio": -0.8}


def cohort(seed=0, n=400, effect=1.0):
    """20 features of which two act; the distal debris is nearly the overall one."""
    rng = np.random.default_rng(seed)
    raw = pd.DataFrame(rng.normal(size=(n, len(SOFS))), columns=list(SOFS))
    raw["Distal_Debris_ratio"] = raw["Overall_Debris_ratio"] + 0.2 * rng.normal(size=n)
    binary = (raw > raw.median()).astype(float)
    hazard = np.exp(effect * sum(coef * binary[name] for name, coef in TRUTH.items()))
    life, end = rng.exponential(40 / hazard), rng.uniform(20, 100, n)
    return binary, raw, Survival.of(np.minimum(life, end).round(1), life <= end)


def test_the_features_that_act_are_found_and_copies_dropped():
    binary, raw, survival = cohort()
    chosen = select_model(binary, raw, survival)
    assert set(TRUTH) <= set(chosen.fit.columns)
    assert "Distal_Debris_ratio" in chosen.significant
    assert list(chosen.collinear["dropped"]) == ["Distal_Debris_ratio"]
    assert "Distal_Debris_ratio" not in chosen.candidates
    for column, truth in TRUTH.items():
        place = chosen.fit.columns.index(column)
        assert abs(chosen.fit.coef[place] - truth) < 3 * chosen.fit.se[place]


def test_every_step_is_kept():
    binary, raw, survival = cohort()
    chosen = select_model(binary, raw, survival)
    assert len(chosen.univariate) == 20 and len(chosen.correlation) == 190
    below = chosen.univariate.loc[chosen.univariate["p_lrt"] < 0.05, "column"]
    assert chosen.significant == tuple(below)
    assert set(chosen.stepwise_path["direction"]) == {"backward", "forward", "both"}
    assert list(chosen.stepwise_candidates) == ["direction", "step", "change", "df", "aic"]
    again = fit_cox(binary, survival, chosen.paths["both"].terms)
    assert chosen.fit.summary() == again.summary()


def test_options_reach_every_step():
    binary, raw, survival = cohort()
    every = select_model(
        binary, raw, survival, SelectionOptions(p_univariate=1, correlation_limit=1)
    )
    assert len(every.candidates) == 20
    distal = select_model(binary, raw, survival, SelectionOptions(prefer="distal, overall"))
    assert list(distal.collinear["kept"]) == ["Distal_Debris_ratio"]
    backward = select_model(binary, raw, survival, SelectionOptions(direction="backward"))
    assert set(backward.fit.columns) == set(backward.paths["backward"].terms)
    breslow = select_model(binary, raw, survival, SelectionOptions(ties="breslow"))
    assert breslow.fit.ties == "breslow"


def test_where_nothing_acts_there_may_be_no_model_and_a_sentence():
    binary, raw, survival = cohort(effect=0)
    none = select_model(binary, raw, survival, SelectionOptions(p_univariate=1e-6))
    assert none.fit is None and none.significant == () and none.paths == {}
    assert none.stepwise_path.empty
    assert "No feature has a univariate p below 1e-06" in none.warnings[-1]
    strict = select_model(binary, raw, survival, SelectionOptions(p_univariate=1, penalty=100))
    assert strict.fit is None and "keeps no feature" in strict.warnings[-1]


def test_holes_are_told():
    binary, raw, survival = cohort()
    binary.loc[:19, "TUM_HEP_interaction"] = np.nan
    chosen = select_model(
        binary, raw, survival, SelectionOptions(p_univariate=1, correlation_limit=1)
    )
    if "TUM_HEP_interaction" not in chosen.fit.columns:
        assert chosen.fit.n == 400
        assert any("380 patients that have all of 20 candidates" in w for w in chosen.warnings)


def test_features_that_nobody_has_together_make_no_model():
    binary, raw, survival = cohort()
    binary = binary[list(TRUTH)].copy()
    binary.iloc[:200, 0] = np.nan
    binary.iloc[200:, 1] = np.nan
    chosen = select_model(binary, raw, survival, SelectionOptions(p_univariate=1))
    assert chosen.fit is None and chosen.paths == {}
    assert "Nobody who has all of" in chosen.warnings[-1]


def test_a_separated_feature_is_no_candidate_and_told():
    binary, raw, survival = cohort()
    binary["TUM_MUC_interaction"] = 0.0
    binary.loc[np.flatnonzero(~survival.event)[:60], "TUM_MUC_interaction"] = 1.0
    chosen = select_model(binary, raw, survival)
    assert "TUM_MUC_interaction" not in chosen.significant
    assert any("TUM_MUC_interaction" in each for each in chosen.warnings)
    assert np.isfinite(chosen.fit.coef).all()


def test_directions_that_disagree_are_told():
    for seed in range(30):
        binary, raw, survival = cohort(seed, n=120, effect=0.3)
        chosen = select_model(binary, raw, survival, SelectionOptions(p_univariate=1))
        ends = {frozenset(each.terms) for each in chosen.paths.values()}
        told = any("directions end in different models" in each for each in chosen.warnings)
        assert told == (len(ends) > 1)
        if told:
            return
    pytest.fail("no draw had directions that disagree")


def test_an_unknown_family_is_named():
    with pytest.raises(CrlmSpaError, match="'nearby'"):
        SelectionOptions(prefer="overall,nearby")
    with pytest.raises(CrlmSpaError, match="direction"):
        SelectionOptions(direction="up")


def test_the_clinic_is_adjusted_for_without_counting_it_twice():
    binary, _, survival = cohort()
    rng = np.random.default_rng(5)
    table = binary.assign(
        Pathological_Nstage=survival.event * 0.6 + rng.random(400) > 0.7,
        CRS_score=survival.event + rng.integers(0, 4, 400),
        Age=rng.normal(60, 9, 400),
        grade=survival.event + rng.normal(size=400),
        score=0.5 * binary["Overall_Debris_ratio"] - 0.5 * binary["Overall_Lymphocyte_ratio"],
    )
    table.loc[:28, "Age"] = np.nan
    clinical = ["grade", "Age", "CRS_score", "Pathological_Nstage"]
    univariate = univariate_table(table, survival, clinical)
    factors = clinical_factors(univariate)
    assert factors == ("Pathological_Nstage", "grade")
    assert clinical_factors(univariate, left_out=()) == (
        "Pathological_Nstage",
        "CRS_score",
        "grade",
    )
    models = {
        "multivariable": adjusted_model(table, survival, [*factors, "Age"]),
        "score_crs": score_with_crs(table, survival),
    }
    assert models["multivariable"].columns[-1] == "score"
    assert models["multivariable"].n == 371
    rows = models_table(models, {"score_crs": "Score and CRS"})
    assert list(rows["model"]) == ["multivariable", "score_crs"]
    assert list(rows["label"]) == ["multivariable", "Score and CRS"]
    assert list(rows["n_missing"]) == [29, 0]
    coefficients = coefficients_table(models)
    assert list(coefficients)[:2] == ["model", "column"] and len(coefficients) == 6
    tests = stacked({name: ph_test(fit) for name, fit in models.items()})
    assert list(tests) == ["model", "term", "label", "chisq", "df", "p"]
    assert list(stacked({})) == ["model"]
