"""Everything a training needs to go on after a kill, in one safetensors file.

Tensors are stored by name, everything else as JSON in the file's metadata; written atomically
after each epoch. Nothing is pickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch as st
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.optim import Optimizer

from napari_crlm_spa.core.classifier.training.history import EpochRecord
from napari_crlm_spa.core.files import write_bytes
from napari_crlm_spa.errors import TrainingError

CHECKPOINT_NAME = "checkpoint.safetensors"


@dataclass(slots=True)
class Checkpoint:
    """What is known after an epoch."""

    fingerprint: str
    history: list[EpochRecord]
    finished: bool
    tensors: dict[str, Tensor]


def save_checkpoint(
    folder: Path,
    fingerprint: str,
    history: list[EpochRecord],
    modules: Mapping[str, nn.Module],
    optimizer: Optimizer,
) -> None:
    """Write the state of modules and optimizer after an epoch."""
    tensors = {
        f"{prefix}/{name}": value.detach().contiguous()
        for prefix, module in modules.items()
        for name, value in module.state_dict().items()
    }
    for index, state in optimizer.state_dict()["state"].items():
        for name, value in state.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer/{index}/{name}"] = value.detach().contiguous()
    _write(folder, fingerprint, history, finished=False, tensors=tensors)


def mark_finished(folder: Path, fingerprint: str, history: list[EpochRecord]) -> None:
    """Replace the checkpoint by a small one: nothing is left to do, its tensors are not needed."""
    _write(folder, fingerprint, history, finished=True, tensors={})


def _write(
    folder: Path,
    fingerprint: str,
    history: list[EpochRecord],
    *,
    finished: bool,
    tensors: dict[str, Tensor],
) -> None:
    record = {
        "fingerprint": fingerprint,
        "finished": finished,
        "history": [asdict(item) for item in history],
    }
    write_bytes(folder / CHECKPOINT_NAME, st.save(tensors, {"training": json.dumps(record)}))


def load_checkpoint(folder: Path, fingerprint: str) -> Checkpoint | None:
    """Read a checkpoint; None if there is none.

    Raises
    ------
    TrainingError
        If it is damaged, or belongs to a training with other tiles or options.
    """
    path = folder / CHECKPOINT_NAME
    if not path.is_file():
        return None
    try:
        with safetensors.safe_open(path, "pt") as file:
            record = json.loads(file.metadata()["training"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        history = [EpochRecord(**item) for item in record["history"]]
        finished = bool(record["finished"])
        other = record["fingerprint"] != fingerprint
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise TrainingError(
            f"The checkpoint {path} is damaged. Remove it to start afresh."
        ) from error
    if other:
        raise TrainingError(
            f"{folder} holds a training with other tiles or options. Choose another folder with "
            f"-o, or remove {CHECKPOINT_NAME} in it to start afresh."
        )
    return Checkpoint(fingerprint, history, finished, tensors)


def restore(checkpoint: Checkpoint, modules: Mapping[str, nn.Module], optimizer: Optimizer) -> None:
    """Put a checkpoint's state back into modules and optimizer."""
    for prefix, module in modules.items():
        module.load_state_dict(_under(checkpoint.tensors, prefix))
    state: dict[int, dict[str, Any]] = {}
    for key, value in _under(checkpoint.tensors, "optimizer").items():
        index, name = key.split("/")
        state.setdefault(int(index), {})[name] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    start = f"{prefix}/"
    return {name[len(start) :]: value for name, value in tensors.items() if name.startswith(start)}
