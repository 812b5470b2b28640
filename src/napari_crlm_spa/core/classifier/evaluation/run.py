"""Letting a model predict labeled tiles, and judging it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from napari_crlm_spa.core.classifier.card import ModelCard
from napari_crlm_spa.core.classifier.devices import choose_device
from napari_crlm_spa.core.classifier.evaluation.judgement import Judgement, judging
from napari_crlm_spa.core.classifier.evaluation.options import EvaluationOptions
from napari_crlm_spa.core.classifier.network import TileNetwork
from napari_crlm_spa.core.classifier.predict import predict_logits
from napari_crlm_spa.core.classifier.predictions import Predictions, relative_paths
from napari_crlm_spa.core.classifier.training.cache import TileCache, load_tiles
from napari_crlm_spa.core.classifier.training.data import LabeledTile, LabeledTiles, find_tiles
from napari_crlm_spa.core.classifier.training.oddities import describe_broken
from napari_crlm_spa.core.classifier.training.recipe import parse_merge
from napari_crlm_spa.core.classifier.weights import load_model
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.errors import DeviceError, EvaluationError

#: Tiles between two reports of progress.
_STEP = 128


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ModelEvaluation:
    """A model judged on labeled tiles.

    Parameters
    ----------
    card
        Of the model, as it was judged.
    judgement
        Figures and predictions.
    split
        Which tiles: unseen, train, validation, test or all.
    folders
        Where the tiles lie.
    stain
        The stain method that was used.
    fair
        Shape (n,), bool: photographed, and neither of a slide that the model was trained on nor
        of the test split; a temperature may be fitted on these.
    notes
        What was left out or must be known of the tiles.
    """

    card: ModelCard
    judgement: Judgement
    split: str
    folders: tuple[Path, ...]
    stain: str
    fair: NDArray[np.bool_]
    notes: tuple[str, ...]


def evaluate_model(
    model: str | Path, data: Path | Sequence[Path], options: EvaluationOptions | None = None
) -> Generator[Progress, None, ModelEvaluation]:
    """Classify labeled tiles and compare.

    Parameters
    ----------
    model
        ``"default"`` or a model folder.
    data
        Folders of labeled tiles, as for training.
    options
        Which tiles, how prepared, how judged. ``per_slide`` estimates a slide's stain from its
        tiles of this split.

    Yields
    ------
    Progress
        Reading, classifying, judging.

    Returns
    -------
    ModelEvaluation
        Predictions and figures.

    Raises
    ------
    EvaluationError
        If there are no such tiles.
    TrainingError
        If a folder or manifest cannot be used.
    ModelError
        If the model or the device cannot be used.
    """
    options = options or EvaluationOptions()
    card, network = load_model(model)
    device = choose_device(options.device)
    folders = (data,) if isinstance(data, Path) else tuple(data)
    found = find_tiles(folders, card.scheme, parse_merge(options.merge))
    split, tiles = _chosen(found, options.split, card)
    if not tiles:
        raise EvaluationError(_no_tiles(found, split, folders))
    stain = card.stain.method if options.stain == "card" else options.stain
    cache = yield from load_tiles(tiles, card.tile_px, card.input_px, (stain,))
    logits = yield from _classify(network.to(device), cache.variants[stain], device)
    predictions = predictions_of(cache, logits, card.classes, folders)
    judgement = yield from judging(predictions, card.temperature, options)
    return ModelEvaluation(
        card=card,
        judgement=judgement,
        split=split,
        folders=folders,
        stain=stain,
        fair=_fair(tiles, cache, card),
        notes=tuple(_notes(found, tiles, cache, card)),
    )


def predictions_of(
    cache: TileCache,
    logits: NDArray[np.float32],
    class_names: Sequence[str],
    folders: Sequence[Path],
) -> Predictions:
    """Put logits, shape (n, k), beside the truth of the tiles that they were computed from."""
    return Predictions(
        tuple(class_names),
        relative_paths(cache.paths, folders),
        tuple(cache.slides),
        cache.labels,
        logits,
    )


def is_seen(tile: LabeledTile, card: ModelCard) -> bool:
    """Whether a tile is of a slide that the model was trained on.

    A block that a manifest holds back of such a slide counts as unseen.
    """
    held_back = tile.by_block and tile.split != "train"
    return tile.slide in card.training_data.slides and not held_back


def _is_fair(tile: LabeledTile, card: ModelCard) -> bool:
    """Whether a tile may be tuned on: unseen, photographed, and not of the test split."""
    return tile.split != "test" and not tile.drawn and not is_seen(tile, card)


def _chosen(found: LabeledTiles, split: str, card: ModelCard) -> tuple[str, list[LabeledTile]]:
    unseen = [tile for tile in found.tiles if _is_fair(tile, card)]
    if split == "auto":
        split = "test" if found.of_split("test") else "unseen" if unseen else "all"
    choices = {"unseen": unseen, "all": found.tiles}
    return split, choices[split] if split in choices else found.of_split(split)


def _no_tiles(found: LabeledTiles, split: str, folders: Sequence[Path]) -> str:
    where = ", ".join(folder.name or str(folder) for folder in folders)
    there = Counter(tile.split for tile in found.tiles)
    if not there:
        return (
            f"There are no tiles of the scheme {found.scheme.name} in {where}. Its classes are "
            f"{', '.join(found.scheme.names)}: name the folders so, or use --merge."
        )
    counts = ", ".join(f"{name} ({there[name]})" for name in sorted(there))
    if split == "unseen":
        return (
            f"All tiles in {where} ({counts}) are of slides that the model was trained on, or of "
            "the test split. Pass tiles of other slides, or choose with --split."
        )
    return (
        f"There are no {split} tiles in {where}; there are {counts}. Choose one with --split "
        "(folders without a manifest are all train), or --split all."
    )


def _classify(
    network: TileNetwork, tiles: NDArray[np.uint8], device: torch.device
) -> Generator[Progress, None, NDArray[np.float32]]:
    parts = []
    for start in range(0, len(tiles), _STEP):
        yield Progress("Classifying", start, len(tiles), "tiles")
        try:
            parts.append(predict_logits(network, tiles[start : start + _STEP], device))
        except torch.OutOfMemoryError as error:
            raise DeviceError(
                f"{device} has too little free memory for this model. Close other programs that "
                "use it, or choose --device cpu."
            ) from error
    yield Progress("Classifying", len(tiles), len(tiles), "tiles")
    return np.concatenate(parts) if parts else np.empty((0, network.n_classes), np.float32)


def _fair(tiles: Sequence[LabeledTile], cache: TileCache, card: ModelCard) -> NDArray[np.bool_]:
    fair = {tile.path for tile in tiles if _is_fair(tile, card)}
    return np.array([path in fair for path in cache.paths], bool)


def _notes(
    found: LabeledTiles, tiles: Sequence[LabeledTile], cache: TileCache, card: ModelCard
) -> Iterator[str]:
    yield from found.notes
    yield from describe_broken(cache)
    drawn = sum(tile.drawn for tile in tiles)
    if drawn:
        yield f"{drawn} of {len(tiles)} tiles are drawn, not photographed: they say little."
    seen = Counter(tile.slide for tile in tiles if is_seen(tile, card))
    if seen:
        names = ", ".join(f"{slide} ({count})" for slide, count in sorted(seen.items()))
        yield (
            f"{seen.total()} of {len(tiles)} tiles are of slides that the model was trained on, so "
            f"the figures flatter: {names}."
        )
