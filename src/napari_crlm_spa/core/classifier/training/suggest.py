"""Which preset suits a training that says no more than what to start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_crlm_spa.core.classifier.card import ModelCard, load_card, model_folder
from napari_crlm_spa.core.classifier.training.data import find_tiles
from napari_crlm_spa.core.classifier.training.recipe import (
    TrainingOptions,
    fixed_by,
    parse_merge,
)

#: Up to so many new tiles the head alone is retrained (our assumption): some minutes on a CPU.
HEAD_ALONE_MAX = 2000


def suggest_preset(folders: Sequence[Path], given: Mapping[str, Any]) -> tuple[str, str]:
    """Choose a preset by the model to start from and the number of tiles.

    Parameters
    ----------
    folders
        The labeled tiles.
    given
        Training options that were asked for, by name.

    Returns
    -------
    str
        ``modern`` without a model to start from, or where it tells other classes apart; else
        ``retrain`` (the head alone) for few tiles and ``finetune`` (all of it) for many.
    str
        A sentence for the user; empty where nothing was decided.
    """
    if not given.get("init"):
        return "modern", ""
    card = load_card(model_folder(given["init"]))
    if card.scheme_name != given.get("scheme", card.scheme_name):
        return "modern", ""
    part = given.get("train_part")
    if part == "head":
        return "retrain", ""
    if part is not None:
        return "finetune", ""
    tiles = _count(folders, card, given)
    fixed = fixed_by(card)
    if all(given.get(name, value) == value for name, value in fixed.items()) and (
        tiles <= HEAD_ALONE_MAX
    ):
        return "retrain", (
            f"{tiles} new tiles are few: only the head of {card.name} is retrained. "
            "--train-part all trains everything."
        )
    return "finetune", (
        f"All of {card.name} is trained, slowly; --train-part head trains its head alone."
    )


def _count(folders: Sequence[Path], card: ModelCard, given: Mapping[str, Any]) -> int:
    merge = parse_merge(given.get("merge", TrainingOptions().merge))
    found = find_tiles(folders, card.scheme, merge)
    return sum(tile.split != "test" for tile in found.tiles)
