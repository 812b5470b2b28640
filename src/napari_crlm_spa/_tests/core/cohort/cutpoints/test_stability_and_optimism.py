import numpy as np
import pandas as pd
import pytest

from napari_crlm_spa.core.cohort.cox.hazard_ratio import hazard_ratio
from napari_crlm_spa.core.cohort.cutpoints import (
    CutpointOptions,
    OptimismOptions,
    StabilityOptions,
    bootstrap_cutpoints,
    cutpoint_optimism,
    fit_dichotomizer,
)
from napari_crlm_spa.core.cohort.cutpoints.optimism import stratified_parts
from napari_crlm_spa.core.cohort.cutpoints.two_groups import logrank_chisq
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.core.risk.maxstat import maxstat_cutoff
from napari_crlm_spa.errors import CohortError

FEW = StabilityOptions(resamples=60)
MEDIAN = CutpointOptions(method="median")


def finish(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def cohort(n=200, seed=4, noise=2):
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame(generator.random((n, 1 + noise)))
    frame.columns = ["strong", *(f"noise{k}" for k in range(noise))]
    time = generator.exponential(30 * np.exp(-1.6 * (frame.strong > 0.6)))
    return frame, Survival.of(time, generator.random(n) < 0.7)


def test_a_resample_is_the_search_in_the_drawn_patients():
    frame, survival = cohort(90)
    found = finish(bootstrap_cutpoints(frame, survival, frame, stability=FEW))
    drawn = found.resamples
    for i in (0, 17, 59):
        chosen = np.random.default_rng([FEW.seed, i]).integers(0, 90, 90)
        part = survival.take(chosen)
        for feature in frame:
            expected = maxstat_cutoff(frame[feature].to_numpy()[chosen], part.time, part.event)
            ours = drawn[(drawn.feature == feature) & (drawn["resample"] == i)].cutoff.item()
            assert ours == expected.cutoff


def test_more_resamples_begin_with_the_same_ones():
    frame, survival = cohort(60)
    few = finish(
        bootstrap_cutpoints(frame, survival, frame, stability=StabilityOptions(resamples=5))
    )
    more = finish(bootstrap_cutpoints(frame, survival, frame, stability=FEW))
    first = more.resamples[more.resamples["resample"] < 5].reset_index(drop=True)
    pd.testing.assert_frame_equal(few.resamples, first)


def test_a_true_cutoff_is_more_stable_than_one_in_noise():
    frame, survival = cohort(300)
    table = finish(bootstrap_cutpoints(frame, survival, frame, stability=FEW)).table
    stable = table.set_index("feature").within_10_percentiles
    assert stable["strong"] > 0.8
    assert stable["noise0"] < 0.7


def test_the_table_sums_up_the_resamples():
    frame, survival = cohort(90)
    found = finish(bootstrap_cutpoints(frame, survival, ["strong"], stability=FEW))
    cutoffs = found.resamples.cutoff.to_numpy()
    row = found.table.iloc[0]
    assert (row["median"], row.q025, row.q975) == pytest.approx(
        tuple(np.quantile(cutoffs, [0.5, 0.025, 0.975]))
    )
    values = frame.strong.to_numpy()
    between = [
        abs((values <= each).mean() - (values <= row.cutoff).mean()) <= 0.1 + 1e-12
        for each in cutoffs
    ]
    assert row.within_10_percentiles == pytest.approx(np.mean(between))
    assert row.resamples == 60


def test_medians_of_resamples_are_medians():
    frame, survival = cohort(61)
    found = finish(bootstrap_cutpoints(frame, survival, ["strong"], MEDIAN, FEW)).resamples
    chosen = np.random.default_rng([FEW.seed, 3]).integers(0, 61, 61)
    assert found.cutoff[3] == np.median(frame.strong.to_numpy()[chosen])


def test_columns_that_cannot_be_divided_do_not_stop_the_others():
    frame, survival = cohort(60)
    frame["flat"], frame["rare"] = 1.0, (frame.index == 5) * 1.0
    frame["holed"] = frame.strong.where(frame.index % 5 > 0)
    stability = finish(bootstrap_cutpoints(frame, survival, frame, stability=FEW)).table
    optimism = finish(
        cutpoint_optimism(frame, survival, frame, optimism=OptimismOptions(repeats=2))
    ).table
    stability, optimism = stability.set_index("feature"), optimism.set_index("feature")
    assert stability.cutoff.isna().tolist() == [False] * 3 + [True, True, False]
    assert "flat has no cut-off" in stability.note["flat"]
    assert stability.resamples.tolist()[:4] == [60, 60, 60, 0]
    assert optimism.hr_apparent.isna().tolist() == [False] * 3 + [True, True, False]


def test_fixed_cutoffs_neither_move_nor_flatter():
    frame, survival = cohort(60)
    options = CutpointOptions(method="fixed")
    stability = finish(bootstrap_cutpoints(frame, survival, frame, options, FEW))
    assert set(stability.table.note) == {"A fixed cut-off does not move."}
    assert len(stability.resamples) == 0
    optimism = finish(
        cutpoint_optimism(frame, survival, ["strong"], options, cutoffs={"strong": 0.5})
    ).table.iloc[0]
    assert optimism.optimism_log_hr == pytest.approx(0, abs=1e-12)
    assert optimism.hr_apparent == pytest.approx(optimism.hr_cross_validated, rel=1e-12)


def test_parts_share_deaths_and_patients_evenly():
    survival = Survival.of(np.arange(103), np.arange(103) % 4 == 0)
    parts = stratified_parts(survival, 5, 1, 0)
    assert sorted(np.bincount(parts)) == [20, 20, 21, 21, 21]
    assert np.ptp(np.bincount(parts[survival.event])) <= 1
    assert not np.array_equal(parts, stratified_parts(survival, 5, 1, 1))
    assert np.array_equal(parts, stratified_parts(survival, 5, 1, 0))


def test_held_out_patients_are_divided_by_the_cutoff_of_the_others():
    frame, survival = cohort(80)
    options = OptimismOptions(folds=4, repeats=1)
    found = finish(cutpoint_optimism(frame, survival, ["strong"], optimism=options))
    parts = stratified_parts(survival, 4, options.seed, 0)
    values, high = frame.strong.to_numpy(), np.zeros(80, bool)
    for part in range(4):
        others = survival.take(parts != part)
        cutoff = maxstat_cutoff(values[parts != part], others.time, others.event).cutoff
        high[parts == part] = values[parts == part] > cutoff
    row = found.repeats.iloc[0]
    assert row.n == 80
    assert row.log_hr == pytest.approx(hazard_ratio(survival, high).coef, rel=1e-12)
    assert row.logrank == pytest.approx(float(logrank_chisq(survival, high)), rel=1e-12)
    assert found.table.hr_cross_validated[0] == pytest.approx(np.exp(row.log_hr))


def test_optimal_cutoffs_in_noise_flatter_and_cross_validation_shows_it():
    frame, survival = cohort(200, seed=8, noise=6)
    options = OptimismOptions(repeats=4)
    table = finish(cutpoint_optimism(frame, survival, frame, optimism=options)).table
    noise, strong = table.iloc[1:], table.iloc[0]
    assert noise.optimism_log_hr.min() > 0
    assert noise.logrank_cross_validated.mean() < noise.logrank_apparent.mean() / 2
    assert strong.optimism_log_hr < 0.15
    assert strong.logrank_cross_validated > 20


def test_apparent_effects_are_those_of_the_fitted_cutoffs():
    frame, survival = cohort(80)
    table = finish(
        cutpoint_optimism(frame, survival, ["strong"], optimism=OptimismOptions(repeats=1))
    ).table
    high = fit_dichotomizer(frame, survival, ["strong"]).apply(frame).strong.to_numpy() == 1
    assert table.hr_apparent[0] == pytest.approx(hazard_ratio(survival, high).hr)
    assert table.logrank_apparent[0] == pytest.approx(float(logrank_chisq(survival, high)))


def test_more_parts_than_patients_are_refused():
    frame, survival = cohort(6)
    with pytest.raises(CohortError, match="10 parts"):
        finish(cutpoint_optimism(frame, survival, frame))


def test_work_can_be_watched_and_stopped():
    frame, survival = cohort(60)
    steps = bootstrap_cutpoints(frame, survival, frame, stability=FEW)
    assert (next(steps).done, next(steps).done, next(steps).done) == (0, 20, 40)
    steps.close()
