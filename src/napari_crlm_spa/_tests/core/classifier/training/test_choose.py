import copy

import numpy as np
import pytest
import torch
from torch import nn

from napari_crlm_spa.core.classifier.training.choose import Choice, Jury, between


def head(*rows):
    """A head without bias: the rows are its weights."""
    layer = nn.Linear(2, 2, bias=False)
    layer.load_state_dict({"weight": torch.tensor(rows)})
    return layer


def jury(new, new_labels, old, old_labels):
    return Jury(
        np.array(new, np.float16).reshape(-1, 2), np.array(new_labels, np.int64),
        np.array(old, np.float16).reshape(-1, 2), np.array(old_labels, np.int64),
    )  # fmt: skip


OLD = head([1.0, 0.0], [0.0, 1.0])
#: Tells the second class nearly everywhere.
NEW = head([1.0, 0.0], [3.0, 1.0])


def choice(some_jury, margin=0.0):
    return Choice(OLD, some_jury, ("A", "B"), margin)


def test_halfway_is_the_mean():
    state = between(OLD.state_dict(), NEW.state_dict(), 0.5)
    assert state["weight"].tolist() == [[1.0, 0.0], [1.5, 1.0]]


def test_it_goes_as_far_as_no_old_class_is_lost():
    """At (1, -0.4) A holds while 1 > 3 share - 0.4; the new tile would have it farther."""
    way = choice(jury([[2.0, 0.0]], [1], [[1.0, -0.4]] * 4, [0] * 4))
    assert way.consider(NEW, 1)
    assert (way.share, way.epoch) == (0.4, 1)
    kept = copy.deepcopy(OLD)
    way.apply(kept)
    assert kept.weight.tolist()[1][0] == pytest.approx(1.2)


def test_without_old_tiles_the_best_for_the_new_ones_is_taken():
    way = choice(jury([[1.0, 0.0]], [1], [], []))
    way.consider(NEW, 1)
    assert way.share == 1.0


def test_without_new_tiles_it_goes_as_far_as_it_may_and_follows_the_last_epoch():
    way = choice(jury([], [], [[1.0, -0.4]] * 4, [0] * 4))
    assert way.consider(NEW, 1)
    assert way.share == 0.4
    way.consider(OLD, 2)
    assert (way.share, way.epoch) == (1.0, 2)


def test_where_everything_loses_the_old_head_stays():
    way = choice(jury([[1.0, 0.0]], [1], [[1.0, 0.95]] * 4, [0] * 4))
    assert not way.consider(NEW, 1)
    kept = copy.deepcopy(NEW)
    way.apply(kept)
    assert torch.equal(kept.weight, OLD.weight)
    assert way.share == 0


def test_where_nothing_is_better_for_the_new_tiles_the_old_head_stays():
    """The new tile is told right and grows less sure all along the way."""
    way = choice(jury([[2.0, 0.0]], [0], [], []))
    assert not way.consider(NEW, 1)
    kept = copy.deepcopy(NEW)
    way.apply(kept)
    assert torch.equal(kept.weight, OLD.weight)


def test_a_later_epoch_counts_only_if_it_is_better():
    way = choice(jury([[1.0, 0.0]], [1], [], []))
    assert way.consider(NEW, 1)
    assert not way.consider(head([1.0, 0.0], [2.0, 1.0]), 2)
    assert way.epoch == 1
