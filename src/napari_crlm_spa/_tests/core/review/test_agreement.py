"""Kappa against closed forms and scikit-learn; what disagreement does to the risk."""

import csv
import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import cohen_kappa_score

from napari_crlm_spa._tests.core.review.made_reviews import MODEL, metastasis, metastasis_analysis
from napari_crlm_spa._tests.core.spatial.maps import CODES, fixed_thresholds
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.review import Review, agreement, agreement_csv, risk_effect
from napari_crlm_spa.core.review.agreement import cohen_kappa
from napari_crlm_spa.core.spatial import spatial_features
from napari_crlm_spa.errors import ReviewError

CODE_ARRAYS = arrays(np.uint8, 40, elements=st.integers(0, 7))


@pytest.fixture
def readers(tmp_path):
    analysis = metastasis_analysis(tmp_path)
    return Review(analysis, MODEL, "Ada"), Review(analysis, MODEL, "Ben")


def effect_of(a, b):
    work = risk_effect(a, b)
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def test_kappa_of_a_two_by_two_table_by_hand():
    """20 + 15 of 50 agree: p_o 0.7; by chance 0.5 x 0.6 + 0.5 x 0.4 = 0.5; kappa 0.4."""
    assert cohen_kappa(np.array([[20, 5], [10, 15]])) == (pytest.approx(0.4), "")


def test_full_agreement_is_1_and_full_opposition_minus_1():
    assert cohen_kappa(np.diag([5, 5]))[0] == 1
    assert cohen_kappa(np.array([[0, 5], [5, 0]]))[0] == -1


def test_independent_readers_have_kappa_0():
    assert cohen_kappa(np.outer([3, 1], [2, 5]))[0] == 0


def test_without_tiles_or_with_one_class_there_is_no_kappa_but_a_reason():
    kappa, reason = cohen_kappa(np.zeros((7, 7), int))
    assert math.isnan(kappa)
    assert "no tile" in reason
    kappa, reason = cohen_kappa(np.diag([9, 0, 0]))
    assert math.isnan(kappa)
    assert "one class" in reason


def test_counts_of_a_whole_slide_do_not_overflow():
    table = np.array([[2_000_000_000, 0], [0, 2_000_000_000]])
    assert cohen_kappa(table) == (1.0, "")


@given(CODE_ARRAYS, CODE_ARRAYS)
def test_kappas_are_those_of_scikit_learn(a, b):
    found = agreement(a, b, CRLM7)
    both = (a > 0) & (b > 0)
    assert found.n == both.sum()
    assert (found.only_a, found.only_b) == (((a > 0) & (b == 0)).sum(), ((a == 0) & (b > 0)).sum())
    assert found.confusion.sum() == found.n
    if not both.any():
        assert math.isnan(found.kappa)
        assert math.isnan(found.observed)
        return
    assert found.observed == pytest.approx(np.mean(a[both] == b[both]))
    checks = [(found, a[both], b[both])]
    checks += [
        (one, a[both] == CRLM7.code(one.name), b[both] == CRLM7.code(one.name))
        for one in found.classes
    ]
    for one, left, right in checks:
        if len(np.unique([left, right])) == 1:
            assert math.isnan(one.kappa)
            assert one.reason
        else:
            assert one.kappa == pytest.approx(cohen_kappa_score(left, right), abs=1e-12)
            assert one.reason == ""


def test_every_class_has_its_four_counts(readers):
    a, b = readers
    a.correct([0, 0, 0], [0, 1, 2], "STR")
    b.correct([0, 0], [2, 3], "STR")
    found = agreement(a, b)
    stroma = next(one for one in found.classes if one.name == "STR")
    in_both = np.count_nonzero(metastasis() == CODES["S"]) + 1
    assert (stroma.both, stroma.only_a, stroma.only_b) == (in_both, 2, 1)
    assert stroma.both + stroma.only_a + stroma.only_b + stroma.neither == found.n
    mucus = next(one for one in found.classes if one.name == "MUC")
    assert mucus.reason == "no reader used this class"


