"""The course of a training: one record an epoch, as CSV and as a picture."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from napari_crlm_spa.core.files import atomic_path, write_text

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


def write_history(folder: Path, history: Sequence[EpochRecord]) -> None:
    """Write the records as CSV and the curves as PNG into a folder."""
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
    _plot(folder / CURVES_NAME, history)


def _plot(path: Path, history: Sequence[EpochRecord]) -> None:
    from matplotlib.figure import Figure

    epochs = [record.epoch for record in history]
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    loss.plot(epochs, [r.train_loss for r in history], label="training (varied tiles)")
    accuracy.plot(epochs, [r.train_accuracy for r in history], label="training (varied tiles)")
    if any(math.isfinite(r.validation_loss) for r in history):
        loss.plot(epochs, [r.validation_loss for r in history], label="validation")
        balanced = [r.validation_balanced_accuracy for r in history]
        accuracy.plot(epochs, balanced, label="validation, balanced")
    loss.set(xlabel="epoch", ylabel="cross-entropy")
    accuracy.set(xlabel="epoch", ylabel="accuracy", ylim=(None, 1.005))
    kept = [record.epoch for record in history if record.best][-1:]
    for axes in (loss, accuracy):
        for epoch in kept:
            axes.axvline(epoch, color="0.6", linewidth=0.8, linestyle="--")
        axes.legend(frameon=False)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png")
