"""Retraining the head of a model on a few tiles of one's own, within minutes on a CPU.

The trunk stays as it is: it looks at every new tile a few times (`views`), the head learns from
these features and rehearses those of the model's reference set (`head`), a point between the old
and the new head is chosen (`choose`), and both are asked about tiles that neither learned from
(`compare`).
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from napari_crlm_spa.core.classifier.card import ModelCard
from napari_crlm_spa.core.classifier.devices import choose_device
from napari_crlm_spa.core.classifier.metrics import Evaluation, evaluate, fit_temperature
from napari_crlm_spa.core.classifier.predict import predict_features
from napari_crlm_spa.core.classifier.reference_set import (
    as_half,
    merge_reference_sets,
    save_reference_set,
)
from napari_crlm_spa.core.classifier.training.cache import TileCache, load_tiles
from napari_crlm_spa.core.classifier.training.checkpoint import load_checkpoint, mark_finished
from napari_crlm_spa.core.classifier.training.choose import Choice, Jury
from napari_crlm_spa.core.classifier.training.compare import Comparison, compare, write_comparison
from napari_crlm_spa.core.classifier.training.course import TrainingResult, stalled
from napari_crlm_spa.core.classifier.training.describe import retrained_card
from napari_crlm_spa.core.classifier.training.head import HeadTrainer, Samples, head_logits
from napari_crlm_spa.core.classifier.training.history import EpochRecord
from napari_crlm_spa.core.classifier.training.known import reference_of
from napari_crlm_spa.core.classifier.training.plan import Plan, fingerprint_of, note_tiles
from napari_crlm_spa.core.classifier.training.recipe import TrainingOptions
from napari_crlm_spa.core.classifier.training.recorder import Recorder, require_tensorboard
from napari_crlm_spa.core.classifier.training.start import Start, load_start
from napari_crlm_spa.core.classifier.training.views import ViewsJob, compute_views, remove_views
from napari_crlm_spa.core.classifier.weights import load_model, save_model
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.errors import TrainingError

#: Fewer tiles than this do not move the temperature of the old model (our assumption).
TEMPERATURE_TILES = 50


_UNCHANGED = (
    "The old head is kept: no point on the way to the new one was better on the tiles held back "
    "without losing an old class. More tiles may help; --keep last takes the new head all the same."
)


@dataclass(slots=True)
class _Retraining:
    """A retraining under way: what it knows, and the head that it has come to."""

    options: TrainingOptions
    start: Start
    jury: Jury
    old_head: nn.Module
    head: nn.Module
    history: list[EpochRecord] = field(default_factory=list)
    share: float = 1.0
    kept_epoch: int = 0


def retrain_head(
    plan: Plan, out_dir: Path, options: TrainingOptions
) -> Generator[Progress, None, TrainingResult]:
    """Fine-tune the head of ``options.init`` on new tiles, without forgetting the old ones.

    Closing the generator while the trunk looks at the tiles keeps what it saw; called again with
    the same tiles and options it goes on there and ends with the same weights.

    Parameters
    ----------
    plan
        New tiles, and those of them that are held back.
    out_dir
        Becomes the model folder.
    options
        The recipe; `init` names the model. What its trunk fixes (size of the tiles, stain) must
        agree with it, as it does with ``preset("retrain", init=...)``.

    Yields
    ------
    Progress
        ``changed`` is an `EpochRecord` after each epoch.

    Raises
    ------
    TrainingError
        If there is no model to start from, it has other classes or tiles, or `out_dir` is its
        folder or holds another training.
    """
    if options.tensorboard:
        require_tensorboard()
    start = load_start(out_dir, options, {tile.slide for tile in plan.train})
    fingerprint = fingerprint_of(plan, options)
    checkpoint = load_checkpoint(out_dir, fingerprint)
    card = start.card
    stain, size = card.stain.method, (card.tile_px, card.input_px)
    train = yield from load_tiles(plan.train, *size, (stain,), "Reading training tiles")
    held = yield from load_tiles(plan.validation, *size, (stain,), "Reading validation tiles")
    note_tiles(plan, train, held)
    if not len(train):
        raise TrainingError("There are no training tiles. Hold back less with --validation.")
    device = choose_device(options.device)
    network = start.network.to(device)
    held_features = as_half(predict_features(network, held.variants[stain], device))
    old_head = copy.deepcopy(network.head).cpu()
    work = _Retraining(options, start, _jury(start, held_features, held), old_head, old_head)
    if checkpoint and checkpoint.finished:
        card, kept = load_model(out_dir)
        work.head, work.history = kept.head, checkpoint.history
    else:
        job = ViewsJob(network, card.sha256, train.variants[stain], options, device)
        views = yield from compute_views(job, out_dir)
        new = Samples(views, train.labels, tuple(train.slides))
        added = reference_of(network, train, held, stain, device, seed=options.seed)
        work.head = network.cpu().head
        yield from _train(work, new, held.slides, out_dir)
        _write(out_dir, plan, work, held.slides)
        merged = merge_reference_sets(start.reference, added, seed=options.seed)
        card = save_reference_set(out_dir, merged)
        mark_finished(out_dir, fingerprint, work.history)
        remove_views(out_dir)
    comparison = _compared(work)
    notes = plan.notes + start.notes() + comparison.warnings() + _outcome(work, card)
    return TrainingResult(
        out_dir, card, work.history, _validation(work, held.slides), notes, comparison
    )


def _jury(start: Start, held_features: NDArray[np.float16], held: TileCache) -> Jury:
    old = start.reference.take(start.judged)
    return Jury(held_features, held.labels, old.features, old.labels.astype(np.int64))


def _train(
    work: _Retraining, new: Samples, held_slides: list[str], out_dir: Path
) -> Iterator[Progress]:
    """Train the head, take the best epoch, and choose the point on the way to it."""
    options, before = work.options, work.start.rehearsed
    old = Samples(before.features[None], before.labels.astype(np.int64), before.slides)
    choice = Choice(work.old_head, work.jury, work.start.card.classes, options.margin)
    trainer = HeadTrainer(work.head, new, old, len(work.start.card.classes), options)
    with Recorder(out_dir, tensorboard=options.tensorboard) as recorder:
        for number in range(options.epochs):
            if stalled(work.history, options.patience):
                break
            started = time.monotonic()
            trainer.epoch(number)
            better = choice.consider(work.head, number + 1)
            record = _record(work, trainer, held_slides, started, better)
            work.history.append(record)
            recorder.record(work.history)
            yield Progress("Training the head", number + 1, options.epochs, "epochs", record)
    work.kept_epoch = len(work.history)
    if options.keep == "best":
        choice.apply(work.head)
        work.kept_epoch, work.share = choice.epoch, choice.share


def _record(
    work: _Retraining, trainer: HeadTrainer, held_slides: list[str], started: float, best: bool
) -> EpochRecord:
    validation = _validation(work, held_slides)
    return EpochRecord(
        epoch=len(work.history) + 1,
        learning_rate=trainer.learning_rate,
        train_loss=trainer.train_loss,
        train_accuracy=trainer.train_accuracy,
        validation_loss=validation.cross_entropy if validation else math.nan,
        validation_accuracy=validation.accuracy if validation else math.nan,
        validation_balanced_accuracy=validation.balanced_accuracy if validation else math.nan,
        seconds=time.monotonic() - started,
        best=best,
    )


def _validation(work: _Retraining, held_slides: list[str]) -> Evaluation | None:
    """Judge the head as it is on the new tiles that were held back."""
    jury = work.jury
    if not len(jury.new_labels):
        return None
    logits = head_logits(work.head, jury.new_features)
    return evaluate(jury.new_labels, logits, held_slides, work.start.card.classes)


def _compared(work: _Retraining) -> Comparison:
    new, old = work.jury.judged(work.old_head, work.head)
    start = work.start
    return compare(new, old, start.card.classes, work.options.margin, start.seen)


def _write(folder: Path, plan: Plan, work: _Retraining, held_slides: list[str]) -> None:
    """Write weights, card and tables; the weights are judged as they lie on disk."""
    start, network = work.start, work.start.network
    draft = retrained_card(plan.card, start.card, work.options, work.kept_epoch, work.share)
    save_model(folder, draft, network)
    _, kept = load_model(folder)
    work.head = kept.head
    comparison, validation = _compared(work), _validation(work, held_slides)
    metrics = {"before_after": comparison.as_dict()}
    if validation is not None:
        metrics = {"validation": validation.as_dict(), **metrics}
    changes = {"metrics": metrics, "temperature": _temperature(work)}
    save_model(folder, draft.model_copy(update=changes), kept)
    write_comparison(folder, comparison)


def _temperature(work: _Retraining) -> float:
    """Fit the temperature on tiles that neither head was trained on; else keep the old one."""
    jury, honest = work.jury, work.start.honest
    labels = np.concatenate([jury.new_labels, jury.old_labels[honest]])
    if work.options.temperature:
        return work.options.temperature
    if len(labels) < TEMPERATURE_TILES:
        return work.start.card.temperature
    new, old = jury.ask(work.head)
    return fit_temperature(labels, np.concatenate([new, old[honest]]))


def _outcome(work: _Retraining, card: ModelCard) -> list[str]:
    """Say what was kept, where that is not simply the new head."""
    if not len(work.jury.new_labels):
        return ["No new tiles were held back: whether the new head is better cannot be seen."]
    return [_UNCHANGED] if card.training_recipe["kept_share"] == 0 else []
