"""In which number format a network computes, and why; a quick one must agree with 32 bits."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_crlm_spa.core.classifier.engine import Engine
from napari_crlm_spa.core.classifier.int8 import why_no_int8

#: Tiles of a slide on which an 8-bit network is calibrated, and others on which a quick network is
#: compared with 32 bits (our assumptions: docs/methods/precision.md).
CALIBRATION_TILES = 32
CHECK_TILES = 100
#: The class of so large a share of them must be the same.
LEAST_AGREEMENT = 0.99

DTYPES = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
    "int8": torch.uint8,
}
#: Numbers of 16 bits: quick on GPUs, and compared with 32 bits for models that are not ours.
HALF = ("bf16", "fp16")
#: NVIDIA GPUs multiply matrices of fp16 numbers in circuits of their own from this version on.
_TENSOR_CORES = (7, 0)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a quick network answers, beside the same in 32 bits.

    Parameters
    ----------
    tiles
        Tiles that were compared.
    same_class
        Share of them with the same most probable class.
    max_difference
        Largest difference of a probability.
    """

    tiles: int
    same_class: float
    max_difference: float

    @classmethod
    def between(cls, quick: NDArray[np.float32], exact: NDArray[np.float32]) -> Agreement:
        """Compare probabilities, shape (n, classes)."""
        same = quick.argmax(axis=1) == exact.argmax(axis=1)
        return cls(len(exact), float(same.mean()), float(np.abs(quick - exact).max()))

    @property
    def suffices(self) -> bool:
        """Whether the quick one may be used."""
        return self.same_class >= LEAST_AGREEMENT

    def in_words(self) -> str:
        """Return, for example, "the same class as 32 bits for 99.0 % of 100 tiles"."""
        return f"the same class as 32 bits for {100 * self.same_class:.1f} % of {self.tiles} tiles"


@dataclass(frozen=True, slots=True)
class Precision:
    """The number format of a run.

    Parameters
    ----------
    asked, used
        ``"auto"`` (only asked), ``"fp32"``, ``"bf16"``, ``"fp16"`` or ``"int8"``.
    why
        A sentence.
    checked
        What was measured on tiles of the slide; None where nothing was.
    fell_back
        Whether another format is used than was asked for; `why` is then for the user to read.
    engine
        What computes in it.
    """

    asked: str
    used: str
    why: str
    checked: Agreement | None = None
    fell_back: bool = False
    engine: Engine = field(default_factory=Engine)

    @property
    def dtype(self) -> torch.dtype:
        """Number format of the arithmetic."""
        return DTYPES[self.used]

    def as_dict(self) -> dict[str, Any]:
        """Return what ``run.json`` keeps."""
        return dataclasses.asdict(self)


#: Of a network that nobody has changed.
AS_TRAINED = Precision("fp32", "fp32", "It was asked for.")


def choose_precision(device: torch.device, asked: str) -> Precision:
    """Return the number format to begin with.

    On ``"int8"`` this is the quickest other one: 8 bits need tiles to be calibrated on. So it is
    on ``"fp16"`` on a CPU, where it would be slow.

    Parameters
    ----------
    device
        Where the network runs.
    asked
        ``"auto"``, ``"fp32"``, ``"bf16"``, ``"fp16"`` or ``"int8"``.
    """
    if asked in ("fp32", "bf16") or (asked == "fp16" and device.type != "cpu"):
        return Precision(asked, asked, "It was asked for.")
    quickest = _quickest(device, asked)
    if asked == "fp16":
        return fall_back(quickest, quickest.used, "fp16 is for GPUs")
    if asked != "int8":
        return quickest
    why_not = why_no_int8() if device.type == "cpu" else "8 bits are for CPUs"
    why = why_not or "the network was not calibrated on tiles"
    return fall_back(quickest, quickest.used, why)


def _quickest(device: torch.device, asked: str) -> Precision:
    kind = _kind(device)
    if has_bf16(device):
        return Precision(asked, "bf16", f"This {kind} computes in bf16.")
    if _is_quick_in_fp16(device):
        return Precision(asked, "fp16", f"This {kind} computes in fp16, and in bf16 it does not.")
    return Precision(asked, "fp32", f"This {kind} has no bf16 instructions.")


def fall_back(
    precision: Precision, used: str, why: str, checked: Agreement | None = None
) -> Precision:
    """Return another format with the reason in words.

    Parameters
    ----------
    precision
        What was asked for; if that is ``"auto"``, what it came to.
    used
        The format instead.
    why
        The end of a sentence.
    checked
        What was measured of the one that was given up.
    """
    wanted = precision.used if precision.asked == "auto" else precision.asked
    sentence = f"The network computes in {used} instead of {wanted}: {why}."
    return dataclasses.replace(precision, used=used, why=sentence, checked=checked, fell_back=True)


def has_bf16(device: torch.device) -> bool:
    """Tell whether a device computes in bf16 natively."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # torch names the questions differently between versions; no answer means no.
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    asked = [getattr(torch.cpu, name, None) for name in names]
    return device.type == "cpu" and any(bool(question()) for question in asked if question)


def _is_quick_in_fp16(device: torch.device) -> bool:
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= _TENSOR_CORES


def _kind(device: torch.device) -> str:
    return "processor" if device.type == "cpu" else "GPU"
