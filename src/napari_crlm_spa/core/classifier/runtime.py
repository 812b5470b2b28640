"""A loaded classifier: device, number format, batch size, and what happens out of memory."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from napari_crlm_spa.core.classifier.card import ModelCard
from napari_crlm_spa.core.classifier.inference import ClassifyOptions, TilePredictions
from napari_crlm_spa.core.classifier.network import TileNetwork
from napari_crlm_spa.core.classifier.reference_set import read_reference_set
from napari_crlm_spa.core.classifier.strangeness import KnownTissue
from napari_crlm_spa.core.classifier.weights import load_model
from napari_crlm_spa.errors import DeviceError

logger = logging.getLogger(__name__)

#: First guess of the batch size where none is asked for. A CPU gains nothing from more, and a
#: small batch answers Cancel sooner.
CPU_BATCH = 16
GPU_BATCH = 256


@dataclass(slots=True)
class Classifier:
    """A network on a device.

    Parameters
    ----------
    card
        What the model is.
    network
        Takes uint8 tiles (n, px, px, 3), returns logits.
    device
        Where it runs.
    dtype
        Number format of its arithmetic.
    batch_size
        Tiles per batch; halved whenever the device runs out of memory.
    known
        Tells how unlike the training tiles a tile looks; None where the model cannot.
    """

    card: ModelCard
    network: TileNetwork
    device: torch.device
    dtype: torch.dtype
    batch_size: int
    known: KnownTissue | None = None
    halvings: int = field(default=0, init=False)

    def predict(self, tiles: NDArray[np.uint8]) -> TilePredictions:
        """Return class probabilities and strangeness, from one pass through the network.

        Parameters
        ----------
        tiles
            Stain-normalized RGB tiles, shape (n, tile_px, tile_px, 3), uint8.

        Returns
        -------
        TilePredictions
            Of each tile, in order.

        Raises
        ------
        DeviceError
            If not even a single tile fits into the device's memory.
        """
        parts: list[TilePredictions] = []
        start = 0
        while start < len(tiles):
            part = tiles[start : start + self.batch_size]
            try:
                parts.append(self._forward(part))
            except torch.OutOfMemoryError as error:
                self._halve(error)
                continue
            start += len(part)
        return TilePredictions(
            np.concatenate([part.probabilities for part in parts]),
            np.concatenate([part.strangeness for part in parts]),
        )

    def _forward(self, tiles: NDArray[np.uint8]) -> TilePredictions:
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32),
        ):
            batch = torch.from_numpy(np.ascontiguousarray(tiles)).to(self.device)
            if self.known is None:
                return TilePredictions.of(self._probabilities(self.network(batch)))
            logits, middle = self.network.forward_staged(batch)
            return TilePredictions(
                self._probabilities(logits), _numpy(self.known.strangeness(middle))
            )

    def _probabilities(self, logits: torch.Tensor) -> NDArray[np.float32]:
        return _numpy(torch.softmax(logits.float() / self.card.temperature, dim=1))

    def _halve(self, error: Exception) -> None:
        if self.batch_size == 1:
            raise DeviceError(
                f"{self.device} has too little free memory for a single tile of the model "
                f"{self.card.name}. Close other programs that use it, or choose --device cpu."
            ) from error
        self.batch_size = max(1, self.batch_size // 2)
        self.halvings += 1
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        logger.warning(
            "%s ran out of memory; going on with batches of %d tiles.", self.device, self.batch_size
        )


def load_classifier(
    model: str | Path = "default", options: ClassifyOptions | None = None
) -> Classifier:
    """Load a model and put it on a device.

    Parameters
    ----------
    model
        ``"default"``, or the folder of a model (card.json and weights.safetensors).
    options
        Device, precision and batch size.

    Raises
    ------
    ModelError
        If the model or the device cannot be used.
    """
    options = options or ClassifyOptions()
    device = choose_device(options.device)
    card, network = load_model(model)
    network = network.to(device=device)
    if device.type == "cuda":
        network = network.to(memory_format=torch.channels_last)
    known = _known_tissue(model, device)
    batch = options.batch_size or (GPU_BATCH if device.type != "cpu" else CPU_BATCH)
    dtype = choose_dtype(device, options.precision)
    return Classifier(card, network, device, dtype, batch, known)


def _known_tissue(model: str | Path, device: torch.device) -> KnownTissue | None:
    reference = read_reference_set(model)
    known = None if reference is None else KnownTissue.of(reference)
    return None if known is None else known.to(device)


def _numpy(values: torch.Tensor) -> NDArray[np.float32]:
    return np.asarray(values.cpu().numpy(), np.float32)


def choose_device(
    wanted: str,
    cuda: Callable[[], bool] = torch.cuda.is_available,
    mps: Callable[[], bool] = torch.backends.mps.is_available,
) -> torch.device:
    """Return the device to use: what is asked for, or the quickest there is.

    Raises
    ------
    DeviceError
        If the device asked for is not there.
    """
    there: dict[str, Callable[[], bool]] = {"cuda": cuda, "mps": mps, "cpu": lambda: True}
    if wanted == "auto":
        return torch.device(next(name for name, available in there.items() if available()))
    if not there[wanted]():
        raise DeviceError(
            f"This machine has no {wanted.upper()} device that PyTorch {torch.__version__} can "
            "use. Choose --device auto or --device cpu."
        )
    return torch.device(wanted)


def choose_dtype(device: torch.device, precision: str) -> torch.dtype:
    """Return the number format: bf16 where asked for or, on auto, where it is native."""
    if precision == "auto":
        native = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if native else torch.float32
    return torch.bfloat16 if precision == "bf16" else torch.float32


def describe_devices() -> str:
    """Say in words what PyTorch can use here."""
    words = f"PyTorch {torch.__version__} on the CPU with {torch.get_num_threads()} threads"
    if torch.cuda.is_available():
        memory_gb = torch.cuda.get_device_properties(0).total_memory / 1e9
        return f"{words}; {torch.cuda.get_device_name(0)} with {memory_gb:.0f} GB"
    if torch.backends.mps.is_available():
        return f"{words}; Apple GPU"
    return f"{words}; no GPU"
