"""Retraining from the panel: a tiny network learns drawn tiles, for real."""

import csv
import dataclasses

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from napari_crlm_spa._tests.core.classifier.training.conftest import (
    draw,
    model_to_retrain,
)
from napari_crlm_spa._tests.plugin.correcting import click
from napari_crlm_spa.core.classifier.card import load_card
from napari_crlm_spa.core.classifier.training import history
from napari_crlm_spa.errors import TrainingError
from napari_crlm_spa.plugin import retrain
from napari_crlm_spa.plugin.retrain import HEAD, Job
from napari_crlm_spa.plugin.widgets.annotate.retrain_box import RetrainBox
from napari_crlm_spa.plugin.widgets.panel import AnalysisPanel

NEW_COLORS = {"TUM": (60, 130, 60), "STR": (230, 210, 80)}
QUICK = {"learning_rate": 0.01, "views": 2, "epochs": 12, "batch_size": 8, "device": "cpu"}


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A tiny model that tells the colored classes apart."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "plot_history", lambda *_: None)
        return model_to_retrain(
            tmp_path_factory, epochs=30, batch_size=12, label_smoothing=0.0
        ).folder


@pytest.fixture(autouse=True)
def _no_pictures(monkeypatch):
    monkeypatch.setattr(history, "plot_history", lambda *_: None)


def tiles_of(folder, slides=("delta", "epsilon"), splits=None, patients=None):
    """Draw tumor and stroma in colors that the model takes for something else, 8 on each slide.

    A manifest is written if splits or patients are given.
    """
    rows = []
    for number, slide in enumerate(slides):
        for seed, (name, color) in enumerate(NEW_COLORS.items()):
            draw(folder, name, slide, 8, 10 * number + seed, color)
            rows += [(f"{name}/{slide}_x{n * 500}_y0.png", name, slide) for n in range(8)]
    if splits or patients:
        with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("path", "class", "slide", "split", "patient"))
            for path, name, slide in rows:
                split = (splits or {}).get(slide, "train")
                writer.writerow((path, name, slide, split, (patients or {}).get(slide, "")))
    return folder


def quick(job):
    """Retrain with options that suit so few tiles."""
    options = {**QUICK, **(job.options or {})}
    return (yield from retrain.retrain(dataclasses.replace(job, options=options)))


@pytest.fixture(name="box")
def box_fixture(qtbot, start):
    """The box, set to start from the tiny model."""
    box = RetrainBox()
    box.work = quick
    qtbot.addWidget(box)
    box.show()
    box.start.addItem("tiny", str(start))
    box.start.setCurrentIndex(box.start.count() - 1)
    yield box
    box.let_go()


def train(box, folder, qtbot):
    box.use_folder(folder)
    click(qtbot, box.train_button)
    qtbot.waitUntil(lambda: not box.job.busy, timeout=120_000)


def job_of(start, folder, **changes):
    return Job(tiles=folder, start=str(start), recipe=HEAD, name="mine-v1", device="cpu", **changes)


def run(job):
    work = quick(job)
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


# -- the course ---------------------------------------------------------------------------


def test_a_retraining_shows_its_loss_and_both_recalls_on_the_held_back_slide(
    box, tmp_path, qtbot, start
):
    splits = {"epsilon": "validation"}
    folder = tiles_of(tmp_path / "tiles", splits=splits)
    train(box, folder, qtbot)
    outcome = box.outcome
    assert outcome is not None, box.message.text
    assert len(box.curve.epochs) == len(outcome.result.history) == 12
    # 8 tiles of either class lie on the held-back slide, and both models were asked.
    for judged, right in ((outcome.before, 0.0), (outcome.after, 1.0)):
        assert judged.count == 16
        assert {k: v for k, v in judged.recall.items() if v is not None} == {
            "STR": right,
            "TUM": right,
        }
    # What the training itself found on the same tiles.
    assert np.array_equal(outcome.after.confusion, outcome.result.validation.confusion)
    changes = {change.name: change for change in outcome.result.comparison.of("new")}
    shown = {box.recalls.text(row, 0): row for row in range(box.recalls.rowCount())}
    for name, change in changes.items():
        assert box.recalls.text(shown[name], 1) == str(change.tiles)
        assert box.recalls.text(shown[name], 2) == f"{change.before:.3f}"
        assert box.recalls.text(shown[name], 3).endswith(f"{change.after:.3f}")
    assert box.recalls.text(shown["TUM"], 2) == "0.000"
    assert box.recalls.text(shown["TUM"], 3) == "▲ 1.000"
    assert box.old_recalls.rowCount() == 7
    assert [title for title, _ in box.confusions.tables] == ["before", "after"]
    assert "Judged on 16 held-back tiles of 1 slide" in box.judged_on.text()
    assert "chose the epoch" in box.judged_on.text()
    for widget in (box.keep_button, box.discard_button, box.research, box.confusions):
        assert widget.isVisible()
    assert "Research use only" in box.research.text()
    assert not box.grab().isNull()


