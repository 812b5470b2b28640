"""Clinical tables: whose header is which column, what is wrong in which row."""

import numpy as np
import pytest

from napari_crlm_spa._tests.core.cohort.table.made_analyses import assert_adds_up, table, told
from napari_crlm_spa.core.cohort.columns import CLINICAL, SOFS
from napari_crlm_spa.core.cohort.table import BuildOptions, read_cohort
from napari_crlm_spa.core.cohort.table.check import POSSIBLE
from napari_crlm_spa.core.cohort.table.words import to_codes
from napari_crlm_spa.core.risk.crs import ClinicalFactors
from napari_crlm_spa.errors import CohortError


def read(tmp_path, text, *, options=None, **kwargs):
    return read_cohort(table(tmp_path / "clinical.csv", text), options=options, **kwargs)


def test_the_authors_columns_are_read_as_they_are(tmp_path):
    header = ["Sample.ID", "os.time", "os.event", *CLINICAL, *SOFS]
    row = ["S1", "12.5", "1", *("1" for _ in CLINICAL), *("0.25" for _ in SOFS)]
    second = ["S2", "40", "0", *("1" for _ in CLINICAL), *("0.5" for _ in SOFS)]
    second[header.index("Gender")] = "2"
    cohort = read(tmp_path, "\n".join(",".join(line) for line in (header, row, second)))
    expected = ["patient", "os.time", "os.event", *CLINICAL, *SOFS]
    assert list(cohort.patients.columns) == expected
    assert cohort.patients["Gender"].tolist() == [0, 1]  # 1 female, 2 male
    assert cohort.survival.time.tolist() == [12.5, 40]
    assert cohort.survival.event.tolist() == [True, False]


def test_other_peoples_headers_and_words_are_understood(tmp_path):
    cohort = read(
        tmp_path,
        "Patient ID;OS (months);Vital status;Sex;sidedness;pT;pN;R;CEA [ng/mL];pretreated;KRAS\n"
        "a;12,5;dead;f;left;T3;N0;R1;3,5;yes;wild type\n"
        "b;40,25;alive;Male;Right;pT2;N2a;0;200,5;NO;mutated\n"
        "c;1,75;Deceased;W;l;Tis;n/a;R0;;n;\n",
    )
    found = cohort.patients
    assert found["os.time"].tolist() == [12.5, 40.25, 1.75]
    assert found["os.event"].tolist() == [1, 0, 1]
    assert found["Gender"].tolist() == [0, 1, 0]
    assert found["Primary_tumor_location"].tolist() == [0, 1, 0]
    assert found["Pathological_Tstage"].tolist() == [1, 0, 0]
    np.testing.assert_array_equal(found["Pathological_Nstage"], [0, 1, np.nan])
    assert found["Resection_margin"].tolist() == [1, 0, 0]
    np.testing.assert_array_equal(found["Preoperative_CEA"], [3.5, 200.5, np.nan])
    assert found["Preoperative_chemotherapy"].tolist() == [1, 0, 0]
    assert found["KRAS"].tolist()[:2] == ["wild type", "mutated"]
    assert found["KRAS"].isna().tolist() == [False, False, True]
    record = cohort.record["clinical"]
    assert record["columns"]["Gender"] == "Sex"
    assert record["words"]["Gender"] == {"f": 0, "Male": 1, "W": 0}
    assert "OS (months)" in record["decimal_commas"]


def test_a_header_that_two_columns_claim_is_an_error_with_the_choice(tmp_path):
    text = "patient,os.time,os.event,t stage,pT\na,1,1,0,1\nb,2,0,1,1\n"
    with pytest.raises(CohortError, match=r"t stage, pT.*--columns 'Pathological_Tstage=t stage'"):
        read(tmp_path, text)
    options = BuildOptions(columns="Pathological_Tstage = pT")
    found = read(tmp_path, text, options=options).patients
    assert found["Pathological_Tstage"].tolist() == [1, 1]
    assert found["t stage"].tolist() == [0, 1]


@pytest.mark.parametrize("choice", ["Gendr=Sex", "Gender", "=Sex", "Gender=Sax"])
def test_a_wrong_choice_of_columns_is_told(tmp_path, choice):
    with pytest.raises(CohortError, match=r"Gender|Sex"):
        read(
            tmp_path,
            "patient,os.time,os.event,Sex\na,1,1,f\n",
            options=BuildOptions(columns=choice),
        )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("patient,os.event\na,1\n", "is the follow-up.*--time"),
        ("patient,os.time\na,1\n", "says who died.*--event"),
        ("patient,OS days,os.event\na,1,1\n", "in days by its name.*--time-unit days"),
    ],
)
def test_without_follow_up_there_is_no_cohort(tmp_path, text, says):
    with pytest.raises(CohortError, match=says):
        read(tmp_path, text)


