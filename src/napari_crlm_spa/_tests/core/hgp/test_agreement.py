"""Agreement: published examples, closed forms, and brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_crlm_spa.core.hgp.agreement import (
    bland_altman,
    cohen_kappa,
    fleiss_kappa,
    icc_a1,
    wilson,
)
from napari_crlm_spa.core.hgp.agreement.kappa import category_counts, confusion

#: Shrout & Fleiss, Psychol Bull 1979;86:420, table 2: six targets, four judges.
SHROUT_FLEISS = [
    [9, 2, 5, 8],
    [6, 1, 3, 2],
    [8, 4, 6, 8],
    [7, 1, 2, 6],
    [10, 5, 6, 9],
    [6, 2, 4, 7],
]
#: Fleiss, Psychol Bull 1971;76:378, table 1: 30 patients, 6 psychiatrists, 5 diagnoses.
FLEISS = """
00060 03003 01401 00006 03030 20400 00402 20310 20040 00006
10050 11040 03300 10050 02031 00501 30012 51000 02040 10203
00006 01050 02013 20040 10041 05010 40002 02040 10500 00006
"""
#: Bland & Altman, Lancet 1986;1:307: peak flow by two meters, first readings, l/min.
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def fleiss_counts():
    return np.array([[int(digit) for digit in row] for row in FLEISS.split()])


def test_icc_is_that_of_shrout_and_fleiss():
    """Their ICC(2,1) is .29; R psych::ICC gives the interval 0.019 to 0.761."""
    found = icc_a1(SHROUT_FLEISS)
    assert found.value == pytest.approx(0.29, abs=0.005)
    assert (found.lower, found.upper) == pytest.approx((0.019, 0.761), abs=0.001)
    assert (found.n, found.k) == (6, 4)


def test_icc_is_the_ratio_of_variances_of_an_analysis_of_variance():
    table = np.random.default_rng(0).normal(size=(12, 3)) + np.arange(12)[:, None] + [0, 1, 3]
    n, k = table.shape
    grand = table.mean()
    between = k * ((table.mean(1) - grand) ** 2).sum() / (n - 1)
    raters = n * ((table.mean(0) - grand) ** 2).sum() / (k - 1)
    total = ((table - grand) ** 2).sum()
    error = (total - between * (n - 1) - raters * (k - 1)) / ((n - 1) * (k - 1))
    subject, rater = (between - error) / k, (raters - error) / n
    assert icc_a1(table).value == pytest.approx(subject / (subject + rater + error))


def test_a_rater_who_always_says_ten_points_more_lowers_absolute_agreement():
    first = np.arange(0.0, 100, 5)
    assert icc_a1(np.column_stack([first, first])).value == 1
    shifted = icc_a1(np.column_stack([first, first + 30]))
    assert shifted.value < 0.7


def test_the_interval_of_icc_covers_the_truth_as_often_as_it_says():
    """Truth: variances 4 (subjects), 0.3 (raters), 1: 4 / 5.3."""
    rng, hits = np.random.default_rng(3), 0
    for _ in range(300):
        table = 2 * rng.normal(size=(30, 1)) + 0.3**0.5 * rng.normal(size=(1, 6))
        found = icc_a1(table + rng.normal(size=(30, 6)))
        hits += found.lower <= 4 / 5.3 <= found.upper
    assert 0.91 <= hits / 300 <= 0.985


def test_icc_without_enough_data_says_why():
    assert np.isnan(icc_a1([[1.0, 2.0]]).value)
    assert "two subjects" in icc_a1([[1.0, 2.0]]).reason
    assert "same" in icc_a1(np.full((5, 2), 100.0)).reason
    assert icc_a1([[1, 2], [2, np.nan], [3, 3], [4, 5]]).n == 3


def test_cohens_kappa_is_that_of_his_paper():
    """Cohen 1960: 200 subjects, kappa .492."""
    found = cohen_kappa([[88, 10, 2], [14, 40, 6], [18, 10, 12]])
    assert found.value == pytest.approx(0.492, abs=0.0005)
    assert found.observed == pytest.approx(0.70)


def test_its_standard_error_is_that_of_fleiss_cohen_and_everitt():
    """Their example of 1969: kappa .429, variance .002885."""
    found = cohen_kappa([[106, 10, 4], [22, 28, 10], [2, 12, 6]])
    assert found.value == pytest.approx(0.429, abs=0.0005)
    assert found.se**2 == pytest.approx(0.002885, abs=5e-7)


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_weighted_kappa_and_its_error_are_right_by_brute_force(weights):
    """The delta method with numerical derivatives of kappa by the cells' shares."""
    table = np.array([[20.0, 5, 1], [4, 15, 6], [2, 7, 25]])
    n, p = table.sum(), (table / table.sum()).ravel()
    exponent = {"none": None, "linear": 1, "quadratic": 2}[weights]

    def kappa(shares):
        shares = shares.reshape(3, 3)
        apart = np.abs(np.subtract.outer(np.arange(3), np.arange(3)))
        cost = (apart > 0) * 1.0 if exponent is None else apart.astype(float) ** exponent
        expected = np.outer(shares.sum(1), shares.sum(0))
        return 1 - (cost * shares).sum() / (cost * expected).sum()

    slope = np.array([(kappa(p + h) - kappa(p - h)) / 2e-6 for h in 1e-6 * np.eye(9)], dtype=float)
    variance = (np.diag(p) - np.outer(p, p)) / n
    found = cohen_kappa(table, weights=weights)
    assert found.value == pytest.approx(kappa(p))
    assert found.se == pytest.approx(np.sqrt(slope @ variance @ slope), rel=1e-6)


