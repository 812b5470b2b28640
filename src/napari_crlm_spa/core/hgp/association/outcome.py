"""Whether a measurement says something of survival beyond the reviewed growth pattern.

Two Cox models of the same patients, one with the measurement more; likelihood-ratio test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from napari_crlm_spa.core.cohort.cox.fit import CoxFit, fit_cox
from napari_crlm_spa.core.cohort.survival import Survival

if TYPE_CHECKING:
    import pandas as pd

NAN = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """Two nested Cox models.

    Parameters
    ----------
    base, full
        Without and with what is added; None if nobody has all the columns.
    statistic, df, p
        Likelihood-ratio test; NaN where a model can't be fitted.
    reason
        What is doubtful, in sentences; else empty.
    """

    base: CoxFit | None
    full: CoxFit | None
    statistic: float
    df: int
    p: float
    reason: str = ""


def added_to_review(
    patients: pd.DataFrame, survival: Survival, base: Sequence[str], added: Sequence[str]
) -> Outcome:
    """Test columns beyond others.

    Parameters
    ----------
    patients
        One row per patient; columns are numbers.
    survival
        Follow-up of the same patients.
    base, added
        Columns of the smaller model, and what the larger one has more. Patients with a hole in
        any of them are in neither model.
    """
    columns = [*base, *added]
    known = np.isfinite(patients[columns].to_numpy(np.float64)).all(axis=1)
    n, deaths = int(known.sum()), int(survival.event[known].sum())
    if n < len(columns) + 2 or not deaths:
        why = f"{n} patients have all the columns, of whom {deaths} died: too few for a model."
        return Outcome(None, None, NAN, len(added), NAN, why)
    rows, followed = patients[known].reset_index(drop=True), survival.take(known)
    smaller, larger = fit_cox(rows, followed, base), fit_cox(rows, followed, columns)
    df = int(larger.independent.sum()) - int(smaller.independent.sum())
    said = dict.fromkeys((*smaller.warnings, *larger.warnings))
    if df < 1:
        said["What is added says nothing that the smaller model doesn't."] = None
        return Outcome(smaller, larger, NAN, df, NAN, " ".join(said))
    statistic = max(0.0, 2 * (larger.loglik - smaller.loglik))
    p = float(special.chdtrc(df, statistic)) if np.isfinite(statistic) else NAN
    return Outcome(smaller, larger, statistic, df, p, " ".join(said))
