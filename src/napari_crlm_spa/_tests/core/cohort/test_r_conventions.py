"""Conventions of R that only show on other data: ties, rounding, tiny groups; by brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa._tests import r_reference
from napari_crlm_spa.core.cohort.cox.concordance import concordance
from napari_crlm_spa.core.cohort.curves.kaplan_meier import kaplan_meier
from napari_crlm_spa.core.cohort.curves.logrank import logrank
from napari_crlm_spa.core.cohort.cutpoints.search import CutoffSearch
from napari_crlm_spa.core.cohort.cutpoints.two_groups import logrank_chisq
from napari_crlm_spa.core.cohort.prediction.calibration_groups import quantile_cuts
from napari_crlm_spa.core.cohort.prediction.roc import time_roc
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.core.risk.maxstat import logrank_scores, maxstat_cutoff

EXTENDED = np.finfo(np.longdouble).nmant >= 63

#: Few patients, few distinct times (0 among them), deaths and censorings at the same time.
followups = st.lists(
    st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 4)), min_size=2, max_size=18
)


def columns(patients, scale=1.0):
    time, event, x = (np.array(column) for column in zip(*patients, strict=True))
    return time * scale, event.astype(bool), x.astype(float)


@pytest.mark.skipif(not EXTENDED, reason="R adds up in extended precision, which isn't here")
@pytest.mark.parametrize(
    "name",
    ["colon_age", "colon_nodes", "lung_age", "lung_meal_cal", "lung_pat_karno", "lung_wt_loss"],
)
def test_statistics_of_all_cutoffs_are_rs_to_the_last_bit(name):
    """So of two cut-offs whose statistics are equal but for rounding the one that R takes wins."""
    import pandas as pd

    data, marker = name.split("_", 1)
    folder = r_reference.FOLDER
    patients = pd.read_csv(folder / f"{data}_os.csv").dropna(subset=[marker])
    path = pd.read_csv(folder / f"{name}_path.csv", float_precision="round_trip")
    found = maxstat_cutoff(patients[marker], patients["time"], patients["status"])
    assert (found.statistics == path["stat"].to_numpy()).all()


def test_all_deaths_at_one_time_give_no_cutoff():
    time, event, marker = np.full(7, 3.1), np.ones(7), np.arange(7.0)
    assert maxstat_cutoff(marker, time, event) is None
    search = CutoffSearch(marker[:, None], Survival.of(time, event), "maxstat", 0.1)
    assert np.isnan(search.cutoffs(np.ones(7))).all()


@settings(max_examples=60, deadline=None)
@given(followups, st.sampled_from([0.05, 0.1, 0.3]))
def test_maxstat_is_the_first_maximum_of_all_splits_written_out(patients, minprop):
    time, event, x = columns(patients)
    n = len(time)
    score = np.array(
        [
            event[i]
            - sum(event[j] / (n - (time <= time[j]).sum() + 1) for j in range(n) if time[j] <= t)
            for i, t in enumerate(time)
        ]
    )
    assert logrank_scores(time, event) == pytest.approx(score, abs=1e-12)
    splits = {}
    for cutoff in np.unique(x)[:-1]:
        low = x <= cutoff
        m = low.sum()
        variance = m * (n - m) / (n**2 * (n - 1)) * (n * (score**2).sum() - score.sum() ** 2)
        if max(1, np.floor(n * minprop)) <= m <= np.floor(n * (1 - minprop)) and variance > 1e-12:
            splits[cutoff] = abs(score[low].sum() - m / n * score.sum()) / np.sqrt(variance)
    found = maxstat_cutoff(x, time, event, minprop)
    if not splits:
        assert found is None
        return
    assert found.statistic == pytest.approx(max(splits.values()), abs=1e-9)
    assert splits[found.cutoff] == pytest.approx(max(splits.values()), abs=1e-9)


def test_times_that_differ_by_rounding_are_one_by_the_mean_of_distinct_times():
    """R's aeqSurv divides by the mean of the distinct times, however many patients share one."""
    gap = 2e-6  # 1.5e-8 of 133: the mean of all times is 5, that of the distinct ones 200
    survival = Survival.of([*[1.0] * 200, 400, 400 + gap, 2], [1] * 203)
    assert len(np.unique(survival.joined().time)) == 3
    near = Survival.of([*[1.0] * 200, 1 + gap, 2], [1] * 202)
    assert len(np.unique(near.joined().time)) == 3


