"""8 bits: calibrated on tiles; a network with 8-bit convolutions run by PyTorch's own oneDNN.

Post-training quantization as in Jacob et al., CVPR 2018: weights are 8-bit with a scale per
output channel, what flows between the convolutions is 8-bit unsigned with a scale per tensor,
sums are 32-bit. The first convolution of a ResNet (its input is signed and coarse) and the head
stay in floating point; both are small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from napari_crlm_spa.core.classifier.fused import Block, Convolution, FusedNetwork

LEVELS = 255
_WEIGHT_LEVELS = 127
_BATCH = 16


@dataclass(frozen=True, slots=True)
class Scaling:
    """How 8-bit numbers q stand for real ones: ``(q - zero) * scale``."""

    scale: float
    zero: int

    @classmethod
    def of(cls, low: float, high: float) -> Scaling:
        """Cover a range and 0, which must stay exact: convolutions pad with it."""
        low, high = min(low, 0.0), max(high, 0.0)
        scale = max(high - low, 1e-6) / LEVELS
        return cls(scale, round(-low / scale))

    @property
    def ends(self) -> tuple[float, float]:
        """The real numbers that 0 and 255 stand for."""
        return -self.zero * self.scale, (LEVELS - self.zero) * self.scale

    def pack(self, x: Tensor) -> Tensor:
        """Return the 8-bit numbers nearest to `x`, which may be overwritten."""
        whole = x.float().mul_(1 / self.scale).add_(self.zero).round_()
        return whole.clamp_(0, LEVELS).to(torch.uint8)


@dataclass(slots=True)
class Seen:
    """What calibration saw of a convolution: range of its results, shape of its input."""

    low: float = 0.0
    high: float = 0.0
    shape: tuple[int, ...] = ()

    def look(self, x: Tensor, y: Tensor) -> None:
        """Take in what came in and what went out."""
        self.low, self.high = min(self.low, float(y.min())), max(self.high, float(y.max()))
        self.shape = self.shape or tuple(x.shape)

    @property
    def scaling(self) -> Scaling:
        """Covers all results."""
        return Scaling.of(self.low, self.high)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What flows through a network, as tiles showed it.

    Parameters
    ----------
    entering
        Of what the first stage sees.
    seen
        Of the results of each convolution of the stages.
    """

    entering: Seen
    seen: dict[nn.Module, Seen]

    @classmethod
    @torch.inference_mode()
    def of(cls, fused: FusedNetwork, tiles: Tensor) -> Calibration:
        """Look at tiles.

        Parameters
        ----------
        fused
            The network in 32 bits, on the CPU.
        tiles
            Shape (n, tile_px, tile_px, 3), uint8.
        """
        entering = Seen()
        seen: dict[nn.Module, Seen] = {each: Seen() for each in fused.convolutions()}

        def look(module: nn.Module, given: tuple[Tensor, ...], result: Tensor) -> None:
            seen[module].look(given[0], result)

        handles = [convolution.register_forward_hook(look) for convolution in seen]
        try:
            for start in range(0, len(tiles), _BATCH):
                x = fused.enter(tiles[start : start + _BATCH])
                entering.look(x, x)
                for stage in fused.stages:
                    x = stage(x)
        finally:
            for handle in handles:
                handle.remove()
        return cls(entering, seen)


