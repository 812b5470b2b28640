"""Classical tests: by counting everything, against scipy, and on data without an answer."""

from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from napari_crlm_spa.core.cohort.associations import (
    chi_square,
    fisher,
    kruskal,
    pearson,
    rank_sum,
    signed_rank,
)
from napari_crlm_spa.core.cohort.cox.univariate import false_discovery_rate

NAN = float("nan")


@pytest.mark.parametrize("seed", range(4))
def test_exact_rank_sum_counts_all_arrangements(seed):
    values = np.random.default_rng(seed).permutation(9).astype(float)
    ours = rank_sum(values[:4], values[4:])
    sums = np.array([sum(ranks) for ranks in combinations(range(9), 4)])
    below, above = np.mean(sums <= values[:4].sum()), np.mean(sums >= values[:4].sum())
    assert ours.p == pytest.approx(min(1, 2 * min(below, above)))
    assert ours.statistic == sum(x > y for x in values[:4] for y in values[4:])
    assert ours.test == "Wilcoxon rank sum, exact"


def test_rank_sum_is_exact_below_50_without_ties_only():
    rng = np.random.default_rng(0)
    assert rank_sum(rng.random(49), rng.random(49)).test.endswith("exact")
    assert not rank_sum(rng.random(50), rng.random(5)).test.endswith("exact")
    assert not rank_sum([1, 2, 2], [3, 4]).test.endswith("exact")


@given(st.lists(st.integers(0, 5), min_size=2, max_size=30), st.integers(1, 1000))
def test_rank_sum_by_its_formula_with_ties(values, seed):
    """W, and a normal p with the corrections of Hollander & Wolfe, equation 4.22."""
    x, y = np.array(values, float), np.random.default_rng(seed).integers(0, 6, 9).astype(float)
    ours, n = rank_sum(x, y, exact=False), len(x) + 9
    w = sum((a > b) + 0.5 * (a == b) for a in x for b in y)
    assert ours.statistic == w
    ties = np.unique(np.r_[x, y], return_counts=True)[1].astype(float)
    variance = len(x) * 9 / 12 * (n + 1 - (ties**3 - ties).sum() / (n * (n - 1)))
    if variance > 1e-9:
        z = max(abs(w - len(x) * 9 / 2) - 0.5, 0) / np.sqrt(variance)
        assert ours.p == pytest.approx(2 * stats.norm.sf(z))
    else:
        assert np.isnan(ours.p)


def test_rank_sum_leaves_holes_out_and_has_no_answer_without_a_group():
    assert rank_sum([1, 2, NAN], [3, 4, 5]).n == 5
    assert np.isnan(rank_sum([NAN], [1, 2]).p)
    assert "no patients" in rank_sum([], [1]).note
    assert "all the same" in rank_sum([1, 1], [1]).note


@pytest.mark.parametrize("seed", range(4))
def test_exact_signed_rank_counts_all_signs(seed):
    rng = np.random.default_rng(seed)
    differences = rng.permutation(np.arange(1, 9)) * rng.choice([-1, 1], 8) * 0.37
    ours = signed_rank(differences)
    sums = np.array([np.dot(signs, range(1, 9)) for signs in product([0, 1], repeat=8)])
    below, above = np.mean(sums <= ours.statistic), np.mean(sums >= ours.statistic)
    assert ours.p == pytest.approx(min(1, 2 * min(below, above)))


def test_signed_rank_with_zeros_and_ties_is_scipy_s_normal():
    x = np.array([0, 1, 1, -2, 3, 4, -4, 5, 0, 6.0])
    theirs = stats.wilcoxon(x, correction=True, method="asymptotic", zero_method="wilcox")
    assert signed_rank(x).p == pytest.approx(theirs.pvalue)
    assert signed_rank(x + 7, np.full(10, 7.0)).statistic == signed_rank(x).statistic
    assert np.isnan(signed_rank([0, 0]).p)


def test_pearson_leaves_out_patients_with_a_hole_in_either():
    x, y = [1, 2, 3, 4, NAN, 6], [2, 1, NAN, 5, 4, 7]
    ours = pearson(x, y)
    assert ours.n == 4
    assert ours.estimate == pytest.approx(np.corrcoef([1, 2, 4, 6], [2, 1, 5, 7])[0, 1])
    t = ours.estimate * np.sqrt(2 / (1 - ours.estimate**2))
    assert ours.statistic == pytest.approx(t)
    assert ours.p == pytest.approx(2 * stats.t.sf(abs(t), 2))


@pytest.mark.parametrize("seed", range(3))
def test_pearson_interval_is_fisher_s(seed):
    x, y = np.random.default_rng(seed).normal(size=(2, 30))
    ours, z = pearson(x, y, level=0.9), np.arctanh(np.corrcoef(x, y)[0, 1])
    half = stats.norm.ppf(0.95) / np.sqrt(27)
    assert [ours.lower, ours.upper] == pytest.approx([np.tanh(z - half), np.tanh(z + half)])


