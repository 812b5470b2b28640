import csv
import json

import numpy as np
import pytest

from napari_crlm_spa._tests.core.classifier.training.conftest import (
    COLORS,
    draw,
    tiny_options,
)
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.predictions import read_predictions
from napari_crlm_spa.core.classifier.training.crossval import (
    ALL_FOLDS,
    FINISHED,
    PREDICTIONS_NAME,
    cross_validate,
)
from napari_crlm_spa.core.classifier.training.crossval_tables import (
    CLASSES_NAME,
    FOLDS_NAME,
    SLIDES_NAME,
    balanced,
)
from napari_crlm_spa.core.classifier.training.fold_run import HELD_OUT_NAME, FoldResult
from napari_crlm_spa.core.classifier.training.folds import FoldOptions
from napari_crlm_spa.core.classifier.training.history import EpochRecord
from napari_crlm_spa.core.classifier.weights import load_model
from napari_crlm_spa.errors import TrainingError

NAMES = CRLM7.names


def rows(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def draw_all(folder):
    """Six classes on three slides each; mucus on one slide only, which shows debris, too."""
    for label, (name, color) in enumerate(zip(NAMES, COLORS, strict=True)):
        slides = ("muc",) if name == "MUC" else ("alpha", "beta", "gamma")
        for number, slide in enumerate(slides):
            draw(folder, name, slide, 12 if name == "MUC" else 4, 10 * label + number, color)
    draw(folder, "DEB", "muc", 3, 99, COLORS[1])


def followed(generator):
    """Run a generator; return what it yielded and its result."""
    steps = []
    while True:
        try:
            steps.append(next(generator))
        except StopIteration as stop:
            return steps, stop.value


@pytest.fixture(scope="module")
def tiles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crossval-tiles")
    draw_all(folder)
    return folder


@pytest.fixture(scope="module")
def recipe():
    # At 4 um/px the gap beside a block is two of the drawn tiles, which lie 500 px apart.
    return tiny_options(
        epochs=3, batch_size=8, validation=0.0, augment=0.0, ema=0.0, label_smoothing=0.0, mpp=4.0
    )


@pytest.fixture(scope="module")
def three():
    return FoldOptions(folds=3)


@pytest.fixture(scope="module")
def course(tiles, recipe, three, tmp_path_factory):
    """What a cross-validation reports, and its result."""
    return followed(cross_validate(tiles, tmp_path_factory.mktemp("cv"), recipe, three))


@pytest.fixture(scope="module")
def result(course):
    return course[1]


def test_every_tile_is_judged_once_by_a_model_that_never_saw_it(result, tiles):
    on_disk = sorted(path.relative_to(tiles).as_posix() for path in tiles.glob("*/*.png"))
    assert sorted(result.judgement.predictions.paths) == on_disk
    for fold in result.folds:
        card, _ = load_model(fold.folder)
        whole = set(fold.fold.slides)
        assert whole.isdisjoint(card.training_data.slides)
        assert f"Fold {fold.fold.number} of 3" in card.training_data.split
        judged = {
            slide
            for slide, unseen in zip(
                result.judgement.predictions.slides, result.unseen, strict=True
            )
            if unseen
        }
        assert judged == {"alpha", "beta", "gamma"}


def test_the_table_tells_unseen_slides_from_unseen_blocks(result):
    of = {row.name: row for row in result.classes}
    assert (of["MUC"].unseen_slide_tiles, of["MUC"].block_tiles, of["MUC"].block_slides) == (
        0, 12, 1,
    )  # fmt: skip
    assert np.isnan(of["MUC"].unseen_slide_recall)
    assert (of["DEB"].unseen_slides, of["DEB"].unseen_slide_tiles, of["DEB"].block_tiles) == (
        3, 12, 3,
    )  # fmt: skip
    assert (of["TUM"].unseen_slide_tiles, of["TUM"].block_tiles) == (12, 0)
    assert any("Cut into blocks" in note and "muc" in note for note in result.notes)


def test_recalls_are_those_of_the_pooled_predictions(result):
    predictions = result.judgement.predictions
    right = predictions.predicted == predictions.labels
    for label, row in enumerate(result.classes):
        of_class = predictions.labels == label
        assert row.recall == pytest.approx(right[of_class].mean())
        if row.unseen_slide_tiles:
            assert row.unseen_slide_recall == right[of_class & result.unseen].mean()
    found = [row.unseen_slide_recall for row in result.classes if row.unseen_slide_tiles]
    assert balanced(result.classes, "unseen_slide_recall") == pytest.approx(np.mean(found))
    assert sum(row.tiles for row in result.slides) == len(predictions)
    assert sum(row.right for row in result.slides) == right.sum()


def test_trivially_different_classes_are_told_on_unseen_slides(tiles, recipe, tmp_path, finish):
    # Some of these slides show a single class, which slide priors would hardly let them teach.
    learning = {
        "slide_prior_floor": 1.0,
        "epochs": 20,
        "batch_size": 4,
        "hidden": 64,
        "learning_rate": 0.005,
        "mpp": 0.5,
    }
    longer = type(recipe)(**{**recipe.as_dict(), **learning})
    result = finish(cross_validate(tiles, tmp_path / "cv", longer, FoldOptions(folds=2)))
    assert balanced(result.classes, "unseen_slide_recall") > 0.8


def test_tables_predictions_and_curves_are_written(result):
    folder = result.folder
    assert [row["name"] for row in rows(folder / CLASSES_NAME)] == list(NAMES)
    muc = next(row for row in rows(folder / SLIDES_NAME) if row["class_name"] == "MUC")
    assert (muc["slide"], muc["judged_on"], muc["folds"], muc["tiles"]) == (
        "muc", "unseen block", "1 2 3", "12",
    )  # fmt: skip
    again = read_predictions(folder / PREDICTIONS_NAME)
    np.testing.assert_array_equal(again.logits, result.judgement.predictions.logits)
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    held = [row for row in rows(folder / FOLDS_NAME) if int(row["held_out"])]
    assert sum(int(row["held_out"]) for row in held) == len(again)
    dropped = [int(row["dropped"]) for row in rows(folder / FOLDS_NAME)]
    assert sum(dropped) == sum(fold.fold.dropped for fold in result.folds) > 0


def test_a_finished_cross_validation_is_not_repeated(result, tiles, recipe, three):
    before = {path: path.stat().st_mtime_ns for path in result.folder.glob("fold-*/*")}
    steps, again = followed(cross_validate(tiles, result.folder, recipe, three))
    assert {step.stage for step in steps} == {FINISHED, "Computing intervals"}
    assert {path: path.stat().st_mtime_ns for path in result.folder.glob("fold-*/*")} == before
    np.testing.assert_array_equal(
        again.judgement.predictions.logits, result.judgement.predictions.logits
    )
    assert [fold.history for fold in again.folds] == [fold.history for fold in result.folds]


def test_closing_keeps_finished_folds_and_the_next_run_ends_alike(
    result, tiles, recipe, three, tmp_path, finish
):
    folder = tmp_path / "stopped"
    generator = cross_validate(tiles, folder, recipe, three)
    done = 0
    for step in generator:
        done += isinstance(step.changed, FoldResult)
        if done and isinstance(step.changed, EpochRecord):  # the first epoch of the second fold
            generator.close()
    assert (folder / "fold-1" / HELD_OUT_NAME).is_file()
    assert not (folder / "fold-2" / HELD_OUT_NAME).exists()
    kept = (folder / "fold-1" / "weights.safetensors").stat().st_mtime_ns
    resumed = finish(cross_validate(tiles, folder, recipe, three))
    assert (folder / "fold-1" / "weights.safetensors").stat().st_mtime_ns == kept
    assert [load_model(fold.folder)[0].sha256 for fold in resumed.folds] == [
        load_model(fold.folder)[0].sha256 for fold in result.folds
    ]
    np.testing.assert_array_equal(
        resumed.judgement.predictions.logits, result.judgement.predictions.logits
    )


def test_other_options_in_the_same_folder_are_refused(result, tiles, recipe, three, finish):
    other = type(recipe)(**{**recipe.as_dict(), "learning_rate": 0.02})
    table = (result.folder / FOLDS_NAME).read_bytes()
    with pytest.raises(TrainingError, match="other tiles or options"):
        finish(cross_validate(tiles, result.folder, other, FoldOptions(folds=2)))
    assert (result.folder / FOLDS_NAME).read_bytes() == table


def test_the_temperature_of_a_fold_is_fitted_on_tiles_apart_from_those_judged(
    tiles, recipe, three, tmp_path, finish
):
    nested = type(recipe)(**{**recipe.as_dict(), "validation": 0.3, "epochs": 2, "mpp": 0.5})
    result = finish(cross_validate(tiles, tmp_path / "nested", nested, three))
    for fold in result.folds:
        card, _ = load_model(fold.folder)
        data = card.training_data
        assert card.temperature == fold.temperature != 1.0
        assert sum(data.validation.values()) > 0
        used = sum(data.validation.values()) + sum(data.counts.values())
        assert used <= len(fold.fold.train)  # the inner cut drops neighbors, too
        held = read_predictions(fold.folder / HELD_OUT_NAME)
        own = result.judgement.predictions.subset(result.fold_of == fold.fold.number)
        np.testing.assert_allclose(own.logits, held.logits / card.temperature, rtol=1e-6)
    assert any("fitted inside each fold" in note for note in result.notes)


def test_without_an_inner_validation_the_last_epoch_is_kept_at_temperature_one(result):
    for fold in result.folds:
        card, _ = load_model(fold.folder)
        assert card.training_recipe["kept_epoch"] == 3
        assert fold.temperature == 1.0
        assert json.loads((fold.folder / "fold.json").read_text())["temperature"] == 1.0


def test_the_progress_counts_all_folds(course):
    steps = [step for step in course[0] if step.stage == ALL_FOLDS]
    done = [step.done for step in steps]
    assert done == sorted(done)
    assert {step.total for step in steps} == {steps[-1].done}


def test_a_fold_tells_when_it_is_done(course):
    found = [step for step in course[0] if isinstance(step.changed, FoldResult)]
    assert [step.changed.fold.number for step in found] == [1, 2, 3]
    assert [(step.stage, step.done, step.total) for step in found] == [
        (FINISHED, number, 3) for number in (1, 2, 3)
    ]


def test_the_test_split_is_not_touched_and_a_given_validation_split_is_divided_anew(
    tiles, tiny, tmp_path, finish
):
    data = tmp_path / "tiles"
    draw_all(data)
    split = {"alpha": "train", "beta": "validation", "gamma": "train", "muc": "train"}
    draw(data, "TUM", "delta", 4, 7, COLORS[6])
    with (data / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "class", "slide", "split"])
        for path in sorted(data.glob("*/*.png")):
            slide = path.stem.split("_x")[0]
            row = [path.relative_to(data).as_posix(), path.parent.name, slide]
            writer.writerow([*row, split.get(slide, "test")])
    short = tiny(epochs=1, validation=0.0)
    result = finish(cross_validate(data, tmp_path / "cv", short, FoldOptions(folds=3)))
    assert set(result.judgement.predictions.slides) == {"alpha", "beta", "gamma", "muc"}
    assert {slide for fold in result.folds for slide in fold.fold.slides} == set(split) - {"muc"}


def test_a_broken_tile_is_counted_where_it_is_held_out(tiles, tiny, three, tmp_path, finish):
    data = tmp_path / "tiles"
    draw_all(data)
    broken = data / "TUM" / "beta_x500_y0.png"
    broken.write_bytes(broken.read_bytes()[:60])
    result = finish(cross_validate(data, tmp_path / "cv", tiny(epochs=1, validation=0.0), three))
    notes = [note for note in result.notes if "beta_x500_y0.png" in note]
    assert len(notes) == 3  # once held out, twice left out of a training
    assert len(result.judgement.predictions) == 6 * 12 + 12 + 3 - 1


def test_slides_to_hold_back_are_not_taken(tiles, tiny, tmp_path, finish):
    with pytest.raises(TrainingError, match="--validation-slides"):
        finish(cross_validate(tiles, tmp_path, tiny(validation_slides="alpha")))


def test_strict_says_where_a_class_cannot_be_learned(tiles, tiny, tmp_path, finish):
    with pytest.raises(TrainingError, match="no tiles of MUC to learn from"):
        finish(cross_validate(tiles, tmp_path, tiny(), FoldOptions(strict=True)))
    assert not any(tmp_path.iterdir())
