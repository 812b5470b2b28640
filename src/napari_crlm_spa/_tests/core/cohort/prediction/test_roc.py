import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from napari_crlm_spa._tests.core.cohort.prediction.drawn import drawn_cohort
from napari_crlm_spa.core.cohort.prediction.roc import time_roc
from napari_crlm_spa.core.cohort.prediction.roc_compare import adjusted_p, compare_rocs
from napari_crlm_spa.core.cohort.prediction.roc_tables import roc_tables
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.errors import SurvivalDataError

patients = st.lists(
    st.tuples(st.integers(0, 12), st.booleans(), st.integers(-3, 3)), min_size=2, max_size=40
)


def g_before(survival, time):
    """The chance of not being censored before a time, one factor per censored time."""
    value = 1.0
    for s in np.unique(survival.time[~survival.event]):
        if s < time:
            at_s = survival.time == s
            at_risk = (survival.time >= s).sum() - (at_s & survival.event).sum()
            value *= 1 - (at_s & ~survival.event).sum() / at_risk
    return value


def auc_by_pairs(marker, survival, time):
    above = total = 0.0
    for i in np.flatnonzero(survival.event & (survival.time < time)):
        weight = 1 / g_before(survival, survival.time[i])
        for j in np.flatnonzero(survival.time > time):
            above += weight * ((marker[i] > marker[j]) + 0.5 * (marker[i] == marker[j]))
            total += weight
    return above / total if total else np.nan


@given(patients)
@settings(max_examples=150, deadline=None)
def test_area_is_the_weighted_share_of_pairs_in_the_right_order(rows):
    time, event, marker = (np.array(column, float) for column in zip(*rows, strict=True))
    survival = Survival.of(time, event)
    roc = time_roc(marker, survival, [3, 6.5])
    expected = [auc_by_pairs(marker, survival, t) for t in (3, 6.5)]
    np.testing.assert_allclose(roc.auc, expected, atol=1e-12)
    assert (roc.cases + roc.controls + roc.censored == len(rows)).all()
    for area, curve in zip(roc.auc, roc.curves, strict=True):
        if curve is not None:
            heights = (curve.true_positive_rate[1:] + curve.true_positive_rate[:-1]) / 2
            assert heights @ np.diff(curve.false_positive_rate) == pytest.approx(area, abs=1e-12)
            assert curve.true_positive_rate[-1] == pytest.approx(1)
            assert (np.diff(curve.threshold) < 0).all()


@pytest.mark.parametrize("tied", [False, True])
def test_without_censoring_the_area_is_mann_whitney(tied):
    frame, survival = drawn_cohort(1, tied=tied, censored=False)
    marker = np.round(frame["b"].to_numpy(), 1)
    dead, alive = survival.time < 50.5, survival.time > 50.5
    u = mannwhitneyu(marker[dead], marker[alive]).statistic
    area = time_roc(marker, survival, 50.5).auc[0]
    assert area == pytest.approx(u / dead.sum() / alive.sum(), abs=1e-12)


def test_only_the_order_of_a_marker_counts():
    frame, survival = drawn_cohort(2, tied=True)
    marker = np.round(frame["b"].to_numpy(), 1)
    plain = time_roc(marker, survival, [30, 60])
    bent = time_roc(np.exp(marker) + 7, survival, [30, 60])
    np.testing.assert_allclose(bent.auc, plain.auc, atol=1e-14)
    np.testing.assert_allclose(bent.se, plain.se, rtol=1e-12)
    np.testing.assert_allclose(time_roc(-marker, survival, [30, 60]).auc, 1 - plain.auc, atol=1e-14)


def test_influence_belongs_to_the_patients_in_their_order():
    frame, survival = drawn_cohort(3)
    marker, shuffled = frame["b"].to_numpy(), np.random.default_rng(0).permutation(len(frame))
    plain = time_roc(marker, survival, 60)
    mixed = time_roc(marker[shuffled], survival.take(shuffled), 60)
    np.testing.assert_allclose(mixed.influence, plain.influence[:, shuffled], atol=1e-12)
    assert abs(plain.influence.mean()) < 0.05 * plain.influence.std()


def test_standard_errors_are_those_of_a_bootstrap():
    frame, survival = drawn_cohort(4, n=400)
    good, poor = frame["a"].to_numpy() - frame["b"].to_numpy(), frame["a"].to_numpy()
    rng, areas = np.random.default_rng(5), []
    for _ in range(400):
        rows = rng.integers(0, 400, 400)
        some = survival.take(rows)
        areas.append([time_roc(m[rows], some, [40, 80]).auc for m in (good, poor)])
    areas = np.array(areas)
    roc, other = (time_roc(m, survival, [40, 80]) for m in (good, poor))
    # 400 resamples know a standard deviation to 3.5 %; four of these.
    np.testing.assert_allclose(roc.se, areas[:, 0].std(axis=0, ddof=1), rtol=0.14)
    apart = (areas[:, 0] - areas[:, 1]).std(axis=0, ddof=1)
    np.testing.assert_allclose(compare_rocs(roc, other).se, apart, rtol=0.14)


