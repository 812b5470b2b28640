"""Whose slides they are, and patients of which not all could be measured."""

import pytest

from napari_crlm_spa.core.hgp.measured_patients import measured_patients
from napari_crlm_spa.core.hgp.slide_list import KnownSlide, read_slide_list
from napari_crlm_spa.core.spatial.interface import InterfaceOptions
from napari_crlm_spa.errors import CohortError


def listed(tmp_path, text):
    path = tmp_path / "slides.csv"
    path.write_text(text)
    return read_slide_list(path)


def test_slides_are_found_with_and_without_suffix(tmp_path):
    found = listed(tmp_path, "image,patient id,pretreated,lesion\nA.svs,P1,naive,\nb,P2,,L1\n")
    assert found == {"a": KnownSlide("P1", "", False), "b": KnownSlide("P2", "L1", None)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("slide,age\na,3\n", "no column patient"),
        ("slide,patient\na,P1\na.svs,P2\n", "twice, in row 3"),
        ("slide,patient,chemo\na,P1,FOLFOX\n", "Row 2 .* says FOLFOX"),
        ("slide,patient,case\na,P1,P1\n", "several columns"),
    ],
)
def test_what_cannot_be_right_is_told(tmp_path, text, words):
    with pytest.raises(CohortError, match=words):
        listed(tmp_path, text)


def test_a_patient_without_any_measured_slide_gets_a_reason_and_no_call():
    [row] = measured_patients([(KnownSlide("P1", "", True), None)], InterfaceOptions())
    assert (row["n_slides"], row["n_measured"], row["call_strict"]) == (1, 0, "")
    assert "no interface was measured" in row["refusal"]
    assert row["notes"].startswith("1 of 1 slides not measured.")
    assert "Treated before surgery" in row["notes"]


def test_slides_without_a_patient_are_nobodys():
    assert measured_patients([(KnownSlide(), None)], InterfaceOptions()) == []
