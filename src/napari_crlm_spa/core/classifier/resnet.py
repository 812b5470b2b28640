"""Residual networks (He et al., CVPR 2016), in the form that PyTorch's weights are published for.

Parameters have the names of torchvision's networks and mean the same, so weights can be exchanged
(a test holds that). They stand here because importing torchvision takes as long as PyTorch itself,
at the start of every analysis.
"""

from __future__ import annotations

from torch import Tensor, nn

_STEM, _STAGES = 64, (64, 128, 256, 512)


def _conv(entering: int, leaving: int, side: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(entering, leaving, side, stride=stride, padding=side // 2, bias=False)


def _shortcut(entering: int, leaving: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and entering == leaving:
        return None
    return nn.Sequential(_conv(entering, leaving, 1, stride), nn.BatchNorm2d(leaving))


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions, and what came in added."""

    expansion = 1

    def __init__(self, entering: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv(entering, width, 3, stride), nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2, self.bn2 = _conv(width, width, 3), nn.BatchNorm2d(width)
        self.downsample = _shortcut(entering, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return a map of the same shape, or half as wide and high with a stride of 2."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += x if self.downsample is None else self.downsample(x)
        out: Tensor = self.relu(y)
        return out


class Bottleneck(nn.Module):
    """A 3 x 3 convolution between two of 1 x 1, and what came in added.

    The stride is that of the 3 x 3 convolution, as in all published weights, not of the first as in
    the article.
    """

    expansion = 4

    def __init__(self, entering: int, width: int, stride: int) -> None:
        super().__init__()
        leaving = width * self.expansion
        self.conv1, self.bn1 = _conv(entering, width, 1), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = _conv(width, width, 3, stride), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = _conv(width, leaving, 1), nn.BatchNorm2d(leaving)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(entering, leaving, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return a map of the same shape, or half as wide and high with a stride of 2."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        y += x if self.downsample is None else self.downsample(x)
        out: Tensor = self.relu(y)
        return out


class ResNet(nn.Module):
    """Pixels (n, 3, px, px) in, features (n, f) out; no classes.

    Parameters
    ----------
    block
        What the stages are made of.
    depths
        Blocks in each of the four stages.
    """

    def __init__(self, block: type[BasicBlock] | type[Bottleneck], depths: tuple[int, ...]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, _STEM, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(_STEM)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        channels = _STEM
        for number, (width, depth) in enumerate(zip(_STAGES, depths, strict=True), start=1):
            blocks = []
            for at in range(depth):
                blocks.append(block(channels, width, 2 if number > 1 and at == 0 else 1))
                channels = width * block.expansion
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
        self.n_features = channels
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                # He et al., ICCV 2015, by the channels that leave.
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Return the features, averaged over the last map."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for number in range(1, len(_STAGES) + 1):
            x = self.get_submodule(f"layer{number}")(x)
        return x.mean(dim=(2, 3))


#: Blocks and depths by name.
RESNETS: dict[str, tuple[type[BasicBlock] | type[Bottleneck], tuple[int, ...]]] = {
    "resnet18": (BasicBlock, (2, 2, 2, 2)),
    "resnet34": (BasicBlock, (3, 4, 6, 3)),
    "resnet50": (Bottleneck, (3, 4, 6, 3)),
}
