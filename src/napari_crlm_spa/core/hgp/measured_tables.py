"""The tables of a study that compare measurements with reviews, stratum by stratum."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_crlm_spa.core.cohort.columns import PATIENT
from napari_crlm_spa.core.cohort.study.gather import Gathering
from napari_crlm_spa.core.hgp import table_notes as notes
from napari_crlm_spa.core.hgp.agree_options import AgreeOptions
from napari_crlm_spa.core.hgp.association import calibration_table, extreme_groups
from napari_crlm_spa.core.hgp.association.auc import roc_points
from napari_crlm_spa.core.hgp.columns import (
    CHEMO,
    INTERACTION_BORDER,
    INTERACTION_PAPER,
    LABELS,
    PCT_D,
    PCT_N,
)
from napari_crlm_spa.core.hgp.consensus import Compared, called, reviewed
from napari_crlm_spa.core.hgp.cutoff import HeldOut, held_out_cutoff
from napari_crlm_spa.core.hgp.stratum import StratumRows, stratum_rows
from napari_crlm_spa.core.hgp.stratum_values import AUC_MARKERS
from napari_crlm_spa.core.progress import Progress

if TYPE_CHECKING:
    import pandas as pd

ALL, NAIVE, PRETREATED = "all", "chemotherapy-naive", "pretreated"
#: A stratum of fewer slides is not tabulated (a heuristic of ours).
FEWEST_SLIDES = 3


def strata(slides: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return all slides, and those of chemotherapy-naive and of pretreated patients."""
    chemo = slides[CHEMO].to_numpy(float)
    parts = {ALL: slides, NAIVE: slides[chemo == 0], PRETREATED: slides[chemo == 1]}
    return {
        name: part.reset_index(drop=True)
        for name, part in parts.items()
        if name == ALL or FEWEST_SLIDES <= len(part) < len(slides)
    }


def add_measured(
    book: Gathering, compared: Compared, options: AgreeOptions
) -> Generator[Progress, None, None]:
    """Add all tables of measurements to a study; one generator for all strata."""
    import pandas as pd

    total = StratumRows()
    extremes, calibration, cutoffs, roc = [], [], [], []
    for name, slides in strata(compared.slides).items():
        rows = yield from stratum_rows(name, slides, options)
        for table in ("association", "agreement", "auc", "rules"):
            getattr(total, table).extend(getattr(rows, table))
        extremes += _extremes(name, slides, options)
        calibration.append(_calibration(name, slides, options))
        cutoffs += _cutoff(name, slides, options)
        roc += _roc(name, slides)
    book.table("association", "Measurements and the review", _frame(total.association), notes.ASSOC)
    book.table("extremes", "Lowest and highest interaction", _frame(extremes), notes.EXTREMES)
    book.table("agreement", "Measured and reviewed share", _frame(total.agreement), notes.AGREEMENT)
    book.table("calibration", "Calibration", pd.concat(calibration), notes.CALIBRATION)
    book.table("auc", "Telling D from non-D", _frame(total.auc), notes.AUC)
    book.table("roc", "ROC curves", _frame(roc), "Of the strict reviewed call.")
    book.table("rules", "Calls by rule", _frame(total.rules), notes.RULES)
    book.table("cutoff", "A cut-off on other patients", _frame(cutoffs), notes.CUTOFF)


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)


def _extremes(name: str, slides: pd.DataFrame, options: AgreeOptions) -> list[dict[str, Any]]:
    rows = []
    for marker in (INTERACTION_PAPER, INTERACTION_BORDER, PCT_N):
        if slides[marker].notna().sum() < 2:
            continue
        calls = slides[reviewed(called("strict"))].to_numpy(float)
        found = extreme_groups(
            slides[marker].to_numpy(float), calls, options.k_extremes, level=options.level
        )
        rows.append(
            {
                "stratum": name,
                "marker": marker,
                "label": LABELS[marker],
                "k": found.k,
                "low_d": found.low_d,
                "high_d": found.high_d,
                "odds_ratio": found.odds_ratio,
                "lower": found.lower,
                "upper": found.upper,
                "p": found.p,
                "low_limit": found.low_limit,
                "high_limit": found.high_limit,
                "note": found.reason,
            }
        )
    return rows


def _calibration(name: str, slides: pd.DataFrame, options: AgreeOptions) -> pd.DataFrame:
    table = calibration_table(
        slides[PCT_D],
        slides[reviewed(PCT_D)],
        slides[reviewed(called("strict"))],
        options.calibration_groups,
        level=options.level,
    )
    table.insert(0, "stratum", name)
    return table


def _cutoff(name: str, slides: pd.DataFrame, options: AgreeOptions) -> list[dict[str, Any]]:
    if not slides[PCT_N].notna().any():
        return []
    found: HeldOut = held_out_cutoff(
        slides[PCT_N],
        slides[reviewed(called("strict"))],
        slides[PATIENT],
        options.folds,
        options.seed,
    )
    known = np.isfinite(found.of_fold)
    return [
        {
            "stratum": name,
            "marker": PCT_N,
            "n": found.kappa.n,
            "cutoff": found.cutoff,
            "cutoff_lowest": float(found.of_fold.min()) if known.any() else np.nan,
            "cutoff_highest": float(found.of_fold.max()) if known.any() else np.nan,
            "kappa_held_out": found.kappa.value,
            "kappa_apparent": found.apparent,
            "sensitivity": found.sensitivity.value,
            "sensitivity_lower": found.sensitivity.lower,
            "sensitivity_upper": found.sensitivity.upper,
            "specificity": found.specificity.value,
            "specificity_lower": found.specificity.lower,
            "specificity_upper": found.specificity.upper,
            "note": found.reason or found.kappa.reason,
        }
    ]


def _roc(name: str, slides: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for marker, sign in AUC_MARKERS.items():
        score = sign * slides[marker].to_numpy(float)
        curve = roc_points(score, slides[reviewed(called("strict"))].to_numpy(float))
        if curve is None:
            continue
        for threshold, false, true in zip(
            sign * curve.threshold,
            curve.false_positive_rate,
            curve.true_positive_rate,
            strict=True,
        ):
            rows.append(
                {
                    "stratum": name,
                    "marker": marker,
                    "threshold": threshold,
                    "false_positive_rate": false,
                    "true_positive_rate": true,
                }
            )
    return rows
