"""The simulated cohort has the paper's shape, says that it is simulated, and repeats."""

import json

import numpy as np
import pandas as pd
import pytest

from napari_crlm_spa.core.cohort.columns import CLINICAL, EVENT, PATIENT, SOFS, TIME
from napari_crlm_spa.core.cohort.simulate import SimulateOptions, simulate_cohort
from napari_crlm_spa.core.cohort.simulate.clinical import MARGINALS
from napari_crlm_spa.core.risk import (
    ClinicalFactors,
    assess_risk,
    clinical_risk_score,
    load_risk_model,
)
from napari_crlm_spa.core.spatial.definitions import NOUNS, column_name
from napari_crlm_spa.core.store.plain import to_json
from napari_crlm_spa.errors import CohortError, CrlmSpaError


@pytest.fixture(scope="module")
def many():
    """Many patients, so that shares are close to their truth."""
    return simulate_cohort(SimulateOptions(n_patients=8000, seed=5))


def _alive(survival, months):
    """Kaplan-Meier, with lifelines as referee."""
    from lifelines import KaplanMeierFitter

    return float(KaplanMeierFitter().fit(survival.time, survival.event).predict(months))


def test_survival_has_the_papers_shape(many):
    """433 patients, 179 deaths; 51.5 % alive at five years; median follow-up 51.6 months."""
    from lifelines import KaplanMeierFitter

    survival = many.survival
    assert survival.n_events / len(survival) == pytest.approx(179 / 433, abs=0.03)
    assert _alive(survival, 60) == pytest.approx(0.515, abs=0.02)
    follow_up = KaplanMeierFitter().fit(survival.time, ~survival.event)
    assert follow_up.median_survival_time_ == pytest.approx(51.6, abs=1.5)
    assert survival.time.min() > 0


def test_the_sample_reaches_beyond_eight_years_as_the_papers_curves_do():
    for seed in range(5):
        assert 96 < simulate_cohort(SimulateOptions(seed=seed)).survival.time.max() < 105


def test_numbers_at_risk_are_near_the_papers(many):
    """METHODS 8: of 420 patients at month 0, low and high SOF group together."""
    paper = np.array([385, 284, 178, 117, 77, 41, 18, 2]) / 420
    ours = [(many.survival.time >= month).mean() for month in range(12, 97, 12)]
    assert np.abs(ours - paper).max() < 0.08


@pytest.mark.parametrize(
    ("column", "share"),
    [("Preoperative_chemotherapy", 274 / 433), ("CRS_group", 164 / 433)],
)
def test_shares_are_the_papers(many, column, share):
    assert many.frame[column].mean() == pytest.approx(share, abs=0.02)


def test_adjuvant_chemotherapy_has_unknowns_as_in_the_paper(many):
    adjuvant = many.frame["Adjuvant_chemotherapy"]
    assert adjuvant.isna().mean() == pytest.approx(29 / 433, abs=0.01)
    assert adjuvant.mean() == pytest.approx(320 / 404, abs=0.02)
    assert many.frame.drop(columns="Adjuvant_chemotherapy").notna().all(axis=None)


def test_the_risk_score_is_counted_from_its_factors(many):
    for row in many.frame.head(300).itertuples():
        score = clinical_risk_score(
            ClinicalFactors(
                node_positive=bool(row.Pathological_Nstage),
                disease_free_interval_months=row.Synchronous_liver_metastases,
                n_metastases=int(row.Number_of_LM),
                largest_metastasis_cm=row.Largest_diameter_of_CRLM,
                cea_ng_ml=row.Preoperative_CEA,
            )
        )
        assert score.score == row.CRS_score
        assert (score.group == "high") == row.CRS_group


def test_binary_columns_hold_the_codes(many):
    for name, variable in CLINICAL.items():
        if variable.kind == "binary":
            codes = {0.0, 1.0}
            assert set(many.frame[name].dropna()) == codes


def test_features_are_shares_and_zones_add_up(many):
    features = many.frame[list(SOFS)]
    assert features.min(axis=None) >= 0
    assert features.max(axis=None) < 1
    overall = [column_name("overall", tissue) for tissue in NOUNS]
    assert (features[overall].sum(axis=1) < 1).all()  # the rest is tumor
    for tissue in NOUNS:
        zones = (
            features[column_name("infiltrating", tissue)] + features[column_name("distal", tissue)]
        )
        assert np.allclose(zones, features[column_name("overall", tissue)], rtol=0, atol=1e-12)
    around = features[[column_name("interaction", tissue) for tissue in NOUNS]]
    assert around.sum(axis=1).max() <= 8 / 9  # the tile in the middle is tumor


