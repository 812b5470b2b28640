import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa.core.cohort.cutpoints.search import CutoffSearch
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.core.risk.maxstat import maxstat_cutoff


def one_by_one(values, survival, copies, method, minprop):
    """Write the copies out and search each feature alone; also the best statistics."""
    chosen = np.repeat(np.arange(len(values)), copies)
    for marker in values[chosen].T:
        known = np.isfinite(marker)
        numbers, part = marker[known], survival.take(chosen[known])
        if not len(numbers):
            yield np.nan, None
        elif method == "median":
            median = np.median(numbers)
            yield (median if (numbers > median).any() else np.nan), None
        else:
            found = maxstat_cutoff(numbers, part.time, part.event, minprop)
            yield (np.nan, None) if found is None else (found.cutoff, found)


@settings(max_examples=120, deadline=None)
@given(
    st.integers(2, 30).flatmap(
        lambda n: st.tuples(
            st.lists(st.integers(0, 3), min_size=n, max_size=n),
            st.lists(
                st.tuples(st.integers(0, 9), st.booleans(), st.integers(0, 5), st.integers(0, 50)),
                min_size=n,
                max_size=n,
            ),
        )
    ),
    st.sampled_from([0.1, 0.25, 0.4]),
    st.sampled_from(["maxstat", "median"]),
    st.integers(0, 100),
)
def test_all_features_together_equal_each_written_out(drawn, minprop, method, seed):
    copies, patients = drawn
    copies = np.array(copies)
    time, event, few, many = (np.array(column) for column in zip(*patients, strict=True))
    generator = np.random.default_rng(seed)
    holes = np.where(generator.random(len(time)) < 0.3, np.nan, few)
    values = np.column_stack([few, many, holes, np.zeros(len(time))]).astype(float)
    survival = Survival.of(time, event)
    found = CutoffSearch(values, survival, method, minprop).cutoffs(copies)
    for ours, (expected, path) in zip(
        found, one_by_one(values, survival, copies, method, minprop), strict=True
    ):
        if path is None or np.isnan(ours):
            assert ours == pytest.approx(expected, nan_ok=True)
        else:  # mathematically equal statistics may be ordered by rounding
            place = np.flatnonzero(path.candidates == ours)
            assert len(place) == 1
            assert path.statistics[place[0]] == pytest.approx(path.statistic, rel=1e-9)


def test_no_features_are_no_problem():
    search = CutoffSearch(np.empty((4, 0)), Survival.of([1, 2, 3, 4], [1, 1, 1, 0]), "maxstat", 0.1)
    assert search.cutoffs([1, 1, 1, 1]).shape == (0,)


def test_a_feature_without_any_value_has_no_cutoff():
    values = np.column_stack([np.full(4, np.nan), [1.0, 2, 3, 4]])
    search = CutoffSearch(values, Survival.of([1, 2, 3, 4], [1, 1, 1, 0]), "maxstat", 0.1)
    assert np.isnan(search.cutoffs([1, 1, 1, 1])).tolist() == [True, False]
