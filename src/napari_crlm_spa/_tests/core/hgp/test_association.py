"""Association: scipy, closed forms, published numbers, repeated rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from napari_crlm_spa.core.hgp.association import (
    calibration_line,
    calibration_table,
    clustered_bootstrap,
    delong,
    extreme_groups,
    partial_spearman,
    spearman,
)
from napari_crlm_spa.core.hgp.association.auc import roc_points
from napari_crlm_spa.core.hgp.association.correlation import rank_correlation
from napari_crlm_spa.core.hgp.association.weighted import RankedColumns, RankedScore


def finished(work):
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def drawn(n=40, seed=0):
    rng = np.random.default_rng(seed)
    size = rng.integers(0, 8, n).astype(float)
    return size + rng.integers(0, 5, n), size + rng.integers(0, 5, n), size


def hanley_mcneil():
    """Radiology 1982;143:29: 109 CT images rated 1 to 5, 51 of them abnormal."""
    normal, abnormal = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]
    score = np.repeat([*range(1, 6), *range(1, 6)], [*normal, *abnormal])
    return score, np.repeat([0, 1], [58, 51])


def test_spearman_is_scipys():
    x, y, _ = drawn()
    expected = stats.spearmanr(x, y)
    found = spearman(x, y)
    assert found.rho == pytest.approx(expected.statistic)
    assert found.p == pytest.approx(expected.pvalue)


def test_partial_spearman_of_one_column_is_the_closed_form():
    x, y, z = drawn()
    (xy, xz, yz) = (stats.spearmanr(a, b).statistic for a, b in ((x, y), (x, z), (y, z)))
    expected = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
    found = partial_spearman(x, y, z[:, None])
    assert found.rho == pytest.approx(expected)
    t = expected * np.sqrt((len(x) - 3) / (1 - expected**2))
    assert found.p == pytest.approx(2 * stats.t.sf(abs(t), len(x) - 3))


def test_partial_spearman_of_several_columns_is_the_inverse_of_the_correlations():
    rng = np.random.default_rng(5)
    columns = rng.normal(size=(60, 4)) @ rng.normal(size=(4, 4))
    inverse = np.linalg.inv(stats.spearmanr(columns).statistic)
    expected = -inverse[0, 1] / np.sqrt(inverse[0, 0] * inverse[1, 1])
    found = partial_spearman(columns[:, 0], columns[:, 1], columns[:, 2:])
    assert found.rho == pytest.approx(expected)


def test_what_size_alone_explains_vanishes_given_size():
    rng = np.random.default_rng(7)
    size = rng.normal(size=400)
    x, y = size + 0.3 * rng.normal(size=400), size + 0.3 * rng.normal(size=400)
    assert spearman(x, y).rho > 0.8
    assert abs(partial_spearman(x, y, size[:, None]).rho) < 0.12


def test_correlations_that_do_not_exist_have_reasons():
    x, y, _ = drawn()
    assert "same" in spearman(np.ones(40), y).reason
    assert "Too few" in spearman([1, 2], [1, 2]).reason
    assert "explains" in partial_spearman(x, y, x[:, None] * 2).reason
    assert spearman([1, 2, 3, np.nan], [2, 4, 9, 1]).n == 3


@given(st.lists(st.integers(0, 3), min_size=25, max_size=25))
def test_weights_are_repeated_rows(counts):
    x, y, z = (column[:25] for column in drawn())
    x[3] = np.nan
    given_ = np.column_stack([x, y, z])
    w = np.array(counts, float)
    rows = np.repeat(np.arange(25), counts)
    again = given_[rows]
    again = again[np.isfinite(again).all(axis=1)]
    enough = len(again) >= 4
    for columns in (slice(0, 2), slice(0, 3)):
        expected = rank_correlation(again[:, columns]) if enough else np.nan
        found = RankedColumns(given_[:, columns]).correlation(w)
        if enough and not (np.isnan(expected) or np.isnan(found)):
            assert found == pytest.approx(expected, abs=1e-6)
    positive = (y > 5).astype(float)
    auc = delong(x[rows], positive[rows]).value
    assert RankedScore(x, positive).area(w) == pytest.approx(auc, nan_ok=True)


def test_auc_and_its_interval_are_the_published_ones():
    """Hanley & McNeil 1982: area .893. Stata's roctab (DeLong): se 0.0307, 0.83295 to 0.95339."""
    found = delong(*hanley_mcneil())
    assert found.value == pytest.approx(0.893, abs=0.0005)
    assert found.se == pytest.approx(0.0307, abs=5e-5)
    assert (found.lower, found.upper) == pytest.approx((0.83295, 0.95339), abs=5e-6)


