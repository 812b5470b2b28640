import subprocess
import sys

import pytest
import torch

from napari_crlm_spa.core.classifier.resnet import RESNETS, ResNet


@pytest.mark.parametrize("name", RESNETS)
def test_torchvisions_weights_fit_and_mean_the_same(name):
    models = pytest.importorskip("torchvision.models")
    torch.manual_seed(0)
    theirs = getattr(models, name)(weights=None).eval()
    theirs.fc = torch.nn.Identity()
    ours = ResNet(*RESNETS[name]).eval()
    ours.load_state_dict(theirs.state_dict())
    pixels = torch.randn(2, 3, 96, 96)
    with torch.inference_mode():
        assert torch.allclose(ours(pixels), theirs(pixels), rtol=1e-5, atol=1e-5)


def test_random_weights_begin_with_the_spread_of_torchvisions():
    models = pytest.importorskip("torchvision.models")
    theirs = models.resnet50(weights=None).state_dict()
    ours = ResNet(*RESNETS["resnet50"]).state_dict()
    for name, weight in ours.items():
        if weight.ndim == 4:
            assert float(weight.std()) == pytest.approx(float(theirs[name].std()), rel=0.05), name
        else:
            assert torch.equal(weight, theirs[name]), name


def test_a_classifier_is_loaded_without_torchvision():
    code = "import sys, napari_crlm_spa.core.classifier.runtime as _;"
    code += "sys.exit('torchvision' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
