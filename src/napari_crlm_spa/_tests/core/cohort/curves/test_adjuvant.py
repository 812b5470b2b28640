"""Benefit of adjuvant chemotherapy inside risk groups, and whether it differs between them."""

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from napari_crlm_spa.core.cohort.curves import (
    adjuvant_benefit,
    adjuvant_groupings,
    curve_tables,
    hazard_ratio,
    logrank,
    sof_grouping,
)
from napari_crlm_spa.core.cohort.survival import Survival

ADJUVANT, BEFORE = "Adjuvant_chemotherapy", "Preoperative_chemotherapy"


def made(seed=0, n=400, benefit_in_high=0.0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            ADJUVANT: rng.choice([0, 1, np.nan], n, p=[0.35, 0.55, 0.1]),
            BEFORE: rng.integers(0, 2, n).astype(float),
        }
    )
    high = rng.integers(0, 2, n)
    treated = (frame[ADJUVANT] == 1).to_numpy()
    hazard = np.exp(0.5 * high + benefit_in_high * high * treated) / 60
    time = np.ceil(rng.exponential(1 / hazard))
    ends = rng.uniform(20, 120, n)
    return frame, Survival.of(np.minimum(time, ends), time <= ends), sof_grouping(high, 0.5)


def test_arms_are_those_of_known_treatment_inside_each_part():
    frame, survival, sof = made()
    table = adjuvant_benefit(frame, survival, sof).benefit
    assert len(table) == 9
    row = table.set_index(["pretreated", "sof_group"]).loc[("no", "high")]
    part = ((frame[BEFORE] == 0) & (sof.groups == "high") & frame[ADJUVANT].notna()).to_numpy()
    arm = (frame[ADJUVANT][part] == 1).to_numpy()
    assert (row["n_without"], row["n_with"]) == ((~arm).sum(), arm.sum())
    assert row["p"] == logrank(survival.take(part), arm).p
    assert row["hr"] == hazard_ratio(survival.take(part), arm).hr


def test_parts_add_up():
    table = adjuvant_benefit(*made()).benefit.set_index(["pretreated", "sof_group"])
    for column in ("n_without", "n_with", "events_without", "events_with"):
        for other in ("all", "low", "high"):
            assert (
                table[column]["all", other]
                == table[column]["no", other] + (table[column]["yes", other])
            )
            where = {"all": "all", "low": "no", "high": "yes"}[other]
            assert (
                table[column][where, "all"]
                == table[column][where, "low"] + (table[column][where, "high"])
            )


def test_unknown_treatment_is_left_out_after_groups_were_formed_and_told():
    frame, survival, sof = made()
    unknown = int(frame[ADJUVANT].isna().sum())
    result = adjuvant_benefit(frame, survival, sof)
    assert f"unknown in {unknown} of {len(frame)} patients" in result.warnings[0]
    total = result.benefit.iloc[0][["n_without", "n_with"]].sum()
    assert total == len(frame) - unknown


@pytest.mark.parametrize("seed", range(3))
def test_the_interaction_is_the_likelihood_ratio_of_two_models(seed):
    frame, survival, sof = made(seed)
    known = frame[ADJUVANT].notna().to_numpy()
    model = pd.DataFrame(
        {
            "t": survival.time,
            "e": survival.event,
            "a": frame[ADJUVANT],
            "h": (sof.groups == "high").astype(float),
            "b": frame[BEFORE],
        }
    )[known]
    model["ah"] = model["a"] * model["h"]

    def fitted(columns):
        return CoxPHFitter().fit(
            model[["t", "e", *columns]], "t", "e", fit_options={"precision": 1e-12}
        )

    full, reduced = fitted(["a", "h", "ah"]), fitted(["a", "h"])
    table = adjuvant_benefit(frame, survival, sof).interaction
    rows = table[table["pretreated"] == "all"]
    lrt = 2 * (full.log_likelihood_ - reduced.log_likelihood_)
    assert rows["lrt"].iloc[2] == pytest.approx(lrt, rel=1e-6)
    np.testing.assert_allclose(rows["coef"].iloc[:3], full.params_, rtol=1e-6)
    np.testing.assert_allclose(rows["se"].iloc[:3], full.standard_errors_, rtol=1e-6)
    for pair in ("ab", "hb", "ahb"):
        model[pair] = model[list(pair)].prod(axis=1)
    three = fitted(["a", "h", "b", "ah", "ab", "hb", "ahb"])
    pairs = fitted(["a", "h", "b", "ah", "ab", "hb"])
    lrt = 2 * (three.log_likelihood_ - pairs.log_likelihood_)
    assert rows["lrt"].iloc[3] == pytest.approx(lrt, rel=1e-5)
    assert rows["coef"].iloc[3] == pytest.approx(three.params_["ahb"], rel=1e-5)


