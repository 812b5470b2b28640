"""Batches on their way to a device: filled up, in order, and sent again when memory runs out.

Here the device is the CPU, but for one test: the recording of kernels needs an NVIDIA GPU.
"""

from contextlib import closing

import numpy as np
import pytest
import torch

from napari_crlm_spa._tests.core.classifier.test_inference import NearestColor, checkered, run
from napari_crlm_spa._tests.core.classifier.test_runtime import CARD, SmallMemory
from napari_crlm_spa._tests.core.stain.conftest import OTHER_HE, stained_tile
from napari_crlm_spa.core.classifier.batches import BatchSender, SentBatch
from napari_crlm_spa.core.classifier.fused import fuse
from napari_crlm_spa.core.classifier.inference import classify_tiles
from napari_crlm_spa.core.classifier.network import network_for
from napari_crlm_spa.core.classifier.runtime import Classifier
from napari_crlm_spa.core.slide import ArraySlide
from napari_crlm_spa.core.stain import StainNormalizer, StainOptions, estimate_slide_matrix
from napari_crlm_spa.core.tiles import TileGrid, TileState, TilingOptions
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


class SeesSettings(torch.nn.Module):
    """Notes how cuDNN is set while it is called."""

    def forward(self, batch):
        cudnn = torch.backends.cudnn
        self.seen = (cudnn.enabled, cudnn.benchmark, cudnn.allow_tf32)
        return torch.zeros(len(batch), 7), torch.zeros(len(batch), 4)


def test_a_gpus_batches_are_computed_by_cudnns_quickest_algorithm_and_32_bits_are_32_bits(tiles):
    cudnn = torch.backends.cudnn
    before = (cudnn.enabled, cudnn.benchmark, cudnn.allow_tf32)
    network = SeesSettings()
    OnCard(CARD, network, CPU, 4).predict(tiles)
    assert network.seen == (True, True, False)
    assert (cudnn.enabled, cudnn.benchmark, cudnn.allow_tf32) == before


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


def normalizer(method):
    slide = estimate_slide_matrix([stained_tile(he=OTHER_HE)], StainOptions())
    return StainNormalizer(StainOptions(method=method), slide)


@pytest.fixture(scope="module")
def stained():
    """Tiles of another laboratory; every fourth is glass, which has none."""
    tiles = [
        stained_tile(seed, OTHER_HE, size=32, glass=1.0 if seed % 4 == 3 else 0.1)
        for seed in range(11)
    ]
    return np.stack(tiles)


class SeesColor(torch.nn.Module):
    """Its logits are the tile's mean color, and four zeros."""

    def forward(self, batch):
        color = batch.float().mean(dim=(1, 2)) / 16
        return torch.cat([color - 8, torch.zeros(len(batch), 4)], dim=1), torch.zeros(len(batch), 4)


@pytest.mark.parametrize("method", ["per_slide", "per_tile"])
@pytest.mark.parametrize("size", [1, 4, 16])
def test_tiles_stained_on_the_device_get_the_same_probabilities(stained, method, size):
    stain = normalizer(method)
    readers, fallback = stain.normalize(stained)
    expected = Classifier(CARD, SeesColor(), CPU, 11).predict(readers).probabilities
    found = OnCard(CARD, SeesColor(), CPU, size).start_raw(stained, stain)()
    # A rounding of a gray level here and there.
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-3)
    np.testing.assert_array_equal(found.stain_fallback, fallback)
    assert fallback.any() == (method == "per_tile")


def test_another_stain_is_not_taken_for_the_one_before(stained):
    classifier = OnCard(CARD, SeesColor(), CPU, 4)
    unstained = classifier.predict(stained).probabilities
    first = classifier.start_raw(stained, normalizer("per_tile"))()
    other = classifier.start_raw(stained, StainNormalizer(StainOptions(method="per_slide")))()
    assert np.abs(first.probabilities - unstained).max() > 1e-3
    assert np.abs(first.probabilities - other.probabilities).max() > 1e-3
    assert first.stain_fallback.any()
    assert not other.stain_fallback.any()
    again = classifier.predict(stained)
    np.testing.assert_allclose(again.probabilities, unstained, atol=1e-6)
    assert again.stain_fallback is None


