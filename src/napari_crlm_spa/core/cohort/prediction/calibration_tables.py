"""Rows and notes of the tables on calibration, of a fitted model and of a frozen one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from napari_crlm_spa.core.cohort.prediction.calibration_groups import GroupCalibration
from napari_crlm_spa.core.cohort.prediction.group_survival import GroupedSurvival
from napari_crlm_spa.core.cohort.survival import Floats

if TYPE_CHECKING:
    import pandas as pd

CALIBRATION_COLUMNS = (
    *("model", "time_months", "group", "n", "predicted", "observed", "std_err", "optimism"),
    *("corrected", "resamples", "lower95", "upper95"),
)
SUMMARY_COLUMNS = (
    *("model", "time_months", "n", "n_missing", "observed_deaths", "lower95", "upper95"),
    *("expected_deaths", "observed_expected", "slope_corrected", "resamples"),
)
COUNTS = ("group", "n", "n_missing", "resamples")
CALIBRATION_NOTE = (
    "predicted: mean of exp(-H0(t) exp(Xb)) with the model's baseline hazard; observed: "
    "Kaplan-Meier estimate of the group, with the standard error and 95 % interval of its "
    "logarithm. Groups are cut at quantiles of the predictions, as in R's rms::calibrate "
    "(cmethod = KM)."
)


def empty_table(columns: Sequence[str]) -> pd.DataFrame:
    """Return a table without rows whose columns have their kinds, so that others can be added."""
    import pandas as pd

    kinds: dict[str, type] = {"model": str, **dict.fromkeys(COUNTS, int)}
    return pd.DataFrame({each: pd.Series(dtype=kinds.get(each, float)) for each in columns})


def calibration_rows(
    model: str, time: float, compared: GroupCalibration, optimism: Floats, used: ArrayLike
) -> pd.DataFrame:
    """Return the rows of the table ``calibration`` for one time; empty groups are left out."""
    import pandas as pd

    lower, upper = compared.observed.interval()
    part = pd.DataFrame(
        {
            "model": model,
            "time_months": time,
            "group": 0,
            "n": compared.observed.n.astype(int),
            "predicted": compared.predicted,
            "observed": compared.observed.survival,
            "std_err": compared.observed.std_err,
            "optimism": optimism,
            "corrected": compared.observed.survival - optimism,
            "resamples": used,
            "lower95": lower,
            "upper95": upper,
        }
    )
    filled = part[part["n"] > 0]
    return filled.assign(group=np.arange(1, len(filled) + 1))


def observed_deaths(curves: GroupedSurvival, time: float, predicted: Floats) -> dict[str, float]:
    """Return observed and expected share of deaths by a time, all patients together."""
    observed = curves.overall(time)
    lower, upper = observed.interval()
    deaths, expected = 1 - float(observed.survival[0]), 1 - float(predicted.mean())
    return {
        "observed_deaths": deaths,
        "lower95": 1 - float(upper[0]),
        "upper95": 1 - float(lower[0]),
        "expected_deaths": expected,
        "observed_expected": deaths / expected if expected > 0 else np.nan,
    }


def calibration_note(planned: int) -> str:
    """Return what stands under the table, after so many resamples."""
    if not planned:
        return CALIBRATION_NOTE + " Apparent calibration only: it flatters the model."
    return CALIBRATION_NOTE + (
        f" optimism: mean over {planned} bootstrap resamples of (resample - original patients), "
        "the model refitted with the same columns. Cut-offs and the choice of the columns were not "
        "repeated in the resamples, so some optimism remains."
    )


def unknown_groups(model: str, table: pd.DataFrame) -> list[str]:
    """Say at which times a group's observed survival is unknown."""
    unknown = table[table["observed"].isna()]
    return [
        f"Calibration of {model} at {time:g} months: a group has no estimate, because nobody in it "
        "was followed that long, or it is a single patient. Choose an earlier time or fewer groups."
        for time in dict.fromkeys(unknown["time_months"])
    ]
