"""The report of an evaluation: one page, and a table and a picture of everything on it."""

from napari_crlm_spa.core.report.evaluation.crossval import subject_of_crossval
from napari_crlm_spa.core.report.evaluation.subject import EvaluationSubject, subject_of_model
from napari_crlm_spa.core.report.evaluation.write import EVALUATION_HTML, write_evaluation_report

__all__ = [
    "EVALUATION_HTML",
    "EvaluationSubject",
    "subject_of_crossval",
    "subject_of_model",
    "write_evaluation_report",
]