def test_follow_up_may_be_in_days_or_years(tmp_path):
    text = "patient,surv,os.event\na,365.25,1\nb,36.525,0\n"
    days = read(tmp_path, text, time="surv", options=BuildOptions(time_unit="days"))
    assert days.survival.time == pytest.approx([12, 1.2], rel=1e-15)
    years = read(tmp_path, text, time="surv", options=BuildOptions(time_unit="years"))
    assert years.survival.time == pytest.approx([12 * 365.25, 12 * 36.525], rel=1e-15)


def test_another_column_called_os_time_stays_and_the_named_one_counts(tmp_path):
    cohort = read(
        tmp_path,
        "patient,os.time,os.event,dfs.time,dfs.event\na,9,0,4,1\nb,8,1,3,1\n",
        time="dfs.time",
        event="dfs.event",
    )
    assert cohort.survival.time.tolist() == [4, 3]
    assert cohort.survival.n_events == 2
    assert cohort.patients["os.time"].tolist() == [9, 8]


PROBLEMS = """patient,os.time,os.event,Age,Number_of_LM,Preoperative_CEA,Gender
a,12,1,60,1,5,0
b,-3,1,60,1,5,0
c,,0,60,1,5,0
d,soon,0,60,1,5,0
e,12,2,60,1,5,0
f,12,2,60,1,5,0
g,12,4,60,1,5,0
h,12,,60,1,5,0
,12,1,60,1,5,0
i,12,0,210,0,<5,7
i,12,0,210,0,<5,7
j,12,1,60,1,5,0
j,13,1,60,1,5,0
"""


def test_every_problem_is_listed_with_its_row(tmp_path):
    cohort = read(tmp_path, PROBLEMS)
    assert cohort.patients["patient"].tolist() == ["a", "i"]
    rows = {(p.severity, p.row, p.patient, p.value) for p in cohort.problems}
    assert rows >= {
        ("error", 3, "b", "-3"),
        ("error", 4, "c", ""),
        ("error", 5, "d", "soon"),
        ("error", 6, "e", "2"),
        ("error", 8, "g", "4"),
        ("error", 9, "h", ""),
        ("error", 10, "", ""),
        ("warning", 11, "i", "210"),
        ("warning", 11, "i", "0"),
        ("warning", 11, "i", "<5"),
        ("warning", 11, "i", "7"),
        ("warning", 12, "i", ""),
        ("error", 13, "j", "12; 13"),
        ("error", 14, "j", "12; 13"),
    }
    assert "codes other than 0 and 1: 2 (2 patients), 4 (1 patient)" in told(cohort)
    assert cohort.patients[["Age", "Number_of_LM", "Preoperative_CEA"]].iloc[1].isna().all()
    assert_adds_up(cohort)
    assert cohort.flow[0].before == 11  # ten names, and a row without one
    assert "event code 2 (2 patients)" in cohort.flow[-1].reason


def test_impossible_values_may_exclude_their_patient(tmp_path):
    cohort = read(tmp_path, PROBLEMS, options=BuildOptions(bad_values="exclude"))
    assert cohort.patients["patient"].tolist() == ["a"]
    assert_adds_up(cohort)
    assert any(p.severity == "error" and p.value == "210" for p in cohort.problems)


def test_other_event_codes_may_be_deleted_as_the_authors_did(tmp_path):
    cohort = read(tmp_path, PROBLEMS, options=BuildOptions(event_codes="delete"))
    assert cohort.patients["patient"].tolist() == ["a", "i"]
    assert not [p for p in cohort.problems if p.severity == "error" and p.value in ("2", "4")]
    assert "deleted, as the authors did" in told(cohort, "warning")


def test_the_codes_of_the_dead_can_be_said(tmp_path):
    text = "patient,os.time,status\na,3,1\nb,4,2\nc,5,2\n"
    with pytest.raises(CohortError) as caught:
        read(tmp_path, text.replace("a,3,1", "a,3,2"))
    assert "--died 2" in str(caught.value)
    found = read(tmp_path, text, options=BuildOptions(died="2")).survival
    assert found.event.tolist() == [False, True, True]
    # With a 0 in the column, 1 is not the living: it is told.
    mixed = read(tmp_path, text + "d,6,0\n", options=BuildOptions(died="2"))
    assert mixed.patients["patient"].tolist() == ["b", "c", "d"]


