import csv

import pytest

from napari_crlm_spa._tests.core.classifier.training.test_curves import COURSE
from napari_crlm_spa.core.classifier.training import recorder as recorder_module
from napari_crlm_spa.core.classifier.training import train_classifier
from napari_crlm_spa.core.classifier.training.recorder import TENSORBOARD_NAME, Recorder
from napari_crlm_spa.errors import FolderNotWritable, TrainingError


def logged(folder):
    """Figures by name and epoch, read with TensorBoard's own reader."""
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator",
        reason="TensorBoard is an optional extra",
    )
    events = accumulator.EventAccumulator(str(folder))
    events.Reload()
    return {
        name: {event.step: event.value for event in events.Scalars(name)}
        for name in events.Tags()["scalars"]
    }


def test_the_table_holds_every_epoch_as_soon_as_it_is_over(tmp_path):
    with Recorder(tmp_path) as recorder:
        for count in (1, 2, 3):
            recorder.record(COURSE[:count])
            with (tmp_path / "history.csv").open() as file:
                assert len(list(csv.DictReader(file))) == count


def test_the_picture_is_drawn_of_the_last_epoch_when_the_training_is_stopped(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        recorder_module, "draw_history", lambda _, history: drawn.append(len(history))
    )
    with pytest.raises(KeyboardInterrupt), Recorder(tmp_path) as recorder:
        for count in (1, 2, 3):
            recorder.record(COURSE[:count])
        raise KeyboardInterrupt
    assert drawn == [3]


def test_the_picture_of_a_long_training_is_drawn_on_the_way(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(recorder_module, "_DRAW_EVERY", 0.0)
    monkeypatch.setattr(
        recorder_module, "draw_history", lambda _, history: drawn.append(len(history))
    )
    with Recorder(tmp_path) as recorder:
        for count in (1, 2, 3):
            recorder.record(COURSE[:count])
    assert drawn == [1, 2, 3]


def test_a_table_that_a_program_has_open_is_written_later_and_at_the_end_insisted_on(
    tmp_path, monkeypatch
):
    written = recorder_module.write_table

    def locked(*_):
        raise FolderNotWritable("history.csv may not be written.")

    with Recorder(tmp_path) as recorder:
        monkeypatch.setattr(recorder_module, "write_table", locked)
        recorder.record(COURSE[:1])
        assert not (tmp_path / "history.csv").exists()
        monkeypatch.setattr(recorder_module, "write_table", written)
    assert "0.9" in (tmp_path / "history.csv").read_text()
    monkeypatch.setattr(recorder_module, "write_table", locked)
    with pytest.raises(FolderNotWritable), Recorder(tmp_path) as recorder:
        recorder.record(COURSE[:2])


def test_a_training_can_be_watched_with_tensorboard(colored_tiles, tiny, tmp_path, finish):
    result = finish(train_classifier(colored_tiles, tmp_path, tiny(tensorboard=True)))
    figures = logged(tmp_path / TENSORBOARD_NAME)
    for name, values in (
        ("loss/validation", [record.validation_loss for record in result.history]),
        ("learning rate", [record.learning_rate for record in result.history]),
        ("accuracy/training", [record.train_accuracy for record in result.history]),
    ):
        assert figures[name] == pytest.approx(dict(enumerate(values, 1)), rel=1e-5)


def test_a_training_that_goes_on_replaces_what_was_logged_of_its_epochs(tmp_path):
    for first in (1, 2):
        with Recorder(tmp_path, tensorboard=True) as recorder:
            for count in range(first, 4):
                recorder.record(COURSE[:count])
    assert logged(tmp_path / TENSORBOARD_NAME)["loss/validation"] == pytest.approx(
        {1: 0.9, 2: 0.4, 3: 0.6}
    )


def test_watching_changes_neither_weights_nor_card(colored_tiles, tiny, tmp_path, finish):
    pytest.importorskip("tensorboard", reason="TensorBoard is an optional extra")
    with_, without = (
        finish(train_classifier(colored_tiles, tmp_path / str(on), tiny(epochs=1, tensorboard=on)))
        for on in (True, False)
    )
    assert with_.card == without.card


def test_without_tensorboard_the_training_says_how_to_get_it(
    colored_tiles, tiny, tmp_path, finish, monkeypatch
):
    monkeypatch.setattr(recorder_module, "find_spec", lambda name: None)
    with pytest.raises(TrainingError, match=r"pip install .*\[tensorboard\]"):
        finish(train_classifier(colored_tiles, tmp_path, tiny(tensorboard=True)))
    assert not any(tmp_path.iterdir())
