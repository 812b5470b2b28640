"""Survival by reviewed and measured growth pattern, and what interaction adds to the review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_crlm_spa.core.cohort.columns import CRS_SCORE, PATIENT
from napari_crlm_spa.core.cohort.cox.fit import CoxFit, fit_cox
from napari_crlm_spa.core.cohort.table import Cohort
from napari_crlm_spa.core.hgp.agree_options import AgreeOptions
from napari_crlm_spa.core.hgp.association import Outcome, added_to_review
from napari_crlm_spa.core.hgp.columns import (
    CHEMO,
    INTERACTION_BORDER,
    INTERACTION_PAPER,
    LABELS,
    PCT_N,
    PCT_NON_D,
)
from napari_crlm_spa.core.hgp.consensus import called, reviewed
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

NAN = float("nan")
#: Columns of the models, in units that give readable hazard ratios.
NON_D_10, NON_D_CALL = "reviewed_non_D_10", "reviewed_non_D_call"
MEASURED_10, MEASURED_CALL = "measured_non_D_10", "measured_non_D_call"
MODEL_LABELS = {
    NON_D_10: "Reviewed non-desmoplastic, per 10 points",
    NON_D_CALL: "Reviewed non-D (strict)",
    MEASURED_10: "Measured non-desmoplastic, per 10 points",
    MEASURED_CALL: "Measured non-D (strict)",
    f"{INTERACTION_PAPER}_sd": f"{LABELS[INTERACTION_PAPER]}, per SD",
    f"{INTERACTION_BORDER}_sd": f"{LABELS[INTERACTION_BORDER]}, per SD",
    f"{PCT_N}_sd": f"{LABELS[PCT_N]}, per SD",
}
_ADDED = (INTERACTION_PAPER, INTERACTION_BORDER, PCT_N)
#: What survival is adjusted for if the user says nothing, the first of each that is known.
_CHEMO_COLUMN = "Preoperative_chemotherapy"


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeTables:
    """Tables of survival.

    Parameters
    ----------
    models
        ``model, term, label, adjusted, n, events, hr, hr_lower95, hr_upper95, p_wald,
        concordance, aic, note``: one row per term.
    added
        ``base, added, adjusted, n, events, lrt, df, p, concordance_base, concordance_full, hr,
        hr_lower95, hr_upper95, note``: the likelihood-ratio test of what is added to the review.
    warnings
        Sentences.
    """

    models: pd.DataFrame
    added: pd.DataFrame
    warnings: tuple[str, ...]


def outcome_tables(patients: pd.DataFrame, cohort: Cohort, options: AgreeOptions) -> OutcomeTables:
    """Compute survival of the patients who were reviewed and have follow-up.

    Parameters
    ----------
    patients
        Of `patient_table`.
    cohort
        With follow-up of (some of) the same patients, matched by name.
    options
        What to adjust for.
    """
    import pandas as pd

    table, warnings = _joined(patients, cohort)
    if not len(table):
        return OutcomeTables(pd.DataFrame(), pd.DataFrame(), tuple(warnings))
    survival = cohort.survival.take(table["_at"].to_numpy(int))
    adjust = _adjusting(table, cohort, options)
    sets: list[tuple[str, ...]] = [()] + ([adjust] if adjust else [])
    models, added = [], []
    for also in sets:
        adjusted = ", ".join(also)
        for term in (NON_D_10, NON_D_CALL, MEASURED_10, MEASURED_CALL):
            fit = fit_cox(table, survival, [term, *also])
            models += _terms(MODEL_LABELS[term], adjusted, fit)
        for base in (NON_D_10, NON_D_CALL):
            for each in _ADDED:
                found = added_to_review(table, survival, [base, *also], [f"{each}_sd"])
                added.append(_added(base, f"{each}_sd", adjusted, found))
    return OutcomeTables(pd.DataFrame(models), pd.DataFrame(added), tuple(warnings))


def _joined(patients: pd.DataFrame, cohort: Cohort) -> tuple[pd.DataFrame, list[str]]:
    place = {str(name): at for at, name in enumerate(cohort.patients[PATIENT])}
    at = [place.get(str(name), -1) for name in patients[PATIENT]]
    table = patients.assign(_at=at)
    lost = int((table["_at"] < 0).sum())
    table = table[table["_at"] >= 0].reset_index(drop=True)
    warnings = []
    if not len(table):
        # Names stay out: the warning stands on the page, which is sent around.
        none = (
            f"None of the reviewed patients is in the cohort {cohort.name}, so there is nothing on "
            "survival. Name patients alike in both; those reviewed are in the table patients."
        )
        return table, [none]
    if lost:
        warnings.append(
            f"{lost} of {len(patients)} reviewed patients are not in the cohort {cohort.name} and "
            "are left out of survival."
        )
    own = cohort.patients.iloc[table["_at"].to_numpy(int)].reset_index(drop=True)
    table[NON_D_10] = table[reviewed(PCT_NON_D)] / 10
    table[NON_D_CALL] = 1 - table[reviewed(called("strict"))]
    table[MEASURED_10] = table[PCT_NON_D] / 10
    table[MEASURED_CALL] = 1 - table[called("strict")]
    for name in _ADDED:
        table[f"{name}_sd"] = _scaled(table[name].to_numpy(float))
    others = [name for name in own.columns if name not in table.columns]
    return table.join(own[others]), warnings


def _scaled(values: np.ndarray) -> np.ndarray:
    known = values[np.isfinite(values)]
    sd = float(known.std(ddof=1)) if len(known) > 1 else 0.0
    return (values - known.mean()) / sd if sd > 0 else np.full(len(values), np.nan)


def _adjusting(table: pd.DataFrame, cohort: Cohort, options: AgreeOptions) -> tuple[str, ...]:
    named = tuple(part.strip() for part in options.adjust.split(",") if part.strip())
    missing = [name for name in named if name not in table.columns]
    if missing:
        raise CohortError(
            f"The cohort {cohort.name} has no column {', '.join(missing)} to adjust for. It has "
            f"{', '.join(map(str, cohort.patients.columns))}."
        )
    if named:
        return named
    chemo = next((name for name in (_CHEMO_COLUMN, CHEMO) if _varies(table, name)), "")
    return tuple(filter(None, (chemo, CRS_SCORE if _varies(table, CRS_SCORE) else "")))


def _varies(table: pd.DataFrame, name: str) -> bool:
    if name not in table.columns:
        return False
    return bool(table[name].notna().mean() > 0.5 and table[name].nunique() > 1)


def _label(term: str) -> str:
    return MODEL_LABELS.get(term, "")


def _terms(model: str, adjusted: str, fit: CoxFit) -> list[dict[str, Any]]:
    note = " ".join(fit.warnings)
    return [
        {
            "model": model,
            "term": row["column"],
            "label": _label(str(row["column"])) or row["label"],
            "adjusted": adjusted,
            "n": fit.n,
            "events": fit.n_events,
            **{name: row[name] for name in ("hr", "hr_lower95", "hr_upper95", "p_wald")},
            "concordance": fit.concordance,
            "aic": fit.aic,
            "note": note,
        }
        for row in fit.table().to_dict("records")
    ]


def _added(base: str, term: str, adjusted: str, found: Outcome) -> dict[str, Any]:
    full, small = found.full, found.base
    row: dict[str, Any] = {
        "base": MODEL_LABELS[base],
        "added": MODEL_LABELS[term],
        "adjusted": adjusted,
        "n": full.n if full else 0,
        "events": full.n_events if full else 0,
        "lrt": found.statistic,
        "df": found.df,
        "p": found.p,
        "concordance_base": small.concordance if small else NAN,
        "concordance_full": full.concordance if full else NAN,
    }
    names: Sequence[str] = ("hr", "hr_lower95", "hr_upper95")
    if full is None:
        return row | dict.fromkeys(names, NAN) | {"note": found.reason}
    own = next(each for each in full.table().to_dict("records") if each["column"] == term)
    return row | {name: float(own[name]) for name in names} | {"note": found.reason}
