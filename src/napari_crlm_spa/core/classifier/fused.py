"""A network in the form in which it classifies: the same answers, fewer passes over memory.

Each batch normalization is folded into its convolution. On a CPU the sum and the ReLU after a
convolution are done by oneDNN while its result is still in the cache; elsewhere, and where this
PyTorch has no such operator, they are passes of their own. Training and evaluation keep the
`TileNetwork`.
"""

from __future__ import annotations

import copy
import logging

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from napari_crlm_spa.core.classifier.network import TileNetwork
from napari_crlm_spa.core.classifier.pixels import Pixels

logger = logging.getLogger(__name__)

#: Answers of a form may differ from those of the trained network by so much, relative to the
#: largest; a wrong operator differs by its whole size.
_MAX_DIFFERENCE = {torch.float32: 1e-3, torch.float16: 0.02, torch.bfloat16: 0.1}


class Convolution(nn.Module):
    """A convolution with its batch normalization, and the sum and ReLU that follow.

    Parameters
    ----------
    conv, norm
        In evaluation mode; both are left as they are.
    relu
        Whether a ReLU comes last.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, conv: nn.Conv2d, norm: nn.BatchNorm2d, *, relu: bool) -> None:
        super().__init__()
        folded = fuse_conv_bn_eval(conv, norm)
        assert folded.bias is not None
        self.register_buffer("weight", folded.weight.detach())
        self.register_buffer("bias", folded.bias.detach())
        self.stride, self.dilation = list(conv.stride), list(conv.dilation)
        self.padding, self.groups = [int(side) for side in conv.padding], conv.groups
        self.relu = relu
        self.onednn = False

    def forward(self, x: Tensor, added: Tensor | None = None) -> Tensor:
        """Return the result; `added`, of the result's shape, may be overwritten."""
        if self.onednn:
            return self._fused(x, added)
        y = functional.conv2d(
            x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )
        if added is not None:
            y = y.add_(added)
        return y.relu_() if self.relu else y

    def _fused(self, x: Tensor, added: Tensor | None) -> Tensor:
        where = (self.padding, self.stride, self.dilation, self.groups)
        last = "relu" if self.relu else "none"
        ops = torch.ops.mkldnn
        result: Tensor
        if added is None:
            result = ops._convolution_pointwise(x, self.weight, self.bias, *where, last, [], "")
        else:
            unary = last if self.relu else None
            result = ops._convolution_pointwise_.binary(
                added, x, self.weight, self.bias, *where, "add", 1.0, unary, [], None
            )
        return result


class Block(nn.Module):
    """Convolutions in a row; in a residual block what came in is added to the last.

    Parameters
    ----------
    body
        At least one.
    shortcut
        Fits what came in to the shape of what goes out; None takes it as it is.
    residual
        Whether anything is added.
    """

    def __init__(
        self, body: list[nn.Module], shortcut: nn.Module | None = None, *, residual: bool = True
    ) -> None:
        super().__init__()
        self.body = nn.ModuleList(body)
        self.shortcut = shortcut
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        """Return what goes out; `x` may be overwritten."""
        y = x
        for convolution in self.body[:-1]:
            y = convolution(y)
        if not self.residual:
            return self._last(y)
        return self._last(y, x if self.shortcut is None else self.shortcut(x))

    def _last(self, *given: Tensor) -> Tensor:
        result: Tensor = self.body[-1](*given)
        return result


