"""Which slides are reviewed, in which order, under which names.

Slides are shuffled and get names that say nothing; some come twice, the second time much later, so
that a reader's own agreement can be measured. What the names stand for is in the key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.columns import PATIENT, SLIDE
from napari_crlm_spa.core.hgp.columns import (
    INTERACTION_PAPER,
    LESION,
    RATER,
    REVIEW_COLUMNS,
    ROUND,
)
from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

HOWS = ("all", "stratified", "extremes")
REVIEW_ID, ORDER, STRATUM = "review_id", "order", "stratum"
#: Letters and digits that nobody confuses.
_SIGNS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_ID_LENGTH = 5
EXTREMES_WARNING = (
    "Only slides with the highest and lowest score are reviewed, as in the paper. Such extreme "
    "groups inflate any association and say nothing of the slides between: for an estimate that "
    "holds in practice review all slides, or a stratified random sample."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleOptions(Options):
    """Which slides are reviewed, and in which order."""

    how: str = option(
        "all",
        "all slides, a random sample stratified by columns and by parts of the score, or the "
        "extremes: highest and lowest score, as in the paper",
        choices=HOWS,
        label="Slides",
    )
    n_slides: int = option(
        100, "Slides of a stratified sample", min=1, max=100_000, label="Sample size"
    )
    strata: str = option(
        "",
        "Columns to stratify by, separated by commas, for instance chemo",
        label="Stratify by",
    )
    score: str = option(
        INTERACTION_PAPER,
        "Column of the score, for extremes and for strata of the score",
        label="Score",
    )
    score_parts: int = option(
        4,
        "Equal parts of the score's range of ranks to stratify by; 1: not by the score (a "
        "heuristic of ours)",
        min=1,
        max=20,
        label="Parts of the score",
    )
    k_extremes: int = option(
        15, "Slides at each end; the paper has 15", min=1, max=10_000, label="Slides at each end"
    )
    repeats_pct: float = option(
        15.0,
        "Share of slides that come twice, 10-20 % (a heuristic of ours)",
        min=0.0,
        max=50.0,
        unit="%",
        label="Repeated slides",
    )
    show_names: bool = option(
        False,
        "Write the slides' names into the list too, for readers who open slides by hand",
        label="Show the slides' names",
    )
    seed: int = option(0, "Start of the random numbers", min=0, max=2**31 - 1, label="Seed")


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Lists for readers, and the key to them.

    Parameters
    ----------
    lists
        By reader: one row per reading in the order of reading, with ``order``, ``review_id`` and
        the columns of a review to fill in (``slide`` holds the review's name, or the slide's if
        names are shown).
    key
        One row per reading: ``review_id, rater, order, slide, patient, lesion, round, stratum``
        and the score. Not for readers.
    warnings
        Sentences for who designs the study.
    record
        Options, seed and counts, ready for JSON.
    """

    lists: dict[str, pd.DataFrame]
    key: pd.DataFrame
    warnings: tuple[str, ...]
    record: dict[str, Any]


