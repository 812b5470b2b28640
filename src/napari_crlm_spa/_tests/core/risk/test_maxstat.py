import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa._tests.r_reference import reference_table
from napari_crlm_spa.core.risk import logrank_scores, maxstat_cutoff

ROWS = reference_table("a_maxstat.csv").to_dict("records")
PATHS = [
    ("colon", "age"),
    ("colon", "nodes"),
    ("lung", "age"),
    ("lung", "meal_cal"),
    ("lung", "pat_karno"),
    ("lung", "ph_karno"),
    ("lung", "wt_loss"),
]


def survival(dataset, variable):
    table = reference_table(f"{dataset}_os.csv")
    table = table[table[variable].notna()]
    return table[variable], table["time"], table["status"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['variable']}-{row['minprop']}")
def test_cutoffs_equal_those_of_r(row):
    """R: surv_cutpoint(d, time, event, variables = "x", minprop = minprop)."""
    found = maxstat_cutoff(*survival(row["dataset"], row["variable"]), row["minprop"])
    assert found.cutoff == row["cutpoint"]
    assert found.statistic == pytest.approx(row["statistic"], rel=1e-13)
    assert (found.n_low, found.n_high) == (row["n_low"], row["n_high"])


@pytest.mark.parametrize(("dataset", "variable"), PATHS)
def test_the_statistic_of_every_candidate_equals_rs(dataset, variable):
    path = reference_table(f"{dataset}_{variable}_path.csv")
    found = maxstat_cutoff(*survival(dataset, variable))
    assert np.array_equal(found.candidates, path["cut"])
    assert found.statistics == pytest.approx(path["stat"], rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("dataset", ["colon", "lung"])
def test_logrank_scores_equal_those_of_r(dataset):
    """R: exactRankTests::cscores(Surv(time, status), type = "LogRank", int = FALSE)."""
    expected = reference_table(f"a_logrank_scores_{dataset}.csv")
    found = logrank_scores(expected["time"], expected["status"])
    assert found == pytest.approx(expected["score"], abs=1e-14)


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 8), st.integers(1, 9), st.booleans()), min_size=4, max_size=25
    ),
    minprop=st.sampled_from([0.05, 0.1, 0.3]),
)
@settings(max_examples=80, deadline=None)
def test_the_best_split_equals_a_loop_over_all_splits(rows, minprop):
    x, time, event = (np.array(column, float) for column in zip(*rows, strict=True))
    n = len(x)
    scores = []
    for t, d in zip(time, event, strict=True):
        later = [event[j] / (n - (time <= time[j]).sum() + 1) for j in range(n) if time[j] <= t]
        scores.append(d - sum(later))
    scores = np.array(scores)
    best = None
    for cut in np.unique(x)[:-1]:
        m = int((x <= cut).sum())
        if not max(1, int(n * minprop)) <= m <= int(np.floor(n * (1 - minprop))):
            continue
        spread = n * (scores**2).sum() - scores.sum() ** 2
        variance = m * (n - m) / (n**2 * (n - 1)) * spread
        if variance <= 1e-12:
            continue
        value = abs(scores[x <= cut].sum() - m / n * scores.sum()) / np.sqrt(variance)
        best = value if best is None else max(best, value)
    found = maxstat_cutoff(x, time, event, minprop)
    if best is None:
        assert found is None
    else:
        assert found.statistic == pytest.approx(best, rel=1e-9, abs=1e-9)


def test_without_deaths_or_differences_there_is_no_cutoff():
    time = np.arange(1.0, 21)
    assert maxstat_cutoff(np.arange(20), time, np.zeros(20)) is None
    assert maxstat_cutoff(np.ones(20), time, np.ones(20)) is None
    assert maxstat_cutoff([0] * 19 + [1], time, np.ones(20), 0.1) is None


def test_the_order_of_the_patients_does_not_matter():
    x, time, event = survival("lung", "age")
    order = np.random.default_rng(0).permutation(len(x))
    shuffled = [np.asarray(column)[order] for column in (x, time, event)]
    assert maxstat_cutoff(*shuffled).cutoff == maxstat_cutoff(x, time, event).cutoff
