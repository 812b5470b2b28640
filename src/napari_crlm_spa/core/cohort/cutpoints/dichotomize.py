"""Features become 0 or 1: cut-offs are found in one cohort and applied, as they are, to others."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_crlm_spa.core.cohort.columns import numbers
from napari_crlm_spa.core.cohort.cox.design import check_rows
from napari_crlm_spa.core.cohort.cutpoints.cutpoint import NAN, Cutpoint, CutpointOptions, Method
from napari_crlm_spa.core.cohort.cutpoints.dichotomizer import Dichotomizer, SharedPatients
from napari_crlm_spa.core.cohort.cutpoints.fixed import fixed_cutoffs
from napari_crlm_spa.core.cohort.cutpoints.identity import hash_patients
from napari_crlm_spa.core.cohort.cutpoints.pvalues import exact_gauss, lau92, lau94, monte_carlo
from napari_crlm_spa.core.cohort.survival import Floats, Survival
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.risk.maxstat import logrank_scores, maxstat_cutoff

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Cutpoint",
    "CutpointOptions",
    "Dichotomizer",
    "Method",
    "SharedPatients",
    "fit_dichotomizer",
    "fitting",
    "group_sizes",
]

#: Fewer deaths than this say little about where to split by survival. Our own choice: a remark.
FEW_EVENTS = 10


def fit_dichotomizer(
    frame: pd.DataFrame,
    survival: Survival,
    features: Iterable[str],
    options: CutpointOptions = CutpointOptions(),  # noqa: B008 - frozen
    *,
    cohort: str = "",
    patients: Sequence[Any] | None = None,
    cutoffs: Mapping[str, float] | None = None,
) -> Dichotomizer:
    """Find the cut-off of each feature in a discovery cohort.

    Parameters
    ----------
    frame, survival
        Patients and their follow-up, row by row.
    features
        Columns to split. One that can't be divided gets no cut-off, and a note.
    options
        How.
    cohort, patients
        Name of the cohort and of its patients, by row.
    cutoffs
        For ``method="fixed"``, by feature; else those of the file that `options` names.

    Raises
    ------
    CohortError
        If a column is missing or holds text, or fixed cut-offs are missing or no numbers.
    """
    steps = fitting(
        frame, survival, features, options, cohort=cohort, patients=patients, cutoffs=cutoffs
    )
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Dichotomizer = end.value
            return found


def fitting(
    frame: pd.DataFrame,
    survival: Survival,
    features: Iterable[str],
    options: CutpointOptions = CutpointOptions(),  # noqa: B008 - frozen
    *,
    cohort: str = "",
    patients: Sequence[Any] | None = None,
    cutoffs: Mapping[str, float] | None = None,
) -> Generator[Progress, None, Dichotomizer]:
    """Do what `fit_dichotomizer` does in steps that can be shown and canceled."""
    names = list(dict.fromkeys(features))
    check_rows(len(frame), survival)
    given = fixed_cutoffs(options.cutoffs, cutoffs) if options.method == "fixed" else {}
    found = []
    for done, name in enumerate(names):
        yield Progress("Finding cut-offs", done, len(names), "features")
        found.append(_fit(name, numbers(frame, name), survival, options, given))
    yield Progress("Finding cut-offs", len(names), len(names), "features")
    if options.method == "maxstat" and options.resamples:
        found = yield from _with_monte_carlo(found, frame, survival, options)
    hashes = () if patients is None else hash_patients(patients)
    return Dichotomizer(tuple(found), cohort, len(survival), survival.n_events, hashes)


def _fit(
    feature: str,
    values: Floats,
    survival: Survival,
    options: CutpointOptions,
    given: Mapping[str, float],
) -> Cutpoint:
    known = np.isfinite(values)
    bare = Cutpoint(feature, options.method, n_missing=int((~known).sum()))
    marker, part = values[known], survival.take(known)
    problem = _undividable(feature, marker)
    if options.method == "fixed":
        return _fixed(bare, marker, part, given)
    if problem:
        return replace(bare, note=problem)
    if options.method == "median":
        return _median(bare, marker, part)
    return _maxstat(bare, marker, part, options.minprop)


def _undividable(feature: str, marker: Floats) -> str:
    if not len(marker):
        return f"{feature} has no cut-off: no patient has a value. Leave it out."
    if np.ptp(marker) == 0:
        return (
            f"{feature} has no cut-off: it is {marker[0]:g} in all {len(marker)} patients. "
            "Leave it out."
        )
    return ""


def _fixed(
    bare: Cutpoint, marker: Floats, survival: Survival, given: Mapping[str, float]
) -> Cutpoint:
    if bare.feature not in given:
        return replace(
            bare, note=f"{bare.feature} has no cut-off: none is given. Add it, or leave it out."
        )
    return _counted(replace(bare, cutoff=given[bare.feature]), marker, survival)


def _median(bare: Cutpoint, marker: Floats, survival: Survival) -> Cutpoint:
    median = float(np.median(marker))
    if not (marker > median).any():
        note = (
            f"{bare.feature} has no cut-off: more than half of the patients share its largest "
            f"value {median:g}, so the median does not divide it. Use maxstat or a fixed cut-off."
        )
        return replace(bare, note=note)
    return _counted(replace(bare, cutoff=median), marker, survival)


def _maxstat(bare: Cutpoint, marker: Floats, survival: Survival, minprop: float) -> Cutpoint:
    found = maxstat_cutoff(marker, survival.time, survival.event, minprop)
    n = len(marker)
    if found is None:
        why = (
            "nobody died, or the follow-up says nothing about any order"
            if not np.ptp(logrank_scores(survival.time, survival.event)) > 0
            else f"no split leaves {minprop:.0%} of the {n} patients on either side (too many "
            "equal values)"
        )
        note = (
            f"{bare.feature} has no cut-off: {why}. Leave it out, use a smaller least share, or "
            "give a fixed cut-off."
        )
        return replace(bare, note=note)
    sizes = group_sizes(marker, found.candidates)
    return _counted(
        replace(
            bare,
            cutoff=found.cutoff,
            p_lau92=lau92(found.statistic, minprop),
            p_lau94=lau94(found.statistic, sizes, n),
            p_exact_gauss=exact_gauss(found.statistic, sizes, n),
            path=found,
        ),
        marker,
        survival,
    )


def group_sizes(marker: Floats, candidates: Floats) -> Floats:
    """Return how many values lie at or below each candidate."""
    return np.searchsorted(np.sort(marker), candidates, side="right").astype(np.float64)


def _counted(cutpoint: Cutpoint, marker: Floats, survival: Survival) -> Cutpoint:
    high = marker > cutpoint.cutoff
    notes = []
    if cutpoint.n_missing:
        notes.append(f"{cutpoint.n_missing} patients have no value")
    if high.all() or not high.any():
        notes.append("all patients lie on one side")
    if survival.n_events < FEW_EVENTS:
        notes.append(f"only {survival.n_events} deaths: hardly more than a guess")
    path = cutpoint.path
    return replace(
        cutpoint,
        statistic=_statistic(survival, high) if path is None else path.statistic,
        n_low=int((~high).sum()),
        n_high=int(high.sum()),
        note="; ".join(notes),
    )


def _statistic(survival: Survival, high: np.ndarray[Any, np.dtype[np.bool_]]) -> float:
    """Return the standardized sum of log-rank scores of the low group, its sign dropped."""
    scores = logrank_scores(survival.time, survival.event)
    n, low = len(scores), int((~high).sum())
    spread = n * (scores**2).sum() - scores.sum() ** 2
    if low in (0, n) or np.ptp(scores) == 0 or spread <= 0:
        return NAN
    difference = abs(scores[~high].sum() - low / n * scores.sum())
    return float(difference / np.sqrt(low * (n - low) / (n**2 * (n - 1)) * spread))


def _with_monte_carlo(
    cutpoints: list[Cutpoint],
    frame: pd.DataFrame,
    survival: Survival,
    options: CutpointOptions,
) -> Generator[Progress, None, list[Cutpoint]]:
    """Add permutation p values; features with holes in the same patients share permutations."""
    blocks: dict[bytes, list[int]] = {}
    known = {}
    for place, each in enumerate(cutpoints):
        if each.path is not None:
            known[place] = np.isfinite(numbers(frame, each.feature))
            blocks.setdefault(known[place].tobytes(), []).append(place)
    result = list(cutpoints)
    for places in blocks.values():
        rows = known[places[0]]
        part = survival.take(rows)
        sizes = [
            group_sizes(numbers(frame, cutpoints[place].feature)[rows], path.candidates)
            for place in places
            if (path := cutpoints[place].path) is not None
        ]
        p = yield from monte_carlo(
            [cutpoints[place].statistic for place in places],
            sizes,
            logrank_scores(part.time, part.event),
            resamples=options.resamples,
            seed=options.seed,
        )
        for place, value in zip(places, p, strict=True):
            result[place] = replace(cutpoints[place], p_monte_carlo=float(value))
    return result
