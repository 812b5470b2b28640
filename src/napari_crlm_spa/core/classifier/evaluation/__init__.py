"""How good a classifier is on labeled tiles.

`options` says what is asked, `run` lets a model predict, `judgement` compares predictions with
the truth (`figures` with `intervals` by slide, `roc`, `calibration`, `coverage`), `temperature`
stores a temperature in a model's card. Cross-validation is judged by the same code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_crlm_spa.core.classifier.evaluation.options import EvaluationOptions
from napari_crlm_spa.core.on_demand import names_on_demand

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

# The options alone fill flags; what needs torch or scikit-learn is loaded when it is asked for.
__getattr__ = names_on_demand(__name__, _WHERE)
