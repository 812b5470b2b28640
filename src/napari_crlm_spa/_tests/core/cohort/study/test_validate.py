from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from napari_crlm_spa._tests.core.cohort.study.made_cohorts import (
    drawn_cohort,
    drawn_study,
    finished,
)
from napari_crlm_spa.core.cohort.study.folder import read_study, write_study
from napari_crlm_spa.core.cohort.study.frozen import FrozenStudy
from napari_crlm_spa.core.cohort.study.validate import validate_cohort
from napari_crlm_spa.core.risk import load_risk_model
from napari_crlm_spa.errors import CohortError


def frozen():
    return FrozenStudy.of_study(drawn_study()[1])


def test_validating_on_the_discovery_cohort_gives_its_own_numbers_and_says_that_it_is_none():
    cohort, study = drawn_study()
    found = finished(validate_cohort(frozen(), cohort))
    assert f"{len(cohort)} of {len(cohort)} patients" in found.warnings[0]
    assert "no validation" in found.warnings[0]
    for name in ("km", "groups", "logrank"):
        assert found.tables[name].frame.equals(study.tables[name].frame)
    ours, theirs = found.tables["patients"].frame, study.tables["patients"].frame
    assert (ours["score"] == theirs["score"]).all()
    assert (ours["sof_group"] == theirs["sof_group"]).all()
    summary = found.tables["external"].frame.set_index("model").loc["final"]
    assert summary["slope"] == pytest.approx(1.0, abs=1e-6)
    large = found.tables["calibration_summary"].frame.query("model == 'final'")
    np.testing.assert_allclose(large["observed_expected"], 1.0, atol=0.03)


def test_other_patients_get_the_frozen_cutoffs_and_nothing_is_fitted_to_them():
    cohort = drawn_cohort(seed=21)
    shuffled = cohort.patients.copy()
    rng = np.random.default_rng(0)
    order = rng.permutation(len(shuffled))
    shuffled[["os.time", "os.event"]] = shuffled[["os.time", "os.event"]].to_numpy()[order]
    one = finished(validate_cohort(frozen(), cohort))
    other = finished(validate_cohort(frozen(), dataclasses.replace(cohort, patients=shuffled)))
    columns = [c for c in one.tables["patients"].frame if not c.startswith("os.")]
    # Whoever died when: scores and groups don't depend on it.
    assert one.tables["patients"].frame[columns].equals(other.tables["patients"].frame[columns])
    assert one.tables["cutpoints"].frame.equals(other.tables["cutpoints"].frame)
    assert one.risk_model is None


def test_a_study_on_disk_validates_as_the_one_in_memory(tmp_path):
    cohort = drawn_cohort(n_patients=150, seed=22)
    write_study(tmp_path, drawn_study()[1])
    back = FrozenStudy.of_study(read_study(tmp_path))
    ours = finished(validate_cohort(back, cohort))
    theirs = finished(validate_cohort(frozen(), cohort))
    for name, table in theirs.tables.items():
        assert ours.tables[name].frame.equals(table.frame), name


def test_a_risk_model_without_a_cohort_behind_it_can_be_validated_without_calibration():
    cohort = drawn_cohort(n_patients=200, seed=23)
    model = drawn_study()[1].risk_model
    found = finished(validate_cohort(FrozenStudy.of_risk_model(model), cohort))
    full = finished(validate_cohort(frozen(), cohort))
    assert found.tables["groups"].frame.equals(full.tables["groups"].frame)
    assert "calibration" in full.tables
    assert "calibration" not in found.tables
    assert any("without a baseline hazard" in text for text in found.warnings)


def test_a_preset_without_cutoffs_is_refused_with_the_way_out():
    with pytest.raises(CohortError, match="fit-cutoffs"):
        FrozenStudy.of_risk_model(load_risk_model("repo_2022"))


def test_a_missing_feature_is_named():
    cohort = drawn_cohort(n_patients=100, seed=24)
    needed = next(iter(frozen().coefficients))
    short = dataclasses.replace(cohort, patients=cohort.patients.drop(columns=[needed]))
    with pytest.raises(CohortError, match=needed):
        finished(validate_cohort(frozen(), short))


def test_only_the_scores_features_are_needed():
    cohort = drawn_cohort(n_patients=200, seed=25)
    columns = ["patient", "os.time", "os.event", *frozen().coefficients]
    found = finished(
        validate_cohort(frozen(), dataclasses.replace(cohort, patients=cohort.patients[columns]))
    )
    assert "groups" in found.tables
    assert any("“Score and clinical risk score” needs CRS_score" in text for text in found.warnings)


def test_a_validation_is_no_fit():
    cohort = drawn_cohort(n_patients=200, seed=26)
    found = finished(validate_cohort(frozen(), cohort))
    with pytest.raises(CohortError, match="no score that could be validated"):
        FrozenStudy.of_study(found)
