import json

import pytest

from napari_crlm_spa.core.risk import (
    RESEARCH_USE_ONLY,
    RiskFeature,
    RiskModel,
    list_presets,
    load_risk_model,
    save_risk_model,
)
from napari_crlm_spa.core.spatial import FEATURES
from napari_crlm_spa.errors import InvalidRiskModel

#: METHODS 6: debris, lymphocytes, distal hepatocytes, interaction; threshold.
PUBLISHED = {
    "paper_eq1": ([0.31, -0.41, -0.31, 0.29], -0.35),
    "repo_2022": ([0.432, -0.386, -0.347, 0.336], -0.346837),
}
VALID = {
    "name": "mine",
    "features": [{"column": "Overall_Debris_ratio", "coefficient": 0.5, "cutoff": 0.1}],
    "threshold": 0.2,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_presets_hold_the_published_numbers(name):
    model = load_risk_model(name)
    assert [feature.column for feature in model.features] == [
        "Overall_Debris_ratio",
        "Overall_Lymphocyte_ratio",
        "Distal_Hepatocyte_ratio",
        "TUM_HEP_interaction",
    ]
    assert [feature.coefficient for feature in model.features] == PUBLISHED[name][0]
    assert model.threshold == PUBLISHED[name][1]
    assert model.comparison == ">="
    assert model.centering == "none"


@pytest.mark.parametrize("name", PUBLISHED)
def test_presets_carry_no_cutoffs_and_say_so(name):
    model = load_risk_model(name)
    assert len(model.missing_cutoffs) == 4
    assert any("publish" in note and "no" in note for note in model.notes)
    assert model.source


def test_all_presets_are_listed_and_load():
    assert list_presets() == ("paper_eq1", "repo_2022")
    assert [load_risk_model(name).name for name in list_presets()] == list(list_presets())


def test_a_model_survives_its_file(tmp_path):
    model = load_risk_model("paper_eq1")
    save_risk_model(model, tmp_path / "model.json")
    assert load_risk_model(tmp_path / "model.json") == model


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"features": []}, "features"),
        ({"threshold": "high"}, "threshold"),
        ({"threshold": None}, "threshold"),
        ({"comparison": "<"}, "comparison"),
        ({"name": ""}, "name"),
        ({"coefficients": [1]}, "coefficients"),
        ({"schema_version": 2}, "schema_version"),
        ({"centering": "mean"}, "centering"),
        ({"features": [{"column": "Overall_Debris_ratio"}]}, "features.0.coefficient"),
        (
            {"features": [{"column": "Overall_Debris", "coefficient": 1}]},
            "did you mean 'Overall_Debris_ratio'",
        ),
        ({"features": VALID["features"] * 2}, "stands twice"),
        (
            {"features": [{**VALID["features"][0], "direction": "<"}]},
            "features.0.direction",
        ),
    ],
)
def test_a_model_that_breaks_the_schema_is_named_with_its_field(tmp_path, change, what):
    path = tmp_path / "model.json"
    path.write_text(json.dumps(VALID | change))
    with pytest.raises(InvalidRiskModel, match=what) as caught:
        load_risk_model(path)
    assert str(caught.value).startswith("model.json is no risk model")


def test_numbers_that_are_none_are_refused(tmp_path):
    path = tmp_path / "model.json"
    path.write_text(json.dumps(VALID | {"threshold": float("nan")}))
    with pytest.raises(InvalidRiskModel, match="threshold"):
        load_risk_model(path)


def test_a_missing_model_names_the_presets():
    with pytest.raises(InvalidRiskModel, match="paper_eq1, repo_2022"):
        load_risk_model("paper_eq2")


def test_a_file_that_is_not_json_or_not_text_is_refused(tmp_path):
    (tmp_path / "a.json").write_text("not json")
    (tmp_path / "b.json").write_bytes(b"\xff\xfe\x00\x01")
    for name in ("a.json", "b.json"):
        with pytest.raises(InvalidRiskModel, match=name):
            load_risk_model(tmp_path / name)


@pytest.mark.parametrize(("direction", "at_cutoff"), [(">", 0), (">=", 1)])
def test_a_value_on_the_cutoff_follows_the_direction(direction, at_cutoff):
    feature = RiskFeature(
        column="Overall_Debris_ratio", coefficient=1, cutoff=0.25, direction=direction
    )
    assert [feature.split(value) for value in (0.24, 0.25, 0.26)] == [0, at_cutoff, 1]


def test_a_threshold_belongs_to_the_high_group_with_at_least():
    model = RiskModel.model_validate(VALID)
    assert model.is_high(0.2)
    strict = RiskModel.model_validate(VALID | {"comparison": ">"})
    assert not strict.is_high(0.2)


def test_every_spatial_feature_may_be_part_of_a_model():
    for column in FEATURES:
        assert RiskFeature(column=column, coefficient=1).column == column


def test_the_disclaimer_says_what_it_must():
    assert RESEARCH_USE_ONLY.startswith("For research use only")


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", ""])
def test_a_name_that_no_file_can_have_is_no_risk_model(name):
    with pytest.raises(InvalidRiskModel, match="no risk model"):
        load_risk_model(name)
