"""Brier score: the mean squared distance of predicted survival from what happened.

Weighted by the inverse probability of not being censored: Graf, Schmoor, Sauerbrei & Schumacher,
Stat Med 1999;18:2529. 0 is perfect; the null model, which predicts everybody the cohort's
Kaplan-Meier curve, sets the scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from napari_crlm_spa.core.cohort.prediction.censoring import CensoringCurve
from napari_crlm_spa.core.cohort.prediction.group_prediction import GroupPrediction
from napari_crlm_spa.core.cohort.prediction.predicted import Predicted
from napari_crlm_spa.core.cohort.prediction.times import PAPER_TIMES_MONTHS, checked_times
from napari_crlm_spa.core.cohort.survival import Floats, Survival
from napari_crlm_spa.errors import SurvivalDataError

if TYPE_CHECKING:
    import pandas as pd

#: Numbers that are held at once when the score is integrated.
AT_ONCE = 2_000_000
BRIER_COLUMNS = (
    *("model", "time_months", "brier", "brier_null", "scaled", "integrated"),
    *("integrated_null", "n"),
)
BRIER_NOTE = (
    "Mean squared difference between predicted survival and being alive at the time, weighted by "
    "the inverse probability of not being censored (Graf 1999). brier_null: everybody is predicted "
    "the Kaplan-Meier curve of these patients; scaled: 1 - brier / brier_null (1 perfect, 0 no "
    "better than that). integrated: mean from 0 to the time. In the patients that a model was "
    "fitted to, the score flatters it."
)


def brier_score(predicted: Floats, survival: Survival, times: ArrayLike) -> Floats:
    """Return the Brier score at some times, shape (times,).

    ``BS(t) = 1/n sum of S_i(t)^2 [T_i <= t, died] / G(T_i-) + (1 - S_i(t))^2 [T_i > t] / G(t)``,
    G the probability of not being censored yet.

    Parameters
    ----------
    predicted
        Survival of each patient at each time, shape (n, times).
    survival
        Follow-up of n patients.
    times
        Ascending or not. The score is NaN at times that nobody was followed to, unless the last
        patients died.
    """
    at = np.atleast_1d(np.asarray(times, np.float64))
    censoring = CensoringCurve.of(survival)
    time, event = survival.time[:, None], survival.event[:, None]
    with np.errstate(divide="ignore"):
        of_dead = np.where(event, 1 / censoring.before(survival.time)[:, None], 0.0)
        of_alive = 1 / censoring.at(at)
    alive = time > at
    weight = np.where(alive, of_alive, np.where(event, of_dead, 0.0))
    score = (weight * (alive - predicted) ** 2).sum(axis=0) / len(survival)
    last = survival.time == survival.time.max()
    known = (at < survival.time.max()) | bool(survival.event[last].all())
    return np.where(known, score, np.nan)


def integrated_brier(predicted: Predicted, survival: Survival, until: float) -> float:
    """Return the mean of the Brier score from 0 to a time; exact, as it is a step function."""
    changes = np.concatenate([[0.0], survival.time, predicted.steps])
    grid = np.unique(changes[changes < until])
    widths = np.diff(np.append(grid, until))
    step = max(1, AT_ONCE // max(1, len(survival)))
    total = 0.0
    for start in range(0, len(grid), step):
        part = grid[start : start + step]
        score = brier_score(predicted.at(part), survival, part)
        total += float(score @ widths[start : start + step])
    return total / until


def brier_table(
    predictions: Mapping[str, Predicted],
    survival: Survival,
    times: ArrayLike = PAPER_TIMES_MONTHS,
) -> pd.DataFrame:
    """Return the table ``brier``: a row per model and time.

    Parameters
    ----------
    predictions
        By name of the model, each for all patients. Patients without a prediction are left out of
        their model, and of the null model that it is held against.
    survival
        Follow-up of n patients.
    times
        Months.

    Raises
    ------
    SurvivalDataError
        If predictions and follow-up differ in number.
    """
    import pandas as pd

    at = checked_times(times)
    rows: list[dict[str, object]] = []
    for model, prediction in predictions.items():
        soon = prediction.at([0.0])[:, 0]
        if len(soon) != len(survival):
            raise SurvivalDataError(
                f"{model} predicts {len(soon)} patients, and there are {len(survival)}."
            )
        has = np.isfinite(soon)
        if not has.any():
            continue
        these, followed = _Subset(prediction, has), survival.take(has)
        null = GroupPrediction.of(["all"] * len(followed), followed)
        scores = brier_score(these.at(at), followed, at)
        nulls = brier_score(null.at(at), followed, at)
        for time, score, of_null in zip(at, scores, nulls, strict=True):
            rows.append(
                {
                    "model": model,
                    "time_months": time,
                    "brier": score,
                    "brier_null": of_null,
                    "scaled": 1 - score / of_null if of_null > 0 else np.nan,
                    "integrated": integrated_brier(these, followed, float(time)),
                    "integrated_null": integrated_brier(null, followed, float(time)),
                    "n": len(followed),
                }
            )
    return pd.DataFrame(rows, columns=list(BRIER_COLUMNS))


class _Subset:
    """Predictions of some of the patients."""

    def __init__(self, prediction: Predicted, which: ArrayLike) -> None:
        self._prediction, self._which = prediction, np.asarray(which)

    @property
    def steps(self) -> Floats:
        return self._prediction.steps

    def at(self, times: ArrayLike) -> Floats:
        return np.asarray(self._prediction.at(times)[self._which])
