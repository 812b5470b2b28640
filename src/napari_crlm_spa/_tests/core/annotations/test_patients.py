"""Patients are divided as a whole, classes evenly, and what cannot be judged is said."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa.core.annotations import SplitOptions, divide_patients
from napari_crlm_spa.core.annotations.patients import balance_of
from napari_crlm_spa.errors import AnnotationError

FIFTH = SplitOptions(validation=0.2)


def rows(*counts):
    """Rows of (class, split, slide, patient, tiles)."""
    return [
        {"class": name, "split": split, "slide": slide, "patient": patient}
        for name, split, slide, patient, tiles in counts
        for _ in range(tiles)
    ]


def test_equal_patients_are_divided_exactly():
    counts = {f"P{i}": {"TUM": 100, "STR": 50} for i in range(5)}
    found = divide_patients(counts, FIFTH)
    assert sorted(found.values()) == ["train"] * 4 + ["validation"]
    half = divide_patients(counts, SplitOptions(validation=0.2, test=0.2))
    assert sorted(half.values()) == ["test", "train", "train", "train", "validation"]


def test_a_class_of_one_patient_stays_in_the_training():
    counts = {"A": {"TUM": 10, "MUC": 1}, "B": {"TUM": 10}, "C": {"TUM": 10}}
    assert divide_patients(counts, FIFTH)["A"] == "train"


def test_every_class_is_judged_where_that_is_possible():
    # Only B and C have mucus: one of them must be held back, though E would fit the share better.
    counts = {
        "A": {"TUM": 100}, "B": {"TUM": 100, "MUC": 40}, "C": {"TUM": 100, "MUC": 40},
        "D": {"TUM": 100}, "E": {"TUM": 100},
    }  # fmt: skip
    found = divide_patients(counts, FIFTH)
    assert {found["B"], found["C"]} == {"train", "validation"}


def test_one_patient_is_all_trained_on():
    assert divide_patients({"A": {"TUM": 10}}, FIFTH) == {"A": "train"}
    assert divide_patients({}, FIFTH) == {}


def test_settled_patients_stay_and_new_ones_make_up_for_them():
    counts = {name: {"TUM": 10} for name in "ABCDE"}
    settled = dict.fromkeys("ABCD", "train")
    assert divide_patients(counts, FIFTH, settled) == {**settled, "E": "validation"}
    elsewhere = {**settled, "Z": "validation"}
    assert divide_patients(counts, FIFTH, elsewhere)["E"] == "validation"


table = st.dictionaries(
    st.text("ABCDEFGHIJKLMNOP", min_size=1, max_size=2),
    st.dictionaries(st.sampled_from(["TUM", "STR", "MUC"]), st.integers(1, 300), min_size=1),
    min_size=1,
    max_size=24,
)


@settings(max_examples=40, deadline=None)
@given(counts=table, seed=st.integers(0, 9), test=st.sampled_from([0.0, 0.2]))
def test_no_class_is_ever_lost_to_the_training(counts, seed, test):
    options = SplitOptions(validation=0.2, test=test, split_seed=seed)
    found = divide_patients(counts, options)
    assert found == divide_patients(dict(reversed(counts.items())), options)
    assert found.keys() == counts.keys()
    assert test or "test" not in found.values()
    for name in {each for tiles in counts.values() for each in tiles}:
        assert any(found[p] == "train" for p, tiles in counts.items() if name in tiles)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 5))
def test_many_like_patients_come_close_to_the_shares(seed):
    counts = {f"P{i:02d}": {"TUM": 100 + i, "STR": 40} for i in range(40)}
    options = SplitOptions(validation=0.2, test=0.1, split_seed=seed)
    found = divide_patients(counts, options)
    tiles = {
        split: sum(sum(counts[p].values()) for p in counts if found[p] == split)
        for split in ("validation", "test")
    }
    total = sum(sum(each.values()) for each in counts.values())
    assert tiles["validation"] / total == pytest.approx(0.2, abs=0.03)
    assert tiles["test"] / total == pytest.approx(0.1, abs=0.03)


def test_too_much_held_back_is_refused():
    with pytest.raises(AnnotationError, match="too little to learn"):
        SplitOptions(validation=0.5, test=0.5)


def test_the_balance_counts_and_warns():
    found = balance_of(
        rows(
            ("TUM", "train", "s1", "A", 50), ("TUM", "validation", "s2", "B", 20),
            ("MUC", "train", "s1", "A", 3),
        ),
        FIFTH,
    )  # fmt: skip
    assert found.by_class() == {
        "MUC": {"train": 3, "validation": 0, "test": 0},
        "TUM": {"train": 50, "validation": 20, "test": 0},
    }
    assert found.patients("TUM") == {"A", "B"}
    single, lacking, imbalance = found.warnings
    assert "MUC: tiles of one patient only" in single
    assert "validation split has no tiles of MUC" in lacking
    assert "TUM has 70 tiles, MUC only 3" in imbalance
    assert found.text().splitlines()[:3] == [
        "class  train  validation  test  patients",
        "MUC        3           0     0         1",
        "TUM       50          20     0         2",
    ]


def test_twenty_times_is_no_imbalance_yet():
    even = rows(("TUM", "train", "s", "A", 20), ("MUC", "validation", "t", "B", 1))
    assert not any("times as many" in each for each in balance_of(even, FIFTH).warnings)


def test_slides_without_a_patient_are_told():
    unnamed = rows(("TUM", "train", "s", "", 5), ("TUM", "validation", "t", "", 2))
    assert "2 slides name no patient" in balance_of(unnamed, FIFTH).warnings[-1]


def test_one_patient_gets_one_warning():
    (only,) = balance_of(rows(("TUM", "train", "s", "A", 5)), FIFTH).warnings
    assert "All tiles are of one patient (A)" in only


def test_patients_written_in_two_ways_are_told():
    alike = rows(("TUM", "train", "s1", "P 1", 5), ("TUM", "validation", "s2", "p1", 5))
    warnings = balance_of(alike, FIFTH).warnings
    assert any("'P 1' and 'p1' differ in capitals or spaces only" in each for each in warnings)
    apart = rows(("TUM", "train", "s1", "P1", 5), ("TUM", "validation", "s2", "P11", 5))
    assert not any("capitals" in each for each in balance_of(apart, FIFTH).warnings)
