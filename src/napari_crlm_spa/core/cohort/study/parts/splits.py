"""Where the features are split: cut-offs, their p values, stability and optimism."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

from napari_crlm_spa.core.cohort.columns import PATIENT
from napari_crlm_spa.core.cohort.cutpoints import (
    CutpointOptions,
    Dichotomizer,
    OptimismOptions,
    StabilityOptions,
    bootstrap_cutpoints,
    cutpoint_optimism,
)
from napari_crlm_spa.core.cohort.cutpoints.dichotomize import fitting
from napari_crlm_spa.core.cohort.study.gather import Gathering
from napari_crlm_spa.core.cohort.study.options import StudyOptions
from napari_crlm_spa.core.cohort.table import Cohort
from napari_crlm_spa.core.progress import Progress

if TYPE_CHECKING:
    import pandas as pd

#: The division into parts is repeated so often for each estimate of optimism.
OPTIMISM_REPEATS = 5
NOTES = {
    "maxstat": "Where the standardized log-rank statistic is largest (maximally selected rank "
    "statistics, Lausen & Schumacher 1992; the method that the paper names), with p values that "
    "account for the search. A feature is high above its cut-off.",
    "median": "At the median: the split that the paper's published numbers fit. A feature is high "
    "above its cut-off.",
    "fixed": "Given cut-offs. A feature is high above its cut-off.",
}


def add_splits(
    book: Gathering,
    cohort: Cohort,
    features: Sequence[str],
    cutpoints: CutpointOptions,
    options: StudyOptions,
) -> Generator[Progress, None, tuple[Dichotomizer, pd.DataFrame]]:
    """Find the cut-offs; return them, and each feature as 0 or 1."""
    frame, survival = cohort.patients, cohort.survival
    found = yield from fitting(
        frame,
        survival,
        features,
        cutpoints,
        cohort=cohort.name,
        patients=frame[PATIENT].tolist(),
    )
    book.table("cutpoints", "Cut-offs of the features", found.table(), NOTES[cutpoints.method])
    book.table(
        "cutpoint_paths",
        "All cut-offs that were tried",
        found.paths(),
        "The standardized log-rank statistic, its sign dropped, at every cut-off that leaves "
        f"{cutpoints.minprop:.0%} of the patients on either side.",
    )
    book.warn_all(found.warnings)
    book.facts["cutpoints"] = {**cutpoints.as_dict(), "features": list(features)}
    if options.stability_resamples and cutpoints.method != "fixed":
        yield from _stability(book, cohort, found, cutpoints, options)
    return found, found.apply(frame)


def _stability(
    book: Gathering,
    cohort: Cohort,
    found: Dichotomizer,
    cutpoints: CutpointOptions,
    options: StudyOptions,
) -> Generator[Progress, None, None]:
    frame, survival = cohort.patients, cohort.survival
    stable = yield from bootstrap_cutpoints(
        frame,
        survival,
        found.features,
        cutpoints,
        StabilityOptions(resamples=options.stability_resamples, seed=options.seed),
    )
    book.table(
        "cutpoint_stability",
        "How stable the cut-offs are",
        stable.table,
        f"{options.stability_resamples} bootstrap resamples of the patients (seed {options.seed}).",
    )
    book.table("cutpoint_bootstrap", "Cut-offs of the resamples", stable.resamples)
    flattered = yield from cutpoint_optimism(
        frame,
        survival,
        found.features,
        cutpoints,
        OptimismOptions(repeats=OPTIMISM_REPEATS, seed=options.seed),
    )
    book.table(
        "cutpoint_optimism",
        "How much the cut-offs flatter",
        flattered.table,
        "Effect of each cut-off in the patients it was found in (apparent), and in patients held "
        f"out while it was found ({OPTIMISM_REPEATS} repeats of {OptimismOptions().folds} parts, "
        f"seed {options.seed}).",
    )
    book.facts["resamples"] = {
        "cutpoints": options.stability_resamples,
        "optimism_repeats": OPTIMISM_REPEATS,
        "seed": options.seed,
    }
