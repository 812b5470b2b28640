"""What a training will do, settled before any tile is decoded."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from napari_crlm_spa.core.classes import ClassScheme, scheme_by_name
from napari_crlm_spa.core.classifier.card import (
    ModelCard,
    first_problem,
    load_card,
    model_folder,
)
from napari_crlm_spa.core.classifier.training.cache import TileCache
from napari_crlm_spa.core.classifier.training.data import (
    LabeledTile,
    LabeledTiles,
    find_tiles,
)
from napari_crlm_spa.core.classifier.training.describe import draft_card
from napari_crlm_spa.core.classifier.training.oddities import describe_tiles
from napari_crlm_spa.core.classifier.training.recipe import (
    HEAD_ONLY,
    TrainingOptions,
    parse_merge,
)
from napari_crlm_spa.core.classifier.training.split import split_tiles
from napari_crlm_spa.errors import TrainingError

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Plan:
    """Classes, tiles on either side, and the draft of the card."""

    scheme: ClassScheme
    train: list[LabeledTile]
    validation: list[LabeledTile]
    card: ModelCard
    notes: list[str] = field(default_factory=list)


def make_plan(folders: Sequence[Path], options: TrainingOptions) -> Plan:
    """Find the tiles, hold some back, draft the card.

    Raises
    ------
    TrainingError
        If there are no tiles of the scheme.
    """
    found = usable_tiles(folders, options)
    return plan_of(found.tiles, options, found.notes)


def usable_tiles(folders: Sequence[Path], options: TrainingOptions) -> LabeledTiles:
    """Find the tiles of the scheme, without those of the manifest's test split.

    Raises
    ------
    TrainingError
        If there are none.
    """
    scheme = scheme_by_name(options.scheme)
    found = find_tiles(folders, scheme, parse_merge(options.merge))
    usable = [tile for tile in found.tiles if tile.split != "test"]
    if not usable:
        raise TrainingError(
            f"There are no tiles of the scheme {scheme.name} to train on. Its classes are "
            f"{', '.join(scheme.names)}: name the folders so, or use --merge."
        )
    return LabeledTiles(scheme, usable, found.notes)


def plan_of(
    tiles: Sequence[LabeledTile], options: TrainingOptions, notes: Sequence[str] = ()
) -> Plan:
    """Hold some of the tiles back and draft the card.

    Raises
    ------
    TrainingError
        If the options make no model, e.g. tiles that cannot be averaged down evenly.
    """
    scheme = scheme_by_name(options.scheme)
    slides = [name.strip() for name in options.validation_slides.split(",") if name.strip()]
    tile_um = options.tile_px * options.mpp
    split = split_tiles(tiles, options.validation, options.seed, slides, tile_um)
    train = [tiles[i] for i in split.train]
    validation = [tiles[i] for i in split.validation]
    try:
        card = draft_card(options, scheme, train, validation, split.describe())
    except ValidationError as error:
        raise TrainingError(
            f"These options make no model: {first_problem(error)}. Change what is named."
        ) from error
    return Plan(scheme, train, validation, card, [*notes, *split.notes()])


def fingerprint_of(plan: Plan, options: TrainingOptions) -> str:
    """Hash of everything that the result depends on."""
    ignored = {"device", "tensorboard", *(HEAD_ONLY if options.train_part != "head" else ())}
    recipe = {name: value for name, value in options.as_dict().items() if name not in ignored}
    if options.init:
        card = load_card(model_folder(options.init))
        recipe["init"] = card.sha256
        if options.train_part == "head":
            recipe["reference"] = card.reference_sha256
    tiles = [
        [tile.path.parent.name, tile.path.name, tile.label]
        for tile in (*plan.train, *plan.validation)
    ]
    # Slides weigh in, too; where file names tell them, they are in the hash already.
    named = [tile.slide for tile in (*plan.train, *plan.validation) if not tile.is_named_by_file]
    text = json.dumps([recipe, len(plan.train), tiles, *([named] if named else [])], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def note_tiles(plan: Plan, train: TileCache, held: TileCache) -> None:
    """Add what a user should know of the tiles to the notes, and log all notes."""
    plan.notes += describe_tiles(plan.scheme.names, train, held)
    for note in plan.notes:
        logger.warning("%s", note)


def require_classes(scheme: ClassScheme, train: TileCache) -> None:
    """Refuse to train while a class has no tiles."""
    counts = np.bincount(train.labels, minlength=len(scheme))
    missing = [name for name, count in zip(scheme.names, counts, strict=True) if not count]
    if missing:
        raise TrainingError(
            f"There are no training tiles of {', '.join(missing)}. Add some, or hold back less "
            "with --validation."
        )
