"""Figures of merit of predicted classes, and the temperature that calibrates them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

#: Range within which the temperature is sought.
TEMPERATURE_RANGE = (0.2, 5.0)


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What a classifier reached on labeled tiles.

    Parameters
    ----------
    class_names
        In the order of rows and columns.
    confusion
        Shape (k, k): tiles by true class (rows) and predicted class (columns).
    by_slide
        By slide: its own confusion.
    cross_entropy
        Mean negative log-probability of the true class, in nats.
    """

    class_names: tuple[str, ...]
    confusion: NDArray[np.int64]
    by_slide: dict[str, NDArray[np.int64]]
    cross_entropy: float

    @property
    def count(self) -> int:
        """Number of tiles."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """Share of the tiles that are right; nan without tiles."""
        return float(np.trace(self.confusion) / self.count) if self.count else float("nan")

    @property
    def recall(self) -> dict[str, float | None]:
        """Share of each true class that is found; None for a class without tiles."""
        totals = self.confusion.sum(axis=1)
        return {
            name: float(self.confusion[i, i] / totals[i]) if totals[i] else None
            for i, name in enumerate(self.class_names)
        }

    @property
    def balanced_accuracy(self) -> float:
        """Mean recall of the classes that have tiles."""
        found = [value for value in self.recall.values() if value is not None]
        return sum(found) / len(found) if found else float("nan")

    def as_dict(self) -> dict[str, Any]:
        """Return the figures for a card, rounded to four digits."""
        return {
            "tiles": self.count,
            "accuracy": round(self.accuracy, 4),
            "balanced_accuracy": round(self.balanced_accuracy, 4),
            "cross_entropy": round(self.cross_entropy, 4),
            "recall": {
                name: round(value, 4) for name, value in self.recall.items() if value is not None
            },
            "confusion": self.confusion.tolist(),
            "by_slide": {
                slide: {
                    "tiles": int(table.sum()),
                    "accuracy": round(float(np.trace(table) / table.sum()), 4),
                }
                for slide, table in sorted(self.by_slide.items())
            },
        }


def evaluate(
    labels: NDArray[np.int64],
    logits: NDArray[np.float32],
    slides: Sequence[str],
    class_names: Sequence[str],
) -> Evaluation:
    """Compare logits, shape (n, k), with true class indices, shape (n,)."""
    k = len(class_names)
    predicted = logits.argmax(axis=1) if len(logits) else labels
    names, at = np.unique(np.array(slides, str), return_inverse=True)
    cells = np.bincount((at * k + labels) * k + predicted, minlength=len(names) * k * k)
    tables = cells.reshape(len(names), k, k).astype(np.int64)
    by_slide = {str(name): table for name, table in zip(names, tables, strict=True)}
    loss = cross_entropy(labels, logits) if len(labels) else float("nan")
    return Evaluation(tuple(class_names), tables.sum(axis=0), by_slide, loss)


def cross_entropy(
    labels: NDArray[np.int64], logits: NDArray[np.float32], temperature: float = 1.0
) -> float:
    """Mean negative log-probability of the true class."""
    logs = log_softmax(logits.astype(np.float64) / temperature, axis=1)
    return float(-logs[np.arange(len(labels)), labels].mean())


def fit_temperature(labels: NDArray[np.int64], logits: NDArray[np.float32]) -> float:
    """Return the softmax temperature of the lowest cross-entropy.

    Where all tiles are told right there is none, since ever lower ones are ever better: 1.

    Source: Guo et al., On calibration of modern neural networks, ICML 2017.
    """
    if (logits.argmax(axis=1) == labels).all():
        return 1.0
    found = minimize_scalar(
        lambda log_t: cross_entropy(labels, logits, float(np.exp(log_t))),
        bounds=tuple(np.log(TEMPERATURE_RANGE)),
        method="bounded",
    )
    return round(float(np.exp(found.x)), 4)