@pytest.mark.parametrize(
    ("months", "says"),
    [
        ([1000.0] * 30, "looks like days"),
        ([10.0] * 29 + [700.0], "looks like days"),
        ([2.5] * 30, "may be years"),
        ([10.0] * 29 + [500.0], ""),
    ],
)
def test_follow_up_in_another_unit_is_suspected(tmp_path, months, says):
    lines = [f"p{at},{value},1" for at, value in enumerate(months)]
    cohort = read(tmp_path, "\n".join(["patient,os.time,os.event", *lines]))
    assert (says in told(cohort)) if says else "looks like" not in told(cohort)
    if "days" in says:
        assert "--time-unit days" in told(cohort)


def test_months_that_are_called_days_are_suspected(tmp_path):
    lines = [f"p{at},{at + 1},1" for at in range(30)]
    text = "\n".join(["patient,time,os.event", *lines])
    cohort = read(tmp_path, text, options=BuildOptions(time_unit="days"))
    assert "may be months" in told(cohort)


def test_a_share_outside_0_to_1_excludes_and_percent_is_suspected(tmp_path):
    columns = ",".join(SOFS[:3])
    cohort = read(
        tmp_path, f"patient,os.time,os.event,{columns}\na,1,1,0.1,0.2,\nb,2,1,10,20,0.5\n"
    )
    assert cohort.patients["patient"].tolist() == ["a"]
    assert "within 0 to 1" in told(cohort, "error")
    assert "looks like percent" in told(cohort)


def test_a_diameter_in_millimeters_is_not_taken_for_centimeters(tmp_path):
    cohort = read(tmp_path, "patient,os.time,os.event,Largest diameter (mm)\na,1,1,45\nb,2,0,30\n")
    assert "Largest_diameter_of_CRLM" not in cohort.patients
    assert cohort.patients["Largest diameter (mm)"].tolist() == [45, 30]
    assert "is in cm" in told(cohort)
    unsaid = read(tmp_path, "patient,os.time,os.event,Largest diameter\na,1,1,45\nb,2,0,30\n")
    assert "looks like millimeters" in told(unsaid)


@pytest.mark.parametrize(
    ("column", "cells", "codes"),
    [
        ("Pathological_Tstage", ["1", "2", "3", "4", "4"], [0, 0, 1, 1, 1]),
        ("Pathological_Tstage", ["0", "1", "1"], [0, 1, 1]),
        ("Pathological_Tstage", ["T4a", "pT1", "ypT3", "Tis", "N1"], [1, 0, 1, 0, np.nan]),
        ("Pathological_Nstage", ["0", "1", "2"], [0, 1, 1]),
        ("Pathological_Nstage", ["N+", "N0", "negative", "N1c"], [1, 0, 0, 1]),
        ("CRS_group", ["low", "High risk", "high (3-5)"], [0, 1, 1]),
        ("Adjuvant_chemotherapy", ["TRUE", "FALSE", "1.0", "0", "9"], [1, 0, 1, 0, np.nan]),
        ("Gender", ["1", "2", "2"], [np.nan] * 3),
        ("Resection_margin", ["R0", "r1", "R 1", "2"], [0, 1, 1, np.nan]),
    ],
)
def test_words_and_stages_become_codes(column, cells, codes):
    found = to_codes(column, cells)
    np.testing.assert_array_equal(found.values, codes)
    assert (np.isnan(found.values) == found.bad).all()


def test_one_and_two_are_no_codes_unless_they_are_the_authors(tmp_path):
    assert to_codes("Gender", ["1", "2"]).shifted
    text = "patient,os.time,os.event,{}\na,1,1,1\nb,2,0,2\n"
    sex = read(tmp_path, text.format("Sex"))
    assert "Gender" not in sex.patients
    assert sex.patients["Sex"].tolist() == [1, 2]
    assert "coded 1 and 2" in told(sex)
    assert read(tmp_path, text.format("Gender")).patients["Gender"].tolist() == [0, 1]


def test_the_clinical_risk_score_is_counted_where_it_is_missing(tmp_path):
    cohort = read(
        tmp_path,
        "patient,os.time,os.event,pN,DFI,Number_of_LM,Largest_diameter_of_CRLM,CEA,CRS_score\n"
        "five,1,1,1,0,2,6,300,\n"
        "none,1,1,0,24,1,2,5,\n"
        "low whatever,1,1,0,24,1,,,\n"
        "undecided,1,1,1,3,1,,,\n"
        "high whatever,1,1,1,3,4,,5,\n"
        "wrong,1,1,1,0,2,6,300,2\n"
        "edges,1,0,0,12,1,5,200,\n",
    )
    nan = np.nan
    found = cohort.patients
    np.testing.assert_array_equal(found["CRS_score"], [5, 0, nan, nan, nan, 2, 0])
    np.testing.assert_array_equal(found["CRS_group"], [1, 0, 0, nan, 1, 0, 0])
    assert "The clinical risk score is 2, but its factors give 5." in told(cohort)
    assert "counted from its five factors for 3 patients" in told(cohort)
    names = list(found.columns)
    assert names.index("CRS_score") < names.index("CRS_group") < len(names)


