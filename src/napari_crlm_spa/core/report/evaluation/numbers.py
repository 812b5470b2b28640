"""Figures and intervals as they are printed."""

from __future__ import annotations

from napari_crlm_spa.core.classifier.evaluation.intervals import Estimate
from napari_crlm_spa.core.report.words import MISSING


def figure(value: float, digits: int = 3) -> str:
    """Write a share with fixed digits; only what is exactly 1 reads as 1, a dash if unknown."""
    if value != value:
        return MISSING
    text = f"{value:.{digits}f}"
    if value < 1 and float(text) >= 1:
        return f">0.{'9' * digits}"
    return text


def span(estimate: Estimate, digits: int = 3) -> str:
    """Write an interval, e.g. 0.882 to 0.989 with an en dash; empty where there is none."""
    if not estimate.has_interval:
        return ""
    return f"{figure(estimate.low, digits)}\u2013{figure(estimate.high, digits)}"
