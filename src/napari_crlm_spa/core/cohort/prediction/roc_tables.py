"""Tables of ROC curves over time: areas, curves, comparisons of markers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.cohort.prediction.roc import MarkerRoc, time_roc
from napari_crlm_spa.core.cohort.prediction.roc_compare import compare_rocs
from napari_crlm_spa.core.cohort.prediction.times import PAPER_TIMES_MONTHS, checked_times
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.errors import SurvivalDataError

if TYPE_CHECKING:
    import pandas as pd

#: What stands under the tables.
ROC_NOTE = (
    "Cases died before the time, controls were followed beyond it; patients censored before it are "
    "neither and are made up for by weights (marginal inverse probability of censoring; Uno 2007). "
    "Standard errors by the iid representation of Blanche 2013; intervals area ± 1.96 standard "
    "errors. A higher marker means a worse course. Equal to R's timeROC."
)
ROC_COMPARE_NOTE = (
    "Difference of two areas in the same patients, z = difference / standard error of the "
    "difference; p_adjusted accounts for all times of one pair (multivariate normal)."
)
ROC_COLUMNS = (
    *("marker", "time_months", "n", "cases", "controls", "censored"),
    *("auc", "se", "lower95", "upper95", "note"),
)
CURVE_COLUMNS = (
    *("marker", "time_months", "threshold"),
    *("false_positive_rate", "true_positive_rate"),
)
COMPARE_COLUMNS = (
    *("marker_a", "marker_b", "time_months", "difference", "se", "z", "p", "p_adjusted"),
    *("n", "note"),
)


@dataclass(frozen=True, slots=True, eq=False)
class RocTables:
    """Tables of some markers at some times.

    Parameters
    ----------
    roc, roc_curve, roc_compare
        One row per marker and time; per point of a curve; per pair of markers and time.
    warnings
        What could not be computed and why, in sentences.
    """

    roc: pd.DataFrame
    roc_curve: pd.DataFrame
    roc_compare: pd.DataFrame
    warnings: tuple[str, ...]


def roc_tables(
    markers: pd.DataFrame,
    survival: Survival,
    times: ArrayLike = PAPER_TIMES_MONTHS,
    *,
    pairs: Sequence[tuple[str, str]] | None = None,
) -> RocTables:
    """Judge several markers at several times, and compare them two by two.

    Parameters
    ----------
    markers
        One row per patient, a column per marker, higher = worse. Patients without a value are left
        out of that marker; two markers are compared in the patients who have both.
    survival
        Follow-up of the same patients.
    times
        Months.
    pairs
        Which markers to compare; all pairs if not given.

    Raises
    ------
    SurvivalDataError
        If rows and follow-up differ in number, or a pair names an unknown marker.
    """
    import pandas as pd

    if len(markers) != len(survival):
        raise SurvivalDataError(
            f"There are {len(markers)} rows of markers for {len(survival)} patients."
        )
    at = checked_times(times)
    values = {str(name): np.asarray(markers[name], np.float64) for name in markers.columns}
    known = {name: np.isfinite(value) for name, value in values.items()}
    rocs = {name: _judged(values[name], known[name], survival, at) for name in values}
    rows = [
        row for name, roc in rocs.items() for row in _areas(name, roc, survival.take(known[name]))
    ]
    curves = [part for name, roc in rocs.items() for part in _points(name, roc)]
    differences: list[dict[str, object]] = []
    for a, b in _checked(pairs, values):
        both = known[a] & known[b]
        one = rocs[a] if both.all() else _judged(values[a], both, survival, at)
        other = rocs[b] if both.all() else _judged(values[b], both, survival, at)
        differences += _differences(a, b, one, other)
    warnings = tuple(
        f"ROC of {name}: {_why_none(roc, k)}"
        for name, roc in rocs.items()
        for k in range(len(roc.times))
        if np.isnan(roc.auc[k])
    )
    return RocTables(
        pd.DataFrame(rows, columns=list(ROC_COLUMNS)),
        pd.concat(curves, ignore_index=True)
        if curves
        else pd.DataFrame(columns=list(CURVE_COLUMNS)),
        pd.DataFrame(differences, columns=list(COMPARE_COLUMNS)),
        warnings,
    )


def _judged(
    values: NDArray[np.float64], known: NDArray[np.bool_], survival: Survival, times: ArrayLike
) -> MarkerRoc:
    return time_roc(values[known], survival.take(known), times)


def _checked(
    pairs: Sequence[tuple[str, str]] | None, values: dict[str, NDArray[np.float64]]
) -> list[tuple[str, str]]:
    if pairs is None:
        return list(combinations(values, 2))
    for name in {name for pair in pairs for name in pair}:
        if name not in values:
            raise SurvivalDataError(
                f"There is no marker {name} to compare; there are {', '.join(values)}."
            )
    return list(pairs)


def _areas(name: str, roc: MarkerRoc, survival: Survival) -> list[dict[str, object]]:
    return [
        {
            "marker": name,
            "time_months": roc.times[k],
            "n": roc.influence.shape[1],
            "cases": int(roc.cases[k]),
            "controls": int(roc.controls[k]),
            "censored": int(roc.censored[k]),
            "auc": roc.auc[k],
            "se": roc.se[k],
            "lower95": roc.lower95[k],
            "upper95": roc.upper95[k],
            "note": _why_none(roc, k) if np.isnan(roc.auc[k]) else _at(survival, roc.times[k]),
        }
        for k in range(len(roc.times))
    ]


def _at(survival: Survival, time: float) -> str:
    count = int((survival.event & (survival.time == time)).sum())
    return f"{count} died at exactly this time: neither case nor control" if count else ""


def _why_none(roc: MarkerRoc, k: int) -> str:
    if not roc.influence.shape[1]:
        return "no patient has a value."
    time = f"{roc.times[k]:g} months"
    if not roc.controls[k]:
        return f"nobody was followed beyond {time}; choose an earlier time."
    return f"nobody died before {time}; choose a later time."


def _points(name: str, roc: MarkerRoc) -> list[pd.DataFrame]:
    import pandas as pd

    return [
        pd.DataFrame(
            {
                "marker": name,
                "time_months": roc.times[k],
                "threshold": curve.threshold,
                "false_positive_rate": curve.false_positive_rate,
                "true_positive_rate": curve.true_positive_rate,
            }
        )
        for k, curve in enumerate(roc.curves)
        if curve is not None
    ]


def _differences(a: str, b: str, one: MarkerRoc, other: MarkerRoc) -> list[dict[str, object]]:
    found = compare_rocs(one, other)
    return [
        {
            "marker_a": a,
            "marker_b": b,
            "time_months": found.times[k],
            "difference": found.difference[k],
            "se": found.se[k],
            "z": found.z[k],
            "p": found.p[k],
            "p_adjusted": found.p_adjusted[k],
            "n": one.influence.shape[1],
            "note": "both order cases and controls alike"
            if np.isfinite(found.difference[k]) and not np.isfinite(found.z[k])
            else "",
        }
        for k in range(len(found.times))
    ]
