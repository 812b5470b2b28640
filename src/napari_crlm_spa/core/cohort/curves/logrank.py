"""The log-rank test and its weighted relatives: k groups, strata, pairs of groups.

Mantel, Cancer Chemother Rep 1966;50:163; Peto & Peto, J R Stat Soc A 1972;135:185; the weights
``S(t-)^rho`` of Harrington & Fleming, Biometrika 1982;69:553. lifelines has no strata, so this is
written here; its test without strata is a referee in our tests.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.cohort.cox.univariate import false_discovery_rate
from napari_crlm_spa.core.cohort.survival import Floats, Survival, survival_steps
from napari_crlm_spa.errors import SurvivalDataError

if TYPE_CHECKING:
    import pandas as pd

#: Directions of the variance below this share of the largest carry no information.
_NO_INFORMATION = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class LogRank:
    """A comparison of k groups.

    Parameters
    ----------
    groups
        Labels of the groups, in the order of the arrays.
    n
        Patients of each group, shape (k,).
    observed, expected
        (Weighted) deaths, and those expected were the groups alike; shape (k,).
    variance
        Of observed - expected, shape (k, k).
    chisq, df, p
        The test; NaN where it can't be done. p is the upper tail itself, so that it does not
        vanish below 1e-16.
    n_unknown
        Patients in none of these groups, or without a stratum; left out.
    warning
        Why the test can't be done, or what is doubtful; else empty.
    """

    groups: tuple[Hashable, ...]
    n: NDArray[np.int64]
    observed: Floats
    expected: Floats
    variance: Floats
    chisq: float
    df: int
    p: float
    n_unknown: int = 0
    warning: str = ""


def logrank(
    survival: Survival,
    groups: ArrayLike,
    *,
    levels: Sequence[Hashable] | None = None,
    strata: ArrayLike | None = None,
    rho: float = 0.0,
) -> LogRank:
    """Compare the survival of groups, as R's ``survdiff(Surv(time, event) ~ group, rho=)``.

    In each stratum, at each time with d deaths among n at risk, group j has the expectation
    ``d n_j / n`` and the covariance ``d (n - d) / (n - 1) (n_j / n) (1[j = l] - n_l / n)``;
    both, and the deaths, times the weight, summed over times and strata.

    Parameters
    ----------
    survival
        Follow-up of n patients.
    groups
        A label per patient, shape (n,); None, NaN and "" are unknown and left out.
    levels
        The labels, in the order of the result; without it, those that occur, sorted.
    strata
        A label per patient; the groups are compared within each stratum only.
    rho
        0: log-rank. 1: Peto & Peto's modification of the Wilcoxon test, which weighs early deaths.

    Raises
    ------
    SurvivalDataError
        If there are not as many labels as patients.
    """
    from scipy.stats import chi2

    labels, blocks = _labels(groups, survival), _labels(strata, survival)
    known = _known(labels)
    if strata is not None:
        known &= _known(blocks)
    order = tuple(levels) if levels is not None else _sorted(set(labels[known]))
    place = {level: index for index, level in enumerate(order)}
    everybody = np.array([place.get(label, -1) for label in labels], np.int64)
    known &= everybody >= 0
    code = everybody[known]
    joined, block = survival.joined().take(known), blocks[known]
    k = len(order)
    observed, expected, variance = np.zeros(k), np.zeros(k), np.zeros((k, k))
    for stratum in dict.fromkeys(block):
        inside = np.array([x == stratum for x in block], bool)
        for total, part in zip(
            (observed, expected, variance),
            _stratum(joined.take(inside), code[inside], k, rho),
            strict=True,
        ):
            total += part
    chisq, df = _quadratic_form(observed - expected, variance, expected > 0)
    n = np.bincount(code, minlength=k)
    return LogRank(
        groups=order,
        n=n,
        observed=observed,
        expected=expected,
        variance=variance,
        chisq=chisq,
        df=df,
        p=float(chi2.sf(chisq, df)) if df else float("nan"),
        n_unknown=int(np.count_nonzero(~known)),
        warning=_warning(order, n, joined.n_events, df),
    )


def pairwise_logrank(
    survival: Survival,
    groups: ArrayLike,
    *,
    levels: Sequence[Hashable] | None = None,
    strata: ArrayLike | None = None,
    rho: float = 0.0,
) -> pd.DataFrame:
    """Compare every two groups, as R's ``survminer::pairwise_survdiff``.

    Returns
    -------
    DataFrame
        group_a, group_b, chisq, p, p_fdr (Benjamini & Hochberg over the pairs).
    """
    import pandas as pd

    labels = _labels(groups, survival)
    order = levels if levels is not None else _sorted(set(labels[_known(labels)]))
    rows = []
    for a, b in combinations(order, 2):
        test = logrank(survival, labels, levels=(a, b), strata=strata, rho=rho)
        rows.append((a, b, test.chisq, test.p))
    table = pd.DataFrame(rows, columns=["group_a", "group_b", "chisq", "p"])
    return table.assign(p_fdr=false_discovery_rate(table["p"].to_numpy(np.float64)))


def _stratum(
    survival: Survival, code: NDArray[np.int64], k: int, rho: float
) -> tuple[Floats, Floats, Floats]:
    steps = survival_steps(survival)
    place = np.searchsorted(steps.time, survival.time)
    everybody = np.zeros((len(steps.time), k))
    np.add.at(everybody, (place, code), 1.0)
    deaths = np.zeros_like(everybody)
    np.add.at(deaths, (place[survival.event], code[survival.event]), 1.0)
    n, d = steps.n_risk.astype(np.float64), steps.n_event.astype(np.float64)
    share = np.cumsum(everybody[::-1], axis=0)[::-1] / n[:, None]
    before = np.concatenate([[1.0], steps.survival[:-1]])
    weight = before**rho
    # One patient at risk has no variance; 0 / 0 must not become NaN.
    spread = weight**2 * d * (n - d) / np.maximum(n - 1, 1)
    variance = np.diag(spread @ share) - (share * spread[:, None]).T @ share
    return weight @ deaths, (weight * d) @ share, variance


def _quadratic_form(
    difference: Floats, variance: Floats, present: NDArray[np.bool_]
) -> tuple[float, int]:
    """Return chi-square and its degrees of freedom; groups never at risk of a death don't count."""
    z, v = difference[present], variance[np.ix_(present, present)]
    if len(z) < 2:
        return float("nan"), 0
    values, vectors = np.linalg.eigh(v)
    informative = values > _NO_INFORMATION * max(values.max(), 0.0)
    df = int(np.count_nonzero(informative))
    if df == 0:
        return float("nan"), 0
    if df == len(z) - 1:  # the usual case: leave one group out, since the differences sum to 0
        return float(z[1:] @ np.linalg.solve(v[1:, 1:], z[1:])), df
    projected = vectors[:, informative].T @ z
    return float((projected**2 / values[informative]).sum()), df


