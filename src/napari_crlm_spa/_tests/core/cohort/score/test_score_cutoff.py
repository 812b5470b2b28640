import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa.core.cohort.cox.hazard_ratio import hazard_ratio
from napari_crlm_spa.core.cohort.cutpoints.two_groups import (
    chisq1_p,
    logrank_chisq,
)
from napari_crlm_spa.core.cohort.score import (
    ScoreOptions,
    linear_score,
    score_cutoff_table,
    search_cutoff,
)
from napari_crlm_spa.core.cohort.score.grids import (
    code_grid,
    quantile_grid,
    quantile_type7,
    significant,
    value_grid,
)
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.errors import CohortError, CrlmSpaError, RiskError


def cohort(n=60, seed=3, atoms=None):
    generator = np.random.default_rng(seed)
    score = generator.normal(size=n) if atoms is None else generator.choice(atoms, n)
    time = generator.exponential(20 * np.exp(-score))
    return score, Survival.of(np.ceil(time), generator.random(n) < 0.7)


def every_cutoff(score, low, high, steps):
    """All cut-offs of the authors' loop, one by one."""
    q = quantile_type7(score, np.array([low, high]))
    count = int(np.floor((significant(q[1]) - significant(q[0])) / (1 / steps)))
    return [q[0] + i / steps for i in range(1, count + 1)]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(-40, 40), min_size=6, max_size=25),
    st.sampled_from([0.1, 0.037, 1.0, 1 / 3]),
    st.sampled_from([10, 37, 100]),
)
def test_the_grid_is_the_first_cutoff_of_each_split_of_the_authors_loop(whole, unit, steps):
    score = np.array(whole) * unit
    firsts = {}
    for cutoff in every_cutoff(score, 0.1, 0.9, steps):
        n_high = int((score >= cutoff).sum())
        if 0 < n_high < len(score):
            firsts.setdefault(n_high, cutoff)
    assert code_grid(score, 0.1, 0.9, steps).cutoffs.tolist() == sorted(firsts.values())


@pytest.mark.parametrize("atoms", [None, [-0.7, -0.35, 0.1, 0.4], [0.0, 1.0]])
def test_the_code_rule_equals_the_loop_that_tries_everything(atoms):
    score, survival = cohort(80, atoms=atoms)
    tried = every_cutoff(score, 0.1, 0.9, 100)
    p = [hazard_ratio(survival, score >= cutoff).p_wald for cutoff in tried]
    found = search_cutoff(score, survival, ScoreOptions(steps=100))
    assert found.cutoff == tried[int(np.nanargmin(p))]
    assert found.p == np.nanmin(p)


@pytest.mark.parametrize("atoms", [None, [-0.7, -0.35, 0.1, 0.4]])
@pytest.mark.parametrize("rule", ["text", "text_values"])
def test_the_text_rule_equals_the_loop_that_tries_everything(rule, atoms):
    score, survival = cohort(80, atoms=atoms)
    if rule == "text":
        tried = quantile_type7(score, np.linspace(0.2, 0.8, 1001))
    else:
        tried = np.linspace(*quantile_type7(score, np.array([0.2, 0.8])), 1001)
    p = [float(chisq1_p(logrank_chisq(survival, score >= cutoff))) for cutoff in tried]
    found = search_cutoff(score, survival, ScoreOptions(rule=rule))
    assert found.cutoff == tried[int(np.nanargmin(p))]
    assert found.p == pytest.approx(np.nanmin(p), rel=1e-12)
    assert found.test == "log-rank"


def test_the_published_cutoff_is_the_first_step_above_a_score():
    """The authors' -0.346837 is one step of their search above the score -0.347 of a patient with
    only many distal hepatocytes."""
    atoms = np.array([-0.733, -0.386, -0.347, -0.301, 0.085, 0.421])
    score = np.repeat(atoms, 20)
    generator = np.random.default_rng(1)
    time = generator.exponential(np.where(score > -0.32, 5, 60))
    found = search_cutoff(score, Survival.of(time, np.ones(120)))
    assert -0.347 < found.cutoff <= -0.347 + 1e-4 + 1e-12
    assert (found.below, found.above) == (-0.347, -0.301)
    assert (found.n_low, found.n_high) == (60, 60)


def test_high_is_at_or_above_the_cutoff_and_holes_stay_holes():
    score, survival = cohort()
    found = search_cutoff(score, survival, ScoreOptions(rule="fixed", cutoff=0.25))
    assert found.is_high([0.25, np.nextafter(0.25, 0), np.nan, 3]).tolist()[:2] == [1, 0]
    assert np.isnan(found.is_high([np.nan])[0])
    assert found.n_high == (score >= 0.25).sum()
    assert len(found.path) == 0


def test_patients_without_a_score_are_left_out_and_counted():
    score, survival = cohort()
    holed = np.append(score, [np.nan, np.nan])
    longer = Survival.of(np.append(survival.time, [1, 2]), np.append(survival.event, [1, 1]))
    alone, found = search_cutoff(score, survival), search_cutoff(holed, longer)
    assert (found.cutoff, found.p) == (alone.cutoff, alone.p)
    assert found.n_missing == 2
    assert "2 patients have no score" in found.note


def test_the_path_holds_each_split_once_and_its_best_is_the_cutoff():
    score, survival = cohort(100, atoms=np.arange(6) / 7)
    for rule in ("code", "text", "text_values"):
        found = search_cutoff(score, survival, ScoreOptions(rule=rule))
        sizes = [(score >= cutoff).sum() for cutoff in found.path.cutoff]
        assert len(set(sizes)) == len(sizes)
        assert found.path.cutoff[found.path.p.idxmin()] == found.cutoff
        assert found.path.cutoff.is_monotonic_increasing


