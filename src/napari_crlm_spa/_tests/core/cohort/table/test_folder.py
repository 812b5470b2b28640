"""A cohort's folder gives back the very same cohort."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa._tests.core.cohort.table.made_analyses import analysis, build, table
from napari_crlm_spa.core.cohort.columns import SOFS
from napari_crlm_spa.core.cohort.table import (
    COHORT_CSV,
    COHORT_JSON,
    FLOW_CSV,
    PROBLEMS_CSV,
    SLIDES_CSV,
    Cohort,
    FlowStep,
    Problem,
    read_cohort,
    write_cohort,
)
from napari_crlm_spa.errors import CohortError


@pytest.fixture
def built(tmp_path):
    for at in range(3):
        analysis(tmp_path / "results" / f"S{at}", f"S{at}.svs")
    text = (
        "patient,slides,os.time,os.event,Age,KRAS\n"
        '001,S0;S1,0.1,1,,"wild, or ""not"""\n002,S2,33.3,0,61,\n003,S9,5,1,50,x\n'
    )
    return build(tmp_path / "results", table(tmp_path / "c.csv", text))


def assert_equal(a, b):
    pd.testing.assert_frame_equal(a.patients, b.patients, check_exact=True)
    if a.slides is not None:
        pd.testing.assert_frame_equal(a.slides, b.slides, check_exact=True)
    for name in ("name", "flow", "problems", "time", "event"):
        assert getattr(a, name) == getattr(b, name), name
    assert dict(a.record) == dict(b.record)


def test_the_round_trip_is_exact(built, tmp_path):
    folder = write_cohort(tmp_path / "cohort", built)
    names = {each.name for each in folder.iterdir()}
    assert names == {COHORT_CSV, SLIDES_CSV, FLOW_CSV, PROBLEMS_CSV, COHORT_JSON}
    assert_equal(read_cohort(folder), built)
    assert_equal(read_cohort(folder / COHORT_CSV), built)


def test_the_folder_may_move_together_with_its_analyses(built, tmp_path):
    write_cohort(tmp_path / "cohort", built)
    rows = pd.read_csv(tmp_path / "cohort" / SLIDES_CSV)
    assert rows["analysis_folder"].tolist() == [f"../results/S{at}" for at in range(3)]
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (tmp_path / "results").rename(moved / "results")
    (tmp_path / "cohort").rename(moved / "cohort")
    found = read_cohort(moved / "cohort").slides["analysis_folder"]
    assert found.tolist() == [str(moved / "results" / f"S{at}") for at in range(3)]


def test_paths_of_another_system_stay_as_they_are(tmp_path):
    record = {"path": r"D:\slides\S0.svs", "fingerprint": "f"}
    analysis(tmp_path / "results" / "S0", "S0.svs", recorded=record)
    analysis(tmp_path / "results" / "S1", "S1.svs", recorded={"path": "S1.svs"})
    text = "patient,slide,os.time,os.event\nA,S0.svs,1,1\nB,S1.svs,2,0\n"
    cohort = build(tmp_path / "results", table(tmp_path / "c.csv", text))
    here = str(tmp_path / "results" / "S1" / "S1.svs")
    assert cohort.slides["slide_path"].tolist() == [r"D:\slides\S0.svs", here]
    assert_equal(read_cohort(write_cohort(tmp_path / "cohort", cohort)), cohort)


def test_the_record_says_what_it_was_made_of(built, tmp_path):
    record = json.loads((write_cohort(tmp_path / "c", built) / COHORT_JSON).read_text())["record"]
    assert len(record["clinical"]["sha256"]) == 64
    assert record["options"]["patient_rule"] == "largest_tumor"
    assert record["versions"]["napari-crlm-spa"]
    assert record["settings"]["classifier"]["name"] == "crlm7"


