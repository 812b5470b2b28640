import csv

import numpy as np
import pytest
import torch

from napari_crlm_spa._tests.core.classifier.training.conftest import (
    COLORS,
    PX,
    draw,
    pictures,
    run_to_end,
    tiny_options,
)
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.evaluation import EvaluationOptions, evaluate_model
from napari_crlm_spa.core.classifier.training import preset, train_classifier
from napari_crlm_spa.core.classifier.training.history import EpochRecord
from napari_crlm_spa.core.classifier.weights import load_model
from napari_crlm_spa.errors import EvaluationError, TrainingError


def weights(folder):
    return (folder / "weights.safetensors").read_bytes()


def stop_after(generator, epochs):
    """Close the generator right after an epoch, as a kill between two epochs would."""
    for progress in generator:
        if isinstance(progress.changed, EpochRecord) and progress.changed.epoch == epochs:
            # The checkpoint of an epoch is written before the next one begins.
            next(generator)
            generator.close()
            return


@pytest.fixture(scope="module")
def trained(colored_tiles, tmp_path_factory):
    """A training to the end, on trivially different classes."""
    folder = tmp_path_factory.mktemp("model")
    options = tiny_options(
        epochs=30, batch_size=12, augment=0.0, ema=0.0, label_smoothing=0.0,
        name="colors", attribution="nobody",
    )  # fmt: skip
    with pictures():
        return run_to_end(train_classifier(colored_tiles, folder, options))


def test_trivially_different_classes_are_learned(trained):
    assert trained.validation.accuracy > 0.95


def test_the_model_folder_can_be_loaded_and_classifies(trained):
    card, network = load_model(trained.folder)
    tiles = np.array([np.full((PX, PX, 3), color) for color in COLORS], np.uint8)
    with torch.inference_mode():
        assert network(torch.from_numpy(tiles)).argmax(1).tolist() == list(range(7))
    assert card == trained.card


def test_the_card_tells_data_split_recipe_and_metrics(trained):
    card = trained.card
    assert card.training_data.counts == dict.fromkeys(CRLM7.names, 12)
    assert card.training_data.validation == dict.fromkeys(CRLM7.names, 6)
    assert "whole slides held back" in card.training_data.split
    assert card.training_data.attribution == "nobody"
    assert card.training_recipe["epochs"] == 30
    accuracy = card.metrics["validation"]["accuracy"]
    assert accuracy == pytest.approx(trained.validation.accuracy, abs=1e-4)
    assert card.intended_use.startswith("Research use only")


