"""A GPU's batch can be recorded: nothing in it waits for a number, or leaves the device.

Tensors without values stand in for a GPU's: an operator that would need the value raises.
"""

import pytest
import torch
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorMode,
)
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from napari_crlm_spa._tests.core.classifier.test_runtime import CARD
from napari_crlm_spa._tests.core.stain.conftest import OTHER_HE, stained_tile
from napari_crlm_spa.core.classifier.card import Architecture
from napari_crlm_spa.core.classifier.fused import fuse
from napari_crlm_spa.core.classifier.network import network_for
from napari_crlm_spa.core.classifier.precision import DTYPES
from napari_crlm_spa.core.classifier.runtime import Classifier
from napari_crlm_spa.core.classifier.stain_on_device import DeviceStain
from napari_crlm_spa.core.classifier.strangeness import KnownTissue
from napari_crlm_spa.core.stain import StainNormalizer, StainOptions, estimate_slide_matrix

pytestmark = pytest.mark.skipif(
    not torch.backends.cuda.is_built(),
    reason="needs a PyTorch that is built for NVIDIA GPUs (none has to be there)",
)
SLIDE = estimate_slide_matrix([stained_tile(he=OTHER_HE)], StainOptions())
GPU = torch.device("cuda:0")
TILES = 70


class OnDeviceOnly(TorchDispatchMode):
    """Refuses operators that read or write elsewhere."""

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        result = operator(*args, **(kwargs or {}))
        for value in tree_leaves((args, kwargs, result)):
            if isinstance(value, torch.Tensor) and value.device.type != "cuda":
                raise AssertionError(f"{operator} works on {value.device}")
        return result


def answer(network, middle, method, after=lambda found: found):
    """Return what the function that is recorded gives on a GPU that is not there."""
    for convolution in getattr(network, "convolutions", list)():
        convolution.onednn = False
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        network.to(GPU)
        known = KnownTissue(torch.rand(middle, middle), torch.rand(7, middle), 1.0).to(GPU)
        classifier = Classifier(CARD, network, GPU, TILES, known)
        normalizer = StainNormalizer(StainOptions(method=method), SLIDE)
        assert classifier.stains_with(normalizer) == (method != "none")
        if method != "none":
            classifier.stain = DeviceStain(normalizer, GPU)
        tiles = torch.zeros((TILES, 32, 32, 3), dtype=torch.uint8, device=GPU)
        mode.allow_non_fake_inputs = False
        with torch.no_grad(), OnDeviceOnly():
            return after(classifier._stained_answer(tiles))


@pytest.mark.parametrize("method", ["none", "per_slide", "per_tile"])
@pytest.mark.parametrize(
    ("name", "middle", "precision"),
    [("tiny", 16, "fp32"), ("tiny", 16, "bf16"), ("tiny", 16, "fp16"), ("resnet18", 256, "bf16")],
)
def test_stain_network_softmax_and_strangeness_never_wait_for_the_device(
    name, middle, precision, method
):
    card = CARD.model_copy(update={"architecture": Architecture(name=name, hidden=8)})
    network = fuse(network_for(card).eval(), DTYPES[precision])
    probabilities, strangeness, fallback = answer(network, middle, method)
    assert probabilities.shape == (TILES, 7)
    assert strangeness.shape == (TILES,)
    assert (probabilities.dtype, strangeness.dtype) == (torch.float32, torch.float32)
    assert (fallback is None) if method == "none" else (fallback.dtype == torch.bool)


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (lambda found: found[0].max().item(), DataDependentOutputException),
        (lambda found: found[0] if found[0].any() else None, DataDependentOutputException),
        (lambda found: found[0][found[2]], DynamicOutputShapeException),
        (lambda found: found[0].cpu(), AssertionError),
        (lambda found: found[0] * torch.tensor([2.0] * 7).to(GPU), AssertionError),
    ],
    ids=["item", "if", "selection", "copy back", "copy there"],
)
def test_what_would_wait_is_noticed(bad, error):
    network = fuse(network_for(CARD).eval())
    with pytest.raises(error):
        answer(network, 16, "per_slide", bad)
