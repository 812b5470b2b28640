"""A study comes back from disk as it was, and half a study never looks like a whole one."""

import dataclasses
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa._tests.core.cohort.made_study import made_study
from napari_crlm_spa.core.cohort.study import folder as folders
from napari_crlm_spa.core.cohort.study.contents import Study, StudyTable
from napari_crlm_spa.core.cohort.study.folder import (
    is_study,
    read_study,
    table_path,
    write_study,
)
from napari_crlm_spa.errors import CohortError


@pytest.fixture(scope="module")
def study():
    return made_study(60)


def study_of(frame, **more):
    return Study(kind="fit", cohort="A", tables={"t": StudyTable("t", "T", frame)}, **more)


def back(tmp_path, study):
    write_study(tmp_path, study)
    return read_study(tmp_path)


def test_everything_comes_back(study, tmp_path):
    again = back(tmp_path, study)
    assert list(again.tables) == list(study.tables)
    for name, table in study.tables.items():
        found = again.tables[name]
        assert (found.title, found.note) == (table.title, table.note)
        pd.testing.assert_frame_equal(
            found.frame, table.frame.reset_index(drop=True), check_exact=True
        )
    assert again.risk_model == study.risk_model
    for part in ("kind", "cohort", "warnings", "facts", "versions"):
        assert getattr(again, part) == getattr(study, part)


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=20))
def test_numbers_come_back_to_the_last_bit(values, tmp_path_factory):
    frame = pd.DataFrame({"x": np.array(values, float)})
    found = back(tmp_path_factory.mktemp("study"), study_of(frame)).tables["t"].frame["x"]
    np.testing.assert_array_equal(found.to_numpy(), frame["x"].to_numpy())


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"))), max_size=12
    )
)
def test_texts_come_back(values, tmp_path_factory):
    frame = pd.DataFrame({"x": pd.Series(values, dtype=object)})
    found = back(tmp_path_factory.mktemp("study"), study_of(frame)).tables["t"].frame["x"]
    assert found.tolist() == values


def test_a_patient_007_stays_a_text_and_na_a_word(tmp_path):
    frame = pd.DataFrame({"patient": ["007", "NA", "1e3", ""], "n": [1, 2, 3, 4]})
    found = back(tmp_path, study_of(frame)).tables["t"].frame
    assert found["patient"].tolist() == ["007", "NA", "1e3", ""]
    assert found["n"].dtype == np.int64


def test_flags_come_back_with_and_without_holes(tmp_path):
    frame = pd.DataFrame({"a": [True, False], "b": pd.Series([True, None], dtype=object)})
    found = back(tmp_path, study_of(frame)).tables["t"].frame
    assert found["a"].dtype == bool and found["a"].tolist() == [True, False]
    assert found["b"].tolist()[0] is True and math.isnan(found["b"].tolist()[1])


def test_an_empty_table_keeps_its_columns(tmp_path):
    frame = pd.DataFrame({"a": pd.Series(dtype=float), "b": pd.Series(dtype=object)})
    found = back(tmp_path, study_of(frame)).tables["t"].frame
    assert list(found.columns) == ["a", "b"] and len(found) == 0


def test_facts_may_hold_what_numpy_returns(tmp_path):
    facts = {"n": np.int64(3), "c": np.float64(0.5), "x": math.nan, "ok": np.bool_(True),
             "times": np.array([60.0, 96.0]), "of": ("a", "b")}  # fmt: skip
    found = back(tmp_path, study_of(pd.DataFrame({"a": [1]}), facts=facts)).facts
    assert found == {"n": 3, "c": 0.5, "x": None, "ok": True, "times": [60, 96], "of": ["a", "b"]}


def test_a_study_that_replaces_another_leaves_none_of_its_files(study, tmp_path):
    write_study(tmp_path, study)
    (tmp_path / "my-notes.txt").write_text("mine")
    write_study(tmp_path, study_of(pd.DataFrame({"a": [1]})))
    assert [path.name for path in (tmp_path / "tables").iterdir()] == ["t.csv"]
    assert read_study(tmp_path).risk_model is None
    assert not (tmp_path / "risk-model.json").exists()
    assert (tmp_path / "my-notes.txt").exists()


def test_a_study_that_was_interrupted_is_none(study, tmp_path, monkeypatch):
    write_study(tmp_path, study)

    def full_disk(path, text):
        raise OSError("no room")

    monkeypatch.setattr(folders, "write_text", full_disk)
    with pytest.raises(OSError, match="no room"):
        write_study(tmp_path, study)
    assert not is_study(tmp_path)
    with pytest.raises(CohortError, match="no finished study"):
        read_study(tmp_path)


def test_titles_and_notes_may_be_edited(tmp_path):
    path = write_study(tmp_path, study_of(pd.DataFrame({"a": [1]})))
    record = json.loads(path.read_text())
    record["tables"][0]["title"] = "My own title"
    path.write_text(json.dumps(record))
    assert read_study(tmp_path).tables["t"].title == "My own title"


def test_a_lost_table_is_named(tmp_path):
    write_study(tmp_path, study_of(pd.DataFrame({"a": [1]})))
    table_path(tmp_path, "t").unlink()
    with pytest.raises(CohortError, match=r"t\.csv"):
        read_study(tmp_path)


@pytest.mark.parametrize(
    "edit",
    [
        lambda r: r.update(format=99),
        lambda r: r.update(kind="dance"),
        lambda r: r["tables"][0].update(name="../../etc/passwd"),
        lambda r: r.pop("tables"),
    ],
)
def test_a_damaged_index_is_refused_with_the_reason(edit, tmp_path):
    path = write_study(tmp_path, study_of(pd.DataFrame({"a": [1]})))
    record = json.loads(path.read_text())
    edit(record)
    path.write_text(json.dumps(record))
    with pytest.raises(CohortError, match=r"study\.json cannot be read"):
        read_study(tmp_path)


def test_a_number_that_was_edited_into_a_word_is_told(tmp_path):
    write_study(tmp_path, study_of(pd.DataFrame({"a": [1.5]})))
    table_path(tmp_path, "t").write_text("a\nmany\n")
    with pytest.raises(CohortError, match="many"):
        read_study(tmp_path)


def test_a_table_needs_a_name_that_any_system_takes(tmp_path):
    table = StudyTable("a/b", "", pd.DataFrame())
    with pytest.raises(ValueError, match="no name for a table"):
        write_study(tmp_path, dataclasses.replace(study_of(pd.DataFrame()), tables={"a/b": table}))
