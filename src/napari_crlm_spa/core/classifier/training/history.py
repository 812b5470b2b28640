"""The course of a training: one record an epoch, as CSV and as a picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from napari_crlm_spa.core.classifier.training.curves import plot_history
from napari_crlm_spa.core.files import write_text

HISTORY_NAME = "history.csv"
CURVES_NAME = "curves.png"


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """What an epoch reached. Validation figures are nan where nothing is held back."""

    epoch: int
    learning_rate: float
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    validation_balanced_accuracy: float
    seconds: float
    best: bool


def write_table(folder: Path, history: Sequence[EpochRecord]) -> None:
    """Write the records as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(EpochRecord)])
    writer.writeheader()
    for record in history:
        row = {
            key: round(value, 6) if isinstance(value, float) else value
            for key, value in asdict(record).items()
        }
        writer.writerow(row)
    write_text(folder / HISTORY_NAME, text.getvalue())


def draw_history(folder: Path, history: Sequence[EpochRecord]) -> None:
    """Draw the curves as PNG."""
    plot_history(folder / CURVES_NAME, history)
