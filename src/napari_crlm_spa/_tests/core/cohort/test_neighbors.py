"""Neighbors in the space of spatial features."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa.core.cohort.columns import SOFS
from napari_crlm_spa.core.cohort.neighbors import (
    RANKS,
    Z_SCORES,
    FeatureSpace,
    NeighborOptions,
)
from napari_crlm_spa.errors import CohortError, CrlmSpaError

THREE = SOFS[:3]


def table(values, features=THREE):
    frame = pd.DataFrame(np.asarray(values, float), columns=list(features))
    frame.insert(0, "patient", [f"P{at + 1}" for at in range(len(frame))])
    return frame


def random_table(seed, n=30, holes=0.1, decimals=2):
    """Coarse values, so that there are ties, and some holes."""
    rng = np.random.default_rng(seed)
    values = rng.random((n, len(THREE))).round(decimals)
    values[rng.random(values.shape) < holes] = np.nan
    return table(values)


def brute_force(frame, row, k, features=THREE):
    """Distances by the formula, one pair after the other."""
    known = frame.dropna(subset=list(features))
    mean = {f: sum(known[f]) / len(known) for f in features}
    sd = {
        f: (sum((x - mean[f]) ** 2 for x in known[f]) / (len(known) - 1)) ** 0.5 for f in features
    }
    pairs = []
    for other in known.index:
        if other != row:
            parts = [((known[f][other] - known[f][row]) / sd[f]) ** 2 for f in features]
            pairs.append((sum(parts) ** 0.5, other))
    return sorted(pairs, key=lambda pair: (round(pair[0], 9), pair[1]))[:k]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(0, 2))
def test_neighbors_are_those_of_brute_force(seed, k, decimals):
    frame = random_table(seed, decimals=decimals + 1)
    space = FeatureSpace(frame, THREE)
    assert space.n_left_out == frame[list(THREE)].isna().any(axis=1).sum()
    row = int(space.rows[seed % len(space.rows)])
    found, wanted = space.neighbors(row, k), brute_force(frame, row, k)
    assert np.allclose(found.distances, [distance for distance, _ in wanted], atol=1e-12)
    # Where distances are equal up to rounding either order is right; the set within is the same.
    for distance in {round(d, 9) for d, _ in wanted[:-1]} - {round(wanted[-1][0], 9)}:
        ours = {
            int(r)
            for r, d in zip(found.rows, found.distances, strict=True)
            if abs(d - distance) < 1e-8
        }
        assert ours == {r for d, r in wanted if abs(d - distance) < 1e-8}


def test_a_patient_is_not_its_own_neighbor_even_with_a_twin():
    frame = table([[1, 2, 3], [1, 2, 3], [4, 0, 1], [0, 1, 0]])
    found = FeatureSpace(frame, THREE).neighbors(1, 3)
    assert 1 not in found.rows
    assert found.rows[0] == 0
    assert found.distances[0] == 0


def test_equal_distances_keep_the_order_of_the_table():
    frame = table([[5, 5, 5], [1, 0, 0], [9, 9, 9], [1, 0, 0], [1, 0, 0]])
    assert list(FeatureSpace(frame, THREE).neighbors(0, 4).rows[-3:]) == [1, 3, 4]


def test_units_do_not_matter():
    frame = random_table(3, holes=0)
    in_percent = frame.assign(**{THREE[0]: frame[THREE[0]] * 100 - 7})
    before, after = FeatureSpace(frame, THREE), FeatureSpace(in_percent, THREE)
    assert np.allclose(before.points, after.points)


def test_ranks_do_not_see_how_extreme_a_value_is():
    frame = random_table(4, holes=0, decimals=6)
    extreme = frame.assign(**{THREE[0]: np.exp(30 * frame[THREE[0]])})
    before, after = FeatureSpace(frame, THREE, RANKS), FeatureSpace(extreme, THREE, RANKS)
    assert np.array_equal(before.points, after.points)
    assert before.points.min() > 0
    assert before.points.max() < 1
    assert not np.allclose(FeatureSpace(extreme, THREE, Z_SCORES).points, after.points)


def test_ties_share_their_mean_rank():
    frame = table([[1], [1], [2], [5]], THREE[:1])
    points = FeatureSpace(frame, THREE[:1], RANKS).points[:, 0]
    assert np.allclose(points, [0.25, 0.25, 0.625, 0.875])


def test_a_feature_that_is_the_same_in_everybody_is_named_and_left_out():
    frame = table([[0.1, 0.3, 1], [0.1, 0.4, 2], [0.1, 0.1, 3]])
    space = FeatureSpace(frame, THREE)
    assert space.constant == THREE[:1]
    assert space.features == THREE[1:]
    assert np.isfinite(space.points).all()
    assert space.neighbors(0, 1).features == THREE[1:]


def test_a_cohort_whose_patients_are_all_alike_has_neighbors_at_no_distance():
    space = FeatureSpace(table([[1, 1, 1]] * 4), THREE)
    found = space.neighbors(2, 2)
    assert list(found.rows) == [0, 1]
    assert not found.distances.any()


def test_there_are_never_more_neighbors_than_other_patients():
    assert len(FeatureSpace(random_table(1, n=6, holes=0), THREE).neighbors(2, 20)) == 5
    assert len(FeatureSpace(random_table(1, n=1, holes=0), THREE).neighbors(0, 20)) == 0


def test_a_patient_with_holes_is_told_which():
    frame = table([[1, 2, 3], [np.nan, 2, np.nan], [2, 2, 1]])
    space = FeatureSpace(frame, THREE)
    assert space.n_left_out == 1
    with pytest.raises(CohortError, match=r"Patient P2 has no value of .* and .*Choose features"):
        space.neighbors(1, 2)
    assert FeatureSpace(frame, THREE[1:2]).n_left_out == 0


def test_infinite_values_are_holes():
    assert FeatureSpace(table([[1, 2, np.inf], [1, 2, 3], [3, 2, 1]]), THREE).n_left_out == 1


def test_without_a_choice_all_spatial_features_of_the_table_are_compared():
    frame = table(np.random.default_rng(1).random((9, 5)), SOFS[3:8]).assign(Age=60.0)
    assert FeatureSpace(frame).features == SOFS[3:8]


@pytest.mark.parametrize("features", [(), ("absent",)])
def test_a_table_without_the_features_says_so(features):
    with pytest.raises(CohortError, match="has no"):
        FeatureSpace(pd.DataFrame({"patient": ["P1"]}), features)


def test_nobody_with_all_features_says_so():
    with pytest.raises(CohortError, match="Choose fewer features"):
        FeatureSpace(table([[np.nan, 1, 1], [1, np.nan, 1]]), THREE)


def test_nullable_and_whole_columns_are_taken():
    frame = table([[1, 2, 3], [2, 5, 1], [4, 1, 0]]).convert_dtypes()
    assert FeatureSpace(frame, THREE).n_left_out == 0


def test_an_unknown_scaling_is_refused():
    with pytest.raises(CrlmSpaError, match="choose one of z scores, ranks"):
        FeatureSpace(random_table(1), THREE, "log")
    assert NeighborOptions().k == 20
