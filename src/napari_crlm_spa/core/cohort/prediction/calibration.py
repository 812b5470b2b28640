"""Calibration of a Cox model: whether survival comes out as predicted.

The apparent comparison flatters, because the model was fitted to these patients. The bootstrap
refits it on resamples, compares there and in the original patients, and takes the mean difference
(the optimism) off. As in R's ``rms::calibrate`` the columns are given: what chose them (cut-offs,
stepwise selection) is not repeated, so some optimism remains. Harrell, Lee & Mark, Stat Med
1996;15:361.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.cohort.columns import matrix
from napari_crlm_spa.core.cohort.cox.design import complete
from napari_crlm_spa.core.cohort.cox.partial_likelihood import Ties
from napari_crlm_spa.core.cohort.prediction.calibration_tables import (
    CALIBRATION_COLUMNS,
    SUMMARY_COLUMNS,
    calibration_note,
    calibration_rows,
    empty_table,
    observed_deaths,
    unknown_groups,
)
from napari_crlm_spa.core.cohort.prediction.optimism import Calibrator
from napari_crlm_spa.core.cohort.prediction.times import PAPER_TIMES_MONTHS, checked_times
from napari_crlm_spa.core.cohort.survival import Floats, Survival
from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.errors import SurvivalDataError

if TYPE_CHECKING:
    import pandas as pd

#: Share of resamples that may fail before the user is told. Our choice.
FAILURES_TOLD = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationOptions(Options):
    """How calibration is computed."""

    times: tuple[float, ...] = option(
        PAPER_TIMES_MONTHS, "When predictions are compared with observed survival", unit="months"
    )
    groups: int = option(4, "Groups of patients with like predictions", min=1, max=100)
    group_size: int = option(
        0,
        "Patients per group (m in R's rms); 0: the number of groups decides",
        min=0,
        label="Patients per group",
        advanced=True,
    )
    resamples: int = option(
        1000, "Bootstrap resamples (the paper: 1000); 0: apparent only", min=0, max=100_000
    )
    seed: int = option(1, "Seed of the resamples", min=0, max=2**31 - 1, advanced=True)

    def group_count(self, n: int) -> int:
        """Return how many groups n patients make (at most; rms: ``floor(n / m)``)."""
        wanted = n // self.group_size if self.group_size else self.groups
        return max(1, min(wanted, n))


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Calibration of one model at some times.

    Parameters
    ----------
    table
        Table ``calibration``: a row per time and group. ``corrected`` is ``observed`` without the
        optimism; ``std_err`` is that of log(observed), as in rms.
    summary
        Table ``calibration_summary``: a row per time of all patients together. Observed (with 95 %
        interval) and expected share of deaths, their ratio, and the slope of the linear predictor
        in the original patients when the model is fitted to resamples (below 1: its predictions
        are too extreme for new patients).
    note
        For below the table.
    warnings
        Sentences for the user.
    """

    table: pd.DataFrame
    summary: pd.DataFrame
    note: str
    warnings: tuple[str, ...]


