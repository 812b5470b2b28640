import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa._tests.core.spatial.maps import CODES, map_of
from napari_crlm_spa.core.risk import (
    RESEARCH_USE_ONLY,
    ClinicalFactors,
    RiskModel,
    apply_cutoffs,
    assess_risk,
    clinical_risk_score,
    load_risk_model,
)
from napari_crlm_spa.core.spatial import FEATURES, spatial_features
from napari_crlm_spa.errors import TooLittleTumor

DEBRIS, LYMPHOCYTES = "Overall_Debris_ratio", "Overall_Lymphocyte_ratio"
DISTAL, INTERACTION = "Distal_Hepatocyte_ratio", "TUM_HEP_interaction"
COLUMNS = {"D": DEBRIS, "L": LYMPHOCYTES, "H": DISTAL, "I": INTERACTION}
PATTERNS = ["".join(p) for n in range(5) for p in itertools.combinations("DLHI", n)]
#: METHODS 6.2: pattern -> (score by repo_2022, by paper_eq1, group by repo_2022, by paper_eq1).
TABLE = {
    "LH": (-0.733, -0.72, "low", "low"),
    "LHI": (-0.397, -0.43, "low", "low"),
    "L": (-0.386, -0.41, "low", "low"),
    "H": (-0.347, -0.31, "low", "high"),
    "DLH": (-0.301, -0.41, "high", "low"),
}


def with_cutoffs(name="repo_2022", columns=(DEBRIS, LYMPHOCYTES, DISTAL, INTERACTION)):
    return apply_cutoffs(load_risk_model(name), dict.fromkeys(columns, 0.1), "test")


def values_of(pattern):
    return {column: 0.2 if letter in pattern else 0.05 for letter, column in COLUMNS.items()}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_sixteen_patterns_score_as_published(pattern):
    repo = assess_risk(values_of(pattern), with_cutoffs("repo_2022"))
    paper = assess_risk(values_of(pattern), with_cutoffs("paper_eq1"))
    if pattern in TABLE:
        scores, groups = TABLE[pattern][:2], TABLE[pattern][2:]
        assert (repo.score, paper.score) == pytest.approx(scores)
        assert (repo.group, paper.group) == groups
    else:
        assert (repo.group, paper.group) == ("high", "high")
        assert repo.score >= -0.05 - 1e-9
        assert paper.score >= -0.12 - 1e-9


def test_the_two_presets_disagree_in_two_patterns_only():
    differ = [
        pattern
        for pattern in PATTERNS
        if assess_risk(values_of(pattern), with_cutoffs("repo_2022")).group
        != assess_risk(values_of(pattern), with_cutoffs("paper_eq1")).group
    ]
    assert differ == ["H", "DLH"]


def test_rows_show_how_the_score_comes_about():
    found = assess_risk(values_of("DI"), with_cutoffs())
    assert [row.split for row in found.rows] == [1, 0, 0, 1]
    assert [row.contribution for row in found.rows] == [0.432, 0, 0, 0.336]
    assert [row.direction.split()[-3] for row in found.rows] == [
        "raises",
        "lowers",
        "lowers",
        "raises",
    ]
    assert all(row.cutoff == 0.1 and row.cutoff_source == "test" for row in found.rows)
    assert found.score == pytest.approx(0.768)
    assert found.formula == (
        "score = 0.432 x 1 (Overall_Debris_ratio) - 0.386 x 0 (Overall_Lymphocyte_ratio) "
        "- 0.347 x 0 (Distal_Hepatocyte_ratio) + 0.336 x 1 (TUM_HEP_interaction) = 0.768; "
        "high risk if score >= -0.346837"
    )
    assert found.reason == ""
    assert found.disclaimer == RESEARCH_USE_ONLY


def test_without_cutoffs_there_are_rows_and_a_range_but_no_group():
    found = assess_risk(values_of("DI"), load_risk_model("paper_eq1"))
    assert found.group is None
    assert found.score is None
    assert (found.possible_scores[0], found.possible_scores[-1]) == (-0.72, 0.6)
    assert "does not say where to split" in found.reason
    assert "fit-cutoffs" in found.reason
    assert [row.value for row in found.rows] == [0.2, 0.05, 0.05, 0.2]
    assert all("where to split" in row.problem for row in found.rows)


