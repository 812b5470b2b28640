import numpy as np
import pytest

from napari_crlm_spa._tests.core.cohort.cox.drawn import draw
from napari_crlm_spa.core.cohort.cox.concordance import concordance, predictor_of
from napari_crlm_spa.core.cohort.survival import Survival


def slow(survival, predictor, weight):
    """Pairs one by one, each with the product of its patients' weights."""
    agreed = pairs = 0.0
    n = len(survival)
    for i in range(n):
        for j in range(n):
            first = survival.time[i] < survival.time[j]
            tied = survival.time[i] == survival.time[j] and not survival.event[j]
            if survival.event[i] and (first or tied):
                w = weight[i] * weight[j]
                pairs += w
                agreed += w * ((predictor[i] > predictor[j]) + 0.5 * (predictor[i] == predictor[j]))
    return agreed / pairs


@pytest.mark.parametrize("digits", [0, 1, 5])
@pytest.mark.parametrize("seed", range(3))
def test_value_and_jackknife_are_those_of_weighted_pairs(seed, digits):
    survival, frame = draw(seed, n=25, digits=digits)
    predictor = np.round(frame["x0"].to_numpy(), 0 if seed else 3)
    ours = concordance(survival, predictor)
    ones = np.ones(25)
    assert ours.value == pytest.approx(slow(survival, predictor, ones), rel=1e-13)
    step = 1e-6
    influence = [
        (
            slow(survival, predictor, ones + step * unit)
            - slow(survival, predictor, ones - step * unit)
        )
        / (2 * step)
        for unit in np.eye(25)
    ]
    assert ours.std_err == pytest.approx(np.linalg.norm(influence), rel=1e-7)


@pytest.mark.parametrize("seed", range(10))
def test_it_is_that_of_lifelines(seed):
    from lifelines.utils import concordance_index

    survival, frame = draw(seed, n=150, digits=0)
    predictor = np.round(frame["x0"], 1)
    theirs = concordance_index(survival.time, -predictor, survival.event)
    assert concordance(survival, predictor).value == pytest.approx(theirs, rel=1e-13)


def test_rules_for_ties():
    # Two deaths at one time are no pair; a death and a censoring at one time are.
    assert concordance(Survival.of([3, 3], [1, 1]), [1, 2]).pairs == 0
    tied = concordance(Survival.of([3, 3], [1, 0]), [2, 1])
    assert (tied.pairs, tied.value) == (1, 1.0)
    assert concordance(Survival.of([3, 4], [1, 0]), [1, 1]).value == 0.5
    assert concordance(Survival.of([3, 4], [0, 1]), [1, 2]).pairs == 0


def test_without_pairs_there_is_no_number():
    none = concordance(Survival.of([1, 2], [0, 0]), [1, 2])
    assert np.isnan(none.value) and np.isnan(none.std_err)
    empty = concordance(Survival.of([], []), [])
    assert np.isnan(empty.value)


def test_the_opposite_predictor_has_the_opposite_concordance():
    survival, frame = draw(3)
    one, other = (concordance(survival, sign * frame["x0"]) for sign in (1, -1))
    assert one.value + other.value == pytest.approx(1, abs=1e-14)
    assert one.std_err == pytest.approx(other.std_err, rel=1e-12)


def test_pieces_of_the_pairs_add_up(monkeypatch):
    survival, frame = draw(4, n=200)
    whole = concordance(survival, frame["x0"])
    monkeypatch.setattr("napari_crlm_spa.core.cohort.cox.concordance.PAIRS_AT_ONCE", 1000)
    assert concordance(survival, frame["x0"]) == whole


def test_patients_with_equal_columns_have_equal_predictors():
    rng = np.random.default_rng(0)
    patterns = rng.integers(0, 2, (2001, 13)).astype(float)
    predictor = predictor_of(patterns, rng.normal(size=13))
    distinct = len(np.unique(patterns, axis=0))
    assert len(np.unique(predictor)) == distinct
