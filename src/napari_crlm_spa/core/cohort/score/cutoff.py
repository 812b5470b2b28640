"""Where a score is split into low and high risk: as the authors' code does, or their text says.

The two disagree (docs/methods/cutpoints.md): the code searches from the 10th to the 90th
percentile in steps of 1/10000 of the score for the smallest Wald p value, the text says "20 to 80
percentiles with steps of 1000" and "log-rank test". High is always ``score >= cut-off``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from napari_crlm_spa.core.cohort.cox.hazard_ratio import hazard_ratio
from napari_crlm_spa.core.cohort.cutpoints.two_groups import chisq1_p, logrank_chisq
from napari_crlm_spa.core.cohort.score.found import (
    Rule,
    ScoreCutoff,
    ScoreOptions,
    score_cutoff_table,
)
from napari_crlm_spa.core.cohort.score.grids import (
    Grid,
    code_grid,
    quantile_grid,
    value_grid,
)
from napari_crlm_spa.core.cohort.survival import Floats, Survival
from napari_crlm_spa.errors import RiskError

__all__ = ["ScoreCutoff", "ScoreOptions", "score_cutoff_table", "search_cutoff"]

#: Splits whose log-rank statistics are computed at a time.
CHUNK = 256


class _Range(NamedTuple):
    low: float
    high: float
    steps: int


#: What the authors' code and their text say. In the code, steps are per unit of score.
RANGES = {
    "code": _Range(0.1, 0.9, 10_000),
    "text": _Range(0.2, 0.8, 1000),
    "text_values": _Range(0.2, 0.8, 1000),
}


def search_cutoff(
    score: ArrayLike,
    survival: Survival,
    options: ScoreOptions = ScoreOptions(),  # noqa: B008 - frozen
) -> ScoreCutoff:
    """Find the cut-off of a score.

    Parameters
    ----------
    score
        Shape (n,); patients without one (NaN) are left out and counted.
    survival
        Follow-up of the same patients.
    options
        By which rule. p values are computed once per distinct split; the first cut-off with the
        smallest one is taken.

    Raises
    ------
    RiskError
        If the score does not vary or no cut-off that is tried divides it, if every split leaves a
        group without deaths, or the options contradict each other.
    """
    values, part, n_missing = _complete(score, survival)
    if options.rule == "fixed":
        if options.cutoff is None or not np.isfinite(options.cutoff):
            raise RiskError("A fixed cut-off of the score is asked for: give it as a number.")
        return _described("fixed", options.cutoff, values, part, n_missing)
    if np.ptp(values) == 0:
        raise RiskError(
            f"The score is {values[0]:g} in all {len(values)} patients, so it can't be divided. "
            "Choose features that differ between patients."
        )
    if options.rule == "median":
        return _described("median", float(np.median(values)), values, part, n_missing)
    grid = _grid(values, options)
    p = (
        _wald(values, grid.cutoffs, part)
        if options.rule == "code"
        else _logrank(values, grid.cutoffs, part)
    )
    if not np.isfinite(p).any():
        raise RiskError(
            f"None of the {len(p)} splits of the score between {grid.low:g} and {grid.high:g} has "
            "deaths on both sides, so none can be judged. Use the median or a fixed cut-off."
        )
    best = int(np.nanargmin(p))
    return _described(
        options.rule, float(grid.cutoffs[best]), values, part, n_missing, grid=grid, p=p
    )


def _complete(score: ArrayLike, survival: Survival) -> tuple[Floats, Survival, int]:
    values = np.asarray(score, np.float64)
    if values.shape != (len(survival),):
        raise RiskError(f"There are {values.size} scores for {len(survival)} patients.")
    known = np.isfinite(values)
    if not known.any():
        raise RiskError("No patient has a score: each lacks a feature. Fill in the features.")
    part = survival.take(known)
    if not part.n_events:
        raise RiskError("No patient with a score died, so no cut-off can be judged.")
    return values[known], part, int((~known).sum())


def _grid(values: Floats, options: ScoreOptions) -> Grid:
    usual = RANGES[options.rule]
    low = usual.low if options.low is None else options.low
    high = usual.high if options.high is None else options.high
    steps = usual.steps if options.steps is None else options.steps
    if not low < high:
        raise RiskError(f"The search goes from quantile {low:g} to {high:g}; give low < high.")
    make = {"code": code_grid, "text": quantile_grid, "text_values": value_grid}[options.rule]
    grid = make(values, low, high, steps)
    if not len(grid.cutoffs):
        raise RiskError(
            f"No cut-off between the quantiles {low:g} ({grid.low:g}) and {high:g} "
            f"({grid.high:g}) divides the {len(np.unique(values))} distinct scores. Widen the "
            "range, use smaller steps, or choose the median or a fixed cut-off."
        )
    return grid


def _wald(values: Floats, cutoffs: Floats, survival: Survival) -> Floats:
    return np.array([hazard_ratio(survival, values >= cutoff).p_wald for cutoff in cutoffs])


def _logrank(values: Floats, cutoffs: Floats, survival: Survival) -> Floats:
    parts = [
        logrank_chisq(survival, values >= cutoffs[start : start + CHUNK, None])
        for start in range(0, len(cutoffs), CHUNK)
    ]
    return chisq1_p(np.concatenate(parts))


def _described(
    rule: Rule,
    cutoff: float,
    values: Floats,
    survival: Survival,
    n_missing: int,
    *,
    grid: Grid | None = None,
    p: Floats | None = None,
) -> ScoreCutoff:
    import pandas as pd

    high = values >= cutoff
    cox = hazard_ratio(survival, high)
    wald = rule == "code"
    notes = []
    if n_missing:
        notes.append(f"{n_missing} patients have no score")
    if high.all() or not high.any():
        notes.append("all patients lie on one side")
    elif not np.isfinite(cox.coef):
        notes.append("a group has no deaths, or the groups separate: there is no hazard ratio")
    if grid is not None and p is not None:
        notes.append(
            f"best of {len(p)} distinct splits; its p value does not account for the search"
        )
        if not np.isfinite(p).all():
            notes.append(f"{np.isnan(p).sum()} splits could not be judged")
    path: dict[str, object] = {
        "cutoff": [] if grid is None else grid.cutoffs,
        "p": [] if p is None else p,
    }
    return ScoreCutoff(
        rule=rule,
        cutoff=cutoff,
        p=cox.p_wald if wald else float(chisq1_p(logrank_chisq(survival, high))),
        test="Wald" if wald else "log-rank",
        n_low=int((~high).sum()),
        n_high=int(high.sum()),
        n_missing=n_missing,
        hr=cox.hr,
        hr_lower95=cox.hr_lower95,
        hr_upper95=cox.hr_upper95,
        below=float(values[~high].max(initial=-np.inf)),
        above=float(values[high].min(initial=np.inf)),
        path=pd.DataFrame({"rule": rule, **path}, columns=["rule", "cutoff", "p"]),
        note="; ".join(notes),
    )
