"""A loaded classifier: probabilities, batch sizes, and what happens out of memory."""

import shutil

import numpy as np
import pytest
import torch

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.card import Architecture, ModelCard
from napari_crlm_spa.core.classifier.devices import choose_device
from napari_crlm_spa.core.classifier.inference import ClassifyOptions
from napari_crlm_spa.core.classifier.network import network_for
from napari_crlm_spa.core.classifier.predict import predict_stages
from napari_crlm_spa.core.classifier.reference_set import build_reference_set, save_reference_set
from napari_crlm_spa.core.classifier.runtime import Classifier, load_classifier
from napari_crlm_spa.core.classifier.training.cache import average_down
from napari_crlm_spa.core.classifier.weights import load_model, save_model
from napari_crlm_spa.errors import DeviceError

CARD = ModelCard(
    name="tiny",
    scheme_name="crlm7",
    classes=CRLM7.names,
    tile_px=32,
    input_px=16,
    architecture=Architecture(name="tiny", hidden=8),
)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("model")
    save_model(folder, CARD, network_for(CARD))
    return folder


@pytest.fixture
def tiles():
    return np.random.default_rng(0).integers(0, 256, (11, 32, 32, 3)).astype(np.uint8)


def test_probabilities_are_a_distribution_over_the_classes(model, tiles):
    predicted = load_classifier(model, ClassifyOptions(device="cpu")).predict(tiles)
    scores = predicted.probabilities
    assert scores.shape == (11, 7)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_the_batch_size_does_not_change_the_scores(watchful, tiles, batch_size):
    one = load_classifier(watchful, ClassifyOptions(device="cpu", batch_size=11))
    other = load_classifier(watchful, ClassifyOptions(device="cpu", batch_size=batch_size))
    expected, found = one.predict(tiles), other.predict(tiles)
    np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=1e-6)
    np.testing.assert_allclose(found.strangeness, expected.strangeness, rtol=1e-4)


@pytest.fixture(scope="module")
def watchful(model, tmp_path_factory):
    """The same model with a reference set of noise."""
    folder = tmp_path_factory.mktemp("watchful") / "model"
    shutil.copytree(model, folder)
    _, network = load_model(folder)
    rng = np.random.default_rng(1)
    labels = np.tile(np.arange(7), 60)
    tiles = rng.integers(0, 256, (len(labels), 16, 16, 3)).astype(np.uint8)
    slides = np.repeat(["a", "b", "c"], 140)
    built = build_reference_set(network, tiles, labels, list(slides), slides == "c", CPU)
    save_reference_set(folder, built)
    return folder


def test_without_a_reference_set_the_strangeness_is_not_known(model, tiles):
    predicted = load_classifier(model, ClassifyOptions(device="cpu")).predict(tiles)
    assert np.isnan(predicted.strangeness).all()


def test_the_strangeness_is_that_of_the_trunks_middle_and_changes_no_probability(
    model, watchful, tiles
):
    classifier = load_classifier(
        watchful, ClassifyOptions(device="cpu", batch_size=4, precision="fp32")
    )
    found = classifier.predict(tiles)
    middle, _ = predict_stages(load_model(watchful)[1], average_down(tiles, 16), CPU)
    expected = classifier.known.strangeness(torch.from_numpy(middle)).numpy()
    # Bytes on one side, unrounded means on the other.
    np.testing.assert_allclose(found.strangeness, expected, rtol=0.05)
    plain = load_classifier(model, ClassifyOptions(device="cpu", precision="fp32")).predict(tiles)
    np.testing.assert_allclose(found.probabilities, plain.probabilities, atol=1e-6)


def test_one_pass_through_the_trunk_gives_both(watchful, tiles):
    classifier = load_classifier(watchful, ClassifyOptions(device="cpu", engine="torch"))
    passes = []
    classifier.network.convolutions()[0].register_forward_hook(lambda *_: passes.append(1))
    classifier.predict(tiles)
    assert len(passes) == 1


def test_the_strangeness_in_bf16_is_that_in_fp32(watchful, tiles):
    exact, short = (
        load_classifier(watchful, ClassifyOptions(device="cpu", precision=each)).predict(tiles)
        for each in ("fp32", "bf16")
    )
    np.testing.assert_allclose(short.strangeness, exact.strangeness, rtol=0.05)


class SmallMemory(torch.nn.Module):
    """Runs out of memory above a number of tiles; its logits name the tile's first pixel."""

    def __init__(self, fits):
        super().__init__()
        self.fits, self.asked = fits, []

    def forward(self, batch):
        self.asked.append(len(batch))
        if len(batch) > self.fits:
            raise torch.OutOfMemoryError("CUDA out of memory")
        logits = torch.nn.functional.one_hot(batch[:, 0, 0, 0].long() % 7, 7) * 50.0
        return logits, torch.zeros(len(batch), 4)


def test_out_of_memory_halves_the_batch_and_loses_no_tile(tiles):
    network = SmallMemory(fits=3)
    classifier = Classifier(CARD, network, CPU, batch_size=16)
    scores = classifier.predict(tiles).probabilities
    np.testing.assert_array_equal(scores.argmax(axis=1), tiles[:, 0, 0, 0] % 7)
    assert classifier.batch_size == 2
    assert network.asked == [11, 8, 4, 2, 2, 2, 2, 2, 1]


def test_a_device_too_small_for_one_tile_is_a_sentence(tiles):
    classifier = Classifier(CARD, SmallMemory(fits=0), CPU, batch_size=4)
    with pytest.raises(DeviceError, match="--device cpu"):
        classifier.predict(tiles)


def test_the_temperature_of_the_card_softens_the_scores(model, tiles):
    classifier = load_classifier(model, ClassifyOptions(device="cpu"))
    sharp = classifier.predict(tiles).probabilities
    classifier.card = CARD.model_copy(update={"temperature": 3.0})
    soft = classifier.predict(tiles).probabilities
    np.testing.assert_array_equal(sharp.argmax(axis=1), soft.argmax(axis=1))
    assert (soft.max(axis=1) <= sharp.max(axis=1)).all()


@pytest.mark.parametrize(
    ("cuda", "mps", "chosen"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_auto_takes_the_quickest_device_there_is(cuda, mps, chosen):
    assert choose_device("auto", lambda: cuda, lambda: mps).type == chosen


def test_a_device_that_is_not_there_is_refused_with_the_way_out():
    with pytest.raises(DeviceError, match="--device auto"):
        choose_device("cuda", lambda: False, lambda: False)


def test_bf16_agrees_with_fp32_on_a_cpu(model, tiles):
    exact = load_classifier(model, ClassifyOptions(device="cpu", precision="fp32")).predict(tiles)
    short = load_classifier(model, ClassifyOptions(device="cpu", precision="bf16")).predict(tiles)
    np.testing.assert_allclose(short.probabilities, exact.probabilities, atol=0.02)
