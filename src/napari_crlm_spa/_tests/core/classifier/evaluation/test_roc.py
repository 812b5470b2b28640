import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from napari_crlm_spa.core.classifier.evaluation.roc import WeightedArea, one_vs_rest


@given(
    tiles=st.lists(
        st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 2)), min_size=2, max_size=30
    ),
    weights=st.lists(st.integers(0, 3), min_size=3, max_size=3),
)
def test_the_area_by_slide_weights_is_that_of_scikit_learn(tiles, weights):
    scores, positive, groups = (np.array(column) for column in zip(*tiles, strict=True))
    of_tile = np.array(weights)[groups]
    area = WeightedArea(scores.astype(float), positive, groups).areas(np.array([weights]))[0]
    both = (of_tile[positive].sum() > 0) and (of_tile[~positive].sum() > 0)
    if both:
        kept = of_tile > 0
        expected = roc_auc_score(positive[kept], scores[kept], sample_weight=of_tile[kept])
        assert area == pytest.approx(expected)
    else:
        assert np.isnan(area)


def test_a_weight_is_a_copy_of_the_slide():
    scores = np.array([0.9, 0.4, 0.6, 0.1])
    positive = np.array([True, True, False, False])
    groups = np.array([0, 1, 1, 0])
    twice = WeightedArea(scores, positive, groups).areas(np.array([[2, 1]]))[0]
    copied = np.array([0, 0, 1, 2, 3, 3])
    assert twice == pytest.approx(roc_auc_score(positive[copied], scores[copied]))


def test_one_side_without_tiles_has_no_curve():
    assert one_vs_rest(np.array([0.1, 0.2]), np.array([True, True])) is None
    assert one_vs_rest(np.array([0.1, 0.2]), np.array([False, False])) is None


def test_a_curve_runs_from_corner_to_corner_and_its_area_is_that_below_it():
    rng = np.random.default_rng(0)
    scores, positive = rng.random(200), rng.random(200) < 0.3
    curve = one_vs_rest(scores, positive)
    assert (curve.false_positive_rate[0], curve.true_positive_rate[0]) == (0, 0)
    assert (curve.false_positive_rate[-1], curve.true_positive_rate[-1]) == (1, 1)
    below = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
    assert curve.area == pytest.approx(below)
