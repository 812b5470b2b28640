"""Tables of a cross-validation: who was held out when, and how each class and slide fared."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classifier.predictions import Predictions
from napari_crlm_spa.core.classifier.training.data import LabeledTile
from napari_crlm_spa.core.classifier.training.folds import Fold
from napari_crlm_spa.core.files import write_text

FOLDS_NAME = "folds.csv"
CLASSES_NAME = "unseen_classes.csv"
SLIDES_NAME = "unseen_slides.csv"


@dataclass(frozen=True, slots=True)
class ClassRow:
    """How a class fared where nothing of its slide was trained on, and where other blocks were.

    Recalls are nan where there are no such tiles.
    """

    name: str
    unseen_slides: int
    unseen_slide_tiles: int
    unseen_slide_recall: float
    block_slides: int
    block_tiles: int
    block_recall: float
    recall: float


@dataclass(frozen=True, slots=True)
class SlideRow:
    """How a class fared on a slide; `judged_on` is ``unseen slide`` or ``unseen block``."""

    slide: str
    class_name: str
    judged_on: str
    folds: str
    tiles: int
    right: int
    recall: float
    mostly_taken_for: str


@dataclass(frozen=True, slots=True)
class FoldRow:
    """What became of a slide's tiles of a class in a fold."""

    fold: int
    slide: str
    class_name: str
    held_out: int
    trained: int
    dropped: int
    judged_on: str


def class_rows(predictions: Predictions, unseen: NDArray[np.bool_]) -> list[ClassRow]:
    """Return recall by class; `unseen` of shape (n,)."""
    slides = np.array(predictions.slides)
    right = predictions.predicted == predictions.labels
    rows = []
    for label, name in enumerate(predictions.class_names):
        of_class = predictions.labels == label
        whole, block = of_class & unseen, of_class & ~unseen
        rows.append(
            ClassRow(
                name,
                len(set(slides[whole])),
                int(whole.sum()),
                _share(right[whole]),
                len(set(slides[block])),
                int(block.sum()),
                _share(right[block]),
                _share(right[of_class]),
            )
        )
    return rows


def slide_rows(
    predictions: Predictions, unseen: NDArray[np.bool_], fold_of: NDArray[np.int64]
) -> list[SlideRow]:
    """Return recall by slide and class."""
    slides = np.array(predictions.slides)
    rows = []
    for slide in sorted(set(predictions.slides)):
        for label, name in enumerate(predictions.class_names):
            at = np.flatnonzero((slides == slide) & (predictions.labels == label))
            if not len(at):
                continue
            said = predictions.predicted[at]
            wrong = Counter(predictions.class_names[i] for i in said[said != label])
            rows.append(
                SlideRow(
                    slide,
                    name,
                    "unseen slide" if unseen[at].all() else "unseen block",
                    " ".join(str(number) for number in sorted(set(fold_of[at].tolist()))),
                    len(at),
                    int((said == label).sum()),
                    _share(said == label),
                    wrong.most_common(1)[0][0] if wrong else "",
                )
            )
    return rows


def fold_rows(
    folds: Sequence[Fold], tiles: Sequence[LabeledTile], class_names: Sequence[str]
) -> list[FoldRow]:
    """Return, for every fold, what became of the tiles."""
    rows = []
    groups = sorted({(tile.counted_as, tile.label) for tile in tiles})
    for fold in folds:
        held = _count(tiles, fold.held_out)
        trained = _count(tiles, fold.train)
        whole = Counter((tile.counted_as, tile.label) for tile in tiles)
        for slide, label in groups:
            key = (slide, label)
            kind = "unseen slide" if slide in fold.slides else "unseen block"
            rows.append(
                FoldRow(
                    fold.number,
                    slide,
                    class_names[label],
                    held[key],
                    trained[key],
                    whole[key] - held[key] - trained[key],
                    kind if held[key] else "",
                )
            )
    return rows


def balanced(rows: Iterable[ClassRow], column: str) -> float:
    """Return the mean of a recall over the classes that have one; nan without any."""
    values = np.array([getattr(row, column) for row in rows], float)
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else nan


def write_rows(path: Path, rows: Sequence[Any]) -> None:
    """Write dataclass rows as CSV; numbers with four digits, nan as an empty field."""
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, [field.name for field in fields(rows[0])])
        writer.writeheader()
        writer.writerows({key: _cell(value) for key, value in asdict(row).items()} for row in rows)
    write_text(path, text.getvalue())


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.4f}"
    return value


def _share(right: NDArray[np.bool_]) -> float:
    return float(right.mean()) if len(right) else nan


def _count(tiles: Sequence[LabeledTile], index: NDArray[np.int64]) -> Counter[tuple[str, int]]:
    return Counter((tiles[int(i)].counted_as, tiles[int(i)].label) for i in index)
