"""The network of the paper: a residual trunk, two fully connected layers, dropout after each.

Qi et al., iScience 2023;26:107702: ResNet-50, two fully connected layers, each followed by
dropout, softmax. The paper gives no widths; we read its softmax as an output layer of its own,
since dropout right before a softmax would zero whole classes. Smaller trunks are allowed; the
card says which one it is. Tiles enter as bytes; scaling and the average pooling to the
resolution of the trunk are part of the network, so that only bytes travel to a GPU.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_crlm_spa.core.classifier.card import Architecture, Normalization
from napari_crlm_spa.core.classifier.resnet import RESNETS, ResNet

if TYPE_CHECKING:
    from napari_crlm_spa.core.classifier.card import ModelCard

_TINY_FEATURES = 32


class TileNetwork(nn.Module):
    """Tiles in, logits out.

    Parameters
    ----------
    architecture
        Trunk, width of the head and dropout.
    n_classes
        Number of outputs.
    input_px, tile_px
        Side of what the trunk sees and of the tiles handed in; the second is a whole multiple of
        the first.
    normalization
        Channel means and standard deviations on the scale 0-1.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        architecture: Architecture,
        n_classes: int,
        input_px: int,
        tile_px: int,
        normalization: Normalization,
    ) -> None:
        super().__init__()
        self.tile_px, self.pooling = tile_px, tile_px // input_px
        self.n_classes = n_classes
        self.trunk, features = _build_trunk(architecture.name)
        self.n_features = features
        self.head = nn.Sequential(
            nn.Linear(features, architecture.hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(architecture.dropout),
            nn.Linear(architecture.hidden, architecture.hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(architecture.dropout),
            nn.Linear(architecture.hidden, n_classes),
        )
        scale = torch.tensor(255.0)
        mean = torch.tensor(normalization.mean).view(1, 3, 1, 1) * scale
        std = torch.tensor(normalization.std).view(1, 3, 1, 1) * scale
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("std", std, persistent=False)

    def forward(self, tiles: Tensor) -> Tensor:
        """Return logits (n, classes) of tiles (n, tile_px, tile_px, 3), uint8 or float 0-255."""
        return self.logits(self._pixels(tiles))

    def forward_staged(self, tiles: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits as `forward` does and, from the same pass, `stages`' first."""
        middle, features = self.stages(self._pixels(tiles))
        head: Tensor = self.head(features)
        return head, middle

    def _pixels(self, tiles: Tensor) -> Tensor:
        pixels = tiles.permute(0, 3, 1, 2).to(self.mean.dtype)
        return functional.avg_pool2d(pixels, self.pooling) if self.pooling > 1 else pixels

    def logits(self, pixels: Tensor) -> Tensor:
        """Return logits of pixels (n, 3, input_px, input_px), float 0-255, already averaged."""
        head: Tensor = self.head(self.features(pixels))
        return head

    def features(self, pixels: Tensor) -> Tensor:
        """Return the trunk's features (n, f) of pixels as in `logits`."""
        trunk: Tensor = self.trunk((pixels - self.mean) / self.std)
        return trunk

    def stages(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the averaged output of the last stage but one, (n, g), and `features`, (n, f)."""
        entered: list[Tensor] = []
        hook = last_block(self).register_forward_pre_hook(lambda _, given: entered.append(given[0]))
        with hook:
            features = self.features(pixels)
        return entered[0].float().mean(dim=(2, 3)), features


def build_network(
    architecture: Architecture,
    n_classes: int,
    input_px: int = 224,
    tile_px: int = 224,
    normalization: Normalization | None = None,
) -> TileNetwork:
    """Build an untrained network.

    Its random weights come from torch's global generator: seed it first where that matters.
    """
    return TileNetwork(architecture, n_classes, input_px, tile_px, normalization or Normalization())


def network_for(card: ModelCard) -> TileNetwork:
    """Build the network that a card describes, with random weights."""
    return build_network(
        card.architecture, len(card.classes), card.input_px, card.tile_px, card.normalization
    )


def last_block(network: TileNetwork) -> nn.Module:
    """Return the last stage of the trunk, which the paper's recipe trains beside the head."""
    trunk = network.trunk
    stage = getattr(trunk, "layer4", None)
    if isinstance(stage, nn.Module):
        return stage
    assert isinstance(trunk, nn.Sequential)
    return trunk[-3]


def _build_trunk(name: str) -> tuple[nn.Module, int]:
    if name == "tiny":
        return _tiny_trunk(), _TINY_FEATURES
    trunk = ResNet(*RESNETS[name])
    return trunk, trunk.n_features


def _tiny_trunk() -> nn.Sequential:
    """Three small convolutions: for trials and tests, not for science."""
    stages: list[nn.Module] = []
    channels = 3
    for width in (8, 16, _TINY_FEATURES):
        block = nn.Sequential(
            nn.Conv2d(channels, width, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )
        stages.append(block)
        channels = width
    return nn.Sequential(*stages, nn.AdaptiveAvgPool2d(1), nn.Flatten())
