from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import log_loss

from napari_crlm_spa._tests.core.classifier.made_predictions import called, drawn
from napari_crlm_spa.core.classifier.evaluation.calibration import (
    best_temperature,
    calibration_at,
    cross_fitted,
)
from napari_crlm_spa.core.classifier.metrics import fit_temperature
from napari_crlm_spa.core.classifier.predictions import Predictions


def two_classes(confidences, right):
    """Binary predictions of a given confidence."""
    p = np.array(confidences)
    logits = np.log(np.column_stack([p, 1 - p])).astype(np.float32)
    n = len(p)
    labels = np.where(right, 0, 1)
    return Predictions(("x", "y"), ("p",) * n, ("s",) * n, labels, logits)


def test_the_calibration_error_is_the_mean_gap_by_bin():
    predictions = two_classes([0.9] * 10 + [0.6] * 10, [True] * 7 + [False] * 3 + [True] * 10)
    found = calibration_at(predictions, 1.0, 10, "")
    assert found.ece == pytest.approx(0.5 * abs(0.7 - 0.9) + 0.5 * abs(1.0 - 0.6), abs=1e-6)
    filled = [each for each in found.bins if each.tiles]
    assert [each.tiles for each in filled] == [10, 10]
    assert [each.accuracy for each in filled] == [1.0, 0.7]


def test_opposite_gaps_in_a_bin_cancel_and_in_two_bins_do_not():
    predictions = two_classes([0.61] * 10 + [0.89] * 10, [True] * 10 + [False] * 5 + [True] * 5)
    coarse, fine = (calibration_at(predictions, 1.0, bins, "").ece for bins in (2, 10))
    assert coarse == pytest.approx(0.0, abs=1e-6)
    assert fine == pytest.approx(0.39, abs=1e-6)


def test_brier_and_cross_entropy_have_their_closed_forms():
    predictions = drawn()
    shares, y = predictions.probabilities(2.0), predictions.labels
    found = calibration_at(predictions, 2.0, 15, "")
    others = [((shares[i] ** 2).sum() - 2 * shares[i, y[i]] + 1) for i in range(len(y))]
    assert found.brier == pytest.approx(np.mean(others))
    assert found.cross_entropy == pytest.approx(log_loss(y, shares, labels=range(7)))


def test_every_tile_is_in_one_bin_also_at_the_edges():
    found = calibration_at(two_classes([0.5, 1 - 1e-12, 0.6, 0.8], [True] * 4), 1.0, 5, "")
    assert sum(each.tiles for each in found.bins) == 4


def test_labels_drawn_from_the_probabilities_are_calibrated():
    overconfident = drawn(slides=10, tiles=400, scale=3.0)
    raw = calibration_at(overconfident, 1.0, 15, "")
    right = calibration_at(overconfident, 3.0, 15, "")
    fitted = cross_fitted(overconfident, 15, "")
    assert raw.ece > 0.1
    assert right.ece < 0.03
    assert fitted.temperature == pytest.approx(3.0, rel=0.1)
    assert fitted.ece < 0.03


def test_a_slide_is_judged_at_the_temperature_of_the_others():
    calm, wild = drawn(seed=1, slides=1, tiles=300), drawn(seed=2, slides=1, tiles=300, scale=4.0)
    both = Predictions(
        calm.class_names, calm.paths + wild.paths, ("calm",) * 300 + ("wild",) * 300,
        np.r_[calm.labels, wild.labels], np.r_[calm.logits, wild.logits],
    )  # fmt: skip
    found = cross_fitted(both, 15, "")
    of_others = [fit_temperature(part.labels, part.logits) for part in (wild, calm)]
    expected = np.mean(
        [part.losses(t).mean() for part, t in zip((calm, wild), of_others, strict=True)]
    )
    assert found.cross_entropy == pytest.approx(expected, rel=1e-4)


def test_one_slide_cannot_be_judged_by_others():
    assert cross_fitted(drawn(slides=1), 15, "") is None


def test_tiles_that_are_all_right_have_no_best_temperature():
    perfect = called([("s", "a", "a", 5), ("s", "b", "b", 5)])
    assert best_temperature(perfect) is None
    assert fit_temperature(perfect.labels, perfect.logits) == 1.0


def test_answers_without_sense_have_no_best_temperature():
    rng = np.random.default_rng(0)
    noise = replace(drawn(tiles=100, scale=5.0), labels=rng.integers(0, 7, 600))
    assert best_temperature(noise) is None
    assert best_temperature(drawn(tiles=100, scale=2.0)) == pytest.approx(2.0, rel=0.2)
