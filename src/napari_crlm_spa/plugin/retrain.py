"""The one door from the plugin to the training. No Qt; torch is loaded in the thread that trains.

A training is written into a folder of drafts, which also keeps its checkpoints: one that was
cancelled goes on there when it is started again. A draft is kept as a model, or thrown away.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_crlm_spa.core.files import write_errors
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.errors import TrainingError
from napari_crlm_spa.plugin.engine import load_torch
from napari_crlm_spa.plugin.memory import memory_file

if TYPE_CHECKING:
    from napari_crlm_spa.core.classifier.metrics import Evaluation
    from napari_crlm_spa.core.classifier.training import TrainingOptions, TrainingResult
    from napari_crlm_spa.core.classifier.training.data import LabeledTile

#: What is trained, and the preset that does it.
HEAD, ALL = "retrain", "finetune"
_CARD = "card.json"
_NAME = re.compile(r"[^A-Za-z0-9_.-]+")


def models_folder() -> Path:
    """Return the folder for models that the user trained and kept."""
    return memory_file().parent / "models"


def drafts_folder() -> Path:
    """Return the folder for trainings that nobody has kept or thrown away yet."""
    return memory_file().parent / "model-drafts"


def kept_models() -> list[Path]:
    """Return the model folders that were kept, oldest first."""
    found = [card.parent for card in models_folder().glob(f"*/{_CARD}")]
    return sorted(found, key=lambda folder: (folder / _CARD).stat().st_mtime)


def versioned_name(name: str) -> str:
    """Return the name of the next version of a model: ``liver`` gives liver-v1, then liver-v2.

    Raises
    ------
    TrainingError
        If nothing is left of the name that a folder could be called.
    """
    plain = re.sub(r"-v\d+$", "", _NAME.sub("-", name.strip()).strip("-."))
    if not plain:
        raise TrainingError("Give the new model a name of letters and digits.")
    taken = [path.name for path in models_folder().glob(f"{plain}-v*")]
    versions = [int(each.rpartition("-v")[2]) for each in taken if re.search(r"-v\d+$", each)]
    return f"{plain}-v{max(versions, default=0) + 1}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A training that is wanted.

    Parameters
    ----------
    tiles
        Folder of labeled tiles.
    start
        Name or folder of the model to start from.
    recipe
        `HEAD` (minutes on a processor) or `ALL`.
    name
        Of the new model, with its version.
    device
        Where to train.
    options
        Other training options, by name.
    """

    tiles: Path
    start: str
    recipe: str
    name: str
    device: str = "auto"
    options: Mapping[str, Any] | None = None

    @property
    def folder(self) -> Path:
        """Where the training is written."""
        return drafts_folder() / self.name


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """A finished training, and how both models do on tiles that it did not learn from.

    Parameters
    ----------
    job
        What was wanted.
    result
        What the training left.
    before, after
        On the same tiles; None where none were held back.
    judged_on
        What tiles these are, and what follows for the numbers, in sentences.
    """

    job: Job
    result: TrainingResult
    before: Evaluation | None
    after: Evaluation | None
    judged_on: str

    @property
    def folder(self) -> Path:
        """The draft."""
        return self.result.folder


def retrain(job: Job) -> Generator[Progress, None, Outcome]:
    """Train a model, then ask the old and the new one about the tiles that were held back.

    Closing the generator keeps what was reached; the same job goes on from there.

    Yields
    ------
    Progress
        ``changed`` is an `EpochRecord` after each epoch.

    Raises
    ------
    CrlmSpaError
        If the tiles or the model to start from cannot be used.
    """
    yield Progress("Loading the network", 0, 0)
    load_torch()
    from napari_crlm_spa.core.classifier.training import preset, train_classifier
    from napari_crlm_spa.core.classifier.training.plan import make_plan

    given = {"name": job.name, "device": job.device, **(job.options or {})}
    options = preset(job.recipe, init=job.start, **given)
    plan = make_plan([job.tiles], options)
    test = _test_tiles(job.tiles, options)
    result = yield from train_classifier(job.tiles, job.folder, options)
    held = test or plan.validation
    told = _told(held, plan.train, is_test=bool(test))
    if not held:
        return Outcome(job, result, None, None, told)
    before = yield from _judge(job.start, held, options, "Asking the old model")
    after = yield from _judge(str(job.folder), held, options, "Asking the new model")
    return Outcome(job, result, before, after, told)