def test_pearson_of_few_constant_or_proportional_columns():
    assert np.isnan(pearson([1, 2], [1, 2]).p)
    assert "same in all" in pearson([1, 1, 1], [1, 2, 3]).note
    three = pearson([1, 2, 3], [1, 2, 4])
    assert np.isnan([three.lower, three.upper]).all()
    assert np.isfinite(three.p)
    proportional = pearson([1, 2, 3, 4], [2, 4, 6, 8])
    assert proportional.estimate == pytest.approx(1)
    assert proportional.p == pytest.approx(0, abs=1e-10)


def test_chi_square_corrects_2_x_2_only_and_drops_empty_levels():
    table = np.array([[12, 5], [6, 9]])
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    by_hand = ((np.abs(table - expected) - 0.5) ** 2 / expected).sum()
    assert chi_square(table).statistic == pytest.approx(by_hand)
    wider = np.insert(np.insert(table, 1, 0, axis=0), 2, 0, axis=1)
    assert chi_square(wider).p == chi_square(table).p
    three = np.array([[12, 5, 7], [6, 9, 3]])
    assert chi_square(three).p == chi_square(three, correct=False).p


def test_chi_square_never_corrects_beyond_the_difference():
    assert chi_square([[10, 10], [10, 11]]).statistic == pytest.approx(0, abs=1e-12)


def test_chi_square_tells_of_few_expected_and_single_levels():
    assert "expected" in chi_square([[2, 3], [4, 20]]).note
    assert np.isnan(chi_square([[5, 3], [0, 0]]).p)
    assert np.isnan(chi_square([[0]]).p)


def enumerated(table):
    """p of a 2 x k table by all tables with its margins."""
    table = np.asarray(table)
    columns, first = table.sum(0), table[0].sum()

    def probability(row):
        ways = [comb(int(c), int(x)) for c, x in zip(columns, row, strict=True)]
        return float(np.prod(ways)) / comb(int(columns.sum()), int(first))

    every = [r for r in product(*(range(c + 1) for c in columns)) if sum(r) == first]
    all_of_them = np.array([probability(row) for row in every])
    assert all_of_them.sum() == pytest.approx(1)
    return all_of_them[all_of_them <= probability(table[0]) * (1 + 1e-7)].sum()


@given(
    st.integers(2, 4).flatmap(lambda k: st.lists(st.integers(0, 6), min_size=2 * k, max_size=2 * k))
)
def test_fisher_enumerates_tables_with_the_same_margins(counts):
    table = np.reshape(counts, (2, -1))
    ours = fisher(table)
    table = table[:, table.sum(0) > 0]
    if min((table.sum(1) > 0).sum(), table.shape[1]) < 2:
        assert np.isnan(ours.p)
    else:
        assert ours.p == pytest.approx(enumerated(table), rel=1e-9)
        assert fisher(np.array(counts).reshape(2, -1).T).p == pytest.approx(ours.p, rel=1e-9)


def test_fisher_counts_equally_probable_tables_on_the_other_side():
    """R: ``fisher.test(matrix(c(3, 1, 1, 3), 2))`` has p = 0.4857 and odds ratio 6.408309."""
    ours = fisher([[3, 1], [1, 3]])
    assert ours.p == pytest.approx(34 / 70)
    assert ours.estimate == pytest.approx(6.408309, rel=1e-5)
    ways = np.array([1, 16, 36, 16, 1])

    def probabilities(odds_ratio):
        weights = ways * odds_ratio ** np.arange(5.0)
        return weights / weights.sum()

    # R's upper limit, 621.93, is a root that was searched to 1e-4 of its reciprocal.
    assert probabilities(ours.lower)[3:].sum() == pytest.approx(0.025, rel=1e-9)
    assert probabilities(ours.upper)[:4].sum() == pytest.approx(0.025, rel=1e-9)


def test_fisher_with_an_empty_cell_has_a_one_sided_interval():
    ours = fisher([[0, 5], [4, 6]])
    assert (ours.estimate, ours.lower) == (0, 0)
    assert np.isfinite(ours.upper)


def test_fisher_says_what_it_cannot_do():
    assert "two rows" in fisher(np.full((3, 3), 4)).note
    assert "too large" in fisher(np.full((2, 6), 100)).note


def test_kruskal_is_scipy_s_without_holes_and_empty_groups():
    groups = [[1, 2, 2, NAN], [3, 4, 2], [], [5, 6]]
    theirs = stats.kruskal([1, 2, 2], [3, 4, 2], [5, 6])
    ours = kruskal(groups)
    assert (ours.statistic, ours.p, ours.df, ours.n) == (*theirs, 2, 8)
    assert np.isnan(kruskal([[1, 2], []]).p)
    assert np.isnan(kruskal([[1, 1], [1]]).p)


@given(st.lists(st.floats(0, 1) | st.just(NAN), max_size=20))
def test_benjamini_hochberg_by_its_definition(p):
    adjusted, values = false_discovery_rate(p), np.array(p)
    known = values[~np.isnan(values)]
    for value, ours in zip(values, adjusted, strict=True):
        if np.isnan(value):
            assert np.isnan(ours)
        else:
            candidates = [q * len(known) / (known <= q).sum() for q in known if q >= value]
            assert ours == pytest.approx(min(1, *candidates, 1))
