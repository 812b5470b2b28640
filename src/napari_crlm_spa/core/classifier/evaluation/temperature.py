"""Storing a temperature in a model's card, with the tiles that it was fitted on."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from napari_crlm_spa.core.classifier.card import (
    WEIGHTS_NAME,
    CalibrationRecord,
    ModelCard,
    is_shipped,
    load_card,
    model_folder,
    save_card,
)
from napari_crlm_spa.core.classifier.evaluation.calibration import best_temperature
from napari_crlm_spa.core.classifier.evaluation.run import ModelEvaluation
from napari_crlm_spa.core.classifier.predictions import Predictions
from napari_crlm_spa.core.classifier.reference_set import REFERENCE_NAME
from napari_crlm_spa.core.files import write_bytes
from napari_crlm_spa.errors import EvaluationError


def refuse_calibration(model: str | Path, split: str, copy_to: Path | None = None) -> None:
    """Refuse, before any tile is read, what `recalibrate` would refuse afterwards.

    Raises
    ------
    EvaluationError
        If the tiles are the test split, or the folder to be written is one of the package's or
        holds another model.
    """
    if split == "test":
        raise EvaluationError(
            "A model is not calibrated on the test split: it would no longer be a test. Pass "
            "--split unseen or --split validation."
        )
    source = model_folder(model)
    target = copy_to or source
    if is_shipped(target):
        raise EvaluationError(
            f"The model {source.name} belongs to the package and is not changed. Write a "
            "calibrated copy with --calibrate-to FOLDER, and use it with --model FOLDER."
        )
    if copy_to is not None and (copy_to / WEIGHTS_NAME).exists():
        held = load_card(copy_to)
        if held.sha256 != load_card(source).sha256:
            raise EvaluationError(
                f"{copy_to} holds another model, {held.name}. Choose a new folder."
            )


def recalibrate(
    model: str | Path, evaluation: ModelEvaluation, copy_to: Path | None = None
) -> ModelCard:
    """Fit the temperature on the tiles of an evaluation and store it in the model's card.

    Only tiles of slides that the model was not trained on count, and none of the test split: on
    tiles that it knows a network is surer than on new ones.

    Parameters
    ----------
    model
        Name or folder of the model that was judged.
    evaluation
        What it made of the tiles.
    copy_to
        A folder that gets the model with the new card; None changes the model itself.

    Returns
    -------
    ModelCard
        As written. The weights stay as they are, so no class changes, only how sure it is.

    Raises
    ------
    EvaluationError
        If no tiles may be used, no temperature can be fitted, or the model may not be written.
    StoreError
        If the files cannot be written.
    """
    refuse_calibration(model, evaluation.split, copy_to)
    fair = evaluation.judgement.predictions.subset(evaluation.fair)
    if not len(fair):
        raise EvaluationError(
            "The model cannot be calibrated: all these tiles are of slides that it was trained on "
            "(or of the test split), where it is surer than on new ones. Pass tiles of others."
        )
    temperature = best_temperature(fair)
    if temperature is None:
        raise EvaluationError(
            f"No temperature can be fitted on these {len(fair)} tiles: all are told right, or none "
            "within the usual range fits. The card stays as it is; pass more tiles, difficult ones "
            "too."
        )
    source = model_folder(model)
    card = load_card(source)
    record = _record(fair, evaluation, card.temperature, temperature)
    changed = card.model_copy(update={"temperature": temperature, "calibration": record})
    if copy_to is not None:
        for name in (WEIGHTS_NAME, REFERENCE_NAME):
            if (source / name).is_file():
                write_bytes(copy_to / name, (source / name).read_bytes())
    save_card(copy_to or source, changed)
    return changed


def _record(
    fair: Predictions, evaluation: ModelEvaluation, before: float, after: float
) -> CalibrationRecord:
    slides, of_slide = np.unique(np.array(fair.slides), return_counts=True)
    labels, of_class = np.unique(fair.labels, return_counts=True)
    return CalibrationRecord(
        data=", ".join(folder.absolute().name for folder in evaluation.folders),
        split=evaluation.split,
        tiles=len(fair),
        counts={fair.class_names[i]: int(n) for i, n in zip(labels, of_class, strict=True)},
        slides={str(name): int(n) for name, n in zip(slides, of_slide, strict=True)},
        tiles_sha256=hashlib.sha256("\n".join(sorted(fair.paths)).encode()).hexdigest(),
        temperature=after,
        temperature_before=before,
        cross_entropy_before=round(float(fair.losses(before).mean()), 4),
        cross_entropy_after=round(float(fair.losses(after).mean()), 4),
    )