def test_an_interval_of_yes_and_no_is_not_counted_as_months(tmp_path):
    cohort = read(
        tmp_path,
        "patient,os.time,os.event,pN,Synchronous_liver_metastases,Number_of_LM,"
        "Largest_diameter_of_CRLM,CEA\na,1,1,1,1,1,2,5\nb,2,1,1,0,1,2,5\n",
    )
    assert "not yes or no" in told(cohort)
    assert "CRS_score" not in cohort.patients
    assert cohort.patients["CRS_group"].tolist() == [0, 0]  # at most 2 points


def test_limits_are_those_of_the_clinical_risk_scores_form():
    forms = {
        "Synchronous_liver_metastases": "disease_free_interval_months",
        "Number_of_LM": "n_metastases",
        "Largest_diameter_of_CRLM": "largest_metastasis_cm",
        "Preoperative_CEA": "cea_ng_ml",
    }
    fields = ClinicalFactors.__dataclass_fields__
    for column, name in forms.items():
        assert POSSIBLE[column] == (fields[name].metadata["min"], fields[name].metadata["max"])
    numbers = {name for name, variable in CLINICAL.items() if variable.kind != "binary"}
    assert numbers == set(POSSIBLE)


def test_several_rows_of_a_patient_fill_each_other(tmp_path):
    cohort = read(
        tmp_path,
        "patient,slide,os.time,os.event,Age\na,a1.svs,12,1,50\na,a2.svs,,,\nb,b1.svs,,0,\n"
        "b,b2.svs,30,0,61\n",
    )
    assert cohort.patients["os.time"].tolist() == [12, 30]
    assert cohort.patients["Age"].tolist() == [50, 61]
    bad = read(tmp_path, "patient,slide,os.time,os.event,Age\nb,1,,0,\nb,2,30,0,old\nc,3,2,1,40\n")
    assert any(p.row == 3 and p.value == "old" for p in bad.problems)


def test_features_of_any_name_keep_it_and_must_be_numbers(tmp_path):
    text = "id,time,status,sex,age\n1,10,1,1,50\n2,20,0,2,x\n3,30,1,2,70\n"
    cohort = read(tmp_path, text, features=("sex", "age"))
    assert cohort.patients["sex"].tolist() == [1, 2, 2]
    np.testing.assert_array_equal(cohort.patients["age"], [50, np.nan, 70])
    assert "A feature must be a number" in told(cohort)
    with pytest.raises(CohortError, match="no column 'weight'"):
        read(tmp_path, text, features=("weight",))


def test_columns_that_only_look_like_numbers_stay_text(tmp_path):
    lines = [f"p{at},{at + 1},1,00{at},{'?' if at else '<3'},{at}" for at in range(12)]
    lines[3] = "p3,4,1,003,<5,lots"
    cohort = read(tmp_path, "\n".join(["patient,os.time,os.event,ward,x,y", *lines]))
    assert cohort.patients["ward"].tolist()[:2] == ["000", "001"]
    assert cohort.patients["y"].tolist()[3] == "lots"
    assert any(p.row == 5 and p.column == "y" and p.value == "lots" for p in cohort.problems)


def test_columns_with_our_names_are_not_overwritten(tmp_path):
    cohort = read(
        tmp_path,
        "Patient ID,patient,os.time,os.event,n_slides\nx,y,1,1,4\nz,w,2,0,5\n",
        options=BuildOptions(columns="patient=Patient ID"),
    )
    assert cohort.patients["patient"].tolist() == ["x", "z"]
    assert cohort.patients["patient (table)"].tolist() == ["y", "w"]
    assert cohort.patients["n_slides (table)"].tolist() == [4, 5]


def test_rows_without_a_patient_column_are_named_after_their_number(tmp_path):
    cohort = read(tmp_path, "time,status\n5,1\n6,0\n")
    assert cohort.patients["patient"].tolist() == ["row 2", "row 3"]
    assert "No column names the patients" in told(cohort)


def test_nobody_left_is_an_error_that_says_why(tmp_path):
    with pytest.raises(CohortError, match=r"No patient of clinical\.csv.*negative"):
        read(tmp_path, "patient,os.time,os.event\na,-1,1\n")
