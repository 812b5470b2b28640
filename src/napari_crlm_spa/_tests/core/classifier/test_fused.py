"""The form in which a network classifies answers as the trained network does."""

import copy

import pytest
import torch

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.card import Architecture
from napari_crlm_spa.core.classifier.fused import Convolution, fuse
from napari_crlm_spa.core.classifier.network import build_network


def trained(name, input_px=64, tile_px=64):
    """A network whose normalizations have something to fold."""
    torch.manual_seed(0)
    network = build_network(Architecture(name=name, hidden=16), len(CRLM7), input_px, tile_px)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            torch.nn.init.uniform_(module.weight, 0.5, 1.0)
            torch.nn.init.normal_(module.bias, 0, 0.1)
    return network.eval()


def noise(n=3, px=64):
    return torch.randint(
        0, 256, (n, px, px, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
    )


def assert_same(found, expected, tolerance=1e-4):
    for ours, theirs in zip(found, expected, strict=True):
        assert float((ours - theirs).abs().max() / theirs.abs().max()) < tolerance


@pytest.mark.parametrize("name", ["tiny", "resnet18", "resnet50"])
@pytest.mark.parametrize("onednn", [True, False])
@torch.inference_mode()
def test_logits_and_middle_are_those_of_the_trained_network(name, onednn):
    network = trained(name)
    fused = fuse(network)
    for convolution in fused.convolutions():
        convolution.onednn &= onednn
    assert_same(fused(noise()), network.forward_staged(noise()))


@pytest.mark.parametrize("pooling", [2, 3])
@torch.inference_mode()
def test_tiles_are_averaged_down_as_in_training(pooling):
    network = trained("tiny", input_px=32, tile_px=32 * pooling)
    tiles = noise(px=32 * pooling)
    assert_same(fuse(network)(tiles), network.forward_staged(tiles))


@torch.inference_mode()
def test_in_bf16_the_answers_are_nearly_those_of_32_bits():
    network = trained("resnet18")
    assert_same(fuse(network, torch.bfloat16)(noise()), network.forward_staged(noise()), 0.05)


def test_no_normalization_is_left_to_be_done_by_itself():
    fused = fuse(trained("resnet18"))
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in fused.modules())
    assert len(fused.convolutions()) == 20


def test_the_trained_network_is_left_as_it_was():
    network = trained("resnet18")
    before = copy.deepcopy(network.state_dict())
    fuse(network, torch.bfloat16)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


def raising(*_):
    raise NotImplementedError("no such operator")


def nonsense(self, x, added=None):
    return torch.nn.functional.conv2d(
        x, -self.weight, self.bias, self.stride, self.padding, self.dilation
    )


def nan(self, x, added=None):
    return nonsense(self, x) * float("nan")


@pytest.mark.parametrize("operator", [raising, nonsense, nan])
@torch.inference_mode()
def test_an_operator_that_fails_or_answers_otherwise_is_not_used(monkeypatch, operator):
    network = trained("resnet18")
    monkeypatch.setattr(Convolution, "_fused", operator)
    assert_same(fuse(network)(noise()), network.forward_staged(noise()))
