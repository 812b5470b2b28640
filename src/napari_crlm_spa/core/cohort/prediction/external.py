"""A frozen model in a second cohort: whether it tells who dies first, and its numbers are right.

Discrimination (concordance, ROC over time), calibration (observed and expected deaths, groups,
slope of the linear predictor), Brier score and decision curve; nothing is fitted again but the
slope. Royston & Altman, BMC Med Res Methodol 2013;13:33.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_crlm_spa.core.cohort.cox.concordance import concordance
from napari_crlm_spa.core.cohort.cox.fit import fit_cox
from napari_crlm_spa.core.cohort.prediction.brier import brier_table
from napari_crlm_spa.core.cohort.prediction.calibration import CalibrationOptions
from napari_crlm_spa.core.cohort.prediction.calibration_groups import (
    calibrate_groups,
    quantile_cuts,
)
from napari_crlm_spa.core.cohort.prediction.calibration_tables import (
    CALIBRATION_COLUMNS,
    calibration_rows,
    empty_table,
    observed_deaths,
    unknown_groups,
)
from napari_crlm_spa.core.cohort.prediction.decision import DecisionOptions, decision_table
from napari_crlm_spa.core.cohort.prediction.group_survival import GroupedSurvival
from napari_crlm_spa.core.cohort.prediction.predicted import CoxPrediction, PredictionModel
from napari_crlm_spa.core.cohort.prediction.roc_tables import roc_tables
from napari_crlm_spa.core.cohort.prediction.times import checked_times
from napari_crlm_spa.core.cohort.survival import Z95, Survival
from napari_crlm_spa.errors import SurvivalDataError

if TYPE_CHECKING:
    import pandas as pd

EXTERNAL_NOTE = (
    "The model is used as it was fitted elsewhere. concordance: of the linear predictor. slope: "
    "coefficient of the linear predictor in a Cox model of these patients; 1 is right, below 1 the "
    "predictions are too extreme, above 1 not extreme enough; p tests whether it is 1."
)
EXTERNAL_SUMMARY_COLUMNS = (
    *("model", "time_months", "n", "observed_deaths", "lower95", "upper95"),
    *("expected_deaths", "observed_expected"),
)


@dataclass(frozen=True, slots=True, eq=False)
class ExternalTables:
    """How a frozen model does in a cohort that it has not seen.

    Parameters
    ----------
    external
        One row: n, n_missing, events, concordance with standard error and 95 % interval, slope
        with standard error, 95 % interval and p of its being 1.
    roc, roc_curve
        Of the linear predictor, as in `roc_tables`.
    calibration
        Observed and predicted survival in groups; ``optimism`` and ``corrected`` are empty.
    calibration_summary
        Observed (95 % interval) and expected share of deaths per time: calibration in the large.
    brier, decision
        As in `brier_table` and `decision_table`.
    warnings
        Sentences for the user.
    """

    external: pd.DataFrame
    roc: pd.DataFrame
    roc_curve: pd.DataFrame
    calibration: pd.DataFrame
    calibration_summary: pd.DataFrame
    brier: pd.DataFrame
    decision: pd.DataFrame
    warnings: tuple[str, ...]


def external_tables(
    model: PredictionModel,
    frame: pd.DataFrame,
    survival: Survival,
    options: CalibrationOptions | None = None,
    *,
    decision: DecisionOptions | None = None,
) -> ExternalTables:
    """Validate a frozen model.

    Parameters
    ----------
    model
        From another cohort.
    frame
        One row per patient, with the model's columns; patients with holes are left out.
    survival
        Follow-up of the same patients.
    options
        Times and groups (resamples are not used: nothing is fitted, so there is no optimism).
    decision
        Thresholds of the decision curve.

    Raises
    ------
    CohortError, SurvivalDataError
        If a column is missing or holds text, or all patients have holes.
    """
    import pandas as pd

    options = options or CalibrationOptions()
    every = model.predict(frame).predictor
    if len(every) != len(survival):
        raise SurvivalDataError(
            f"The table has {len(every)} rows and there are {len(survival)} follow-ups; each "
            "patient needs one of both."
        )
    known = np.isfinite(every)
    if not known.any():
        raise SurvivalDataError(
            f"No patient has all columns of the model {model.name}: {', '.join(model.columns)}. "
            "Fill in the missing values."
        )
    prediction, followed = CoxPrediction(model, every[known]), survival.take(known)
    times = checked_times(options.times)
    rocs = roc_tables(pd.DataFrame({model.name: prediction.predictor}), followed, times)
    groups, summary, warnings = _calibrated(prediction, followed, options)
    overall = _overall(prediction, followed)
    if np.isnan(overall["slope"]):
        warnings.append(
            f"The slope of {model.name} cannot be computed in these patients: their predictions "
            "are all alike, or too few died."
        )
    return ExternalTables(
        pd.DataFrame([{"model": model.name, "n_missing": int((~known).sum()), **overall}]),
        rocs.roc,
        rocs.roc_curve,
        groups,
        summary,
        brier_table({model.name: prediction}, followed, times),
        decision_table({model.name: prediction}, followed, times, decision),
        (*rocs.warnings, *warnings),
    )


def _overall(prediction: CoxPrediction, survival: Survival) -> dict[str, float]:
    import pandas as pd
    from scipy.special import ndtr

    agreement = concordance(survival, prediction.predictor)
    fit = fit_cox(pd.DataFrame({"predictor": prediction.predictor}), survival, ["predictor"])
    slope, se = float(fit.coef[0]), float(fit.se[0])
    return {
        "n": len(survival),
        "events": survival.n_events,
        "concordance": agreement.value,
        "concordance_se": agreement.std_err,
        "concordance_lower95": agreement.value - Z95 * agreement.std_err,
        "concordance_upper95": agreement.value + Z95 * agreement.std_err,
        "slope": slope,
        "slope_se": se,
        "slope_lower95": slope - Z95 * se,
        "slope_upper95": slope + Z95 * se,
        "slope_p": float(2 * ndtr(-abs(slope - 1) / se)) if se > 0 else float("nan"),
    }


def _calibrated(
    prediction: CoxPrediction, survival: Survival, options: CalibrationOptions
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    import pandas as pd

    curves, groups_wanted = GroupedSurvival(survival), options.group_count(len(survival))
    parts, rows, warnings = [], [], []
    name, until = prediction.model.name, prediction.model.followed_until
    for time in checked_times(options.times):
        predicted = prediction.at(time)[:, 0]
        if np.isnan(predicted).any():
            warnings.append(
                f"{name} predicts nothing at {time:g} months: it was made of patients followed for "
                f"{until:g} months at most. Choose an earlier time."
            )
            continue
        cuts = quantile_cuts(predicted, groups_wanted)
        compared = calibrate_groups(curves, float(time), predicted, cuts)
        empty = np.full(len(cuts) - 1, np.nan)
        parts.append(
            calibration_rows(name, float(time), compared, empty, np.zeros(len(cuts) - 1, int))
        )
        rows.append(
            {
                "model": name,
                "time_months": time,
                "n": len(survival),
                **observed_deaths(curves, float(time), predicted),
            }
        )
        warnings += unknown_groups(name, parts[-1])
    groups = pd.concat(parts, ignore_index=True) if parts else empty_table(CALIBRATION_COLUMNS)
    return groups, pd.DataFrame(rows, columns=list(EXTERNAL_SUMMARY_COLUMNS)), warnings
