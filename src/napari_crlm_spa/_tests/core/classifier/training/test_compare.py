import numpy as np
import pytest

from napari_crlm_spa.core.classifier.training.compare import (
    ClassChange,
    Comparison,
    Judged,
    balanced_loss,
    compare,
)


def logits(*classes):
    return np.eye(3, dtype=np.float32)[list(classes)] * 5


def test_recalls_before_and_after_by_hand():
    new = Judged(np.array([0, 0, 1, 1]), logits(0, 1, 1, 1), logits(0, 0, 1, 2))
    changes = compare(new, None, ("A", "B", "C"), 0.02).changes
    assert changes == (
        ClassChange("A", "new", 2, 0.5, 1.0),
        ClassChange("B", "new", 2, 1.0, 0.5),
    )


@pytest.mark.parametrize(
    ("tiles", "before", "after", "warns"),
    [
        (100, 0.90, 0.87, True),
        (100, 0.90, 0.88, False),  # the margin itself is allowed
        (10, 1.0, 0.9, False),  # a single tile
        (10, 1.0, 0.8, True),
        (10, 0.8, 1.0, False),
    ],
)
def test_a_loss_beyond_the_margin_and_a_single_tile_warns(tiles, before, after, warns):
    comparison = Comparison((ClassChange("A", "old", tiles, before, after),), margin=0.02)
    assert bool(comparison.worse) == warns
    assert len(comparison.warnings()) == warns


def test_a_warning_names_class_tiles_and_figures():
    comparison = Comparison((ClassChange("MUC", "old", 50, 0.96, 0.5),), margin=0.02)
    assert comparison.warnings() == [
        "MUC got worse: of 50 tiles of the old slides 96.0% were found before, 50.0% now."
    ]


def test_the_balanced_loss_counts_classes_not_tiles():
    labels = np.array([0] * 9 + [1])
    sure = np.array([[0.0, -50.0]] * 10, np.float32)
    assert balanced_loss(labels, sure) == pytest.approx(25.0)
