"""OpenVINO answers as PyTorch does, in the number format that was asked for, or is given up."""

import builtins
import json

import numpy as np
import pytest
import torch

from napari_crlm_spa._tests.core.classifier.test_fused import assert_same, noise, trained
from napari_crlm_spa._tests.core.classifier.test_settle import CPU, TILES, real_tiles
from napari_crlm_spa._tests.real_data import real_data
from napari_crlm_spa.core.classifier import engine as engines
from napari_crlm_spa.core.classifier import openvino_network as openvinos
from napari_crlm_spa.core.classifier import precision as precisions
from napari_crlm_spa.core.classifier import settle as settles
from napari_crlm_spa.core.classifier.devices import describe_devices
from napari_crlm_spa.core.classifier.engine import Engine, choose_engine
from napari_crlm_spa.core.classifier.fused import FusedNetwork, fuse
from napari_crlm_spa.core.classifier.inference import ClassifyOptions
from napari_crlm_spa.core.classifier.int8 import Calibration, QuantizedNetwork, why_no_int8
from napari_crlm_spa.core.classifier.openvino_network import (
    BATCH,
    OpenVinoNetwork,
    openvino_version,
)
from napari_crlm_spa.core.classifier.precision import Agreement, has_bf16
from napari_crlm_spa.core.classifier.runtime import load_classifier
from napari_crlm_spa.core.classifier.settle import Settling, begin

HERE = bool(openvino_version())
there = pytest.mark.skipif(not HERE, reason="needs OpenVINO: pip install 'napari-crlm-spa[cpu]'")
quick = pytest.mark.skipif(bool(why_no_int8()), reason=why_no_int8())
bf16_here = pytest.mark.skipif(not has_bf16(CPU), reason="this processor has no bf16 instructions")


@pytest.fixture
def with_bf16(monkeypatch):
    monkeypatch.setattr(precisions, "has_bf16", lambda device: True)


@pytest.fixture
def installed(monkeypatch):
    """As if OpenVINO were installed on a processor on which it is quicker."""
    monkeypatch.setattr(engines, "openvino_version", lambda: "2030.1")
    monkeypatch.setattr(engines.platform, "machine", lambda: "x86_64")


def executed(network):
    """(format, result's format) of each convolution as the processor does it."""
    found = []
    for node in network.compiled.get_runtime_model().get_ordered_ops():
        info = {key: value.astype(str) for key, value in node.get_rt_info().items()}
        if info["layerType"] == "Convolution":
            found.append((info["runtimePrecision"], info["outputPrecisions"]))
    return found


def votes(*, wrong_where=lambda network: False):
    """Probabilities as if some networks had 5 of 100 tiles wrong, whatever the tiles are."""

    def score(network, tiles, _at_once):
        probabilities = np.zeros((len(tiles), 7), np.float32)
        probabilities[:, 0] = 1
        if wrong_where(network):
            probabilities[:5] = np.eye(7)[3]
        return probabilities

    return score


def settle(asked, score=None, *, engine="openvino"):
    plain = trained("tiny")
    settling = Settling(plain, CPU, begin(plain, CPU, asked, engine), False, score or votes())
    return settling.on(lambda n: TILES[:n])


@there
@pytest.mark.parametrize("name", ["tiny", "resnet18", "resnet50"])
@torch.inference_mode()
def test_in_32_bits_logits_and_middle_are_those_of_the_trained_network(name):
    network = trained(name)
    found = OpenVinoNetwork(fuse(network), torch.float32)(noise())
    assert_same(found, network.forward_staged(noise()))


@there
@pytest.mark.parametrize("pooling", [2, 3])
@torch.inference_mode()
def test_tiles_are_averaged_down_as_in_training(pooling):
    network = trained("tiny", input_px=32, tile_px=32 * pooling)
    tiles = noise(px=32 * pooling)
    found = OpenVinoNetwork(fuse(network), torch.float32)(tiles)
    assert_same(found, network.forward_staged(tiles))


@there
@bf16_here
@torch.inference_mode()
def test_in_bf16_all_convolutions_are_done_in_it_and_answers_are_nearly_the_same():
    network = trained("resnet18")
    short = OpenVinoNetwork(fuse(network), torch.bfloat16)
    assert_same(short(noise()), network.forward_staged(noise()), 0.05)
    assert [given for given, _ in executed(short)] == ["bf16"] * 20