def test_a_benefit_in_high_risk_alone_is_found():
    table = adjuvant_benefit(*made(1, n=1500, benefit_in_high=-1.2)).interaction
    assert table["p"].iloc[2] < 1e-4
    assert table["hr_upper95"].iloc[2] < 1


def test_without_pretreatment_everybody_is_one_part():
    frame, survival, sof = made()
    result = adjuvant_benefit(frame.drop(columns=BEFORE), survival, sof)
    assert result.benefit["pretreated"].unique().tolist() == ["all"]
    assert any(BEFORE in text for text in result.warnings)
    assert len(result.interaction) == 3


def test_without_treatment_there_is_nothing_to_compare():
    frame, survival, sof = made()
    result = adjuvant_benefit(frame.drop(columns=ADJUVANT), survival, sof)
    assert result.benefit.empty
    assert "lrt" in result.interaction.columns
    assert ADJUVANT in result.warnings[0]
    assert adjuvant_groupings(frame.drop(columns=ADJUVANT), sof) == ()


def test_everybody_treated_gives_holes_and_reasons():
    frame, survival, sof = made()
    result = adjuvant_benefit(frame.assign(**{ADJUVANT: 1.0}), survival, sof)
    assert result.benefit[["p", "hr"]].isna().all(axis=None)
    assert (result.benefit["note"] != "").all()
    assert result.interaction["p"].isna().all()
    assert any("cannot be estimated" in text for text in result.warnings)


def test_an_arm_without_deaths_gives_holes_and_reasons():
    frame, survival, sof = made()
    spared = (frame[ADJUVANT] == 1).to_numpy() & (sof.groups == "low")
    survival = Survival.of(survival.time, survival.event & ~spared)
    result = adjuvant_benefit(frame, survival, sof)
    rows = result.benefit.set_index(["pretreated", "sof_group"])
    assert np.isnan(rows.loc[("all", "low"), "hr"])
    assert rows.loc[("all", "low"), "p"] < 0.01
    assert "Nobody died" in rows.loc[("all", "low"), "note"]
    assert result.interaction["lrt"].isna().all()


def test_a_comparison_of_few_deaths_is_marked():
    frame, survival, sof = made(n=60)
    notes = adjuvant_benefit(frame, survival, sof).benefit
    few = notes[["events_without", "events_with"]].min(axis=1) < 5
    assert few.any()
    assert (notes["note"][few] != "").all()


def test_its_curves_have_the_patients_of_the_table():
    frame, survival, sof = made()
    groupings = adjuvant_groupings(frame, sof)
    groups = curve_tables(survival, groupings).groups
    table = adjuvant_benefit(frame, survival, sof).benefit
    for grouping, (_, row) in zip(groupings, table.iterrows(), strict=True):
        assert grouping.name == f"adjuvant_{row['pretreated']}_{row['sof_group']}"
        counts = groups[groups["grouping"] == grouping.name]["n"].tolist()
        assert counts == [row["n_without"], row["n_with"]]
