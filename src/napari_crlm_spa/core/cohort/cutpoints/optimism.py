"""How much an optimal cut-off flatters: its effect in patients who had no say in it.

A cut-off chosen for the largest difference shows a difference even where there is none (Altman et
al., J Natl Cancer Inst 1994;86:829; Hollander et al., Stat Med 2004;23:1701). Cross-validation
mends that (Faraggi & Simon, Stat Med 1996;15:2203): each part of the patients is divided by the
cut-off of the other parts, and the divided parts are judged together.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_crlm_spa.core.cohort.columns import label_of, matrix
from napari_crlm_spa.core.cohort.cox.design import check_rows
from napari_crlm_spa.core.cohort.cox.folds import deal
from napari_crlm_spa.core.cohort.cox.hazard_ratio import hazard_ratio
from napari_crlm_spa.core.cohort.cutpoints.dichotomize import (
    Cutpoint,
    CutpointOptions,
    fit_dichotomizer,
)
from napari_crlm_spa.core.cohort.cutpoints.search import CutoffSearch, Integers
from napari_crlm_spa.core.cohort.cutpoints.two_groups import chisq1_p, logrank_chisq
from napari_crlm_spa.core.cohort.survival import Floats, Survival
from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

EFFECTS = ("log_hr", "logrank", "p")


@dataclass(frozen=True, slots=True)
class OptimismOptions(Options):
    """How patients are divided into parts, and how often."""

    folds: int = option(10, "Parts of the cohort", min=2, max=50, label="Parts")
    repeats: int = option(
        10, "How often the cohort is divided anew", min=1, max=1000, label="Repeats"
    )
    seed: int = option(
        20230903, "Where random numbers begin", min=0, max=2**32 - 1, label="Seed", advanced=True
    )


@dataclass(frozen=True, slots=True, eq=False)
class CutpointOptimism:
    """Effects of cut-offs in the patients they were found in, and in others.

    Parameters
    ----------
    table
        ``cutpoint_optimism``: one row per feature. Cross-validated numbers are means over the
        repeats (the hazard ratio: of its logarithm). ``optimism_log_hr`` is what the apparent
        log hazard ratio has too much, in its own direction: positive means flattered.
    repeats
        feature, repeat, n (held-out patients with a group), log_hr, logrank (chi-square), p.
    """

    table: pd.DataFrame
    repeats: pd.DataFrame


def cutpoint_optimism(
    frame: pd.DataFrame,
    survival: Survival,
    features: Iterable[str],
    options: CutpointOptions = CutpointOptions(),  # noqa: B008 - frozen
    optimism: OptimismOptions = OptimismOptions(),
    *,
    cutoffs: dict[str, float] | None = None,
) -> Generator[Progress, None, CutpointOptimism]:
    """Compare each cut-off's effect in its own patients with that in held-out ones.

    Parameters
    ----------
    frame, survival
        Patients and their follow-up, row by row.
    features
        Columns to split.
    options
        How cut-offs are found.
    optimism
        Repeated k-fold cross-validation; parts hold equal shares of the deaths. Repeat i draws
        from a generator of its own, seeded ``[seed, i]``.
    cutoffs
        For ``method="fixed"``.

    Raises
    ------
    CohortError
        If a column is missing or holds text, or there are fewer patients than parts.
    """
    import pandas as pd

    names = list(dict.fromkeys(features))
    check_rows(len(frame), survival)
    if len(survival) < optimism.folds:
        raise CohortError(
            f"{len(survival)} patients cannot be divided into {optimism.folds} parts. "
            "Use fewer parts."
        )
    values = matrix(frame, names)
    plain = CutpointOptions(method=options.method, minprop=options.minprop, cutoffs=options.cutoffs)
    originals = fit_dichotomizer(frame, survival, names, plain, cutoffs=cutoffs).cutpoints
    effects = np.full((optimism.repeats, len(names), 1 + len(EFFECTS)), np.nan)
    for repeat in range(optimism.repeats):
        yield Progress("Cross-validating cut-offs", repeat, optimism.repeats, "repeats")
        parts = stratified_parts(survival, optimism.folds, optimism.seed, repeat)
        held_out = _cutoffs_of_others(values, survival, options, parts, originals)
        for k, original in enumerate(originals):
            if original.found:
                effects[repeat, k] = _effect(values[:, k], held_out[:, k], survival)
    rows = [
        _row(original, values[:, k], survival, effects[:, k], optimism)
        for k, original in enumerate(originals)
    ]
    order = np.swapaxes(effects, 0, 1).reshape(-1, 1 + len(EFFECTS))
    repeats = pd.DataFrame(order, columns=["n", *EFFECTS])
    repeats.insert(0, "repeat", np.tile(np.arange(optimism.repeats), len(names)))
    repeats.insert(0, "feature", np.repeat(names, optimism.repeats))
    columns = ["feature", "label", "folds", "repeats", "hr_apparent", "hr_cross_validated"]
    columns += ["logrank_apparent", "logrank_cross_validated", "optimism_log_hr"]
    return CutpointOptimism(pd.DataFrame(rows, columns=columns), repeats)


def stratified_parts(survival: Survival, folds: int, seed: int, repeat: int) -> Integers:
    """Assign each patient to a part, deaths and censored patients evenly, shape (n,)."""
    return deal(survival.event, folds, np.random.default_rng([seed, repeat]))


def _cutoffs_of_others(
    values: Floats,
    survival: Survival,
    options: CutpointOptions,
    parts: Integers,
    originals: tuple[Cutpoint, ...],
) -> Floats:
    """Return, for each patient and feature, the cut-off found without the patient's part."""
    if options.method == "fixed":
        return np.tile([each.cutoff for each in originals], (len(values), 1))
    search = CutoffSearch(values, survival, options.method, options.minprop)
    found = np.empty(values.shape)
    for part in range(int(parts.max()) + 1):
        found[parts == part] = search.cutoffs(parts != part)
    return found


def _effect(values: Floats, cutoffs: Floats, survival: Survival) -> tuple[float, ...]:
    known = np.isfinite(values) & np.isfinite(cutoffs)
    part, high = survival.take(known), values[known] > cutoffs[known]
    chisq = float(logrank_chisq(part, high))
    return float(known.sum()), hazard_ratio(part, high).coef, chisq, float(chisq1_p(chisq))


def _row(
    original: Cutpoint,
    values: Floats,
    survival: Survival,
    effects: Floats,
    optimism: OptimismOptions,
) -> dict[str, object]:
    apparent, chisq, held_out, held_out_chisq = [float("nan")] * 4
    if original.found:
        fixed = np.full(len(values), original.cutoff)
        _, apparent, chisq, _ = _effect(values, fixed, survival)
        held_out, held_out_chisq = _mean(effects[:, 1]), _mean(effects[:, 2])
    return {
        "feature": original.feature,
        "label": label_of(original.feature),
        "folds": optimism.folds,
        "repeats": optimism.repeats,
        "hr_apparent": np.exp(apparent),
        "hr_cross_validated": np.exp(held_out),
        "logrank_apparent": chisq,
        "logrank_cross_validated": held_out_chisq,
        "optimism_log_hr": np.sign(apparent) * (apparent - held_out),
    }


def _mean(numbers: Floats) -> float:
    known = numbers[np.isfinite(numbers)]
    return float(known.mean()) if len(known) else float("nan")
