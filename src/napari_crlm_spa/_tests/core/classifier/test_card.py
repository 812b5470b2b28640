import json

import pytest

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.card import (
    Architecture,
    ModelCard,
    load_card,
    model_folder,
    save_card,
)
from napari_crlm_spa.errors import InvalidModelCard, ModelNotFound


def card(**changes):
    values = {
        "name": "tiny",
        "scheme_name": "crlm7",
        "classes": CRLM7.names,
        "tile_px": 32,
        "input_px": 16,
        "architecture": Architecture(name="tiny", hidden=8),
    }
    return ModelCard(**{**values, **changes})


def test_a_card_survives_the_round_trip(tmp_path):
    written = card(metrics={"validation": {"accuracy": 0.9}}, temperature=1.3)
    save_card(tmp_path, written)
    assert load_card(tmp_path) == written
    assert load_card(tmp_path).scheme is CRLM7


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"scheme_name": "crlm8"}, "class scheme 'crlm8' is unknown; known are crlm7, crc9"),
        ({"classes": ["TUM", "STR"]}, "the classes are TUM, STR, but the scheme crlm7"),
        ({"format": 2}, "card format 2, this version reads 1"),
        ({"input_px": 15}, "tile_px 32 is no whole multiple of input_px 15"),
        ({"temperature": 0}, "temperature: "),
        ({"mpp": "fine"}, "mpp: "),
        ({"sha256": "abc"}, "sha256: "),
        ({"architecture": {"name": "vgg"}}, "architecture.name: "),
        ({"normalization": {"std": [1, 1, 0]}}, "normalization.std.2: "),
        ({"surprise": 1}, "surprise: "),
        ({"name": ""}, "name: "),
    ],
)
def test_a_card_that_breaks_the_schema_is_refused_with_the_place(tmp_path, change, sentence):
    values = json.loads(card().model_dump_json())
    (tmp_path / "card.json").write_text(json.dumps({**values, **change}))
    with pytest.raises(InvalidModelCard, match=r"card\.json is not a valid model card") as caught:
        load_card(tmp_path)
    assert sentence in str(caught.value)


def test_a_card_that_is_no_json_is_refused(tmp_path):
    (tmp_path / "card.json").write_text("{half")
    with pytest.raises(InvalidModelCard, match="not a valid model card"):
        load_card(tmp_path)


def test_a_card_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "card.json").write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(InvalidModelCard, match="not UTF-8"):
        load_card(tmp_path)


def test_a_folder_without_card_is_refused(tmp_path):
    with pytest.raises(InvalidModelCard, match="cannot be read"):
        load_card(tmp_path)


def test_a_model_is_found_by_folder_and_by_card(tmp_path):
    save_card(tmp_path, card())
    assert model_folder(tmp_path) == tmp_path
    assert model_folder(str(tmp_path / "card.json")) == tmp_path


def test_an_unknown_model_is_refused_with_the_way_out(tmp_path):
    with pytest.raises(ModelNotFound, match=r"no model 'nonesuch'.*card\.json"):
        model_folder("nonesuch")
    with pytest.raises(ModelNotFound):
        model_folder(tmp_path)


@pytest.mark.parametrize("name", ["x" * 5000, "~no-such-user/model", "a\0b", ""])
def test_a_name_that_no_folder_can_have_is_no_model(name):
    with pytest.raises(ModelNotFound, match="no model"):
        model_folder(name)
