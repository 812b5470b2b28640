from math import nan

from PIL import Image

from napari_crlm_spa.core.classifier.training.curves import (
    folds_figure,
    history_figure,
    plot_folds,
    plot_history,
)
from napari_crlm_spa.core.classifier.training.history import EpochRecord


def record(epoch, loss, *, best, seconds=30.0):
    return EpochRecord(epoch, 1e-3 / epoch, 1.0 / epoch, 0.8, loss, 0.7, 0.75, seconds, best)


COURSE = [record(1, 0.9, best=True), record(2, 0.4, best=True), record(3, 0.6, best=False)]
UNJUDGED = [record(1, nan, best=True), record(2, nan, best=True)]


def words(figure):
    texts = [axes.get_title(loc="left") for axes in figure.axes]
    texts += [text.get_text() for axes in figure.axes for text in axes.texts]
    return " | ".join(texts)


def test_the_epoch_of_the_lowest_validation_loss_is_marked():
    figure = history_figure(COURSE)
    assert "best: 0.4 in epoch 2" in words(figure)
    assert "75.0 % in epoch 2" in words(figure)
    loss = figure.axes[0]
    dots = [line for line in loss.lines if line.get_marker() == "o"]
    assert [(list(dot.get_xdata()), list(dot.get_ydata())) for dot in dots] == [([2], [0.4])]


def test_units_and_the_whole_time_are_written():
    text = words(history_figure(COURSE))
    assert "nats per tile" in text
    assert "(%)" in text
    assert "90 s" not in text and "2 min in all" in text
    assert "Learning rate" in text


def test_nothing_is_marked_where_nothing_was_held_back():
    figure = history_figure(UNJUDGED)
    assert "best" not in words(figure)
    assert len(figure.axes[0].lines) == 1


def test_every_fold_has_its_line_and_the_dot_of_its_best_epoch():
    figure = folds_figure({"fold 1": COURSE, "fold 2": COURSE[:1]})
    names = [line.get_label() for line in figure.axes[1].lines]
    assert [name for name in names if name.startswith("fold")] == ["fold 1", "fold 2"]
    dots = [line for line in figure.axes[1].lines if line.get_marker() == "o"]
    assert [list(dot.get_xdata()) for dot in dots] == [[2], [1]]


def test_folds_without_validation_show_the_training_and_say_so():
    figure = folds_figure({"fold 1": UNJUDGED})
    assert "nothing was held back" in figure.get_suptitle()
    assert list(figure.axes[0].lines[0].get_ydata()) == [1.0, 0.5]


def test_the_pictures_are_written(tmp_path):
    plot_history(tmp_path / "one.png", COURSE[:1])
    plot_folds(tmp_path / "folds.png", {"fold 1": COURSE})
    for name in ("one.png", "folds.png"):
        with Image.open(tmp_path / name) as picture:
            assert min(picture.size) > 400
