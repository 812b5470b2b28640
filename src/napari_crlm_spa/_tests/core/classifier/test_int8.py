"""8-bit convolutions: calibrated on tiles, close to 32 bits."""

import pytest
import torch

from napari_crlm_spa._tests.core.classifier.test_fused import assert_same, noise, trained
from napari_crlm_spa.core.classifier.fused import fuse
from napari_crlm_spa.core.classifier.int8 import (
    Calibration,
    QuantizedNetwork,
    Scaling,
    why_no_int8,
)

quick = pytest.mark.skipif(bool(why_no_int8()), reason=why_no_int8())


@pytest.mark.parametrize(("low", "high"), [(0.0, 7.3), (-1.7, 2.9), (0.5, 3.0), (-3.0, -1.0)])
def test_zero_stays_exact_since_convolutions_pad_with_it(low, high):
    scaling = Scaling.of(low, high)
    packed = scaling.pack(torch.zeros(1))
    assert (int(packed) - scaling.zero) * scaling.scale == 0


def test_a_number_changes_by_half_a_step_at_most():
    scaling = Scaling.of(-2.0, 6.0)
    numbers = torch.linspace(-2, 6, 1001)
    back = (scaling.pack(numbers.clone()).float() - scaling.zero) * scaling.scale
    assert float((back - numbers).abs().max()) <= 0.501 * scaling.scale + scaling.scale / 2
    assert float((back - numbers).abs().mean()) < 0.3 * scaling.scale


def test_numbers_beyond_the_calibrated_range_become_its_ends():
    packed = Scaling.of(0.0, 1.0).pack(torch.tensor([-5.0, 9.0]))
    assert packed.tolist() == [0, 255]


@quick
@pytest.mark.parametrize("name", ["tiny", "resnet18", "resnet50"])
@torch.inference_mode()
def test_logits_and_middle_are_nearly_those_of_32_bits(name):
    network = trained(name)
    fused = fuse(network)
    quantized = QuantizedNetwork(fused, fused, Calibration.of(fused, noise(20)))
    assert_same(quantized(noise(5)), network.forward_staged(noise(5)), 0.1)


@quick
@torch.inference_mode()
def test_a_tile_is_answered_alike_in_any_company():
    fused = fuse(trained("resnet18"))
    quantized = QuantizedNetwork(fused, fused, Calibration.of(fused, noise(8)))
    together, _ = quantized(noise(5))
    alone = torch.cat([quantized(tile[None])[0] for tile in noise(5)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


@torch.inference_mode()
def test_calibration_leaves_no_hook_behind():
    fused = fuse(trained("tiny"))
    Calibration.of(fused, noise(2))
    assert not any(module._forward_hooks for module in fused.modules())
