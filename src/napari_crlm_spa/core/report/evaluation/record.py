"""Everything of an evaluation as one JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from math import isfinite
from typing import Any

from napari_crlm_spa.core.classifier.evaluation.judgement import Judgement
from napari_crlm_spa.core.report.evaluation import tables
from napari_crlm_spa.core.report.evaluation.subject import EvaluationSubject

_PACKAGES = ("napari-crlm-spa", "torch", "scikit-learn", "numpy")


def as_json(judgement: Judgement, subject: EvaluationSubject) -> str:
    """Return the record; what does not exist is null."""
    names = judgement.predictions.class_names
    head, *slides = tables.slide_rows(judgement)
    worst_head, *worst = tables.worst_rows(judgement)
    record = {
        "format": 1,
        "title": subject.title,
        **subject.record,
        "tiles": len(judgement.predictions),
        "slides": len(judgement.evaluation.by_slide),
        "class_names": list(names),
        "temperature": judgement.temperature,
        "best_temperature": judgement.best_temperature,
        "options": judgement.options.as_dict(),
        "accuracy": asdict(judgement.accuracy),
        "balanced_accuracy": asdict(judgement.balanced_accuracy),
        "macro_f1": asdict(judgement.macro_f1),
        "cross_entropy": judgement.evaluation.cross_entropy,
        "classes": [asdict(each) for each in judgement.classes],
        "confusion": judgement.evaluation.confusion.tolist(),
        "calibration": [asdict(each) for each in judgement.calibrations],
        "coverage": [asdict(point) for point in judgement.coverage],
        "by_slide": [dict(zip(head, row, strict=True)) for row in slides],
        "worst_tiles": [dict(zip(worst_head, row, strict=True)) for row in worst],
        "notes": [*subject.notes, *judgement.notes],
        "versions": {name: version(name) for name in _PACKAGES},
    }
    return json.dumps(_plain(record), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """Round numbers to six digits, turn nan into None."""
    if isinstance(value, float):
        return round(value, 6) if isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