def test_equal_scores_cannot_be_divided():
    survival = cohort()[1]
    for rule in ("code", "text", "median"):
        with pytest.raises(RiskError, match=r"0\.5 in all 60 patients"):
            search_cutoff(np.full(60, 0.5), survival, ScoreOptions(rule=rule))


def test_a_score_that_hardly_varies_says_what_to_widen():
    score, survival = cohort()
    rare = np.where(np.arange(60) == 0, 1.0, 0.0)
    for rule in ("code", "text", "text_values"):
        with pytest.raises(RiskError, match="Widen the range"):
            search_cutoff(rare, survival, ScoreOptions(rule=rule))
    with pytest.raises(RiskError, match="smaller steps"):
        search_cutoff(score * 1e-9, survival, ScoreOptions(steps=10))


def test_splits_without_deaths_on_a_side_are_no_candidates():
    score = np.repeat([0.0, 1.0, 2.0], 10)
    event = np.concatenate([np.zeros(10), np.ones(20)])
    survival = Survival.of(np.random.default_rng(1).permutation(30) + 1, event)
    found = search_cutoff(score, survival)
    assert 1 < found.cutoff <= 2
    assert found.path.p.isna().tolist() == [True, False]
    assert "1 splits could not be judged" in found.note


def test_only_splits_without_deaths_on_a_side_is_an_error():
    score = np.repeat([0.0, 1.0], 10)
    survival = Survival.of(np.arange(20), np.repeat([0, 1], 10))
    with pytest.raises(RiskError, match="has deaths on both sides"):
        search_cutoff(score, survival)
    fixed = search_cutoff(score, survival, ScoreOptions(rule="fixed", cutoff=0.5))
    assert np.isnan(fixed.hr)
    assert "no hazard ratio" in fixed.note


def test_a_median_split_puts_the_median_high():
    found = search_cutoff(
        [0, 1, 1, 2], Survival.of([1, 2, 3, 4], [1, 1, 1, 1]), ScoreOptions(rule="median")
    )
    assert (found.cutoff, found.n_low, found.n_high) == (1, 1, 3)


@pytest.mark.parametrize(
    "options",
    [{"rule": "fixed"}, {"low": 0.9, "high": 0.1}, {"rule": "best"}, {"low": -1}, {"steps": 0}],
)
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(CrlmSpaError):
        search_cutoff(*cohort(), ScoreOptions(**options))


def test_scores_of_nobody_or_without_deaths_are_refused():
    score, survival = cohort()
    with pytest.raises(RiskError, match="No patient has a score"):
        search_cutoff(np.full(60, np.nan), survival)
    with pytest.raises(RiskError, match="died"):
        search_cutoff(score, Survival.of(survival.time, np.zeros(60)))
    with pytest.raises(RiskError, match="59 scores for 60"):
        search_cutoff(score[1:], survival)


def test_the_table_has_the_columns_of_the_study():
    score, survival = cohort()
    rules = [search_cutoff(score, survival, ScoreOptions(rule=r)) for r in ("code", "median")]
    table = score_cutoff_table(rules, used="median")
    assert " ".join(table.columns) == (
        "rule cutoff p test n_low n_high hr hr_lower95 hr_upper95 used note"
    )
    assert table.used.tolist() == [False, True]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30), st.floats(0, 1))
def test_quantiles_equal_numpys_to_rounding(values, probability):
    ours = quantile_type7(np.array(values), np.array([probability]))[0]
    assert ours == pytest.approx(np.quantile(values, probability), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (-0.3468371, -0.346837),
        (123456.7, 123457),
        (1234567.0, 1234570),
        (0.0, 0),
        (2e-7 / 3, 6.66667e-8),
    ],
)
def test_six_digits_are_kept_like_r(value, rounded):
    assert significant(value) == pytest.approx(rounded, rel=1e-15)


def test_grids_of_the_text_have_1001_points():
    score = np.sort(cohort()[0])
    assert quantile_grid(score, 0.2, 0.8, 1000).tried == 1001
    assert value_grid(score, 0.2, 0.8, 1000).tried == 1001


def test_fine_steps_over_a_wide_score_need_no_long_list():
    score, survival = cohort()
    found = search_cutoff(score * 1e4, survival, ScoreOptions(steps=1_000_000))
    assert found.n_high == search_cutoff(score, survival, ScoreOptions(steps=1_000_000)).n_high


def test_linear_score_is_not_centered_and_equal_patients_score_equally():
    import pandas as pd

    generator = np.random.default_rng(0)
    frame = pd.DataFrame(generator.integers(0, 2, (999, 7)).astype(float), columns=list("abcdefg"))
    coefficients = dict(zip(frame, generator.normal(size=7), strict=True))
    score = linear_score(frame, coefficients)
    assert score == pytest.approx(frame.to_numpy() @ np.array(list(coefficients.values())))
    assert len(np.unique(score)) == len(frame.drop_duplicates())


def test_linear_score_has_holes_where_a_feature_has_and_names_what_is_wrong():
    import pandas as pd

    frame = pd.DataFrame({"a": [1.0, np.nan], "b": [np.nan, 1.0]})
    score = linear_score(frame, {"a": 2.0, "b": 0.0})
    assert score[0] == 2
    assert np.isnan(score[1])
    with pytest.raises(CohortError, match="'c'"):
        linear_score(frame, {"c": 1})
    with pytest.raises(RiskError, match="coefficient of a"):
        linear_score(frame, {"a": np.nan})
