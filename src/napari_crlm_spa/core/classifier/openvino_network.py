"""A network compiled by OpenVINO, an optional library that is quicker than PyTorch on many CPUs.

The graph is drawn from the `FusedNetwork`, and nothing is read from or written to disk. For 8 bits
the calibrated ranges are drawn into it as OpenVINO's FakeQuantize, from which it makes 8-bit
convolutions: the same quantization as in `int8.py`.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from threading import Lock
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from napari_crlm_spa.core.classifier.fused import Block, Convolution, FusedNetwork
from napari_crlm_spa.core.classifier.int8 import (
    LEVELS,
    Calibration,
    Scaling,
    short_weight,
)

#: Tiles that are computed at once; fewer are filled up. A graph of one size is quicker than one
#: that takes any.
BATCH = 16
_HINTS = {torch.float32: "f32", torch.bfloat16: "bf16"}


def openvino_version() -> str:
    """Return the version of OpenVINO that is installed; empty if none is."""
    try:
        return version("openvino")
    except PackageNotFoundError:
        return ""


class OpenVinoNetwork(nn.Module):
    """Tiles in; logits and the trunk's middle out, as `FusedNetwork` does.

    Parameters
    ----------
    fused
        The network in 32 bits, on the CPU.
    dtype
        Number format of the convolutions, or of the first one if there is a calibration.
    calibration
        Of `fused`: makes the other convolutions 8-bit.

    Raises
    ------
    ImportError, RuntimeError, AttributeError, TypeError
        If OpenVINO is absent, or cannot do it.
    """

    def __init__(
        self, fused: FusedNetwork, dtype: torch.dtype, calibration: Calibration | None = None
    ) -> None:
        super().__init__()
        # Only what comes before and after the graph: its weights live in OpenVINO.
        self.pixels, self.head = fused.pixels, fused.head
        self.compiled = _compile(_Drawing(fused, calibration).model, dtype, calibration)
        self._request = self.compiled.create_infer_request()
        self._one_at_a_time = Lock()

    def forward(self, tiles: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (n, classes) and the averaged input of the last stage (n, g), float32."""
        parts = [self._run(self.pixels(part)) for part in torch.split(tiles, BATCH)]
        features, middle = (torch.cat(answers) for answers in zip(*parts, strict=True))
        logits: Tensor = self.head(features)
        return logits, middle

    def _run(self, pixels: Tensor) -> tuple[Tensor, ...]:
        n = len(pixels)
        if n < BATCH:
            pixels = torch.cat([pixels, pixels.new_zeros(BATCH - n, *pixels.shape[1:])])
        with self._one_at_a_time:
            answer = self._request.infer([pixels.numpy()], share_inputs=True)
            return tuple(torch.from_numpy(answer[i][:n].copy()) for i in range(2))


class _Drawing:
    """The graph of a network: scaled pixels in, averaged features and middle out."""

    def __init__(self, fused: FusedNetwork, calibration: Calibration | None) -> None:
        self._calibration = calibration
        openvino, self._op = _openvino()
        side = fused.tile_px // fused.pixels.pooling
        pixels = self._op.parameter([BATCH, side, side, 3], np.float32)
        x = self._op.transpose(pixels, self._whole([0, 3, 1, 2]))
        if fused.stem is not None:
            x = self._op.relu(self._added(fused.stem, x, self._number(_numpy(fused.stem.weight))))
            x = self._op.max_pool(x, [2, 2], [1, 1], [1, 1], [1, 1], [3, 3]).output(0)
        if calibration is not None:
            x = self._short(x, calibration.entering.scaling)
        for stage in fused.stages:
            middle = x
            for block in stage.children():
                assert isinstance(block, Block)
                x = self._block(block, x)
        averaged = [self._op.reduce_mean(each, self._whole([2, 3])) for each in (x, middle)]
        self.model = openvino.Model(averaged, [pixels])

    def _block(self, block: Block, x: Any) -> Any:
        *body, last = block.body
        y = x
        for convolution in body:
            y = self._convolution(convolution, y)
        if not block.residual:
            return self._convolution(last, y)
        came_in = x if block.shortcut is None else self._convolution(block.shortcut, x)
        return self._convolution(last, y, came_in)

    def _convolution(self, module: nn.Module, x: Any, came_in: Any = None) -> Any:
        assert isinstance(module, Convolution)
        if self._calibration is None:
            weight = self._number(_numpy(module.weight))
        else:
            whole, scales = short_weight(module.weight)
            weight = self._op.convert(self._op.constant(whole.numpy()), "f32")
            weight = self._op.multiply(weight, self._number(_numpy(scales.view(-1, 1, 1, 1))))
        y = self._added(module, x, weight)
        if came_in is not None:
            y = self._op.add(y, came_in)
        if module.relu:
            y = self._op.relu(y)
        if self._calibration is not None:
            y = self._short(y, self._calibration.seen[module].scaling)
        return y

    def _added(self, of: Convolution, x: Any, weight: Any) -> Any:
        if of.groups != 1:
            raise NotImplementedError("convolutions in groups")
        y = self._op.convolution(x, weight, of.stride, of.padding, of.padding, of.dilation)
        return self._op.add(y, self._number(_numpy(of.bias.view(1, -1, 1, 1))))

    def _short(self, x: Any, scaling: Scaling) -> Any:
        ends = [self._number(end) for end in scaling.ends]
        return self._op.fake_quantize(x, *ends, *ends, LEVELS + 1)

    def _number(self, values: ArrayLike) -> Any:
        return self._op.constant(np.ascontiguousarray(values, np.float32))

    def _whole(self, values: list[int]) -> Any:
        return self._op.constant(np.array(values, np.int64))


def _compile(model: Any, dtype: torch.dtype, calibration: Calibration | None) -> Any:
    openvino, _ = _openvino()
    core = openvino.Core()
    wanted = {
        "INFERENCE_PRECISION_HINT": _HINTS[dtype],
        # OMP_NUM_THREADS, or what the process was given: PyTorch has found out.
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        # The reader threads run on the same processors.
        "ENABLE_CPU_PINNING": False,
    }
    if calibration is None:
        return core.compile_model(model, "CPU", wanted)
    # Without its code generator for small operations OpenVINO 2026 does the sum of a residual block
    # within the 8-bit convolution. The name is not promised to be stable.
    try:
        return core.compile_model(model, "CPU", {**wanted, "SNIPPETS_MODE": "DISABLE"})
    except RuntimeError:
        return core.compile_model(model, "CPU", wanted)


def _openvino() -> tuple[ModuleType, ModuleType]:
    """Return OpenVINO and its operators, imported when they are needed."""
    import openvino
    from openvino import opset13

    return openvino, opset13


def _numpy(tensor: Tensor) -> ArrayLike:
    return tensor.detach().float().numpy()
