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
    LESION,
    RATER,
    REVIEW_COLUMNS,
    ROUND,
)
from napari_crlm_spa.core.hgp.sample_choice import EXTREMES_WARNING, choose_slides, proportional
from napari_crlm_spa.core.hgp.sample_options import SampleOptions
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "EXTREMES_WARNING",
    "ORDER",
    "REVIEW_ID",
    "STRATUM",
    "Sample",
    "SampleOptions",
    "draw_sample",
    "proportional",
]

REVIEW_ID, ORDER, STRATUM = "review_id", "order", "stratum"
#: Letters and digits that nobody confuses.
_SIGNS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_ID_LENGTH = 5


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
    chosen, strata, warnings = choose_slides(table, options, rng)
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
