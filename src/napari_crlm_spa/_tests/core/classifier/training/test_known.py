import shutil

import pytest

from napari_crlm_spa._tests.core.classifier.training.conftest import (
    COLORS,
    draw,
    run_to_end,
    tiny_options,
)
from napari_crlm_spa.core.classifier.card import load_card, save_card
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


@pytest.mark.parametrize("listed", [["drawn tiles"], ["drawn-1-00", "drawn-1-01"], []])
def test_drawn_tiles_never_count_as_held_back(trained, colored_tiles, tmp_path, finish, listed):
    """They are none of the slides that judge; where the model never saw them, they are no part."""
    drawn = tmp_path / "drawn"
    for name in ("drawn-1-00", "drawn-1-01"):
        draw(drawn, "TUM", name, 2, 5, COLORS[6])
    paths = [path.relative_to(drawn).as_posix() for path in drawn.glob("*/*.png")]
    lines = ["path,class,split_kind", *(f"{path},TUM,drawn" for path in sorted(paths))]
    (drawn / "manifest.csv").write_text("\n".join(lines))
    slides = {**trained.card.training_data.slides, **{name: {"TUM": 2} for name in listed}}
    model = tmp_path / "model"
    model.mkdir()
    shutil.copy(trained.folder / "weights.safetensors", model)
    data = trained.card.training_data.model_copy(update={"slides": slides})
    save_card(model, trained.card.model_copy(update={"training_data": data}))
    finish(add_reference_set(model, [colored_tiles, drawn], device="cpu"))
    reference = read_reference_set(model)
    assert reference.drawn.sum() == (4 if listed else 0)
    assert not (reference.drawn & reference.held_out).any()


def test_another_model_is_not_overwritten(trained, colored_tiles, tmp_path, finish):
    save_card(tmp_path, trained.card.model_copy(update={"sha256": "0" * 64}))
    with pytest.raises(TrainingError, match="holds another model"):
        finish(add_reference_set(trained.folder, colored_tiles, tmp_path, device="cpu"))
