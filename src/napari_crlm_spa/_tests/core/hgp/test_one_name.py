"""A slide is one slide, however its readers spell it."""

import numpy as np
import pytest

from napari_crlm_spa._tests.core.hgp.made_study import made_measures, made_reviews, made_truth
from napari_crlm_spa._tests.core.hgp.test_association import finished
from napari_crlm_spa.core.hgp.agree import agree
from napari_crlm_spa.core.hgp.agree_options import AgreeOptions
from napari_crlm_spa.core.hgp.columns import REVIEW_COLUMNS
from napari_crlm_spa.core.hgp.consensus import compare
from napari_crlm_spa.core.hgp.measures import read_measures
from napari_crlm_spa.core.hgp.one_name import with_one_name
from napari_crlm_spa.core.hgp.reviews import Reviews, review_frame

OPTIONS = AgreeOptions(resamples=0)


def review(**told):
    row = dict.fromkeys(REVIEW_COLUMNS, np.nan)
    row |= {"patient": "", "lesion": "", "slide": "s1", "rater": "Ada", "round": 1.0, "comment": ""}
    return row | {"pct_D": 100.0} | told


def test_readers_who_write_the_suffix_and_readers_who_dont_are_compared():
    reviews = made_reviews(made_truth(12))
    frame = reviews.frame.copy()
    ada = frame["rater"] == "Ada"
    frame.loc[ada, "slide"] = frame.loc[ada, "slide"].str.upper() + ".svs"
    plain = finished(agree(reviews, options=OPTIONS))
    spelled = finished(agree(Reviews(frame), options=OPTIONS))
    assert spelled.facts["n_slides"] == plain.facts["n_slides"]
    a, b = (study.tables["reliability"].frame for study in (plain, spelled))
    assert a["value"].tolist() == b["value"].tolist()


def test_patient_and_lesion_of_one_reader_hold_for_the_others():
    rows = [review(patient="s1"), review(rater="Ben", slide="S1.svs", patient="P7", lesion="L2")]
    frame = with_one_name(Reviews(review_frame(rows))).frame
    assert frame["slide"].tolist() == ["s1", "s1"]
    assert frame["patient"].tolist() == ["P7", "P7"]
    assert frame["lesion"].tolist() == ["L2", "L2"]


def test_a_slide_without_any_patient_stays_one_of_its_own():
    rows = [review(patient="s1"), review(rater="Ben", slide="s1.svs", patient="s1.svs")]
    frame = with_one_name(Reviews(review_frame(rows))).frame
    assert frame["patient"].tolist() == ["s1", "s1"]


def test_one_reading_under_two_names_counts_once_and_is_told():
    found = with_one_name(Reviews(review_frame([review(), review(slide="s1.svs", pct_D=40.0)])))
    assert found.frame["pct_D"].tolist() == [100.0]
    assert "under two names" in found.problems[0].problem


def test_readers_who_name_different_patients_are_told_of():
    rows = [review(patient="P1"), review(patient="P2", rater="Ben")]
    found = with_one_name(Reviews(review_frame(rows)))
    assert "different patients: P1, P2" in found.problems[0].problem


def test_a_slide_of_two_lesions_is_strictly_d_only_if_both_are():
    rows = [
        review(rater=rater, lesion=lesion, pct_D=pct_d)
        for rater in ("Ada", "Ben")
        for lesion, pct_d in (("L1", 100.0), ("L2", 80.0))
    ]
    [slide] = compare(review_frame(rows), None, OPTIONS).slides.to_dict("records")
    assert slide["reviewed_pct_D"] == 90
    assert slide["reviewed_call_strict"] == 0
    assert slide["reviewed_call_predominant"] == 1


@pytest.mark.parametrize(("kept", "words"), [(0, "None of the"), (3, "reviewed slides are not in")])
def test_reviewed_slides_that_were_not_measured_are_told_of(tmp_path, kept, words):
    truth = made_truth(12)
    measures = made_measures(tmp_path, truth)
    measures.frame.loc[kept:, "slide"] = "another " + measures.frame.loc[kept:, "slide"]
    study = finished(agree(made_reviews(truth), measures, options=OPTIONS))
    assert sum(words in warning for warning in study.warnings) == 1


def test_chemotherapy_that_readers_leave_open_comes_from_the_table_of_measures(tmp_path):
    path = tmp_path / "interfaces.csv"
    path.write_text("slide,chemo,pct_D\ns1.svs,yes,90\ns2.svs,no,80\ns3.svs,maybe,70\n")
    measures = read_measures(path)
    rows = [review(slide=name, chemo=told) for name, told in (("s1", np.nan), ("s2", 1.0))]
    slides = compare(review_frame([*rows, review(slide="s3")]), measures.frame, OPTIONS).slides
    assert slides["chemo"].tolist()[:2] == [1, 1]
    assert np.isnan(slides["chemo"].tolist()[2])
    assert "should be yes or no" in measures.problems[0].problem
