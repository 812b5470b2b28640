"""How good a classifier is on labeled tiles.

`options` says what is asked, `run` lets a model predict, `judgement` compares predictions with
the truth (`figures` with `intervals` by slide, `roc`, `calibration`, `coverage`), `temperature`
stores a temperature in a model's card. Cross-validation is judged by the same code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_crlm_spa.core.classifier.evaluation.options import EvaluationOptions

if TYPE_CHECKING:
    from napari_crlm_spa.core.classifier.evaluation.judgement import Judgement, judge, judging
    from napari_crlm_spa.core.classifier.evaluation.run import ModelEvaluation, evaluate_model
    from napari_crlm_spa.core.classifier.evaluation.temperature import (
        recalibrate,
        refuse_calibration,
    )

__all__ = [
    "EvaluationOptions",
    "Judgement",
    "ModelEvaluation",
    "evaluate_model",
    "judge",
    "judging",
    "recalibrate",
    "refuse_calibration",
]

_WHERE = {
    "Judgement": "judgement",
    "ModelEvaluation": "run",
    "evaluate_model": "run",
    "judge": "judgement",
    "judging": "judgement",
    "recalibrate": "temperature",
    "refuse_calibration": "temperature",
}


def __getattr__(name: str) -> Any:
    """Import what needs torch or scikit-learn on first use: the options alone fill flags."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
