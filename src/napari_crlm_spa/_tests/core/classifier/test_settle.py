"""Which number format a slide is classified in: asked for, possible, and checked on its tiles."""

import numpy as np
import pytest
import torch
from PIL import Image

from napari_crlm_spa._tests.core.classifier.test_fused import noise, trained
from napari_crlm_spa._tests.real_data import SHARED, real_data
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier import precision as precisions
from napari_crlm_spa.core.classifier import settle as settles
from napari_crlm_spa.core.classifier.fused import fuse
from napari_crlm_spa.core.classifier.inference import ClassifyOptions
from napari_crlm_spa.core.classifier.int8 import QuantizedNetwork, why_no_int8
from napari_crlm_spa.core.classifier.precision import (
    DTYPES,
    Agreement,
    Precision,
    choose_precision,
)
from napari_crlm_spa.core.classifier.runtime import load_classifier
from napari_crlm_spa.core.classifier.settle import Settling, begin
from napari_crlm_spa.core.classifier.weights import load_model

CPU = torch.device("cpu")
TILES = noise(132).numpy()
quick = pytest.mark.skipif(bool(why_no_int8()), reason=why_no_int8())


@pytest.fixture
def with_bf16(monkeypatch):
    monkeypatch.setattr(precisions, "has_bf16", lambda device: True)


def votes(wrong_in_bf16=0, wrong_in_int8=0, wrong_in_fp16=0):
    """Probabilities as if a format had so many tiles wrong, whatever the tiles are."""

    def score(network, tiles, _at_once):
        in_16_bits = {torch.bfloat16: wrong_in_bf16, torch.float16: wrong_in_fp16}
        wrong = in_16_bits.get(dtype_of(network), 0)
        wrong = wrong_in_int8 if isinstance(network, QuantizedNetwork) else wrong
        probabilities = np.zeros((len(tiles), 7), np.float32)
        probabilities[:, 0] = 1
        probabilities[:wrong] = np.eye(7)[3]
        return probabilities

    return score


def dtype_of(network):
    return None if isinstance(network, QuantizedNetwork) else network.convolutions()[0].weight.dtype


def settle(asked, score=None, *, trusted=False, tiles=TILES):
    plain = trained("tiny")
    settling = Settling(plain, CPU, begin(plain, CPU, asked), trusted, score or votes())
    return settling.on(lambda n: tiles[:n])


def refuse(_):
    raise AssertionError("asked for tiles")


@pytest.mark.parametrize(("asked", "trusted"), [("fp32", False), ("bf16", True), ("auto", True)])
def test_no_tile_is_read_where_nothing_is_in_doubt(with_bf16, asked, trusted):
    plain = trained("tiny")
    begun = begin(plain, CPU, asked)
    assert Settling(plain, CPU, begun, trusted, votes()).on(refuse) == begun


def test_auto_is_bf16_where_the_processor_has_it(monkeypatch):
    for there, expected in ((True, "bf16"), (False, "fp32")):
        monkeypatch.setattr(precisions, "has_bf16", lambda device, there=there: there)
        assert choose_precision(CPU, "auto").used == expected


@pytest.mark.parametrize(("version", "expected"), [((6, 1), "fp32"), ((7, 5), "fp16")])
def test_auto_is_fp16_on_nvidia_gpus_with_tensor_cores_but_no_bf16(monkeypatch, version, expected):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: version)
    assert choose_precision(torch.device("cuda"), "auto").used == expected


@pytest.mark.parametrize("gpu", ["cuda", "mps"])
def test_fp16_is_used_on_any_gpu_that_is_asked_for_it(gpu):
    precision = choose_precision(torch.device(gpu), "fp16")
    assert (precision.used, precision.fell_back) == ("fp16", False)


@pytest.mark.parametrize(("there", "instead"), [(True, "bf16"), (False, "fp32")])
def test_fp16_on_a_processor_falls_back_with_a_sentence(monkeypatch, there, instead):
    monkeypatch.setattr(precisions, "has_bf16", lambda device: there)
    precision = choose_precision(CPU, "fp16")
    assert precision.used == instead
    assert precision.fell_back
    assert precision.why == f"The network computes in {instead} instead of fp16: fp16 is for GPUs."


@pytest.mark.parametrize(("wrong", "used"), [(1, "fp16"), (3, "fp32")])
def test_fp16_is_checked_as_bf16_is(wrong, used):
    plain = trained("tiny")
    precision = Precision("auto", "fp16", "This GPU computes in fp16.")
    begun = (fuse(plain, torch.float16), precision)
    settled = Settling(plain, CPU, begun, False, votes(wrong_in_fp16=wrong))
    network, found = settled.on(lambda n: TILES[:n])
    assert (found.used, dtype_of(network)) == (used, DTYPES[used])
    assert found.checked.same_class == pytest.approx(1 - wrong / 100)
    if used == "fp32":
        assert found.why.startswith("The network computes in fp32 instead of fp16: fp16 gives")