def test_the_curves_are_written_as_csv_and_picture(trained):
    with (trained.folder / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == list(range(1, 31))
    assert {"train_loss", "validation_balanced_accuracy", "learning_rate", "seconds"} <= set(
        rows[0]
    )
    assert (trained.folder / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_epoch_of_the_lowest_validation_loss_is_kept(trained):
    lowest = min(trained.history, key=lambda record: record.validation_loss)
    assert trained.card.training_recipe["kept_epoch"] == lowest.epoch


def test_a_finished_training_is_not_repeated(trained, colored_tiles):
    before = weights(trained.folder)
    recipe = trained.card.training_recipe
    options = preset("modern", **{k: v for k, v in recipe.items() if k != "kept_epoch"})
    options = type(options)(
        **{**options.as_dict(), "name": "colors", "attribution": "nobody", "device": "cpu"}
    )
    progress = list(train_classifier(colored_tiles, trained.folder, options))
    assert not any(item.stage.startswith("Epoch") for item in progress)
    assert weights(trained.folder) == before


def test_evaluation_agrees_with_the_training(trained, colored_tiles, finish):
    options = EvaluationOptions(split="train", device="cpu", bootstrap=0)
    result = finish(evaluate_model(trained.folder, colored_tiles, options)).judgement.evaluation
    assert result.count == 7 * 3 * 6
    assert result.accuracy > 0.95
    with pytest.raises(EvaluationError, match="no test tiles"):
        finish(evaluate_model(trained.folder, colored_tiles, EvaluationOptions(split="test")))


def test_the_same_seed_gives_the_same_weights(colored_tiles, tiny, tmp_path, finish):
    results = [
        finish(train_classifier(colored_tiles, tmp_path / name, tiny(seed=seed)))
        for name, seed in (("a", 4), ("b", 4), ("c", 5))
    ]
    first, again, other = (result.card.sha256 for result in results)
    assert first == again
    assert first != other


def test_a_resumed_training_ends_with_the_same_weights(colored_tiles, tiny, tmp_path, finish):
    options = tiny(epochs=4, stain_mix=0.4, dropout=0.3)
    whole = finish(train_classifier(colored_tiles, tmp_path / "whole", options))
    stop_after(train_classifier(colored_tiles, tmp_path / "killed", options), 2)
    resumed = finish(train_classifier(colored_tiles, tmp_path / "killed", options))
    assert [record.epoch for record in resumed.history] == [1, 2, 3, 4]
    assert resumed.card.sha256 == whole.card.sha256


def test_closing_the_training_keeps_the_best_so_far(colored_tiles, tiny, tmp_path):
    stop_after(train_classifier(colored_tiles, tmp_path, tiny(epochs=5)), 1)
    card, _ = load_model(tmp_path)
    assert card.training_recipe["kept_epoch"] == 1


def test_a_folder_of_another_training_is_refused(colored_tiles, tiny, tmp_path, finish):
    finish(train_classifier(colored_tiles, tmp_path, tiny(epochs=1)))
    with pytest.raises(TrainingError, match="other tiles or options"):
        finish(train_classifier(colored_tiles, tmp_path, tiny(epochs=2)))


def test_tiles_that_a_manifest_gives_to_other_slides_are_another_training(
    own_tiles, tiny, tmp_path, finish
):
    def train(slide_of):
        paths = sorted(path.relative_to(own_tiles).as_posix() for path in own_tiles.glob("*/*.png"))
        lines = [f"{path},{path.split('/')[0]},{slide_of(i)}" for i, path in enumerate(paths)]
        (own_tiles / "manifest.csv").write_text("\n".join(["path,class,slide", *lines]))
        options = tiny(epochs=1, validation=0.0)
        return finish(train_classifier(own_tiles, tmp_path / "out", options))

    train(lambda i: "one")
    train(lambda i: "one")
    with pytest.raises(TrainingError, match="other tiles or options"):
        train(lambda i: f"{i % 3}")


def test_a_damaged_checkpoint_is_named(colored_tiles, tiny, tmp_path, finish):
    (tmp_path / "checkpoint.safetensors").write_bytes(b"nonsense")
    with pytest.raises(TrainingError, match="is damaged"):
        finish(train_classifier(colored_tiles, tmp_path, tiny()))


def test_nothing_held_back_keeps_the_last_epoch(colored_tiles, tiny, tmp_path, finish):
    result = finish(train_classifier(colored_tiles, tmp_path, tiny(validation=0.0)))
    assert result.validation is None
    assert result.card.training_recipe["kept_epoch"] == 2
    assert result.card.metrics == {}


def test_training_stops_when_nothing_gets_better(colored_tiles, tiny, tmp_path, finish):
    still = tiny(epochs=30, patience=2, learning_rate=1e-7, weight_decay=0.0, ema=0.0)
    result = finish(train_classifier(colored_tiles, tmp_path, still))
    assert len(result.history) < 30
    assert not any(record.best for record in result.history[-2:])


def test_only_last_block_and_head_change_in_the_papers_recipe(
    colored_tiles, trained, tiny, tmp_path, finish
):
    options = tiny(
        init=str(trained.folder), train_part="last_block", optimizer="sgd", schedule="constant",
        epochs=1, ema=0.0, keep="last",
    )  # fmt: skip
    result = finish(train_classifier(colored_tiles, tmp_path, options))
    before = load_model(trained.folder)[1].state_dict()
    after = load_model(result.folder)[1].state_dict()
    changed = {name.split(".")[0] + "." + name.split(".")[1] for name in before
               if not torch.equal(before[name], after[name])}  # fmt: skip
    assert changed == {"trunk.2", "head.0", "head.3", "head.6"}


def test_the_model_that_a_training_starts_from_is_not_overwritten(
    colored_tiles, trained, tiny, finish
):
    before = weights(trained.folder)
    with pytest.raises(TrainingError, match="must not replace it"):
        finish(train_classifier(colored_tiles, trained.folder, tiny(init=str(trained.folder))))
    assert weights(trained.folder) == before


def test_starting_from_another_network_is_refused(colored_tiles, trained, tiny, tmp_path, finish):
    with pytest.raises(TrainingError, match="is a tiny, but a resnet18"):
        finish(
            train_classifier(
                colored_tiles, tmp_path, tiny(arch="resnet18", init=str(trained.folder))
            )
        )


def test_a_diverging_training_is_stopped(colored_tiles, tiny, tmp_path, finish, monkeypatch):
    from napari_crlm_spa.core.classifier.training import trainer

    monkeypatch.setattr(
        trainer.functional, "cross_entropy", lambda logits, *_, **__: logits.sum() * float("nan")
    )
    with pytest.raises(TrainingError, match="diverged"):
        finish(train_classifier(colored_tiles, tmp_path, tiny()))


def test_a_gradient_that_is_no_number_stops_the_training_and_earlier_epochs_stay(
    colored_tiles, tiny, tmp_path, finish, monkeypatch
):
    from napari_crlm_spa.core.classifier.training import trainer

    def spoil(parameters, _):
        calls.append(1)
        return torch.tensor(float("inf") if len(calls) > 4 else 1.0)

    calls = []
    monkeypatch.setattr(trainer.nn.utils, "clip_grad_norm_", spoil)
    with pytest.raises(TrainingError, match=r"gradient became inf in step 5: .* diverged"):
        finish(train_classifier(colored_tiles, tmp_path, tiny(batch_size=32)))
    assert load_model(tmp_path)[0].training_recipe["kept_epoch"] == 1


@pytest.fixture
def own_tiles(tmp_path):
    folder = tmp_path / "tiles"
    for label, (name, color) in enumerate(zip(CRLM7.names, COLORS, strict=True)):
        for slide in "ab":
            draw(folder, name, slide, 6, label, color)
    return folder


def test_a_class_without_tiles_is_named(own_tiles, tiny, tmp_path, finish):
    for path in (own_tiles / "MUC").iterdir():
        path.unlink()
    with pytest.raises(TrainingError, match="no training tiles of MUC"):
        finish(train_classifier(own_tiles, tmp_path / "out", tiny()))


def test_folders_of_other_classes_are_refused(tmp_path, tiny, finish):
    draw(tmp_path, "CAT", "a", 2, 0, COLORS[0])
    with pytest.raises(TrainingError, match="no tiles of the scheme crlm7"):
        finish(train_classifier(tmp_path, tmp_path / "out", tiny()))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"input_px": 20}, "tile_px 32 is no whole multiple of input_px 20"),
        ({"name": ""}, "name: .* at least 1 character"),
    ],
)
def test_options_that_make_no_model_are_refused_in_a_sentence(
    colored_tiles, tiny, tmp_path, finish, changes, reason
):
    with pytest.raises(TrainingError, match=f"make no model: {reason}"):
        finish(train_classifier(colored_tiles, tmp_path, tiny(**changes)))