def test_untouched_tiles_flatter_the_readers_and_can_be_left_out(readers):
    a, b = readers
    a.correct([0, 0], [0, 1], "STR")
    b.correct([0], [0], "LYM")
    b.accept([1], [0])
    touched = agreement(a, b, touched_only=True)
    assert touched.n == 3
    assert touched.observed == pytest.approx(1 / 3)
    assert agreement(a, b).observed > 0.99


def test_a_tile_that_one_reader_set_aside_is_counted_apart(readers):
    a, b = readers
    a.set_aside([0, 0], [0, 1])
    found = agreement(a, b)
    assert (found.only_a, found.only_b) == (0, 2)
    assert found.observed == 1


def test_maps_of_two_sizes_cannot_be_compared():
    with pytest.raises(ReviewError, match="3 x 4 and 4 x 3"):
        agreement(np.ones((3, 4), np.uint8), np.ones((4, 3), np.uint8), CRLM7)
    with pytest.raises(ReviewError, match="scheme"):
        agreement(np.ones(3, np.uint8), np.ones(3, np.uint8))


def test_the_table_has_a_row_overall_and_one_a_class(readers):
    a, b = readers
    a.correct([0], [0], "STR")
    table = agreement_csv(agreement(a, b), agreement(a, b, touched_only=True))
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["class"] for row in rows] == ["all", *CRLM7.names] * 2
    assert rows[0]["reader_a"] == "Ada"
    assert float(rows[8]["percent_agreement"]) == 0
    assert rows[8]["kappa"] == "0.0"
    assert rows[1]["kappa"] == ""
    assert rows[1]["reason"]


def test_the_disagreement_that_moves_the_score_comes_first(readers):
    a, b = readers
    b.correct(*np.nonzero(metastasis() == CODES["S"]), "HEP")
    b.correct([0, 0], [0, 1], "LYM")
    effect = effect_of(a, b)
    assert (effect.risk_a.group, effect.risk_b.group) == ("high", "low")
    first, second = effect.pairs
    assert (first.class_a, first.class_b) == ("STR", "HEP")
    assert first.flips
    assert first.score_change == pytest.approx(effect.risk_b.score - effect.risk_a.score)
    assert (second.class_b, second.tiles, second.score_change, second.flips) == ("LYM", 2, 0, False)
    column = "Overall_Hepatocyte_ratio"
    expected = b.features.values[column] - a.features.values[column]
    assert effect.feature_change[column] == expected
    assert effect.same_thresholds


def test_each_effect_is_that_of_the_map_with_these_tiles_exchanged(readers):
    a, b = readers
    rng = np.random.default_rng(0)
    for name in ("STR", "TUM", "LYM"):
        b.correct(rng.integers(0, 24, 60), rng.integers(0, 30, 60), name)
    b.set_aside(rng.integers(0, 24, 20), rng.integers(0, 30, 20))
    effect = effect_of(a, b)
    assert sum(pair.tiles for pair in effect.pairs) == np.count_nonzero(
        a.tissue_map.classes != b.tissue_map.classes
    )
    judge = Review(a.analysis, MODEL)
    for pair in effect.pairs:
        codes = [0 if name is None else CRLM7.code(name) for name in (pair.class_a, pair.class_b)]
        at = (a.tissue_map.classes == codes[0]) & (b.tissue_map.classes == codes[1])
        judge.take_over(
            np.where(at, codes[1], a.tissue_map.classes).astype(np.uint8), a.tissue_map.state
        )
        assert (judge.risk.score, judge.risk.group) == (pair.score, pair.group)
        full = spatial_features(judge.tissue_map, a.features.options, a.mixture)
        assert judge.features.counts == full.counts


def test_moved_thresholds_are_told(readers):
    a, b = readers
    b.set_mixture(fixed_thresholds(2))
    effect = effect_of(a, b)
    assert not effect.same_thresholds
    assert effect.pairs == ()
