"""Predictions made up so that the answer is known."""

import numpy as np

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.predictions import Predictions


def called(rows, names=("a", "b", "c"), sure=4.0):
    """Predictions of (slide, true, predicted, how many) rows, all equally sure."""
    slides, labels, predicted = [], [], []
    for slide, true, said, count in rows:
        slides += [slide] * count
        labels += [names.index(true)] * count
        predicted += [names.index(said)] * count
    logits = np.eye(len(names), dtype=np.float32)[np.array(predicted, int)] * np.float32(sure)
    return Predictions(
        tuple(names),
        tuple(f"{names[label]}/{slide}_x{i}_y0.jpg"
              for i, (slide, label) in enumerate(zip(slides, labels, strict=True))),
        tuple(slides),
        np.array(labels, np.int64),
        logits,
    )  # fmt: skip


def drawn(seed=0, slides=6, tiles=40, names=CRLM7.names, scale=1.0):
    """Predictions whose labels are drawn from the model's own probabilities, times `scale`."""
    rng = np.random.default_rng(seed)
    n, k = slides * tiles, len(names)
    logits = rng.normal(0, 2, (n, k))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (shares.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(0, k - 1)
    return Predictions(
        tuple(names),
        tuple(f"{names[label]}/s{i % slides}_x{i}_y0.jpg" for i, label in enumerate(labels)),
        tuple(f"s{i % slides}" for i in range(n)),
        labels.astype(np.int64),
        (scale * logits).astype(np.float32),
    )
