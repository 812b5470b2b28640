"""Comparing predictions with the truth: everything that a report of an evaluation shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classifier.evaluation.calibration import (
    Calibration,
    best_temperature,
    calibration_at,
    cross_fitted,
)
from napari_crlm_spa.core.classifier.evaluation.coverage import CoveragePoint, coverage_curve
from napari_crlm_spa.core.classifier.evaluation.figures import ClassFigures, class_figures, overall
from napari_crlm_spa.core.classifier.evaluation.intervals import Estimate
from napari_crlm_spa.core.classifier.evaluation.options import EvaluationOptions
from napari_crlm_spa.core.classifier.evaluation.roc import RocCurve, one_vs_rest
from napari_crlm_spa.core.classifier.metrics import Evaluation, evaluate
from napari_crlm_spa.core.classifier.predictions import Predictions
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.errors import EvaluationError

#: With fewer slides, intervals from drawing slides are known to be too narrow (our assumption).
FEW_SLIDES = 10


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Judgement:
    """How good predictions are.

    Parameters
    ----------
    predictions
        What was judged.
    options
        How.
    temperature
        Divided the logits of all probabilities below.
    evaluation
        Confusion, also by slide.
    accuracy, balanced_accuracy, macro_f1
        Over all tiles; the last two are means over the classes that have tiles.
    classes
        The figures of each class, in the order of `predictions.class_names`.
    curves
        The ROC curve of each class against the rest; None where one side has no tiles.
    calibrations
        At temperature 1, at `temperature`, and fitted on these tiles, each slide at what was
        fitted on the others (with one slide: on itself; absent where none can be fitted).
    best_temperature
        Fitted on all these tiles; None where none fits, as where all are told right.
    coverage
        Accuracy against the share of tiles kept.
    worst
        Indices of the tiles of the highest loss, worst first.
    notes
        What a reader must know to judge the figures.
    """

    predictions: Predictions
    options: EvaluationOptions
    temperature: float
    evaluation: Evaluation
    accuracy: Estimate
    balanced_accuracy: Estimate
    macro_f1: Estimate
    classes: tuple[ClassFigures, ...]
    curves: tuple[RocCurve | None, ...]
    calibrations: tuple[Calibration, ...]
    best_temperature: float | None
    coverage: tuple[CoveragePoint, ...]
    worst: NDArray[np.int64]
    notes: tuple[str, ...]


def judge(
    predictions: Predictions,
    temperature: float = 1.0,
    options: EvaluationOptions | None = None,
) -> Judgement:
    """Compare predictions with the truth; see `judging`."""
    work = judging(predictions, temperature, options)
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: Judgement = end.value
            return found


def judging(
    predictions: Predictions,
    temperature: float = 1.0,
    options: EvaluationOptions | None = None,
) -> Generator[Progress, None, Judgement]:
    """Compare predictions with the truth.

    Parameters
    ----------
    predictions
        Logits and true classes; at least one tile.
    temperature
        The model's. Folds with temperatures of their own: divide their logits, pass 1.
    options
        Bootstrap, seed, bins; which tiles they are is not looked at.

    Yields
    ------
    Progress
        After each class.

    Raises
    ------
    EvaluationError
        If there are no tiles.
    """
    options = options or EvaluationOptions()
    if not len(predictions):
        raise EvaluationError("There are no tiles to judge.")
    names = predictions.class_names
    shares = predictions.probabilities(temperature)
    slides, groups = np.unique(np.array(predictions.slides), return_inverse=True)
    found = evaluate(
        predictions.labels, predictions.logits / temperature, predictions.slides, names
    )
    confusions = np.stack([found.by_slide[str(slide)] for slide in slides])
    classes = []
    for index in range(len(names)):
        yield Progress("Computing intervals", index, len(names) + 1, "classes")
        classes.append(class_figures(index, predictions, shares, groups, confusions, options))
    yield Progress("Computing intervals", len(names), len(names) + 1, "classes")
    figures = overall(confusions, options)
    right = predictions.predicted == predictions.labels
    best = best_temperature(predictions)
    judgement = Judgement(
        predictions=predictions,
        options=options,
        temperature=temperature,
        evaluation=found,
        accuracy=figures["accuracy"],
        balanced_accuracy=figures["balanced_accuracy"],
        macro_f1=figures["macro_f1"],
        classes=tuple(classes),
        curves=tuple(one_vs_rest(shares[:, i], predictions.labels == i) for i in range(len(names))),
        calibrations=tuple(_calibrations(predictions, temperature, best, options.bins)),
        best_temperature=best,
        coverage=coverage_curve(shares.max(axis=1), right),
        worst=worst_tiles(predictions, temperature, options.worst, options.worst_alike),
        notes=tuple(_notes(classes, len(slides), best)),
    )
    yield Progress("Computing intervals", len(names) + 1, len(names) + 1, "classes")
    return judgement


def worst_tiles(
    predictions: Predictions, temperature: float, count: int, alike: int
) -> NDArray[np.int64]:
    """Return the tiles of the highest loss, worst first.

    At most `alike` of a slide with the same true and predicted class, so that one confusion
    does not hide the others (our assumption).
    """
    seen: Counter[tuple[str, int, int]] = Counter()
    chosen: list[int] = []
    predicted = predictions.predicted
    for i in np.argsort(-predictions.losses(temperature), kind="stable"):
        if len(chosen) == count:
            break
        kind = (predictions.slides[i], int(predictions.labels[i]), int(predicted[i]))
        seen[kind] += 1
        if seen[kind] <= alike:
            chosen.append(int(i))
    return np.array(chosen, np.int64)


def _calibrations(
    predictions: Predictions, temperature: float, best: float | None, bins: int
) -> Iterator[Calibration]:
    yield calibration_at(predictions, 1.0, bins, "As the network says")
    if temperature != 1.0:
        yield calibration_at(predictions, temperature, bins, "At the model's temperature")
    if best is None:
        return
    fitted = cross_fitted(predictions, bins, "Fitted on the other slides of these tiles")
    yield fitted or calibration_at(predictions, best, bins, "Fitted on these very tiles (flatters)")


def _notes(classes: list[ClassFigures], slides: int, best: float | None) -> Iterator[str]:
    absent = [each.name for each in classes if not each.tiles]
    if absent:
        yield f"There are no tiles of {', '.join(absent)}: nothing is said of them."
    single = [each.name for each in classes if each.slides == 1]
    if single:
        yield (
            f"{', '.join(single)}: all tiles are of one slide, so no interval by slide exists, and "
            "nothing shows how the figures would fare on the next slide."
        )
    if 1 < slides < FEW_SLIDES:
        yield (
            f"There are {slides} slides only: intervals from so few are too narrow. "
            "The figures by slide tell more."
        )
    if best is None:
        yield "No temperature can be fitted on these tiles: all are told right, or none fits."
