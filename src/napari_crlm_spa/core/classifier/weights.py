"""Weights as safetensors: written small, checked against the card, never unpickled."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import safetensors.torch as st
import torch
from safetensors import SafetensorError
from torch import Tensor

from napari_crlm_spa.core.classifier.card import (
    WEIGHTS_NAME,
    load_card,
    model_folder,
    save_card,
)
from napari_crlm_spa.core.classifier.network import TileNetwork, network_for
from napari_crlm_spa.core.files import write_bytes
from napari_crlm_spa.errors import DamagedWeights

if TYPE_CHECKING:
    from napari_crlm_spa.core.classifier.card import ModelCard

#: The largest finite value of a 16-bit float.
_FP16_MAX = torch.finfo(torch.float16).max


def save_model(
    folder: Path, card: ModelCard, network: TileNetwork, *, half: bool = True
) -> ModelCard:
    """Write a model folder: weights first, then the card with their hash.

    Parameters
    ----------
    half
        Store matrices as 16-bit floats (half the size); biases and the statistics of the batch
        normalization stay 32 bits.

    Returns
    -------
    ModelCard
        The card as written, with ``sha256``.
    """
    state = {name: _packed(value, half) for name, value in network.state_dict().items()}
    data = st.save(state)
    write_bytes(folder / WEIGHTS_NAME, data)
    written = card.model_copy(update={"sha256": hashlib.sha256(data).hexdigest()})
    save_card(folder, written)
    return written


def load_model(model: str | Path = "default") -> tuple[ModelCard, TileNetwork]:
    """Read a model: its card, and the network in evaluation mode, 32 bits, on the CPU.

    Parameters
    ----------
    model
        ``"default"``, or the path of a model folder, as in `model_folder`.

    Raises
    ------
    ModelNotFound
        If there is no such model.
    InvalidModelCard
        If the card is missing or wrong.
    DamagedWeights
        If the weights are missing, truncated, or not those that the card describes.
    """
    folder = model_folder(model)
    card = load_card(folder)
    network = network_for(card)
    load_weights(folder / WEIGHTS_NAME, card, network)
    network.eval()
    return card, network


def load_weights(path: Path, card: ModelCard, network: TileNetwork) -> None:
    """Fill a network with the weights at `path` after comparing them with the card."""
    data = _read(path)
    if hashlib.sha256(data).hexdigest() != card.sha256:
        raise DamagedWeights(
            f"{path} is not the file that its card describes (the SHA-256 differs): it is damaged "
            "or was exchanged. Copy the model folder again."
        )
    try:
        state = st.load(data)
        del data
        # 16 bits become 32 on their way into the network, one matrix after the other.
        network.load_state_dict(state)
    except (SafetensorError, RuntimeError) as error:
        raise DamagedWeights(
            f"{path} does not fit the network {card.architecture.name} with "
            f"{len(card.classes)} classes that its card describes. Card and weights must come "
            "from the same training."
        ) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DamagedWeights(
            f"{path} cannot be read ({error.strerror or error}). "
            "A model folder needs its weights beside the card; copy the folder again."
        ) from error


def _packed(value: Tensor, half: bool) -> Tensor:
    value = value.detach().cpu().contiguous()
    if half and value.dtype == torch.float32 and value.ndim >= 2:
        return value.clamp(-_FP16_MAX, _FP16_MAX).half()
    return value
