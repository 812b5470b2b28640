import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa._tests.core.cohort.cox.drawn import draw, gradient, hessian, slow_loglik
from napari_crlm_spa.core.cohort.cox.partial_likelihood import PartialLikelihood
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.errors import SurvivalDataError

COEF = np.array([0.7, -0.4, 0.2])


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("digits", [0, 1, 6])
@pytest.mark.parametrize("seed", range(4))
def test_value_score_and_information_are_those_of_the_formula_in_loops(seed, digits, ties):
    survival, frame = draw(seed, digits=digits)
    x = frame.to_numpy()
    likelihood = PartialLikelihood(survival, x, ties=ties)

    def slow(coef):
        return slow_loglik(survival, x, coef, ties=ties)

    value, score, information = likelihood.at(COEF)
    assert value == pytest.approx(slow(COEF), rel=1e-12)
    assert likelihood.loglik(COEF) == pytest.approx(value, rel=1e-14)
    assert score == pytest.approx(gradient(slow, COEF), abs=1e-6)
    assert information == pytest.approx(-hessian(slow, COEF), rel=1e-4, abs=1e-4)


def test_weighted_sums_add_up_each_deaths_own_score_and_information():
    survival, frame = draw(3)
    likelihood = PartialLikelihood(survival, frame)
    deaths = survival.n_events
    parts = [likelihood.weighted(COEF, unit) for unit in np.eye(deaths)]
    g = np.random.default_rng(0).normal(size=deaths)
    score, information = likelihood.weighted(COEF, g)
    assert score == pytest.approx(sum(w * u for w, (u, _) in zip(g, parts, strict=True)))
    assert information == pytest.approx(sum(w * v for w, (_, v) in zip(g, parts, strict=True)))


def test_ties_do_not_matter_where_there_are_none():
    survival, frame = draw(1, digits=9)
    assert len(np.unique(survival.time)) == len(survival)
    efron, breslow = (
        PartialLikelihood(survival, frame, ties=ties).maximize() for ties in ("efron", "breslow")
    )
    assert efron.coef == pytest.approx(breslow.coef, rel=1e-12)