@quick
def test_int8_that_gives_the_same_classes_is_used(with_bf16):
    network, precision = settle("int8", votes(wrong_in_int8=1))
    assert isinstance(network, QuantizedNetwork)
    assert (precision.asked, precision.used, precision.fell_back) == ("int8", "int8", False)
    assert precision.checked == Agreement(100, pytest.approx(0.99), 1.0)


@quick
def test_int8_that_changes_classes_falls_back_with_a_sentence(with_bf16):
    network, precision = settle("int8", votes(wrong_in_int8=2))
    assert dtype_of(network) == torch.bfloat16
    assert precision.used == "bf16"
    assert precision.why == (
        "The network computes in bf16 instead of int8: 8 bits give the same class as 32 bits for "
        "98.0 % of 100 tiles of this slide."
    )


@quick
def test_where_bf16_changes_classes_too_32_bits_are_left(with_bf16):
    network, precision = settle("int8", votes(wrong_in_bf16=5, wrong_in_int8=2))
    assert dtype_of(network) == torch.float32
    assert precision.used == "fp32"
    assert "98.0 %" in precision.why
    assert "95.0 %" in precision.why


def test_bf16_that_changes_classes_is_given_up(with_bf16):
    network, precision = settle("auto", votes(wrong_in_bf16=3))
    assert dtype_of(network) == torch.float32
    assert precision.fell_back
    assert precision.why.startswith("The network computes in fp32 instead of bf16")


def test_bf16_that_holds_says_on_how_many_tiles(with_bf16):
    _, precision = settle("auto")
    assert (precision.used, precision.checked.tiles) == ("bf16", 100)
    assert not precision.fell_back


def test_a_slide_without_tissue_keeps_bf16(with_bf16):
    assert settle("auto", tiles=TILES[:0])[1].used == "bf16"


@quick
def test_too_few_tiles_to_calibrate_and_check_are_told(with_bf16):
    _, precision = settle("int8", tiles=TILES[:40])
    assert precision.used == "bf16"
    assert "40 tissue tiles" in precision.why


@quick
def test_what_calibrates_does_not_check(with_bf16):
    checked = []

    def score(network, tiles, at_once):
        checked.append(tiles)
        return votes()(network, tiles, at_once)

    settle("int8", score, trusted=True)
    for tiles in checked:
        np.testing.assert_array_equal(tiles, TILES[32:])


def test_a_processor_without_8_bit_instructions_is_told(monkeypatch, with_bf16):
    for module in (precisions, settles):
        monkeypatch.setattr(module, "why_no_int8", lambda: "this processor has no such thing")
    _, precision = settle("int8")
    assert precision.used == "bf16"
    assert precision.fell_back
    assert "this processor has no such thing" in precision.why


@quick
def test_an_operator_that_this_pytorch_lacks_is_told(monkeypatch, with_bf16):
    def lacking(*_):
        raise RuntimeError("unknown operator")

    monkeypatch.setattr(settles, "QuantizedNetwork", lacking)
    _, precision = settle("int8")
    assert precision.used == "bf16"
    assert "unknown operator" in precision.why


def real_tiles(n_per_class):
    """Tiles of each class, evenly from all there are."""
    tiles = []
    for name in CRLM7.names:
        paths = sorted((SHARED / "tiles" / name).glob("*.jpg"))
        chosen = np.linspace(0, len(paths) - 1, n_per_class).astype(int)
        tiles += [np.asarray(Image.open(paths[i]).convert("RGB")) for i in chosen]
    order = np.random.default_rng(0).permutation(len(tiles))
    return np.stack(tiles)[order]


@real_data
@pytest.mark.parametrize(
    ("asked", "least"), [("bf16", 0.995), pytest.param("int8", 0.99, marks=quick)]
)
def test_the_default_model_keeps_its_classes_on_real_tiles(asked, least):
    tiles = real_tiles(80)
    to_settle, to_compare = tiles[:132], tiles[132:]
    exact = load_classifier("default", ClassifyOptions(device="cpu", precision="fp32"))
    options = ClassifyOptions(device="cpu", precision=asked, engine="torch")
    short = load_classifier("default", options)
    short.settle(lambda n: to_settle[:n])
    assert short.precision.used == asked
    ours, theirs = (each.predict(to_compare) for each in (short, exact))
    found = Agreement.between(ours.probabilities, theirs.probabilities)
    assert found.same_class >= least
    assert found.max_difference < 0.15
    strange = theirs.strangeness > 1
    assert ((ours.strangeness > 1) == strange).mean() >= 0.98


@real_data
def test_the_default_model_keeps_its_classes_in_fp16_on_real_tiles():
    tiles = real_tiles(30)
    exact = load_classifier("default", ClassifyOptions(device="cpu", precision="fp32"))
    expected = exact.predict(tiles).probabilities
    # No GPU here: the same arithmetic on a processor.
    exact.network = fuse(load_model("default")[1], torch.float16)
    found = Agreement.between(exact.predict(tiles).probabilities, expected)
    assert found.same_class >= 0.995
    assert found.max_difference < 0.02
