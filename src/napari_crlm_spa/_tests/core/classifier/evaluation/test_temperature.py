import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_crlm_spa._tests.core.classifier.made_predictions import called, drawn
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.card import load_card, model_folder
from napari_crlm_spa.core.classifier.evaluation import (
    EvaluationOptions,
    ModelEvaluation,
    judge,
    recalibrate,
    refuse_calibration,
)
from napari_crlm_spa.core.classifier.runtime import load_classifier
from napari_crlm_spa.errors import EvaluationError, FolderNotWritable


@pytest.fixture
def model(color_model, tmp_path):
    return shutil.copytree(color_model, tmp_path / "model")


def evaluation(model, predictions=None, **changes):
    """What evaluate_model would have found, of predictions that are three times too sure."""
    predictions = predictions or drawn(slides=8, tiles=150, scale=3.0)
    values = {
        "card": load_card(model_folder(model)),
        "judgement": judge(predictions, 1.0, EvaluationOptions(bootstrap=0)),
        "split": "unseen",
        "folders": (Path("somewhere") / "tiles",),
        "stain": "none",
        "fair": np.ones(len(predictions), bool),
        "notes": (),
    }
    return ModelEvaluation(**{**values, **changes})


def test_the_temperature_and_its_tiles_are_stored_and_the_weights_stay(model):
    weights = (model / "weights.safetensors").read_bytes()
    found = evaluation(model)
    written = recalibrate(model, found)
    assert load_card(model) == written
    assert written.temperature == pytest.approx(3.0, rel=0.1)
    record = written.calibration
    assert (record.data, record.split, record.tiles) == ("tiles", "unseen", 1200)
    assert record.slides == {f"s{i}": 150 for i in range(8)}
    assert sum(record.counts.values()) == 1200
    assert record.temperature_before == 1.0
    assert record.cross_entropy_after < record.cross_entropy_before
    assert (model / "weights.safetensors").read_bytes() == weights
    assert load_classifier(model).card.temperature == written.temperature


def test_a_temperature_of_another_origin_makes_the_record_void(model):
    written = recalibrate(model, evaluation(model))
    assert written.calibrated_on == written.calibration
    trained_again = written.model_copy(update={"temperature": 1.5})
    assert trained_again.calibrated_on is None


def test_calibrating_twice_changes_nothing_more(model):
    found = evaluation(model)
    first = recalibrate(model, found)
    second = recalibrate(model, found)
    assert second.temperature == first.temperature
    assert second.calibration.tiles_sha256 == first.calibration.tiles_sha256
    assert second.calibration.temperature_before == first.temperature


def test_tiles_that_the_model_knows_have_no_say(model):
    calm, wild = drawn(seed=1, slides=4, tiles=150), drawn(seed=2, slides=4, tiles=150, scale=4.0)
    both = replace(
        calm,
        paths=calm.paths + wild.paths,
        slides=calm.slides + tuple(f"known-{slide}" for slide in wild.slides),
        labels=np.r_[calm.labels, wild.labels],
        logits=np.r_[calm.logits, wild.logits],
    )
    written = recalibrate(model, evaluation(model, both, fair=np.arange(1200) < 600))
    assert written.temperature == pytest.approx(1.0, rel=0.15)
    assert written.calibration.tiles == 600


def test_known_tiles_alone_are_refused(model):
    before = load_card(model)
    found = evaluation(model, fair=np.zeros(1200, bool))
    with pytest.raises(EvaluationError, match="slides that it was trained on"):
        recalibrate(model, found)
    assert load_card(model) == before


def test_the_test_split_is_refused(model):
    with pytest.raises(EvaluationError, match="not calibrated on the test split"):
        refuse_calibration(model, "test")
    with pytest.raises(EvaluationError, match="not calibrated on the test split"):
        recalibrate(model, evaluation(model, split="test"))


def test_a_model_of_the_package_is_not_changed_but_can_be_copied(tmp_path):
    card = load_card(model_folder("default"))
    with pytest.raises(EvaluationError, match=r"belongs to the package.*--calibrate-to"):
        refuse_calibration("default", "unseen")
    with pytest.raises(EvaluationError, match="belongs to the package"):
        refuse_calibration(model_folder("default") / "card.json", "unseen")
    copy = tmp_path / "mine"
    written = recalibrate("default", evaluation("default"), copy)
    assert load_card(model_folder("default")) == card
    assert load_card(copy) == written
    assert load_classifier(copy).card.temperature == written.temperature
    assert (copy / "reference.safetensors").exists() == bool(card.reference_sha256)


def test_a_copy_may_not_bury_another_model(model, color_model, tmp_path):
    other = shutil.copytree(color_model, tmp_path / "other")
    text = (other / "card.json").read_text()
    (other / "card.json").write_text(text.replace(load_card(other).sha256, "0" * 64))
    with pytest.raises(EvaluationError, match="holds another model, colors"):
        refuse_calibration(model, "unseen", other)
    refuse_calibration(model, "unseen", tmp_path / "new")


def test_tiles_that_are_all_right_give_no_temperature(model):
    before = (model / "card.json").read_bytes()
    rows = [(slide, name, name, 3) for slide in "st" for name in CRLM7.names]
    perfect = called(rows, CRLM7.names)
    with pytest.raises(EvaluationError, match="all are told right"):
        recalibrate(model, evaluation(model, perfect))
    assert (model / "card.json").read_bytes() == before


def test_a_folder_that_may_not_be_written_is_a_sentence_and_leaves_the_card(model, monkeypatch):
    before = (model / "card.json").read_bytes()

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("napari_crlm_spa.core.files.tempfile.mkstemp", refuse)
    with pytest.raises(FolderNotWritable, match=r"card\.json"):
        recalibrate(model, evaluation(model))
    assert (model / "card.json").read_bytes() == before