FLOATS = st.floats(allow_nan=True, allow_infinity=False)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=8).map(
    lambda text: text if text else np.nan
)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 6).flatmap(
        lambda n: st.tuples(
            st.lists(FLOATS, min_size=n, max_size=n),
            st.lists(TEXTS, min_size=n, max_size=n),
            st.lists(st.integers(-(2**60), 2**60), min_size=n, max_size=n),
        )
    ),
    st.lists(st.builds(
        Problem, st.sampled_from(["error", "warning"]), st.none() | st.integers(1, 999),
        st.sampled_from(["", "NA", "a,b"]), st.just("c"), st.sampled_from(["", "nan", '"x"']),
        st.just("p"), st.just("r"), st.just("s"),
    ), max_size=3),
)  # fmt: skip
def test_any_numbers_and_words_survive(tmp_path_factory, columns, problems):
    numbers, words, counts = columns
    n = len(numbers)
    frame = pd.DataFrame(
        {
            "patient": np.array([f"{at:03d}" for at in range(n)], object),
            "os.time": np.arange(n, dtype=float),
            "os.event": np.zeros(n),
            "x": np.array(numbers, float),
            "words": np.array(words, object),
            "count": np.array(counts, np.int64),
            "flag": np.arange(n) % 2 == 0,
        }
    )
    cohort = Cohort("any", frame, (FlowStep("t", "patients", n, n),), tuple(problems))
    found = read_cohort(write_cohort(tmp_path_factory.mktemp("any"), cohort))
    assert_equal(found, cohort)
    signs = np.signbit(found.patients["x"]) == np.signbit(frame["x"])
    assert (signs | np.isnan(frame["x"])).all()


def test_what_was_changed_by_hand_is_read_and_told(built, tmp_path):
    folder = write_cohort(tmp_path / "cohort", built)
    lines = (folder / COHORT_CSV).read_text().splitlines()
    (folder / COHORT_CSV).write_text("\n".join([lines[0] + ",Ki67", lines[1] + ",12"]) + "\n")
    found = read_cohort(folder)
    assert found.patients["Ki67"].tolist() == [12.0]
    assert found.flow[-1].excluded == 1
    assert "changed it by hand" in found.problems[0].remedy


def test_damaged_folders_are_told(built, tmp_path):
    folder = write_cohort(tmp_path / "cohort", built)
    text = (folder / COHORT_CSV).read_text()
    (folder / COHORT_CSV).write_text(text.replace("33.3", "long"))
    with pytest.raises(CohortError, match=r"os\.time.*long"):
        read_cohort(folder)
    (folder / COHORT_JSON).write_text("{}")
    with pytest.raises(CohortError, match="Build it again"):
        read_cohort(folder)
    with pytest.raises(CohortError, match="holds no cohort"):
        read_cohort(tmp_path)


def test_another_follow_up_of_a_built_cohort_can_be_named(built, tmp_path):
    folder = write_cohort(tmp_path / "cohort", built)
    assert read_cohort(folder, time="Age").time == "Age"
    with pytest.raises(CohortError, match="no column 'dfs'"):
        read_cohort(folder, time="dfs")
    with pytest.raises(CohortError, match="no column 'dfs'"):
        read_cohort(folder, features=("dfs",))


def test_taking_patients_takes_their_slides(built):
    found = built.take(built.patients["patient"] == "002", "test", "why")
    assert len(found) == 1
    assert found.slides["used"].sum() == 1
    assert [(step.unit, step.excluded) for step in found.flow[-2:]] == [
        ("patients", 1), ("slides", 1),
    ]  # fmt: skip
    assert built.slides["used"].sum() == 2


def test_four_hundred_patients_keep_every_digit(tmp_path):
    rng = np.random.default_rng(0)
    n = 400
    frame = pd.DataFrame(rng.random((n, len(SOFS))), columns=list(SOFS))
    frame.insert(0, "os.event", rng.integers(0, 2, n))
    frame.insert(0, "os.time", rng.exponential(40, n))
    frame.insert(0, "patient", [f"P{at}" for at in range(n)])
    frame.to_csv(tmp_path / "t.csv", index=False)
    read = read_cohort(tmp_path / "t.csv")
    again = read_cohort(write_cohort(tmp_path / "cohort", read))
    np.testing.assert_array_equal(again.patients[list(SOFS)], frame[list(SOFS)])
    np.testing.assert_array_equal(again.survival.time, frame["os.time"])
