"""Model folders for the comparison, and a crop of the slide: made once, kept in a folder.

Without a trained model the trunk is random, its residual branches damped so that rounding does not
grow from block to block, and the head tells two groups apart by that which differs most among the
features of tiles of the slide, plain and stained, where few tiles lie between them. So the
histogram of classes shows whether two programs did the same work, and 16 and 8 bits tell the
classes apart as in a trained network.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
import tifffile
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional
from torchvision.models.resnet import Bottleneck

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.card import Architecture, ModelCard, load_card
from napari_crlm_spa.core.classifier.network import TileNetwork, network_for
from napari_crlm_spa.core.classifier.weights import load_model, save_model
from napari_crlm_spa.core.slide import open_slide
from napari_crlm_spa.core.slide.convert import convert_to_pyramid
from napari_crlm_spa.core.stain import StainNormalizer, StainOptions
from napari_crlm_spa.core.tiles import (
    TileState,
    TilingOptions,
    blank_fraction,
    plan_tiles,
    read_tile,
)

_SEED = 0
_FIT_TILES, _PROBE_TILES = 96, 4
#: Weight of a residual branch beside the shortcut, and steps in which the head is trained.
_DAMPED, _STEPS = 0.05, 100
#: Between these shares of the tiles, in order of what differs most, two groups part.
_TAIL = (0.8, 0.97)
_HIDDEN = {"tiny": 32}


def sample_tiles(slide: Path, mpp: float | None, count: int = _FIT_TILES) -> NDArray[np.uint8]:
    """Return tiles with tissue, evenly spread over the slide: (n, 224, 224, 3)."""
    options = TilingOptions()
    with open_slide(slide, mpp=mpp) as opened:
        grid = plan_tiles(opened, options)
        places = grid.pending()
        chosen = places[:: max(1, len(places) // (2 * count))]
        tiles = np.stack([read_tile(opened, grid, int(row), int(col)) for row, col in chosen])
    return tiles[blank_fraction(tiles, options) < options.blank_max][:count]


def random_model(folder: Path, name: str, slide: Path, mpp: float | None) -> Path:
    """Write a model folder with random weights of the trunk `name`, unless it is there."""
    if not (folder / "probe.safetensors").exists():
        tiles = sample_tiles(slide, mpp)
        torch.manual_seed(_SEED)
        card = ModelCard(
            name=f"random {name}",
            scheme_name=CRLM7.name,
            classes=CRLM7.names,
            architecture=Architecture(name=name, hidden=_HIDDEN.get(name, 512)),
        )
        network = network_for(card)
        stained, _ = StainNormalizer(StainOptions(method="per_tile")).normalize(tiles)
        _fit(network, torch.from_numpy(np.concatenate([tiles, stained])))
        folder.mkdir(parents=True, exist_ok=True)
        save_model(folder, card, network, half=False)
        _add_probe(folder, network, tiles)
    return folder


def trained_model(folder: Path, model: str, slide: Path, mpp: float | None) -> Path:
    """Copy a trained model and add what the peers' scripts need."""
    card, network = load_model(model)
    target = folder / card.sha256[:16]
    if not (target / "probe.safetensors").exists():
        shutil.copytree(Path(model), target, dirs_exist_ok=True)
        _add_probe(target, network, sample_tiles(slide, mpp, _PROBE_TILES))
    return target


def architecture(folder: Path) -> str:
    """Name the trunk of a model folder."""
    return load_card(folder).architecture.name


def crop(slide: Path, target: Path, side_px: int, mpp: float) -> Path:
    """Write the part of a slide that has most tissue as a pyramid of its own, unless it is there.

    Its corner lies on the grid of tiles, its side is at most `side_px`.
    """
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with open_slide(slide, mpp=mpp) as opened, tempfile.TemporaryDirectory() as scratch:
            grid = plan_tiles(opened, TilingOptions())
            tile_px = grid.stride_um / mpp
            row, col = _densest(grid.state == TileState.PENDING, max(1, int(side_px / tile_px)))
            left, top = round(col * tile_px), round(row * tile_px)
            width, height = opened.info.width_px - left, opened.info.height_px - top
            part = opened.read_level(0, left, top, min(side_px, width), min(side_px, height))
            plain = Path(scratch) / "part.tif"
            tifffile.imwrite(plain, part)
            for _ in convert_to_pyramid(plain, target, mpp=mpp):
                pass
    return target


def _densest(tissue: NDArray[np.bool_], side: int) -> tuple[int, int]:
    """Return (row, column) of the square window with most tissue."""
    window = (min(side, tissue.shape[0]), min(side, tissue.shape[1]))
    counts = np.lib.stride_tricks.sliding_window_view(tissue, window).sum(axis=(2, 3))
    row, col = np.unravel_index(int(counts.argmax()), counts.shape)
    return int(row), int(col)


def _fit(network: TileNetwork, tiles: torch.Tensor) -> None:
    """Set batch statistics and train the head to tell groups of tiles apart."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # a plain mean over all batches
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if isinstance(module, Bottleneck):
            nn.init.constant_(module.bn3.weight, _DAMPED)
    with torch.no_grad():
        network.train()
        for batch in tiles[:: max(1, len(tiles) // 32)].split(16):
            network(batch)
        network.eval()
        floats = [batch.permute(0, 3, 1, 2).float() for batch in tiles.split(16)]
        features = torch.cat([network.features(batch) for batch in floats])
        # The first half are the tiles without stain normalization.
        first, plain = network.head[0], slice(len(features) // 2)
        places = _look_along_what_differs_most(first, features, plain)
    groups = torch.bucketize(places, _few_apart(places[plain]))
    optimizer = torch.optim.Adam(network.head[1:].parameters(), lr=3e-3)
    for _ in range(_STEPS):
        optimizer.zero_grad()
        functional.cross_entropy(network.head(features), groups).backward()
        optimizer.step()


def _look_along_what_differs_most(
    first: nn.Module, features: torch.Tensor, among: slice
) -> torch.Tensor:
    """Let the head's first layer see the first principal component alone; return it, scaled to 1.

    There the tiles differ a hundred times more than 8 or 16 bits blur.
    """
    assert isinstance(first, nn.Linear)
    middle = features[among].mean(dim=0)
    direction = torch.linalg.svd(features[among] - middle, full_matrices=False)[2][0]
    places = (features - middle) @ direction
    scale = places[among].std()
    signs = torch.sign(torch.randn(len(first.weight)))
    first.weight.copy_(signs[:, None] * direction / scale)
    first.bias.copy_(-first.weight @ middle + 4 * torch.rand(len(first.weight)) - 2)
    return places / scale


def _few_apart(places: torch.Tensor) -> torch.Tensor:
    """Return where the tiles of the longer tail part from the others: at the widest gap there."""
    if ((places - places.mean()) ** 3).mean() < 0:
        return -_few_apart(-places)
    first, last = (int(share * len(places)) for share in _TAIL)
    ordered = places.sort().values[first:last]
    at = int(ordered.diff().argmax())
    return ((ordered[at] + ordered[at + 1]) / 2).reshape(1)


def _add_probe(folder: Path, network: TileNetwork, tiles: NDArray[np.uint8]) -> None:
    """Store tiles with the logits of our network."""
    probe = torch.from_numpy(np.ascontiguousarray(tiles[:_PROBE_TILES]))
    with torch.inference_mode():
        logits = network.eval()(probe)
    save_file({"tiles": probe, "logits": logits.contiguous()}, folder / "probe.safetensors")
