"""Analyses and a clinical table become one row per patient."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa._tests.core.cohort.table.made_analyses import (
    SETTINGS,
    analysis,
    assert_adds_up,
    build,
    corrected,
    table,
    told,
    values_of,
)
from napari_crlm_spa.core.cohort.columns import SOFS
from napari_crlm_spa.core.cohort.table import BuildOptions, build_cohort
from napari_crlm_spa.core.risk import RiskFeature, RiskModel, load_risk_model, save_risk_model
from napari_crlm_spa.core.store import FEATURES_CSV, RUN_JSON, TILES_JOURNAL
from napari_crlm_spa.errors import CohortError

HEADER = "patient,slide,os.time,os.event\n"


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results"


def test_each_patient_gets_the_features_of_the_slide(results, tmp_path):
    ann = analysis(results / "HE1", "HE1.svs", tumor_tiles=123)
    bob = analysis(results / "HE2", "HE2.svs")
    clinical = table(tmp_path / "c.csv", HEADER + "Bob,HE2.svs,20,0\nAnn,HE1,10.5,1\n")
    cohort = build(results, clinical)
    assert cohort.patients["patient"].tolist() == ["Bob", "Ann"]
    assert cohort.patients[list(SOFS)].iloc[0].to_dict() == bob
    assert cohort.patients[list(SOFS)].iloc[1].to_dict() == ann
    assert cohort.patients["slides"].tolist() == ["HE2.svs", "HE1.svs"]
    assert cohort.patients["n_slides"].tolist() == [1, 1]
    assert cohort.patients["contiguous_tumor_tiles"].tolist() == [500, 123]
    assert cohort.slides["patient"].tolist() == ["Ann", "Bob"]
    assert cohort.slides["used"].all()
    assert not cohort.problems
    assert_adds_up(cohort)


@pytest.mark.parametrize(
    ("clinical", "options"),
    [
        ("patient,slides,os.time,os.event\nP1,HE1.svs; HE2,10,1\nP2,he3.SVS,20,0\n", {}),
        (HEADER + "P1,HE1,10,1\nP1,HE2.svs,10,1\nP2,/slides/results/HE3.svs,20,0\n", {}),
        (HEADER + "P1,results/HE1,10,1\nP1,elsewhere/HE2.svs,,\nP2,HE3,20,0\n", {}),
        ("patient,os.time,os.event\nP1,10,1\nP2,20,0\n", {"slides": "slide,patient\nHE1,P1\n"
         "HE2.svs,P1\nHE3,P2\n"}),
        ("patient,os.time,os.event\nHE1,10,1\nHE3,20,0\nhe2,1,0\n", {}),
    ],
    ids=["list", "rows", "paths", "mapping", "names"],
)  # fmt: skip
def test_slides_may_be_named_in_many_ways(results, tmp_path, clinical, options):
    for name in ("HE1", "HE2", "HE3"):
        analysis(results / name, f"{name}.svs")
    if "slides" in options:
        options = {"slides": table(tmp_path / "map.csv", options["slides"])}
    cohort = build([results], table(tmp_path / "c.csv", clinical), **options)
    owners = cohort.slides["patient"].tolist()
    assert owners[0].casefold() in ("p1", "he1") and owners[2] in ("P2", "HE3")
    assert owners[1] == "P1" or owners[1] == "he2"
    assert not told(cohort, "error")
    assert_adds_up(cohort)


def test_a_pattern_finds_the_patient_in_the_slides_name(results, tmp_path):
    for name in ("P-01_a", "P-01_b", "P-2_a", "scan"):
        analysis(results / name, f"{name}.svs")
    text = "patient,os.time,os.event\nP-01,10,1\nP-02,20,0\n"
    cohort = build(results, table(tmp_path / "c.csv", text), pattern="^(P-[0-9]+)_")
    assert cohort.patients["n_slides"].tolist() == [2]
    errors = told(cohort, "error")
    assert "P-2 is not in the clinical table. Is P-02 meant?" in errors
    assert "finds no patient" in errors and "scan.svs" in errors
    assert "P-02 :" in errors or "P-02  " in errors  # a clinical row without a slide
    assert_adds_up(cohort)
    with pytest.raises(CohortError, match="no regular expression"):
        build(results, table(tmp_path / "c.csv", text), pattern="(")


def test_rows_and_slides_that_do_not_fit_are_listed(results, tmp_path):
    for name in ("HE1", "HE2", "HE3", "HE4"):
        analysis(results / name, f"{name}.svs")
    clinical = table(
        tmp_path / "c.csv",
        HEADER + "A,HE1,10,1\nB,HE2,11,0\nC,HE2,12,0\nD,HE9,13,0\nE,,14,1\nF,HE3,-1,0\n",
    )
    cohort = build(results, clinical)
    assert cohort.patients["patient"].tolist() == ["A"]
    errors = told(cohort, "error")
    assert "HE4.svs: The slide has been analyzed, but no row names it" in errors
    assert "3 B slide HE2: The slide is named for several patients: B, C" in errors
    assert "5 D slide HE9: The slide has not been analyzed" in errors
    assert "6 E" in errors and "None of the patient's slides" in errors
    assert "7 F os.time -1" in errors
    left_out = dict(zip(cohort.slides["slide"], cohort.slides["left_out"], strict=True))
    assert left_out["HE2.svs"] == "named for several patients"
    assert "follow-up is negative" in left_out["HE3.svs"]
    assert_adds_up(cohort)


def test_refused_slides_are_excluded_and_counted(results, tmp_path):
    analysis(results / "HE1", "HE1.svs", tumor_tiles=3, refusal="too little tumor")
    analysis(results / "HE2", "HE2.svs", tumor_tiles=51)
    analysis(results / "HE3", "HE3.svs", tumor_tiles=9, refusal="too little tumor")
    text = "patient,slides,os.time,os.event\nA,HE1;HE2,10,1\nB,HE3,11,0\n"
    cohort = build(results, table(tmp_path / "c.csv", text))
    assert cohort.patients["patient"].tolist() == ["A"]
    assert cohort.patients["contiguous_tumor_tiles"].tolist() == [51]
    assert cohort.patients["n_slides"].tolist() == [1]
    steps = {(step.step, step.unit): step.excluded for step in cohort.flow}
    assert steps["too little tumor", "slides"] == 2
    assert steps["no usable slide", "patients"] == 1
    assert cohort.slides["refusal"].notna().tolist() == [True, False, True]
    assert not told(cohort, "error")  # the paper's exclusion is no mistake of the table
    assert_adds_up(cohort)


def test_damaged_and_unfinished_analyses_are_told(results, tmp_path):
    analysis(results / "HE1", "HE1.svs")
    analysis(results / "HE2", "HE2.svs", {**values_of(1), SOFS[3]: 1.5})
    for name, text in (("HE3", "slide,x\n"), ("HE4", "no\x00csv")):
        analysis(results / name, f"{name}.svs")
        (results / name / FEATURES_CSV).write_text(text)
    unfinished = results / "HE5"
    unfinished.mkdir()
    (unfinished / TILES_JOURNAL).touch()
    text = HEADER + "".join(f"P{at},HE{at},10,1\n" for at in range(1, 6))
    cohort = build(results, table(tmp_path / "c.csv", text))
    assert cohort.patients["patient"].tolist() == ["P1"]
    errors = told(cohort, "error")
    for says in (f"{SOFS[3]} is 1.5", "holds 0 rows", "unfinished"):
        assert says in errors
    assert cohort.slides["left_out"].notna().sum() == 4
    assert_adds_up(cohort)


def several(results, tmp_path, text=None, **options):
    """Ann has three slides; the second has the largest tumor, the third a hole."""
    values = [values_of(at) for at in range(3)]
    values[2][SOFS[0]] = np.nan
    for at, tiles in enumerate((60, 900, 80)):
        analysis(results / f"S{at}", f"S{at}.svs", values[at], tumor_tiles=tiles)
    clinical = table(
        tmp_path / "c.csv", text or "patient,slides,os.time,os.event\nAnn,S0;S1;S2,10,1\n"
    )
    return build(results, clinical, **options), values


def test_the_slide_with_the_largest_tumor_speaks_for_its_patient(results, tmp_path):
    cohort, values = several(results, tmp_path)
    assert cohort.patients[list(SOFS)].iloc[0].to_dict() == values[1]
    assert cohort.patients["slides"].tolist() == ["S0.svs; S1.svs; S2.svs"]
    assert cohort.slides["used"].tolist() == [False, True, False]
    assert cohort.flow[-1].excluded == 2
    assert_adds_up(cohort)


def test_the_mean_leaves_holes_out(results, tmp_path):
    cohort, values = several(results, tmp_path, patient_rule="mean")
    found = cohort.patients.iloc[0]
    assert found[SOFS[0]] == (values[0][SOFS[0]] + values[1][SOFS[0]]) / 2
    for name in SOFS[1:]:
        assert found[name] == pytest.approx(np.mean([each[name] for each in values]), rel=1e-15)
    assert cohort.slides["used"].all()
    assert_adds_up(cohort)


@pytest.mark.parametrize(
    "text",
    [
        "patient,slides,use_slide,os.time,os.event\nAnn,S0;S1;S2,S2.svs,10,1\n",
        "patient,slide,use_slide,os.time,os.event\nAnn,S0,,10,1\nAnn,S1,no,,\nAnn,S2,yes,,\n",
    ],
)
def test_a_declared_slide_counts(results, tmp_path, text):
    cohort, values = several(results, tmp_path, text, patient_rule="declared")
    assert cohort.patients[SOFS[1]].tolist() == [values[2][SOFS[1]]]
    assert cohort.slides["used"].tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("patient,slides,os.time,os.event\nAnn,S0;S1;S2,10,1\n", "None of several slides"),
        ("patient,slide,use_slide,os.time,os.event\nAnn,S0,x,10,1\nAnn,S1,x,10,1\n",
         "Several slides are declared"),
        ("patient,slides,use_slide,os.time,os.event\nAnn,S0;S1,S9,10,1\n",
         "none of the patient's analyzed slides"),
    ],
)  # fmt: skip
def test_without_one_declared_slide_the_patient_is_not_used(results, tmp_path, text, says):
    cohort, _ = several(results, tmp_path, text, patient_rule="declared")
    assert len(cohort) == 0
    assert says in told(cohort, "error")
    assert_adds_up(cohort)


def test_the_worst_slide_has_the_highest_score(results, tmp_path):
    model = RiskModel(
        name="m",
        features=tuple(
            RiskFeature(column=name, coefficient=weight, cutoff=0.5)
            for name, weight in ((SOFS[4], 1.0), (SOFS[5], -0.5))
        ),
        threshold=0,
    )
    save_risk_model(model, tmp_path / "m.json")
    scores = [{SOFS[4]: 0.9, SOFS[5]: 0.1}, {SOFS[4]: 0.9, SOFS[5]: 0.9}, {SOFS[4]: 0.1}]
    for at, changed in enumerate(scores):
        analysis(results / f"S{at}", f"S{at}.svs", {**values_of(at), **changed}, tumor_tiles=at)
    text = "patient,slides,os.time,os.event\nAnn,S0;S1;S2,10,1\n"
    clinical = table(tmp_path / "c.csv", text)
    cohort = build(results, clinical, patient_rule="worst", risk_model=str(tmp_path / "m.json"))
    assert cohort.slides["used"].tolist() == [True, False, False]
    assert cohort.record["risk_model"]["name"] == "m"


def test_the_worst_slide_needs_a_model_with_cutoffs(results, tmp_path):
    assert load_risk_model().missing_cutoffs
    for name in ("", "paper_eq1"):
        with pytest.raises(CohortError, match="--patient-rule"):
            several(results, tmp_path, patient_rule="worst", risk_model=name)


def test_a_readers_corrections_replace_the_prediction(results, tmp_path):
    analysis(results / "S0", "S0.svs")
    plain = analysis(results / "S1", "S1.svs")
    hers = values_of(77)
    corrected(results / "S0", "Ada", "S0.svs", hers, tumor_tiles=444)
    clinical = table(tmp_path / "c.csv", HEADER + "A,S0,10,1\nB,S1,11,0\n")
    cohort = build(results, clinical, reader="ADA")
    assert cohort.patients[list(SOFS)].iloc[0].to_dict() == hers
    assert cohort.patients[list(SOFS)].iloc[1].to_dict() == plain
    assert cohort.slides["reader"].tolist()[0] == "ADA"
    assert cohort.slides["reader"].isna().tolist() == [False, True]
    assert "1 slide (S1.svs) was not corrected by ADA" in told(cohort)
    only = build(results, clinical, reader="Ada", uncorrected="exclude")
    assert only.patients["patient"].tolist() == ["A"]
    assert_adds_up(only)
    with pytest.raises(CohortError, match=r"Ben has corrected none.*by Ada"):
        build(results, clinical, reader="Ben")


def test_slides_analyzed_in_another_way_are_named(results, tmp_path):
    for at in range(4):
        analysis(results / f"S{at}", f"S{at}.svs")
    other = {**SETTINGS["model"], "name": "mine", "sha256": "b" * 64}
    analysis(results / "S4", "S4.svs", model=other)
    options = json.loads(json.dumps(SETTINGS["options"]))
    options["spatial"]["zones"]["components"] = 3
    analysis(results / "S2", "S2.svs", options=options)
    text = HEADER + "".join(f"P{at},S{at},10,1\n" for at in range(5))
    cohort = build(results, table(tmp_path / "c.csv", text))
    warnings = told(cohort, "warning")
    assert "1 slide (S4.svs) was analyzed with another classifier than the other 4" in warnings
    assert "name mine instead of crlm7" in warnings
    assert "1 slide (S2.svs) was analyzed with another spatial options" in warnings
    assert "components 3 instead of 2" in warnings
    assert len(cohort) == 5


def test_a_slide_that_was_analyzed_twice_counts_once(results, tmp_path):
    for place in ("one", "two"):
        analysis(results / place / "S0", "S0.svs", fingerprint="same")
    analysis(results / "one" / "S1", "S1.svs", fingerprint="other")
    analysis(results / "two" / "S1", "S1.svs", values_of(5), fingerprint="other")
    analysis(results / "one" / "S2", "S2.svs")
    text = "patient,os.time,os.event\nS0,10,1\nS1,11,0\nS2,12,0\n"
    cohort = build(results, table(tmp_path / "c.csv", text))
    assert cohort.patients["patient"].tolist() == ["S0", "S2"]
    assert cohort.patients["n_slides"].tolist() == [1, 1]
    assert "one/S0, two/S0" in told(cohort, "warning")
    assert "one/S1, two/S1" in told(cohort, "error")
    assert_adds_up(cohort)


def test_a_copy_of_an_analysis_does_not_make_its_name_ambiguous(results, tmp_path):
    for place in ("one", "two"):
        analysis(results / place / "S0", "S0.svs", fingerprint="same")
    for name in ("S0", "S0.svs", "two/S0"):
        clinical = table(tmp_path / "c.csv", HEADER + f"A,{name},10,1\n")
        cohort = build(results, clinical)
        assert cohort.slides["used"].sum() == 1
        assert not told(cohort, "error")
        assert_adds_up(cohort)


def test_slides_of_one_name_are_told_apart_by_their_path(results, tmp_path):
    for place in ("one", "two"):
        analysis(results / place / "HE", "HE.svs")
    vague = table(tmp_path / "c.csv", HEADER + "A,HE,10,1\nB,two/HE.svs,11,0\n")
    cohort = build(results, vague)
    assert cohort.patients["patient"].tolist() == ["B"]
    assert "2 analyses may be meant: one/HE, two/HE" in told(cohort, "error")
    exact = table(tmp_path / "c.csv", HEADER + "A,one/HE,10,1\nB,two/HE,11,0\n")
    assert len(build(results, exact)) == 2


def test_features_in_the_clinical_table_make_way_for_those_of_the_slides(results, tmp_path):
    values = analysis(results / "HE", "HE.svs")
    text = f"patient,slide,os.time,os.event,{SOFS[0]}\nA,HE,10,1,0.75\n"
    found = build(results, table(tmp_path / "c.csv", text)).patients
    assert found[SOFS[0]].tolist() == [values[SOFS[0]]]
    assert found[f"{SOFS[0]} (table)"].tolist() == [0.75]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("patient,os.time,os.event\nA,1,1\n", r"No slide belongs.*HE\.svs.*--pattern"),
        (HEADER + "A,HX,1,1\n", "names none of the slides"),
        ("os.time,os.event\n1,1\n", "names the patients"),
    ],
)
def test_tables_that_never_meet_are_an_error(results, tmp_path, text, says):
    analysis(results / "HE", "HE.svs")
    with pytest.raises(CohortError, match=says):
        build(results, table(tmp_path / "c.csv", text))


def test_places_without_analyses_are_told(tmp_path):
    clinical = table(tmp_path / "c.csv", HEADER + "A,HE,1,1\n")
    with pytest.raises(CohortError, match="no analyzed slide"):
        build(tmp_path, clinical)
    with pytest.raises(CohortError, match="is no folder"):
        build(tmp_path / "absent", clinical)


def test_an_analysis_without_a_record_is_taken(results, tmp_path):
    analysis(results / "HE", "HE.svs")
    (results / "HE" / RUN_JSON).unlink()
    cohort = build(results / "HE", table(tmp_path / "c.csv", HEADER + "A,HE.svs,1,1\n"))
    assert len(cohort) == 1
    assert cohort.slides["slide"].tolist() == ["HE.svs"]


def test_it_can_be_stopped_between_slides(results, tmp_path):
    for at in range(3):
        analysis(results / f"S{at}", f"S{at}.svs")
    clinical = table(tmp_path / "c.csv", HEADER + "A,S0,10,1\n")
    work = build_cohort([results], clinical, BuildOptions())
    steps = [next(work) for _ in range(3)]
    assert [(step.done, step.total) for step in steps] == [(0, 3), (1, 3), (2, 3)]
    work.close()


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_flow_adds_up_whatever_the_tables_hold(tmp_path_factory, data):
    base = tmp_path_factory.mktemp("flow")
    n = data.draw(st.integers(1, 8))
    for at in range(n):
        refusal = data.draw(st.sampled_from(["", "", "too little tumor"]))
        tiles = data.draw(st.integers(0, 3))
        folder = base / "results" / f"S{at}"
        same = data.draw(st.sampled_from([None, None, "twin"]))
        analysis(folder, f"S{at}.svs", tumor_tiles=tiles, refusal=refusal, fingerprint=same)
        if data.draw(st.integers(0, 5)) == 0:
            (folder / FEATURES_CSV).write_text("broken")
    rows = data.draw(
        st.lists(
            st.tuples(
                st.sampled_from(["A", "B", "C", ""]),
                st.sampled_from([*(f"S{at}" for at in range(n)), "S99", ""]),
                st.sampled_from(["5", "5", "5", "-1", "", "x"]),
                st.sampled_from(["1", "1", "1", "2", ""]),
                st.sampled_from(["", "yes"]),
            ),
            min_size=1,
            max_size=8,
        )
    )
    text = "patient,slide,os.time,os.event,use_slide\n"
    clinical = table(base / "c.csv", text + "\n".join(map(",".join, rows)))
    rule = data.draw(st.sampled_from(["largest_tumor", "declared", "mean"]))
    try:
        cohort = build(base / "results", clinical, patient_rule=rule)
    except CohortError as error:
        assert "No slide belongs" in str(error)
        return
    assert_adds_up(cohort)
    used = cohort.slides[cohort.slides["used"]]
    assert set(used["patient"]) == set(cohort.patients["patient"])
    assert cohort.patients["patient"].is_unique
    if rule != "mean":
        assert used["patient"].is_unique
    assert (cohort.slides["left_out"].isna() == cohort.slides["used"]).all()
    assert np.isfinite(cohort.survival.time).all()
