import numpy as np
import pytest
from scipy.special import softmax

from napari_crlm_spa.core.classifier.metrics import cross_entropy, evaluate, fit_temperature

NAMES = ("a", "b", "c")


def logits_of(predicted):
    return np.eye(3, dtype=np.float32)[np.array(predicted)] * 5


def test_a_known_confusion_gives_known_figures():
    labels = np.array([0, 0, 0, 0, 1, 1])
    result = evaluate(labels, logits_of([0, 0, 0, 1, 1, 2]), list("xxxxyy"), NAMES)
    assert result.confusion.tolist() == [[3, 1, 0], [0, 1, 1], [0, 0, 0]]
    assert result.accuracy == pytest.approx(4 / 6)
    assert result.balanced_accuracy == pytest.approx((0.75 + 0.5) / 2)
    assert result.recall == {"a": 0.75, "b": 0.5, "c": None}
    figures = result.as_dict()
    assert figures["recall"] == {"a": 0.75, "b": 0.5}
    assert figures["by_slide"]["x"] == {"tiles": 4, "accuracy": 0.75}


def test_the_slides_sum_to_the_whole():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 50)
    slides = rng.choice(list("pqr"), 50).tolist()
    result = evaluate(labels, rng.normal(size=(50, 3)).astype(np.float32), slides, NAMES)
    assert (sum(result.by_slide.values()) == result.confusion).all()


def test_cross_entropy_is_the_mean_negative_log_probability():
    logits = np.array([[1.0, 2.0, 0.5], [0.0, 0.0, 3.0]], np.float32)
    expected = -np.log(softmax(logits, axis=1)[[0, 1], [1, 0]]).mean()
    assert cross_entropy(np.array([1, 0]), logits) == pytest.approx(expected)


def test_no_tiles_give_no_figures():
    empty = evaluate(np.array([], np.int64), np.empty((0, 3), np.float32), [], NAMES)
    assert empty.count == 0
    assert np.isnan([empty.accuracy, empty.balanced_accuracy, empty.cross_entropy]).all()


def test_the_temperature_of_overconfident_logits_is_found():
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(4000, 3)).astype(np.float32)
    labels = (softmax(logits, axis=1).cumsum(axis=1) < rng.random((4000, 1))).sum(axis=1)
    assert fit_temperature(labels, logits) == pytest.approx(1.0, abs=0.1)
    assert fit_temperature(labels, 3 * logits) == pytest.approx(3.0, abs=0.3)
