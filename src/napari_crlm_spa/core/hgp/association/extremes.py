"""The paper's comparison: slides of lowest and of highest score, Fisher's exact test.

The paper took the 15 slides with the least and the 15 with the most interaction: all of the former
were desmoplastic, 4 of the latter (p = 5e-5). Extreme groups inflate an association.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from napari_crlm_spa.core.cohort.associations.counts import fisher

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Extremes:
    """Calls in the slides of lowest and highest score.

    Parameters
    ----------
    k
        Slides at each end.
    low_d, high_d
        Desmoplastic ones among them.
    odds_ratio, lower, upper, p
        Of being desmoplastic at the low end, conditional estimate, exact (Fisher).
    low_limit, high_limit
        Highest score of the low group, lowest of the high one.
    reason
        What is doubtful or missing, in sentences; else empty.
    """

    k: int
    low_d: int
    high_d: int
    odds_ratio: float
    lower: float
    upper: float
    p: float
    low_limit: float
    high_limit: float
    reason: str = ""


def extreme_groups(
    score: ArrayLike, desmoplastic: ArrayLike, k: int, *, level: float = 0.95
) -> Extremes:
    """Compare the k slides of lowest with the k of highest score.

    Parameters
    ----------
    score, desmoplastic
        Shape (n,); 1 for D, 0 for non-D. Rows with a hole are left out. Of equal scores the first
        rows count.
    k
        Slides at each end; at most half of those that there are.
    level
        Of the odds ratio's interval.
    """
    values, calls = np.asarray(score, np.float64), np.asarray(desmoplastic, np.float64)
    known = np.isfinite(values) & np.isfinite(calls)
    values, is_d = values[known], calls[known] > 0.5
    taken = min(k, len(values) // 2)
    if not taken:
        return Extremes(0, 0, 0, NAN, NAN, NAN, NAN, NAN, NAN, "Fewer than two slides have both.")
    order = np.argsort(values, kind="stable")
    low, high = order[:taken], order[len(order) - taken :]
    low_d, high_d = int(is_d[low].sum()), int(is_d[high].sum())
    test = fisher([[low_d, taken - low_d], [high_d, taken - high_d]], level=level)
    said = []
    if taken < k:
        said.append(f"Only {len(values)} slides have both: {taken} at each end instead of {k}.")
    middle = order[taken : len(order) - taken]
    if len(middle) and (
        values[middle[0]] == values[low[-1]] or values[middle[-1]] == values[high[0]]
    ):
        said.append("Equal scores stand on both sides of a limit.")
    if values[low[-1]] == values[high[0]]:
        said.append("The two groups have scores in common.")
    if test.note:
        said.append("All slides have the same call.")
    limits = float(values[low[-1]]), float(values[high[0]])
    return Extremes(
        taken,
        low_d,
        high_d,
        test.estimate,
        test.lower,
        test.upper,
        test.p,
        *limits,
        reason=" ".join(said),
    )
