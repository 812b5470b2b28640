"""Decision curves: whether treating those whom a model calls at risk is worth it.

With t the risk at which a doctor would just treat, the net benefit weighs deaths among the treated
against treated survivors: ``benefit = x (1 - S_x) - x S_x t / (1 - t)``, x the share of patients
with predicted risk >= t and S_x their Kaplan-Meier survival. Vickers, Cronin, Elkin & Gonen, BMC
Med Inform Decis Mak 2008;8:53 (censored data); Vickers & Elkin, Med Decis Making 2006;26:565.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from napari_crlm_spa.core.cohort.prediction.group_survival import GroupedSurvival
from napari_crlm_spa.core.cohort.prediction.predicted import Predicted
from napari_crlm_spa.core.cohort.prediction.times import PAPER_TIMES_MONTHS, checked_times
from napari_crlm_spa.core.cohort.survival import Floats, Survival
from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.errors import SurvivalDataError

if TYPE_CHECKING:
    import pandas as pd

TREAT_ALL, TREAT_NONE = "treat_all", "treat_none"
#: 1 - 0.8 is 0.19999999999999996, and reaches a threshold of 0.2 all the same.
ROUNDING = 1e-12
DECISION_COLUMNS = ("model", "time_months", "threshold", "net_benefit")
DECISION_NOTE = (
    "Net benefit: share of all patients who are treated and would have died, minus the share of "
    "treated survivors times threshold / (1 - threshold); treated are those with a predicted risk "
    "at or above the threshold (Kaplan-Meier in them; Vickers 2008). A model is of use where its "
    "curve lies above both treat_all and treat_none. It says nothing about whether a treatment "
    "works. In the patients that a model was fitted to, its curve flatters it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionOptions(Options):
    """Thresholds of a decision curve."""

    lowest: float = option(0.01, "Lowest threshold: risk of death", min=0.0, max=0.99)
    highest: float = option(0.99, "Highest threshold", min=0.0, max=0.99)
    step: float = option(0.01, "Distance of thresholds", min=0.0005, max=0.5, advanced=True)

    def thresholds(self) -> Floats:
        """Return the thresholds, ascending.

        Raises
        ------
        SurvivalDataError
            If the highest lies below the lowest.
        """
        if self.highest < self.lowest:
            raise SurvivalDataError(
                f"The highest threshold ({self.highest:g}) lies below the lowest ({self.lowest:g})."
            )
        count = int(np.floor((self.highest - self.lowest) / self.step + 1e-9)) + 1
        # Rounded: 0.07, not 0.06999..., or a risk of 0.07 would fall on the wrong side.
        return np.round(self.lowest + self.step * np.arange(count), 10)


def net_benefit(risk: Floats, survival: Survival, time: float, thresholds: ArrayLike) -> Floats:
    """Return the net benefit of treating who is at risk, shape (thresholds,).

    Parameters
    ----------
    risk
        Predicted probability of dying by the time, shape (n,).
    survival
        Follow-up of n patients.
    time
        When.
    thresholds
        Probabilities below 1. Net benefit is 0 where nobody reaches a threshold, and NaN where
        nobody who reaches it was followed to the time.
    """
    at = np.atleast_1d(np.asarray(thresholds, np.float64))
    curves, n = GroupedSurvival(survival), len(survival)
    found = np.zeros(len(at))
    treated_before, value = -1, (0.0, 0.0)
    for place, threshold in enumerate(at):
        treated = risk >= threshold - ROUNDING
        count = int(treated.sum())
        if count != treated_before and count:  # a higher threshold with as many has the same ones
            alive = curves.at(time, treated.astype(np.intp), 2, least=1).survival[1]
            value = (count / n * (1 - alive), count / n * alive)
        treated_before = count
        if count:
            found[place] = value[0] - value[1] * threshold / (1 - threshold)
    return found


def decision_table(
    predictions: Mapping[str, Predicted],
    survival: Survival,
    times: ArrayLike = PAPER_TIMES_MONTHS,
    options: DecisionOptions | None = None,
) -> pd.DataFrame:
    """Return the table ``decision``: models, ``treat_all`` and ``treat_none``.

    Parameters
    ----------
    predictions
        By name of the model, each for all patients. All curves are of the patients for whom every
        model predicts something, so that they can be compared.
    survival
        Follow-up of n patients.
    times
        Months. A model that predicts nothing at a time has no rows there.
    options
        Thresholds.

    Raises
    ------
    SurvivalDataError
        If predictions and follow-up differ in number, or the thresholds make no sense.
    """
    import pandas as pd

    at, thresholds = checked_times(times), (options or DecisionOptions()).thresholds()
    risks = {model: 1 - np.asarray(each.at(at)) for model, each in predictions.items()}
    for model, risk in risks.items():
        if len(risk) != len(survival):
            raise SurvivalDataError(
                f"{model} predicts {len(risk)} patients, and there are {len(survival)}."
            )
    parts: list[pd.DataFrame] = []
    for k, time in enumerate(at):
        here = {model: risk[:, k] for model, risk in risks.items() if np.isfinite(risk[:, k]).any()}
        rows = np.ones(len(survival), bool)
        for risk in here.values():
            rows &= np.isfinite(risk)
        if not here or not rows.any():
            continue
        here[TREAT_ALL] = np.ones(len(survival))
        here[TREAT_NONE] = np.zeros(len(survival)) - 1
        for model, risk in here.items():
            benefit = net_benefit(risk[rows], survival.take(rows), float(time), thresholds)
            parts.append(
                pd.DataFrame(
                    {
                        "model": model,
                        "time_months": time,
                        "threshold": thresholds,
                        "net_benefit": benefit,
                    }
                )
            )
    if not parts:
        return pd.DataFrame(columns=list(DECISION_COLUMNS))
    return pd.concat(parts, ignore_index=True)
