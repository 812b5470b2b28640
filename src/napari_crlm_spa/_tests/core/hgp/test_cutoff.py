"""A cut-off is judged on patients that it was not chosen on."""

import numpy as np
import pytest

from napari_crlm_spa.core.hgp.cutoff import held_out_cutoff, youden_cutoff


def test_the_cutoff_is_the_best_by_brute_force():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 20, 50).astype(float)
    is_d = rng.random(50) < 1 / (1 + np.exp(x - 8))
    found = youden_cutoff(x, is_d)

    def quality(cutoff):
        return (x[is_d] <= cutoff).mean() + (x[~is_d] > cutoff).mean()

    assert quality(found) == pytest.approx(max(quality(cutoff) for cutoff in np.arange(-1, 21)))


def test_contact_that_tells_d_apart_gets_a_cutoff_between():
    contact = np.r_[np.zeros(20), np.full(20, 30.0)]
    found = held_out_cutoff(contact, np.repeat([1, 0], 20), np.arange(40), 5, 0)
    assert found.cutoff == 15
    assert found.kappa.value == 1
    assert found.sensitivity.value == found.specificity.value == 1


def test_noise_looks_good_only_where_the_cutoff_was_chosen():
    apparent, held_out = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        contact, calls = rng.normal(size=40), rng.random(40) < 0.5
        found = held_out_cutoff(contact, calls, np.arange(40), 5, seed)
        apparent.append(found.apparent)
        held_out.append(found.kappa.value)
    assert np.mean(apparent) > np.mean(held_out) + 0.1
    assert abs(np.mean(held_out)) < 0.08


def test_a_patient_is_never_on_both_sides():
    """Each patient has a contact of its own; if parts shared patients, noise would be learned."""
    rng = np.random.default_rng(5)
    contact = np.repeat(rng.normal(size=30), 8)
    calls = np.repeat(rng.random(30) < 0.5, 8)
    patients = np.repeat(np.arange(30), 8)
    found = held_out_cutoff(contact, calls, patients, 5, 1)
    for patient in range(30):
        assert len(np.unique(found.calls[patients == patient])) == 1


def test_without_both_kinds_there_is_no_cutoff():
    found = held_out_cutoff([1.0, 2, 3], [1, 1, 1], [1, 2, 3], 5, 0)
    assert np.isnan(found.cutoff)
    assert "each kind" in found.reason
