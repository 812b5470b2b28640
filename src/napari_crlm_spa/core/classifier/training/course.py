"""What a training leaves behind, and when it may stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_crlm_spa.core.classifier.card import ModelCard
from napari_crlm_spa.core.classifier.metrics import Evaluation
from napari_crlm_spa.core.classifier.training.compare import Comparison
from napari_crlm_spa.core.classifier.training.history import EpochRecord


@dataclass(frozen=True, slots=True, eq=False)
class TrainingResult:
    """What a training left behind.

    Parameters
    ----------
    folder
        The model folder, with history.csv and curves.png beside card and weights.
    card
        The card as written.
    history
        One record an epoch.
    validation
        Evaluation of the kept weights; None where nothing was held back.
    notes
        Tiles left out, broken images and the like, in words.
    comparison
        Recalls before and after, where the training started from a model of the same classes
        and there were tiles to compare on; else None.
    """

    folder: Path
    card: ModelCard
    history: list[EpochRecord]
    validation: Evaluation | None
    notes: list[str]
    comparison: Comparison | None = None


def stalled(history: Sequence[EpochRecord], patience: int) -> bool:
    """Whether the last `patience` epochs brought nothing better."""
    recent = history[-patience:] if patience else []
    return bool(recent) and len(recent) == patience and not any(r.best for r in recent)