def test_a_broken_image_is_left_out_and_counted(own_tiles, tiny, tmp_path, finish):
    broken = own_tiles / "TUM" / "a_x500_y0.png"
    broken.write_bytes(broken.read_bytes()[:60])
    options = tiny(validation=0.0, epochs=1)
    result = finish(train_classifier(own_tiles, tmp_path / "out", options))
    assert len(result.notes) == 1
    assert "1 tiles could not be decoded" in result.notes[0]
    assert "a_x500_y0.png" in result.notes[0]


def test_too_many_broken_images_stop_the_training(own_tiles, tiny, tmp_path, finish):
    for path in (own_tiles / "TUM").iterdir():
        path.write_bytes(b"no image")
    with pytest.raises(TrainingError, match="12 of 84 tiles cannot be decoded"):
        finish(train_classifier(own_tiles, tmp_path / "out", tiny(validation=0.0)))


def test_a_tile_of_another_size_is_named(own_tiles, tiny, tmp_path, finish):
    draw(own_tiles, "TUM", "a", 1, 0, COLORS[6], px=40)
    with pytest.raises(TrainingError, match=r"a_x0_y0\.png is 40 x 40 px, but tiles of 32 x 32"):
        finish(train_classifier(own_tiles, tmp_path / "out", tiny(validation=0.0)))


def test_progress_counts_the_tiles_of_all_epochs(colored_tiles, tiny, tmp_path):
    steps = [
        item
        for item in train_classifier(colored_tiles, tmp_path, tiny(validation=0.0))
        if item.stage.startswith("Epoch")
    ]
    done = [item.done for item in steps]
    assert done == sorted(done)
    assert (steps[-1].done, steps[-1].total) == (2 * 126, 2 * 126)
    assert steps[-1].stage == "Epoch 2 of 2"
