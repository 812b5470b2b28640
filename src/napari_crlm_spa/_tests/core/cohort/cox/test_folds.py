"""Folds: groups together, deaths even, seeds repeat."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_crlm_spa.core.cohort.cox.folds import stratified_folds
from napari_crlm_spa.errors import SurvivalDataError


@given(n=st.integers(10, 200), folds=st.integers(2, 10), seed=st.integers(0, 1000))
def test_sizes_and_deaths_of_folds_differ_by_one_at_most(n, folds, seed):
    rng = np.random.default_rng(seed)
    event = rng.permutation(np.arange(n) < max(folds, n // 3))
    if event.sum() < folds:
        return
    fold = stratified_folds(event, folds, rng)
    sizes = np.bincount(fold, minlength=folds)
    deaths = np.bincount(fold[event], minlength=folds)
    assert np.ptp(sizes) <= 1
    assert np.ptp(deaths) <= 1
    assert deaths.min() >= 1


@given(seed=st.integers(0, 1000))
def test_rows_of_one_patient_are_never_parted(seed):
    rng = np.random.default_rng(seed)
    patients = np.array([f"P{i}" for i in rng.integers(0, 30, 100)])
    fold = stratified_folds(rng.random(100) < 0.5, 3, rng, groups=patients)
    for patient in np.unique(patients):
        assert len(set(fold[patients == patient])) == 1


def test_a_seed_repeats_its_folds():
    event = np.arange(50) % 2
    one, same, other = (
        stratified_folds(event, 5, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_more_folds_than_deaths_are_refused():
    with pytest.raises(SurvivalDataError, match="3 patients died: too few for 5 folds"):
        stratified_folds(np.arange(40) < 3, 5, np.random.default_rng(0))
