import json
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa.core.cohort.cutpoints import (
    CutpointOptions,
    Dichotomizer,
    SharedPatients,
    fit_dichotomizer,
)
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.errors import CohortError, CrlmSpaError

MAXSTAT, MEDIAN = CutpointOptions(), CutpointOptions(method="median")
FIXED = CutpointOptions(method="fixed")


def cohort(n=80, seed=1):
    generator = np.random.default_rng(seed)
    debris, lymph = generator.random(n), generator.random(n)
    time = generator.exponential(30 * np.exp(-1.5 * (debris > 0.6)))
    frame = pd.DataFrame({"debris": debris, "lymph": lymph})
    return frame, Survival.of(time, generator.random(n) < 0.7)


def test_high_is_above_the_cutoff_and_low_is_on_it():
    frame, survival = cohort()
    found = fit_dichotomizer(frame, survival, ["debris"])
    cutoff = found["debris"].cutoff
    assert cutoff in frame.debris.to_numpy()
    split = found.apply(pd.DataFrame({"debris": [cutoff, np.nextafter(cutoff, 2), 0.0]}))
    assert split.debris.tolist() == [0, 1, 0]


def test_the_counts_are_those_of_the_split():
    frame, survival = cohort()
    found = fit_dichotomizer(frame, survival, ["debris", "lymph"])
    split = found.apply(frame)
    assert [each.n_high for each in found.cutpoints] == split.sum().tolist()
    assert [each.n_low + each.n_high for each in found.cutpoints] == [80, 80]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_a_monotone_change_of_units_changes_no_statistic(seed):
    frame, survival = cohort(40, seed)
    logs = np.log(100 * frame + 1)
    for options in (MAXSTAT, CutpointOptions(resamples=50)):
        raw = fit_dichotomizer(frame, survival, frame, options)
        logged = fit_dichotomizer(logs, survival, logs, options)
        columns = ["statistic", "p_lau92", "p_lau94", "p_exact_gauss", "p_monte_carlo", "n_low"]
        pd.testing.assert_frame_equal(raw.table()[columns], logged.table()[columns])
        pd.testing.assert_frame_equal(raw.apply(frame), logged.apply(logs))


def test_other_units_of_time_change_nothing_but_time():
    frame, survival = cohort()
    days = Survival.of(survival.time * 32, survival.event)
    months = fit_dichotomizer(frame, survival, frame)
    pd.testing.assert_frame_equal(months.table(), fit_dichotomizer(frame, days, frame).table())


def test_holes_stay_holes_and_the_rest_is_as_if_they_were_not_there():
    frame, survival = cohort()
    holed = frame.assign(debris=frame.debris.where(frame.index % 7 != 0))
    known = holed.debris.notna()
    for options in (MAXSTAT, MEDIAN):
        found = fit_dichotomizer(holed, survival, ["debris"], options)["debris"]
        alone = fit_dichotomizer(
            frame[known].reset_index(drop=True),
            survival.take(known.to_numpy()),
            ["debris"],
            options,
        )["debris"]
        assert (found.cutoff, found.statistic, found.p_exact_gauss) == pytest.approx(
            (alone.cutoff, alone.statistic, alone.p_exact_gauss), nan_ok=True
        )
        assert found.n_missing == 12
        assert "12 patients have no value" in found.note
    split = fit_dichotomizer(holed, survival, ["debris"]).apply(holed)
    assert split.debris.isna().tolist() == (~known).tolist()


def test_the_median_leaves_ties_low():
    frame = pd.DataFrame({"x": [0, 1, 1, 1, 2, 3]})
    found = fit_dichotomizer(frame, Survival.of([1, 2, 3, 4, 5, 6], [1] * 6), ["x"], MEDIAN)
    assert (found["x"].cutoff, found["x"].n_low, found["x"].n_high) == (1, 4, 2)
    assert np.isnan(found["x"].p_exact_gauss)
    assert "only 6 deaths" in found["x"].note


