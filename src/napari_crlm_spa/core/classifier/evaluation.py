"""Judging a model on labeled tiles."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

from napari_crlm_spa.core.classifier.metrics import Evaluation, evaluate
from napari_crlm_spa.core.classifier.predict import predict_logits
from napari_crlm_spa.core.classifier.runtime import choose_device
from napari_crlm_spa.core.classifier.training.cache import load_tiles
from napari_crlm_spa.core.classifier.training.data import find_tiles
from napari_crlm_spa.core.classifier.training.recipe import parse_merge
from napari_crlm_spa.core.classifier.weights import load_model
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.errors import TrainingError


def evaluate_model(
    model: str | Path,
    data: Path | Sequence[Path],
    *,
    split: str = "test",
    stain: str = "",
    merge: str = "TUM_SARCOMA=TUM",
    device: str = "auto",
) -> Generator[Progress, None, Evaluation]:
    """Classify labeled tiles and compare.

    Parameters
    ----------
    model
        ``"default"`` or a model folder.
    data
        Folders of labeled tiles, as for training.
    split
        Which tiles: train, validation or test; folders without a manifest are all train.
    stain
        Stain method; empty takes the card's. ``per_slide`` estimates a slide's stain from its
        tiles of this split.
    merge
        Folders that count as another class.
    device
        Where the network runs.

    Returns
    -------
    Evaluation
        Confusion, recalls, by slide.

    Raises
    ------
    TrainingError
        If there are no such tiles.
    """
    card, network = load_model(model)
    folders = [data] if isinstance(data, Path) else list(data)
    found = find_tiles(folders, card.scheme, parse_merge(merge))
    tiles = found.of_split(split)
    if not tiles:
        raise TrainingError(
            f"There are no {split} tiles of the scheme {card.scheme_name} in "
            f"{', '.join(str(folder) for folder in folders)}."
        )
    method = stain or card.stain.method
    cache = yield from load_tiles(tiles, card.tile_px, card.input_px, (method,))
    where = choose_device(device)
    logits = predict_logits(network.to(where), cache.variants[method], where)
    yield Progress("Classifying", len(cache), len(cache), "tiles")
    return evaluate(cache.labels, logits / card.temperature, cache.slides, card.classes)
