"""The course of a training: read, split, run the epochs, keep the best, write the model."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_crlm_spa.core.classes import ClassScheme
from napari_crlm_spa.core.classifier.card import ModelCard, load_card, model_folder
from napari_crlm_spa.core.classifier.devices import choose_device
from napari_crlm_spa.core.classifier.metrics import (
    Evaluation,
    cross_entropy,
    evaluate,
    fit_temperature,
)
from napari_crlm_spa.core.classifier.network import TileNetwork, network_for
from napari_crlm_spa.core.classifier.predict import predict_logits
from napari_crlm_spa.core.classifier.reference_set import save_reference_set
from napari_crlm_spa.core.classifier.training.cache import STAIN_METHODS, TileCache, load_tiles
from napari_crlm_spa.core.classifier.training.check import check_start
from napari_crlm_spa.core.classifier.training.checkpoint import (
    load_checkpoint,
    mark_finished,
    restore,
    save_checkpoint,
)
from napari_crlm_spa.core.classifier.training.compare import Comparison, write_comparison
from napari_crlm_spa.core.classifier.training.course import TrainingResult, stalled
from napari_crlm_spa.core.classifier.training.history import EpochRecord
from napari_crlm_spa.core.classifier.training.known import reference_of
from napari_crlm_spa.core.classifier.training.oddities import describe_start
from napari_crlm_spa.core.classifier.training.plan import (
    Plan,
    fingerprint_of,
    make_plan,
    note_tiles,
    require_classes,
)
from napari_crlm_spa.core.classifier.training.recipe import TrainingOptions
from napari_crlm_spa.core.classifier.training.recorder import Recorder, require_tensorboard
from napari_crlm_spa.core.classifier.training.retrain import retrain_head
from napari_crlm_spa.core.classifier.training.start import refuse_replacing_start
from napari_crlm_spa.core.classifier.training.trainer import Trainer
from napari_crlm_spa.core.classifier.weights import load_model, save_model
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.errors import TrainingError

_JUDGING = "Judging the model"


def train_classifier(
    data: Path | Sequence[Path], out_dir: Path, options: TrainingOptions
) -> Generator[Progress, None, TrainingResult]:
    """Train a classifier on labeled tiles and write it as a model folder.

    A training that was killed goes on after its last finished epoch when it is called again
    with the same tiles and options, and ends with the same weights. After each epoch that is
    better than all before the model in `out_dir` is replaced, so closing the generator keeps the
    best so far.

    Parameters
    ----------
    data
        Folders with one folder of tiles per class, with or without ``manifest.csv``; tiles of the
        manifest's test split are not touched.
    out_dir
        Becomes the model folder.
    options
        The recipe.

    Yields
    ------
    Progress
        ``changed`` is an `EpochRecord` after each epoch.

    Returns
    -------
    TrainingResult
        Model folder, card, history and validation.

    Raises
    ------
    TrainingError
        If the tiles cannot be used, the training diverges, or `out_dir` holds another one.
    ModelError
        If the model to start from cannot be used.
    """
    folders = [data] if isinstance(data, Path) else list(data)
    return (yield from train_planned(make_plan(folders, options), out_dir, options))


def train_planned(
    plan: Plan, out_dir: Path, options: TrainingOptions
) -> Generator[Progress, None, TrainingResult]:
    """Train on tiles that were chosen already; else as `train_classifier`."""
    if options.train_part == "head":
        return (yield from retrain_head(plan, out_dir, options))
    if options.tensorboard:
        require_tensorboard()
    refuse_replacing_start(out_dir, options)
    fingerprint = fingerprint_of(plan, options)
    checkpoint = load_checkpoint(out_dir, fingerprint)
    methods = STAIN_METHODS if options.stain_mix > 0 else (options.stain,)
    size = (options.tile_px, options.input_px)
    train = yield from load_tiles(plan.train, *size, methods, "Reading training tiles")
    held = yield from load_tiles(
        plan.validation, *size, (options.stain,), "Reading validation tiles"
    )
    if options.init:
        plan.notes += describe_start(load_card(model_folder(options.init)), plan.card)
    note_tiles(plan, train, held)
    require_classes(plan.scheme, train)
    device = choose_device(options.device)
    history = list(checkpoint.history) if checkpoint else []
    if checkpoint is None or not checkpoint.finished:
        trainer = Trainer(_start_network(plan.card, options), options, train, device)
        if checkpoint:
            restore(checkpoint, trainer.modules, trainer.optimizer)
        for progress in _epochs(trainer, plan, held, options, history, out_dir):
            if isinstance(progress.changed, EpochRecord):
                save_checkpoint(out_dir, fingerprint, history, trainer.modules, trainer.optimizer)
            yield progress
    card, validation, comparison, notes = yield from _finish(out_dir, train, held, options, device)
    mark_finished(out_dir, fingerprint, history)
    yield Progress(_JUDGING, 3, 3)
    return TrainingResult(out_dir, card, history, validation, plan.notes + notes, comparison)


def _start_network(card: ModelCard, options: TrainingOptions) -> TileNetwork:
    """Build the network; with `init` take over every weight that fits (not another head)."""
    torch.manual_seed(options.seed)
    network = network_for(card)
    if options.init:
        start_card, start = load_model(options.init)
        if start_card.architecture.name != card.architecture.name:
            raise TrainingError(
                f"{options.init} is a {start_card.architecture.name}, but a "
                f"{card.architecture.name} is to be trained. Pass --arch "
                f"{start_card.architecture.name}, or start from another model."
            )
        own = network.state_dict()
        fitting = {k: v for k, v in start.state_dict().items() if v.shape == own[k].shape}
        if start_card.classes != card.classes:
            last = max(name for name in own if name.startswith("head."))
            fitting = {k: v for k, v in fitting.items() if k[:6] != last[:6]}
        network.load_state_dict({**own, **fitting})
    return network


def _epochs(
    trainer: Trainer,
    plan: Plan,
    held: TileCache,
    options: TrainingOptions,
    history: list[EpochRecord],
    out_dir: Path,
) -> Iterator[Progress]:
    per_epoch = len(trainer.cache)
    total = options.epochs * per_epoch
    with Recorder(out_dir, tensorboard=options.tensorboard) as recorder:
        for number in range(len(history), options.epochs):
            if stalled(history, options.patience):
                break
            stage = f"Epoch {number + 1} of {options.epochs}"
            started = time.monotonic()
            for seen in trainer.epoch(number):
                yield Progress(stage, number * per_epoch + seen, total, "tiles")
            record = _judge(trainer, plan, held, history, started)
            history.append(record)
            if record.best or options.keep == "last":
                _save(trainer, plan, record, out_dir)
            recorder.record(history)
            yield Progress(stage, (number + 1) * per_epoch, total, "tiles", record)


def _judge(
    trainer: Trainer, plan: Plan, held: TileCache, history: list[EpochRecord], started: float
) -> EpochRecord:
    validation = _evaluate(trainer.predict(held.variants[trainer.options.stain]), held, plan.scheme)
    before = [r.validation_loss for r in history if math.isfinite(r.validation_loss)]
    lowest = not before or validation.cross_entropy < min(before)
    return EpochRecord(
        epoch=len(history) + 1,
        learning_rate=trainer.learning_rate,
        train_loss=trainer.train_loss,
        train_accuracy=trainer.train_accuracy,
        validation_loss=validation.cross_entropy,
        validation_accuracy=validation.accuracy,
        validation_balanced_accuracy=validation.balanced_accuracy,
        seconds=time.monotonic() - started,
        best=lowest,
    )


def _evaluate(logits: NDArray[np.float32], cache: TileCache, scheme: ClassScheme) -> Evaluation:
    return evaluate(cache.labels, logits, cache.slides, scheme.names)


def _save(trainer: Trainer, plan: Plan, record: EpochRecord, out_dir: Path) -> None:
    recipe = {**plan.card.training_recipe, "kept_epoch": record.epoch}
    save_model(out_dir, plan.card.model_copy(update={"training_recipe": recipe}), trainer.result)


def _finish(
    folder: Path, train: TileCache, held: TileCache, options: TrainingOptions, device: torch.device
) -> Generator[Progress, None, tuple[ModelCard, Evaluation | None, Comparison | None, list[str]]]:
    """Judge the weights as they lie on disk, fit the temperature, complete card and folder."""
    yield Progress(_JUDGING, 0, 3)
    card, network = load_model(folder)
    validation = None
    temperature = options.temperature or 1.0
    metrics: dict[str, Any] = {}
    logits = predict_logits(network.to(device), held.variants[options.stain], device)
    if len(held):
        validation = _evaluate(logits, held, card.scheme)
        temperature = options.temperature or fit_temperature(held.labels, logits)
        calibrated = cross_entropy(held.labels, logits, temperature)
        metrics["validation"] = {
            **validation.as_dict(),
            "cross_entropy_at_temperature": round(calibrated, 4),
        }
    yield Progress(_JUDGING, 1, 3)
    comparison, notes = check_start(card, held, logits, options, device)
    if comparison is not None:
        metrics["before_after"] = comparison.as_dict()
        write_comparison(folder, comparison)
    save_model(
        folder, card.model_copy(update={"temperature": temperature, "metrics": metrics}), network
    )
    yield Progress(_JUDGING, 2, 3)
    reference = reference_of(network, train, held, options.stain, device, seed=options.seed)
    return save_reference_set(folder, reference), validation, comparison, notes
