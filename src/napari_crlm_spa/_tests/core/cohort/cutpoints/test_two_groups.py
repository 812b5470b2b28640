import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter
from lifelines.statistics import logrank_test

from napari_crlm_spa.core.cohort.cox.hazard_ratio import hazard_ratio
from napari_crlm_spa.core.cohort.cutpoints.two_groups import (
    chisq1_p,
    logrank_chisq,
)
from napari_crlm_spa.core.cohort.survival import Survival


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.booleans(), st.booleans()), min_size=2, max_size=40)
)
def test_logrank_equals_lifelines_with_ties(patients):
    time, event, high = (np.array(column) for column in zip(*patients, strict=True))
    ours = logrank_chisq(Survival.of(time, event), high)
    if high.all() or not high.any() or not event.any():
        assert np.isnan(ours)
        return
    with np.errstate(all="ignore"):
        theirs = logrank_test(time[high], time[~high], event[high], event[~high]).test_statistic
    if np.isnan(ours):
        assert not np.isfinite(theirs) or theirs == pytest.approx(0, abs=1e-9)
    else:
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9)


def test_many_splits_at_once_equal_one_by_one(rng):
    survival = Survival.of(rng.integers(0, 9, 50), rng.random(50) < 0.6)
    splits = rng.random((7, 50)) < 0.4
    each = [float(logrank_chisq(survival, split)) for split in splits]
    assert logrank_chisq(survival, splits) == pytest.approx(each, rel=1e-14)


def test_cox_of_two_groups_equals_lifelines(rng):
    import pandas as pd

    time, event = rng.integers(1, 30, 120), rng.random(120) < 0.6
    high = rng.random(120) < 0.4
    frame = pd.DataFrame({"time": time, "event": event, "high": high.astype(float)})
    referee = CoxPHFitter().fit(frame, "time", "event", fit_options={"precision": 1e-12})
    ours = hazard_ratio(Survival.of(time, event), high)
    assert ours.coef == pytest.approx(referee.params_["high"], rel=1e-6)
    assert ours.se == pytest.approx(referee.standard_errors_["high"], rel=1e-6)
    assert ours.hr_lower95 < ours.hr < ours.hr_upper95


@pytest.mark.parametrize("high", [[1, 1, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]])
def test_groups_without_deaths_have_no_hazard_ratio(high):
    found = hazard_ratio(Survival.of([1, 2, 3, 4], [0, 0, 1, 1]), np.array(high, bool))
    assert np.isnan([found.hr, found.p_wald, found.se]).all()


def test_p_value_of_a_huge_statistic_is_not_zero():
    assert 0 < chisq1_p(1000.0) < 1e-200


@pytest.fixture
def rng():
    return np.random.default_rng(2)
