"""From readings to slides, lesions and patients."""

import numpy as np
import pandas as pd
import pytest

from napari_crlm_spa.core.hgp.agree_options import AgreeOptions
from napari_crlm_spa.core.hgp.columns import MEASURE_NUMBERS, REVIEW_COLUMNS
from napari_crlm_spa.core.hgp.consensus import compare, majority
from napari_crlm_spa.core.hgp.patients import patient_table, weighted_mean
from napari_crlm_spa.core.hgp.readers import between_readers, rater_pairs, within_readers
from napari_crlm_spa.core.hgp.reviews import review_frame

OPTIONS = AgreeOptions(resamples=0)


def reviews(*rows):
    """(slide, rater, pct_D) with anything else by name; the rest is replacement."""
    made = []
    for slide, rater, pct_d, *others in rows:
        row = dict.fromkeys(REVIEW_COLUMNS, np.nan)
        row |= {"slide": slide, "rater": rater, "patient": slide[:2], "lesion": "", "comment": ""}
        row |= {"round": 1.0, "pct_D": pct_d, "pct_R": 100.0 - pct_d, "pct_P": 0.0}
        row |= {"pct_other": 0.0}
        row |= others[0] if others else {}
        made.append(row)
    return review_frame(made)


def measures(**columns):
    n = len(columns["slide"])
    empty = {"patient": [""] * n, "lesion": [""] * n}
    empty |= {name: np.full(n, np.nan) for name in MEASURE_NUMBERS}
    return pd.DataFrame({**empty, **columns})


def slides_of(*rows, measured=None, options=OPTIONS):
    return compare(reviews(*rows), measured, options).slides


def test_shares_are_averaged_and_calls_are_the_majoritys():
    found = slides_of(("P1a", "A", 100), ("P1a", "B", 100), ("P1a", "C", 70)).iloc[0]
    assert found["reviewed_pct_D"] == pytest.approx(90)
    assert found["reviewed_call_strict"] == 1
    assert found["n_raters"] == 3


def test_the_median_is_an_option():
    options = AgreeOptions(resamples=0, consensus="median")
    rows = (("P1a", "A", 100), ("P1a", "B", 100), ("P1a", "C", 40))
    assert slides_of(*rows, options=options)["reviewed_pct_D"].iloc[0] == 100


def test_a_tie_has_no_call_and_a_consensus_reader_breaks_it():
    rows = (("P1a", "A", 100), ("P1a", "B", 60))
    assert np.isnan(slides_of(*rows)["reviewed_call_strict"].iloc[0])
    settled = slides_of(*rows, ("P1a", "Consensus", 80)).iloc[0]
    assert settled["reviewed_call_strict"] == 0
    assert settled["reviewed_pct_D"] == 80


def test_a_consensus_is_no_reader_when_readers_are_compared():
    rows = reviews(("P1a", "A", 10), ("P1a", "consensus", 90), ("P2a", "A", 10))
    assert between_readers(rows, OPTIONS).empty
    assert rater_pairs(rows, OPTIONS).empty


def test_a_second_reading_does_not_move_the_consensus():
    found = slides_of(("P1a", "A", 100), ("P1a", "A", 0, {"round": 2.0}))
    assert found["reviewed_pct_D"].tolist() == [100]


def test_a_second_reading_is_compared_with_the_first_whatever_their_order():
    rows = reviews(
        *(("P1a", "A", 40, {"round": 2.0}), ("P1a", "A", 50), ("P2a", "A", 90)),
        *(("P2a", "A", 70, {"round": 2.0}), ("P3a", "A", 10), ("P3a", "B", 10)),
    )
    [found] = within_readers(rows, OPTIONS).to_dict("records")
    assert found["n"] == 2
    assert found["bias"] == pytest.approx(15)


