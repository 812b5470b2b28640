"""What the script of every peer shares. Needs torch, torchvision and safetensors, not our package.

A script does its imports, reads its `Job`, loads the network, calls `work_begins`, works, and
ends with `report`. The caller measures the process as a whole; what was used up before
`work_begins` is the start-up.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
from torchvision import models, transforms

#: The last line of a script's output starts so.
RESULT = "RESULT "
#: Macenko's reference, torchstain's default: stains (channel, dye) and their 99th percentiles.
REFERENCE_STAINS = ((0.5626, 0.2159), (0.7201, 0.8012), (0.4062, 0.5581))
REFERENCE_STRENGTHS = (1.9705, 1.0308)
#: Largest difference of a logit between ours and the peer's copy of the network.
_LOGIT_TOLERANCE = 1e-2

#: When the caller started the process.
_began = float(os.environ.get("PEER_STARTED") or time.time())
_setup: dict[str, float] = {}


@dataclass(frozen=True)
class Job:
    """What a peer is asked to do."""

    slide: Path
    model: Path
    out: Path
    macenko: bool
    device: str
    workers: int
    batch_size: int
    mpp: float
    extra: list[str]

    @property
    def card(self) -> dict[str, Any]:
        return json.loads((self.model / "card.json").read_text("utf-8"))


def read_job() -> Job:
    parser = argparse.ArgumentParser()
    for name in ("slide", "model", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--macenko", action="store_true")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--mpp", type=float, required=True, help="the slide's pixel size")
    known, extra = parser.parse_known_args()
    return Job(**vars(known), extra=extra)


class PeerNetwork(nn.Module):
    """The network of a model folder, for pixels (n, 3, tile_px, tile_px) already normalized."""

    def __init__(self, card: dict[str, Any]) -> None:
        super().__init__()
        architecture = card["architecture"]
        hidden, dropout = architecture["hidden"], architecture["dropout"]
        self.pooling = card["tile_px"] // card["input_px"]
        self.trunk, features = _trunk(architecture["name"])
        self.head = nn.Sequential(
            nn.Linear(features, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden, len(card["classes"])),
        )

    def forward(self, pixels: Tensor) -> Tensor:
        """Return logits (n, classes)."""
        if self.pooling > 1:
            pixels = functional.avg_pool2d(pixels, self.pooling)
        logits: Tensor = self.head(self.trunk(pixels))
        return logits


def load_network(job: Job) -> PeerNetwork:
    """Load the weights and check that the outputs are those of our package."""
    network = PeerNetwork(job.card)
    state = load_file(job.model / "weights.safetensors")
    network.load_state_dict({name: value.float() for name, value in state.items()})
    network.eval()
    probe = load_file(job.model / "probe.safetensors")
    normalize = transform(job)
    pixels = torch.stack([normalize(tile.numpy()) for tile in probe["tiles"]])
    with torch.inference_mode():
        difference = (network(pixels) - probe["logits"]).abs().max().item()
    if not difference < _LOGIT_TOLERANCE:
        raise SystemExit(f"The network is not the same: a logit differs by {difference:.3g}")
    return network.to(job.device)


def transform(job: Job) -> transforms.Compose:
    """Scale and normalize a tile (rows, columns, 3) of bytes as the card says."""
    normalization = job.card["normalization"]
    return transforms.Compose(
        [
            transforms.ToTensor(),
            transforms.Normalize(normalization["mean"], normalization["std"]),
        ]
    )


def work_begins() -> None:
    """Imports are done and the network is loaded."""
    _setup["cpu_s"] = _cpu_s()
    _setup["wall_s"] = time.time() - _began


def report(classes: Iterable[int], **more: Any) -> None:
    """Say how many tiles of each class were found."""
    counts: dict[str, int] = {}
    for code in classes:
        counts[str(int(code))] = counts.get(str(int(code)), 0) + 1
    result = {
        "tiles": sum(counts.values()),
        "classes": dict(sorted(counts.items())),
        "setup": _setup,
        **more,
    }
    print("\n" + RESULT + json.dumps(result), flush=True)


def torchstain_normalizer() -> Any:
    """Return a function: tile of bytes in, tile of bytes out; tiles without stain stay."""
    from torchstain.torch.normalizers.macenko import TorchMacenkoNormalizer

    normalizer = TorchMacenkoNormalizer()

    def normalize(tile: Any) -> Any:
        pixels = torch.tensor(tile).permute(2, 0, 1).float()
        try:
            stained, _, _ = normalizer.normalize(I=pixels, stains=False)
        except RuntimeError:  # its matrix algebra fails
            return tile
        return stained.to(torch.uint8).numpy()

    return normalize


def _trunk(name: str) -> tuple[nn.Module, int]:
    if name == "tiny":
        return _tiny()
    trunk = getattr(models, name)(weights=None)
    features = int(trunk.fc.in_features)
    trunk.fc = nn.Identity()
    return trunk, features


def _tiny() -> tuple[nn.Module, int]:
    channels, stages = 3, []
    for width in (8, 16, 32):
        convolution = nn.Conv2d(channels, width, 3, stride=2, padding=1, bias=False)
        stages.append(nn.Sequential(convolution, nn.BatchNorm2d(width), nn.ReLU(inplace=True)))
        channels = width
    return nn.Sequential(*stages, nn.AdaptiveAvgPool2d(1), nn.Flatten()), channels


def _cpu_s() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