def test_collinearity_is_the_papers(many):
    """Overall and distal debris, overall and distal lymphocytes above 0.7; those kept, below."""
    r = many.frame[list(SOFS)].corr()
    assert r.loc["Overall_Debris_ratio", "Distal_Debris_ratio"] > 0.75
    assert r.loc["Overall_Lymphocyte_ratio", "Distal_Lymphocyte_ratio"] > 0.75
    kept = [
        "Overall_Debris_ratio",
        "Overall_Lymphocyte_ratio",
        "Distal_Hepatocyte_ratio",
        "Infiltrating_Debris_ratio",
        "TUM_LYM_interaction",
        "TUM_HEP_interaction",
    ]
    among = r.loc[kept, kept].to_numpy() - np.eye(6)
    assert np.abs(among).max() < 0.65


def test_the_metastasis_is_larger_with_debris_as_in_the_paper(many):
    """r = 0.22 and -0.12."""
    size = many.frame["Largest_diameter_of_CRLM"]
    assert size.corr(many.frame["Overall_Debris_ratio"]) == pytest.approx(0.22, abs=0.06)
    assert size.corr(many.frame["Overall_Lymphocyte_ratio"]) == pytest.approx(-0.12, abs=0.06)


def test_true_cutpoints_split_in_halves(many):
    for name in SOFS:
        high = (many.frame[name] > many.truth.cutpoints[name]).mean()
        assert high == pytest.approx(0.5, abs=0.03), name


def test_every_clinical_column_says_where_its_distribution_comes_from():
    assert [each.column for each in MARGINALS] == list(CLINICAL)
    assert {each.origin for each in MARGINALS} == {"paper", "inferred", "assumed"}


def test_a_seed_repeats_and_another_draws_other_patients_of_the_same_truth():
    one, same, other = (simulate_cohort(SimulateOptions(seed=seed)) for seed in (3, 3, 4))
    pd.testing.assert_frame_equal(one.frame, same.frame)
    assert not set(one.frame[PATIENT]) & set(other.frame[PATIENT])
    assert one.truth.as_dict() == other.truth.as_dict()
    assert not np.array_equal(one.frame[TIME], other.frame[TIME])


def test_more_slides_leave_the_same_patients():
    one = simulate_cohort(SimulateOptions(n_patients=40))
    three = simulate_cohort(SimulateOptions(n_patients=40, slides_per_patient=3))
    columns = [PATIENT, TIME, EVENT, *SOFS]
    pd.testing.assert_frame_equal(one.frame[columns], three.frame[columns])
    assert len(three.slides) == 120
    assert list(three.slides["slide"][:3]) == ["SIM-0001-01", "SIM-0001-02", "SIM-0001-03"]
    largest = three.slides.groupby("patient")["contiguous_tumor_tiles"].idxmax()
    chosen = three.slides.loc[largest].set_index("patient").loc[one.frame[PATIENT], list(SOFS)]
    assert np.array_equal(chosen, one.frame[list(SOFS)])


def test_everything_says_that_it_is_simulated():
    cohort = simulate_cohort()
    assert cohort.frame[PATIENT].iloc[0] == "SIM-0001"
    assert cohort.frame["simulated"].eq(1).all()
    assert "simulated" in cohort.name
    record = json.loads(to_json(cohort.record()))
    assert record["simulated"] is True
    assert record["statement"].startswith("SIMULATED")
    assert record["seed"] == 0
    assert cohort.cohort().flow[0].reason.startswith("SIMULATED")


def test_the_true_risk_model_gives_every_patient_the_true_score():
    cohort = simulate_cohort(SimulateOptions(n_patients=50), clinical_coefficients={})
    model = cohort.truth.true_risk_model()
    predictor = cohort.truth.linear_predictor(cohort.frame)
    for place, row in cohort.frame.iterrows():
        found = assess_risk({name: float(row[name]) for name in SOFS}, model)
        assert found.score == pytest.approx(predictor[place], abs=1e-12)
    assert model.threshold == load_risk_model("repo_2022").threshold


def test_without_effects_nothing_is_true():
    cohort = simulate_cohort(SimulateOptions(n_patients=20, effect_size=0.0))
    assert not any(cohort.truth.coefficients.values())
    assert np.array_equal(cohort.truth.linear_predictor(cohort.frame.fillna(0)), np.zeros(20))
    with pytest.raises(CohortError, match="no preset's risk model"):
        cohort.truth.true_risk_model()


def test_five_year_survival_is_what_was_asked_for():
    for share, shape in ((0.3, 1.0), (0.8, 2.0)):
        options = SimulateOptions(
            n_patients=6000, survival_5y=share, weibull_shape=shape, longest_follow_up_months=200
        )
        assert _alive(simulate_cohort(options).survival, 60) == pytest.approx(share, abs=0.025)


def test_wrong_wishes_are_refused_with_the_way_out():
    with pytest.raises(CohortError, match="Nonsense is no simulated column"):
        simulate_cohort(sof_coefficients={"Nonsense": 1.0})
    with pytest.raises(CohortError, match="longest must be longer"):
        simulate_cohort(SimulateOptions(longest_follow_up_months=5.0))
    with pytest.raises(CrlmSpaError, match="n_patients is 3"):
        SimulateOptions(n_patients=3)
