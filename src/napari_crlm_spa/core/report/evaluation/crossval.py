"""The words of a cross-validation's report."""

from __future__ import annotations

import math
from dataclasses import asdict

from napari_crlm_spa.core.classifier.training.crossval import CrossValidation
from napari_crlm_spa.core.classifier.training.crossval_tables import ClassRow, balanced
from napari_crlm_spa.core.classifier.training.history import CURVES_NAME
from napari_crlm_spa.core.report import words
from napari_crlm_spa.core.report.evaluation.numbers import figure
from napari_crlm_spa.core.report.evaluation.subject import EvaluationSubject, SubjectTable

_Cell = tuple[str, str]


def subject_of_crossval(done: CrossValidation) -> EvaluationSubject:
    """Describe a cross-validation."""
    data = ", ".join(folder.absolute().name for folder in done.data)
    tables = [_unseen_table(done)]
    if (done.folder / CURVES_NAME).is_file():
        tables.append(_folds_table(done))
    return EvaluationSubject(
        title="How good is this recipe on slides that it has not seen?",
        sentence=f"Cross-validation by slide, {len(done.folds)} folds, {data}",
        facts=tuple(_facts(done, data)),
        notes=tuple(done.notes),
        folders=done.data,
        record={
            "cross_validation": {
                "data": data,
                "folds": [
                    {
                        "slides": result.fold.slides,
                        "blocks_of": result.fold.blocks,
                        "tiles": len(result.predictions),
                        "temperature": result.temperature,
                    }
                    for result in done.folds
                ],
                "classes": [_plain(row) for row in done.classes],
                "balanced_accuracy_on_unseen_slides": _number(
                    balanced(done.classes, "unseen_slide_recall")
                ),
            }
        },
        tables=tuple(tables),
    )


def _unseen_table(done: CrossValidation) -> SubjectTable:
    mean = (
        ("mean of the classes", ""),
        (figure(balanced(done.classes, "unseen_slide_recall")), ""),
        (figure(balanced(done.classes, "block_recall")), ""),
    )
    return SubjectTable(
        title="Recall on slides that were not seen at all",
        columns=("Class", "On unseen slides", "On unseen blocks of seen slides"),
        rows=(*(_class_row(row) for row in done.classes), mean),
        words="Only the first column tells how a new slide may fare. A slide that alone carries a "
        "class was cut into blocks along x with a gap of one tile; its tiles were judged while "
        "other blocks of it were trained on, which flatters. All other figures on this page are "
        "over both kinds together. unseen_slides.csv has every slide.",
    )


def _class_row(row: ClassRow) -> tuple[_Cell, ...]:
    return (
        (row.name, ""),
        (figure(row.unseen_slide_recall), _of(row.unseen_slide_tiles, row.unseen_slides)),
        (figure(row.block_recall), _of(row.block_tiles, row.block_slides)),
    )


def _folds_table(done: CrossValidation) -> SubjectTable:
    rows = []
    for result in done.folds:
        right = result.predictions.predicted == result.predictions.labels
        held = ", ".join([*result.fold.slides, *(f"block of {s}" for s in result.fold.blocks)])
        rows.append(
            (
                (f"{result.fold.number}", held),
                (
                    words.count(len(result.fold.train)),
                    f"{words.count(result.fold.dropped)} dropped",
                ),
                (figure(float(right.mean())), f"of {words.count(len(right))} tiles"),
                (f"{result.temperature:.3g}", ""),
            )
        )
    return SubjectTable(
        title="The folds",
        columns=("Fold, held out", "Trained on", "Right", "Temperature"),
        rows=tuple(rows),
        words="Dropped: tiles beside a held-out block, which are not trained on in that fold.",
        picture=done.folder / CURVES_NAME,
    )


def _facts(done: CrossValidation, data: str) -> list[tuple[str, str]]:
    return [
        ("Tiles", f"{data}: the training and validation splits; the test split is not touched"),
        ("Held out", "whole slides; drawn tiles are trained on in every fold and never judged"),
        (
            "Choice of epoch and temperature",
            "inside each fold, on tiles apart from those judged (with --validation 0: none)",
        ),
    ]


def _of(tiles: int, slides: int) -> str:
    if not tiles:
        return ""
    return f"{words.count(tiles)} tiles, {slides} slide{'' if slides == 1 else 's'}"


def _plain(row: ClassRow) -> dict[str, object]:
    return {name: _number(value) for name, value in asdict(row).items()}


def _number(value: object) -> object:
    return None if isinstance(value, float) and math.isnan(value) else value
