import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from napari_crlm_spa.core.cohort.cutpoints.gaussian_chain import exceedance
from napari_crlm_spa.core.cohort.cutpoints.pvalues import exact_gauss, lau92, lau94, monte_carlo
from napari_crlm_spa.core.risk.maxstat import logrank_scores, maxstat_cutoff


def finish(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def correlation(sizes, n):
    low, high = np.minimum.outer(sizes, sizes), np.maximum.outer(sizes, sizes)
    return np.sqrt(low * (n - high) / (high * (n - low)))


def test_one_cutoff_is_a_plain_normal_test():
    assert exact_gauss(1.959963984540054, [40], 100) == pytest.approx(0.05, abs=1e-15)


@pytest.mark.parametrize("sizes", [(10, 30), (50, 51), (10, 90)])
@pytest.mark.parametrize("bound", [0.3, 1.5, 3.0, 5.0])
def test_two_cutoffs_equal_the_bivariate_normal_distribution(sizes, bound):
    rho = correlation(np.array(sizes, float), 100)[0, 1]
    sd = np.sqrt(1 - rho**2)

    def beyond(z):
        return stats.norm.pdf(z) * (
            stats.norm.sf((bound - rho * z) / sd) + stats.norm.cdf((-bound - rho * z) / sd)
        )

    inner = integrate.quad(beyond, -bound, bound, epsabs=0, epsrel=1e-12, limit=500)[0]
    expected = 2 * stats.norm.sf(bound) + inner
    assert exact_gauss(bound, sizes, 100) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("bound", [1.2, 2.4, 3.2])
def test_few_cutoffs_equal_the_multivariate_normal_distribution(bound):
    sizes = np.array([12.0, 20, 21, 33, 60])
    normal = stats.multivariate_normal(
        cov=correlation(sizes, 80), abseps=1e-6, releps=1e-6, maxpts=500_000, seed=1
    )
    inside = normal.cdf(np.full(5, bound), lower_limit=np.full(5, -bound))
    assert exact_gauss(bound, sizes, 80) == pytest.approx(1 - inside, abs=1e-5)


@pytest.mark.parametrize("n", [20, 500, 2000])
@pytest.mark.parametrize("bound", [0.2, 1.0, 3.0, 6.0])
def test_finer_integration_changes_nothing(n, bound):
    sizes = np.arange(n // 10, n - n // 10 + 1)
    if n == 2000:
        sizes = sizes[::2] if bound == 6 else sizes[:700]
    coarse = exceedance(bound, sizes, n)
    assert exceedance(bound, sizes, n, refine=2) == pytest.approx(coarse, rel=1e-11)


def test_uneven_steps_between_cutoffs_are_integrated_as_well():
    sizes = np.array([30.0, 31, 32, 200, 201, 280, 299])
    coarse = exceedance(3.0, sizes, 330)
    assert exceedance(3.0, sizes, 330, refine=3) == pytest.approx(coarse, rel=1e-12)


def test_exact_p_agrees_with_a_simulated_chain_of_two_thousand_cutoffs():
    # Standardized Brownian bridge at m/n has exactly these correlations.
    n, bound, draws = 2200, 2.8, 4000
    m = np.arange(100, 2101)
    generator = np.random.default_rng(5)
    reached = 0
    for _ in range(draws // 500):
        walk = np.cumsum(generator.standard_normal((500, n)), axis=1)
        bridge = walk[:, m - 1] - m / n * walk[:, -1:]
        reached += (np.abs(bridge / np.sqrt(m * (n - m) / n)).max(axis=1) > bound).sum()
    p = exact_gauss(bound, m, n)
    assert abs(reached / draws - p) < 4 * np.sqrt(p * (1 - p) / draws)


def test_tiny_p_values_keep_their_digits():
    sizes = np.arange(50, 451)
    ratios = [exact_gauss(b, sizes, 500) / lau92(b, 0.1) for b in (6.0, 9.0, 12.0, 20.0)]
    assert all(0.1 < ratio < 1 for ratio in ratios), ratios
    assert exact_gauss(20, sizes, 500) < 1e-80


@settings(max_examples=25, deadline=None)
@given(
    st.sets(st.integers(1, 59), min_size=1, max_size=20),
    st.floats(0.05, 5),
    st.floats(0.01, 2),
)
def test_exact_p_falls_with_the_statistic_and_lies_within_bonferroni(sizes, bound, more):
    sizes = sorted(sizes)
    p = exact_gauss(bound, sizes, 60)
    single = 2 * stats.norm.sf(bound)
    assert single * (1 - 1e-12) <= p <= min(1, len(sizes) * single) * (1 + 1e-12)
    assert exact_gauss(bound + more, sizes, 60) <= p * (1 + 1e-12)


def test_more_cutoffs_cost_more():
    few, many = np.arange(20, 81, 10), np.arange(20, 81)
    assert exact_gauss(2.5, few, 100) < exact_gauss(2.5, many, 100)


def test_approximations_stay_probabilities():
    for b in (0.0, 0.5, 1.0, 1.5, 4.0, 9.0, 40.0):
        assert 0 <= lau92(b, 0.1) <= 1
        assert 0 <= lau94(b, [10, 50, 90], 100) <= 1
    assert lau92(3, 0.0) == 1


def test_approximations_are_near_the_exact_p_for_usual_sizes():
    # For few, distant cut-offs Lau94 is made; Lau92 for all of them.
    assert lau94(3.0, [40, 50, 60], 100) == pytest.approx(
        exact_gauss(3.0, [40, 50, 60], 100), rel=0.03
    )
    assert lau92(3.0, 0.1) == pytest.approx(exact_gauss(3.0, np.arange(200, 1801), 2000), rel=0.15)


def test_permutations_count_the_observed_order():
    scores = logrank_scores([1, 2, 3, 4, 5], [1, 1, 0, 1, 1])
    p = finish(monte_carlo([100.0], [[1, 2, 3]], scores, resamples=99, seed=1))
    assert p[0] == 1 / 100


def test_permutation_p_is_the_share_of_all_orders():
    import itertools

    scores = logrank_scores([1, 2, 3, 4, 5, 6], [1, 0, 1, 1, 1, 1])
    n, m = 6, np.arange(1, 6)
    spread = n * (scores**2).sum() - scores.sum() ** 2
    paths = np.cumsum(np.array(list(itertools.permutations(scores)))[:, :-1], axis=1)
    z = np.abs(paths - m / n * scores.sum()) / np.sqrt(m * (n - m) / (n**2 * (n - 1)) * spread)
    maxima = z[:, 1:4].max(axis=1)
    observed = np.sort(maxima)[600]
    exact = (maxima >= observed - 1e-9).mean()
    p = finish(monte_carlo([observed], [[2, 3, 4]], scores, resamples=20_000, seed=3))
    assert p[0] == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 20_000))


def test_more_permutations_begin_with_the_same_ones():
    scores = logrank_scores(np.arange(30), np.arange(30) % 3 > 0)
    counts = [
        (1 + r) * finish(monte_carlo([2.0], [np.arange(3, 27)], scores, resamples=r, seed=7))[0] - 1
        for r in (150, 151, 350)
    ]
    assert 0 <= counts[1] - counts[0] <= 1 + 1e-9
    assert counts[1] <= counts[2]


def test_p_values_are_uniform_where_there_is_no_effect():
    """400 cohorts without any effect: 5 % of the p values lie below 0.05, but far more of the
    log-rank p values at the best cut-off do."""
    generator = np.random.default_rng(11)
    exact, naive, n = [], [], 120
    for _ in range(400):
        time, event = generator.exponential(1, n), generator.random(n) < 0.6
        found = maxstat_cutoff(generator.random(n), time, event)
        exact.append(exact_gauss(found.statistic, np.arange(12, 109), n))
        naive.append(2 * stats.norm.sf(found.statistic))
    share = np.mean(np.array(exact) < 0.05)
    assert 0.02 < share < 0.075  # asymptotic p values err on the safe side in small cohorts
    assert np.mean(np.array(naive) < 0.05) > 0.3
