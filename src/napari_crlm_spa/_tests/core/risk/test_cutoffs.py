import numpy as np
import pandas as pd
import pytest

from napari_crlm_spa._tests.r_reference import reference_table
from napari_crlm_spa.core.risk import (
    Cutoff,
    apply_cutoffs,
    fit_cutoffs,
    load_risk_model,
    maxstat_cutoff,
    read_table,
)
from napari_crlm_spa.errors import RiskError, TableError

DEBRIS, LYMPHOCYTES = "Overall_Debris_ratio", "Overall_Lymphocyte_ratio"


@pytest.fixture
def cohort():
    rng = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "Sample.ID": [f"S{k}" for k in range(40)],
            "os.time": rng.uniform(1, 100, 40),
            "os.event": rng.integers(0, 2, 40),
            DEBRIS: rng.uniform(0, 0.4, 40),
            LYMPHOCYTES: rng.uniform(0, 0.2, 40),
        }
    )


def test_the_median_puts_half_of_the_slides_on_either_side(cohort):
    found = fit_cutoffs(cohort, [DEBRIS, LYMPHOCYTES])
    assert found[DEBRIS].cutoff == np.median(cohort[DEBRIS])
    assert (found[DEBRIS].n_low, found[DEBRIS].n_high) == (20, 20)
    assert found[DEBRIS].source == "median of 40 slides"
    assert list(found) == [DEBRIS, LYMPHOCYTES]


def test_the_median_needs_no_follow_up(cohort):
    assert fit_cutoffs(cohort[["Sample.ID", DEBRIS]], [DEBRIS])[DEBRIS].statistic is None


def test_slides_that_are_refused_a_risk_are_left_out_and_rows_keep_their_numbers(cohort):
    cohort["refusal"] = ["No risk for this slide."] * 10 + [None] * 15 + [""] * 15
    cohort.loc[:9, DEBRIS] = [9.0] * 5 + [np.nan] * 5
    found = fit_cutoffs(cohort, [DEBRIS])[DEBRIS]
    assert found.cutoff == np.median(cohort[DEBRIS][10:])
    assert found.source == "median of 30 slides"
    cohort.loc[12, DEBRIS] = np.nan
    with pytest.raises(TableError, match=r"row 14 \(Sample.ID S12\)"):
        fit_cutoffs(cohort, [DEBRIS])


def test_values_on_the_median_are_low(cohort):
    cohort[DEBRIS] = [0.1] * 15 + [0.2] * 10 + [0.3] * 15
    found = fit_cutoffs(cohort, [DEBRIS])[DEBRIS]
    assert (found.cutoff, found.n_low, found.n_high) == (0.2, 25, 15)


def test_maxstat_splits_each_column_where_survival_differs_most():
    lung = reference_table("lung_os.csv").dropna(subset=["age", "ph_karno"])
    found = fit_cutoffs(lung, ["age", "ph_karno"], "maxstat", time="time", event="status")
    for column in ("age", "ph_karno"):
        direct = maxstat_cutoff(lung[column], lung["time"], lung["status"])
        assert (found[column].cutoff, found[column].statistic) == (direct.cutoff, direct.statistic)
    assert found["age"].cutoff == 70
    assert "maximally selected" in found["age"].source


def test_fitted_cutoffs_make_a_model_usable(cohort):
    model = load_risk_model("paper_eq1")
    fitted = fit_cutoffs(cohort, [DEBRIS, LYMPHOCYTES])
    found = apply_cutoffs(model, fitted, "Sun Yat-sen cohort")
    assert found.missing_cutoffs == ("Distal_Hepatocyte_ratio", "TUM_HEP_interaction")
    assert found.features[0].cutoff == fitted[DEBRIS].cutoff
    assert found.features[0].cutoff_source == "median of 40 slides, Sun Yat-sen cohort"
    assert model.missing_cutoffs == load_risk_model("paper_eq1").missing_cutoffs


def test_the_users_own_cutoff_is_marked_as_such():
    found = apply_cutoffs(load_risk_model(), {DEBRIS: 0.12})
    assert found.features[0].cutoff == 0.12
    assert found.features[0].cutoff_source == "user"


