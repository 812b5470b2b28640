"""Batches on their way to a device: filled up, in order, and sent again when memory runs out.

Here the device is the CPU: what is left untried is the recording of a GPU's kernels.
"""

import numpy as np
import pytest
import torch

from napari_crlm_spa._tests.core.classifier.test_inference import NearestColor, checkered, run
from napari_crlm_spa._tests.core.classifier.test_runtime import CARD, SmallMemory
from napari_crlm_spa.core.classifier.batches import BatchSender, SentBatch
from napari_crlm_spa.core.classifier.fused import fuse
from napari_crlm_spa.core.classifier.network import network_for
from napari_crlm_spa.core.classifier.runtime import Classifier
from napari_crlm_spa.errors import DeviceError

CPU = torch.device("cpu")


class OnCard(Classifier):
    """A classifier that goes the way of a GPU."""

    in_flight = 2


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return fuse(network_for(CARD).eval())


@pytest.fixture
def tiles():
    return np.random.default_rng(0).integers(0, 256, (11, 32, 32, 3)).astype(np.uint8)


@pytest.mark.parametrize("size", [1, 4, 11, 16])
def test_filled_up_batches_give_the_same_probabilities_in_the_same_order(network, tiles, size):
    expected = Classifier(CARD, network, CPU, 11).predict(tiles).probabilities
    found = OnCard(CARD, network, CPU, size).predict(tiles).probabilities
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_device_sees_batches_of_one_size_only(tiles):
    network = SmallMemory(fits=4)
    OnCard(CARD, network, CPU, 4).predict(tiles)
    assert set(network.asked) == {4}


def test_two_batches_may_be_begun_and_their_memory_used_again(network, tiles):
    expected = Classifier(CARD, network, CPU, 11).predict(tiles).probabilities
    classifier, room = OnCard(CARD, network, CPU, 8), np.empty((8, 32, 32, 3), np.uint8)
    begun = []
    for start in (0, 8):
        part = tiles[start : start + 8]
        room[: len(part)] = part
        begun.append(classifier.start(room[: len(part)]))
    room[:] = 0
    found = np.concatenate([finish().probabilities for finish in begun])
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_out_of_memory_halves_the_batch_and_loses_no_tile(tiles):
    network = SmallMemory(fits=3)
    classifier = OnCard(CARD, network, CPU, batch_size=16)
    scores = classifier.predict(tiles).probabilities
    np.testing.assert_array_equal(scores.argmax(axis=1), tiles[:, 0, 0, 0] % 7)
    assert classifier.batch_size == 2
    assert network.asked == [16, 8, 4, 2, 2, 2, 2, 2, 2]


def test_out_of_memory_in_flight_loses_no_tile(tiles, monkeypatch):
    crashes = iter([True, False, False, False, False, False])
    send = BatchSender.send

    def sent(self, part):
        batch = send(self, part)
        return SentBatch(batch.tiles, crash if next(crashes) else batch.answer)

    def crash():
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(BatchSender, "send", sent)
    classifier = OnCard(CARD, SmallMemory(fits=99), CPU, batch_size=6)
    scores = classifier.predict(tiles).probabilities
    np.testing.assert_array_equal(scores.argmax(axis=1), tiles[:, 0, 0, 0] % 7)
    assert classifier.batch_size == 3


def test_a_device_too_small_for_one_tile_is_a_sentence(tiles):
    with pytest.raises(DeviceError, match="--device cpu"):
        OnCard(CARD, SmallMemory(fits=0), CPU, batch_size=4).predict(tiles)


class Overlapping(NearestColor):
    """Keeps batches begun, and notes how many were at the most."""

    in_flight = 2

    def __init__(self, batch_size):
        super().__init__(batch_size)
        self.begun = self.most_begun = 0

    def start(self, tiles):
        done = self.predict(tiles.copy())
        self.begun += 1
        self.most_begun = max(self.most_begun, self.begun)

        def finish():
            self.begun -= 1
            return done

        return finish


@pytest.mark.parametrize("batch_size", [1, 5, 16, 1000])
def test_with_two_batches_begun_every_tile_gets_its_own_class(batch_size):
    codes, slide = checkered()
    classifier = Overlapping(batch_size)
    tissue_map = run(slide, classifier)
    np.testing.assert_array_equal(tissue_map.classes, codes)
    assert tissue_map.done.all()
    assert classifier.begun == 0
    assert classifier.most_begun == (1 if batch_size == 1000 else 2)
