"""Which slides are in a sample: all, so many of each stratum, or the paper's extremes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.hgp.sample_options import SampleOptions
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

EXTREMES_WARNING = (
    "Only slides with the highest and lowest score are reviewed, as in the paper. Such extreme "
    "groups inflate any association and say nothing of the slides between: for an estimate that "
    "holds in practice review all slides, or a stratified random sample."
)


def choose_slides(
    table: pd.DataFrame, options: SampleOptions, rng: np.random.Generator
) -> tuple[NDArray[np.intp], list[str], list[str]]:
    """Return positions of the chosen slides, the stratum of each, and warnings."""
    if options.how == "all":
        return np.arange(len(table)), [""] * len(table), []
    if options.how == "extremes":
        return _extremes(table, options)
    strata = _strata(table, options)
    names = sorted(set(strata))
    members = {name: np.flatnonzero([each == name for each in strata]) for name in names}
    wanted = proportional([len(members[name]) for name in names], options.n_slides)
    chosen = np.sort(
        np.concatenate(
            [
                rng.choice(members[name], size=n, replace=False)
                for name, n in zip(names, wanted, strict=True)
            ]
        )
    )
    warnings = []
    if options.n_slides > len(table):
        warnings.append(
            f"{options.n_slides} slides were asked for and there are {len(table)}: all are listed."
        )
    return chosen, [strata[at] for at in chosen], warnings


def _extremes(
    table: pd.DataFrame, options: SampleOptions
) -> tuple[NDArray[np.intp], list[str], list[str]]:
    score = _score(table, options)
    known = np.flatnonzero(np.isfinite(score))
    k = min(options.k_extremes, len(known) // 2)
    ranked = known[np.argsort(score[known], kind="stable")]
    warnings = [EXTREMES_WARNING]
    if k < options.k_extremes:
        warnings.append(f"Only {len(known)} slides have a score: {k} are taken at each end.")
    low, high = ranked[:k], ranked[len(ranked) - k :]
    if (
        k
        and len(ranked) > 2 * k
        and (score[ranked[k]] == score[low[-1]] or score[ranked[-k - 1]] == score[high[0]])
    ):
        warnings.append("Slides of the same score stand on both sides of a limit; the first count.")
    return np.concatenate([low, high]), ["lowest"] * k + ["highest"] * k, warnings


def _score(table: pd.DataFrame, options: SampleOptions) -> NDArray[np.float64]:
    import pandas as pd

    if options.score not in table:
        raise CohortError(
            f"The table of slides has no column {options.score}, the score. Name one with --score; "
            f"it has {', '.join(map(str, table))}."
        )
    return pd.to_numeric(table[options.score], errors="coerce").to_numpy(np.float64)


def _strata(table: pd.DataFrame, options: SampleOptions) -> list[str]:
    columns = [part.strip() for part in options.strata.split(",") if part.strip()]
    missing = [column for column in columns if column not in table]
    if missing:
        raise CohortError(
            f"The table of slides has no column {', '.join(missing)} to stratify by. It has "
            f"{', '.join(map(str, table))}."
        )
    labels = [[f"{column} {value}" for value in table[column]] for column in columns]
    if options.score_parts > 1:
        score = _score(table, options)
        known = np.isfinite(score)
        rank = np.full(len(score), -1)
        order = np.argsort(score[known], kind="stable")
        place = np.empty(len(order), np.intp)
        place[order] = np.arange(len(order))
        rank[known] = place * options.score_parts // max(1, int(known.sum()))
        labels.append(
            ["no score" if part < 0 else f"{options.score} part {part + 1}" for part in rank]
        )
    return [", ".join(each) for each in zip(*labels, strict=True)] if labels else [""] * len(table)


def proportional(sizes: Sequence[int], wanted: int) -> list[int]:
    """Share out a sample in proportion to the strata (largest remainders); none gets too many."""
    total = sum(sizes)
    wanted = min(wanted, total)
    exact = [wanted * size / total if total else 0.0 for size in sizes]
    given = [int(each) for each in exact]
    order = sorted(range(len(sizes)), key=lambda at: (given[at] - exact[at], at))
    for at in order[: wanted - sum(given)]:
        given[at] += 1
    return given