def draw_sample(
    slides: pd.DataFrame, options: SampleOptions, raters: Sequence[str] = ("reader",)
) -> Sample:
    """Choose slides, shuffle and rename them for each reader.

    Parameters
    ----------
    slides
        One row per slide: ``slide``, if known ``patient`` and ``lesion``, the score, columns to
        stratify by.
    options
        How.
    raters
        The readers; each gets the same slides in another order under other names.

    Raises
    ------
    CohortError
        If a column is missing, a slide is listed twice or no slide can be chosen.
    """
    import pandas as pd

    table = _checked(slides)
    rng = np.random.default_rng(options.seed)
    chosen, strata, warnings = _choose(table, options, rng)
    if not len(chosen):
        raise CohortError("No slide is left to review. Choose other strata or another score.")
    names = list(dict.fromkeys(name.strip() for name in raters if name.strip())) or ["reader"]
    if len(names) < 2:
        warnings.append(
            "One reader: agreement between readers cannot be measured. Name at least two: "
            "--raters A,B."
        )
    repeated = _repeats(len(chosen), options.repeats_pct, rng)
    taken: set[str] = set()
    known = table.to_dict("records")
    rows: list[dict[str, Any]] = []
    for rater in names:
        for order, (at, reading) in enumerate(_order(len(chosen), repeated, rng), start=1):
            slide = known[chosen[at]]
            rows.append(
                {
                    REVIEW_ID: _new_id(rng, taken),
                    RATER: rater,
                    ORDER: order,
                    **{name: slide[name] for name in (SLIDE, PATIENT, LESION)},
                    ROUND: reading,
                    STRATUM: strata[at],
                    **({options.score: slide[options.score]} if options.score in table else {}),
                }
            )
    key = pd.DataFrame(rows)
    lists = {rater: _list(key[key[RATER] == rater], options.show_names) for rater in names}
    record = {
        "options": options.as_dict(),
        "slides": len(table),
        "chosen": len(chosen),
        "repeated": len(repeated),
        "raters": names,
    }
    return Sample(lists, key, tuple(warnings), record)


def _checked(slides: pd.DataFrame) -> pd.DataFrame:
    if SLIDE not in slides:
        raise CohortError(
            f"The table of slides has no column {SLIDE}. It has {', '.join(map(str, slides))}."
        )
    table = slides.copy().reset_index(drop=True)
    twice = table[SLIDE][table[SLIDE].duplicated()]
    if len(twice):
        raise CohortError(f"The slide {twice.iloc[0]} is listed twice. Keep one row per slide.")
    for column in (PATIENT, LESION):
        if column not in table:
            table[column] = ""
    return table


def _choose(
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


def _repeats(n: int, percent: float, rng: np.random.Generator) -> NDArray[np.intp]:
    count = round(n * percent / 100)
    count = max(count, 1) if percent > 0 and n > 1 else count
    return rng.choice(n, size=min(count, n), replace=False)


def _order(n: int, repeated: NDArray[np.intp], rng: np.random.Generator) -> list[tuple[int, int]]:
    """Shuffle; first readings of repeated slides come early, second ones at least n / 3 later.

    Readers cannot tell which slides come again: the first part of the list holds others as well,
    and second readings stand among first ones wherever there are enough.
    """
    shuffled = rng.permutation(n)
    again = np.isin(shuffled, repeated)
    # The repeated ones keep a random place within the first two thirds.
    early = rng.permutation(max(len(repeated), 2 * n // 3))[: len(repeated)]
    order: list[tuple[int, int] | None] = [None] * n
    for at, place in zip(shuffled[again], np.sort(early), strict=True):
        order[int(place)] = (int(at), 1)
    rest = iter(shuffled[~again])
    firsts = [(int(next(rest)), 1) if each is None else each for each in order]
    apart = max(1, n // 3)
    for at in rng.permutation(repeated):
        first = firsts.index((int(at), 1))
        place = int(rng.integers(min(first + 1 + apart, len(firsts)), len(firsts) + 1))
        firsts.insert(place, (int(at), 2))
    return firsts


def _new_id(rng: np.random.Generator, taken: set[str]) -> str:
    while True:
        name = "".join(_SIGNS[at] for at in rng.integers(len(_SIGNS), size=_ID_LENGTH))
        if name not in taken:
            taken.add(name)
            return name


def _list(key: pd.DataFrame, show_names: bool) -> pd.DataFrame:
    """Return a reader's list: nothing in it tells patient, score, stratum or repetition."""
    import pandas as pd

    rows = pd.DataFrame({ORDER: key[ORDER].to_numpy(), REVIEW_ID: key[REVIEW_ID].to_numpy()})
    if show_names:
        rows[SLIDE] = key[SLIDE].to_numpy()
    rows[RATER] = key[RATER].to_numpy()
    for column in REVIEW_COLUMNS:
        if column not in (SLIDE, PATIENT, LESION, RATER, ROUND):
            rows[column] = ""
    return rows