def calibrate(
    frame: pd.DataFrame,
    survival: Survival,
    columns: Sequence[str],
    options: CalibrationOptions | None = None,
    *,
    model: str = "final",
    rows: ArrayLike | None = None,
    ties: Ties = "efron",
) -> Generator[Progress, None, Calibration]:
    """Compare predicted with observed survival, corrected for optimism by bootstrap.

    Parameters
    ----------
    frame
        One row per patient.
    survival
        Follow-up of the same patients.
    columns
        Covariates of the model, numbers. Patients with holes in them are left out.
    options
        Times, groups, resamples, seed.
    model
        Its name in the tables.
    rows
        The resamples themselves instead of random ones: positions among the patients without
        holes, shape (resamples, n).
    ties
        How tied deaths are handled, in the model and its baseline hazard.

    Yields
    ------
    Progress
        Every 20 resamples; closing the generator cancels.

    Returns
    -------
    Calibration
        Empty, with a warning, if the model cannot be fitted.

    Raises
    ------
    CohortError, SurvivalDataError
        If a column is missing or holds text, or `rows` don't fit.
    """
    options = options or CalibrationOptions()
    values = matrix(frame, columns)
    known = complete(values, survival)
    values, survival = values[known], survival.take(known)
    warnings, times = _followed_times(model, survival, checked_times(options.times))
    groups = options.group_count(len(values))
    work = Calibrator(values, survival, times, groups, ties) if len(values) else None
    if work is None or not work.fitted:
        return _without_fit(model, columns, survival)
    draws, planned = _resamples(rows, options, len(values))
    for done, resample in enumerate(draws, start=1):
        work.add(resample)
        if done % 20 == 0 or done == planned:
            yield Progress("Calibrating", done, planned, "resamples")
    if work.failed > FAILURES_TOLD * planned:
        warnings.append(
            f"Calibration of {model}: {work.failed} of {planned} resamples could not be fitted "
            "(too few deaths, or a column that is rarely not 0) and were left out. Use fewer "
            "columns."
        )
    table = _tables(model, times, work)
    warnings += unknown_groups(model, table)
    return Calibration(
        table,
        _summary(model, times, work, int((~known).sum())),
        calibration_note(planned),
        tuple(warnings),
    )


def _resamples(
    rows: ArrayLike | None, options: CalibrationOptions, n: int
) -> tuple[Iterator[NDArray[np.intp]], int]:
    if rows is None:
        seeds = ([options.seed, number] for number in range(options.resamples))
        draws = (np.random.default_rng(seed).integers(0, n, n) for seed in seeds)
        return draws, options.resamples
    given = np.asarray(rows, np.intp)
    if given.ndim != 2 or given.shape[1] != n or ((given < 0) | (given >= n)).any():
        raise SurvivalDataError(
            f"The resamples have the shape {given.shape}; each needs {n} positions of patients, "
            f"from 0 to {n - 1}."
        )
    return iter(given), len(given)


def _followed_times(model: str, survival: Survival, times: Floats) -> tuple[list[str], Floats]:
    """Return the times that somebody was followed to, and what to say of the others."""
    last = survival.time.max() if len(survival) else 0.0
    told = [
        f"Calibration of {model} at {time:g} months: nobody was followed that long (the longest: "
        f"{last:g}). Choose an earlier time."
        for time in times[times > last]
    ]
    return told, times[times <= last]


def _without_fit(model: str, columns: Sequence[str], survival: Survival) -> Calibration:
    warning = (
        f"Calibration of {model}: the model of {', '.join(columns)} cannot be fitted to "
        f"{len(survival)} patients with {survival.n_events} deaths. Leave out the column whose "
        "hazard ratio runs away, that is constant, or that others determine."
    )
    return Calibration(
        empty_table(CALIBRATION_COLUMNS),
        empty_table(SUMMARY_COLUMNS),
        calibration_note(0),
        (warning,),
    )


def _tables(model: str, times: Floats, work: Calibrator) -> pd.DataFrame:
    import pandas as pd

    parts = [
        calibration_rows(model, float(time), work.apparent[k], work.optimism(k), work.used[k])
        for k, time in enumerate(times)
    ]
    if not parts:
        return empty_table(CALIBRATION_COLUMNS)
    return pd.concat(parts, ignore_index=True)


def _summary(model: str, times: Floats, work: Calibrator, n_missing: int) -> pd.DataFrame:
    import pandas as pd

    slopes = np.array(work.slopes)
    slopes = slopes[np.isfinite(slopes)]
    rows = [
        {
            "model": model,
            "time_months": time,
            "n": len(work.predicted),
            "n_missing": n_missing,
            **observed_deaths(work.curves, float(time), work.predicted[:, k]),
            "slope_corrected": float(slopes.mean()) if len(slopes) else np.nan,
            "resamples": len(slopes),
        }
        for k, time in enumerate(times)
    ]
    return (
        pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS)) if rows else empty_table(SUMMARY_COLUMNS)
    )