def test_out_of_memory_in_flight_stains_the_tiles_once(stained, monkeypatch):
    expected = OnCard(CARD, SeesColor(), CPU, 16).start_raw(stained, normalizer("per_slide"))()
    send, crashes = BatchSender.send, iter([True] + [False] * 9)

    def sent(self, part):
        batch = send(self, part)
        return SentBatch(batch.tiles, crash if next(crashes) else batch.answer)

    def crash():
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(BatchSender, "send", sent)
    classifier = OnCard(CARD, SeesColor(), CPU, 6)
    found = classifier.start_raw(stained, normalizer("per_slide"))()
    assert classifier.batch_size == 3
    np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=1e-6)
    assert len(found.stain_fallback) == len(stained)


def test_without_normalization_the_device_has_nothing_to_stain():
    assert not OnCard(CARD, SeesColor(), CPU, 4).stains_with(normalizer("none"))
    assert not Classifier(CARD, SeesColor(), CPU, 4).stains_with(normalizer("per_tile"))


def slide_of(tiles, columns):
    rows = [np.concatenate(tiles[at : at + columns], 1) for at in range(0, len(tiles), columns)]
    return ArraySlide(np.concatenate(rows), mpp=0.5)


@pytest.mark.parametrize("batch_size", [3, 8, 100])
def test_a_slide_stained_on_the_device_is_the_one_stained_by_the_readers(batch_size, monkeypatch):
    tiles = [
        stained_tile(seed, OTHER_HE, size=32, glass=0.45 if seed % 5 == 3 else 0.1)
        for seed in range(24)
    ]
    tiles[7] = np.full_like(tiles[7], 255)
    slide = slide_of(tiles, columns=6)
    options = StainOptions(method="per_tile", stained_min=0.7)
    stain = StainNormalizer(options, normalizer("per_tile").slide_matrix)
    pending = np.full((4, 6), TileState.PENDING, np.uint8)
    grid = TileGrid(pending, np.zeros(pending.shape, bool), 32, 0.5)
    found = []
    for kind in (Classifier, OnCard):
        classifier = kind(CARD, SeesColor(), CPU, batch_size)
        tiling = TilingOptions(tile_px=32)
        with closing(classify_tiles(slide, grid, classifier, stain, tiling, 2)) as work:
            found.append(list(work))
        # Now the readers must leave the stain alone.
        monkeypatch.setattr(stain, "normalize", None)
    for name in ("rows", "cols", "states", "stain_fallback", "probabilities"):
        by_readers, on_card = (np.concatenate([getattr(s, name) for s in run]) for run in found)
        np.testing.assert_allclose(on_card, by_readers, atol=2e-3)
    assert by_readers.shape == (24, 7)
    fallback = np.concatenate([scores.stain_fallback for scores in found[0]])
    assert 0 < fallback.sum() < 24
    assert not fallback[7]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@pytest.mark.parametrize("method", ["none", "per_slide", "per_tile"])
def test_a_gpu_records_its_batches_and_answers_as_a_cpu_does(network, stained, method):
    stain = normalizer(method)
    readers, fallback = stain.normalize(stained)
    expected = Classifier(CARD, network, CPU, 11).predict(readers).probabilities
    torch.manual_seed(0)
    gpu = torch.device("cuda")
    classifier = Classifier(CARD, fuse(network_for(CARD).eval(), device=gpu), gpu, 4)
    raw = classifier.stains_with(stain)
    found = (classifier.start_raw(stained, stain) if raw else classifier.start(stained))()
    assert classifier.sender._play is not None
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-3)
    if raw:
        np.testing.assert_array_equal(found.stain_fallback, fallback)