def _warning(order: tuple[Hashable, ...], n: NDArray[np.int64], n_events: int, df: int) -> str:
    empty = [str(label) for label, count in zip(order, n, strict=True) if count == 0]
    if len(order) - len(empty) < 2:
        return "There are not two groups with patients, so there is nothing to compare."
    if n_events == 0:
        return "Nobody died in these groups, so they cannot be compared."
    if df == 0:
        return (
            "No two groups were at risk when somebody died, so they cannot be compared; "
            "look at their follow-up."
        )
    if empty:
        return f"Group {', '.join(empty)} has no patients and is left out of the test."
    if df < len(order) - 1:
        return (
            f"The {len(order)} groups overlap too little in time for {len(order) - 1} degrees of "
            f"freedom; the test has {df}."
        )
    return ""


def _labels(values: ArrayLike | None, survival: Survival) -> NDArray[np.object_]:
    if values is None:
        return np.zeros(len(survival), object)
    labels = np.asarray(values, object)
    if labels.shape != (len(survival),):
        raise SurvivalDataError(
            f"There are {labels.size} group labels for {len(survival)} patients; "
            "each patient needs one."
        )
    return labels


def _known(labels: NDArray[np.object_]) -> NDArray[np.bool_]:
    import pandas as pd

    known = np.asarray(~pd.isna(labels), bool)
    known[known] = [label != "" for label in labels[known]]
    return known


def _sorted(labels: set[Hashable]) -> tuple[Hashable, ...]:
    try:
        return tuple(sorted(labels))  # type: ignore[type-var]
    except TypeError:  # numbers and words
        return tuple(sorted(labels, key=str))
