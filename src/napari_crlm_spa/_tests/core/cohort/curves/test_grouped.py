"""Groups of patients and the tables of their survival."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_crlm_spa._tests.core.cohort.curves.follow_ups import drawn, survivals
from napari_crlm_spa.core.cohort.curves import (
    CurveOptions,
    combined_grouping,
    crs_grouping,
    curve_tables,
    follow_up_table,
    hazard_ratio,
    kaplan_meier,
    logrank,
    overall,
    sof_grouping,
    two_level_grouping,
)
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.errors import CohortError

NAN = float("nan")


def test_spatial_risk_is_high_from_the_cutoff_on():
    groups = sof_grouping([-0.36, -0.35, 0.0, NAN], -0.35).groups
    assert groups.tolist() == ["low", "high", "high", ""]


def test_clinical_risk_is_the_group_or_else_three_points():
    frame = pd.DataFrame({"CRS_group": [0, 1, NAN, NAN, NAN], "CRS_score": [1, NAN, 2, 3, NAN]})
    grouping = crs_grouping(frame)
    assert grouping.groups.tolist() == ["low", "high", "low", "high", ""]
    assert grouping.n_unknown == 1
    assert crs_grouping(frame[["CRS_score"]]).groups.tolist() == ["low", "", "low", "high", ""]


def test_a_clinical_group_that_its_points_contradict_is_told():
    grouping = crs_grouping(pd.DataFrame({"CRS_group": [0, 1], "CRS_score": [4, 4]}))
    assert grouping.groups.tolist() == ["low", "high"]
    assert grouping.warnings[0].startswith("1 patients have a CRS_group that contradicts")


def test_clinical_groups_in_words_or_other_codes_are_refused():
    with pytest.raises(CohortError, match="not a number"):
        crs_grouping(pd.DataFrame({"CRS_group": ["low", "high"]}))
    with pytest.raises(CohortError, match="has the value 2"):
        crs_grouping(pd.DataFrame({"CRS_group": [1, 2]}))


def test_without_clinical_risk_the_way_out_is_named():
    with pytest.raises(CohortError, match="five factors"):
        crs_grouping(pd.DataFrame({"Age": [50]}))


def test_the_combined_grade_adds_points_and_needs_both():
    sof = sof_grouping([0, 0, 1, 1, NAN, 1], 0.5)
    crs = crs_grouping(pd.DataFrame({"CRS_score": [0, 5, 0, 5, 5, NAN]}))
    grade = combined_grouping(sof, crs)
    assert grade.groups.tolist() == ["low", "medium", "medium", "high", "", ""]
    assert grade.levels == ("low", "medium", "high")
    assert grade.n_unknown == 2


def test_a_clinical_column_has_the_words_of_its_codes():
    frame = pd.DataFrame({"Resection_margin": [0, 1, NAN]})
    grouping = two_level_grouping(frame, "Resection_margin")
    assert grouping.groups.tolist() == ["R0", "R1", ""]
    with pytest.raises(CohortError, match="has the value 2"):
        two_level_grouping(pd.DataFrame({"Resection_margin": [0, 2]}), "Resection_margin")
    with pytest.raises(CohortError, match="no column"):
        two_level_grouping(frame, "Gender")


def test_tables_tell_what_curve_and_test_say():
    survival, group, _ = drawn(1)
    grouping = sof_grouping(group, 0.5)
    tables = curve_tables(survival, [overall(len(survival)), grouping])
    assert tables.km["grouping"].unique().tolist() == ["overall", "sof"]
    high = survival.take(group == 1)
    row = tables.groups.set_index(["grouping", "group"]).loc[("sof", "high")]
    median = kaplan_meier(high).quantile()
    assert row["median_months"] == median.value
    assert row["median_lower95"] == median.lower
    assert (row["n"], row["events"]) == (len(high), high.n_events)
    test, ratio = tables.logrank.iloc[0], hazard_ratio(survival, group)
    assert test["p"] == logrank(survival, group).p
    assert (test["hr"], test["hr_lower95"]) == (ratio.hr, ratio.hr_lower95)
    assert tables.logrank_pairwise.empty


def test_three_groups_have_pairs_and_no_single_hazard_ratio():
    survival, group, _ = drawn(2, groups=3)
    sof, crs = sof_grouping(group, 1), crs_grouping(pd.DataFrame({"CRS_score": 2 * group}))
    tables = curve_tables(survival, [combined_grouping(sof, crs)])
    assert len(tables.logrank_pairwise) == 3
    assert np.isnan(tables.logrank["hr"].iloc[0])
    assert tables.logrank["df"].iloc[0] == 2


@given(survivals(min_size=4, latest=60), st.sampled_from([3.0, 12.0]))
def test_numbers_at_risk_are_those_still_followed(survival, step):
    grouping = sof_grouping(np.arange(len(survival)) % 2, 1)
    tables = curve_tables(survival, [grouping], CurveOptions(risk_step_months=step))
    for level, rows in tables.risk_table.groupby("group"):
        inside = survival.time[grouping.groups == level]
        assert rows["n_risk"].tolist() == [(inside >= t).sum() for t in rows["time_months"]]
    assert tables.risk_table["time_months"].max() <= survival.time.max()
    assert tables.risk_table["time_months"].max() > survival.time.max() - step


def test_five_year_survival_of_whom_nobody_saw_is_unknown():
    tables = curve_tables(Survival.of([10, 20, 59], [1, 1, 0]), [overall(3)])
    assert np.isnan(tables.groups["survival_5y"].iloc[0])
    tables = curve_tables(Survival.of([10, 20, 60], [1, 1, 0]), [overall(3)])
    assert tables.groups["survival_5y"].iloc[0] == pytest.approx(1 / 3)
    tables = curve_tables(Survival.of([10, 20], [1, 1]), [overall(2)])
    assert tables.groups["survival_5y"].iloc[0] == 0


def test_an_empty_group_and_unknown_patients_are_told():
    tables = curve_tables(Survival.of([10, 20, 30], [1, 0, 1]), [sof_grouping([1, 1, NAN], 0)])
    assert tables.groups["n"].tolist() == [0, 2]
    assert any("not two groups" in text for text in tables.warnings)
    assert any("1 of 3 patients is unknown" in text for text in tables.warnings)
    assert np.isnan(tables.logrank[["p", "hr"]].to_numpy(float)).all()


def test_strata_stratify_the_test_and_leave_the_curves_whole():
    survival, group, rng = drawn(4)
    stratum = np.where(rng.random(len(group)) < 0.5, "a", "b").astype(object)
    stratum[0] = None
    grouping = sof_grouping(group, 0.5)
    tables = curve_tables(survival, [grouping], strata=stratum, strata_name="hospital")
    plain = curve_tables(survival, [grouping])
    pd.testing.assert_frame_equal(tables.km, plain.km)
    row = tables.logrank.iloc[0]
    assert row["strata"] == "hospital"
    assert row["p"] == logrank(survival, group, strata=stratum).p
    rest = np.arange(1, len(group))
    ratio = hazard_ratio(survival.take(rest), group[rest], strata=stratum[rest])
    assert row["hr"] == pytest.approx(ratio.hr)


def test_follow_up_exchanges_death_and_censoring():
    survival, group, _ = drawn(5)
    table = follow_up_table(survival, sof_grouping(group, 0.5)).set_index("group")
    assert table.index.tolist() == ["all", "low", "high"]
    assert table.loc["all", "events"] == survival.n_events
    reverse = Survival.of(survival.time, ~survival.event)
    assert table.loc["all", "median_months"] == kaplan_meier(reverse).quantile().value
    assert (table["q1_months"] <= table["median_months"]).all()


def test_follow_up_of_patients_who_all_died_is_unknown():
    assert np.isnan(follow_up_table(Survival.of([1, 2], [1, 1]))["median_months"].iloc[0])
