import pytest

from napari_crlm_spa._tests.core.classifier.training.conftest import COLORS, draw
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.card import Architecture, ModelCard, save_card
from napari_crlm_spa.core.classifier.training import suggest
from napari_crlm_spa.core.classifier.training.suggest import suggest_preset


@pytest.fixture
def tiles(tmp_path):
    draw(tmp_path / "tiles", "TUM", "a", 5, 0, COLORS[6])
    return [tmp_path / "tiles"]


@pytest.fixture
def model(tmp_path):
    card = ModelCard(
        name="known", scheme_name="crlm7", classes=CRLM7.names, tile_px=32, input_px=16,
        architecture=Architecture(name="tiny", hidden=8),
    )  # fmt: skip
    save_card(tmp_path / "model", card)
    return str(tmp_path / "model")


def test_few_tiles_retrain_the_head_and_it_is_said(tiles, model):
    name, why = suggest_preset(tiles, {"init": model})
    assert name == "retrain"
    assert why.startswith("5 new tiles are few: only the head of known")


def test_many_tiles_train_everything(tiles, model, monkeypatch):
    monkeypatch.setattr(suggest, "HEAD_ALONE_MAX", 4)
    name, why = suggest_preset(tiles, {"init": model})
    assert name == "finetune"
    assert "--train-part head" in why


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "retrain"),
        ({"train_part": "all"}, "finetune"),
        ({"train_part": "last_block"}, "finetune"),
        ({"train_part": "head"}, "retrain"),
        ({"scheme": "crc9"}, "modern"),
        ({"input_px": 32}, "finetune"),
        ({"input_px": 16}, "retrain"),
    ],
)
def test_what_is_asked_for_decides(tiles, model, given, expected):
    assert suggest_preset(tiles, {"init": model, **given})[0] == expected


def test_without_a_model_to_start_from_nothing_is_decided(tiles):
    assert suggest_preset(tiles, {}) == ("modern", "")