def test_cutoffs_for_other_columns_or_without_a_number_are_refused():
    with pytest.raises(RiskError, match="has no feature 'Overall_Mucus_ratio'"):
        apply_cutoffs(load_risk_model(), {"Overall_Mucus_ratio": 0.1})
    with pytest.raises(RiskError, match="finite"):
        apply_cutoffs(load_risk_model(), {DEBRIS: float("nan")})


def test_a_missing_column_is_named_beside_those_there_are(cohort):
    with pytest.raises(TableError, match=r"no column 'Overall_Mucus_ratio'\. It has Sample\.ID, "):
        fit_cutoffs(cohort, ["Overall_Mucus_ratio"])


def test_holes_are_named_with_column_and_row(cohort):
    cohort.loc[[3, 9], DEBRIS] = np.nan
    with pytest.raises(TableError, match=rf"{DEBRIS} is empty in row 5 \(Sample.ID S3\) \(2 rows"):
        fit_cutoffs(cohort, [DEBRIS])


def test_text_among_numbers_is_named_with_column_and_row(cohort):
    cohort[DEBRIS] = cohort[DEBRIS].astype(object)
    cohort.loc[4, DEBRIS] = "n/d"
    with pytest.raises(TableError, match=r"holds 'n/d', which is not a number, in row 6"):
        fit_cutoffs(cohort, [DEBRIS])


def test_infinite_values_are_refused(cohort):
    cohort.loc[2, DEBRIS] = np.inf
    with pytest.raises(TableError, match="row 4"):
        fit_cutoffs(cohort, [DEBRIS])


def test_a_constant_column_is_refused(cohort):
    cohort[DEBRIS] = 0.25
    with pytest.raises(TableError, match=r"is 0\.25 in every row"):
        fit_cutoffs(cohort, [DEBRIS])


def test_a_median_that_splits_nothing_is_refused(cohort):
    cohort[DEBRIS] = [0.0] * 10 + [0.4] * 30
    with pytest.raises(TableError, match="does not split it"):
        fit_cutoffs(cohort, [DEBRIS])


def test_too_few_rows_are_refused(cohort):
    with pytest.raises(TableError, match="has 9 rows to use; cut-offs need at least 10"):
        fit_cutoffs(cohort.head(9), [DEBRIS])


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("os.event", 3, r"os.event is 3 in row 2 \(Sample.ID S0\)"),
        ("os.time", -4.0, r"os.time is -4 in row 2"),
        ("os.time", np.nan, r"os.time is empty in row 2"),
    ],
)
def test_impossible_follow_up_is_named_with_its_row(cohort, column, value, what):
    cohort.loc[0, column] = value
    with pytest.raises(TableError, match=what):
        fit_cutoffs(cohort, [DEBRIS], "maxstat")


def test_maxstat_without_deaths_is_refused(cohort):
    cohort["os.event"] = 0
    with pytest.raises(TableError, match="without deaths"):
        fit_cutoffs(cohort, [DEBRIS], "maxstat")


def test_maxstat_without_a_balanced_split_is_refused(cohort):
    cohort[DEBRIS] = [0.0] * 38 + [0.4] * 2
    with pytest.raises(TableError, match="10% of the rows"):
        fit_cutoffs(cohort, [DEBRIS], "maxstat")


@pytest.mark.parametrize("wrong", [{"method": "mean"}, {"minprop": 0.5}, {"minprop": 0}])
def test_unknown_ways_to_split_are_refused(cohort, wrong):
    with pytest.raises(RiskError):
        fit_cutoffs(cohort, [DEBRIS], **wrong)


def test_tables_are_read_from_csv(tmp_path, cohort):
    cohort.to_csv(tmp_path / "features.csv", index=False)
    found = fit_cutoffs(read_table(tmp_path / "features.csv"), [DEBRIS])
    assert found[DEBRIS] == Cutoff(DEBRIS, float(np.median(cohort[DEBRIS])), "median", 20, 20)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01", None])
def test_a_table_that_cannot_be_read_is_one_sentence(tmp_path, content):
    path = tmp_path / "features.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TableError, match=r"features\.csv cannot be read"):
        read_table(path)


def test_numbers_never_slip_under_the_next_column(tmp_path):
    path = tmp_path / "trailing.csv"
    path.write_text("slide,a,b\n" + "s,0.1,0.2,\n" * 12)
    with pytest.raises(TableError, match="more cells"):
        read_table(path)
