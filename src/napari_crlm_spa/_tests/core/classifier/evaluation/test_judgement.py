import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_crlm_spa._tests.core.classifier.made_predictions import called, drawn
from napari_crlm_spa.core.classifier.evaluation import EvaluationOptions, judge, judging
from napari_crlm_spa.core.classifier.evaluation.coverage import coverage_curve
from napari_crlm_spa.core.classifier.evaluation.judgement import worst_tiles
from napari_crlm_spa.errors import EvaluationError

QUICK = EvaluationOptions(bootstrap=50)


@given(st.lists(st.tuples(st.sampled_from([0.2, 0.5, 0.7, 0.9]), st.booleans()), min_size=1))
def test_coverage_is_the_accuracy_of_the_tiles_that_are_sure_enough(tiles):
    confidence, right = (np.array(column) for column in zip(*tiles, strict=True))
    points = coverage_curve(confidence, right)
    assert points[-1].tiles == len(tiles)
    for point in points:
        kept = confidence >= point.confidence
        assert point.tiles == kept.sum()
        assert point.share == kept.mean()
        assert point.accuracy == pytest.approx(right[kept].mean())


def test_sure_tiles_that_are_right_leave_the_errors_behind():
    confidence = np.r_[np.full(50, 0.9), np.full(50, 0.5)]
    points = coverage_curve(confidence, np.arange(100) < 50)
    assert [(point.share, point.accuracy) for point in points] == [(0.5, 1.0), (1.0, 0.5)]


def test_the_worst_tiles_come_first_and_one_confusion_does_not_hide_the_others():
    predictions = drawn(tiles=100)
    losses = predictions.losses()
    everything = worst_tiles(predictions, 1.0, len(predictions), len(predictions))
    assert (np.diff(losses[everything]) <= 0).all()
    assert len(set(everything)) == len(predictions)
    alike = called([("s", "a", "b", 50), ("s", "b", "c", 1), ("t", "a", "b", 50)])
    chosen = worst_tiles(alike, 1.0, 10, 3)
    kinds = [(alike.slides[i], alike.labels[i]) for i in chosen]
    assert kinds.count(("s", 0)) == 3
    assert kinds.count(("t", 0)) == 3
    assert kinds.count(("s", 1)) == 1


def test_nothing_cannot_be_judged():
    with pytest.raises(EvaluationError, match="no tiles to judge"):
        judge(drawn(tiles=0))


def test_few_slides_and_one_slide_are_said():
    assert any("6 slides only" in note for note in judge(drawn(), 1.0, QUICK).notes)
    many = judge(drawn(slides=12, tiles=60), 1.0, QUICK)
    assert not any("slides only" in note for note in many.notes)
    one = judge(drawn(slides=1), 1.0, QUICK)
    assert one.accuracy.reason == "all tiles are of one slide"
    assert one.calibrations[-1].title == "Fitted on these very tiles (flatters)"


def test_the_calibrations_are_before_at_and_after():
    titles = [each.title for each in judge(drawn(), 1.3, QUICK).calibrations]
    assert titles == [
        "As the network says", "At the model's temperature",
        "Fitted on the other slides of these tiles",
    ]  # fmt: skip
    assert len(judge(drawn(), 1.0, QUICK).calibrations) == 2


def test_progress_reaches_its_end_and_closing_cancels():
    steps = list(judging(drawn(), 1.0, QUICK))
    assert [step.done for step in steps] == list(range(9))
    assert {step.total for step in steps} == {8}
    work = judging(drawn(), 1.0, QUICK)
    next(work)
    work.close()
    with pytest.raises(StopIteration):
        next(work)