def short_weight(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return 8-bit weights and the size of a step per output channel, shape (out,).

    Parameters
    ----------
    weight
        Shape (out, in, height, width), float32.
    """
    scales = weight.abs().amax(dim=(1, 2, 3)).clamp(min=1e-8) / _WEIGHT_LEVELS
    return torch.round(weight / scales.view(-1, 1, 1, 1)).to(torch.int8), scales


class QuantizedConvolution(nn.Module):
    """A `Convolution` of 8-bit numbers."""

    def __init__(
        self,
        convolution: Convolution,
        given: Scaling,
        seen: Seen,
        added: Scaling | None = None,
    ) -> None:
        super().__init__()
        whole, self.scales = short_weight(convolution.weight.float())
        self.zeros = torch.zeros_like(self.scales, dtype=torch.int32)
        self.bias = convolution.bias.float()
        self.given, self.result, self.added = given, seen.scaling, added
        self.relu = "relu" if convolution.relu else "none"
        self.where = (
            convolution.stride,
            convolution.padding,
            convolution.dilation,
            convolution.groups,
        )
        self.packed = torch.ops.onednn.qconv_prepack(
            whole, self.scales, given.scale, given.zero, *self.where, list(seen.shape)
        )

    def forward(self, x: Tensor, added: Tensor | None = None) -> Tensor:
        """Return 8-bit numbers; `added` may be overwritten."""
        given = (x, self.given.scale, self.given.zero, self.packed, self.scales, self.zeros)
        wanted: tuple[Any, ...] = (self.result.scale, self.result.zero, torch.uint8)
        ops = torch.ops.onednn
        result: Tensor
        if added is None:
            result = ops.qconv2d_pointwise(
                *given, self.bias, *self.where, *wanted, self.relu, [], ""
            )
        else:
            assert self.added is not None
            accumulated = (self.added.scale, self.added.zero, "sum", 1.0)
            result = ops.qconv2d_pointwise.binary(
                *given, added, self.bias, *self.where, *wanted, *accumulated, self.relu, [], ""
            )
        return result


class QuantizedNetwork(nn.Module):
    """Tiles in; logits and the trunk's middle out, as `FusedNetwork` does.

    Parameters
    ----------
    fused
        The network in 32 bits, on the CPU.
    outer
        The same in the number format in which the first convolution shall be done.
    calibration
        Of `fused`.
    """

    def __init__(self, fused: FusedNetwork, outer: FusedNetwork, calibration: Calibration) -> None:
        super().__init__()
        self.outer = outer
        self.head = outer.head
        given = self.entering = calibration.entering.scaling
        stages, ends = [], []
        for stage in fused.stages:
            ends.append(given)
            blocks = []
            for block in stage.children():
                assert isinstance(block, Block)
                quantized, given = _quantized(block, given, calibration.seen)
                blocks.append(quantized)
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.middle, self.end = ends[-1], given

    def forward(self, tiles: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (n, classes) and the averaged input of the last stage (n, g), float32."""
        x = self.entering.pack(self.outer.enter(tiles))
        x = x.contiguous(memory_format=torch.channels_last)
        for stage in self.stages[:-1]:
            x = stage(x)
        middle = _averaged(x, self.middle)
        logits: Tensor = self.head(_averaged(self.stages[-1](x), self.end))
        return logits, middle


def why_no_int8() -> str:
    """Say why 8-bit convolutions would gain nothing or go wrong on this CPU; empty if they don't.

    Without VNNI instructions sums of 8-bit products overflow at 16 bits.
    """
    supported = getattr(torch.cpu, "_is_vnni_supported", None)
    supported = supported or getattr(torch.cpu, "_is_avx512_vnni_supported", None)
    if supported is None or not bool(supported()):
        return "this processor has no instructions for 8-bit numbers (AVX-512 VNNI or AMX)"
    if not hasattr(torch.ops.onednn, "qconv2d_pointwise"):
        return f"PyTorch {torch.__version__} has no 8-bit convolutions"
    return ""


def _quantized(block: Block, given: Scaling, seen: dict[nn.Module, Seen]) -> tuple[Block, Scaling]:
    """Return a block of 8-bit convolutions, and the scaling of what goes out."""
    came_in = added = given
    shortcut = None
    if isinstance(block.shortcut, Convolution):
        of_shortcut = seen[block.shortcut]
        shortcut = QuantizedConvolution(block.shortcut, came_in, of_shortcut)
        added = of_shortcut.scaling
    body: list[nn.Module] = []
    for convolution in block.body:
        assert isinstance(convolution, Convolution)
        last = block.residual and convolution is block.body[-1]
        body.append(
            QuantizedConvolution(convolution, given, seen[convolution], added if last else None)
        )
        given = seen[convolution].scaling
    return Block(body, shortcut, residual=block.residual), given


def _averaged(x: Tensor, scaling: Scaling) -> Tensor:
    return (x.float().mean(dim=(2, 3)) - scaling.zero) * scaling.scale
