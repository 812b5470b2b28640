"""One fold of a cross-validation: train without the held-out tiles, then classify them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from napari_crlm_spa.core.classifier.card import ModelCard
from napari_crlm_spa.core.classifier.devices import choose_device
from napari_crlm_spa.core.classifier.predict import predict_logits
from napari_crlm_spa.core.classifier.predictions import (
    Predictions,
    read_predictions,
    relative_paths,
    write_predictions,
)
from napari_crlm_spa.core.classifier.training.cache import TileCache, load_tiles
from napari_crlm_spa.core.classifier.training.checkpoint import load_checkpoint
from napari_crlm_spa.core.classifier.training.data import LabeledTile
from napari_crlm_spa.core.classifier.training.folds import Fold
from napari_crlm_spa.core.classifier.training.history import EpochRecord
from napari_crlm_spa.core.classifier.training.loop import train_planned
from napari_crlm_spa.core.classifier.training.oddities import describe_broken
from napari_crlm_spa.core.classifier.training.plan import Plan, fingerprint_of, plan_of
from napari_crlm_spa.core.classifier.training.recipe import TrainingOptions
from napari_crlm_spa.core.classifier.weights import load_model
from napari_crlm_spa.core.files import is_file, write_text
from napari_crlm_spa.core.progress import Progress

#: In a fold's folder: its held-out tiles, and the mark that it is complete.
HELD_OUT_NAME = "held-out.csv"
RECORD_NAME = "fold.json"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FoldResult:
    """What a fold left behind.

    Parameters
    ----------
    fold
        Which tiles.
    folder
        Model folder of the fold, with its held-out predictions.
    predictions
        Of the held-out tiles; logits before any temperature.
    temperature
        Of the fold's model: fitted on tiles that were held back inside the fold, else as the
        options say, or 1.
    history
        One record an epoch; its validation is the one inside the fold.
    notes
        What was left out.
    """

    fold: Fold
    folder: Path
    predictions: Predictions
    temperature: float
    history: list[EpochRecord]
    notes: list[str]


@dataclass(frozen=True, slots=True, eq=False)
class FoldRun:
    """A fold that is to be done, or was.

    Parameters
    ----------
    fold
        Which tiles.
    count
        How many folds there are.
    plan
        Training and inner validation tiles, and the card.
    held_out
        Tiles to judge.
    folders
        Where the tiles lie, so that the table needs not tell.
    folder
        The fold's model folder.
    options
        The recipe.
    """

    fold: Fold
    count: int
    plan: Plan
    held_out: list[LabeledTile]
    folders: tuple[Path, ...]
    folder: Path
    options: TrainingOptions

    @property
    def steps(self) -> int:
        """Tiles that the network will see in training; none if the fold is finished."""
        return 0 if self.is_finished() else self.options.epochs * len(self.plan.train)

    def is_finished(self) -> bool:
        """Whether the same training with the same held-out tiles is complete on disk."""
        path = self.folder / RECORD_NAME
        if not (is_file(path) and is_file(self.folder / HELD_OUT_NAME)):
            return False
        try:
            return bool(json.loads(path.read_text(encoding="utf-8"))["identity"] == self._identity)
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def refuse_other(self) -> None:
        """Refuse a folder that holds a training with other tiles or options."""
        load_checkpoint(self.folder, fingerprint_of(self.plan, self.options))

    def run(self) -> Generator[Progress, None, FoldResult]:
        """Train and classify, unless that is done; `Progress` counts this fold alone."""
        if not self.is_finished():
            trained = yield from train_planned(self.plan, self.folder, self.options)
            yield from self._judge(trained.card, trained.notes)
        record = json.loads((self.folder / RECORD_NAME).read_text(encoding="utf-8"))
        checkpoint = load_checkpoint(self.folder, fingerprint_of(self.plan, self.options))
        return FoldResult(
            fold=self.fold,
            folder=self.folder,
            predictions=read_predictions(self.folder / HELD_OUT_NAME),
            temperature=float(record["temperature"]),
            history=checkpoint.history if checkpoint else [],
            notes=list(record["notes"]),
        )

    def _judge(self, card: ModelCard, notes: Sequence[str]) -> Generator[Progress, None, None]:
        stain = (self.options.stain,)
        size = (self.options.tile_px, self.options.input_px)
        cache = yield from load_tiles(self.held_out, *size, stain, "Reading held-out tiles")
        predictions = self._predict(cache)
        write_predictions(self.folder / HELD_OUT_NAME, predictions, card.temperature)
        record = {
            "identity": self._identity,
            "temperature": card.temperature,
            "notes": [*notes, *describe_broken(cache)],
        }
        write_text(self.folder / RECORD_NAME, json.dumps(record, indent=2) + "\n")

    def _predict(self, cache: TileCache) -> Predictions:
        """Classify with the weights as they lie on disk."""
        device = choose_device(self.options.device)
        card, network = load_model(self.folder)
        logits = predict_logits(network.to(device), cache.variants[self.options.stain], device)
        paths = relative_paths(cache.paths, self.folders)
        return Predictions(card.classes, paths, tuple(cache.slides), cache.labels, logits)

    @property
    def _identity(self) -> str:
        """Hash of the training and the held-out tiles."""
        tiles = [[tile.path.parent.name, tile.path.name, tile.label] for tile in self.held_out]
        text = json.dumps([fingerprint_of(self.plan, self.options), tiles])
        return hashlib.sha256(text.encode()).hexdigest()


def fold_run(
    fold: Fold,
    count: int,
    tiles: Sequence[LabeledTile],
    folders: Sequence[Path],
    out_dir: Path,
    options: TrainingOptions,
) -> FoldRun:
    """Plan a fold: its training tiles are divided as in any training."""
    plan = plan_of([tiles[int(i)] for i in fold.train], options)
    data = plan.card.training_data
    split = f"Fold {fold.number} of {count} of a cross-validation, {_held(fold)}. {data.split}"
    data = data.model_copy(update={"split": split})
    plan = replace(plan, card=plan.card.model_copy(update={"training_data": data}))
    held_out = [tiles[int(i)] for i in fold.held_out]
    folder = out_dir / f"fold-{fold.number}"
    return FoldRun(fold, count, plan, held_out, tuple(folders), folder, options)


def _held(fold: Fold) -> str:
    parts = [f"slides {', '.join(fold.slides)}"] if fold.slides else []
    if fold.blocks:
        parts.append(f"a block of {', '.join(fold.blocks)} ({fold.dropped} tiles beside dropped)")
    return f"held out: {' and '.join(parts)}"