def test_keeping_makes_a_model_of_the_next_version(box, tmp_path, qtbot):
    folder = tiles_of(tmp_path / "tiles")
    box.name.setText("liver model")
    kept = []
    box.model_kept.connect(kept.append)
    assert box.version.text() == "will be liver-model-v1"
    train(box, folder, qtbot)
    click(qtbot, box.keep_button)
    target = retrain.models_folder() / "liver-model-v1"
    assert kept == [str(target)]
    assert retrain.kept_models() == [target]
    assert load_card(target).name == "liver-model-v1"
    assert list(retrain.drafts_folder().iterdir()) == []
    assert box.start.findData(str(target)) >= 0
    assert box.version.text() == "will be liver-model-v2"
    assert not box.keep_button.isVisible()


def test_discarding_leaves_nothing_behind(box, tmp_path, qtbot, start):
    before = sorted(path.name for path in start.iterdir())
    train(box, tiles_of(tmp_path / "tiles"), qtbot)
    draft = box.outcome.folder
    assert draft.is_dir()
    click(qtbot, box.discard_button)
    assert not draft.exists()
    assert retrain.kept_models() == []
    assert box.outcome is None
    assert sorted(path.name for path in start.iterdir()) == before


def test_cancelling_keeps_what_was_reached_and_the_same_job_goes_on(box, tmp_path, qtbot):
    folder = tiles_of(tmp_path / "tiles")
    box.use_folder(folder)
    click(qtbot, box.train_button)
    qtbot.waitUntil(lambda: len(box.curve.epochs) >= 1 or not box.job.busy, timeout=120_000)
    if box.job.busy:
        box.job.cancel()
        qtbot.waitUntil(lambda: not box.job.busy, timeout=60_000)
        assert "goes on from there" in box.message.text
        assert box.outcome is None
    train(box, folder, qtbot)
    assert box.outcome is not None
    assert len(box.outcome.result.history) == 12


def test_what_a_user_can_mend_is_a_sentence(box, tmp_path, qtbot):
    click(qtbot, box.train_button)
    assert "Export labeled tiles first" in box.message.text
    train(box, tmp_path / "absent", qtbot)
    assert "absent is no folder" in box.message.text
    assert box.outcome is None
    box.name.setText("///")
    click(qtbot, box.train_button)
    assert "letters and digits" in box.message.text


# -- what the numbers are worth -----------------------------------------------------------


def test_without_held_back_tiles_the_tab_says_that_nothing_is_known(start, tmp_path):
    folder = tiles_of(tmp_path / "tiles", slides=("delta",))
    outcome = run(job_of(start, folder, options={"validation": 0.0}))
    assert (outcome.before, outcome.after) == (None, None)
    assert "No tiles were held back" in outcome.judged_on


def test_tiles_of_a_slide_that_was_trained_on_are_said_to_flatter(start, tmp_path):
    folder = tiles_of(tmp_path / "tiles", slides=("delta",), patients={"delta": "P1"})
    outcome = run(job_of(start, folder))
    assert outcome.after.count > 0
    assert "the numbers flatter. Add slides of more patients" in outcome.judged_on


def test_a_test_split_judges_instead_of_the_tiles_that_chose_the_epoch(start, tmp_path):
    splits = {"epsilon": "validation", "zeta": "test"}
    patients = {"delta": "P1", "epsilon": "P2", "zeta": "P3"}
    slides = ("delta", "epsilon", "zeta")
    folder = tiles_of(tmp_path / "tiles", slides=slides, splits=splits, patients=patients)
    outcome = run(job_of(start, folder))
    assert set(outcome.after.by_slide) == {"zeta"}
    assert "16 held-back tiles of 1 patient, which the training has not seen" in outcome.judged_on


# -- names and folders --------------------------------------------------------------------


def test_versions_count_up_from_the_highest():
    for name in ("a-v1", "a-v3", "b-v7", "a-v2x"):
        (retrain.models_folder() / name).mkdir(parents=True)
    assert retrain.versioned_name("a") == "a-v4"
    assert retrain.versioned_name("a-v1") == "a-v4"
    assert retrain.versioned_name("c d/e") == "c-d-e-v1"
    with pytest.raises(TrainingError):
        retrain.versioned_name(" ./ ")


def test_a_kept_model_is_never_replaced():
    draft = retrain.drafts_folder() / "a-v1"
    for folder in (draft, retrain.models_folder() / "a-v1"):
        folder.mkdir(parents=True)
    with pytest.raises(TrainingError, match="already"):
        retrain.keep(draft)
    assert draft.is_dir()


def test_only_drafts_are_thrown_away(tmp_path):
    (tmp_path / "precious").mkdir()
    retrain.discard(tmp_path / "precious")
    assert (tmp_path / "precious").is_dir()


def test_a_kept_model_is_among_the_models_of_the_panel_now_and_next_time(
    make_napari_viewer_proxy, start, qtbot
):
    panel = AnalysisPanel(make_napari_viewer_proxy())
    draft = retrain.drafts_folder() / "mine-v1"
    draft.mkdir(parents=True)
    for path in start.iterdir():
        (draft / path.name).write_bytes(path.read_bytes())
    folder = retrain.keep(draft)
    chosen = panel.settings.model.currentData()
    panel.annotate.model_kept.emit(str(folder))
    assert panel.settings.model.findData(str(folder)) >= 0
    # A model is never taken into use by itself.
    assert panel.settings.model.currentData() == chosen
    panel.let_go()
    again = AnalysisPanel(make_napari_viewer_proxy())
    assert again.settings.model.findData(str(folder)) >= 0
    assert again.annotate.retrain_box.start.findData(str(folder)) >= 0
    again.let_go()
    QApplication.processEvents()
