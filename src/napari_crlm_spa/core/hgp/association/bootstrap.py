"""Intervals by drawing whole patients again: slides of one patient are alike.

Percentiles of the statistic over the draws (Efron & Tibshirani, An introduction to the bootstrap,
1993, chapter 13; clusters: Davison & Hinkley 1997, section 3.8).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.core.progress import Progress

NAN = float("nan")
#: Share of the draws in which a statistic must exist for an interval (a heuristic of ours).
DEFINED_MIN = 0.9
#: Fewer patients give no interval (a heuristic of ours): draws of four repeat each other.
FEWEST_PATIENTS = 5


@dataclass(frozen=True, slots=True)
class Interval:
    """A percentile interval.

    Parameters
    ----------
    lower, upper
        NaN where there is none.
    patients
        How many were drawn from.
    resamples
        Draws in which the statistic exists.
    reason
        Why there is none, in a sentence; else empty.
    """

    lower: float
    upper: float
    patients: int
    resamples: int
    reason: str = ""


def clustered_bootstrap(
    statistic: Callable[[NDArray[np.intp]], Sequence[float] | Floats],
    patients: ArrayLike,
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
    stage: str = "Drawing patients again",
) -> Generator[Progress, None, tuple[Interval, ...]]:
    """Draw patients with replacement, all their slides with them, and take percentiles.

    Parameters
    ----------
    statistic
        From positions of rows (some several times) to one or more numbers, NaN where undefined.
    patients
        Of each row, shape (n,).
    resamples
        Draws; 0 gives no interval.
    seed
        Start of the random numbers: the same seed draws the same patients.
    level
        Of the interval.
    stage
        What the progress says.

    Returns
    -------
    tuple of Interval
        One per number of the statistic.
    """
    names, of_row = np.unique(np.asarray(patients).astype(str), return_inverse=True)
    members = [np.flatnonzero(of_row == at) for at in range(len(names))]
    m, width = len(names), len(np.atleast_1d(statistic(np.arange(len(of_row)))))
    if m < FEWEST_PATIENTS or resamples < 1:
        why = f"Fewer than {FEWEST_PATIENTS} patients give no interval." if resamples else ""
        return (Interval(NAN, NAN, m, 0, why),) * width
    rng = np.random.default_rng(seed)
    values = np.full((resamples, width), np.nan)
    for draw in range(resamples):
        if draw % 50 == 0:
            yield Progress(stage, draw, resamples, "draws")
        rows = np.concatenate([members[at] for at in rng.integers(m, size=m)])
        values[draw] = statistic(rows)
    yield Progress(stage, resamples, resamples, "draws")
    return tuple(_percentiles(column, m, level) for column in values.T)


def _percentiles(values: Floats, patients: int, level: float) -> Interval:
    defined = values[np.isfinite(values)]
    if len(defined) < DEFINED_MIN * len(values):
        why = "The statistic is undefined in too many draws of the patients."
        return Interval(NAN, NAN, patients, len(defined), why)
    tail = 50 * (1 - level)
    lower, upper = np.percentile(defined, [tail, 100 - tail])
    if upper - lower <= 1e-12 * max(1.0, abs(lower)):
        why = "All draws of the patients give the same number: no interval."
        return Interval(NAN, NAN, patients, len(defined), why)
    return Interval(float(lower), float(upper), patients, len(defined))