@there
@quick
@pytest.mark.parametrize(("name", "convolutions"), [("resnet18", 20), ("resnet50", 53)])
@torch.inference_mode()
def test_calibrated_convolutions_are_done_in_8_bits(name, convolutions):
    network = trained(name)
    fused = fuse(network)
    quantized = OpenVinoNetwork(fused, torch.float32, Calibration.of(fused, noise(20)))
    assert_same(quantized(noise(5)), network.forward_staged(noise(5)), 0.1)
    first, *others = executed(quantized)
    assert first == ("f32", "f32")
    assert [given for given, _ in others] == ["u8"] * (convolutions - 1)


@there
@quick
@torch.inference_mode()
def test_8_bits_are_those_of_pytorch():
    fused = fuse(trained("tiny"))
    calibration = Calibration.of(fused, noise(20))
    theirs = QuantizedNetwork(fused, fused, calibration)(noise(7))
    assert_same(OpenVinoNetwork(fused, torch.float32, calibration)(noise(7)), theirs, 0.01)


@there
@pytest.mark.parametrize("n", [1, BATCH - 1, BATCH, 2 * BATCH + 3])
@torch.inference_mode()
def test_batches_of_any_size_are_answered_and_a_tile_alike_in_any_company(n):
    network = OpenVinoNetwork(fuse(trained("tiny")), torch.float32)
    together = network(noise(2 * BATCH + 3))
    for ours, theirs in zip(network(noise(2 * BATCH + 3)[:n]), together, strict=True):
        assert len(ours) == n
        torch.testing.assert_close(ours, theirs[:n], atol=1e-5, rtol=1e-4)


@there
@torch.inference_mode()
def test_an_answer_stays_as_it_is_when_the_next_tiles_come():
    network = OpenVinoNetwork(fuse(trained("tiny")), torch.float32)
    logits, middle = network(noise(3))
    kept = logits.clone(), middle.clone()
    network(255 - noise(3))
    assert torch.equal(logits, kept[0])
    assert torch.equal(middle, kept[1])


@there
def test_the_weights_in_pytorch_are_let_go():
    network = OpenVinoNetwork(fuse(trained("resnet18")), torch.float32)
    assert not any(isinstance(module, FusedNetwork) for module in network.modules())
    assert sum(weight.numel() for weight in network.parameters()) < 20_000


def test_it_takes_as_many_threads_as_pytorch(monkeypatch):
    asked = {}

    class Core:
        def compile_model(self, model, device, wanted):
            asked.update(wanted, device=device)

    class Library:
        pass

    Library.Core = Core
    monkeypatch.setattr(openvinos, "_openvino", lambda: (Library, None))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 5)
    openvinos._compile(None, torch.float32, None)
    assert (asked["INFERENCE_NUM_THREADS"], asked["NUM_STREAMS"], asked["device"]) == (5, 1, "CPU")


@pytest.mark.parametrize(
    ("asked", "number_format", "used"),
    [
        ("auto", "bf16", "openvino"),
        ("auto", "int8", "openvino"),
        ("auto", "fp32", "torch"),
        ("openvino", "fp32", "openvino"),
        ("torch", "int8", "torch"),
    ],
)
def test_auto_takes_it_in_the_formats_in_which_it_is_quicker(installed, asked, number_format, used):
    found = choose_engine(asked, CPU, number_format)
    assert (found.asked, found.used, found.fell_back) == (asked, used, False)
    assert found.why.endswith(".")


def test_auto_leaves_other_processors_and_gpus_to_pytorch(installed, monkeypatch):
    assert choose_engine("auto", torch.device("cuda"), "bf16").used == "torch"
    monkeypatch.setattr(engines.platform, "machine", lambda: "arm64")
    assert choose_engine("auto", CPU, "int8").used == "torch"


def test_where_it_is_not_installed_auto_is_silent_and_a_wish_is_answered(monkeypatch):
    monkeypatch.setattr(engines, "openvino_version", lambda: "")
    assert not choose_engine("auto", CPU, "int8").fell_back
    found = choose_engine("openvino", CPU, "int8")
    assert (found.used, found.fell_back) == ("torch", True)
    assert found.why == (
        "The network runs in PyTorch instead of OpenVINO: OpenVINO is not installed; "
        "pip install 'napari-crlm-spa[cpu]' does that."
    )


def test_the_devices_say_whether_it_is_there():
    assert ("no OpenVINO" not in describe_devices()) == HERE


def broken_import(monkeypatch):
    real = builtins.__import__

    def import_(name, *rest, **more):
        if name.startswith("openvino"):
            raise ImportError("a library file is missing")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", import_)
    return "a library file is missing"


