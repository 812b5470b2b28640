"""Which device a network runs on, and what this machine has."""

from __future__ import annotations

from collections.abc import Callable

import torch

from napari_crlm_spa.core.classifier.int8 import why_no_int8
from napari_crlm_spa.core.classifier.openvino_network import openvino_version
from napari_crlm_spa.core.classifier.precision import has_bf16
from napari_crlm_spa.errors import DeviceError


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


def describe_devices() -> str:
    """Say in words what the network can use here."""
    words = f"PyTorch {torch.__version__} on the CPU with {torch.get_num_threads()} threads"
    words += f" ({_formats()}), {_openvino()}"
    if torch.cuda.is_available():
        memory_gb = torch.cuda.get_device_properties(0).total_memory / 1e9
        return f"{words}; {torch.cuda.get_device_name(0)} with {memory_gb:.0f} GB"
    if torch.backends.mps.is_available():
        return f"{words}; Apple GPU"
    return f"{words}; no GPU"


def _formats() -> str:
    """Say which number formats the CPU is quick in."""
    bf16 = "bf16" if has_bf16(torch.device("cpu")) else "no bf16"
    return f"{bf16}, {'no int8' if why_no_int8() else 'int8'}"


def _openvino() -> str:
    version = openvino_version()
    return f"OpenVINO {version}" if version else "no OpenVINO"