def test_dead_and_unassessable_slides_are_counted_out():
    rows = (
        *(("P1a", "A", 100), ("P2a", "A", 50, {"viable": 0.0})),
        ("P3a", "A", 50, {"assessable_pct": 10.0}),
    )
    found = compare(reviews(*rows), None, OPTIONS)
    assert found.slides["slide"].tolist() == ["P1a"]
    assert [(step.step, step.excluded) for step in found.flow] == [
        ("reviewed slides", 0),
        ("no viable tumor", 1),
        ("not assessable", 1),
    ]


def test_slides_are_recognized_with_and_without_suffix():
    measured = measures(slide=["p1A.svs"], pct_D=[30.0], patient=["patient 1"])
    found = slides_of(("P1a", "A", 20, {"patient": "P1a"}), measured=measured).iloc[0]
    assert found["pct_D"] == 30
    assert found["patient"] == "patient 1"


def test_short_interfaces_have_no_measured_share_but_are_told():
    measured = measures(
        slide=["P1a", "P2a", "P3a"],
        pct_D=[30.0, 40.0, 50.0],
        assessable_mm=[3.0, 20.0, 20.0],
        assessable_fraction=[0.9, 0.1, 0.9],
        interaction_paper=[0.1, 0.2, 0.3],
    )
    rows = (("P1a", "A", 20), ("P2a", "A", 20), ("P3a", "A", 20), ("P4a", "A", 20))
    found = compare(reviews(*rows), measured, OPTIONS)
    assert found.slides["pct_D"].dropna().tolist() == [50]
    assert found.slides["interaction_paper"].notna().sum() == 3
    assert {step.step: step.excluded for step in found.flow}["interface too short"] == 2
    assert {step.step: step.excluded for step in found.flow}["not measured"] == 1


def patients_of(*rows, measured=None):
    return patient_table(slides_of(*rows, measured=measured), OPTIONS).set_index("patient")


def test_a_patient_is_desmoplastic_only_if_all_lesions_are():
    found = patients_of(
        ("P1a", "A", 100, {"lesion": "L1"}),
        ("P1b", "A", 98, {"lesion": "L2"}),
        ("P2a", "A", 100, {"lesion": "L1"}),
        ("P2b", "A", 100, {"lesion": "L2"}),
    )
    assert found["reviewed_call_strict"].to_dict() == {"P1": 0, "P2": 1}
    assert found["reviewed_call_tolerant"].to_dict() == {"P1": 1, "P2": 1}
    assert found["reviewed_worst_lesion_pct_D"].to_dict() == {"P1": 98, "P2": 100}


def test_a_patients_share_is_weighted_with_the_length():
    measured = measures(
        slide=["P1a", "P1b"],
        pct_D=[100.0, 0.0],
        assessable_mm=[30.0, 10.0],
        assessable_fraction=[0.9, 0.9],
    )
    found = patients_of(("P1a", "A", 80), ("P1b", "A", 40), measured=measured).loc["P1"]
    assert found["pct_D"] == pytest.approx(75)
    assert found["reviewed_pct_D"] == pytest.approx(70)
    assert found["call_strict"] == 0


def test_blocks_are_the_slides_of_a_lesion_unless_told():
    found = patients_of(
        ("P1a", "A", 100, {"lesion": "L1"}),
        ("P1b", "A", 100, {"lesion": "L1"}),
        ("P2a", "A", 100, {"lesion": "L1", "n_blocks": 3.0}),
        ("P3a", "A", 100),
    )
    assert found["few_blocks"].to_dict() == {"P1": 0, "P2": 0, "P3": 1}


def test_means_and_majorities_of_nothing_are_not_known():
    assert np.isnan(weighted_mean(np.array([np.nan]), np.array([1.0])))
    assert weighted_mean(np.array([1.0, 3.0]), np.array([np.nan, 1.0])) == 2
    assert np.isnan(majority(np.array([])))
    assert np.isnan(majority(np.array([1.0, 0.0, np.nan])))
