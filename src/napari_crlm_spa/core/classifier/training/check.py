"""What can be checked after more than the head of a model was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from numpy.typing import NDArray

from napari_crlm_spa.core.classifier.predict import predict_logits
from napari_crlm_spa.core.classifier.training.cache import TileCache
from napari_crlm_spa.core.classifier.training.compare import Comparison, Judged, compare
from napari_crlm_spa.core.classifier.training.recipe import TrainingOptions
from napari_crlm_spa.core.classifier.weights import load_model

if TYPE_CHECKING:
    import numpy as np

    from napari_crlm_spa.core.classifier.card import ModelCard


_UNSEEN = (
    "More than the head has changed, so the reference set of {name} no longer fits: what the model "
    "forgot of slides that are not among these tiles cannot be seen. Train on the old tiles, too, "
    "or the head alone (--train-part head)."
)


def check_start(
    card: ModelCard,
    held: TileCache,
    after: NDArray[np.float32],
    options: TrainingOptions,
    device: torch.device,
) -> tuple[Comparison | None, list[str]]:
    """Compare a trained model with the one that it started from, on the tiles held back.

    Parameters
    ----------
    after
        Logits of the trained model, shape (n, classes).

    Returns
    -------
    Comparison or None
        None where there is nothing to compare: no such model, other classes or another
        preparation of the tiles, no tiles held back.
    list of str
        What cannot be seen, and which class got worse.
    """
    if not options.init:
        return None, []
    start_card, start = load_model(options.init)
    if start_card.classes != card.classes:
        return None, []
    elsewhere = set(start_card.training_data.slides) - set(card.training_data.slides)
    notes = [_UNSEEN.format(name=start_card.name)] if elsewhere else []
    same = (start_card.stain, start_card.tile_px, start_card.input_px) == (
        card.stain,
        card.tile_px,
        card.input_px,
    )
    if not same or not len(held):
        return None, notes
    before = predict_logits(start.to(device), held.variants[options.stain], device)
    judged = Judged(held.labels, before, after)
    comparison = compare(judged, None, card.classes, options.margin)
    return comparison, comparison.warnings() + notes
