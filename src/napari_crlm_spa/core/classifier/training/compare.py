"""Before and after: what a model that started from another one gained, and what it forgot."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classifier.metrics import cross_entropy
from napari_crlm_spa.core.files import write_text

COMPARISON_NAME = "before-after.csv"
#: Fewer tiles than this say little about a class (our assumption).
FEW_TILES = 10
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Tiles that are asked before and after.

    Parameters
    ----------
    labels
        Shape (n,).
    before, after
        Logits, shape (n, classes), of the model to start from and of the new one.
    """

    labels: NDArray[np.int64]
    before: NDArray[np.float32]
    after: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ClassChange:
    """Recall of a class on new held-back tiles (`kind` new) or on tiles of old slides (old)."""

    name: str
    kind: str
    tiles: int
    before: float
    after: float

    @property
    def lost(self) -> float:
        """Recall lost; negative where it is better now."""
        return self.before - self.after


@dataclass(frozen=True, slots=True)
class Comparison:
    """Recall of every class before and after.

    Parameters
    ----------
    changes
        Classes without tiles are left out.
    margin
        Recall that a class may lose without a warning; a single tile never warns.
    old_were_seen
        Classes whose old tiles the old model was trained on, so that both figures flatter;
        a loss shows all the same.
    """

    changes: tuple[ClassChange, ...]
    margin: float
    old_were_seen: tuple[str, ...] = ()

    def of(self, kind: str) -> tuple[ClassChange, ...]:
        """Return the changes on tiles of one kind: new or old."""
        return tuple(change for change in self.changes if change.kind == kind)

    @property
    def worse(self) -> tuple[ClassChange, ...]:
        """Classes that lost more than the margin, and more than a single tile."""
        return tuple(
            change
            for change in self.changes
            if change.lost > self.margin + _ROUNDING and change.lost * change.tiles > 1.5
        )

    def warnings(self) -> list[str]:
        """Return a sentence for each class that got worse."""
        where = {"new": "new held-back tiles", "old": "tiles of the old slides"}
        return [
            f"{change.name} got worse: of {change.tiles} {where[change.kind]} "
            f"{change.before:.1%} were found before, {change.after:.1%} now."
            for change in self.worse
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures for a card."""
        return {
            "margin": self.margin,
            "old_tiles_seen_in_training": list(self.old_were_seen),
            **{
                kind: {
                    change.name: {
                        "tiles": change.tiles,
                        "before": round(change.before, 4),
                        "after": round(change.after, 4),
                    }
                    for change in self.of(kind)
                }
                for kind in ("new", "old")
            },
        }


def compare(
    new: Judged | None,
    old: Judged | None,
    class_names: Sequence[str],
    margin: float,
    old_were_seen: Sequence[str] = (),
) -> Comparison:
    """Compare recalls before and after on new tiles and on old ones."""
    changes = [
        change
        for kind, judged in (("new", new), ("old", old))
        if judged is not None
        for change in _changes(kind, judged, class_names)
    ]
    return Comparison(tuple(changes), margin, tuple(old_were_seen))


def _changes(kind: str, judged: Judged, class_names: Sequence[str]) -> list[ClassChange]:
    before = recalls(judged.labels, judged.before)
    after = recalls(judged.labels, judged.after)
    counts = np.bincount(judged.labels, minlength=len(class_names))
    return [
        ClassChange(class_names[label], kind, int(counts[label]), before[label], after[label])
        for label in sorted(before)
    ]


def recalls(labels: NDArray[np.int64], logits: NDArray[np.float32]) -> dict[int, float]:
    """Return the recall of each class that has tiles."""
    right = logits.argmax(axis=1) == labels
    return {int(label): float(right[labels == label].mean()) for label in np.unique(labels)}


def balanced_loss(labels: NDArray[np.int64], logits: NDArray[np.float32]) -> float:
    """Return the cross-entropy, averaged within each class first, then over classes."""
    parts = [
        cross_entropy(labels[labels == label], logits[labels == label])
        for label in np.unique(labels)
    ]
    return float(np.mean(parts)) if parts else float("nan")


def write_comparison(folder: Path, comparison: Comparison) -> None:
    """Write the table as CSV into a model folder."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["class", "tiles_are", "tiles", "recall_before", "recall_after", "worse"])
    for change in comparison.changes:
        figures = (round(change.before, 4), round(change.after, 4), change in comparison.worse)
        writer.writerow([change.name, change.kind, change.tiles, *figures])
    write_text(folder / COMPARISON_NAME, text.getvalue())
