"""Tables of associations: who is compared with whom, on which patients."""

import numpy as np
import pandas as pd
import pytest

from napari_crlm_spa.core.cohort.associations import (
    PAPER_FACTORS,
    associations,
    chi_square,
    correlations_table,
    groups_table,
    kruskal,
    pearson,
    rank_sum,
    tables_table,
    two_levels,
)
from napari_crlm_spa.core.cohort.columns import SOFS
from napari_crlm_spa.core.cohort.cox.univariate import false_discovery_rate
from napari_crlm_spa.errors import CohortError

DFI = "Synchronous_liver_metastases"


@pytest.fixture
def patients():
    rng = np.random.default_rng(3)
    n = 90
    frame = pd.DataFrame({feature: rng.random(n) for feature in SOFS})
    for column in ("Gender", "Primary_tumor_location", "Pathological_Nstage", "Resection_margin"):
        frame[column] = rng.choice([0, 1, np.nan], n, p=[0.5, 0.4, 0.1])
    frame["Pathological_Tstage"] = rng.integers(0, 2, n)
    frame[DFI] = rng.choice([0, 4.5, 20, np.nan], n)
    frame["CRS_score"] = rng.integers(0, 6, n)
    frame["Age"] = rng.integers(30, 80, n)
    frame["Number_of_LM"] = rng.integers(1, 9, n)
    frame["Largest_diameter_of_CRLM"] = rng.random(n) * 8
    frame["Preoperative_CEA"] = rng.exponential(30, n)
    frame["sof_group"] = rng.choice(["low", "high", ""], n)
    frame["crs_group"] = np.where(frame["CRS_score"] >= 3, "high", "low")
    frame["combined_grade"] = rng.choice(["low", "medium", "high", ""], n)
    return frame


def test_every_feature_is_compared_by_every_factor_of_the_paper(patients):
    table = groups_table(patients)
    assert len(table) == 20 * 6
    row = table[(table["feature"] == SOFS[4]) & (table["factor"] == "Gender")].iloc[0]
    women = patients[SOFS[4]][patients["Gender"] == 0]
    men = patients[SOFS[4]][patients["Gender"] == 1]
    assert (row["level_a"], row["level_b"], row["n_a"]) == ("female", "male", len(women))
    assert row["p"] == rank_sum(women, men).p
    assert row[["q1_b", "median_b", "q3_b"]].tolist() == men.quantile([0.25, 0.5, 0.75]).tolist()
    np.testing.assert_array_equal(table["p_fdr"], false_discovery_rate(table["p"]))


def test_metastases_are_synchronous_at_an_interval_of_0(patients):
    table = groups_table(patients, SOFS[:1])
    row = table[table["factor"] == DFI].iloc[0]
    assert (row["level_a"], row["level_b"]) == ("synchronous", "metachronous")
    assert row["n_a"] == (patients[DFI] == 0).sum()
    assert row["n_b"] == (patients[DFI] > 0).sum()


def test_features_are_correlated_with_the_numbers_of_the_paper(patients):
    patients.loc[:4, SOFS[2]] = np.nan
    patients.loc[3:7, "Age"] = np.nan
    table = correlations_table(patients)
    assert len(table) == 20 * 4
    row = table[(table["feature"] == SOFS[2]) & (table["factor"] == "Age")].iloc[0]
    assert row["n"] == len(patients) - 8
    ours = pearson(patients[SOFS[2]], patients["Age"])
    assert (row["r"], row["lower95"], row["p"]) == (ours.estimate, ours.lower, ours.p)


def test_risk_groups_are_tested_by_the_kind_of_the_other_column(patients):
    table = tables_table(patients).set_index(["a", "b", "test"])
    counts = pd.crosstab(
        *(patients.loc[patients["sof_group"] != "", c] for c in ("sof_group", "crs_group"))
    )
    assert table.loc[("sof_group", "crs_group", "chi-square"), "p"] == chi_square(counts).p
    ages = [patients["Age"][patients["sof_group"] == level] for level in ("low", "high")]
    row = table.loc[("sof_group", "Age", "Kruskal-Wallis")]
    assert row["p"] == pytest.approx(kruskal(ages).p)
    assert row["n"] == sum(map(len, ages))
    assert table.loc[("sof_group", "CRS_score", "chi-square"), "df"] == 5
    assert ("sof_group", "Gender", "Fisher") in table.index
    assert ("combined_grade", "Gender", "Fisher") in table.index


def test_what_a_group_is_made_of_is_no_question(patients):
    table = tables_table(patients)
    asked = set(zip(table["a"], table["b"], strict=True))
    for other in ("CRS_score", "Number_of_LM", "Pathological_Nstage", DFI):
        assert ("crs_group", other) not in asked
        assert ("sof_group", other) in asked
    assert ("sof_group", "combined_grade") not in asked
    assert ("crs_group", "combined_grade") not in asked


def test_false_discovery_is_adjusted_within_a_kind_of_test(patients):
    table = tables_table(patients)
    for _, rows in table.groupby("test"):
        np.testing.assert_allclose(rows["p_fdr"], false_discovery_rate(rows["p"]))


def test_a_constant_feature_has_no_p_and_a_sentence(patients):
    patients[SOFS[1]] = 0.0
    patients[SOFS[2]] = np.nan
    result = associations(patients)
    for table in (result.groups, result.correlations):
        assert table[table["feature"].isin(SOFS[1:3])]["p"].isna().all()
        assert table[~table["feature"].isin(SOFS[1:3])]["p_fdr"].notna().all()
    assert "the same in all patients" in result.warnings[0]


def test_missing_columns_are_left_out_and_told(patients):
    result = associations(patients.drop(columns=["Gender", "Age", "crs_group"]))
    assert "Gender" not in set(result.groups["factor"])
    assert "Sex" in result.warnings[0]
    assert "Age" in result.warnings[0]
    assert "crs_group" not in set(result.tables["a"])


def test_an_empty_table_gives_empty_tables():
    result = associations(pd.DataFrame({"patient": ["a"]}))
    assert result.groups.empty
    assert result.correlations.empty
    assert result.tables.empty
    assert "p_fdr" in result.tables.columns


def test_other_two_level_columns_may_be_asked(patients):
    patients["Concomitant_ablation"] = np.arange(len(patients)) % 2
    table = groups_table(patients, SOFS[:2], [*PAPER_FACTORS, two_levels("Concomitant_ablation")])
    assert table["level_b"].iloc[-1] == "yes"
    with pytest.raises(CohortError, match="has the value"):
        groups_table(patients, SOFS[:1], [two_levels("CRS_score")])
