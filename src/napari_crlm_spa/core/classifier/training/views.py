"""Trunk features of varied tiles, computed once and kept until the head is trained.

With a frozen trunk the features of a tile never change: the trunk looks at each tile a few times,
once as it is and then varied, and every epoch of the head draws from these views. They are
written after each view, so a retraining that was killed goes on there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy as sn
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError

from napari_crlm_spa.core.classifier.network import TileNetwork
from napari_crlm_spa.core.classifier.predict import autocast, predict_features, training_dtype
from napari_crlm_spa.core.classifier.reference_set import as_half
from napari_crlm_spa.core.classifier.training.augment import augment
from napari_crlm_spa.core.classifier.training.recipe import TrainingOptions
from napari_crlm_spa.core.files import is_file, write_bytes
from napari_crlm_spa.core.progress import Progress

FEATURES_NAME = "features.safetensors"
_BATCH = 32
#: Views are seeded apart from each other, so that a resumed computation draws the same numbers.
_VIEW_SEEDS = 100_003


@dataclass(frozen=True, slots=True)
class ViewsJob:
    """What the features depend on.

    Parameters
    ----------
    network
        On `device`; its trunk is used.
    weights_sha256
        Hash of its weights.
    tiles
        uint8, shape (n, input_px, input_px, 3).
    options
        `views`, `augment`, `seed` and `precision` count.
    """

    network: TileNetwork
    weights_sha256: str
    tiles: NDArray[np.uint8]
    options: TrainingOptions
    device: torch.device

    @property
    def key(self) -> str:
        """Hash of trunk, tiles and the way they are varied."""
        options = self.options
        text = json.dumps([self.weights_sha256, options.augment, options.seed, options.precision])
        digest = hashlib.sha256(text.encode())
        digest.update(np.ascontiguousarray(self.tiles).tobytes())
        return digest.hexdigest()


def compute_views(job: ViewsJob, folder: Path) -> Generator[Progress, None, NDArray[np.float16]]:
    """Return features, shape (views, n, f); the first view is of the tiles as they are.

    Views that an earlier call left in `folder` are not computed again.
    """
    key, wanted, n = job.key, job.options.views, len(job.tiles)
    views = _load(folder / FEATURES_NAME, key)[:wanted]
    stage = "Looking at the tiles"
    while len(views) < wanted:
        parts = []
        generator = _generator(job.options.seed, len(views))
        for start in range(0, n, _BATCH):
            tiles = job.tiles[start : start + _BATCH]
            parts.append(_features(job, tiles, None if not views else generator))
            yield Progress(stage, len(views) * n + start + len(tiles), wanted * n, "tiles")
        views.append(np.concatenate(parts))
        tensors = {f"view_{i:03d}": view for i, view in enumerate(views)}
        write_bytes(folder / FEATURES_NAME, sn.save(tensors, {"key": key}))
    return np.stack(views)


def remove_views(folder: Path) -> None:
    """Remove the kept features: the head is trained."""
    (folder / FEATURES_NAME).unlink(missing_ok=True)


def _features(
    job: ViewsJob, tiles: NDArray[np.uint8], generator: torch.Generator | None
) -> NDArray[np.float16]:
    if generator is None:
        return as_half(predict_features(job.network, tiles, job.device))
    pixels = torch.from_numpy(tiles).permute(0, 3, 1, 2).contiguous()
    varied = augment(pixels, job.options.augment, generator).to(job.device)
    dtype = training_dtype(job.device, job.options.precision)
    job.network.eval()
    with torch.inference_mode(), autocast(job.device, dtype):
        return as_half(job.network.features(varied).float().cpu().numpy())


def _generator(seed: int, view: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed * _VIEW_SEEDS + view)


def _load(path: Path, key: str) -> list[NDArray[np.float16]]:
    """Read the views of an earlier call; none if they are of other tiles, or damaged."""
    if not is_file(path):
        return []
    try:
        with safetensors.safe_open(path, "np") as file:
            if (file.metadata() or {}).get("key") != key:
                return []
            return [file.get_tensor(name) for name in sorted(file.keys())]
    except (SafetensorError, OSError):
        return []