@pytest.mark.parametrize("options", [MAXSTAT, MEDIAN])
@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([2.0] * 12, "it is 2 in all 12 patients"),
        ([np.nan] * 12, "no patient has a value"),
        ([np.nan] * 11 + [1.0], "in all 1 patients"),
    ],
)
def test_what_cannot_be_divided_gets_no_cutoff_and_a_reason(options, values, reason):
    frame = pd.DataFrame({"x": values, "ok": np.arange(12.0)})
    found = fit_dichotomizer(frame, Survival.of(np.arange(12), [1] * 12), ["x", "ok"], options)
    assert found.features == ("ok",)
    assert list(found.apply(frame).columns) == ["ok"]
    assert reason in found.warnings[0]
    assert found.warnings[0].startswith("x has no cut-off")


def test_more_than_half_on_the_largest_value_has_no_median_split():
    frame = pd.DataFrame({"x": [0, 1, 1, 1]})
    found = fit_dichotomizer(frame, Survival.of([1, 2, 3, 4], [1] * 4), ["x"], MEDIAN)
    assert "share its largest value 1" in found["x"].note


def test_one_patient_apart_is_no_group():
    frame = pd.DataFrame({"x": [0.0] * 29 + [1.0]})
    found = fit_dichotomizer(frame, Survival.of(np.arange(30), [1] * 30), ["x"])
    assert "no split leaves 10% of the 30 patients" in found["x"].note


def test_nobody_died_gives_a_reason():
    frame = pd.DataFrame({"x": np.arange(30.0)})
    found = fit_dichotomizer(frame, Survival.of(np.arange(30), [0] * 30), ["x"])
    assert "nobody died" in found["x"].note


def test_fixed_cutoffs_are_taken_as_they_are(tmp_path):
    frame, survival = cohort()
    found = fit_dichotomizer(frame, survival, ["debris", "lymph"], FIXED, cutoffs={"debris": 0.25})
    assert found["debris"].cutoff == 0.25
    assert found["debris"].n_high == (frame.debris > 0.25).sum()
    assert "none is given" in found["lymph"].note
    path = tmp_path / "cutoffs.json"
    path.write_text('{"debris": 0.25}')
    options = CutpointOptions(method="fixed", cutoffs=str(path))
    assert fit_dichotomizer(frame, survival, ["debris", "lymph"], options) == found


def test_a_fixed_statistic_is_that_of_the_search_at_the_same_place():
    frame, survival = cohort()
    best = fit_dichotomizer(frame, survival, ["debris"])["debris"]
    fixed = fit_dichotomizer(frame, survival, ["debris"], FIXED, cutoffs={"debris": best.cutoff})[
        "debris"
    ]
    assert fixed.statistic == pytest.approx(best.statistic, rel=1e-12)
    assert np.isnan(fixed.p_exact_gauss)


@pytest.mark.parametrize(
    "text", ["", "[1]", '{"debris": "high"}', '{"debris": NaN}', '{"debris": true}', "{"]
)
def test_unusable_fixed_cutoffs_are_refused(tmp_path, text):
    frame, survival = cohort()
    path = tmp_path / "cutoffs.json"
    path.write_text(text)
    options = CutpointOptions(method="fixed", cutoffs=str(path))
    with pytest.raises(CohortError):
        fit_dichotomizer(frame, survival, ["debris"], options)
    with pytest.raises(CohortError, match="none are given"):
        fit_dichotomizer(frame, survival, ["debris"], FIXED)


