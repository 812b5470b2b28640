"""Do probabilities mean what they say: reliability, calibration error, Brier score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classifier.metrics import TEMPERATURE_RANGE, fit_temperature
from napari_crlm_spa.core.classifier.predictions import Predictions

#: Folds of slides in which a temperature is fitted on the others.
_FOLDS = 10


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Tiles whose confidence lies above `low` and up to `high`; nan means without tiles."""

    low: float
    high: float
    tiles: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well probabilities at a temperature agree with what is right.

    Parameters
    ----------
    title
        Whose temperature it is, in words.
    temperature
        Divides the logits; the mean over folds where each has its own.
    bins
        Equal width over 0-1, by confidence (the probability of the predicted class).
    ece
        Expected calibration error: mean over tiles of |accuracy - confidence| of their bin.
        Source: Guo et al., On calibration of modern neural networks, ICML 2017 (15 bins).
    brier
        Mean over tiles of the squared differences between probabilities and truth, summed
        over the classes: 0 is perfect, 2 the worst. Source: Brier 1950.
    cross_entropy
        Mean negative log-probability of the true class, in nats.
    """

    title: str
    temperature: float
    bins: tuple[ReliabilityBin, ...]
    ece: float
    brier: float
    cross_entropy: float


def calibration_at(
    predictions: Predictions, temperature: float, bins: int, title: str
) -> Calibration:
    """Judge the probabilities at one temperature; `predictions` must not be empty."""
    shares = predictions.probabilities(temperature)
    right = predictions.predicted == predictions.labels
    table = _reliability(shares.max(axis=1), right, bins)
    gaps = [each.tiles * abs(each.accuracy - each.confidence) for each in table if each.tiles]
    truth = np.eye(len(predictions.class_names))[predictions.labels]
    return Calibration(
        title,
        temperature,
        table,
        float(sum(gaps) / len(predictions)),
        float(((shares - truth) ** 2).sum(axis=1).mean()),
        float(predictions.losses(temperature).mean()),
    )


def cross_fitted(predictions: Predictions, bins: int, title: str) -> Calibration | None:
    """Judge temperatures fitted on other slides than those they are used on.

    None where there is one slide only.
    """
    names = np.array(predictions.slides)
    slides = np.unique(names)
    if len(slides) < 2:
        return None
    fold = np.searchsorted(slides, names) % min(_FOLDS, len(slides))
    logits = predictions.logits.copy()
    temperatures = []
    for number in np.unique(fold):
        inside = fold == number
        fitted = fit_temperature(predictions.labels[~inside], predictions.logits[~inside])
        logits[inside] /= np.float32(fitted)
        temperatures.append(fitted)
    scaled = Predictions(
        predictions.class_names, predictions.paths, predictions.slides, predictions.labels, logits
    )
    found = calibration_at(scaled, 1.0, bins, title)
    mean = float(np.mean(temperatures))
    return Calibration(title, mean, found.bins, found.ece, found.brier, found.cross_entropy)


def best_temperature(predictions: Predictions) -> float | None:
    """Fit a temperature; None where there is no best one.

    So it is where all tiles are told right, and where the best lies outside the range sought.
    """
    if (predictions.predicted == predictions.labels).all():
        return None
    low, high = TEMPERATURE_RANGE
    found = fit_temperature(predictions.labels, predictions.logits)
    return found if low * 1.01 < found < high / 1.01 else None


def _reliability(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int
) -> tuple[ReliabilityBin, ...]:
    edges = np.linspace(0.0, 1.0, bins + 1)
    # Bins are open below and closed above, as in the paper.
    at = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    tiles = np.bincount(at, minlength=bins)
    said = np.bincount(at, confidence, minlength=bins)
    was = np.bincount(at, right, minlength=bins)
    return tuple(
        ReliabilityBin(
            float(edges[i]),
            float(edges[i + 1]),
            int(tiles[i]),
            float(said[i] / tiles[i]) if tiles[i] else float("nan"),
            float(was[i] / tiles[i]) if tiles[i] else float("nan"),
        )
        for i in range(bins)
    )
