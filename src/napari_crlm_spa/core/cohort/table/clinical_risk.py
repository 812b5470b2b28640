"""The clinical risk score of a cohort: counted where the table does not give it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.columns import CLINICAL, CRS_GROUP, CRS_SCORE, PATIENT
from napari_crlm_spa.core.cohort.table.check import yes_or_no_interval
from napari_crlm_spa.core.cohort.table.filters import people
from napari_crlm_spa.core.cohort.table.rows import Notebook
from napari_crlm_spa.core.risk.crs import (
    HIGH_FROM,
    ClinicalFactors,
    ClinicalRiskScore,
    clinical_risk_score,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

Floats = NDArray[np.float64]
#: The five factors, in the order of the score.
FACTORS = (
    "Pathological_Nstage",
    "Synchronous_liver_metastases",
    "Number_of_LM",
    "Largest_diameter_of_CRLM",
    "Preoperative_CEA",
)


def add_clinical_risk(
    patients: pd.DataFrame, rows: Mapping[str, int], notebook: Notebook
) -> pd.DataFrame:
    """Fill in score and group of the clinical risk score.

    What the table gives stays. A missing score is counted if all five factors are known; a missing
    group follows from the score, or from the known factors if the unknown ones can't change it.
    Scores that differ from their factors are noted.

    Parameters
    ----------
    patients
        One row per patient.
    rows
        Where each stands in the clinical table.
    notebook
        Where what was filled in, and contradictions, are noted.
    """
    n = len(patients)
    given = {name: _column(patients, name, n) for name in (CRS_SCORE, CRS_GROUP)}
    if not any(name in patients for name in (*FACTORS, CRS_SCORE, CRS_GROUP)):
        return patients
    counted = _counted(patients, n)
    scores, groups = given[CRS_SCORE].copy(), given[CRS_GROUP].copy()
    for at, crs in enumerate(counted):
        if crs.score is not None and np.isnan(scores[at]):
            scores[at] = crs.score
        if np.isnan(groups[at]) and not np.isnan(scores[at]):
            groups[at] = float(scores[at] >= HIGH_FROM)
        elif np.isnan(groups[at]) and crs.group is not None:
            groups[at] = float(crs.group == "high")
    _contradictions(patients, given, counted, rows, notebook)
    _filled(given, scores, groups, notebook)
    new = {
        name: values
        for name, values in ((CRS_SCORE, scores), (CRS_GROUP, groups))
        if name in patients
    }
    missing = {
        name: values
        for name, values in ((CRS_SCORE, scores), (CRS_GROUP, groups))
        if name not in patients and not np.isnan(values).all()
    }
    changed = patients.assign(**new, **missing)
    order = [name for name in changed.columns if name not in CLINICAL]
    clinical = [name for name in CLINICAL if name in changed.columns]
    first = max((order.index(name) for name in patients.columns[:3] if name in order), default=-1)
    return changed[[*order[: first + 1], *clinical, *order[first + 1 :]]]


def _column(patients: pd.DataFrame, name: str, n: int) -> Floats:
    if name not in patients:
        return np.full(n, np.nan)
    return patients[name].to_numpy(np.float64, copy=True)


def _counted(patients: pd.DataFrame, n: int) -> list[ClinicalRiskScore]:
    nodes, interval, number, largest, cea = (_column(patients, name, n) for name in FACTORS)
    if yes_or_no_interval(FACTORS[1], interval):
        interval = np.full(n, np.nan)
    return [
        clinical_risk_score(
            ClinicalFactors(
                node_positive=None if np.isnan(nodes[at]) else bool(nodes[at]),
                disease_free_interval_months=_known(interval[at]),
                n_metastases=None if np.isnan(number[at]) else int(number[at]),
                largest_metastasis_cm=_known(largest[at]),
                cea_ng_ml=_known(cea[at]),
            )
        )
        for at in range(n)
    ]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _contradictions(
    patients: pd.DataFrame,
    given: Mapping[str, Floats],
    counted: list[ClinicalRiskScore],
    rows: Mapping[str, int],
    notebook: Notebook,
) -> None:
    for at, (name, crs) in enumerate(zip(patients[PATIENT], counted, strict=True)):
        score, group = given[CRS_SCORE][at], given[CRS_GROUP][at]
        if not np.isnan(score) and not crs.lowest <= score <= crs.highest:
            told = f"{crs.lowest}" if crs.score is not None else f"{crs.lowest} to {crs.highest}"
            notebook.note(
                "warning",
                f"The clinical risk score is {score:g}, but its factors give {told}.",
                "The table's score is used; check it, and the units of the factors.",
                row=rows.get(name),
                patient=name,
                column=CRS_SCORE,
                value=f"{score:g}",
            )
        if not np.isnan(score) and not np.isnan(group) and (score >= HIGH_FROM) != bool(group):
            notebook.note(
                "warning",
                f"The clinical risk group is {group:g}, but a score of {score:g} makes it "
                f"{int(score >= HIGH_FROM)} (high from {HIGH_FROM}).",
                "The table's group is used; check it.",
                row=rows.get(name),
                patient=name,
                column=CRS_GROUP,
                value=f"{group:g}",
            )


def _filled(
    given: Mapping[str, Floats], scores: Floats, groups: Floats, notebook: Notebook
) -> None:
    for name, now, how in (
        (CRS_SCORE, scores, "was counted from its five factors"),
        (CRS_GROUP, groups, "was derived from score or factors"),
    ):
        n = int((np.isnan(given[name]) & ~np.isnan(now)).sum())
        if n:
            notebook.note(
                "warning",
                f"{name} {how} for {people(n)} (Fong et al. 1999).",
                "Enter it into the table if it is known otherwise.",
                column=name,
            )
