"""With the true cut-points known, the truth is found again: intervals cover it as often as said."""

import numpy as np
import pytest
from scipy.stats import binom

from napari_crlm_spa.core.cohort.cox.partial_likelihood import PartialLikelihood
from napari_crlm_spa.core.cohort.simulate import SimulateOptions, simulate_cohort

SEEDS, NORMAL = 200, 1.959963984540054


@pytest.fixture(scope="module")
def fits():
    """Estimates and standard errors of 200 cohorts of 433 patients, shape (200, 7) each."""
    coef, error = [], []
    for seed in range(SEEDS):
        cohort = simulate_cohort(SimulateOptions(seed=seed))
        design = cohort.truth.design(cohort.frame)
        known = design.notna().all(axis=1).to_numpy()
        survival = cohort.survival.take(known)
        found = PartialLikelihood(survival, design[known].to_numpy()).maximize()
        coef.append(found.coef)
        error.append(np.sqrt(np.diag(np.linalg.inv(found.information))))
    return np.array(list(cohort.truth.coefficients.values())), np.array(coef), np.array(error)


def test_95_percent_intervals_cover_the_truth_in_95_percent_of_the_cohorts(fits):
    """Bounds: what 200 throws of a 95 % coin give in 99 % of all series, 7 of them at once."""
    truth, coef, error = fits
    covered = (np.abs(coef - truth) <= NORMAL * error).sum(axis=0)
    low, high = binom.ppf([0.01 / 14, 1 - 0.01 / 14], SEEDS, 0.95)
    assert ((covered >= low) & (covered <= high)).all()


def test_all_intervals_together_cover_as_often_as_said(fits):
    truth, coef, error = fits
    share = (np.abs(coef - truth) <= NORMAL * error).mean()
    assert share == pytest.approx(0.95, abs=0.025)


def test_estimates_are_right_on_average(fits):
    """Up to the 5 % away from 0 that small samples bring, and 4 standard errors of the mean."""
    truth, coef, _ = fits
    of_mean = coef.std(axis=0, ddof=1) / np.sqrt(SEEDS)
    assert (np.abs(coef.mean(axis=0) - truth) <= 4 * of_mean + 0.05 * np.abs(truth)).all()


def test_standard_errors_are_the_spread_of_the_estimates(fits):
    _, coef, error = fits
    assert np.allclose(coef.std(axis=0, ddof=1), error.mean(axis=0), rtol=0.2)
