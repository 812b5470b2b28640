"""How much a cut-off moves when other patients of the same kind had been studied: bootstrap."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_crlm_spa.core.cohort.columns import label_of, matrix
from napari_crlm_spa.core.cohort.cox.design import check_rows
from napari_crlm_spa.core.cohort.cutpoints.dichotomize import (
    Cutpoint,
    CutpointOptions,
    fit_dichotomizer,
)
from napari_crlm_spa.core.cohort.cutpoints.search import CutoffSearch, SplitMethod
from napari_crlm_spa.core.cohort.survival import Floats, Survival
from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.core.progress import Progress

if TYPE_CHECKING:
    import pandas as pd

#: A cut-off is called near another if at most this share of the patients lies between them.
NEAR_SHARE = 0.10
REPORT_EVERY = 20


@dataclass(frozen=True, slots=True)
class StabilityOptions(Options):
    """How often patients are drawn again."""

    resamples: int = option(
        1000, "Bootstrap resamples of the cut-offs", min=1, max=100_000, label="Resamples"
    )
    seed: int = option(
        20230902, "Where random numbers begin", min=0, max=2**32 - 1, label="Seed", advanced=True
    )


@dataclass(frozen=True, slots=True, eq=False)
class CutpointStability:
    """Cut-offs of resampled cohorts.

    Parameters
    ----------
    table
        ``cutpoint_stability``: one row per feature.
    resamples
        ``cutpoint_bootstrap``: feature, resample (from 0), cutoff; NaN where a resample could
        not be divided.
    """

    table: pd.DataFrame
    resamples: pd.DataFrame


def bootstrap_cutpoints(
    frame: pd.DataFrame,
    survival: Survival,
    features: Iterable[str],
    options: CutpointOptions = CutpointOptions(),  # noqa: B008 - frozen
    stability: StabilityOptions = StabilityOptions(),
) -> Generator[Progress, None, CutpointStability]:
    """Draw patients with replacement and find every cut-off again.

    Parameters
    ----------
    frame, survival
        Patients and their follow-up, row by row.
    features
        Columns to split. A drawn patient brings all columns along.
    options
        How cut-offs are found.
    stability
        How often. Resample i draws from a generator of its own, seeded ``[seed, i]``.

    Returns
    -------
    CutpointStability
        With the share of resamples whose cut-off has at most 10 % of the patients (10 percentile
        points of the feature in `frame`) between itself and the original one.

    Raises
    ------
    CohortError
        If a column is missing or holds text.
    """
    import pandas as pd

    names = list(dict.fromkeys(features))
    check_rows(len(frame), survival)
    values = matrix(frame, names)
    drawn = np.empty((0, len(names)))
    if options.method == "fixed":
        originals = [Cutpoint(name, "fixed") for name in names]
    else:
        fitted = fit_dichotomizer(frame, survival, names, _plain(options))
        originals = list(fitted.cutpoints)
        drawn = yield from _draw(values, survival, options, stability)
    rows = [_row(each, values[:, k], drawn[:, k]) for k, each in enumerate(originals)]
    columns = ["feature", "label", "cutoff", "resamples", "median", "q025", "q975"]
    resamples = pd.DataFrame(
        {
            "feature": np.repeat(names, len(drawn)),
            "resample": np.tile(np.arange(len(drawn)), len(names)),
            "cutoff": drawn.T.ravel(),
        }
    )
    table = pd.DataFrame(rows, columns=[*columns, "within_10_percentiles", "note"])
    return CutpointStability(table, resamples)


def _plain(options: CutpointOptions) -> CutpointOptions:
    return CutpointOptions(method=options.method, minprop=options.minprop)


def _draw(
    values: Floats, survival: Survival, options: CutpointOptions, stability: StabilityOptions
) -> Generator[Progress, None, Floats]:
    method: SplitMethod = "median" if options.method == "median" else "maxstat"
    search = CutoffSearch(values, survival, method, options.minprop)
    n = len(survival)
    drawn = np.empty((stability.resamples, values.shape[1]))
    for i in range(stability.resamples):
        if i % REPORT_EVERY == 0:
            yield Progress("Resampling cut-offs", i, stability.resamples, "resamples")
        chosen = np.random.default_rng([stability.seed, i]).integers(0, n, n)
        drawn[i] = search.cutoffs(np.bincount(chosen, minlength=n))
    yield Progress("Resampling cut-offs", len(drawn), len(drawn), "resamples")
    return drawn


def _row(original: Cutpoint, values: Floats, drawn: Floats) -> dict[str, object]:
    found = drawn[np.isfinite(drawn)]
    row: dict[str, object] = {
        "feature": original.feature,
        "label": label_of(original.feature),
        "cutoff": original.cutoff,
        "resamples": len(found),
        "note": original.note if not original.found else "",
    }
    if original.method == "fixed":
        return row | {"note": "A fixed cut-off does not move."}
    if not len(found) or not original.found:
        return row
    if len(found) < len(drawn):
        row["note"] = f"{len(drawn) - len(found)} resamples could not be divided"
    median, low, high = np.quantile(found, [0.5, 0.025, 0.975])
    ranked = np.sort(values[np.isfinite(values)])
    places = np.searchsorted(ranked, [original.cutoff, *found], side="right") / len(ranked)
    near = np.abs(places[1:] - places[0]) <= NEAR_SHARE + 1e-12
    return row | {
        "median": median,
        "q025": low,
        "q975": high,
        "within_10_percentiles": near.mean(),
    }