def test_delong_is_right_by_brute_force():
    rng = np.random.default_rng(2)
    score, positive = rng.integers(0, 12, 40), rng.random(40) < 0.4
    a, b = score[positive], score[~positive]
    pairs = (a[:, None] > b) + 0.5 * (a[:, None] == b)
    variance = pairs.mean(1).var(ddof=1) / len(a) + pairs.mean(0).var(ddof=1) / len(b)
    found = delong(score, positive)
    assert found.value == pytest.approx(pairs.mean())
    assert found.se == pytest.approx(np.sqrt(variance))


def test_the_area_is_that_under_the_curve():
    score, positive = hanley_mcneil()
    curve = roc_points(score, positive)
    area = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
    assert area == pytest.approx(delong(score, positive).value)
    assert roc_points(score, np.ones(109)) is None
    assert "same group" in delong(score, np.ones(109)).reason


def test_the_papers_extremes_give_its_p():
    """15 of 15 desmoplastic at the low end, 4 of 15 at the high end: p = 5e-5."""
    score = np.arange(200.0)
    calls = np.zeros(200)
    calls[:15] = 1
    calls[[185, 190, 192, 199]] = 1
    found = extreme_groups(score, calls, 15)
    assert (found.low_d, found.high_d) == (15, 4)
    assert found.p == pytest.approx(5.0e-5, abs=1e-7)
    assert found.reason == ""


def test_extremes_of_few_or_equal_slides_say_so():
    assert "15" in extreme_groups([1, 2, 3, 4], [1, 1, 0, 0], 15).reason
    assert "Equal scores" in extreme_groups([1, 1, 1, 1, 2, 3], [1, 0, 1, 0, 0, 0], 2).reason
    assert np.isnan(extreme_groups([1.0], [1], 5).p)
    assert "same call" in extreme_groups([1, 2, 3, 4], [1, 1, 1, 1], 2).reason


def bootstrap_of(x, patients, statistic=np.mean, resamples=400, seed=0):
    work = clustered_bootstrap(
        lambda rows: [statistic(x[rows])], patients, resamples=resamples, seed=seed
    )
    return finished(work)[0]


def test_slides_of_one_patient_are_drawn_together():
    """Ten equal slides of each patient say no more than one."""
    rng = np.random.default_rng(4)
    one = rng.normal(size=30)
    alone = bootstrap_of(one, np.arange(30))
    tenfold = bootstrap_of(np.repeat(one, 10), np.repeat(np.arange(30), 10))
    as_if_independent = bootstrap_of(np.repeat(one, 10), np.arange(300))
    width = alone.upper - alone.lower
    assert tenfold.upper - tenfold.lower == pytest.approx(width, rel=0.15)
    assert as_if_independent.upper - as_if_independent.lower < 0.5 * width


def test_the_interval_of_a_mean_is_that_of_theory():
    x = np.random.default_rng(6).normal(size=200)
    found = bootstrap_of(x, np.arange(200), resamples=2000)
    half = 1.96 * x.std() / np.sqrt(200)
    assert (found.lower, found.upper) == pytest.approx((x.mean() - half, x.mean() + half), abs=0.02)


def test_a_seed_draws_the_same_patients_again():
    x = np.random.default_rng(1).normal(size=20)
    assert bootstrap_of(x, np.arange(20)) == bootstrap_of(x, np.arange(20))
    assert bootstrap_of(x, np.arange(20)) != bootstrap_of(x, np.arange(20), seed=1)


def test_few_patients_or_undefined_draws_give_no_interval():
    x = np.arange(8.0)
    assert "Fewer than 5" in bootstrap_of(x, np.repeat([1, 2, 3, 4], 2)).reason
    assert "undefined" in bootstrap_of(x, np.arange(8), lambda _: np.nan).reason
    assert "same number" in bootstrap_of(x, np.arange(8), lambda _: 1.0).reason


def test_calibration_finds_a_measurement_that_says_too_little():
    rng = np.random.default_rng(8)
    truth = rng.uniform(0, 100, 300)
    intercept, slope = calibration_line(truth * 0.5, truth)
    assert (intercept, slope) == pytest.approx((0, 2))
    table = calibration_table(truth * 0.5, truth, truth > 80, 5)
    assert table["n"].tolist() == [60] * 5
    assert table["reviewed_mean"].to_numpy() == pytest.approx(2 * table["measured_mean"])
    assert table["d"].sum() == (truth > 80).sum()
    assert table["share_d"].tolist()[:3] == [0, 0, 0]


def test_all_that_was_measured_as_one_hundred_is_one_group():
    measured = np.r_[np.full(40, 100.0), np.linspace(0, 99, 60)]
    table = calibration_table(measured, measured, measured == 100, 5)
    assert table["n"].iloc[-1] == 40
    assert table["measured_low"].iloc[-1] == 100
    assert table["share_d"].iloc[-1] == 1