def test_logrank_tests_of_score_cutoffs_join_times_that_differ_by_rounding():
    rng = np.random.default_rng(1)
    days = rng.integers(1, 20, 60) * 0.1
    noisy = days * (1 + rng.choice([0, 1e-15, 2e-15], 60))
    event, high = rng.random(60) < 0.7, rng.random(60) < 0.5
    assert len(np.unique(noisy)) > len(np.unique(days))
    expected = logrank(Survival.of(days, event), high).chisq
    assert logrank_chisq(Survival.of(noisy, event), high) == pytest.approx(expected, rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(followups, st.sampled_from([1.0, 0.1, 30.4375]))
def test_survival_and_its_error_with_ties_and_deaths_at_time_0(patients, scale):
    time, event, _ = columns(patients, scale)
    curve = kaplan_meier(Survival.of(time, event))
    value, greenwood = 1.0, 0.0
    for place, t in enumerate(np.unique(time)):
        n, d = (time >= t).sum(), ((time == t) & event).sum()
        value *= (n - d) / n
        assert (curve.n_risk[place], curve.time[place]) == (n, t)
        assert curve.survival[place] == pytest.approx(value, abs=1e-12)
        if n == d or value == 0:  # nobody is left: R prints NaN
            value = 0.0
            assert np.isnan([curve.std_err[place], curve.lower[place], curve.upper[place]]).all()
        else:
            greenwood += d / (n * (n - d))
            assert curve.std_err[place] == pytest.approx(value * np.sqrt(greenwood), abs=1e-12)


def pairs(time, event, x, weight):
    agreed = compared = 0.0
    for i in np.flatnonzero(event):
        later = (time > time[i]) | ((time == time[i]) & ~event)
        agreed += (weight[i] * weight * later * ((x[i] > x) + 0.5 * (x[i] == x))).sum()
        compared += (weight[i] * weight * later).sum()
    return agreed / compared if compared else np.nan


@settings(max_examples=60, deadline=None)
@given(followups)
def test_concordance_and_its_error_as_weights_of_patients_move(patients):
    time, event, x = columns(patients)
    found = concordance(Survival.of(time, event), x)
    ones, step = np.ones(len(time)), 1e-5
    assert found.value == pytest.approx(pairs(time, event, x, ones), nan_ok=True)
    if np.isnan(found.value):
        assert np.isnan(found.std_err)
        return
    slopes = [
        (pairs(time, event, x, ones + step * e) - pairs(time, event, x, ones - step * e)) / step / 2
        for e in np.eye(len(time))
    ]
    assert found.std_err == pytest.approx(np.linalg.norm(slopes), abs=1e-7)


@settings(max_examples=60, deadline=None)
@given(followups, st.integers(1, 6))
def test_area_under_the_roc_curve_with_tied_times_and_markers(patients, at):
    """Deaths leave the risk set before censorings at the same time; who ends at `at` is neither."""
    time, event, x = columns(patients)
    case, control = event & (time < at), time > at
    found = time_roc(x, Survival.of(time, event), [float(at)])
    if not case.any() or not control.any():
        assert np.isnan(found.auc[0])
        return

    def uncensored(before):
        value = 1.0
        for t in np.unique(time[time < before]):
            still = (time >= t).sum() - ((time == t) & event).sum()
            value *= 1 - ((time == t) & ~event).sum() / still if still else 1
        return value

    weight = np.array(
        [1 / uncensored(t) if died else 0 for t, died in zip(time, case, strict=True)]
    )
    wins = (x[:, None] > x) + 0.5 * (x[:, None] == x)
    area = (weight[:, None] * wins * control).sum() / (weight.sum() * control.sum())
    assert found.auc[0] == pytest.approx(area, abs=1e-12)


def test_cuts_between_equal_predictions_lie_on_them():
    """A cut one bit above its prediction would move all who share it to the group below."""
    for n in range(20, 120):
        predicted = np.repeat([0.31, 0.57, 0.73], [n, 2 * n, n])
        for groups in (3, 5, 6, 7, 10):
            assert set(quantile_cuts(predicted, groups)) <= {0.0, 0.31, 0.57, 0.73, 1.0}