def broken_compiling(monkeypatch):
    def compile_(*_):
        raise RuntimeError("Exception from somewhere:\nNo such instruction.\n\n")

    monkeypatch.setattr(openvinos, "_Drawing", lambda *_: type("Drawing", (), {"model": None}))
    monkeypatch.setattr(openvinos, "_compile", compile_)
    return "No such instruction)"


class Liar(torch.nn.Module):
    """Stands for an OpenVINO that answers nonsense."""

    def __init__(self, fused, dtype, calibration=None):
        super().__init__()
        self.fused = fused

    def forward(self, tiles):
        logits, middle = self.fused(tiles)
        return logits, middle.flip(1)


def wrong_answers(monkeypatch):
    monkeypatch.setattr(settles, "OpenVinoNetwork", Liar)
    return "answers otherwise"


@pytest.mark.parametrize("failure", [broken_import, broken_compiling, wrong_answers])
@pytest.mark.parametrize("asked", ["fp32", "bf16"])
def test_whatever_fails_pytorch_runs_the_network_and_says_why(
    installed, monkeypatch, caplog, failure, asked
):
    reason = failure(monkeypatch)
    network, precision = begin(trained("tiny"), CPU, asked, "openvino")
    assert isinstance(network, FusedNetwork)
    assert (precision.used, precision.fell_back) == (asked, False)
    found = precision.engine
    assert (found.asked, found.used, found.fell_back) == ("openvino", "torch", True)
    assert found.why.startswith("The network runs in PyTorch instead of OpenVINO: ")
    assert reason in found.why
    assert found.why in caplog.text


@quick
@pytest.mark.parametrize("failure", [broken_import, broken_compiling])
def test_8_bits_come_from_pytorch_if_it_fails(installed, with_bf16, monkeypatch, failure):
    failure(monkeypatch)
    network, precision = settle("int8", engine="auto")
    assert isinstance(network, QuantizedNetwork)
    assert (precision.used, precision.fell_back) == ("int8", False)
    assert precision.engine.fell_back


@quick
def test_8_bits_come_from_pytorch_if_its_own_change_classes(installed, with_bf16, monkeypatch):
    class Pretender(Liar):
        def forward(self, tiles):
            return self.fused(tiles)

    monkeypatch.setattr(settles, "OpenVinoNetwork", Pretender)
    pretends = votes(wrong_where=lambda network: isinstance(network, Pretender))
    network, precision = settle("int8", pretends)
    assert isinstance(network, QuantizedNetwork)
    assert precision.used == "int8"
    assert "8 bits in OpenVINO 2030.1 give the same class as 32 bits for 95.0 %" in (
        precision.engine.why
    )


@there
@quick
@bf16_here
def test_8_bits_that_hold_are_used_and_the_record_names_it():
    network, precision = settle("int8")
    assert isinstance(network, OpenVinoNetwork)
    assert (precision.used, precision.fell_back) == ("int8", False)
    found = json.loads(json.dumps(precision.as_dict()))["engine"]
    assert (found["asked"], found["used"]) == ("openvino", "openvino")
    assert found["version"] == openvino_version()


@there
@bf16_here
def test_bf16_that_changes_classes_is_given_up_for_32_bits():
    differs = votes(wrong_where=lambda network: isinstance(network, OpenVinoNetwork))
    network, precision = settle("bf16", differs, engine="auto")
    assert isinstance(network, FusedNetwork)
    assert (precision.used, precision.fell_back) == ("fp32", True)
    assert f"bf16 in OpenVINO {openvino_version()} gives" in precision.why
    assert precision.engine == Engine(
        "auto", why="OpenVINO is taken in bf16 and int8 on x86 processors only."
    )


@there
@real_data
@pytest.mark.parametrize(
    ("asked", "least"),
    [
        pytest.param("bf16", 0.995, marks=bf16_here),
        pytest.param("int8", 0.99, marks=[quick, bf16_here]),
    ],
)
def test_the_default_model_keeps_its_classes_on_real_tiles(asked, least):
    tiles = real_tiles(80)
    to_settle, to_compare = tiles[:132], tiles[132:]
    exact = load_classifier("default", ClassifyOptions(device="cpu", precision="fp32"))
    options = ClassifyOptions(device="cpu", precision=asked, engine="openvino")
    short = load_classifier("default", options)
    short.settle(lambda n: to_settle[:n])
    assert (short.precision.used, short.precision.engine.used) == (asked, "openvino")
    ours, theirs = (each.predict(to_compare) for each in (short, exact))
    found = Agreement.between(ours.probabilities, theirs.probabilities)
    assert found.same_class >= least
    assert found.max_difference < 0.15
    strange = theirs.strangeness > 1
    assert ((ours.strangeness > 1) == strange).mean() >= 0.98