def test_even_one_missing_cutoff_means_no_group():
    """With debris and interaction high the score is above the threshold either way."""
    model = with_cutoffs(columns=[DEBRIS, LYMPHOCYTES, INTERACTION])
    found = assess_risk(values_of("DI"), model)
    assert found.group is None
    assert DISTAL in found.reason
    assert DEBRIS not in found.reason
    assert found.possible_scores == pytest.approx((0.421, 0.768))


def test_a_feature_that_could_not_be_computed_is_not_taken_as_zero():
    found = assess_risk(values_of("") | {DISTAL: math.nan}, with_cutoffs())
    assert found.possible_scores == pytest.approx((-0.347, 0.0))
    assert found.group is None
    assert found.score is None
    assert "from -0.347 to 0" in found.reason
    assert found.rows[2].value is None


def test_a_group_that_is_the_same_either_way_is_given_and_explained():
    found = assess_risk(values_of("D") | {DISTAL: math.nan}, with_cutoffs())
    assert found.group == "high"
    assert found.score is None
    assert "the same either way" in found.reason


def test_a_feature_that_is_not_in_the_table_counts_as_unknown():
    assert assess_risk({}, with_cutoffs()).rows[0].problem.startswith("the feature could not")


def test_a_slide_with_too_little_tumor_is_refused():
    classes = np.full((30, 30), CODES["H"])
    classes[10:17, 10:17] = CODES["T"]
    with pytest.raises(TooLittleTumor, match="49 tiles"):
        assess_risk(spatial_features(map_of(classes)), with_cutoffs())


def test_a_slide_with_enough_tumor_gets_its_own_features_scored():
    classes = np.full((40, 40), CODES["H"])
    classes[15:25, 15:25] = CODES["T"]
    features = spatial_features(map_of(classes))
    found = assess_risk(features, with_cutoffs())
    assert [row.value for row in found.rows] == [features.values[c] for c in COLUMNS.values()]
    assert found.group in ("low", "high")


def test_many_unknown_terms_give_the_range_only():
    features = [
        {"column": column, "coefficient": (-1) ** k * (k + 1)} for k, column in enumerate(FEATURES)
    ]
    model = RiskModel.model_validate({"name": "wide", "features": features, "threshold": 0})
    assert assess_risk({}, model).possible_scores == (-110, 100)


@given(known=st.lists(st.booleans(), min_size=4, max_size=4), pattern=st.sampled_from(PATTERNS))
@settings(max_examples=60, deadline=None)
def test_what_is_unknown_never_leads_to_a_group_that_it_could_change(known, pattern):
    values = values_of(pattern)
    masked = {
        column: value if seen else math.nan
        for (column, value), seen in zip(values.items(), known, strict=True)
    }
    partly, fully = assess_risk(masked, with_cutoffs()), assess_risk(values, with_cutoffs())
    assert partly.group in (None, fully.group)
    assert min(abs(fully.score - s) for s in partly.possible_scores) < 1e-9


@pytest.mark.parametrize(
    ("pattern", "node", "grade"),
    [("D", True, "high"), ("D", False, "medium"), ("L", True, "medium"), ("L", False, "low")],
)
def test_the_combined_grade_joins_both_scores(pattern, node, grade):
    crs = clinical_risk_score(
        ClinicalFactors(
            node_positive=node,
            disease_free_interval_months=0,
            n_metastases=3,
            largest_metastasis_cm=2,
            cea_ng_ml=5,
        )
    )
    found = assess_risk(values_of(pattern), with_cutoffs(), crs)
    assert found.combined.grade == grade


def test_an_assessment_turns_into_strict_json():
    crs = clinical_risk_score(ClinicalFactors(n_metastases=2))
    found = assess_risk(values_of("D") | {DISTAL: math.nan}, load_risk_model("repo_2022"), crs)
    plain = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert plain["disclaimer"] == RESEARCH_USE_ONLY
    assert plain["model"]["name"] == "repo_2022"
    assert plain["rows"][2]["value"] is None
    assert plain["clinical"]["lowest"] == 1
    assert plain["combined"]["grade"] is None
    assert assess_risk(values_of("D"), load_risk_model()).as_dict()["clinical"] is None
