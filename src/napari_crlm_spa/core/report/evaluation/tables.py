"""The tables beside the report, as rows of plain values; the first row names the columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from napari_crlm_spa.core.classifier.evaluation.intervals import Estimate
from napari_crlm_spa.core.classifier.evaluation.judgement import Judgement

Rows = list[list[Any]]

_FIGURES = ("recall", "precision", "f1", "auc")


def class_rows(judgement: Judgement) -> Rows:
    """List the classes: how much of it there is, its figures and their intervals."""
    head = ["class", "tiles", "slides", "predicted"]
    for name in _FIGURES:
        head += [name, f"{name}_low", f"{name}_high"]
    rows: Rows = [[*head, "no_interval_because"]]
    for each in judgement.classes:
        row: list[Any] = [each.name, each.tiles, each.slides, each.predicted]
        estimates: list[Estimate] = [getattr(each, name) for name in _FIGURES]
        for estimate in estimates:
            row += [estimate.value, estimate.low, estimate.high]
        reasons = dict.fromkeys(estimate.reason for estimate in estimates if estimate.reason)
        rows.append([*row, "; ".join(reasons)])
    return rows


def roc_rows(judgement: Judgement) -> Rows:
    """List the points of all ROC curves."""
    rows: Rows = [["class", "false_positive_rate", "true_positive_rate", "threshold"]]
    for name, curve in zip(judgement.predictions.class_names, judgement.curves, strict=True):
        if curve is not None:
            points = zip(
                curve.false_positive_rate, curve.true_positive_rate, curve.thresholds, strict=True
            )
            rows += [[name, *map(float, point)] for point in points]
    return rows


def confusion_rows(judgement: Judgement) -> Rows:
    """Count tiles by true (rows) and predicted class (columns)."""
    names = judgement.predictions.class_names
    table = judgement.evaluation.confusion.tolist()
    return [["true", *names]] + [[name, *row] for name, row in zip(names, table, strict=True)]


def confusion_percent_rows(judgement: Judgement) -> Rows:
    """Give percent of each true class by predicted class; empty for a class without tiles."""
    names = judgement.predictions.class_names
    shares = row_shares(judgement) * 100
    return [["true", *names]] + [
        [name, *row] for name, row in zip(names, shares.tolist(), strict=True)
    ]


def row_shares(judgement: Judgement) -> Any:
    """Return the share of each true class by predicted class, shape (k, k); nan without tiles."""
    table = judgement.evaluation.confusion.astype(float)
    totals = table.sum(axis=1, keepdims=True)
    shares = np.full_like(table, np.nan)
    np.divide(table, totals, out=shares, where=totals > 0)
    return shares


def reliability_rows(judgement: Judgement) -> Rows:
    """List the bins of the reliability plot at each temperature."""
    rows: Rows = [["probabilities", "temperature", "low", "high", "tiles", "confidence", "right"]]
    for each in judgement.calibrations:
        for bin_ in each.bins:
            measured = (bin_.low, bin_.high, bin_.tiles, bin_.confidence, bin_.accuracy)
            rows.append([each.title, each.temperature, *measured])
    return rows


def calibration_rows(judgement: Judgement) -> Rows:
    """List calibration error, Brier score and cross-entropy at each temperature."""
    rows: Rows = [["probabilities", "temperature", "ece", "brier", "cross_entropy"]]
    for each in judgement.calibrations:
        rows.append([each.title, each.temperature, each.ece, each.brier, each.cross_entropy])
    return rows


def coverage_rows(judgement: Judgement) -> Rows:
    """List accuracy against the share of tiles kept."""
    rows: Rows = [["share_kept", "tiles", "least_confidence", "accuracy"]]
    rows += [[p.share, p.tiles, p.confidence, p.accuracy] for p in judgement.coverage]
    return rows


def slide_rows(judgement: Judgement) -> Rows:
    """List the slides, the worst first: accuracy, and recall and number of tiles by class."""
    names = judgement.predictions.class_names
    head = ["slide", "tiles", "right", "accuracy"]
    rows: Rows = []
    for slide, table in judgement.evaluation.by_slide.items():
        totals, right = table.sum(axis=1), np.diagonal(table)
        row: list[Any] = [slide, int(totals.sum()), int(right.sum())]
        row.append(float(right.sum() / totals.sum()))
        for hit, total in zip(right, totals, strict=True):
            row += [float(hit / total) if total else float("nan"), int(total)]
        rows.append(row)
    rows.sort(key=lambda row: (row[3], row[0]))
    return [head + [f"{kind}_{name}" for name in names for kind in ("recall", "tiles")], *rows]


def worst_rows(judgement: Judgement) -> Rows:
    """List the tiles of the gallery, worst first."""
    predictions = judgement.predictions
    names = predictions.class_names
    shares = predictions.probabilities(judgement.temperature)
    losses = predictions.losses(judgement.temperature)
    predicted = predictions.predicted
    rows: Rows = [["path", "slide", "class", "predicted", "confidence", "probability", "loss"]]
    for i in judgement.worst:
        true, called = predictions.labels[i], predicted[i]
        words = (predictions.paths[i], predictions.slides[i], names[true], names[called])
        rows.append([*words, float(shares[i, called]), float(shares[i, true]), float(losses[i])])
    return rows


#: File name of each table.
TABLES: dict[str, Callable[[Judgement], Rows]] = {
    "classes.csv": class_rows,
    "roc.csv": roc_rows,
    "confusion.csv": confusion_rows,
    "confusion_percent.csv": confusion_percent_rows,
    "reliability.csv": reliability_rows,
    "calibration.csv": calibration_rows,
    "coverage.csv": coverage_rows,
    "slides.csv": slide_rows,
    "worst_tiles.csv": worst_rows,
}


def as_csv(rows: Sequence[Sequence[Any]]) -> str:
    """Write rows as CSV; numbers with six digits after the point, nan as nothing."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([_plain(value) for value in row] for row in rows)
    return text.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return "" if value != value else f"{value:.6f}".rstrip("0").rstrip(".")
    return value
