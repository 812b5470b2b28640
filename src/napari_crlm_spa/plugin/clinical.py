"""A patient's clinical factors as yes, no or unknown, kept beside a reader's corrections. No Qt.

They lie in the reader's folder of the analysis, so they are there when the slide is opened again
and go when the folder goes; nothing but the answers is written.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from napari_crlm_spa.core.files import write_errors, write_text
from napari_crlm_spa.core.review import reader_folder
from napari_crlm_spa.core.risk import ClinicalFactors, ClinicalRiskScore, clinical_risk_score
from napari_crlm_spa.core.store import to_json
from napari_crlm_spa.core.store.names import CLINICAL_JSON

#: By the name of a factor; a factor that is not there is unknown.
Answers = dict[str, bool]


def factor_rules() -> dict[str, str]:
    """Return what each factor of the clinical risk score asks, by its name."""
    factors = clinical_risk_score(ClinicalFactors()).factors
    return {factor.name: factor.rule for factor in factors}


def score_of(answers: Answers) -> ClinicalRiskScore:
    """Count the points; unknown factors widen the score's range."""
    unknown = clinical_risk_score(ClinicalFactors()).factors
    factors = tuple(
        replace(
            factor, value="yes" if answers[factor.name] else "no", point=int(answers[factor.name])
        )
        if factor.name in answers
        else factor
        for factor in unknown
    )
    lowest = sum(factor.point or 0 for factor in factors)
    return ClinicalRiskScore(factors, lowest, lowest + sum(f.point is None for f in factors))


def read_answers(analysis_folder: Path, reader: str) -> Answers:
    """Return what a reader entered earlier; what cannot be read is unknown."""
    try:
        kept = json.loads(_file(analysis_folder, reader).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(kept, dict):
        return {}
    return {name: kept[name] for name in factor_rules() if isinstance(kept.get(name), bool)}


def write_answers(analysis_folder: Path, reader: str, answers: Answers) -> None:
    """Keep what a reader entered; without an answer there is no file.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    path = _file(analysis_folder, reader)
    if answers:
        write_text(path, to_json(answers) + "\n")
        return
    with write_errors(path):
        path.unlink(missing_ok=True)


def _file(analysis_folder: Path, reader: str) -> Path:
    return reader_folder(analysis_folder, reader) / CLINICAL_JSON
