"""Logits and features of tiles that already have the trunk's resolution, as training holds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_crlm_spa.core.classifier.network import TileNetwork

_BATCH = 64


def predict_logits(
    network: TileNetwork,
    tiles: NDArray[np.uint8],
    device: torch.device,
    dtype: torch.dtype = torch.float32,
) -> NDArray[np.float32]:
    """Return logits, shape (n, classes), of tiles (n, input_px, input_px, 3).

    The network is left in the mode (training or evaluation) in which it was.
    """
    parts = list(_batches(network, network.logits, tiles, device, dtype))
    return np.concatenate(parts) if parts else np.empty((0, network.n_classes), np.float32)


def predict_features(
    network: TileNetwork,
    tiles: NDArray[np.uint8],
    device: torch.device,
    dtype: torch.dtype = torch.float32,
) -> NDArray[np.float32]:
    """Return the trunk's features, shape (n, f), of tiles as in `predict_logits`."""
    parts = list(_batches(network, network.features, tiles, device, dtype))
    return np.concatenate(parts) if parts else np.empty((0, network.n_features), np.float32)


def predict_stages(
    network: TileNetwork, tiles: NDArray[np.uint8], device: torch.device
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return, for tiles as in `predict_logits`, both parts of `TileNetwork.stages`."""
    sizes: list[int] = []

    def side_by_side(pixels: Tensor) -> Tensor:
        middle, features = network.stages(pixels)
        sizes.append(middle.shape[1])
        return torch.cat([middle, features], dim=1)

    parts = list(_batches(network, side_by_side, tiles, device, torch.float32))
    if not parts:
        return np.empty((0, 0), np.float32), np.empty((0, network.n_features), np.float32)
    both = np.concatenate(parts)
    return both[:, : sizes[0]], both[:, sizes[0] :]


def _batches(
    network: TileNetwork,
    answer: Callable[[Tensor], Tensor],
    tiles: NDArray[np.uint8],
    device: torch.device,
    dtype: torch.dtype,
) -> Iterator[NDArray[np.float32]]:
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode(), autocast(device, dtype):
            for start in range(0, len(tiles), _BATCH):
                batch = torch.from_numpy(np.ascontiguousarray(tiles[start : start + _BATCH]))
                pixels = batch.permute(0, 3, 1, 2).to(device).float()
                yield answer(pixels).float().cpu().numpy()
    finally:
        network.train(was_training)


def autocast(device: torch.device, dtype: torch.dtype) -> torch.autocast:
    """Return the context in which the arithmetic is done in `dtype`."""
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)


def training_dtype(device: torch.device, precision: str) -> torch.dtype:
    """Return the number format: bf16 where asked for or, on auto, where the hardware has it."""
    if precision == "auto":
        return torch.bfloat16 if _has_bf16(device) else torch.float32
    return torch.bfloat16 if precision == "bf16" else torch.float32


def _has_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # torch names the question differently between versions; no answer means no.
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return device.type == "cpu" and supported is not None and bool(supported())
