"""Which library runs the network: PyTorch, or on a CPU OpenVINO where it is there and quicker."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field

import torch

from napari_crlm_spa.core.classifier.openvino_network import openvino_version

#: Number formats in which OpenVINO is clearly quicker (docs/methods/precision.md).
_QUICKER_IN = ("bf16", "int8")
#: Processors on which that was measured.
_QUICKER_ON = ("x86_64", "amd64")
_TITLES = {"torch": "PyTorch", "openvino": "OpenVINO"}


@dataclass(frozen=True, slots=True)
class Engine:
    """What runs the network of a run.

    Parameters
    ----------
    asked, used
        ``"auto"`` (only asked), ``"torch"`` or ``"openvino"``.
    why
        A sentence.
    version
        Of `used`.
    fell_back
        Whether another one is used than was asked for, or than was chosen and failed; `why` is
        then for the user to read.
    """

    asked: str = "torch"
    used: str = "torch"
    why: str = "It was asked for."
    version: str = field(default_factory=lambda: str(torch.__version__))
    fell_back: bool = False

    @property
    def name(self) -> str:
        """For example "OpenVINO 2026.4.1"."""
        return f"{_TITLES[self.used]} {self.version}"

    @property
    def is_openvino(self) -> bool:
        """Whether it is not PyTorch."""
        return self.used == "openvino"

    def torch_instead(self, why: str) -> Engine:
        """Return PyTorch, with the end of a sentence that says why."""
        sentence = f"The network runs in PyTorch instead of OpenVINO: {why}."
        return Engine(self.asked, "torch", sentence, fell_back=True)


def choose_engine(asked: str, device: torch.device, number_format: str) -> Engine:
    """Return the engine to try.

    Parameters
    ----------
    asked
        ``"auto"``, ``"torch"`` or ``"openvino"``.
    device
        Where the network runs.
    number_format
        The format in which it computes: ``"fp32"``, ``"bf16"``, ``"fp16"`` or ``"int8"``.
    """
    if asked == "torch":
        return Engine()
    absent = _why_not(device)
    if asked == "openvino":
        wanted = Engine(asked, "openvino", version=openvino_version())
        return wanted.torch_instead(absent) if absent else wanted
    if absent:
        return Engine(asked, why=f"It needs nothing else: {absent}.")
    if number_format not in _QUICKER_IN or platform.machine().lower() not in _QUICKER_ON:
        return Engine(
            asked, why=f"OpenVINO is taken in {' and '.join(_QUICKER_IN)} on x86 processors only."
        )
    why = f"It is installed, and quicker than PyTorch in {number_format}."
    return Engine(asked, "openvino", why, openvino_version())


def _why_not(device: torch.device) -> str:
    if device.type != "cpu":
        return "OpenVINO is for CPUs here"
    if not openvino_version():
        return "OpenVINO is not installed; pip install 'napari-crlm-spa[cpu]' does that"
    return ""
