"""Retraining the head on new tiles: what is learned, what is kept, what is said."""

import csv
import json

import numpy as np
import pytest
import torch

from napari_crlm_spa._tests.core.classifier.training.conftest import (
    COLORS,
    draw,
    model_to_retrain,
    run_to_end,
)
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.card import load_card
from napari_crlm_spa.core.classifier.reference_set import (
    read_reference_set,
    save_reference_set,
)
from napari_crlm_spa.core.classifier.training import preset, train_classifier
from napari_crlm_spa.core.classifier.training.history import EpochRecord
from napari_crlm_spa.core.classifier.weights import load_model
from napari_crlm_spa.errors import TrainingError


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return model_to_retrain(tmp_path_factory, epochs=30, batch_size=12, label_smoothing=0.0)


@pytest.fixture(scope="module")
def new_tiles(tmp_path_factory):
    """Tumor and stroma of a slide in colors that the base model takes for something else."""
    folder = tmp_path_factory.mktemp("new")
    draw(folder, "TUM", "delta", 20, 77, (60, 130, 60))
    draw(folder, "STR", "delta", 20, 78, (230, 210, 80))
    return folder


@pytest.fixture
def options(base):
    def make(**changes):
        quick = {"learning_rate": 0.01, "views": 2, "epochs": 12, "batch_size": 8, "device": "cpu"}
        return preset("retrain", **{"init": str(base.folder), **quick, **changes})

    return make


@pytest.fixture(scope="module")
def retrained(base, new_tiles, tmp_path_factory):
    options = preset(
        "retrain",
        init=str(base.folder),
        learning_rate=0.01,
        views=2,
        epochs=12,
        batch_size=8,
        device="cpu",
    )
    return run_to_end(train_classifier(new_tiles, tmp_path_factory.mktemp("retrained"), options))


def recalls(result, kind):
    return {change.name: (change.before, change.after) for change in result.comparison.of(kind)}


def test_the_new_tiles_are_learned(retrained):
    assert recalls(retrained, "new") == {"STR": (0.0, 1.0), "TUM": (0.0, 1.0)}


def test_classes_that_the_new_tiles_lack_are_kept_by_rehearsal_and_lost_without(
    retrained, new_tiles, options, tmp_path, finish
):
    assert all(after == 1.0 for _, after in recalls(retrained, "old").values())
    assert not retrained.comparison.worse
    without = options(rehearsal=0.0, keep="last", epochs=30, learning_rate=0.03)
    forgetful = finish(train_classifier(new_tiles, tmp_path, without))
    lost = {change.name for change in forgetful.comparison.worse}
    assert lost - {"STR", "TUM"}


def test_a_class_that_got_worse_is_named(new_tiles, options, tmp_path, finish):
    without = options(rehearsal=0.0, keep="last", epochs=30, learning_rate=0.03)
    result = finish(train_classifier(new_tiles, tmp_path, without))
    for change in result.comparison.worse:
        assert any(
            note.startswith(f"{change.name} got worse: of 12 tiles of the old slides 100.0%")
            for note in result.notes
        )


def test_keep_best_loses_no_class_even_without_rehearsal(new_tiles, options, tmp_path, finish):
    result = finish(
        train_classifier(new_tiles, tmp_path, options(rehearsal=0.0, epochs=30, learning_rate=0.03))
    )
    assert not result.comparison.worse


def test_only_the_head_changes(base, retrained):
    before = load_model(base.folder)[1].state_dict()
    after = load_model(retrained.folder)[1].state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(name.startswith("head.") for name in changed)


def test_card_and_table_tell_before_and_after(base, retrained):
    card = load_card(retrained.folder)
    assert card == retrained.card
    figures = card.metrics["before_after"]
    assert figures["new"]["TUM"] == {"tiles": 4, "before": 0.0, "after": 1.0}
    assert set(figures["old"]) == set(CRLM7.names)
    assert card.training_recipe["start"]["sha256"] == base.card.sha256
    assert card.training_data.counts["TUM"] == 12 + 16
    assert card.training_data.slides["delta"] == {"STR": 16, "TUM": 16}
    with (retrained.folder / "before-after.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {(row["class"], row["tiles_are"]) for row in rows} == {
        *((name, "old") for name in CRLM7.names), ("STR", "new"), ("TUM", "new"),
    }  # fmt: skip
    assert str(base.folder) not in json.dumps(card.model_dump())


def test_the_new_model_knows_old_and_new_tiles(base, retrained):
    old, both = read_reference_set(base.folder), read_reference_set(retrained.folder)
    assert len(both) == len(old) + 40
    assert both.middle is not None  # by which strangeness tells unknown tissue
    delta = np.array(both.slides) == "delta"
    assert np.count_nonzero(delta & both.held_out) == 8
    assert np.count_nonzero(~delta & both.held_out) == np.count_nonzero(old.held_out)


def test_a_retrained_model_can_be_retrained(retrained, new_tiles, tmp_path, finish):
    again = preset("retrain", init=str(retrained.folder), views=1, epochs=2, device="cpu")
    result = finish(train_classifier(new_tiles, tmp_path, again))
    assert result.card.name == retrained.card.name
    # Held-back reference tiles of the slide that is trained on now judge no longer.
    assert {change.name: change.tiles for change in result.comparison.of("old")} == dict.fromkeys(
        CRLM7.names, 12
    )