def test_intervals_cover_the_truth():
    frame, survival = drawn_cohort(6, n=100_000, censored=False)
    truth = time_roc(frame["a"].to_numpy() - frame["b"].to_numpy(), survival, 50).auc[0]
    covered = 0
    for seed in range(200):
        few, followed = drawn_cohort(1000 + seed, n=150)
        roc = time_roc(few["a"].to_numpy() - few["b"].to_numpy(), followed, 50)
        covered += roc.lower95[0] <= truth <= roc.upper95[0]
    assert 180 <= covered <= 199  # 95 % of 200, plus and minus 3 standard deviations


def test_perfect_and_useless_markers():
    _, survival = drawn_cohort(7, censored=False)
    perfect = time_roc(-survival.time, survival, 50)
    useless = time_roc(np.ones(len(survival)), survival, 50)
    assert perfect.auc[0] == pytest.approx(1, abs=1e-14)
    assert perfect.se[0] == pytest.approx(0, abs=1e-12)
    assert useless.auc[0] == pytest.approx(0.5, abs=1e-14)
    assert useless.se[0] == pytest.approx(0, abs=1e-12)


def test_times_without_cases_or_controls_have_a_reason():
    frame, survival = drawn_cohort(8)
    first = float(survival.time[survival.event].min())
    found = roc_tables(frame, survival, [first / 2, 60, 500])
    by_time = found.roc.groupby("time_months")
    assert by_time["auc"].apply(lambda part: part.isna().all()).tolist() == [True, False, True]
    assert "nobody died before" in found.warnings[0]
    assert "nobody was followed beyond 500 months" in found.warnings[1]
    assert set(found.roc_curve["time_months"]) == {60}
    assert found.roc_compare.loc[found.roc_compare["time_months"] == 500, "p"].isna().all()
    assert found.roc_compare.loc[found.roc_compare["time_months"] == 60, "p"].notna().all()


def test_markers_with_holes_are_judged_in_who_has_them_and_compared_in_who_has_both():
    frame, survival = drawn_cohort(9)
    holed = frame.assign(a=frame["a"].where(np.arange(300) >= 40))
    holed = holed.assign(b=holed["b"].where(np.arange(300) < 280))
    found = roc_tables(holed, survival, [60])
    assert found.roc["n"].tolist() == [260, 280]
    both = np.arange(40, 280)
    alone = roc_tables(frame.iloc[both].reset_index(drop=True), survival.take(both), [60])
    columns = ["difference", "se", "z", "p"]
    pd.testing.assert_frame_equal(found.roc_compare[columns], alone.roc_compare[columns])
    nothing = roc_tables(pd.DataFrame({"a": np.full(300, np.nan)}), survival, [60])
    assert nothing.roc["auc"].isna().all()
    assert nothing.warnings == ("ROC of a: no patient has a value.",)


def test_markers_that_order_alike_have_no_p():
    frame, survival = drawn_cohort(10)
    found = roc_tables(pd.DataFrame({"b": frame["b"], "same": 3 * frame["b"]}), survival, [60])
    assert found.roc_compare["difference"].tolist() == pytest.approx([0])
    assert found.roc_compare["p"].isna().all()
    assert found.roc_compare["note"].tolist() == ["both order cases and controls alike"]


def test_comparisons_are_antisymmetric_and_repeat():
    frame, survival = drawn_cohort(11)
    a, b = (time_roc(frame[name], survival, [30, 60, 90]) for name in "ab")
    there, back = compare_rocs(a, b), compare_rocs(b, a)
    np.testing.assert_allclose(there.z, -back.z)
    np.testing.assert_array_equal(there.p_adjusted, compare_rocs(a, b).p_adjusted)
    assert (there.p_adjusted >= there.p).all()
    assert (there.p_adjusted <= 3 * there.p + 1e-15).all()


def test_adjusted_p_of_independent_times_is_sidak():
    z, p = np.array([1.5, np.nan, 2.5]), np.array([0.1336144, np.nan, 0.0124193])
    adjusted = adjusted_p(z, p, np.eye(3))
    np.testing.assert_allclose(adjusted[[0, 2]], 1 - (1 - p[[0, 2]]) ** 2, atol=1e-6)
    assert np.isnan(adjusted[1])


def test_a_time_or_marker_that_makes_no_sense_is_refused():
    frame, survival = drawn_cohort(12)
    with pytest.raises(SurvivalDataError, match="prediction times"):
        time_roc(frame["a"], survival, [0, 60])
    with pytest.raises(SurvivalDataError, match="without holes"):
        time_roc(np.full(300, np.nan), survival, 60)
    with pytest.raises(SurvivalDataError, match="no marker score"):
        roc_tables(frame, survival, [60], pairs=[("a", "score")])
    with pytest.raises(SurvivalDataError, match="rows of markers"):
        roc_tables(frame.iloc[:10], survival, [60])


def test_who_died_exactly_at_the_time_is_neither_and_is_counted():
    survival = Survival.of([10, 20, 60, 60, 70, 80], [1, 1, 1, 0, 0, 1])
    found = roc_tables(pd.DataFrame({"m": [6, 5, 9, 9, 2, 1]}), survival, [60]).roc.iloc[0]
    assert (found["cases"], found["controls"], found["censored"], found["auc"]) == (2, 2, 2, 1)
    assert found["note"].startswith("1 died at exactly this time")
