"""Time-dependent ROC: how well a marker tells who dies before a time from who lives beyond it.

Cumulative cases, dynamic controls, weighted by the inverse probability of not being censored
(Uno et al., J Am Stat Assoc 2007;102:527; Hung & Chiang, Can J Stat 2010;38:8). Standard errors
from the independent, identically distributed representation of Blanche, Dartigues & Jacqmin-Gadda,
Stat Med 2013;32:5381. Equal to R's timeROC with marginal weights.

A higher marker means a worse course. Turn markers round (``-x``) that mean the opposite.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.cohort.prediction.censoring import CensoringCurve
from napari_crlm_spa.core.cohort.prediction.martingale import CensoringMartingale
from napari_crlm_spa.core.cohort.prediction.times import checked_times
from napari_crlm_spa.core.cohort.survival import Z95, Floats, Survival
from napari_crlm_spa.errors import SurvivalDataError


@dataclass(frozen=True, slots=True, eq=False)
class RocCurve:
    """One curve: what share of cases and controls lies at or above each threshold.

    Parameters
    ----------
    threshold
        Distinct values of the marker, descending, after infinity (nobody), shape (points,).
    false_positive_rate, true_positive_rate
        Shape (points,), from 0 to 1.
    """

    threshold: Floats
    false_positive_rate: Floats
    true_positive_rate: Floats


@dataclass(frozen=True, slots=True, eq=False)
class MarkerRoc:
    """Areas under the ROC curves of a marker at m times, of n patients.

    Parameters
    ----------
    times
        Shape (m,), ascending.
    auc, se
        Shape (m,); NaN where there are no cases or no controls.
    cases, controls, censored
        Patients who died before the time, lived beyond it, and all others, shape (m,).
    influence
        Of each patient on each area, in the order given, shape (m, n); ``se`` is its standard
        deviation over root n. Two markers are compared with it.
    curves
        One per time; None where there are no cases or no controls.
    """

    times: Floats
    auc: Floats
    se: Floats
    cases: NDArray[np.intp]
    controls: NDArray[np.intp]
    censored: NDArray[np.intp]
    influence: Floats
    curves: tuple[RocCurve | None, ...]

    @property
    def lower95(self) -> Floats:
        """Lower ends of the normal 95 % intervals, shape (m,)."""
        return self.auc - Z95 * self.se

    @property
    def upper95(self) -> Floats:
        """Upper ends, shape (m,); beyond 1 for a nearly perfect marker, as R gives them."""
        return self.auc + Z95 * self.se


def time_roc(marker: ArrayLike, survival: Survival, times: ArrayLike) -> MarkerRoc:
    """Judge a marker at some times.

    At a time t, cases died before t and controls were followed beyond t. Who was censored before t
    is neither; the weights of the cases make up for them. Who died or was censored exactly at t is
    neither, too.

    Parameters
    ----------
    marker
        Higher = worse, shape (n,), without holes.
    survival
        Follow-up of the n patients. Where censored times are tied, the standard error depends
        slightly on the order of the patients, as R's does.
    times
        In the unit of the follow-up.

    Raises
    ------
    SurvivalDataError
        If the marker has holes or another length, or a time is not above 0.
    """
    values, at = np.asarray(marker, np.float64), checked_times(times)
    if values.shape != survival.time.shape or not np.isfinite(values).all():
        raise SurvivalDataError(
            f"A marker for a ROC curve needs one number per patient ({len(survival)}) without "
            "holes; leave out patients that have none."
        )
    order = np.argsort(survival.time, kind="stable")
    ranked = survival.take(order)
    censoring, martingale = CensoringCurve.of(survival), CensoringMartingale(ranked)
    m, n = len(at), len(survival)
    auc, se, influence = np.full(m, np.nan), np.full(m, np.nan), np.full((m, n), np.nan)
    counts = np.zeros((3, m), np.intp)
    curves: list[RocCurve | None] = []
    for k, time in enumerate(at):
        weighing = _Weighing.of(ranked, censoring, float(time))
        counts[:, k] = weighing.counts
        if not weighing.counts[0] or not weighing.counts[1]:
            curves.append(None)
            continue
        auc[k], effect = _area(weighing, values[order], martingale)
        influence[k, order] = effect
        se[k] = effect.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
        curves.append(_curve(weighing, values[order]))
    return MarkerRoc(at, auc, se, counts[0], counts[1], counts[2], influence, tuple(curves))


@dataclass(frozen=True, slots=True, eq=False)
class _Weighing:
    """Cases and controls at one time, patients in order of time."""

    case: NDArray[np.bool_]
    control: NDArray[np.bool_]
    case_weight: Floats
    control_weight: float

    @classmethod
    def of(cls, ranked: Survival, censoring: CensoringCurve, time: float) -> _Weighing:
        n = len(ranked)
        case, control = ranked.event & (ranked.time < time), ranked.time > time
        weight = np.zeros(n)
        weight[case] = 1 / (n * censoring.before(ranked.time[case]))
        at_time = float(censoring.at(time))
        return cls(case, control, weight, 1 / (n * at_time) if control.any() else 0.0)

    @property
    def counts(self) -> tuple[int, int, int]:
        cases, controls = int(self.case.sum()), int(self.control.sum())
        return cases, controls, len(self.case) - cases - controls


def _area(
    weighing: _Weighing, marker: Floats, martingale: CensoringMartingale
) -> tuple[float, Floats]:
    """Return the area and each patient's influence on it (METHODS 9, after Blanche 2013)."""
    n, case, control = len(marker), weighing.case, weighing.control
    cases, controls = np.sort(marker[case]), np.sort(marker[control])
    below = _mean_of_sides(controls, marker[case], np.arange(len(controls) + 1.0))
    by_case, by_control = np.zeros(n), np.zeros(n)
    by_case[case] = n**2 * weighing.case_weight[case] * weighing.control_weight * below
    ranked_weight = weighing.case_weight[case][np.argsort(marker[case], kind="stable")]
    cumulative = np.concatenate([[0.0], np.cumsum(ranked_weight)])
    above = cumulative[-1] - _mean_of_sides(cases, marker[control], cumulative)
    by_control[control] = n**2 * weighing.control_weight * above
    share_cases = weighing.case_weight.sum()
    share_controls = weighing.control_weight * control.sum()
    h = by_case.sum() / n**2
    d = n * weighing.case_weight
    q = control / control.mean()
    effect = (
        martingale.weighted(by_case) / n
        - h * (n + (martingale.weighted(d) - n * share_cases) / share_cases)
        + (by_control - n * h)
        + (by_case - n * h * (q + (d - share_cases) / share_cases))
    ) / (share_cases * share_controls * n)
    return float(h / (share_cases * share_controls)), np.asarray(effect)


def _mean_of_sides(ranked: Floats, values: Floats, cumulative: Floats) -> Floats:
    """Return what lies below each value, ties counted half; `cumulative` sums over `ranked`."""
    left = cumulative[np.searchsorted(ranked, values, side="left")]
    right = cumulative[np.searchsorted(ranked, values, side="right")]
    return np.asarray((left + right) / 2)


def _curve(weighing: _Weighing, marker: Floats) -> RocCurve:
    levels, place = np.unique(-marker, return_inverse=True)
    positive = np.cumsum(np.bincount(place, weighing.case_weight, len(levels)))
    false = np.cumsum(np.bincount(place, weighing.control, len(levels)))
    return RocCurve(
        threshold=np.concatenate([[np.inf], -levels]),
        false_positive_rate=np.concatenate([[0.0], false / false[-1]]),
        true_positive_rate=np.concatenate([[0.0], positive / positive[-1]]),
    )