class FusedNetwork(nn.Module):
    """Tiles in; logits and the trunk's middle out, from one pass.

    Parameters
    ----------
    network
        In evaluation mode, 32 bits, on the CPU; its weights are copied.
    """

    def __init__(self, network: TileNetwork) -> None:
        super().__init__()
        self.tile_px = network.tile_px
        self.pixels = Pixels(network)
        stem, stages = _parts(network.trunk)
        self.stem = stem
        self.stages = nn.ModuleList(nn.Sequential(*blocks) for blocks in stages)
        self.head = copy.deepcopy(network.head)

    def forward(self, tiles: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (n, classes) and the averaged input of the last stage (n, g), float32.

        Parameters
        ----------
        tiles
            Shape (n, tile_px, tile_px, 3), uint8.
        """
        x = self.enter(tiles)
        for stage in self.stages[:-1]:
            x = stage(x)
        # The last stage may overwrite what comes in.
        middle = _averaged(x)
        logits: Tensor = self.head(_averaged(self.stages[-1](x)))
        return logits, middle

    def enter(self, tiles: Tensor) -> Tensor:
        """Return what the first stage sees."""
        # Channels come last in memory.
        x: Tensor = self.pixels(tiles).permute(0, 3, 1, 2).to(self._dtype)
        if self.stem is None:
            return x
        stem = self.stem
        return functional.max_pool2d(stem(x.to(stem.weight.dtype)), 3, stride=2, padding=1)

    @property
    def _dtype(self) -> torch.dtype:
        first = next(module for module in self.modules() if isinstance(module, Convolution))
        return first.weight.dtype

    def convolutions(self) -> list[Convolution]:
        """Return all convolutions, in the order of the trunk."""
        return [module for module in self.modules() if isinstance(module, Convolution)]


def fuse(
    network: TileNetwork, dtype: torch.dtype = torch.float32, device: torch.device | None = None
) -> FusedNetwork:
    """Return a network's form for inference on a device.

    Parameters
    ----------
    network
        In evaluation mode, 32 bits, on the CPU; left as it is.
    dtype
        Number format of the convolutions. Scaling and head stay in 32 bits.
    device
        Where it shall run; None is the CPU.
    """
    fused = FusedNetwork(network)
    for convolution in fused.convolutions():
        weight = convolution.weight.to(dtype, memory_format=torch.channels_last)
        convolution.weight, convolution.bias = weight, convolution.bias.to(dtype)
    if device is None or device.type == "cpu":
        _use_onednn(fused, network, dtype)
        return fused
    return fused.to(device)


@torch.inference_mode()
def answers_alike(form: nn.Module, network: TileNetwork, dtype: torch.dtype, side: int) -> bool:
    """Tell whether a form of a network gives its logits and middle, on random tiles.

    Parameters
    ----------
    form
        On the CPU.
    network
        As it was trained.
    dtype
        Number format of the form.
    side
        Pixels of a tile.
    """
    tiles = torch.randint(0, 256, (2, side, side, 3), generator=torch.Generator().manual_seed(0))
    answers = zip(form(tiles.byte()), network.forward_staged(tiles), strict=True)
    apart = [float((ours - theirs).abs().max() / theirs.abs().max()) for ours, theirs in answers]
    # Asked this way round, since it may be nan.
    return all(difference < _MAX_DIFFERENCE[dtype] for difference in apart)


def _use_onednn(fused: FusedNetwork, network: TileNetwork, dtype: torch.dtype) -> None:
    """Take oneDNN's fused operators if this PyTorch has them and they answer as plain ones do."""
    if not bool(torch.backends.mkldnn.is_available()):  # type: ignore[no-untyped-call]
        return
    _switch(fused, on=True)
    try:
        alike = answers_alike(fused, network, dtype, network.pooling * 64)
    # Operators without a promise of stability: whatever goes wrong, there is the plain way.
    except (RuntimeError, AttributeError, TypeError, NotImplementedError) as error:
        logger.info("Fused convolutions are not used (%s).", error)
        _switch(fused, on=False)
        return
    if not alike:
        logger.info("Fused convolutions are not used: they answer otherwise than plain ones.")
        _switch(fused, on=False)


def _switch(fused: FusedNetwork, *, on: bool) -> None:
    for convolution in fused.convolutions():
        convolution.onednn = on


def _averaged(x: Tensor) -> Tensor:
    return x.float().mean(dim=(2, 3))


def _parts(trunk: nn.Module) -> tuple[Convolution | None, list[list[Block]]]:
    """Return the stem (followed by the max pooling of a ResNet) and the stages of a trunk."""
    if isinstance(trunk, nn.Sequential):
        stages = [child for child in trunk if isinstance(child, nn.Sequential)]
        return None, [[Block([_folded(s, 0, 1)], residual=False)] for s in stages]
    stem = Convolution(_conv(trunk.conv1), _norm(trunk.bn1), relu=True)
    names = ("layer1", "layer2", "layer3", "layer4")
    return stem, [[_residual(block) for block in getattr(trunk, name)] for name in names]


def _residual(block: nn.Module) -> Block:
    count = 3 if hasattr(block, "conv3") else 2
    body: list[nn.Module] = [
        Convolution(_conv(getattr(block, f"conv{i}")), _norm(getattr(block, f"bn{i}")), relu=True)
        for i in range(1, count + 1)
    ]
    down = block.downsample
    shortcut = _folded(down, 0, 1, relu=False) if isinstance(down, nn.Sequential) else None
    return Block(body, shortcut)


def _folded(parts: nn.Sequential, conv: int, norm: int, *, relu: bool = True) -> Convolution:
    return Convolution(_conv(parts[conv]), _norm(parts[norm]), relu=relu)


def _conv(module: object) -> nn.Conv2d:
    assert isinstance(module, nn.Conv2d)
    return module


def _norm(module: object) -> nn.BatchNorm2d:
    assert isinstance(module, nn.BatchNorm2d)
    return module
