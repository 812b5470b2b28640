"""Training and retraining on the command line."""

import json

import pytest

from napari_crlm_spa._tests.cli.test_cli import run  # noqa: F401
from napari_crlm_spa._tests.core.classifier.training.conftest import draw, model_to_retrain


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return model_to_retrain(tmp_path_factory, epochs=12).folder


@pytest.fixture
def new_tiles(tmp_path):
    draw(tmp_path / "new", "TUM", "delta", 20, 77, (190, 120, 60))
    return tmp_path / "new"


def test_few_tiles_retrain_the_head_and_show_before_and_after(run, base, new_tiles, tmp_path):  # noqa: F811
    code, out, err = run(
        "train", new_tiles, "-o", tmp_path / "out", "--init", base, "--device", "cpu",
        "--views", "2", "--epochs", "3",
    )  # fmt: skip
    assert code == 0
    assert "20 new tiles are few: only the head" in err
    assert "Recall before and after" in out
    assert "tiles of the old slides" in out
    assert err.count("held back from the training") <= 1
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    assert card["training_recipe"]["train_part"] == "head"


def test_a_model_is_shown_with_and_without_the_word_show(run, base):  # noqa: F811
    _, named, _ = run("models", "show", base)
    code, unnamed, _ = run("models", base)
    assert (code, unnamed) == (0, named)
    assert "84 tiles trained on, 84 held back, of 2 slides" in unnamed


def test_the_installed_package_is_not_changed_unasked(run, base, new_tiles):  # noqa: F811
    code, _, err = run("models", "reference", "default", new_tiles)
    assert code == 2
    assert "belongs to the installed package" in err


def test_a_copy_gets_a_reference_set(run, base, new_tiles, tmp_path):  # noqa: F811
    code, out, _ = run("models", "reference", base, new_tiles, "--out", tmp_path / "copy")
    assert code == 0
    assert "0 tiles trained on, 20 held back, of 1 slides" in out
