"""Survival: the likelihood ratio is that of the Cox models, on the same patients."""

import numpy as np
import pandas as pd
import pytest

from napari_crlm_spa._tests.core.hgp.made_study import made_cohort, made_measures, made_reviews
from napari_crlm_spa._tests.core.hgp.made_study import made_truth as truth_of
from napari_crlm_spa.core.cohort.cox.fit import fit_cox
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.core.hgp.agree_options import AgreeOptions
from napari_crlm_spa.core.hgp.association import added_to_review
from napari_crlm_spa.core.hgp.consensus import compare
from napari_crlm_spa.core.hgp.outcome_tables import outcome_tables
from napari_crlm_spa.core.hgp.patients import patient_table
from napari_crlm_spa.errors import CohortError

OPTIONS = AgreeOptions(resamples=0)


def drawn(n=150, seed=0):
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, n))
    died, left = rng.exponential(np.exp(-0.5 * x - 0.7 * z)), rng.uniform(0.2, 3, n)
    return pd.DataFrame({"x": x, "z": z}), Survival.of(np.minimum(died, left), died <= left)


def test_the_ratio_is_the_difference_of_two_cox_models():
    frame, survival = drawn()
    found = added_to_review(frame, survival, ["x"], ["z"])
    both, one = fit_cox(frame, survival, ["x", "z"]), fit_cox(frame, survival, ["x"])
    assert found.statistic == pytest.approx(both.lrt.statistic - one.lrt.statistic)
    assert found.df == 1
    assert found.p < 1e-6


def test_holes_leave_patients_out_of_both_models():
    frame, survival = drawn()
    frame.loc[:39, "z"] = np.nan
    found = added_to_review(frame, survival, ["x"], ["z"])
    assert found.base.n == found.full.n == 110
    whole = added_to_review(
        frame[40:].reset_index(drop=True), survival.take(range(40, 150)), ["x"], ["z"]
    )
    assert found.statistic == pytest.approx(whole.statistic)


def test_what_is_known_already_adds_nothing():
    frame, survival = drawn()
    found = added_to_review(frame.assign(z=2 * frame["x"] + 1), survival, ["x"], ["z"])
    assert np.isnan(found.p)
    assert "nothing" in found.reason


def test_too_few_patients_or_nobody_dead_is_told():
    frame, survival = drawn()
    assert added_to_review(frame[:3], survival.take(range(3)), ["x"], ["z"]).full is None
    alive = Survival.of(survival.time, np.zeros(150))
    assert "0 died" in added_to_review(frame, alive, ["x"], ["z"]).reason


@pytest.fixture(scope="module")
def patients(tmp_path_factory):
    truth = truth_of(300, seed=11)
    measured = made_measures(tmp_path_factory.mktemp("made"), truth)
    slides = compare(made_reviews(truth, ("Ada",)).frame, measured.frame, OPTIONS).slides
    return truth, patient_table(slides, OPTIONS)


def test_reviewed_non_d_shortens_made_lives_as_it_was_made(patients):
    """Log hazard 0.9 from 0 to 100 %, so 0.09 per 10 points."""
    truth, table = patients
    found = outcome_tables(table, made_cohort(truth), OPTIONS)
    row = found.models.iloc[0]
    assert row["n"] == 300
    se = np.log(row["hr_upper95"] / row["hr_lower95"]) / 2 / 1.96
    assert abs(np.log(row["hr"]) - 0.09) < 3 * se
    assert row["hr_lower95"] > 1
    assert found.warnings == ()


def test_what_readers_do_not_see_adds_to_their_review(patients):
    truth, table = patients
    added = outcome_tables(table, made_cohort(truth), OPTIONS).added
    by_share = added[added["base"].str.contains("per 10 points")]
    border = by_share[by_share["added"].str.contains("border")]
    assert (border["p"] < 0.01).all()
    contact = by_share[by_share["added"].str.contains("Contact")]
    assert (contact["p"] > 0.01).all()
    assert set(added["adjusted"]) == {"", "Preoperative_chemotherapy, CRS_score"}


def test_patients_without_follow_up_are_told(patients):
    truth, table = patients
    cohort = made_cohort(truth)
    few = cohort.take(np.arange(300) < 200, "some", "for a test")
    found = outcome_tables(table, few, OPTIONS)
    assert found.models["n"].max() == 200
    assert "100 of 300" in found.warnings[0]
    strangers = table.assign(patient=[f"X{at}" for at in range(300)])
    assert "None of the reviewed patients" in outcome_tables(strangers, cohort, OPTIONS).warnings[0]


def test_a_column_to_adjust_for_must_be_there(patients):
    truth, table = patients
    with pytest.raises(CohortError, match="no column BMI"):
        outcome_tables(table, made_cohort(truth), AgreeOptions(adjust="BMI"))