def _test_tiles(folder: Path, options: TrainingOptions) -> list[LabeledTile]:
    """Return the tiles that neither the training nor its choices have seen."""
    from napari_crlm_spa.core.classes import scheme_by_name
    from napari_crlm_spa.core.classifier.training.data import find_tiles
    from napari_crlm_spa.core.classifier.training.recipe import parse_merge

    scheme = scheme_by_name(options.scheme)
    return find_tiles([folder], scheme, parse_merge(options.merge)).of_split("test")


def _judge(
    model: str, tiles: Sequence[LabeledTile], options: TrainingOptions, stage: str
) -> Generator[Progress, None, Evaluation]:
    from napari_crlm_spa.core.classifier.devices import choose_device
    from napari_crlm_spa.core.classifier.metrics import evaluate
    from napari_crlm_spa.core.classifier.predict import predict_logits
    from napari_crlm_spa.core.classifier.training.cache import load_tiles
    from napari_crlm_spa.core.classifier.weights import load_model

    card, network = load_model(model)
    stain, size = card.stain.method, (card.tile_px, card.input_px)
    cache = yield from load_tiles(tiles, *size, (stain,), stage)
    device = choose_device(options.device)
    logits = predict_logits(network.to(device), cache.variants[stain], device)
    return evaluate(cache.labels, logits, cache.slides, card.classes)


def _told(held: Sequence[LabeledTile], train: Sequence[LabeledTile], *, is_test: bool) -> str:
    """Say what the tiles are by which both models are judged."""
    if not held:
        return (
            "No tiles were held back, so nothing tells whether the new model is better. The "
            "training's own accuracy flatters."
        )
    named = bool(held[0].patient)
    groups = {tile.group for tile in held}
    shared = groups & {tile.group for tile in train}
    who = "patient" if named else "slide"
    count = f"{len(held):,} held-back tiles of {len(groups)} {who}{'s' if len(groups) > 1 else ''}"
    if shared:
        return (
            f"Judged on {count}. No other patient could be held back: these tiles lie on slides "
            "that the model was trained on, so the numbers flatter. Add slides of more patients."
        )
    if is_test:
        return f"Judged on {count}, which the training has not seen in any way."
    hint = "" if named else " If slides are of one patient, name the patient, or this flatters."
    return (
        f"Judged on {count}, which the model did not learn from. They also chose the epoch, which "
        f"flatters a little; a test share in the export avoids that.{hint}"
    )


def keep(folder: Path) -> Path:
    """Make a draft a model of the user's own; return its folder.

    Raises
    ------
    TrainingError
        If there is a model of that name by now.
    StoreError
        If the folder may not be written.
    """
    target = models_folder() / folder.name
    if target.exists():
        raise TrainingError(
            f"There is a model {folder.name} already. Retrain under another name, or remove "
            f"{target}."
        )
    with write_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder, target)
    return target


def discard(folder: Path) -> None:
    """Throw a draft away."""
    if folder.resolve().is_relative_to(drafts_folder().resolve()):
        shutil.rmtree(folder, ignore_errors=True)


def tiles_in(folder: Path) -> int:
    """Return how many tiles a manifest lists; 0 if there is none."""
    from napari_crlm_spa.core.annotations.labeled_tiles import MANIFEST

    try:
        with (folder / MANIFEST).open(encoding="utf-8-sig") as file:
            return max(sum(1 for line in file if line.strip()) - 1, 0)
    except (OSError, UnicodeDecodeError):
        return 0


def title_of(model: str) -> str:
    """Return a model's name for a chooser."""
    path = Path(model)
    try:
        card = json.loads((path / _CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return path.name
    return str(card.get("name") or path.name) if isinstance(card, dict) else path.name
