"""Figures by class and over all classes; scikit-learn is the referee."""

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    precision_recall_fscore_support,
    roc_auc_score,
)

from napari_crlm_spa._tests.core.classifier.made_predictions import called, drawn
from napari_crlm_spa.core.classifier.evaluation import EvaluationOptions, judge

QUICK = EvaluationOptions(bootstrap=200)


def test_the_figures_are_those_of_scikit_learn():
    predictions = drawn(seed=4)
    judgement = judge(predictions, 1.5, QUICK)
    y, said = predictions.labels, predictions.predicted
    shares = predictions.probabilities(1.5)
    precision, recall, f1, n = precision_recall_fscore_support(y, said, zero_division=np.nan)
    for i, each in enumerate(judgement.classes):
        assert each.tiles == n[i]
        assert each.precision.value == pytest.approx(precision[i])
        assert each.recall.value == pytest.approx(recall[i])
        assert each.f1.value == pytest.approx(f1[i])
        assert each.auc.value == pytest.approx(roc_auc_score(y == i, shares[:, i]))
    assert judgement.accuracy.value == pytest.approx(accuracy_score(y, said))
    assert judgement.balanced_accuracy.value == pytest.approx(balanced_accuracy_score(y, said))
    assert judgement.macro_f1.value == pytest.approx(f1_score(y, said, average="macro"))


def test_intervals_hold_the_figure_and_the_same_seed_gives_the_same():
    first, again = (judge(drawn(), 1.0, QUICK) for _ in range(2))
    other = judge(drawn(), 1.0, EvaluationOptions(bootstrap=200, seed=1))
    for judgement in (first, other):
        for each in judgement.classes:
            for estimate in (each.recall, each.precision, each.f1, each.auc):
                assert estimate.low <= estimate.value <= estimate.high
        for estimate in (judgement.accuracy, judgement.balanced_accuracy, judgement.macro_f1):
            assert estimate.low < estimate.value < estimate.high
    assert first.classes == again.classes
    assert first.balanced_accuracy == again.balanced_accuracy
    assert first.classes != other.classes


def test_a_class_on_one_slide_has_figures_but_no_interval():
    judgement = judge(
        called([("s", "a", "a", 3), ("s", "b", "b", 5), ("s", "b", "a", 5), ("t", "a", "a", 4),
                ("u", "a", "a", 4)]),
        1.0, QUICK,
    )  # fmt: skip
    b = judgement.classes[1]
    assert b.recall.value == 0.5
    assert not b.recall.has_interval
    assert not b.auc.has_interval
    assert b.recall.reason == "all its tiles are of one slide"
    assert judgement.classes[0].recall.has_interval
    assert not judgement.classes[0].auc.has_interval, "all other tiles are of one slide"
    assert judgement.balanced_accuracy.reason == "a class is on one slide only"
    assert any(note.startswith("b: all tiles are of one slide") for note in judgement.notes)


def test_a_class_without_tiles_has_no_figures_and_does_not_count():
    judgement = judge(called([("s", "a", "a", 3), ("t", "a", "b", 1), ("t", "b", "b", 4)]))
    c = judgement.classes[2]
    assert (c.tiles, c.slides) == (0, 0)
    assert np.isnan([c.recall.value, c.precision.value, c.f1.value, c.auc.value]).all()
    assert judgement.curves[2] is None
    assert judgement.balanced_accuracy.value == pytest.approx((3 / 4 + 1) / 2)
    assert "There are no tiles of c: nothing is said of them." in judgement.notes


def test_a_class_that_is_never_predicted_has_no_precision():
    judgement = judge(called([("s", "a", "b", 3), ("t", "a", "b", 3), ("t", "b", "b", 3),
                              ("s", "b", "b", 1)]), 1.0, QUICK)  # fmt: skip
    a = judgement.classes[0]
    assert np.isnan(a.precision.value)
    assert a.precision.reason == "no tile was given it"
    assert a.f1.value == 0


def test_a_single_class_has_a_recall_but_no_area():
    judgement = judge(called([("s", "a", "a", 3), ("t", "a", "b", 3)]), 1.0, QUICK)
    assert judgement.classes[0].recall.has_interval
    assert judgement.classes[0].auc.reason == "all tiles are of this class"


def test_no_draws_give_no_intervals():
    judgement = judge(drawn(), 1.0, EvaluationOptions(bootstrap=0))
    assert {each.auc.reason for each in judgement.classes} == {"no draws were asked for"}
    assert judgement.accuracy.reason == "no draws were asked for"


def test_slides_that_differ_widen_the_interval():
    even = [(s, "a", said, 5) for s in "pqrstu" for said in ("a", "b")]
    uneven = [(s, "a", "a" if s in "pqr" else "b", 10) for s in "pqrstu"]
    others = [(s, "b", "b", 5) for s in "vw"]
    widths = []
    for rows in (even, uneven):
        recall = judge(called(rows + others), 1.0, QUICK).classes[0].recall
        assert recall.value == 0.5
        widths.append(recall.high - recall.low)
    assert widths[0] == 0
    assert widths[1] > 0.5