@given(seed=st.integers(0, 10_000), order=st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_the_order_of_patients_does_not_matter(seed, order):
    survival, frame = draw(seed, n=40)
    shuffled = list(range(40))
    order.shuffle(shuffled)
    one = PartialLikelihood(survival, frame).maximize()
    other = PartialLikelihood(survival.take(shuffled), frame.iloc[shuffled]).maximize()
    assert one.converged == other.converged
    if one.converged:
        assert other.coef == pytest.approx(one.coef, rel=1e-9, abs=1e-12)
        assert other.loglik == pytest.approx(one.loglik, rel=1e-12)


@given(
    seed=st.integers(0, 10_000),
    shift=st.floats(-1e7, 1e7),
    scale=st.sampled_from([1e-6, 1e-3, -1.0, 30.4375, 1e6]),
)
@settings(max_examples=25, deadline=None)
def test_units_and_offsets_of_a_column_change_its_coefficient_alone(seed, shift, scale):
    survival, frame = draw(seed, n=60)
    one = PartialLikelihood(survival, frame).maximize()
    moved = frame.copy()
    moved["x0"] = (frame["x0"] + shift) * scale
    other = PartialLikelihood(survival, moved).maximize()
    expected = one.coef / np.array([scale, 1, 1])
    assert other.converged == one.converged
    if one.converged:
        # Adding 10 million to a column costs it seven of its sixteen digits.
        assert other.coef == pytest.approx(expected, rel=1e-6, abs=1e-7 * abs(expected).max())


def test_the_maximum_is_one_to_the_last_digits():
    for seed in range(20):
        survival, frame = draw(seed, n=120)
        likelihood = PartialLikelihood(survival, frame)
        found = likelihood.maximize()
        _, score, information = likelihood.at(found.coef)
        assert np.abs(np.linalg.solve(information, score)).max() < 1e-13
        again = likelihood.maximize(start=found.coef + 0.5)
        assert again.coef == pytest.approx(found.coef, rel=1e-10, abs=1e-12)


def test_one_death_has_the_likelihood_of_one_draw():
    x = np.array([0.3, -1.0, 2.0, 0.0])
    survival = Survival.of([5, 1, 3, 4], [0, 0, 1, 0])
    likelihood = PartialLikelihood(survival, x)
    weight = np.exp(1.5 * x[[0, 2, 3]])
    assert likelihood.loglik([1.5]) == pytest.approx(1.5 * 2.0 - np.log(weight.sum()))


def test_all_deaths_at_one_time_in_closed_form():
    x = np.array([0.0, 0.0, 1.0, 1.0])
    survival = Survival.of(np.full(4, 7.0), [1, 0, 1, 0])
    r = np.exp(0.8)
    risk, tied = 2 + 2 * r, 1 + r
    efron = 0.8 - np.log(risk) - np.log(risk - tied / 2)
    assert PartialLikelihood(survival, x).loglik([0.8]) == pytest.approx(efron)
    breslow = 0.8 - 2 * np.log(risk)
    assert PartialLikelihood(survival, x, ties="breslow").loglik([0.8]) == pytest.approx(breslow)
    assert PartialLikelihood(survival, x).maximize().coef == pytest.approx([0.0], abs=1e-12)


def test_two_exponential_groups_in_closed_form():
    # One death in either group while two and one are at risk: 1/(1+2r) * r/(1+r), r = sqrt(1/2).
    survival = Survival.of([1, 2, 3], [1, 1, 0])
    found = PartialLikelihood(survival, [0.0, 1.0, 0.0]).maximize()
    first = PartialLikelihood(survival, [0.0, 1.0, 0.0])
    assert found.coef == pytest.approx([0.5 * np.log(2)], abs=1e-12)
    r = np.sqrt(2.0)
    assert found.loglik == pytest.approx(np.log(1 / (2 + r) * r / (1 + r)), rel=1e-14)
    assert first.at(found.coef)[1] == pytest.approx([0.0], abs=1e-14)


def test_no_covariates_leave_the_null_likelihood():
    survival, _ = draw(0)
    found = PartialLikelihood(survival, np.empty((len(survival), 0))).maximize()
    assert found.converged and found.coef.shape == (0,)
    slow = slow_loglik(survival, np.zeros((len(survival), 1)), np.zeros(1))
    assert found.loglik == pytest.approx(slow)
    assert found.loglik == found.loglik_null


@pytest.mark.parametrize("share", [0.01, 0.05, 0.5])
def test_a_group_without_deaths_runs_away_however_small(share):
    survival, frame = draw(5, n=400)
    alive = np.flatnonzero(~survival.event)
    spared = np.zeros(400)
    spared[alive[: max(2, int(share * len(alive)))]] = 1
    found = PartialLikelihood(survival, np.column_stack([frame["x0"], spared])).maximize()
    assert list(found.runs_away) == [False, True]
    assert not found.converged
    # What is left is the limit: those patients are in no risk set any more.
    kept = spared == 0
    alone = PartialLikelihood(survival.take(kept), frame.loc[kept, ["x0"]]).maximize()
    assert found.coef[0] == pytest.approx(alone.coef[0], rel=1e-6)
    assert found.loglik == pytest.approx(alone.loglik, abs=1e-6)


def test_columns_that_separate_only_together_run_away_together():
    # Dead where a + b = 1, alive where both are 0; either column has deaths on both sides.
    a, b = np.array([1, 0, 1, 0, 0, 0, 0, 0.0]), np.array([0, 1, 0, 1, 0, 0, 0, 0.0])
    survival = Survival.of(np.arange(1, 9), [1, 1, 1, 1, 0, 0, 0, 0])
    found = PartialLikelihood(survival, np.column_stack([a, b])).maximize()
    assert found.runs_away.all()


@pytest.mark.parametrize("n", [2, 20, 200, 2000])
def test_a_column_that_orders_all_deaths_runs_away_without_overflow(n):
    time = np.arange(1.0, n + 1)
    survival = Survival.of(time, np.ones(n))
    with np.errstate(all="raise", under="ignore"):
        found = PartialLikelihood(survival, -time).maximize()
    assert found.runs_away.all()
    assert found.loglik_null < found.loglik < 0
    if n <= 20:
        assert found.loglik == pytest.approx(0, abs=1e-9)


def test_columns_that_are_nearly_copies_have_a_maximum():
    survival, frame = draw(9, n=200)
    x = frame["x0"].to_numpy()
    noise = np.random.default_rng(1).normal(size=200)
    found = PartialLikelihood(survival, np.column_stack([x, x + 1e-4 * noise])).maximize()
    assert found.converged
    assert np.linalg.inv(found.information)[0, 0] ** 0.5 > 100


def test_a_strong_effect_does_not_run_away():
    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    survival = Survival.of(rng.exponential(np.exp(-3 * x)), np.ones(300))
    found = PartialLikelihood(survival, x).maximize()
    assert found.converged
    assert found.coef[0] == pytest.approx(3, abs=0.5)


def test_a_patient_who_left_before_the_first_death_moves_nothing():
    survival, frame = draw(2, n=60)
    without = PartialLikelihood(survival, frame).maximize()
    early = Survival.of(np.append(survival.time + 1, 0.5), np.append(survival.event, False))
    for value in (1.0, 1e12):
        x = np.vstack([frame.to_numpy(), np.full(3, value)])
        assert PartialLikelihood(early, x).maximize().coef == pytest.approx(without.coef, rel=1e-12)


def test_constant_and_dependent_columns_are_named():
    survival, frame = draw(4, n=100)
    x = np.column_stack(
        [
            np.full(100, 0.1),
            frame["x0"],
            3 * frame["x0"] - 2,
            frame["x1"],
            frame["x0"] + 1e4 * frame["x1"],
            frame["x0"] + 1e-3 * frame["x2"],
        ]
    )
    likelihood = PartialLikelihood(survival, x)
    found = likelihood.maximize()
    assert not found.converged
    kept = likelihood.independent(found.information_null)
    assert list(kept) == [False, True, False, True, False, True]


def test_times_that_differ_by_rounding_are_tied():
    survival, frame = draw(6, n=50)
    noisy = survival.time * (1 + 1e-13 * np.random.default_rng(0).normal(size=50))
    one = PartialLikelihood(survival, frame).maximize()
    other = PartialLikelihood(Survival(noisy, survival.event), frame).maximize()
    assert other.coef == pytest.approx(one.coef, rel=1e-9)


def test_the_baseline_is_that_of_a_patient_with_zeros():
    survival, frame = draw(7)
    coef = np.array([0.5, -0.2, 0.1])
    times, hazard = PartialLikelihood(survival, frame).baseline(coef)
    assert np.array_equal(times, np.unique(survival.time[survival.event]))
    assert (np.diff(hazard) > 0).all()
    moved = PartialLikelihood(survival, frame + 10).baseline(coef)[1]
    assert moved == pytest.approx(hazard * np.exp(-10 * coef.sum()))
    # Without covariates: Nelson and Aalen's, with Efron's (here Fleming and Harrington's) ties.
    times, hazard = PartialLikelihood(survival, np.empty((80, 0))).baseline([])
    expected, total = [], 0.0
    for time in times:
        at_risk = (survival.time >= time).sum()
        deaths = ((survival.time == time) & survival.event).sum()
        total += sum(1 / (at_risk - place) for place in range(deaths))
        expected.append(total)
    assert hazard == pytest.approx(expected)


def test_schoenfeld_residuals_sum_to_the_score():
    survival, frame = draw(8, digits=0)
    likelihood = PartialLikelihood(survival, frame)
    for coef in (COEF, likelihood.maximize().coef):
        score = likelihood.at(coef)[1]
        assert likelihood.residuals(coef).sum(axis=0) == pytest.approx(score, abs=1e-10)


def test_means_are_in_the_units_of_the_columns():
    survival = Survival.of([1, 2], [1, 0])
    rows = PartialLikelihood(survival, [[100.0], [104.0]]).rows([0.0])
    assert rows.mean == pytest.approx(np.array([[102.0]]))
    assert list(rows.patient) == [0]


@pytest.mark.parametrize(
    ("event", "x", "words"),
    [
        ([0, 0], [1.0, 2.0], "needs deaths"),
        ([1, 0], [1.0, np.nan], "holes"),
        ([1, 0], [1.0], "2 patients"),
    ],
)
def test_what_has_no_likelihood_is_refused(event, x, words):
    with pytest.raises(SurvivalDataError, match=words):
        PartialLikelihood(Survival.of([1, 2], event), x)