def test_kappa_that_chance_explains_has_a_reason():
    one_class = cohen_kappa([[10, 0], [0, 0]])
    assert np.isnan(one_class.value)
    assert "one category" in one_class.reason
    assert "No subject" in cohen_kappa(np.zeros((2, 2))).reason
    full = cohen_kappa([[10, 0], [0, 5]])
    assert full.value == 1
    assert np.isnan(full.lower)
    assert "Full agreement" in full.reason


def test_fleiss_kappa_is_that_of_his_paper():
    """1971: kappa .430; R irr::kappam.fleiss of the same data: z = 17.7."""
    found = fleiss_kappa(fleiss_counts())
    assert found.value == pytest.approx(0.430, abs=0.0005)
    assert found.z == pytest.approx(17.65, abs=0.01)
    assert found.observed == pytest.approx(0.5556, abs=0.0001)


def test_its_standard_error_is_that_of_leaving_patients_out():
    counts = fleiss_counts()
    n = len(counts)
    left = np.array([fleiss_kappa(np.delete(counts, at, axis=0)).value for at in range(n)])
    jackknife = np.sqrt((n - 1) / n * ((left - left.mean()) ** 2).sum())
    assert fleiss_kappa(counts).se == pytest.approx(jackknife, rel=0.03)


def test_patients_rated_once_do_not_count_for_fleiss():
    counts = fleiss_counts()
    more = np.vstack([counts, [[1, 0, 0, 0, 0]]])
    assert fleiss_kappa(more) == fleiss_kappa(counts)


@given(arrays(np.int64, (3, 3), elements=st.integers(0, 30)))
def test_kappa_never_leaves_its_range_and_does_not_care_who_is_first(table):
    a, b = cohen_kappa(table), cohen_kappa(table.T)
    assert a.value == pytest.approx(b.value, nan_ok=True)
    assert np.isnan(a.value) or -1 - 1e-9 <= a.value <= 1 + 1e-9


def test_words_become_counts_and_strangers_are_left_out():
    table = confusion(["D", "D", "", "non-D"], ["D", "non-D", "D", "?"], ("D", "non-D"))
    assert table.tolist() == [[1, 1], [0, 0]]
    counts = category_counts([["D", "D", ""], ["non-D", "D", "x"]], ("D", "non-D"))
    assert counts.tolist() == [[2, 0], [1, 1]]


def test_limits_of_agreement_are_those_of_bland_and_altman():
    """1986: mean difference -2.1 (95 % -22.0 to 17.8), SD 38.8, limits -79.7 to 75.5 (2 SD)."""
    found = bland_altman(WRIGHT, MINI, width_sd=2)
    assert found.bias == pytest.approx(-2.1, abs=0.05)
    assert found.sd == pytest.approx(38.8, abs=0.05)
    assert (found.bias_lower, found.bias_upper) == pytest.approx((-22.0, 17.8), abs=0.1)
    assert (found.low_limit, found.high_limit) == pytest.approx((-79.7, 75.5), abs=0.1)
    # They took root of 3 s2/n for the limits' error, which is slightly less.
    assert (found.low_lower, found.high_upper) == pytest.approx((-114.3, 110.1), abs=1.0)


def test_limits_are_drawn_where_the_level_says():
    difference = np.random.default_rng(1).normal(size=4000)
    found = bland_altman(difference, np.zeros(4000))
    inside = (difference > found.low_limit) & (difference < found.high_limit)
    assert inside.mean() == pytest.approx(0.95, abs=0.01)


def test_a_bias_that_grows_with_size_has_a_slope():
    true = np.linspace(10, 90, 30)
    grows = bland_altman(true * 1.2 + np.sin(true), true)
    assert grows.slope == pytest.approx(0.18, abs=0.01)
    assert grows.slope_p < 1e-6
    assert np.isnan(bland_altman([1, 1, 1], [1, 1, 1]).slope)


def test_one_pair_has_no_limits():
    found = bland_altman([3.0], [1.0])
    assert found.bias == 2
    assert np.isnan(found.high_limit)
    assert found.reason


def test_wilsons_interval_is_the_published_one():
    """Newcombe, Stat Med 1998;17:857, table I: 81 of 263 and 0 of 20 (score, no continuity)."""
    assert (wilson(81, 263).lower, wilson(81, 263).upper) == pytest.approx(
        (0.2553, 0.3662), abs=5e-5
    )
    assert (wilson(0, 20).lower, wilson(0, 20).upper) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert np.isnan(wilson(0, 0).value)


@pytest.mark.parametrize("share", [33.3, 100 / 3, 99.9, 0.1])
def test_equal_readings_agree_on_nothing_whatever_adding_up_leaves(share):
    """The mean of 33.3, 33.3 and 33.3 is not 33.3 in binary numbers."""
    found = icc_a1(np.full((7, 3), share))
    assert np.isnan(found.value)
    assert "the same" in found.reason


def test_a_constant_difference_has_no_slope_whatever_subtracting_leaves():
    shares = np.arange(7) * 0.1
    found = bland_altman(shares + 0.2, shares)
    assert found.sd == 0
    assert np.isnan(found.slope_p)
    assert "the same" in found.reason