def test_the_same_seed_gives_the_same_weights(new_tiles, options, tmp_path, finish):
    hashes = [
        finish(train_classifier(new_tiles, tmp_path / name, options(seed=seed))).card.sha256
        for name, seed in (("a", 3), ("b", 3), ("c", 4))
    ]
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_killed_retraining_goes_on_with_the_views_it_has(
    new_tiles, options, tmp_path, finish, retrained, monkeypatch
):
    from napari_crlm_spa.core.classifier.training import views

    work = train_classifier(new_tiles, tmp_path, options())
    stage = "Looking at the tiles"
    next(step for step in work if step.stage == stage and step.done > step.total / 2)
    work.close()
    asked = []
    original = views._features
    monkeypatch.setattr(views, "_features", lambda *given: asked.append(1) or original(*given))
    result = finish(train_classifier(new_tiles, tmp_path, options()))
    assert len(asked) == 1  # 32 tiles: one batch a view, the first view was kept
    assert result.card.sha256 == retrained.card.sha256


def test_a_finished_retraining_is_not_repeated(retrained, new_tiles, options, monkeypatch, finish):
    from napari_crlm_spa.core.classifier.training import retrain

    monkeypatch.setattr(retrain, "compute_views", None)
    again = finish(train_classifier(new_tiles, retrained.folder, options()))
    assert again.card == retrained.card
    assert again.comparison == retrained.comparison
    assert len(again.history) == len(retrained.history)


def test_every_epoch_is_reported(new_tiles, options, tmp_path):
    steps = list(train_classifier(new_tiles, tmp_path, options(epochs=3)))
    records = [step.changed for step in steps if isinstance(step.changed, EpochRecord)]
    assert [record.epoch for record in records] == [1, 2, 3]
    assert all(np.isfinite(record.validation_loss) for record in records)
    with (tmp_path / "history.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 3


def test_without_a_reference_set_it_says_what_it_cannot_see(
    base, new_tiles, tmp_path, finish, options
):
    from napari_crlm_spa.core.classifier.card import save_card

    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "weights.safetensors").write_bytes((base.folder / "weights.safetensors").read_bytes())
    save_card(bare, base.card.model_copy(update={"reference_sha256": ""}))
    result = finish(train_classifier(new_tiles, tmp_path / "out", options(init=str(bare))))
    assert any("has no reference set" in note for note in result.notes)
    assert not result.comparison.of("old")
    assert len(read_reference_set(result.folder)) == 40


def test_old_tiles_that_were_trained_on_judge_where_none_were_held_back(
    base, new_tiles, tmp_path, finish, options
):
    folder = tmp_path / "seen"
    folder.mkdir()
    for name in ("weights.safetensors", "card.json"):
        (folder / name).write_bytes((base.folder / name).read_bytes())
    reference = read_reference_set(base.folder)
    save_reference_set(folder, reference.take(~reference.held_out))
    result = finish(train_classifier(new_tiles, tmp_path / "out", options(init=str(folder))))
    assert {change.tiles for change in result.comparison.of("old")} == {4}
    assert any("judged by tiles that it was trained on" in note for note in result.notes)
    assert result.card.metrics["before_after"]["old_tiles_seen_in_training"] == list(CRLM7.names)


def test_without_tiles_held_back_nothing_is_promised(new_tiles, options, tmp_path, finish):
    result = finish(train_classifier(new_tiles, tmp_path, options(validation=0.0)))
    assert result.validation is None
    assert not result.comparison.worse
    assert any("No new tiles were held back" in note for note in result.notes)


def test_where_the_new_head_is_ruined_the_old_one_is_kept(
    base, new_tiles, options, tmp_path, finish
):
    ruined = options(learning_rate=5.0, epochs=1)
    result = finish(train_classifier(new_tiles, tmp_path, ruined))
    assert result.card.training_recipe["kept_share"] == 0
    assert any("The old head is kept" in note for note in result.notes)
    before, after = (load_model(m)[1].state_dict() for m in (base.folder, result.folder))
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_model_to_start_from_is_never_overwritten(base, new_tiles, options, finish):
    with pytest.raises(TrainingError, match="must not replace it"):
        finish(train_classifier(new_tiles, base.folder, options()))


def test_what_the_trunk_fixes_cannot_be_changed(new_tiles, options, tmp_path, finish):
    with pytest.raises(TrainingError, match="has input_px 16, not 32"):
        finish(train_classifier(new_tiles, tmp_path, options(input_px=32)))


def test_the_head_needs_a_model_to_stand_on(new_tiles, tiny, tmp_path, finish):
    with pytest.raises(TrainingError, match="--init"):
        finish(train_classifier(new_tiles, tmp_path, tiny(train_part="head")))
    with pytest.raises(TrainingError, match="--init"):
        preset("retrain")


def test_training_all_of_a_model_says_what_it_cannot_check(base, colored_tiles, tmp_path, finish):
    options = preset(
        "finetune", init=str(base.folder), epochs=1, device="cpu", stain_mix=0.0,
        validation_slides="gamma",
    )  # fmt: skip
    result = finish(train_classifier(colored_tiles, tmp_path, options))
    assert {change.kind for change in result.comparison.changes} == {"new"}
    assert recalls(result, "new")["TUM"][0] == 1.0
    assert result.card.metrics["before_after"]["new"]["TUM"]["tiles"] == 6
    # alpha, which the base model was trained on, is among its tiles.
    assert not any("no longer fits" in note for note in result.notes)


def test_training_all_on_other_slides_admits_it(base, tmp_path, finish):
    for label, (name, color) in enumerate(zip(CRLM7.names, COLORS, strict=True)):
        draw(tmp_path / "tiles", name, "elsewhere", 5, label, color)
    options = preset("finetune", init=str(base.folder), epochs=1, device="cpu", stain_mix=0.0)
    result = finish(train_classifier(tmp_path / "tiles", tmp_path / "out", options))
    assert any("no longer fits" in note for note in result.notes)
