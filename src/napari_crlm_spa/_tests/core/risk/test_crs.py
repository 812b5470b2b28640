import itertools
import math

import pytest

from napari_crlm_spa.core.risk import ClinicalFactors, clinical_risk_score, combined_grade
from napari_crlm_spa.errors import RiskError

ABSENT = {
    "node_positive": False,
    "disease_free_interval_months": 24.0,
    "n_metastases": 1,
    "largest_metastasis_cm": 3.0,
    "cea_ng_ml": 10.0,
}
PRESENT = {
    "node_positive": True,
    "disease_free_interval_months": 0.0,
    "n_metastases": 4,
    "largest_metastasis_cm": 8.0,
    "cea_ng_ml": 500.0,
}


def score_of(**values):
    return clinical_risk_score(ClinicalFactors(**values))


def test_each_factor_gives_one_point():
    for chosen in itertools.product((False, True), repeat=5):
        values = {
            name: (PRESENT if yes else ABSENT)[name]
            for name, yes in zip(ABSENT, chosen, strict=True)
        }
        found = score_of(**values)
        assert found.score == sum(chosen)
        assert found.group == ("high" if sum(chosen) >= 3 else "low")


@pytest.mark.parametrize(
    ("name", "limit", "beyond"),
    [
        ("disease_free_interval_months", 12.0, 11.9),
        ("n_metastases", 1, 2),
        ("largest_metastasis_cm", 5.0, 5.1),
        ("cea_ng_ml", 200.0, 200.1),
    ],
)
def test_a_value_on_the_limit_gives_no_point(name, limit, beyond):
    assert score_of(**ABSENT | {name: limit}).score == 0
    assert score_of(**ABSENT | {name: beyond}).score == 1


def test_unknown_factors_widen_the_range_instead_of_counting_zero():
    found = score_of(node_positive=True, n_metastases=4)
    assert (found.lowest, found.highest) == (2, 5)
    assert found.score is None
    assert found.group is None
    assert found.unknown == ("disease-free interval", "largest metastasis", "CEA")
    assert "2 to 5 of 5: undecided" in found.sentence
    assert "are unknown" in found.sentence


def test_a_group_is_given_where_the_unknown_cannot_change_it():
    assert score_of(**PRESENT | {"cea_ng_ml": None}).group == "high"
    assert score_of(**ABSENT | {"cea_ng_ml": None}).group == "low"
    assert score_of(**ABSENT | {"cea_ng_ml": None}).score is None
    assert "low whatever CEA may be" in score_of(**ABSENT | {"cea_ng_ml": None}).sentence


def test_nothing_known_leaves_everything_open():
    found = clinical_risk_score(ClinicalFactors())
    assert (found.lowest, found.highest, found.group) == (0, 5, None)
    assert all(factor.value == "unknown" for factor in found.factors)


def test_an_empty_cell_of_a_table_is_unknown():
    assert score_of(**ABSENT | {"cea_ng_ml": math.nan}).unknown == ("CEA",)


def test_values_are_shown_with_their_unit():
    shown = [factor.value for factor in score_of(**PRESENT).factors]
    assert shown == ["yes", "0 months", "4", "8 cm", "500 ng/mL"]
    assert score_of(**PRESENT).sentence == "Clinical risk score 5 of 5: high."


@pytest.mark.parametrize(
    "wrong",
    [
        {"disease_free_interval_months": -1.0},
        {"n_metastases": 0},
        {"largest_metastasis_cm": 80.0},
        {"cea_ng_ml": -5.0},
    ],
)
def test_impossible_values_are_refused_with_their_range(wrong):
    with pytest.raises(RiskError, match="must lie within"):
        ClinicalFactors(**wrong)


@pytest.mark.parametrize(
    ("sof", "crs", "grade", "points"),
    [
        ("low", "low", "low", 0),
        ("high", "low", "medium", 1),
        ("low", "high", "medium", 1),
        ("high", "high", "high", 2),
    ],
)
def test_the_combined_grade_counts_the_high_groups(sof, crs, grade, points):
    found = combined_grade(sof, crs)
    assert (found.grade, found.points) == (grade, points)
    assert grade in found.sentence


@pytest.mark.parametrize(("sof", "crs"), [(None, "low"), ("high", None), (None, None)])
def test_the_combined_grade_is_unknown_if_either_group_is(sof, crs):
    found = combined_grade(sof, crs)
    assert found.grade is None
    assert found.points is None
    assert ("spatial" in found.sentence) == (sof is None)
    assert ("clinical" in found.sentence) == (crs is None)
