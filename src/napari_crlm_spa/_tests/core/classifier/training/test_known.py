import pytest

from napari_crlm_spa._tests.core.classifier.training.conftest import (
    run_to_end,
    tiny_options,
)
from napari_crlm_spa.core.classifier.card import load_card
from napari_crlm_spa.core.classifier.reference_set import REFERENCE_NAME, read_reference_set
from napari_crlm_spa.core.classifier.training import train_classifier
from napari_crlm_spa.core.classifier.training.known import add_reference_set
from napari_crlm_spa.errors import TrainingError


@pytest.fixture(scope="module")
def trained(colored_tiles, tmp_path_factory):
    options = tiny_options(epochs=1, validation_slides="beta")
    return run_to_end(train_classifier(colored_tiles, tmp_path_factory.mktemp("m"), options))


def test_a_training_keeps_a_reference_set(trained):
    reference = read_reference_set(trained.folder)
    assert len(reference) == 7 * 18
    assert {s for s, held in zip(reference.slides, reference.held_out, strict=True) if held} == {
        "beta"
    }
    assert trained.card.reference_sha256 == load_card(trained.folder).reference_sha256 != ""


def test_an_old_model_gets_the_same_set_in_a_copy(trained, colored_tiles, tmp_path, finish):
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("weights.safetensors", "card.json"):
        (bare / name).write_bytes((trained.folder / name).read_bytes())
    out = tmp_path / "copy"
    card = finish(add_reference_set(bare, colored_tiles, out, device="cpu"))
    assert not (bare / REFERENCE_NAME).exists()
    # beta does not stand among the slides of the card, so it counts as held back
    assert (out / REFERENCE_NAME).read_bytes() == (trained.folder / REFERENCE_NAME).read_bytes()
    assert card == load_card(out)
    assert card.sha256 == trained.card.sha256


def test_slides_held_back_can_be_named(trained, colored_tiles, tmp_path, finish):
    finish(
        add_reference_set(
            trained.folder, colored_tiles, tmp_path, held_out_slides=["alpha"], per_class=4
        )
    )
    reference = read_reference_set(tmp_path)
    held = {s for s, held in zip(reference.slides, reference.held_out, strict=True) if held}
    assert held == {"alpha"}
    assert (len(reference), reference.held_out.sum()) == (7 * 6, 7 * 2)
    with pytest.raises(TrainingError, match="no slide 'omega'"):
        finish(
            add_reference_set(trained.folder, colored_tiles, tmp_path, held_out_slides=["omega"])
        )