def test_validation_patients_that_were_fitted_on_are_named():
    frame, survival = cohort(12)
    names = [f"P{i}" for i in range(12)]
    found = fit_dichotomizer(frame, survival, frame, cohort="SYSUCC", patients=names)
    with pytest.warns(SharedPatients, match=r"2 of 3 patients \(P3, P4\).*SYSUCC"):
        found.apply(frame.iloc[:3], patients=["P3", "P4", "Q1"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found.apply(frame.iloc[:2], patients=["Q3", "Q4"])
        found.apply(frame)
    assert not any(name in json.dumps(found.as_dict()) for name in names)


def test_numbers_as_names_are_recognized_however_a_table_read_them():
    frame, survival = cohort(12)
    found = fit_dichotomizer(frame, survival, frame, patients=range(12))
    assert "1 of 3" in found.leakage(["3", "x", "3x"])
    assert "1 of 1" in found.leakage([np.float64(3.0)])
    assert "1 of 1" in found.leakage([np.int64(3)])


def test_cutoffs_come_back_from_json_as_they_were():
    frame, survival = cohort()
    frame["flat"] = 1
    found = fit_dichotomizer(frame, survival, frame, cohort="A", patients=range(80))
    again = Dichotomizer.from_dict(json.loads(json.dumps(found.as_dict())))
    assert again.as_dict() == found.as_dict()
    pd.testing.assert_frame_equal(again.apply(frame), found.apply(frame))
    pd.testing.assert_frame_equal(again.table(), found.table())
    assert again.n == 80
    assert again.cohort == "A"


@pytest.mark.parametrize("key", ["cutpoints", "cohort", "schema_version", "patients"])
def test_a_damaged_file_of_cutoffs_is_refused(key):
    frame, survival = cohort()
    plain = fit_dichotomizer(frame, survival, frame).as_dict()
    with pytest.raises(CohortError):
        Dichotomizer.from_dict({k: v for k, v in plain.items() if k != key})
    with pytest.raises(CohortError):
        Dichotomizer.from_dict({**plain, "schema_version": 2})
    with pytest.raises(CohortError):
        Dichotomizer.from_dict({**plain, "cutpoints": [{"feature": "x", "direction": "<"}]})


def test_columns_of_text_or_missing_ones_are_named():
    frame, survival = cohort()
    found = fit_dichotomizer(frame, survival, ["debris"])
    with pytest.raises(CohortError, match="debris"):
        found.apply(frame[["lymph"]])
    with pytest.raises(CohortError, match="debris"):
        fit_dichotomizer(frame.assign(debris="high"), survival, ["debris"])
    with pytest.raises(CohortError, match="79"):
        fit_dichotomizer(frame, survival.take(np.arange(79)), ["debris"])


def test_integers_booleans_and_nullable_columns_are_numbers():
    frame, survival = cohort()
    counts = (frame.debris * 5).astype(int)
    table = pd.DataFrame({"int": counts, "null": counts.astype("Int64"), "bool": counts > 2})
    table.loc[3, "null"] = pd.NA
    found = fit_dichotomizer(table, survival, table)
    assert found.features == ("int", "null", "bool")
    assert np.isnan(found.apply(table).null[3])
    assert found["bool"].cutoff == 0


def test_monte_carlo_p_is_there_if_asked_for_and_near_the_exact_one():
    frame, survival = cohort(150)
    frame["holed"] = frame.lymph.where(frame.index > 20)
    found = fit_dichotomizer(frame, survival, frame, CutpointOptions(resamples=2000))
    again = fit_dichotomizer(frame, survival, ["holed"], CutpointOptions(resamples=2000))
    for each in found.cutpoints:
        assert each.p_monte_carlo == pytest.approx(each.p_exact_gauss, abs=0.06)
    assert again["holed"].p_monte_carlo == found["holed"].p_monte_carlo
    assert np.isnan(fit_dichotomizer(frame, survival, frame)["debris"].p_monte_carlo)


def test_the_table_has_the_columns_of_the_study():
    frame, survival = cohort()
    table = fit_dichotomizer(frame, survival, frame).table()
    assert " ".join(table.columns) == (
        "feature label method cutoff direction statistic p_lau92 p_lau94 p_exact_gauss "
        "p_monte_carlo n_low n_high note"
    )


def test_options_keep_their_range():
    for bad in ({"minprop": 0.6}, {"minprop": 0}, {"resamples": -1}, {"method": "best"}):
        with pytest.raises(CrlmSpaError):
            CutpointOptions(**bad)


def test_nothing_to_split_is_an_empty_table():
    frame, survival = cohort()
    found = fit_dichotomizer(frame, survival, [])
    assert found.features == ()
    assert len(found.table()) == 0
    assert len(found.apply(frame)) == 80
