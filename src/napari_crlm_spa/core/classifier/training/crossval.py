"""Cross-validation by slide: every real tile is judged by a network that was trained without it.

Each fold is a training of its own, as if the held-out tiles did not exist: they take no part in
choosing the epoch or in fitting the temperature. Where the options hold a share back for that
(``validation``), it is taken from the fold's training side; else the last epoch is kept and the
temperature is 1. The logits of a fold are divided by its temperature before all are put together.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classifier.card import load_card, model_folder
from napari_crlm_spa.core.classifier.evaluation import EvaluationOptions, Judgement, judging
from napari_crlm_spa.core.classifier.predictions import (
    Predictions,
    join_predictions,
    write_predictions,
)
from napari_crlm_spa.core.classifier.training.crossval_tables import (
    CLASSES_NAME,
    FOLDS_NAME,
    SLIDES_NAME,
    ClassRow,
    SlideRow,
    class_rows,
    fold_rows,
    slide_rows,
    write_rows,
)
from napari_crlm_spa.core.classifier.training.curves import plot_folds
from napari_crlm_spa.core.classifier.training.fold_run import FoldResult, FoldRun, fold_run
from napari_crlm_spa.core.classifier.training.folds import FoldOptions, make_folds
from napari_crlm_spa.core.classifier.training.history import CURVES_NAME
from napari_crlm_spa.core.classifier.training.plan import usable_tiles
from napari_crlm_spa.core.classifier.training.recipe import TrainingOptions
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.errors import TrainingError

#: Logits of all tiles, divided by their fold's temperature.
PREDICTIONS_NAME = "predictions.csv"
#: The stages that count finished folds, and what is trained in all folds.
FINISHED, ALL_FOLDS = "Finished folds", "Training all folds"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CrossValidation:
    """All folds together.

    Parameters
    ----------
    folder
        Where tables, curves and the folds' models lie.
    judgement
        Of all real tiles, each classified by a network that never saw it, in the order of the
        folds; their logits are already divided by the fold's temperature.
    unseen
        For each of these tiles: nothing of its slide was trained on (else other blocks of it).
    fold_of
        Number of the fold of each.
    folds
        In their order.
    classes, slides
        Recall by class, and by slide and class.
    data
        Folders of the tiles.
    notes
        What a reader must know.
    """

    folder: Path
    judgement: Judgement
    unseen: NDArray[np.bool_]
    fold_of: NDArray[np.int64]
    folds: list[FoldResult]
    classes: list[ClassRow]
    slides: list[SlideRow]
    data: tuple[Path, ...]
    notes: list[str]


def cross_validate(
    data: Path | Sequence[Path],
    out_dir: Path,
    options: TrainingOptions,
    folding: FoldOptions | None = None,
) -> Generator[Progress, None, CrossValidation]:
    """Train once per fold and judge the tiles that were held out.

    The test split of a manifest is not touched; its train and validation splits are divided anew.
    A finished fold is not repeated; one that was interrupted goes on after its last finished
    epoch.

    Parameters
    ----------
    data
        Folders of labeled tiles, as for `train_classifier`.
    out_dir
        Receives ``fold-<k>/`` (a model folder each), predictions, tables and curves.
    options
        The recipe of each fold.
    folding
        How the tiles are divided.

    Yields
    ------
    Progress
        ``changed`` is an `EpochRecord` after an epoch, a `FoldResult` after a fold.

    Returns
    -------
    CrossValidation
        Judgement of all tiles, recall by class and by slide.

    Raises
    ------
    TrainingError
        If the tiles cannot be divided, or a training fails.
    """
    if options.validation_slides:
        raise TrainingError(
            "A cross-validation chooses the slides that it holds out itself; leave out "
            "--validation-slides."
        )
    folders = (data,) if isinstance(data, Path) else tuple(data)
    found = usable_tiles(folders, options)
    tiles = [replace(tile, split="train") for tile in found.tiles]
    names = found.scheme.names
    tile_um = options.tile_px * options.mpp
    folds = make_folds(tiles, names, folding or FoldOptions(), options.seed, tile_um)
    runs = [fold_run(fold, len(folds), tiles, folders, out_dir, options) for fold in folds]
    for run in runs:
        run.refuse_other()
    write_rows(out_dir / FOLDS_NAME, fold_rows(folds, tiles, names))
    results = yield from _run_all(runs)
    predictions = join_predictions([_calibrated(result) for result in results])
    judgement = yield from judging(predictions, 1.0, EvaluationOptions(seed=options.seed))
    unseen = np.concatenate([_unseen(result) for result in results])
    fold_of = np.concatenate([np.full(len(r.predictions), r.fold.number) for r in results])
    done = CrossValidation(
        folder=out_dir,
        judgement=judgement,
        unseen=unseen,
        fold_of=fold_of,
        folds=results,
        classes=class_rows(predictions, unseen),
        slides=slide_rows(predictions, unseen, fold_of),
        data=folders,
        notes=[*found.notes, *_notes(results, options, names)],
    )
    _write(done)
    return done


def _run_all(runs: Sequence[FoldRun]) -> Generator[Progress, None, list[FoldResult]]:
    """Run the folds; two stages count finished folds, and what is trained in all of them."""
    steps = [run.steps for run in runs]
    results: list[FoldResult] = []
    yield Progress(FINISHED, 0, len(runs), "folds")
    for index, run in enumerate(runs):
        work, before = run.run(), sum(steps[:index])
        while True:
            try:
                progress = next(work)
            except StopIteration as end:
                results.append(end.value)
                break
            if progress.stage.startswith("Epoch "):
                yield Progress(ALL_FOLDS, before + progress.done, sum(steps), progress.unit)
            yield progress
        if steps[index]:  # else it was finished before; stopped early, it counts in full
            yield Progress(ALL_FOLDS, before + steps[index], sum(steps), "tiles")
        yield Progress(FINISHED, index + 1, len(runs), "folds", results[-1])
    return results


def _calibrated(result: FoldResult) -> Predictions:
    logits = (result.predictions.logits / result.temperature).astype(np.float32)
    return replace(result.predictions, logits=logits)


def _unseen(result: FoldResult) -> NDArray[np.bool_]:
    return np.isin(np.array(result.predictions.slides), result.fold.slides)


def _notes(
    results: Sequence[FoldResult], options: TrainingOptions, names: Sequence[str]
) -> Iterator[str]:
    for result in results:
        number = result.fold.number
        if result.fold.drawn_only:
            classes = ", ".join(names[label] for label in result.fold.drawn_only)
            yield f"Fold {number} learned {classes} from drawn tiles only."
        for note in result.notes:
            yield f"Fold {number}: {note}"
    yield from _seen_before(results, options)
    blocks = sorted({name for result in results for name in result.fold.blocks})
    if blocks:
        yield (
            f"Cut into blocks, since they alone carry a class: {', '.join(blocks)}. Their tiles "
            "are judged while other blocks of the slide are trained on, which flatters."
        )
    fitted = ", ".join(f"{result.temperature:.2f}" for result in results)
    how = "fitted inside each fold, on tiles apart from those judged"
    if options.temperature:
        how = "as given"
    elif not options.validation:
        how = "none fitted, since nothing is held back inside the folds"
    yield f"Temperature of the folds: {fitted} ({how})."


def _seen_before(results: Sequence[FoldResult], options: TrainingOptions) -> Iterator[str]:
    """Say which held-out slides the model that all folds start from was trained on."""
    if not options.init:
        return
    known = load_card(model_folder(options.init)).training_data.slides
    slides = {name for result in results for name in result.predictions.slides}
    if slides & set(known):
        yield (
            f"{Path(options.init).name}, from which every fold starts, was trained on "
            f"{len(slides & set(known))} of the {len(slides)} slides judged here: their figures "
            "flatter."
        )


def _write(done: CrossValidation) -> None:
    write_predictions(done.folder / PREDICTIONS_NAME, done.judgement.predictions)
    write_rows(done.folder / CLASSES_NAME, done.classes)
    write_rows(done.folder / SLIDES_NAME, done.slides)
    plot_folds(
        done.folder / CURVES_NAME,
        {f"fold {result.fold.number}": result.history for result in done.folds},
    )
