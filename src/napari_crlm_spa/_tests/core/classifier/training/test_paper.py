"""The paper's way: a nine-class colorectal model first, then its last block and head on ours."""

import pytest
import torch

from napari_crlm_spa._tests.core.classifier.training.conftest import (
    COLORS,
    PX,
    draw,
    run_to_end,
    tiny_options,
)
from napari_crlm_spa.core.classes import CRC9, CRLM7
from napari_crlm_spa.core.classifier.training import preset, train_classifier
from napari_crlm_spa.core.classifier.weights import load_model

_SMALL = {
    "arch": "tiny", "hidden": 16, "tile_px": PX, "input_px": PX, "device": "cpu",
    "precision": "fp32", "stain": "none", "mpp": 4.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def stage_one(tmp_path_factory):
    """A nine-class model of drawn tiles."""
    folder = tmp_path_factory.mktemp("crc9")
    colors = [*COLORS, (200, 200, 90), (90, 200, 120)]
    for label, (name, color) in enumerate(zip(CRC9.names, colors, strict=True)):
        for slide in "abc":
            draw(folder / "tiles", name, slide, 3, 7 * label + ord(slide), color)
    options = tiny_options(scheme="crc9", input_px=PX, mpp=4.0, epochs=2)
    return run_to_end(train_classifier(folder / "tiles", folder / "model", options)).folder


@pytest.fixture(scope="module")
def stage_two(stage_one, colored_tiles, tmp_path_factory):
    options = preset("paper", init=str(stage_one), epochs=3, **_SMALL)
    folder = tmp_path_factory.mktemp("crlm7")
    return run_to_end(train_classifier(colored_tiles, folder, options))


def test_the_nine_class_model_knows_its_classes(stage_one):
    card, network = load_model(stage_one)
    assert (card.scheme_name, card.classes, network.n_classes) == ("crc9", CRC9.names, 9)


def test_the_seven_class_model_keeps_the_frozen_trunk_to_the_bit(stage_one, stage_two):
    before = load_model(stage_one)[1].state_dict()
    card, network = load_model(stage_two.folder)
    after = network.state_dict()
    assert (card.classes, network.n_classes) == (CRLM7.names, 7)
    frozen = [name for name in before if name.startswith(("trunk.0", "trunk.1"))]
    assert len(frozen) == 2 * 6  # convolution, and five of the normalization's
    for name in frozen:
        assert torch.equal(before[name], after[name]), name
    assert any(not torch.equal(before[n], after[n]) for n in before if n.startswith("trunk.2"))
    assert after["head.6.weight"].shape == (7, 16)


def test_the_epoch_of_the_lowest_validation_cross_entropy_is_kept(stage_two):
    lowest = min(stage_two.history, key=lambda record: record.validation_loss)
    assert stage_two.card.training_recipe["kept_epoch"] == lowest.epoch


def test_the_card_tells_the_recipe_and_the_model_it_began_with(stage_one, stage_two):
    recipe = stage_two.card.training_recipe
    assert recipe["init"] == stage_one.name
    assert (recipe["optimizer"], recipe["learning_rate"], recipe["batch_size"]) == (
        "sgd", 1e-3, 32,
    )  # fmt: skip
    assert (recipe["train_part"], recipe["schedule"]) == ("last_block", "constant")


def test_a_start_that_saw_tiles_otherwise_is_noted(
    stage_one, stage_two, colored_tiles, tmp_path, finish
):
    assert not any("trained otherwise" in note for note in stage_two.notes)
    options = preset("paper", init=str(stage_one), epochs=1, **{**_SMALL, "input_px": PX // 2})
    result = finish(train_classifier(colored_tiles, tmp_path, options))
    assert any("32 pixels across, now 16" in note for note in result.notes)


def test_it_is_deterministic_and_another_seed_differs(
    stage_one, stage_two, colored_tiles, tmp_path, finish
):
    digests = [
        finish(
            train_classifier(
                colored_tiles,
                tmp_path / str(seed),
                preset("paper", init=str(stage_one), epochs=3, seed=seed, **_SMALL),
            )
        ).card.sha256
        for seed in (0, 1)
    ]
    assert digests[0] == stage_two.card.sha256
    assert digests[1] != stage_two.card.sha256
